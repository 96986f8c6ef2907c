//! # IPC-DCOM-015: HTML Application host activated through COM
//!
//! ## What it detects
//! `mshta.exe -Embedding` without a document: the HTA object was activated. Critical if another machine calls it within
//! a minute before or after, provided that the record of the call arrives after that of the start.
//!
//! ## Why it matters
//! The object loads any document, including one supplied by its caller, and runs its script.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688; Sysmon 3 or Security 5156; Security 4624.
//!
//! ## False positives
//! None known: users open HTA files directly.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1218.005; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::{activation, inbound};
use crate::text::{contains, contains_any};
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-015",
    title: "HTML Application host activated through COM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1218.005"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security],
    // Activation and call belong together within this time.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let host = context.subject();
    if !host.is(&["mshta.exe"]) || !contains(host.command_line, "-Embedding") || has_document(host) {
        return None;
    }
    let known = host.known;
    match &event.activity {
        Activity::ProcessStart => {
            let told = activation::told(context).into_iter().next();
            let remote = told.as_ref().filter(|one| one.activation.is_remote());
            let peer = remote.map_or("", |one| &*one.activation.peer);
            let evidence = conclude(host, Severity::High, remote.is_some(), peer);
            Some(match &told {
                Some(one) => one.prove(context, evidence),
                None => evidence,
            })
        }
        Activity::NetworkFlow(flow) if inbound::is_dynamic(flow, &context.host.addresses) => {
            let known =
                known.filter(|known| known.start.is_some_and(|start| start.within(context.window(), event.time)))?;
            let evidence = conclude(host, Severity::Critical, true, flow.remote.address);
            Some(evidence.because(&known.note, format!("{} was started: {}", host.name(), host.command_line)))
        }
        _ => None,
    }
}

fn has_document(host: Actor<'_>) -> bool {
    contains_any(host.command_line, &[".hta", "http:", "https:", "javascript:", "vbscript:", "file:"])
}

fn conclude(host: Actor<'_>, severity: Severity, remote: bool, peer: &str) -> Evidence {
    let from = match (remote, peer) {
        (false, _) => String::new(),
        (true, "") => " from another machine".to_owned(),
        (true, peer) => format!(" from {peer}"),
    };
    let text = format!(
        "The HTML Application host was activated as a COM object{from} for {}: its caller can make it run any script.",
        host.account(),
    );
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and_if(remote, Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .server(host)
        .channel(if remote { Mechanism::Dcom } else { Mechanism::Com }, "HTML Application");
    if remote { evidence.from_machine(peer) } else { evidence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const MSHTA: &str = r"C:\Windows\System32\mshta.exe";

    fn activated() -> Event {
        start(0, MSHTA, r"C:\Windows\System32\mshta.exe -Embedding")
            .pid(70)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
            .user("CORP", "alice")
    }

    #[test]
    fn an_activation_fires_and_a_call_makes_it_critical() {
        check(&ANALYTIC, &[activated()], Some((Severity::High, Confidence::High)));
        let call = flow_in(3, 49_800, "10.0.0.9", 50_100).of(MSHTA, 70);
        check(&ANALYTIC, &[activated(), call], Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_remote_activation_contains_its_source() {
        let events = [logon(0, 3, 0x5f00d, "alice", "10.0.0.9"), activated().logon_id(0x5f00d)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("10.0.0.9"));
    }

    #[test]
    fn an_opened_application_is_quiet() {
        let opened =
            start(0, MSHTA, r#"mshta.exe "C:\Program Files\Product\setup.hta""#).by(r"C:\Windows\explorer.exe", "");
        check(&ANALYTIC, &[opened], None);
    }

    #[test]
    fn a_call_long_after_changes_nothing() {
        let call = flow_in(300, 49_800, "10.0.0.9", 50_100).of(MSHTA, 70);
        check(&ANALYTIC, &[activated(), call], Some((Severity::High, Confidence::High)));
    }
}
