//! # IPC-COM-004: Class redirected through TreatAs or a program id
//!
//! ## What it detects
//! `TreatAs` or `AutoTreatAs` set below a class id; a program id of Windows or Office (`WScript.Shell`,
//! `Excel.Application` ...), or its current version, given another class for one user; any program id given another
//! class by a registry editor, a script or an untrusted program.
//!
//! ## Why it matters
//! One value redirects every client of a class to another class, while the original registration stays unchanged and
//! passes integrity checks.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657.
//!
//! ## False positives
//! Office and Windows set `TreatAs` for all users when they update: low. A program that registers its own program id
//! for one user is not reported.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::com_server::{self, Value};
use crate::text::{find, guid, is_any};
use crate::vocabulary::com_classes;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-004",
    title: "Class redirected through TreatAs or a program id",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
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
    let per_user = com_server::is_per_user(change.path);
    let writer = context.subject();
    let from = match Value::at(change.path) {
        Some(value) if matches!(value.key, "TreatAs" | "AutoTreatAs") && value.name.is_empty() => {
            // Redirections that Windows' installers set for all users are legitimate.
            if !per_user && is_installer(writer) {
                return None;
            }
            value.clsid
        }
        Some(_) => return None,
        None => {
            let name = named_class(change.path)?;
            let known = per_user && com_classes::is_built_in_prog_id(name);
            let suspect = com_server::writes_for_others(writer) && !writer.is(&["svchost.exe", "msiexec.exe"]);
            if is_installer(writer) || !(known || (per_user && suspect)) {
                return None;
            }
            name
        }
    };
    let suspicious = guid(change.data).and_then(|to| context.host.com.suspicious_class(to));
    let severity = if per_user || suspicious.is_some() { Severity::Medium } else { Severity::Low };
    let confidence = if per_user { Confidence::High } else { Confidence::Medium };
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let whose = if per_user { "this user" } else { "all users" };
    let text = format!("{who} sent everyone who asks for {from} to {} instead, for {whose}.", change.data);
    let mut evidence = Evidence::new(severity, confidence, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(writer)
        .channel(Mechanism::Com, from);
    if let Some(suspicious) = suspicious {
        evidence = evidence.reasons(Reasons::UNKNOWN_BINARY).because(
            &suspicious.note,
            format!("{} was registered as the server of {}", suspicious.server, suspicious.clsid),
        );
    }
    Some(evidence)
}

/// The name in `...\Classes\<name>\CLSID\(Default)` or `...\Classes\<name>\CurVer\(Default)`.
fn named_class(path: &str) -> Option<&str> {
    let begin = find(path, r"_Classes\")
        .map(|at| at + r"_Classes\".len())
        .or_else(|| find(path, r"\Classes\").map(|at| at + r"\Classes\".len()))?;
    let mut parts = path.get(begin..)?.split('\\');
    let (name, key, value) = (parts.next()?, parts.next()?, parts.next().unwrap_or(""));
    let redirects = is_any(key, &["CLSID", "CurVer"]) && com_server::is_default(value) && parts.next().is_none();
    // Program ids that auto-elevating programs open have their own analytic.
    (redirects && !name.eq_ignore_ascii_case("ms-settings")).then_some(name)
}

fn is_installer(writer: Actor<'_>) -> bool {
    let installers = [
        "msiexec.exe",
        "trustedinstaller.exe",
        "tiworker.exe",
        "poqexec.exe",
        "svchost.exe",
        "officeclicktorun.exe",
        "integrator.exe",
        "setup.exe",
    ];
    is_any(writer.name(), &installers) && predicates::is_system_path(writer.image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const TREAT_AS: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{3AD05575-8857-4850-9277-11B85BDB8E09}\TreatAs\(Default)";

    #[test]
    fn treat_as_for_one_user_fires() {
        let events =
            [registry_set(0, TREAT_AS, "{11111111-2222-3333-4444-555555555555}").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn the_suspicious_server_of_the_new_class_is_in_the_evidence() {
        let server = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let events = [
            registry_set(0, server, r"C:\Users\a\x.dll").of(r"C:\Windows\System32\reg.exe", 5),
            registry_set(1, TREAT_AS, "{11111111-2222-3333-4444-555555555555}").of(r"C:\Windows\System32\reg.exe", 6),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
        assert_eq!(findings[0].evidence.len(), 2);
    }

    #[test]
    fn a_program_id_that_scripts_use_fires() {
        let path = r"HKU\S-1-5-21-1_Classes\Scripting.Dictionary\CLSID\(Default)";
        let events = [registry_set(0, path, "{11111111-2222-3333-4444-555555555555}").of(r"C:\Users\a\x.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn installers_and_a_program_s_own_ids_are_quiet() {
        let all = r"HKLM\SOFTWARE\Classes\CLSID\{00020810-0000-0000-C000-000000000046}\TreatAs\(Default)";
        let own = r"HKU\S-1-5-21-1_Classes\Vendor.Thing.1\CLSID\(Default)";
        let class = "{11111111-2222-3333-4444-555555555555}";
        let events = [
            registry_set(0, all, class)
                .of(r"C:\Program Files\Common Files\Microsoft Shared\ClickToRun\OfficeClickToRun.exe", 6),
            registry_set(1, own, class).of(r"C:\Users\a\AppData\Local\Vendor\app.exe", 7),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_version_number_below_the_class_is_quiet() {
        let path = r"HKU\S-1-5-21-1_Classes\CLSID\{3AD05575-8857-4850-9277-11B85BDB8E09}\ProgID\(Default)";
        let events = [registry_set(0, path, "Vendor.Thing.1").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, None);
    }
}
