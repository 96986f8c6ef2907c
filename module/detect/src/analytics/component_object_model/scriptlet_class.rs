//! # IPC-COM-003: Scriptlet registered as a COM class
//!
//! ## What it detects
//! A COM class whose server is a script: a value below `ScriptletURL`, `scrobj.dll` as the server of a class that is
//! not one of Windows' own, or a `script:` moniker as a server or type library (covers the moniker part of
//! IPC-COM-007).
//!
//! ## Why it matters
//! A scriptlet turns a text file, or a web page, into a COM object: the process that creates it runs the script.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657.
//!
//! ## False positives
//! Developers who register Windows Script Components: allow by host.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001, T1218.010; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::com_server::{self, Value};
use crate::text::{base_name, contains, starts_with};
use crate::vocabulary::com_classes;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-003",
    title: "Scriptlet registered as a COM class",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001", "T1218.010"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Registry],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Registry(change) = &event.activity else { return None };
    if change.operation != RegistryOperation::SetValue || change.data.is_empty() {
        return None;
    }
    let (class, what) = match Value::at(change.path) {
        Some(value) if value.key == "ScriptletURL" => (value.clsid, change.data),
        Some(value) if value.is_server() => {
            let server = com_server::path_of(change.data);
            let scripted = base_name(&server) == "scrobj.dll" && !com_classes::is_scriptlet_runtime(value.clsid);
            if !scripted && !is_moniker(&server) {
                return None;
            }
            (value.clsid, change.data)
        }
        _ if contains(change.path, r"\TypeLib\{") && is_moniker(change.data) => {
            (crate::text::guid(change.path)?, change.data)
        }
        _ => return None,
    };
    let writer = context.subject();
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let class = class.to_ascii_uppercase();
    let text =
        format!("{who} made a script the server of class {class} ({what}): a process that creates the object runs it.");
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .reasons(Reasons::UNKNOWN_BINARY)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(writer)
            .channel(Mechanism::Com, class),
    )
}

fn is_moniker(data: &str) -> bool {
    starts_with(data, "script:") || contains(data, "!script:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn an_address_of_a_scriptlet_fires() {
        let path = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\ScriptletURL\(Default)";
        let events = [registry_set(0, path, "https://cdn.example/a.sct").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_script_runtime_as_the_server_of_a_new_class_fires() {
        let path = r"HKLM\SOFTWARE\Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let events =
            [registry_set(0, path, r"C:\Windows\System32\scrobj.dll").of(r"C:\Windows\System32\regsvr32.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_type_library_that_is_a_moniker_fires() {
        let path = r"HKU\S-1-5-21-1_Classes\TypeLib\{11111111-2222-3333-4444-555555555555}\1.0\0\win32\(Default)";
        let events = [registry_set(0, path, r"script:C:\Users\a\x.sct").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_runtime_s_own_classes_are_quiet() {
        let path = r"HKLM\SOFTWARE\Classes\CLSID\{06290BD2-48AA-11D2-8432-006008C3FBFC}\InprocServer32\(Default)";
        let events =
            [registry_set(0, path, r"C:\Windows\System32\scrobj.dll").of(r"C:\Windows\System32\poqexec.exe", 6)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_ordinary_type_library_is_quiet() {
        let path = r"HKU\S-1-5-21-1_Classes\TypeLib\{11111111-2222-3333-4444-555555555555}\1.0\0\win32\(Default)";
        let events = [registry_set(0, path, r"C:\Program Files\V\v.tlb").of(r"C:\Windows\System32\msiexec.exe", 6)];
        check(&ANALYTIC, &events, None);
    }
}
