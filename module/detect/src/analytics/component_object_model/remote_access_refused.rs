//! # IPC-DCOM-001: Remote use of a COM class refused
//!
//! ## What it detects
//! DistributedCOM reports that a caller on another machine was refused the launch, activation or use of a class here.
//!
//! ## Why it matters
//! A caller tries classes from another machine. A refused class that is known to run code (MMC20, ShellWindows, Excel)
//! is an attempt at lateral movement that the permissions blocked.
//!
//! ## Telemetry
//! System log, DistributedCOM 10002, 10003, 10014 to 10019 with an address. 10036 to 10038 are covered by IPC-DCOM-004.
//!
//! ## False positives
//! The local 10016 (`LocalHost (Using LRPC)`) is common and ignored. Inventory and monitoring: an ordinary class
//! requested by an admin host is not reported.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791). Microsoft's page on event 10016.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::contains;
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-001",
    title: "Remote use of a COM class refused",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ComActivation],
    telemetry: &[Source::DistributedCom],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ComActivation(com) = &event.activity else { return None };
    let hardening = (10_036..=10_038).contains(&event.provenance.event_id);
    if !com.remote || com.outbound || hardening || contains(com.peer, "LRPC") {
        return None;
    }
    // If remote activation is disabled (10014), the caller was remote although the record has no address.
    if com.peer.is_empty() && event.provenance.event_id != 10_014 {
        return None;
    }
    let named = if com.clsid.is_empty() { com.server } else { com.clsid };
    let class = com::lateral_class(named);
    if class.is_none() && context.tuning.may_call(com.peer) {
        return None;
    }
    // A machine that calls itself over the network is not lateral movement, but a trace of relay tools.
    let elsewhere = !context.host.addresses.is_own(com.peer);
    let severity = if class.is_some() && elsewhere { Severity::High } else { Severity::Medium };
    let what = if com.permission.is_empty() { "use" } else { com.permission };
    let who = match context.subject().account() {
        account if account.is_empty() => "somebody".to_owned(),
        account => account,
    };
    let purpose = if class.is_some() { ", which runs code for its caller" } else { "" };
    let text = format!(
        "{who} at {} was refused {} of COM class {}{purpose}: an attempt at remote activation.",
        if com.peer.is_empty() { "another machine" } else { com.peer },
        what.to_ascii_lowercase(),
        com::describe(named),
    );
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and_if(elsewhere, Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::DCOM_EVENT))
        .channel(Mechanism::Dcom, named)
        .from_machine(com.peer);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    const MMC20: &str = "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}";
    const ORDINARY: &str = "{4661626C-9F41-40A9-B3F5-5580E80CB347}";

    #[test]
    fn a_remote_refusal_of_a_lateral_class_fires_high() {
        let events = [com_refused(0, MMC20, "10.0.0.9").user("CORP", "alice")];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("MMC20.Application") && findings[0].text.contains("10.0.0.9"));
        assert_eq!(findings[0].user, "CORP\\alice");
    }

    #[test]
    fn a_remote_refusal_of_any_other_class_fires_medium() {
        check(&ANALYTIC, &[com_refused(0, ORDINARY, "10.0.0.9")], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_local_refusal_is_quiet_even_if_the_record_says_remote() {
        let events = [com_refused(0, MMC20, ""), com_refused(1, MMC20, "LocalHost (Using LRPC)")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_admin_host_may_request_ordinary_classes_only() {
        let tuning = Tunables { admin_hosts: vec!["10.0.0.9".into()], ..Tunables::default() };
        check_tuned(&ANALYTIC, &[com_refused(0, ORDINARY, "10.0.0.9")], tuning.clone(), None);
        let expected = Some((Severity::High, Confidence::High));
        check_tuned(&ANALYTIC, &[com_refused(0, MMC20, "10.0.0.9")], tuning, expected);
    }

    #[test]
    fn an_activation_requested_by_this_machine_is_quiet() {
        check(&ANALYTIC, &[com_unreachable(0, MMC20, "fs01")], None);
    }
}
