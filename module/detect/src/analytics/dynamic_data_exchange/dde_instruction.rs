//! # IPC-DDE-003: DDE instruction in a command line, script or message
//!
//! ## What it detects
//! A DDE field (`DDEAUTO`, `DDE` with a program, letters encoded as numbers), a call of `DDEInitiate`, or a spreadsheet
//! formula with a DDE server (`=cmd|'/c ...'!A0`); quotes and spaces used for obfuscation are removed.
//!
//! ## Why it matters
//! These instructions make a document start a program. In a command line or script they are executed, or written to a
//! document for another user.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688, PowerShell 4104; lines of mail gateways and applications in the Application log or in
//! syslog.
//!
//! ## False positives
//! Documentation and training material in messages: medium only. Scanners that search for these words: allow by script.
//!
//! ## References
//! ATT&CK T1559.002, T1027; DET0504 (AN1393).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DDE-003",
    title: "DDE instruction in a command line, script or message",
    family: Family::DynamicDataExchange,
    techniques: &["T1559.002", "T1027"],
    attack_analytics: &["AN1393"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Script, ActivityKind::Text],
    telemetry: &[Source::Sysmon, Source::Security, Source::PowerShell, Source::Application, Source::Syslog],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (place, runs) = match &event.activity {
        Activity::ProcessStart => ("command line", true),
        Activity::Script(_) => ("script", true),
        Activity::Text(_) => ("message", false),
        _ => return None,
    };
    let found = context.wording()?.dde_instruction()?;
    let subject = context.subject();
    let who = match (subject.name(), &event.activity) {
        ("", Activity::Text(text)) => text.program,
        ("", _) => "a process",
        (name, _) => name,
    };
    let (severity, confidence) =
        if runs { (Severity::High, Confidence::High) } else { (Severity::Medium, Confidence::Medium) };
    let sentence = format!("A {place} of {who} contains {found}: it makes a document start a program.");
    Some(
        Evidence::new(severity, confidence, sentence)
            .reasons(Reasons::NONE.and_if(runs && predicates::is_unknown_binary(subject), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(subject)
            .channel(Mechanism::Dde, ""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_script_that_writes_a_field_into_a_document_fires() {
        let text = r#"$doc.Fields.Add($range, -1, 'DDEAUTO c:\\windows\\system32\\cmd.exe "/k calc.exe"', $false)"#;
        check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_formula_on_a_command_line_fires() {
        let line = r#"powershell -c "Set-Content a.csv '=cmd|''/c calc''!A0'""#;
        check(
            &ANALYTIC,
            &[start(0, r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", line)],
            Some((Severity::High, Confidence::High)),
        );
    }

    #[test]
    fn an_instruction_in_a_logged_message_is_medium() {
        let message = backchannel_events::Text { program: "gateway", message: "attachment field: DDEAUTO excel" };
        check(&ANALYTIC, &[event(0, Activity::Text(message))], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn pipelines_and_hidden_windows_are_quiet() {
        let events = [
            start(0, r"C:\Windows\System32\cmd.exe", r#"cmd.exe /c "type a.txt | findstr 'x!y'""#),
            script(1, "Start-Process -WindowStyle Hidden; Get-Process | Where-Object { $_.Name -eq 'added' }"),
            start(2, r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", "EXCEL.EXE /dde"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
