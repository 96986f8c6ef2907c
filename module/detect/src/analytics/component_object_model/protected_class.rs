//! # IPC-COM-006: Security-relevant class of Windows overwritten
//!
//! ## What it detects
//! The in-process server of a class that the security, automation or logon of Windows depends on (AMSI, the proxy
//! factory, HTML Help, the task scheduler's client ...), set to a library other than its own in System32.
//!
//! ## Why it matters
//! Some of these classes are loaded by every program: replacing one gives persistence everywhere, or disables the scan
//! that would detect it.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657.
//!
//! ## False positives
//! None known: Windows servicing writes the expected value, and only other values are reported.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001, T1562.001; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::com_server::{self, Value};
use crate::vocabulary::com_classes;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-006",
    title: "Security-relevant class of Windows overwritten",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001", "T1562.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Registry],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Registry(change) = &event.activity else { return None };
    if change.operation != RegistryOperation::SetValue {
        return None;
    }
    let value = Value::at(change.path).filter(|value| value.key == "InprocServer32" && value.is_server())?;
    let expected = com_classes::protected(value.clsid)?;
    let server = com_server::path_of(change.data);
    if com_classes::is_expected(&server, expected) && !server.is_empty() {
        return None;
    }
    let writer = context.subject();
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let class = value.clsid.to_ascii_uppercase();
    let instead = if expected.is_empty() { "its library in System32" } else { expected };
    let now = if server.is_empty() { "nothing" } else { &server };
    let text = format!("{who} replaced the server of Windows' class {class}: it is now {now} instead of {instead}.");
    let mut reasons = Reasons::NONE;
    if predicates::is_privileged(writer) {
        reasons = reasons.and(Reasons::ADMINISTRATIVE_PRIVILEGES);
    }
    if predicates::is_user_writable(&server) || predicates::is_unknown_binary(writer) {
        reasons = reasons.and(Reasons::UNKNOWN_BINARY);
    }
    Some(
        Evidence::new(Severity::High, Confidence::Certain, text)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .client(writer)
            .channel(Mechanism::Com, class),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const AMSI: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{FDB00E52-A214-4AA1-8FBA-4357BB0072EC}\InProcServer32\(Default)";

    #[test]
    fn another_scanner_fires() {
        let events = [registry_set(0, AMSI, r"C:\goaway.dll").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn an_empty_server_fires_too() {
        let events = [registry_set(0, AMSI, "").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn the_expected_server_is_quiet() {
        let machine = r"HKLM\SOFTWARE\Classes\CLSID\{FDB00E52-A214-4AA1-8FBA-4357BB0072EC}\InProcServer32\(Default)";
        let events = [
            registry_set(0, machine, r"%windir%\system32\amsi.dll").of(r"C:\Windows\System32\poqexec.exe", 6),
            registry_set(1, machine, r"C:\Windows\SysWOW64\amsi.dll").of(r"C:\Windows\System32\poqexec.exe", 6),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_threading_model_is_no_server() {
        let path = r"HKU\S-1-5-21-1_Classes\CLSID\{FDB00E52-A214-4AA1-8FBA-4357BB0072EC}\InProcServer32\ThreadingModel";
        check(&ANALYTIC, &[registry_set(0, path, "Both").of(r"C:\Windows\System32\reg.exe", 6)], None);
    }
}
