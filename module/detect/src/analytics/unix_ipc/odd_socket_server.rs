//! # IPC-UX-007: UNIX socket served by a program in an unusual location
//!
//! ## What it detects
//! A UNIX socket bound by a program that runs from memory, from a world-writable folder or from a hidden one, or by an
//! interpreter that runs a script from there. High if such a server accepts a client and a shell starts within seconds,
//! or if a tool serves a shell on a socket directly. A server in a home directory is low, medium if it starts a shell
//! for a client, high if that client is another user.
//!
//! ## Why it matters
//! An implant can receive commands on a local socket, where neither network monitoring nor firewalls see them.
//!
//! ## Telemetry
//! auditd bind, accept, connect and execve.
//!
//! ## False positives
//! Developer tools unpacked below /tmp that are not in the list: allow by path. Sockets of multiprocessing libraries,
//! desktops, multiplexers and agents are recognised by their path pattern.
//!
//! ## References
//! ATT&CK T1559; DET0493 (AN1358).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::memory::{KnownChannel, Use};
use crate::text::clip;
use crate::vocabulary::{programs, sockets, unix_paths};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-007",
    title: "UNIX socket served by a program in an unusual location",
    family: Family::UnixIpc,
    techniques: &["T1559"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    // A command runs within this time of the client's connection.
    window: Some(Duration::from_secs(5)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelCreate(channel) => bound(context, event, channel),
        Activity::ProcessStart if event.provenance.source == Source::Auditd => {
            let started = context.subject();
            if sockets::serves_shell(started.name(), started.command_line) {
                return Some(shell_on_socket(started));
            }
            if sockets::is_shell(started.name()) || programs::is_script_host(started.name()) {
                return task(context, event);
            }
            None
        }
        _ => None,
    }
}

fn bound(context: &Context<'_>, event: &ProcessEvent<'_>, channel: &Channel<'_>) -> Option<Evidence> {
    // Abstract names have their own analytic.
    if channel.mechanism != Mechanism::UnixSocket
        || matches!(event.outcome, Outcome::Failure | Outcome::Denied)
        || sockets::is_usual_class(channel.name)
    {
        return None;
    }
    let server = context.subject();
    let (odd, home) = odd_program(server)?;
    let hidden = if unix_paths::is_hidden(channel.name) { ", under a hidden name" } else { "" };
    let text = format!(
        "{} of {} listens on the socket {}{hidden}, and it runs {odd}.",
        server.name(),
        server.account(),
        channel.name,
    );
    let severity = if home { Severity::Low } else { Severity::Medium };
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(!home && predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .server(server)
        .channel(Mechanism::UnixSocket, channel.name);
    Some(evidence)
}

/// What is unusual about the location of a program, or of the script that an interpreter runs, and whether it is only that
/// it is in a home directory.
fn odd_program(actor: Actor<'_>) -> Option<(&'static str, bool)> {
    if let Some(odd) = unix_paths::odd_place(actor.image) {
        return Some((odd, false));
    }
    if unix_paths::is_in_home(actor.image) {
        return Some(("from somebody's home", true));
    }
    if !programs::is_script_host(actor.name()) {
        return None;
    }
    let script = actor.command_line.split_whitespace().skip(1).find(|word| !word.starts_with('-'))?;
    unix_paths::odd_place(script).map(|odd| (odd, false))
}

fn shell_on_socket(started: Actor<'_>) -> Evidence {
    let text = format!(
        "{} of {} serves a shell on a UNIX socket: {}",
        started.name(),
        started.account(),
        clip(started.command_line, 200)
    );
    Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE)
        .server(started)
        .channel(Mechanism::UnixSocket, "")
}

