//! # IPC-UX-011: Terminal multiplexer session of another user accessed
//!
//! ## What it detects
//! A connection to the socket of a terminal multiplexer (tmux, screen) by a process of another account than the
//! session's owner, and the requested action: sending keys, reading the screen, running a command, attaching. The
//! socket is recognised by the process that bound it, by its path, or because a multiplexer connects to it.
//!
//! ## Why it matters
//! Keys sent to the session are executed with the owner's privileges and in the owner's open remote sessions.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX with PATH (owner), bind; execve.
//!
//! ## False positives
//! Shared sessions: a world-writable socket, which only its owner can have permitted, is low, except if the owner is
//! root. The owner's use through sudo is not reported.
//!
//! ## References
//! ATT&CK T1559, T1563; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::context::socket_owner::{Stranger, stranger};
use crate::text::{base_name, clip, contains};
use crate::vocabulary::sockets;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-011",
    title: "Terminal multiplexer session of another user accessed",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1563"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

/// What a client requests, and the words for it in a finding.
const VERBS: &[(&str, &str)] = &[
    ("send-keys", "to type into it"),
    ("send ", "to type into it"),
    (" stuff ", "to type into it"),
    ("capture-pane", "to read its screen"),
    ("hardcopy", "to read its screen"),
    ("pipe-pane", "to copy what it shows"),
    ("run-shell", "to run a command"),
    (" exec ", "to run a command"),
    ("new-window", "to run a command"),
    ("attach", "to take it over"),
    (" -x", "to take it over"),
    (" -r", "to take it over"),
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelConnect(channel) if channel.mechanism == Mechanism::UnixSocket => {
            if event.outcome == Outcome::Failure || !is_session(context, channel) {
                return None;
            }
            connected(context, event, channel)
        }
        Activity::ProcessStart if event.provenance.source == Source::Auditd => by_command(context.subject()),
        _ => None,
    }
}

/// Whether the socket is a multiplexer's.
fn is_session(context: &Context<'_>, channel: &Channel<'_>) -> bool {
    if sockets::is_universal(channel.name) {
        return false;
    }
    sockets::is_multiplexer_path(channel.name)
        || sockets::is_multiplexer(context.subject().name())
        || context
            .channel(channel.name)
            .and_then(|known| known.created.as_ref())
            .is_some_and(|made| sockets::is_multiplexer(base_name(&made.image)))
}

fn connected(context: &Context<'_>, event: &ProcessEvent<'_>, channel: &Channel<'_>) -> Option<Evidence> {
    let client = context.subject();
    let (who, owner) = stranger(context, channel, client)?;
    // No multiplexer creates a world-writable socket: its owner changed the permissions.
    let shared = channel.mode.is_some_and(|mode| mode & 0o002 != 0) && client.user.acting_id() != "0";
    let (mut severity, confidence) = match who {
        Stranger::OtherUser => (Severity::High, Confidence::High),
        Stranger::OtherLogin => (Severity::Medium, Confidence::Medium),
    };
    if shared {
        severity = Severity::Low;
    }
    if event.outcome == Outcome::Denied {
        severity = severity.lowered();
    }
    let verb = verb(client.command_line);
    let text = format!(
        "{} of {} (login {}) entered the terminal session of uid {owner} at {}{}: {}",
        client.name(),
        client.account(),
        if client.user.audit_id.is_empty() { "none" } else { client.user.audit_id },
        channel.name,
        verb.map_or_else(String::new, |verb| format!(" {verb}")),
        clip(client.command_line, 160),
    );
    let made = context.channel(channel.name).and_then(|known| known.created.as_ref());
    let server = made.and_then(|made| made.process).and_then(|id| context.remembered(id)).unwrap_or_default();
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(server)
        .channel(Mechanism::UnixSocket, channel.name);
    if let Some(made) = made {
        evidence = evidence.because(&made.note, format!("the session's socket {} was made", channel.name));
    }
    if let Some(start) = client.known.filter(|known| known.start.is_some()) {
        evidence = evidence.because(&start.note, format!("{} was started: {}", start.name(), start.command_line));
    }
    Some(evidence)
}

/// A client whose command line gives a socket path that contains another user.
fn by_command(started: Actor<'_>) -> Option<Evidence> {
    if !started.is(&["tmux", "screen"]) {
        return None;
    }
    let command = started.command_line;
    let at = command.find("/tmp/tmux-")? + "/tmp/tmux-".len();
    let path = command.get(at - "/tmp/tmux-".len()..)?.split_whitespace().next()?;
    let owner = command.get(at..)?.split(|c: char| !c.is_ascii_digit()).next().filter(|uid| !uid.is_empty())?;
    let acting = started.user.acting_id();
    if acting.is_empty() || acting == owner || started.user.audit_id == owner {
        return None;
    }
    let text = format!(
        "{} (login {}) enters the terminal session of uid {owner}{}: {}",
        started.account(),
        if started.user.audit_id.is_empty() { "none" } else { started.user.audit_id },
        verb(command).map_or_else(String::new, |verb| format!(" {verb}")),
        clip(command, 200),
    );
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(started)
        .channel(Mechanism::UnixSocket, path);
    Some(evidence)
}

fn verb(command: &str) -> Option<&'static str> {
    VERBS.iter().find(|(word, _)| contains(command, word)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SESSION: &str = "/tmp/tmux-1001/default";

    fn bound(name: &'static str, image: &'static str) -> Event {
        unix_bound(0.0, name).of(image, 40).uids("1001", "1001", "1001")
    }

    fn entered(name: &'static str, image: &'static str, uid: &'static str, login: &'static str, mode: u32) -> Event {
        unix_connected(60.0, name, "1001", mode).of(image, 70).uids(uid, uid, login)
    }

    #[test]
    fn a_root_shell_of_another_login_is_high() {
        let events = [bound(SESSION, "/usr/bin/tmux"), entered(SESSION, "/usr/bin/tmux", "0", "1002", 0o140_700)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_session_is_recognised_by_the_process_that_bound_it() {
        let events = [bound("/srv/s", "/usr/bin/screen"), entered("/srv/s", "/usr/bin/socat", "0", "1002", 0o140_700)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_command_line_alone_identifies_the_other_user() {
        let started = start(0.0, "/usr/bin/tmux", "tmux -S /tmp/tmux-1001/default send-keys -t 0 id Enter").pid(7);
        check(&ANALYTIC, &[started.uids("0", "0", "1002")], Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &[started.uids("1001", "1001", "1001")], None);
    }

    #[test]
    fn the_owner_is_quiet_also_through_sudo() {
        for (uid, login) in [("1001", "1001"), ("0", "1001")] {
            let events = [bound(SESSION, "/usr/bin/tmux"), entered(SESSION, "/usr/bin/tmux", uid, login, 0o140_700)];
            check(&ANALYTIC, &events, None);
        }
    }

    #[test]
    fn a_session_that_the_owner_opened_to_others_is_low() {
        let events =
            [bound("/srv/pair", "/usr/bin/tmux"), entered("/srv/pair", "/usr/bin/tmux", "1002", "1002", 0o140_777)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::High)));
    }
}
