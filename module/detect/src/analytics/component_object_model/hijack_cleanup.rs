//! # IPC-COM-009: COM hijack clean-up
//!
//! ## What it detects
//! The deletion of a class, a redirection or an open command in the user's part of the registry by a program outside
//! the folders of Windows and installed programs; or, by any program, of a registration that was suspicious when it was
//! written within the preceding day.
//!
//! ## Why it matters
//! UAC bypass and hijacking tools remove their traces right after use: the deletion is often the only record left.
//!
//! ## Telemetry
//! Sysmon 12 (DeleteKey, DeleteValue), Security 4657.
//!
//! ## False positives
//! Uninstallers in a temporary folder: not reported if nothing suspicious was written before and the key is not one
//! that auto-elevating programs open.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001, T1112, T1070; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::{com_handlers, com_server};
use crate::memory::Note;
use crate::text::{contains, contains_any, find, guid, is_any};
use crate::vocabulary::elevation;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

/// Maximum time between the registration and its deletion.
const DAY: Duration = Duration::from_secs(24 * 3_600);

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-009",
    title: "COM hijack clean-up",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001", "T1112", "T1070"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::Registry],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Registry(change) = &event.activity else { return None };
    if !matches!(change.operation, RegistryOperation::DeleteKey | RegistryOperation::DeleteValue) {
        return None;
    }
    let path = change.path;
    if !contains(path, "Classes\\") && !contains(path, r"\CLSID\{") {
        return None;
    }
    let subject = context.subject();
    let (what, written) = deleted(context, path)?;
    let foreign = !subject.image.is_empty() && !predicates::is_system_path(subject.image) && !is_uninstaller(subject);
    if written.is_none() && !(foreign && com_server::is_per_user(path)) {
        return None;
    }
    let severity = if written.is_some() { Severity::High } else { Severity::Medium };
    let who = if subject.name().is_empty() { "A process" } else { subject.name() };
    let since = if written.is_some() { ", which had been planted within the day before" } else { "" };
    let text = format!("{who} deleted the registration of {what}{since}: hijacks are cleaned up like this.");
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(subject)
        .channel(Mechanism::Com, what);
    if let Some((note, sentence)) = written {
        evidence = evidence.because(note, sentence);
        if predicates::is_unknown_binary(subject) {
            evidence = evidence.reasons(Reasons::UNKNOWN_BINARY);
        }
    }
    Some(evidence)
}

/// What a deleted key had registered, and the suspicious write of it within the preceding day.
fn deleted<'c>(context: &Context<'c>, path: &'c str) -> Option<(String, Option<(&'c Note, String)>)> {
    let com = &context.host.com;
    let now = context.event().time;
    if let Some(class) = com_handlers::handler_class(path).or_else(|| bare_handler(path)) {
        let known = com.handlers.latest_first().find(|handler| handler.class.eq_ignore_ascii_case(class));
        let written = known
            .filter(|handler| handler.note.time.within(DAY, now) && handler.note.time <= now)
            .map(|handler| (&handler.note, format!("the handler of {class} was set to {}", handler.command)));
        // Other file types are registered and removed with their programs.
        if written.is_none() && elevation::steered_handler(class) != Some(true) {
            return None;
        }
        return Some((class.to_owned(), written));
    }
    let at = find(path, r"\CLSID\{")?;
    let clsid = guid(path.get(at..)?)?;
    let known = com.suspicious_class(clsid);
    let written = known
        .filter(|known| known.note.time.within(DAY, now) && known.note.time <= now)
        .map(|known| (&known.note, format!("{} was registered as the server of {clsid}", known.server)));
    let is_server = contains_any(path, &["InprocServer32", "LocalServer32", "TreatAs"])
        || path.get(at + r"\CLSID\".len() + clsid.len()..).is_some_and(|rest| rest.len() <= 1);
    is_server.then(|| (clsid.to_ascii_uppercase(), written))
}

/// `...\Classes\ms-settings` itself, or a key on the way to its command.
fn bare_handler(path: &str) -> Option<&str> {
    let begin = find(path, r"Classes\")? + r"Classes\".len();
    let class = path.get(begin..)?.split('\\').next()?;
    elevation::steered_handler(class).map(|_| class)
}

fn is_uninstaller(subject: Actor<'_>) -> bool {
    let name = subject.name();
    is_any(name, &["msiexec.exe", "setup.exe", "uninstall.exe", "update.exe", "au_.exe"])
        || contains(name, "unins")
        || com_server::product_folder(subject.image).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn delete(seconds: u32, path: &'static str) -> Event {
        let change =
            backchannel_events::RegistryChange { operation: RegistryOperation::DeleteKey, path, ..Default::default() };
        event(seconds, Activity::Registry(change))
    }

    const CLASS: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}";
    const SERVER: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\InprocServer32";

    #[test]
    fn a_hijack_removed_within_a_day_is_high() {
        let events = [
            registry_set(0, SERVER, r"C:\ProgramData\a.dll").of(r"C:\Windows\System32\reg.exe", 5),
            delete(90, CLASS).of(r"C:\Windows\System32\reg.exe", 6),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_uninstalled_program_that_removes_a_user_class_is_medium() {
        let events = [delete(0, SERVER).of(r"C:\Users\a\Downloads\x.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_removed_elevation_handler_fires() {
        let command = r"HKU\S-1-5-21-1_Classes\ms-settings\shell\open\command\(Default)";
        let events = [
            registry_set(0, command, "cmd.exe").of(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", 5),
            delete(5, r"HKU\S-1-5-21-1_Classes\ms-settings")
                .of(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", 5),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn uninstallers_and_windows_are_quiet() {
        let events = [
            delete(0, SERVER).of(r"C:\Users\a\AppData\Local\Temp\unins000.exe", 5),
            delete(1, SERVER).of(r"C:\Windows\explorer.exe", 6),
            delete(2, SERVER).of(r"C:\Program Files\Vendor\app.exe", 7),
            delete(3, r"HKU\S-1-5-21-1_Classes\txtfile\shell\open\command").of(r"C:\Users\a\x.exe", 8),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_subkey_without_a_server_is_quiet() {
        let icon = r"HKU\S-1-5-21-1_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\DefaultIcon";
        check(&ANALYTIC, &[delete(0, icon).of(r"C:\Users\a\x.exe", 8)], None);
    }
}
