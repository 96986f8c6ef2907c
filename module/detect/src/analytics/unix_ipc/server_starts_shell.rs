//! # IPC-LNX-012: Server program starts a shell
//!
//! ## What it detects
//! A database, cache, broker or web server whose own process starts a shell, an interpreter or a network tool; the
//! client that connected to its socket within the preceding seconds is reported, if there is one. Also a client command
//! that makes such a server run programs (`COPY ... PROGRAM`, `MODULE LOAD`), and a shell started by kernel threads.
//!
//! ## Why it matters
//! Access to the server's socket becomes command execution under the server's account, without a password or an
//! exploit.
//!
//! ## Telemetry
//! auditd execve with the parent's pid; connect and accept on AF_UNIX identify the client.
//!
//! ## False positives
//! Archiving, log rotation and mail delivery that servers start themselves are excluded. CGI and mod_php: medium.
//!
//! ## References
//! ATT&CK T1559, T1059.004, T1505.001; DET0493 (AN1358).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::memory::{KnownChannel, Use};
use crate::text::{clip, contains, contains_any, is_any};
use crate::vocabulary::{programs, server_programs, sockets};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-012",
    title: "Server program starts a shell",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1059.004", "T1505.001"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    // A server acts for its client within this time of the connection.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// A client is attributed to a shell without a known parent if it connected within this time.
const CLOSE: Duration = Duration::from_secs(3);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let started = context.subject();
    if let Some(evidence) = asked(started) {
        return Some(evidence);
    }
    let runs = programs::is_script_host(started.name()) || sockets::is_network_tool(started.name());
    if !runs || server_programs::is_own_helper(started.command_line) || runs_installed_script(started) {
        return None;
    }
    let parent = context.parent();
    if parent.pid == Some(2) && sockets::is_shell(started.name()) {
        return Some(by_kernel(started));
    }
    if is_server(parent) && !server_programs::is_own_helper(parent.command_line) && !is_archiver(parent) {
        // Another program of the same server that restarts it: apachectl, a wrapper script.
        let own_start = parent.pid == started.pid;
        return (!own_start).then(|| by_server(context, event, started, parent));
    }
    if parent.image.is_empty() && sockets::is_shell(started.name()) {
        return by_unseen_worker(context, event, started);
    }
    None
}

/// Whether an interpreter runs a script that users cannot write to: CGI, notifications, helpers of the server.
fn runs_installed_script(started: Actor<'_>) -> bool {
    let script = started.command_line.split_whitespace().nth(1).unwrap_or("").trim_matches(['\'', '"']);
    programs::is_script_host(started.name()) && script.starts_with('/') && !predicates::is_user_writable(script)
}

fn is_server(actor: Actor<'_>) -> bool {
    server_programs::is_database(actor) || server_programs::is_front(actor)
}

/// PostgreSQL's own processes that run the site's archive and restore commands.
fn is_archiver(parent: Actor<'_>) -> bool {
    contains_any(parent.command_line, &["archiver", "startup recovering", "walreceiver"])
}

fn by_server(context: &Context<'_>, event: &ProcessEvent<'_>, started: Actor<'_>, server: Actor<'_>) -> Evidence {
    let database = server_programs::is_database(server);
    let severity = if database || !contains_any(server.name(), &["apache", "httpd", "cups", "smbd"]) {
        Severity::High
    } else {
        Severity::Medium
    };
    let client = client_of(context, event, started, Some(server), context.window());
    conclude(context, started, server, client, severity, Confidence::High)
}

/// A shell without a logged parent, under the account of a server that has just accepted a client of another account.
fn by_unseen_worker(context: &Context<'_>, event: &ProcessEvent<'_>, started: Actor<'_>) -> Option<Evidence> {
    if !predicates::is_daemon_account(started) || predicates::has_terminal(started) {
        return None;
    }
    let client = client_of(context, event, started, None, CLOSE)?;
    let server = client.server(context);
    if !server_programs::is_database(server) {
        return None;
    }
    Some(conclude(context, started, server, Some(client), Severity::High, Confidence::Medium))
}

