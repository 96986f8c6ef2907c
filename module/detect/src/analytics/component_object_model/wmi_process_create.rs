//! # IPC-WMI-001: WMI provider host starts a program
//!
//! ## What it detects
//! A child process of WmiPrvSE that is not one of the provider's own helpers. High if it runs under a network logon
//! from another machine (or, without logon records, under a user account in session 0), low if it is local.
//!
//! ## Why it matters
//! `Win32_Process.Create` over DCOM is remote execution with built-in components only.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688; Security 4624, also if it arrives late, raises the confidence.
//!
//! ## False positives
//! Management agents that start programs through WMI on their own machine: low. Remote administration by WMI: allow by
//! host and account.
//!
//! ## References
//! ATT&CK T1559.001, T1047, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation;
use crate::memory::Broker;
use crate::vocabulary::wmi;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-WMI-001",
    title: "WMI provider host starts a program",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1047", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity.kind() == ActivityKind::ProcessStart && !context.parent().is(&["wmiprvse.exe"]) {
        return None;
    }
    let told = activation::told(context).into_iter();
    let one = told
        .filter(|one| one.activation.broker == Broker::WmiProvider)
        .find(|one| !wmi::is_provider_helper(one.process))?;
    let (child, activation) = (one.process, &one.activation);
    if !activation.is_remote() {
        let text = format!("WMI started {} on behalf of a program on this machine.", child.name());
        let evidence = Evidence::new(Severity::Low, Confidence::Medium, text)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(one.parent)
            .server(child)
            .channel(Mechanism::Wmi, "Win32_Process");
        return Some(evidence);
    }
    let confidence = if activation.is_proven() { Confidence::Certain } else { Confidence::High };
    let unknown = predicates::is_unknown_binary(child);
    let text = format!(
        "WMI started {} for {} from {}: a program was run on this machine from another one.",
        child.name(),
        child.account(),
        activation.from(),
    );
    let evidence = Evidence::new(Severity::High, confidence, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT).and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .made_run(one.parent, child)
        .channel(Mechanism::Wmi, "Win32_Process")
        .from_machine(&*activation.peer);
    Some(one.prove(context, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn tool() -> Event {
        start(1, r"C:\Program Files\Tool\tool.exe", "tool.exe /s")
            .by(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "wmiprvse.exe -secured -Embedding")
            .user("CORP", "alice")
            .logon_id(0x5f00d)
    }

    #[test]
    fn a_child_under_a_network_logon_has_high_confidence() {
        let events = [logon(0, 3, 0x5f00d, "alice", "10.0.0.9"), tool()];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
        let late = [tool(), logon(2, 3, 0x5f00d, "alice", "10.0.0.9")];
        check(&ANALYTIC, &late, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn a_user_s_child_in_session_zero_fires_without_logon_records() {
        check(&ANALYTIC, &[tool().session(0)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_child_of_the_system_or_of_a_local_user_is_low() {
        let agent = tool().user("NT AUTHORITY", "SYSTEM").logon_id(0x3e7).session(0);
        check(&ANALYTIC, &[agent], Some((Severity::Low, Confidence::Medium)));
        let local = [logon(0, 2, 0x5f00d, "alice", ""), tool().session(1)];
        let findings = check(&ANALYTIC, &local, Some((Severity::Low, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
    }

    #[test]
    fn the_provider_s_own_helpers_are_quiet() {
        let helper = |image, line| start(0, image, line).by(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "").session(0);
        let events = [
            helper(r"C:\Windows\System32\WerFault.exe", "WerFault.exe -u -p 900"),
            helper(r"C:\Windows\System32\wbem\mofcomp.exe", "mofcomp.exe x.mof"),
            helper(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "WmiPrvSE.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
