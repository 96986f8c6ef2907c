//! # IPC-UX-011: Somebody else's terminal session entered
//!
//! ## What it detects
//! A connection to the socket of a terminal multiplexer (tmux, screen) by a process that is not its owner's, and what
//! it is asked to do: type keys, read the screen, run a command, attach. The socket is known by who bound it, by its
//! path, or because a multiplexer connects to it.
//!
//! ## Why it matters
//! Keys typed into the session run with the owner's rights and inside the owner's logged-on connections.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX with PATH (owner), bind; execve.
//!
//! ## False positives
//! Shared sessions: where everybody may write to the socket, which only its owner can have allowed, it is low, except
//! for root. An owner's sudo is none.
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
    title: "Somebody else's terminal session entered",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1563"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

/// What a client asks for, and how to say it.
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
    // No multiplexer lets everybody in by itself: the owner did.
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

/// A client told to use a socket whose path names another user.
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
    fn another_login_s_root_shell_is_high() {
        let events = [bound(SESSION, "/usr/bin/tmux"), entered(SESSION, "/usr/bin/tmux", "0", "1002", 0o140_700)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_session_is_known_by_who_bound_it_whatever_connects() {
        let events = [bound("/srv/s", "/usr/bin/screen"), entered("/srv/s", "/usr/bin/socat", "0", "1002", 0o140_700)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_command_line_alone_names_the_other_user() {
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