/// A connection that a server is likely to have acted for.
#[derive(Clone, Copy)]
struct Asked<'c> {
    name: &'c str,
    channel: &'c KnownChannel,
    opening: &'c Use,
}

impl<'c> Asked<'c> {
    fn server(&self, context: &Context<'c>) -> Actor<'c> {
        let made = self.channel.created.as_ref().or(self.channel.accepted.as_ref());
        made.and_then(|made| made.process).and_then(|id| context.remembered(id)).unwrap_or_default()
    }
}

/// The latest connection by another account to a socket of the server, or of a server of that account.
fn client_of<'c>(
    context: &Context<'c>,
    event: &ProcessEvent<'_>,
    started: Actor<'c>,
    server: Option<Actor<'c>>,
    window: Duration,
) -> Option<Asked<'c>> {
    let account = started.user.acting_id();
    context
        .host
        .channels
        .iter()
        .filter(|(_, known)| matches!(known.mechanism, Mechanism::UnixSocket | Mechanism::UnixAbstract))
        .filter(|(_, known)| {
            let made = known.created.as_ref().or(known.accepted.as_ref());
            made.is_some_and(|made| {
                *made.user_id == *account
                    && server
                        .is_none_or(|server| crate::text::base_name(&made.image).eq_ignore_ascii_case(server.name()))
            })
        })
        .filter_map(|(name, channel)| {
            let opening = channel.opened.iter().rev().find(|one| {
                *one.user_id != *account && !one.user_id.is_empty() && one.note.time.within(window, event.time)
            })?;
            Some(Asked { name, channel, opening })
        })
        .max_by_key(|asked| asked.opening.note.time)
}

fn conclude(
    context: &Context<'_>,
    started: Actor<'_>,
    server: Actor<'_>,
    asked: Option<Asked<'_>>,
    severity: Severity,
    confidence: Confidence,
) -> Evidence {
    let name =
        if server.original_name.is_empty() || server.is(&["postgres"]) { server.name() } else { server.original_name };
    let mut text = format!(
        "The server {name} of {} started {}: {}",
        server.account(),
        started.name(),
        clip(started.command_line, 160),
    );
    let client =
        asked.and_then(|asked| asked.opening.process).and_then(|id| context.remembered(id)).unwrap_or_default();
    if let Some(asked) = asked {
        let who = if client.name().is_empty() { "a process" } else { client.name() };
        text.push_str(&format!(
            ". {who} of account {} had connected to {} just before.",
            asked.opening.user_id, asked.name
        ));
    }
    let up = predicates::is_privileged(started);
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(up, Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(if server.is_unknown() { started } else { server });
    evidence = match asked {
        Some(asked) => evidence
            .channel(asked.channel.mechanism, asked.name)
            .because(&asked.opening.note, format!("account {} connected to {}", asked.opening.user_id, asked.name)),
        None => evidence.channel(Mechanism::Unknown, ""),
    };
    evidence
}

fn by_kernel(started: Actor<'_>) -> Evidence {
    let text = format!("The kernel started a shell by itself: {}", clip(started.command_line, 200));
    Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES)
        .indicators(Indicators::UNEXPECTED_USE)
        .server(started)
        .channel(Mechanism::Unknown, "kernel helper")
}

