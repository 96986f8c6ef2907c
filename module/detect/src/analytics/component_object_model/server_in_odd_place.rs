//! # IPC-COM-002: COM server registered in a user-writable location
//!
//! ## What it detects
//! A server of a COM class (`InprocServer32`, `LocalServer32`, `CodeBase` ...) registered, for one user or for all, in
//! a location where programs are not installed: a user-writable folder, another machine, a web address, an alternate
//! data stream, a file without a program's extension. Also a command line or script that writes such a registration.
//!
//! ## Why it matters
//! A COM class makes other processes load the registered library. Installed programs keep their servers where only
//! administrators can write; attackers usually do not.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657; Sysmon 1, Security 4688, PowerShell 4104 for the command alone.
//!
//! ## False positives
//! Programs that install themselves for one user: not reported if the server is in the writer's vendor folder.
//! Developers who register builds with regsvr32: allow by host.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001, T1574; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryChange,
    RegistryOperation, Severity, Source,
};

use crate::context::com_server::{self, Doubt, Value};
use crate::text::{contains_any, guid};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-002",
    title: "COM server registered in a user-writable location",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001", "T1574"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Registry, ActivityKind::ProcessStart, ActivityKind::Script],
    telemetry: &[Source::Sysmon, Source::Security, Source::PowerShell],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::Registry(change) => written(context, change),
        Activity::ProcessStart => commanded(context, event.process.command_line, "command line"),
        Activity::Script(script) => commanded(context, script.text, "script"),
        _ => None,
    }
}

fn written(context: &Context<'_>, change: &RegistryChange<'_>) -> Option<Evidence> {
    if change.operation != RegistryOperation::SetValue {
        return None;
    }
    let value = Value::at(change.path).filter(|value| value.is_server())?;
    let server = com_server::path_of(change.data);
    let Doubt::Place(place) = com_server::misplaced(context, &value, &server)? else { return None };
    let writer = context.subject();
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let class = value.clsid.to_ascii_uppercase();
    let whose = if value.per_user { "this user" } else { "all users" };
    let text = format!("{who} registered {server} as a server of class {class} for {whose}: it lies {place}.");
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .reasons(Reasons::UNKNOWN_BINARY)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(writer)
            .channel(Mechanism::Com, class),
    )
}

/// The command that writes such a registration; the write itself, if logged, has more detail.
fn commanded(context: &Context<'_>, text: &str, carrier: &str) -> Option<Evidence> {
    let wording = context.wording()?;
    if !wording.contains_any(&["InprocServer32", "LocalServer32", "InprocHandler32"]) || !wording.contains("CLSID") {
        return None;
    }
    let writes =
        ["reg add", "reg.exe add", "reg.exe\" add", "New-Item", "Set-Item", "RegWrite", "CreateSubKey", "SetValue"];
    let user_part = ["HKCU", "HKEY_CURRENT_USER", "HKU\\", "HKU:", "HKEY_USERS", "CurrentUser"];
    let places = [r"\Users\", "%temp%", "$env:temp", "%appdata%", "$env:appdata", r"\ProgramData\", "http:", "https:"];
    if !contains_any(text, &writes) || !(contains_any(text, &user_part) || contains_any(text, &places)) {
        return None;
    }
    let subject = context.subject();
    let class = guid(text).unwrap_or("").to_ascii_uppercase();
    let sentence = format!(
        "A {carrier} of {} registers a COM server for class {} in the user's part of the registry or in a place that \
         users can write to.",
        if subject.name().is_empty() { "a process" } else { subject.name() },
        if class.is_empty() { "an unnamed class" } else { &class },
    );
    let reasons = if predicates::is_unknown_binary(subject) || predicates::is_unknown_binary(context.parent()) {
        Reasons::UNKNOWN_BINARY
    } else {
        Reasons::NONE
    };
    Some(
        Evidence::new(Severity::Medium, Confidence::Medium, sentence)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(subject)
            .channel(Mechanism::Com, class),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const USER: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
    const MACHINE: &str =
        r"HKLM\SOFTWARE\Classes\WOW6432Node\CLSID\{11111111-2222-3333-4444-555555555555}\LocalServer32\(Default)";
    const CODE: &str =
        r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\1.0.0.0\CodeBase";

    #[test]
    fn a_server_in_a_folder_of_the_user_fires_for_the_machine_too() {
        let events = [registry_set(0, MACHINE, r#""C:\Users\Public\srv.exe" -Embedding"#)
            .of(r"C:\Windows\System32\msiexec.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_code_base_on_a_web_server_fires() {
        let events = [registry_set(0, CODE, "http://10.0.0.9/x.dll").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_command_alone_is_medium() {
        let events = [start(
            0,
            r"C:\Windows\System32\reg.exe",
            r"reg add HKCU\Software\Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32 /ve /d C:\x\y.dll",
        )];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn installed_servers_are_quiet() {
        let events = [
            registry_set(0, MACHINE, r#""C:\Program Files\Vendor\srv.exe" /automation"#)
                .of(r"C:\Windows\System32\msiexec.exe", 6),
            registry_set(1, USER, r"C:\Users\a\AppData\Local\Vendor\2\shell.dll")
                .of(r"C:\Users\a\AppData\Local\Vendor\2\setup.exe", 7),
            registry_set(2, USER, "combase.dll").of(r"C:\Windows\System32\msiexec.exe", 6),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn regsvr32_acts_for_the_application_that_started_it() {
        let app = r"C:\Users\a\AppData\Local\Microsoft\Meeting\current\Meeting.exe";
        let regsvr32 = r"C:\Windows\System32\regsvr32.exe";
        let events = [
            start(0, regsvr32, r"regsvr32.exe /s addin.dll").pid(9).by(app, "Meeting.exe"),
            registry_set(1, USER, r"C:\Users\a\AppData\Local\Microsoft\MeetingAddin\1\addin.dll").of(regsvr32, 9),
        ];
        check(&ANALYTIC, &events, None);
        let events = [
            start(0, regsvr32, r"regsvr32.exe /s addin.dll").pid(9).by(r"C:\Windows\System32\cmd.exe", "cmd.exe"),
            registry_set(1, USER, r"C:\Users\a\AppData\Local\Microsoft\MeetingAddin\1\addin.dll").of(regsvr32, 9),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_query_of_a_registration_is_quiet() {
        let events = [start(
            0,
            r"C:\Windows\System32\reg.exe",
            r"reg query HKCU\Software\Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32",
        )];
        check(&ANALYTIC, &events, None);
    }
}
