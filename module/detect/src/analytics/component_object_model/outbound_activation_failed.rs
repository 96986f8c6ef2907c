//! # IPC-DCOM-002: DCOM activation on another machine failed
//!
//! ## What it detects
//! DistributedCOM 10028 (10009, 10006, 10008): a local program tried to activate a class on another machine and
//! received no answer. Reported if the class runs code for its caller, or if the program is a script host, an Office
//! application, a LOLBin, or is in a user-writable location.
//!
//! ## Why it matters
//! It is the source's side of lateral movement through DCOM, and an indicator named in the playbook: the connection may
//! have been blocked by a firewall, but the attempt and its program are recorded.
//!
//! ## Telemetry
//! System log, DistributedCOM 10028 with process id (hexadecimal), image and class; 10009 contains the target only.
//!
//! ## False positives
//! Management consoles, backup and monitoring agents that look for retired machines. WMI, the scheduler, BITS and
//! Windows Installer requested by an ordinary program are medium and do not escalate; requested by a service of Windows
//! (`svchost`, `lsass`) they are not reported.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-002",
    title: "DCOM activation on another machine failed",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ComActivation],
    telemetry: &[Source::DistributedCom],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Windows programs that contact other machines by themselves.
const PROBING_SERVICES: &[&str] = &["svchost.exe", "lsass.exe", "services.exe"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ComActivation(com) = &event.activity else { return None };
    let hardening = (10_036..=10_038).contains(&event.provenance.event_id);
    if !com.remote || !com.outbound || hardening {
        return None;
    }
    let requester = context.subject();
    let class = com::lateral_class(com.clsid);
    let untrusted = predicates::is_untrusted(requester);
    let lolbin =
        predicates::is_script_host(requester) || predicates::is_lolbin(requester) || predicates::is_office(requester);
    let management = class.is_some_and(com::is_management_class);
    let (severity, confidence) = match class {
        _ if untrusted => (Severity::High, Confidence::High),
        Some(_) if lolbin || !management => (Severity::High, Confidence::High),
        Some(_) if requester.is(PROBING_SERVICES) && predicates::is_system_path(requester.image) => return None,
        Some(_) => (Severity::Medium, Confidence::Medium),
        None if lolbin => (Severity::Low, Confidence::Medium),
        None => return None,
    };
    let escalates = severity == Severity::High;
    let unknown = untrusted && predicates::is_unknown_binary(requester);
    let reasons = Reasons::NONE
        .and_if(escalates && class.is_some(), Reasons::DCOM_EXPLOITATION)
        .and_if(unknown, Reasons::UNKNOWN_BINARY)
        .and_if(escalates, Reasons::LATERAL_MOVEMENT);
    let who = if requester.image.is_empty() { "A program" } else { requester.name() };
    let target = if com.peer.is_empty() { "another machine" } else { com.peer };
    let why = if untrusted {
        "the program lies where users can write"
    } else if class.is_some() {
        "the class runs code for its caller"
    } else {
        "such a program rarely needs COM on other machines"
    };
    let class = com::describe(com.clsid);
    let text = format!("{who} tried to activate COM class {class} on {target} and failed; {why}.");
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::DCOM_EVENT))
        .client(requester)
        .channel(Mechanism::Dcom, com.clsid)
        .to_machine(com.peer);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use backchannel_events::Reason;

    use super::*;
    use crate::testing::*;

    const MMC20: &str = "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}";
    const WMI: &str = "{8BC3F05E-D86B-11D0-A075-00C04FB68820}";
    const ORDINARY: &str = "{4661626C-9F41-40A9-B3F5-5580E80CB347}";
    const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

    #[test]
    fn a_failed_activation_of_a_lateral_class_fires() {
        let events = [com_unreachable(0, MMC20, "fs01").of(POWERSHELL, 7400)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("powershell.exe") && findings[0].text.contains("fs01"));
        assert!(findings[0].reasons.contains(Reason::LateralMovement));
    }

    #[test]
    fn an_unknown_program_fires_whatever_the_class() {
        let events = [com_unreachable(0, ORDINARY, "fs01").of(r"C:\Users\alice\Downloads\move.exe", 7400)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(Reason::UnknownBinary));
    }

    #[test]
    fn a_console_that_contacts_a_retired_server_does_not_escalate() {
        let events = [com_unreachable(0, WMI, "old01").of(r"C:\Windows\System32\ServerManager.exe", 7400)];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
    }

    #[test]
    fn services_of_windows_and_ordinary_agents_are_quiet() {
        let events = [
            com_unreachable(0, WMI, "old01").of(r"C:\Windows\System32\svchost.exe", 900),
            com_unreachable(1, ORDINARY, "old01").of(r"C:\Program Files\Backup\agent.exe", 901),
            com_unreachable(2, "", "old01"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