/// A client command that makes the server run programs or load code.
fn asked(started: Actor<'_>) -> Option<Evidence> {
    let command = started.command_line;
    let what = if is_any(started.name(), &["psql"]) {
        let copies = contains(command, "copy ") && contains_any(command, &["from program", "to program"]);
        // psql's own \copy runs the program on the client's side.
        (copies && !contains(command, "\\copy")).then_some("COPY ... PROGRAM")
    } else if is_any(started.name(), &["redis-cli", "valkey-cli"]) {
        contains_any(command, &["module load", "config set dir", "config set dbfilename", "slaveof ", "replicaof "])
            .then_some("a command that writes files or loads code")
    } else if is_any(started.name(), &["mysql", "mariadb"]) {
        contains_any(command, &["sys_exec(", "sys_eval(", "into dumpfile", "create function", "\\! "])
            .then_some("a statement that runs programs or loads code")
    } else {
        None
    }?;
    // The server's own account is allowed to do so anyway.
    let own = matches!(started.user.acting_id(), "0")
        || !predicates::is_daemon_account(started) && predicates::has_terminal(started);
    let text =
        format!("{} of {} asks its server for {what}: {}", started.name(), started.account(), clip(command, 200));
    let evidence = Evidence::new(if own { Severity::Low } else { Severity::Medium }, Confidence::Medium, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(started)
        .channel(Mechanism::UnixSocket, "");
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SOCKET: &str = "/run/postgresql/.s.PGSQL.5432";
    const POSTGRES: &str = "/usr/lib/postgresql/15/bin/postgres";

    fn listens() -> Event {
        unix_bound(0.0, SOCKET).of(POSTGRES, 40).uids("101", "101", "")
    }

    fn connects(seconds: f64) -> Event {
        unix_connected(seconds, SOCKET, "101", 0o140_777).of("/usr/bin/psql", 70).uids("33", "33", "")
    }

    fn shell(seconds: f64, parent: u32, command: &'static str) -> Event {
        start(seconds, "/usr/bin/dash", command).pid(91).parent_pid(parent).uids("101", "101", "")
    }

    #[test]
    fn a_worker_s_shell_is_high_and_names_the_client() {
        let worker = unix_connected(60.1, "/run/nscd/socket", "", 0).of(POSTGRES, 90).uids("101", "101", "");
        let events = [listens(), connects(60.0), worker, shell(60.2, 90, "sh -c id")];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        let client = findings[0].client.as_ref().unwrap();
        assert_eq!((client.name.as_str(), findings[0].evidence.len()), ("psql", 2));
    }

    #[test]
    fn an_unlogged_worker_is_recognised_by_account_and_time() {
        let events = [listens(), connects(60.0), shell(60.2, 90, "sh -c id")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        let late = [listens(), connects(60.0), shell(90.0, 90, "sh -c id")];
        check(&ANALYTIC, &late, None);
    }

    #[test]
    fn a_server_is_recognised_by_its_argv_name() {
        let redis =
            unix_accepted(0.0, "/run/redis.sock").of("/usr/bin/redis-check-rdb", 40).original_name("redis-server");
        let events = [redis.uids("103", "103", ""), shell(1.0, 40, "sh -c id").uids("103", "103", "")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn archiving_and_log_rotation_are_quiet() {
        let archive = "sh -c test ! -f /mnt/a && cp pg_wal/000000010000000A000000FE /mnt/a";
        check(&ANALYTIC, &[listens(), connects(60.0), shell(60.2, 40, archive)], None);
        let apache = start(0.0, "/usr/sbin/apache2", "apache2 -k start").pid(40).uids("0", "0", "");
        let script = start(0.1, "/usr/bin/perl", "/usr/bin/perl /usr/lib/cgi-bin/status.pl").pid(42);
        check(&ANALYTIC, &[apache, script.parent_pid(40).uids("33", "33", "")], None);
        let rotate = start(0.1, "/usr/bin/dash", "/bin/sh -c /usr/bin/rotatelogs /var/log/a 86400").pid(41);
        check(&ANALYTIC, &[apache, rotate.parent_pid(40).uids("0", "0", "")], None);
    }

    #[test]
    fn application_servers_are_left_to_the_baseline() {
        let events = [
            start(0.0, "/usr/bin/python3.11", "python3 /opt/app/server.py").pid(40).uids("990", "990", ""),
            start(1.0, "/usr/bin/dash", "sh -c convert a b").pid(41).parent_pid(40).uids("990", "990", ""),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_client_command_that_runs_programs_is_medium() {
        let ask = start(0.0, "/usr/lib/postgresql/15/bin/psql", "psql -d shop -c COPY o FROM PROGRAM 'id'").pid(7);
        check(&ANALYTIC, &[ask.uids("33", "33", "")], Some((Severity::Medium, Confidence::Medium)));
        let own = start(0.0, "/usr/bin/psql", "psql -d shop -c \\copy o from program 'zcat a.gz'").pid(7);
        check(&ANALYTIC, &[own.uids("33", "33", "")], None);
    }
}
