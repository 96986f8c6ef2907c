//! # IPC-DCOM-010: Desktop COM server controlled from another machine
//!
//! ## What it detects
//! A connection from another machine to a dynamic port of the running explorer, and within five seconds, in either
//! order, a script host, a LOLBin or an unknown program started by it (ShellWindows, ShellBrowserWindow). Also an
//! explorer process that DcomLaunch starts as the desktop-browser factory and that starts such a program. Also, without
//! any child process, such a connection to explorer, mmc, Office, mshta or Internet Explorer: they listen only for COM
//! callers.
//!
//! ## Why it matters
//! The command runs in the interactive user's session as a child process of explorer, like a double click. The
//! connection is often the only record.
//!
//! ## Telemetry
//! Sysmon 3 or Security 5156; Sysmon 1 or Security 4688; Security 4624 (network logon from the same address) raises the
//! confidence.
//!
//! ## False positives
//! A user who opens a console at the very time of an inbound connection. Print and scan hosts call explorer back.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, LogonOutcome, Mechanism, ProcessEvent, Reasons, Severity, Source,
    Timestamp,
};

use crate::context::inbound;
use crate::memory::KnownLogon;
use crate::memory::recent::Flow;
use crate::text::{contains, starts_with};
use crate::vocabulary::{com, scripts};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-010",
    title: "Desktop COM server controlled from another machine",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between flow and child process.
    window: Some(Duration::from_secs(5)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum time between a network logon and a flow.
const LOGON: Duration = Duration::from_secs(30);
/// Flows from one machine to one server are counted together within this time.
const AGAIN: Duration = Duration::from_secs(900);
/// The class with which explorer is started for a remote caller.
const FACTORY: &str = "/factory,{75DFF2B7-6936-4C06-A8BB-676A7B00B24B}";

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart => child_started(context),
        Activity::NetworkFlow(flow) => {
            let server = context.subject();
            if !inbound::is_dynamic(flow, &context.host.addresses) || !is_desktop_server(server) {
                return None;
            }
            let peer = flow.remote.address;
            with_child_before(context, server, peer).or_else(|| Some(called(context, server, peer)))
        }
        Activity::Logon(logon)
            if logon.outcome == LogonOutcome::Start && logon.kind == 3 && !logon.source.address.is_empty() =>
        {
            let peer = logon.source.address;
            let mut flows = inbound::near(context, event.time, LOGON).filter(|flow| &*flow.remote == peer);
            let (flow, server) = flows.find_map(|flow| {
                let server = context.remembered(flow.who.process?)?;
                is_desktop_server(server).then_some((flow, server))
            })?;
            Some(
                call(server, peer, Severity::High, "right beside a network logon from there")
                    .because(&flow.note, says(server, flow)),
            )
        }
        _ => None,
    }
}

/// A child process of explorer near a flow that was logged first, or of an explorer started by COM.
fn child_started(context: &Context<'_>) -> Option<Evidence> {
    let (child, explorer) = (context.subject(), context.parent());
    if !explorer.is(&["explorer.exe"]) || !is_payload(child) {
        return None;
    }
    let time = context.event().time;
    let flow = explorer.known.and_then(|known| {
        inbound::near(context, time, context.window()).find(|flow| flow.who.process == Some(known.id))
    });
    if let Some(flow) = flow {
        let evidence = ran(explorer, child, &flow.remote, network_logon(context, time, &flow.remote));
        return Some(evidence.because(&flow.note, says(explorer, flow)));
    }
    if contains(explorer.command_line, FACTORY) && contains(explorer.command_line, "-Embedding") {
        let remote = explorer.known.and_then(|known| known.activation.as_ref()).filter(|one| one.is_remote());
        // The shell also starts this factory for its user; it is reported only with a remote caller.
        let remote = remote?;
        return Some(ran(explorer, child, &remote.peer, context.logon_of(explorer)));
    }
    None
}

/// A flow that is logged after the child it caused.
fn with_child_before<'c>(context: &Context<'c>, server: Actor<'c>, peer: &str) -> Option<Evidence> {
    if !server.is(&["explorer.exe"]) {
        return None;
    }
    let time = context.event().time;
    let children = inbound::children(context, server.known?.id, time, context.window());
    let child = children.map(Actor::remembered).find(|child| is_payload(*child))?;
    let evidence = ran(server, child, peer, network_logon(context, time, peer));
    Some(evidence.because(&child.known?.note, format!("{} started {}", server.name(), child.command_line)))
}

/// The flow alone.
fn called(context: &Context<'_>, server: Actor<'_>, peer: &str) -> Evidence {
    let time = context.event().time;
    let id = server.known.map(|known| known.id);
    let earlier: Option<&Flow> = inbound::near(context, time, AGAIN).find(|flow| {
        &*flow.remote == peer && id.is_some() && flow.who.process == id && !flow.note.is_of(context.event())
    });
    let logon = network_logon(context, time, peer);
    let (severity, again) = match (earlier, logon) {
        (_, Some(_)) => (Severity::High, "right after a network logon from there"),
        (Some(_), None) => (Severity::High, "more than once"),
        (None, None) => (Severity::Medium, "once"),
    };
    let mut evidence = call(server, peer, severity, again);
    if let Some(flow) = earlier {
        evidence = evidence.because(&flow.note, says(server, flow));
    }
    if let Some(logon) = logon {
        evidence = evidence.because(&logon.note, format!("{} logged on over the network from {peer}", logon.user_name));
    }
    evidence
}

