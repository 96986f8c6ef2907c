//! # IPC-DDE-004: Link-carrying file opened, then a child or a connection
//!
//! ## What it detects
//! A file type that can contain links or formulas (`.csv`, `.slk`, `.iqy`, `.rtf`, `.msg` ...) is written by a browser,
//! mail program or archiver, and within two minutes Office starts a script host, LOLBin or untrusted program, or,
//! having opened a web query, connects to the Internet.
//!
//! ## Why it matters
//! Formulas and links in such files start programs through DDE without any macro, and mail filters allow them.
//!
//! ## Telemetry
//! Sysmon 11 or 15; Sysmon 1 or Security 4688; Sysmon 3.
//!
//! ## False positives
//! Data feeds that are opened daily start no programs: not reported.
//!
//! ## References
//! ATT&CK T1559.002, T1204.002; DET0504 (AN1393).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::com_server;
use crate::memory::recent::FileWritten;
use crate::text::{base_name, clip, ends_with, is_any};
use crate::vocabulary::{office, places, programs};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DDE-004",
    title: "Link-carrying file opened, then a child or a connection",
    family: Family::DynamicDataExchange,
    techniques: &["T1559.002", "T1204.002"],
    attack_analytics: &["AN1393"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon],
    // Maximum time between file and child process.
    window: Some(Duration::from_secs(120)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let subject = context.subject();
    match &event.activity {
        Activity::ProcessStart => {
            let editor = context.parent();
            if !office::is_installed(editor) {
                return None;
            }
            let host = predicates::is_script_host(subject) || predicates::is_lolbin(subject);
            let untrusted = predicates::is_untrusted(subject) && com_server::product_folder(subject.image).is_none();
            if !host && !untrusted {
                return None;
            }
            let (file, opened) = arrived(context, event, editor)?;
            let text = format!(
                "{} started {} soon after {} arrived: a link or formula in it very likely did. Command line: {}",
                editor.name(),
                subject.name(),
                base_name(&file.path),
                clip(subject.command_line, 200),
            );
            let confidence = if opened { Confidence::High } else { Confidence::Medium };
            Some(finding(Evidence::new(Severity::High, confidence, text), file).client(editor).server(subject))
        }
        Activity::NetworkFlow(flow) if flow.outbound && office::is_installed(subject) => {
            if !places::is_public(flow.remote.address) {
                return None;
            }
            let (file, opened) = arrived(context, event, subject)?;
            let query = [".iqy", ".dqy", ".oqy", ".rqy"].iter().any(|ending| ends_with(&file.path, ending));
            if !query || !opened {
                return None;
            }
            let text = format!(
                "{} opened {} and went to {}: the query in the file fetches from there.",
                subject.name(),
                base_name(&file.path),
                flow.remote.address,
            );
            Some(finding(Evidence::new(Severity::High, Confidence::High, text), file).client(subject))
        }
        _ => None,
    }
}

fn finding(evidence: Evidence, file: &FileWritten) -> Evidence {
    evidence
        .reasons(Reasons::UNKNOWN_BINARY)
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Dde, &*file.path)
        .because(&file.note, format!("{} arrived through {}", file.path, base_name(&file.who.image)))
}

/// The file that arrived from outside, and whether the editor's command line proves that it opened it.
fn arrived<'c>(context: &Context<'c>, event: &ProcessEvent<'_>, editor: Actor<'_>) -> Option<(&'c FileWritten, bool)> {
    let files = || {
        let near = context.host.documents.arrived.near(event.time, context.window());
        near.filter(|file| file.note.time <= event.time && is_carrier(base_name(&file.who.image)))
    };
    match office::document(editor.command_line) {
        Some(document) => files().find(|file| file.path.eq_ignore_ascii_case(document)).map(|file| (file, true)),
        None => files().next().map(|file| (file, false)),
    }
}

/// Programs that receive files from outside, as opposed to editors that save them.
fn is_carrier(name: &str) -> bool {
    let editor = is_any(name, &["winword.exe", "excel.exe", "powerpnt.exe", "msaccess.exe", "soffice.bin"]);
    !name.is_empty() && !editor && !programs::is_script_host(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";
    const LINE: &str = r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "C:\Users\a\Downloads\list.csv""#;
    const QUERY: &str = r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "C:\Users\a\Downloads\q.iqy""#;
    const BROWSER: &str = r"C:\Program Files\Browser\browser.exe";

    #[test]
    fn a_shell_after_a_downloaded_list_fires() {
        let events = [
            file_created(0, r"C:\Users\a\Downloads\list.csv:Zone.Identifier").of(BROWSER, 3),
            start(20, EXCEL, LINE).pid(5),
            start(30, r"C:\Windows\System32\cmd.exe", "cmd.exe /c calc").by(EXCEL, LINE).parent_pid(5),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_web_query_that_connects_to_the_internet_fires() {
        let flow = backchannel_events::NetworkFlow {
            remote: backchannel_events::Endpoint { address: "203.0.113.9", port: 443, name: "" },
            outbound: true,
            ..Default::default()
        };
        let events = [
            file_created(0, r"C:\Users\a\Downloads\q.iqy").of(BROWSER, 3),
            start(20, EXCEL, QUERY).pid(5),
            event(22, Activity::NetworkFlow(flow)).of(EXCEL, 5),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_list_that_starts_nothing_is_quiet() {
        let events = [
            file_created(0, r"C:\Users\a\Downloads\list.csv").of(BROWSER, 3),
            start(20, EXCEL, LINE).pid(5),
            start(21, r"C:\Windows\splwow64.exe", "splwow64.exe").by(EXCEL, LINE).parent_pid(5),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_list_that_excel_saved_itself_is_quiet() {
        let events = [
            file_created(0, r"C:\Users\a\Downloads\list.csv").of(EXCEL, 5),
            start(30, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x").by(EXCEL, LINE).parent_pid(5),
        ];
        check(&ANALYTIC, &events, None);
    }
}
