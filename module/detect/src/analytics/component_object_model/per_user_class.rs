//! # IPC-COM-001: Per-user COM server shadows a machine-wide class
//!
//! ## What it detects
//! A write of a server path (`InprocServer32`, `LocalServer32` ...) below a class id in one user's part of the
//! registry, where the class is already registered for the whole machine; or, with lower severity, where the class is
//! not known and its server is outside the folders of installed programs.
//!
//! ## Why it matters
//! Windows searches the user's part first: every client of the class then loads the attacker's server instead, at every
//! logon, without administrative rights and without a new autostart entry.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657. Machine-wide classes are known from earlier writes below HKLM and from the built-in list
//! of classes of Windows.
//!
//! ## False positives
//! A program that registers its own classes for one user (OneDrive, Teams, Zoom): not reported if the server is in the
//! writer's vendor folder. Servers in System32 are not reported, except those that run another file (`scrobj.dll`,
//! `mscoree.dll`). Registry editors, script hosts and WMI are always reported, whatever their signature.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::com_server::{self, Doubt, Value};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-001",
    title: "Per-user COM server shadows a machine-wide class",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Registry],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Registry(change) = &event.activity else { return None };
    if change.operation != RegistryOperation::SetValue || !com_server::is_per_user(change.path) {
        return None;
    }
    let value = Value::at(change.path).filter(|value| value.is_server())?;
    let server = com_server::path_of(change.data);
    let doubt = com_server::shadow(context, &value, &server)?;

    let writer = context.subject();
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let class = value.clsid.to_ascii_uppercase();
    let (severity, confidence, text) = match doubt {
        Doubt::Shadow => (
            Severity::High,
            Confidence::High,
            format!(
                "{who} put {server} before the machine's own server of class {class} for this user: whatever uses the \
                 class loads it from now on."
            ),
        ),
        _ => (
            Severity::Medium,
            Confidence::Medium,
            format!(
                "{who} registered {server} for this user as the server of class {class}, which is not known here, \
                 outside the folders of installed programs."
            ),
        ),
    };
    let mut reasons = Reasons::NONE;
    if predicates::is_user_writable(&server) || predicates::is_unknown_binary(writer) {
        reasons = reasons.and(Reasons::UNKNOWN_BINARY);
    }
    if predicates::is_privileged(writer) {
        reasons = reasons.and(Reasons::ADMINISTRATIVE_PRIVILEGES);
    }
    Some(
        Evidence::new(severity, confidence, text)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(writer)
            .channel(Mechanism::Com, class),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const KNOWN: &str =
        r"HKU\S-1-5-21-1-1001_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\InprocServer32\(Default)";
    const OTHER: &str =
        r"HKU\S-1-5-21-1-1001_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";

    #[test]
    fn a_class_of_windows_with_another_server_for_one_user_fires() {
        let events = [registry_set(0, KNOWN, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\Downloads\x.exe", 7)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_library_of_windows_that_an_installer_registers_for_one_user_is_quiet() {
        let installer = r"C:\Users\a\AppData\Local\Temp\setup.exe";
        for library in [r"%systemroot%\SysWow64\shell32.dll", r"C:\Windows\System32\shell32.dll"] {
            check(&ANALYTIC, &[registry_set(0, OTHER, library).of(installer, 7)], None);
            check(&ANALYTIC, &[registry_set(0, KNOWN, library).of(installer, 7)], None);
        }
    }

    #[test]
    fn a_class_that_an_installer_registered_for_all_fires_when_it_is_shadowed() {
        let machine = r"HKLM\SOFTWARE\Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let events = [
            registry_set(0, machine, r"C:\Program Files\Vendor\a.dll").of(r"C:\Windows\System32\msiexec.exe", 5),
            registry_set(60, OTHER, r"C:\Program Files\Other\b.dll").of(r"C:\Windows\System32\reg.exe", 6),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_unknown_class_with_a_server_in_a_temporary_folder_is_medium() {
        let events = [registry_set(0, OTHER, r"C:\Users\a\AppData\Local\Temp\b.dll").of(r"C:\Windows\regedit.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn script_runtimes_in_system32_are_reported() {
        let events = [registry_set(0, KNOWN, r"C:\Windows\System32\scrobj.dll").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_program_s_own_class_in_its_own_folder_is_quiet() {
        let events = [registry_set(0, OTHER, r"C:\Users\a\AppData\Local\Vendor\2.0\shell.dll")
            .of(r"C:\Users\a\AppData\Local\Vendor\2.0\setup.exe", 6)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn servers_of_windows_and_threading_models_are_quiet() {
        let model =
            r"HKU\S-1-5-21-1_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\InprocServer32\ThreadingModel";
        let machine = r"HKLM\SOFTWARE\Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\InprocServer32\(Default)";
        let events = [
            registry_set(0, KNOWN, r"%SystemRoot%\System32\MMDevApi.dll").of(r"C:\Program Files\V\up.exe", 6),
            registry_set(1, model, "Both").of(r"C:\Windows\System32\reg.exe", 6),
            registry_set(2, machine, r"C:\Windows\System32\MMDevApi.dll").of(r"C:\Windows\System32\poqexec.exe", 6),
        ];
        check(&ANALYTIC, &events, None);
    }
}
