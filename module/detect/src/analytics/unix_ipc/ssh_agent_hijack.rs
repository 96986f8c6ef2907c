//! # IPC-UX-009: SSH agent socket used by another account
//!
//! ## What it detects
//! A connection to the socket of an SSH agent by a process that does not belong to its owner: another user (root
//! included), the owner's account assumed through `sudo -u` or `su`, or a relay. The socket is recognised by the
//! process that bound it, by its path, or because `ssh-add` connects to it.
//!
//! ## Why it matters
//! Access to the agent is enough to sign with its keys, and so to log on to the owner's other machines without knowing
//! a password or key.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX with PATH (owner), bind; execve for commands that search for agent sockets.
//!
//! ## False positives
//! An administrator who keeps using the own agent through sudo is not reported. Relays for containers: medium, allow by
//! path.
//!
//! ## References
//! ATT&CK T1559, T1563.001, T1552.004; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::context::socket_owner::{Stranger, stranger};
use crate::text::{base_name, clip, contains};
use crate::vocabulary::sockets;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-009",
    title: "SSH agent socket used by another account",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1563.001", "T1552.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelConnect(channel) if channel.mechanism == Mechanism::UnixSocket => {
            if event.outcome == Outcome::Failure || !is_agent(context, channel) {
                return None;
            }
            connected(context, event, channel)
        }
        Activity::ProcessStart if event.provenance.source == Source::Auditd => searched(context.subject()),
        _ => None,
    }
}

/// Whether the socket belongs to an SSH agent.
fn is_agent(context: &Context<'_>, channel: &Channel<'_>) -> bool {
    if sockets::is_universal(channel.name) && !sockets::is_agent_path(channel.name) {
        return false;
    }
    sockets::is_agent_path(channel.name)
        || context.subject().is(&["ssh-add"])
        || context
            .channel(channel.name)
            .and_then(|known| known.created.as_ref())
            .is_some_and(|made| sockets::is_agent(base_name(&made.image)))
}

fn connected(context: &Context<'_>, event: &ProcessEvent<'_>, channel: &Channel<'_>) -> Option<Evidence> {
    let client = context.subject();
    let who = stranger(context, channel, client);
    let relay = client.is(&["socat", "nc", "ncat", "netcat", "nc.openbsd"]);
    // The agent itself and the session that forwards it.
    if sockets::is_agent(client.name()) || client.is(&["sshd", "sshd-session"]) {
        return None;
    }
    let (severity, confidence, how) = match who {
        Some((Stranger::OtherUser, owner)) => {
            (Severity::High, Confidence::High, format!("the agent is uid {owner}'s, and another user asks it"))
        }
        Some((Stranger::OtherLogin, owner)) => (
            Severity::Medium,
            Confidence::Medium,
            format!("it acts as the owner, uid {owner}, but login {} stands behind it", client.user.audit_id),
        ),
        None if relay => (Severity::Medium, Confidence::Medium, "it passes the agent on to others".to_owned()),
        None => return None,
    };
    let severity = if event.outcome == Outcome::Denied { severity.lowered() } else { severity };
    let made = context.channel(channel.name).and_then(|known| known.created.as_ref());
    let server = made.and_then(|made| made.process).and_then(|id| context.remembered(id)).unwrap_or_default();
    let text = format!(
        "{} of {} uses the SSH agent at {}: {how}. Its keys open the owner's other machines.",
        client.name(),
        client.account(),
        channel.name,
    );
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(server)
        .channel(Mechanism::UnixSocket, channel.name);
    if let Some(made) = made {
        evidence = evidence.because(&made.note, format!("the agent's socket {} was made", channel.name));
    }
    if let Some(start) = client.known.filter(|known| known.start.is_some()) {
        evidence = evidence.because(&start.note, format!("{} was started: {}", start.name(), start.command_line));
    }
    Some(evidence)
}

/// Root searches for other users' agents: the command line uses any socket that it finds.
fn searched(started: Actor<'_>) -> Option<Evidence> {
    let command = started.command_line;
    if started.user.acting_id() != "0" || !contains(command, "SSH_AUTH_SOCK=") || !contains(command, "/tmp/ssh-") {
        return None;
    }
    // sudo has the same command line as the command's own start.
    if started.is(&["sudo", "su"]) || !command.contains('*') {
        return None;
    }
    let login = started.user.audit_id;
    let text = format!(
        "{} as root looks for the SSH agents of others and takes one for its own: {}",
        started.name(),
        clip(command, 200)
    );
    let severity = if matches!(login, "" | "0") { Severity::Medium } else { Severity::High };
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(started)
        .channel(Mechanism::UnixSocket, "/tmp/ssh-*/agent.*");
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const AGENT: &str = "/tmp/ssh-Xy1/agent.40";

    fn bound(name: &'static str) -> Event {
        unix_bound(0.0, name).of("/usr/bin/ssh-agent", 40).uids("1001", "1001", "1001")
    }

    fn used(name: &'static str, image: &'static str, uid: &'static str, login: &'static str) -> Event {
        unix_connected(60.0, name, "1001", 0o140_600).of(image, 70).uids(uid, uid, login)
    }

    #[test]
    fn another_user_s_root_shell_is_high() {
        let events = [bound(AGENT), used(AGENT, "/usr/bin/ssh", "0", "1002")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_agent_is_recognised_by_the_process_that_bound_it() {
        let events = [bound("/home/a/.k"), used("/home/a/.k", "/usr/bin/python3", "0", "1002")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_owner_s_account_assumed_by_another_login_is_medium() {
        let events = [bound(AGENT), used(AGENT, "/usr/bin/ssh-add", "1001", "1002")];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn the_owner_is_quiet_also_through_sudo() {
        check(&ANALYTIC, &[bound(AGENT), used(AGENT, "/usr/bin/ssh", "1001", "1001")], None);
        check(&ANALYTIC, &[bound(AGENT), used(AGENT, "/usr/bin/ssh", "0", "1001")], None);
    }

    #[test]
    fn the_search_for_agents_by_root_fires_and_a_user_s_own_does_not() {
        let command = "bash -c export SSH_AUTH_SOCK=$(ls -d /tmp/ssh-*/agent.* | head -1); ssh-add -l";
        let search = |uid| [start(0.0, "/usr/bin/bash", command).pid(7).uids(uid, uid, "1002")];
        check(&ANALYTIC, &search("0"), Some((Severity::High, Confidence::Medium)));
        check(&ANALYTIC, &search("1002"), None);
    }

    #[test]
    fn common_sockets_are_not_taken_for_agents() {
        let log = unix_connected(0.0, "/dev/log", "0", 0o140_666).of("/usr/bin/ssh-add", 7);
        check(&ANALYTIC, &[log.uids("1001", "1001", "1001")], None);
    }
}