/// A shell that starts right after a server in an unusual location accepted a client.
fn task(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let started = context.subject();
    let (name, known, taken) = context
        .host
        .channels
        .iter()
        .filter(|(_, known)| matches!(known.mechanism, Mechanism::UnixSocket | Mechanism::UnixAbstract))
        .filter_map(|(name, known)| Some((name, known, known.accepted.as_ref()?)))
        .filter(|(_, _, taken)| taken.note.time.within(context.window(), event.time))
        .filter(|(name, ..)| !sockets::is_usual_class(name))
        .filter(|(_, known, taken)| serves(context, known, taken, started))
        // Of two sockets of one server, the one that accepted its client last.
        .max_by_key(|(_, _, taken)| taken.note.time)?;
    let server = taken.process.and_then(|id| context.remembered(id)).unwrap_or_default();
    let (odd, home) = odd_program(server)?;
    let asked = known.opened.iter().rev().find(|one| one.note.time.within(context.window(), taken.note.time));
    let client = asked.and_then(|one| one.process).and_then(|id| context.remembered(id)).unwrap_or_default();
    let from = match client.is_unknown() {
        true => String::new(),
        false => format!(" for {} of {}", client.name(), client.account()),
    };
    let text = format!(
        "{} of {}, which runs {odd}, took a client on {name} and started {}{from}: {}",
        server.name(),
        server.account(),
        started.name(),
        clip(started.command_line, 160),
    );
    let across = asked.is_some_and(|one| one.user_id != taken.user_id);
    let severity = if home && !across { Severity::Medium } else { Severity::High };
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(
            Reasons::NONE
                .and_if(severity >= Severity::High && predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY)
                .and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(server)
        .channel(known.mechanism, name)
        .because(&taken.note, format!("{} took a client on {name}", server.name()));
    if let Some(asked) = asked {
        evidence = evidence.because(&asked.note, format!("account {} connected to {name}", asked.user_id));
    }
    if let Some(made) = &known.created {
        evidence = evidence.because(&made.note, format!("{} began to listen on {name}", server.name()));
    }
    Some(evidence)
}

/// Whether the server that accepted the client started the shell: it is the parent, or, if the handler process in
/// between left no record, it has the same user and session.
fn serves(context: &Context<'_>, known: &KnownChannel, taken: &Use, started: Actor<'_>) -> bool {
    let parent = context.parent();
    let made = known.created.as_ref().and_then(|made| made.process);
    if let Some(parent) = parent.known {
        let line = [Some(parent.id), parent.parent];
        return line.iter().any(|id| id.is_some() && (*id == taken.process || *id == made));
    }
    let session = taken.process.and_then(|id| context.remembered(id)).and_then(|server| server.session);
    parent.image.is_empty() && *taken.user_id == *started.user.acting_id() && session == started.session
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn implant(event: Event) -> Event {
        event.of("/tmp/.fonts/updater", 40).uids("1000", "1000", "1000").session(5)
    }

    #[test]
    fn a_server_in_a_shared_folder_fires() {
        let events = [implant(unix_bound(0.0, "/tmp/.upd.sock"))];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn an_accepted_client_and_a_shell_of_an_unlogged_handler_are_high() {
        let events = [
            implant(unix_bound(0.0, "/tmp/.upd.sock")),
            unix_connected(60.0, "/tmp/.upd.sock", "1000", 0o140_666).of("/usr/bin/python3", 70).uids("33", "33", ""),
            implant(unix_accepted(60.05, "/tmp/.upd.sock")),
            start(60.1, "/usr/bin/dash", "sh -c id").pid(91).parent_pid(90).uids("1000", "1000", "1000").session(5),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        let worst = findings.iter().find(|finding| finding.severity == Severity::High).unwrap();
        assert_eq!(worst.evidence.len(), 4);
    }

    #[test]
    fn a_script_in_a_shared_folder_counts_as_the_program() {
        let server = unix_bound(1.0, "/run/user/1000/x").of("/usr/bin/python3.11", 40).uids("1000", "1000", "1000");
        let started = start(0.0, "/usr/bin/python3.11", "python3 /dev/shm/.s.py").pid(40).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[started, server], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_tool_that_serves_a_shell_is_high() {
        let socat = start(0.0, "/usr/bin/socat", "socat UNIX-LISTEN:/tmp/s,fork EXEC:/bin/bash,pty").pid(4);
        check(&ANALYTIC, &[socat.uids("33", "33", "")], Some((Severity::High, Confidence::High)));
        let relay = start(0.0, "/usr/bin/socat", "socat UNIX-LISTEN:/tmp/s,fork TCP:127.0.0.1:80").pid(4);
        check(&ANALYTIC, &[relay.uids("1000", "1000", "1000")], None);
    }

    #[test]
    fn installed_servers_and_libraries_sockets_are_quiet() {
        let nginx = unix_bound(0.0, "/tmp/nginx.sock").of("/usr/sbin/nginx", 4).uids("33", "33", "");
        let pool =
            unix_bound(0.0, "/tmp/pymp-a1/listener-b").of("/tmp/venv/bin/python3", 4).uids("1000", "1000", "1000");
        let tool =
            unix_bound(0.0, "/tmp/t.sock").of("/home/u/.vscode-server/bin/1/node", 4).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[nginx, pool, tool], None);
    }

    #[test]
    fn a_server_in_a_home_directory_is_low_and_higher_if_it_serves_a_shell() {
        let home = |event: Event| event.of("/home/u/bin/notes", 40).uids("1000", "1000", "1000").session(5);
        let bound = home(unix_bound(0.0, "/srv/notes.sock"));
        check(&ANALYTIC, &[bound], Some((Severity::Low, Confidence::Medium)));
        let shell =
            start(60.2, "/usr/bin/dash", "sh -c id").pid(91).parent_pid(40).uids("1000", "1000", "1000").session(5);
        let connect = unix_connected(60.0, "/srv/notes.sock", "1000", 0o140_666).of("/usr/bin/nc", 70);
        let taken = home(unix_accepted(60.1, "/srv/notes.sock"));
        let own = [bound, connect.uids("1000", "1000", "1000"), taken, shell];
        check(&ANALYTIC, &own, Some((Severity::Medium, Confidence::High)));
        let other = [bound, connect.uids("33", "33", ""), taken, shell];
        check(&ANALYTIC, &other, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_shell_of_another_session_is_not_the_server_s() {
        let events = [
            implant(unix_bound(0.0, "/tmp/pymp-x/listener-1")),
            implant(unix_accepted(60.0, "/tmp/pymp-x/listener-1")),
            start(60.1, "/usr/bin/dash", "sh -c id").pid(91).parent_pid(90).uids("1000", "1000", "1000").session(9),
        ];
        check(&ANALYTIC, &events, None);
    }
}