fn call(server: Actor<'_>, peer: &str, severity: Severity, again: &str) -> Evidence {
    let text = format!(
        "{} was called from {peer} on a dynamic port {again}: on a desktop only a COM caller reaches it there.",
        server.name(),
    );
    Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE.and_if(severity >= Severity::High, Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT)),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .server(server)
        .channel(Mechanism::Dcom, com::class_of(server))
        .from_machine(peer)
}

fn ran(explorer: Actor<'_>, child: Actor<'_>, peer: &str, logon: Option<&KnownLogon>) -> Evidence {
    let confidence = if logon.is_some() { Confidence::High } else { Confidence::Medium };
    let from = if peer.is_empty() { "another machine" } else { peer };
    let unknown = predicates::is_unknown_binary(child);
    let text = format!(
        "Explorer was called from {from} and started {} in the same moment, in the session of {}: a command run \
         through ShellWindows or ShellBrowserWindow.",
        child.name(),
        child.account(),
    );
    let evidence = Evidence::new(Severity::High, confidence, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT).and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .made_run(explorer, child)
        .channel(Mechanism::Dcom, "ShellWindows")
        .from_machine(peer);
    match logon {
        Some(logon) => {
            evidence.because(&logon.note, format!("{} logged on over the network from {from}", logon.user_name))
        }
        None => evidence,
    }
}

fn says(server: Actor<'_>, flow: &Flow) -> String {
    format!("{} was reached on port {} from {}", server.name(), flow.local_port, flow.remote)
}

/// The network logon from `peer` nearest before or after `time`.
fn network_logon<'c>(context: &Context<'c>, time: Timestamp, peer: &str) -> Option<&'c KnownLogon> {
    let logons = context.host.logons.iter().map(|(_, logon)| logon);
    let fitting =
        logons.filter(|logon| logon.kind == 3 && &*logon.address == peer && logon.note.time.within(LOGON, time));
    fitting.filter(|logon| !logon.user_name.ends_with('$')).max_by_key(|logon| logon.note.time)
}

fn is_desktop_server(actor: Actor<'_>) -> bool {
    // A console opened by a user receives callbacks from the machines that it manages.
    let opened_console = contains(actor.command_line, ".msc");
    (actor.is(&["explorer.exe", "mmc.exe", "mshta.exe", "iexplore.exe"]) && !opened_console)
        || (predicates::is_office(actor) && !actor.is(&["outlook.exe", "onenote.exe", "onenotem.exe"]))
}

/// Whether a child process of explorer is typical of a remote command.
fn is_payload(child: Actor<'_>) -> bool {
    predicates::is_script_host(child)
        || predicates::is_lolbin(child)
        || predicates::is_untrusted(child)
        || (!starts_with(child.name(), "explorer") && scripts::is_obfuscated(child.command_line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXPLORER: &str = r"C:\Windows\explorer.exe";
    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    fn explorer() -> Event {
        start(0, EXPLORER, r"C:\Windows\Explorer.EXE").pid(800).user("CORP", "bob").session(1)
    }

    fn command(seconds: f64) -> Event {
        start(seconds, CMD, "cmd.exe /c calc").pid(801).parent_pid(800).user("CORP", "bob")
    }

    fn call_of(seconds: f64, image: &'static str) -> Event {
        flow_in(seconds, 49_913, "10.0.0.9", 58_406).of(image, 800)
    }

    #[test]
    fn a_call_and_a_command_fire_in_either_order() {
        let expected = Some((Severity::High, Confidence::Medium));
        let findings = check(&ANALYTIC, &[explorer(), call_of(100.0, EXPLORER), command(101.0)], expected);
        assert!(findings.iter().any(|finding| finding.text.contains("cmd.exe")));
        let findings = check(&ANALYTIC, &[explorer(), command(101.0), call_of(104.0, EXPLORER)], expected);
        assert!(findings.iter().any(|finding| finding.text.contains("cmd.exe")));
    }

    #[test]
    fn a_network_logon_from_the_caller_raises_the_confidence() {
        let logon = logon(99, 3, 0x77, "alice", "10.0.0.9");
        let events = [explorer(), logon, call_of(100.0, EXPLORER), command(101.0)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn one_call_alone_is_medium_and_a_second_one_high() {
        let one = [call_of(0.0, EXPLORER)];
        let findings = check(&ANALYTIC, &one, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
        let two = [call_of(0.0, EXPLORER), call_of(150.0, EXPLORER)];
        check(&ANALYTIC, &two, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_logon_record_after_the_call_makes_it_high() {
        let events = [call_of(0.0, r"C:\Program Files\Office\EXCEL.EXE"), logon(3, 3, 0x77, "alice", "10.0.0.9")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_double_click_and_a_call_to_a_service_are_quiet() {
        check(&ANALYTIC, &[explorer(), command(101.0)], None);
        let service = r"C:\Windows\System32\spoolsv.exe";
        check(&ANALYTIC, &[flow_in(0, 49_913, "10.0.0.9", 58_406).of(service, 700)], None);
        check(&ANALYTIC, &[flow_in(0, 5_357, "10.0.0.9", 58_406).of(EXPLORER, 800)], None);
    }

    #[test]
    fn a_factory_that_the_user_s_own_shell_started_is_quiet() {
        let factory = start(0, EXPLORER, "explorer.exe /factory,{75DFF2B7-6936-4C06-A8BB-676A7B00B24B} -Embedding")
            .pid(800)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "bob");
        check(&ANALYTIC, &[factory.session(1), command(1.0)], None);
        check(&ANALYTIC, &[factory.session(0), command(1.0)], Some((Severity::High, Confidence::Medium)));
    }
}
