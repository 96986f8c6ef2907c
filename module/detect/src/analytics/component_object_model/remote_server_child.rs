//! # IPC-DCOM-007: Remotely activated COM server starts a program
//!
//! ## What it detects
//! A process whose parent or grandparent is a COM server that DcomLaunch started for another machine.
//!
//! ## Why it matters
//! It is the usual goal of remote activation: MMC20, Excel or a hijacked class runs the attacker's command.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688, and the record that proves the remote activation: Security 4624, also if it arrives late
//! (IPC-DCOM-006).
//!
//! ## False positives
//! Crash reporters, console and print helpers, tab processes of Internet Explorer are excluded. WinRM shells start
//! programs by design and are not DCOM.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1059; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation;
use crate::memory::{Activation, Broker};
use crate::vocabulary::com;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-007",
    title: "Remotely activated COM server starts a program",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1059"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity.kind() == ActivityKind::Logon {
        return explained_late(context);
    }
    let child = context.subject();
    let parent = context.parent();
    let direct = remote_server(parent).or_else(|| unseen_server(context, parent, child));
    let grand = || remote_server(context.parent_of(parent).filter(|_| !com::is_routine_child(parent))?);
    let far = direct.is_none();
    let (server, activation) = direct.or_else(grand)?;
    if com::is_routine_child(child) {
        return None;
    }
    let mut evidence = conclude(context, server, &activation, child);
    if far && !predicates::is_unknown_binary(child) {
        // Processes of a shell that the server started belong to the finding about the server.
        evidence.client = None;
        evidence = evidence.server(server);
    }
    Some(match server.known {
        Some(known) => {
            evidence.because(&known.note, format!("{} was activated from {}", server.name(), activation.from()))
        }
        None => evidence,
    })
}

/// A logon record after the server and its child process shows that the activation was remote.
fn explained_late(context: &Context<'_>) -> Option<Evidence> {
    activation::told(context).into_iter().filter(|one| is_server(one.process, &one.activation)).find_map(|one| {
        let known = one.process.known?;
        let children = context.host.processes.children(known.id);
        let child = children.map(Actor::remembered).find(|child| !com::is_routine_child(*child))?;
        let evidence = one.prove(context, conclude(context, one.process, &one.activation, child));
        let note = &child.known?.note;
        Some(evidence.because(note, format!("{} started {}", one.process.name(), child.command_line)))
    })
}

fn remote_server(actor: Actor<'_>) -> Option<(Actor<'_>, Activation)> {
    let activation = actor.known?.activation.clone()?;
    is_server(actor, &activation).then_some((actor, activation))
}

/// A COM server whose start was not logged: its child's logon shows the caller.
fn unseen_server<'c>(context: &Context<'c>, parent: Actor<'c>, child: Actor<'c>) -> Option<(Actor<'c>, Activation)> {
    let seen = parent.known.is_some_and(|known| known.activation.is_some() || !known.parent_image.is_empty());
    let fitting = com::is_lateral_server(parent)
        && predicates::is_com_server_command(parent.command_line)
        && !parent.is(&["wmiprvse.exe"]);
    if seen || !fitting {
        return None;
    }
    let (origin, peer) = activation::origin(context, child);
    let activation = Activation { broker: Broker::DcomLaunch, origin, peer: peer.into() };
    activation.is_remote().then_some((parent, activation))
}

fn is_server(actor: Actor<'_>, activation: &Activation) -> bool {
    activation.broker == Broker::DcomLaunch && activation.is_remote() && !com::is_remote_shell(actor)
}

fn conclude(context: &Context<'_>, server: Actor<'_>, activation: &Activation, child: Actor<'_>) -> Evidence {
    let unknown = predicates::is_unknown_binary(child);
    let dangerous = unknown || predicates::is_script_host(child) || predicates::is_lolbin(child);
    let (severity, confidence) =
        if dangerous { (Severity::Critical, Confidence::Certain) } else { (Severity::High, Confidence::High) };
    let text = format!(
        "{}, a COM server that {} activated from {}, started {}: code was run on this machine through DCOM.",
        server.name(),
        server.account(),
        activation.from(),
        child.name(),
    );
    let privileged = predicates::is_privileged(server) || predicates::is_privileged(child);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION
                .and(Reasons::LATERAL_MOVEMENT)
                .and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(unknown, Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .made_run(server, child)
        .channel(Mechanism::Dcom, com::class_of(server))
        .from_machine(&*activation.peer);
    match context.logon_of(server) {
        Some(logon) if activation.is_proven() => {
            let text = format!("{} logged on over the network from {}", server.account(), activation.from());
            evidence.because(&logon.note, text)
        }
        _ => evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";
    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    fn mmc(seconds: f64) -> Event {
        start(seconds, r"C:\Windows\System32\mmc.exe", "mmc.exe -Embedding")
            .pid(600)
            .by(SVCHOST, "svchost.exe -k DcomLaunch")
            .user("CORP", "alice")
            .logon_id(0x5f00d)
    }

    fn child(seconds: f64, image: &'static str, pid: u32, parent: u32) -> Event {
        start(seconds, image, image).pid(pid).parent_pid(parent).user("CORP", "alice").logon_id(0x5f00d)
    }

    #[test]
    fn a_command_from_a_remote_mmc_fires_critical() {
        let events = [logon(0, 3, 0x5f00d, "alice", "10.0.0.9"), mmc(1.0), child(2.0, CMD, 601, 600)];
        let findings = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
        assert!(findings[0].text.contains("mmc.exe") && findings[0].text.contains("cmd.exe"));
        assert_eq!(findings[0].evidence.len(), 3);
    }

    #[test]
    fn a_grandchild_fires_too() {
        let events = [
            mmc(1.0).session(0),
            child(2.0, r"C:\Program Files\Tool\tool.exe", 601, 600),
            child(3.0, r"C:\Program Files\Tool\other.exe", 602, 601),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn a_logon_record_after_the_child_fires() {
        let events = [mmc(0.0), child(1.0, CMD, 601, 600), logon(1.5, 3, 0x5f00d, "alice", "10.0.0.9")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
    }

    #[test]
    fn a_server_without_a_logged_start_is_recognised_by_its_child() {
        let orphan = |session| {
            start(0, CMD, "cmd.exe /c whoami")
                .by(r"C:\Windows\System32\mmc.exe", r"C:\Windows\system32\mmc.exe -Embedding")
                .user("CORP", "alice")
                .session(session)
        };
        check(&ANALYTIC, &[orphan(0)], Some((Severity::Critical, Confidence::Certain)));
        check(&ANALYTIC, &[orphan(1)], None);
    }

    #[test]
    fn crash_reporters_and_children_of_local_servers_are_quiet() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            mmc(1.0),
            child(2.0, r"C:\Windows\System32\WerFault.exe", 601, 600),
            child(2.5, r"C:\Windows\System32\conhost.exe", 603, 600),
        ];
        check(&ANALYTIC, &events, None);
        let local = [logon(0, 2, 0x5f00d, "alice", ""), mmc(1.0).session(1), child(2.0, CMD, 601, 600)];
        check(&ANALYTIC, &local, None);
    }

    #[test]
    fn children_of_a_remote_shell_are_not_dcom() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            start(1, r"C:\Windows\System32\wsmprovhost.exe", "wsmprovhost.exe -Embedding")
                .pid(600)
                .by(SVCHOST, "svchost.exe -k DcomLaunch")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
            child(2.0, CMD, 601, 600),
        ];
        check(&ANALYTIC, &events, None);
    }
}
