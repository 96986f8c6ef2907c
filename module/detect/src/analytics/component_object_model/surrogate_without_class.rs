//! # IPC-COM-020: COM surrogate without its class
//!
//! ## What it detects
//! dllhost, recognised by its version resource even if renamed, started without a class id; critical if it connects to
//! the public Internet within a minute.
//!
//! ## Why it matters
//! Windows never starts dllhost without `/Processid:{...}`: without it the process is a typical host for injected code.
//!
//! ## Telemetry
//! Sysmon 1 and 3; Security 4688 with command lines (a missing command line is not evidence).
//!
//! ## False positives
//! Products that ship their own copy: allow by image.
//!
//! ## References
//! ATT&CK T1055, T1559.001, T1036; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::contains;
use crate::vocabulary::places;
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-020",
    title: "COM surrogate without its class",
    family: Family::ComponentObjectModel,
    techniques: &["T1055", "T1559.001", "T1036"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security],
    // A connection is considered this long after the start.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let surrogate = context.subject();
    if !is_bare(surrogate) {
        return None;
    }
    let base = |severity, text: String| {
        Evidence::new(severity, Confidence::High, text)
            .reasons(Reasons::UNKNOWN_BINARY)
            .indicators(Indicators::UNEXPECTED_USE)
            .server(surrogate)
            .channel(Mechanism::Com, "dllhost")
    };
    match &event.activity {
        Activity::ProcessStart => {
            let parent = context.parent();
            let by = if parent.name().is_empty() { "a process" } else { parent.name() };
            let text = format!("{by} started {} without a class to serve: Windows never does.", surrogate.name());
            Some(base(Severity::High, text).client(parent))
        }
        Activity::NetworkFlow(flow) if flow.outbound && places::is_public(flow.remote.address) => {
            let known = surrogate.known?;
            if !known.start.is_some_and(|start| start.within(context.window(), event.time)) {
                return None;
            }
            let text = format!(
                "{} was started without a class to serve and connected to {}: it is a shell for other code.",
                surrogate.name(),
                flow.remote.address,
            );
            Some(base(Severity::Critical, text).because(&known.note, "it was started without a class"))
        }
        _ => None,
    }
}

/// Whether it is dllhost with a command line without a class id. A truncated or missing line is not evidence.
fn is_bare(actor: Actor<'_>) -> bool {
    actor.is(&["dllhost.exe"]) && !actor.command_line.trim().is_empty() && !contains(actor.command_line, "/Processid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DLLHOST: &str = r"C:\Windows\System32\dllhost.exe";

    #[test]
    fn a_bare_surrogate_fires() {
        let events = [start(0, DLLHOST, r"C:\Windows\System32\dllhost.exe").by(r"C:\Users\a\x.exe", "x.exe")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn its_connection_to_the_internet_is_critical() {
        let flow = backchannel_events::NetworkFlow {
            remote: backchannel_events::Endpoint { address: "203.0.113.9", port: 443, name: "" },
            outbound: true,
            ..Default::default()
        };
        let events = [start(0, DLLHOST, "dllhost.exe").pid(9), event(20, Activity::NetworkFlow(flow)).of(DLLHOST, 9)];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_surrogate_with_its_class_is_quiet() {
        let line = r"C:\Windows\system32\DllHost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}";
        check(&ANALYTIC, &[start(0, DLLHOST, line)], None);
    }

    #[test]
    fn a_line_that_was_not_logged_is_quiet() {
        check(&ANALYTIC, &[start(0, DLLHOST, "")], None);
    }
}
