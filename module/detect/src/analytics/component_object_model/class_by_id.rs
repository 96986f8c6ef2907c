//! # IPC-COM-011: System program runs a COM class given by its id
//!
//! ## What it detects
//! xwizard running a class (`RunWizard {class}`), or located outside Windows' folders; the script hosts with their
//! engine given by class id (`cscript //E:{class}`); verclsid creating a class for Office or a script host. Covers
//! IPC-COM-012 and IPC-COM-014.
//!
//! ## Why it matters
//! The class id on the command line stands for a library that is not visible there: LOLBins are used to load it.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688.
//!
//! ## False positives
//! Explorer regularly starts verclsid to check shell extensions: not reported. No routine use of the others is known.
//!
//! ## References
//! ATT&CK T1218, T1559.001; DET0224 (AN0628).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{contains, find, guid, starts_with};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-011",
    title: "System program runs a COM class given by its id",
    family: Family::ComponentObjectModel,
    techniques: &["T1218", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let started = context.subject();
    let parent = context.parent();
    let line = started.command_line;
    let (severity, confidence, class, what) = if started.is(&["xwizard.exe"]) {
        let outside = started.image.contains('\\') && !predicates::is_windows_program_path(started.image);
        let class = guid(line).filter(|_| contains(line, "RunWizard"));
        match (outside, class) {
            (true, class) => (Severity::High, Confidence::High, class.unwrap_or(""), "runs outside Windows' folders"),
            (false, Some(class)) => (Severity::Medium, Confidence::High, class, "was told to run a COM class"),
            (false, None) => return None,
        }
    } else if started.is(&["cscript.exe", "wscript.exe"]) {
        (Severity::High, Confidence::High, engine(line)?, "was told its script engine by class id")
    } else if started.is(&["verclsid.exe"]) {
        let class = guid(line).filter(|_| contains(line, "/C"))?;
        if !(predicates::is_office(parent) || predicates::is_script_host(parent)) {
            return None;
        }
        (Severity::Medium, Confidence::Medium, class, "created a COM class for a program that never needs it")
    } else {
        return None;
    };
    let by = if parent.name().is_empty() { "a process" } else { parent.name() };
    let named = if class.is_empty() { String::new() } else { format!(" ({class})") };
    let text = format!("{} {what}{named}; {by} started it.", started.name());
    let known = guid(class).and_then(|class| context.host.com.suspicious_class(class));
    let untrusted = predicates::is_unknown_binary(started) || names_user_file(started) || known.is_some();
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(untrusted, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(started)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    if let Some(known) = known {
        evidence =
            evidence.because(&known.note, format!("{} was registered as the server of {}", known.server, known.clsid));
    }
    Some(evidence)
}

/// The class id of a script engine: `-e:{..}`, `//E:{..}`.
fn engine(line: &str) -> Option<&str> {
    let at = find(line, "e:{")?;
    let before = line.get(..at)?;
    if !before.ends_with(['-', '/']) {
        return None;
    }
    guid(line.get(at..)?)
}

/// Whether the script host's command line contains a user-writable file.
fn names_user_file(started: Actor<'_>) -> bool {
    started
        .command_line
        .split([' ', '"'])
        .skip(1)
        .any(|word| word.contains('\\') && !starts_with(word, started.image) && predicates::is_user_writable(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const CLASS: &str = "{11111111-2222-3333-4444-555555555555}";

    #[test]
    fn an_xwizard_class_is_medium_and_a_misplaced_xwizard_is_high() {
        let line = "xwizard.exe RunWizard /taero /u {11111111-2222-3333-4444-555555555555}";
        let inside = start(0, r"C:\Windows\System32\xwizard.exe", line);
        check(&ANALYTIC, &[inside], Some((Severity::Medium, Confidence::High)));
        check(
            &ANALYTIC,
            &[start(0, r"C:\Users\a\xwizard.exe", "xwizard.exe")],
            Some((Severity::High, Confidence::High)),
        );
    }

    #[test]
    fn an_engine_by_its_id_fires() {
        let line = r"cscript.exe //E:{F414C262-6AC0-11CF-B6D1-00AA00BBBB58} C:\Users\a\data.txt";
        let findings = check(
            &ANALYTIC,
            &[start(0, r"C:\Windows\System32\cscript.exe", line)],
            Some((Severity::High, Confidence::High)),
        );
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_class_check_for_word_fires() {
        let line =
            "verclsid.exe /S /C {11111111-2222-3333-4444-555555555555} /I {000214E6-0000-0000-C000-000000000046}";
        let events = [start(0, r"C:\Windows\System32\verclsid.exe", line)
            .by(r"C:\Program Files\Microsoft Office\Office16\WINWORD.EXE", "WINWORD.EXE")];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].text.contains(CLASS));
    }

    #[test]
    fn explorer_s_checks_and_named_engines_are_quiet() {
        let line =
            "verclsid.exe /S /C {11111111-2222-3333-4444-555555555555} /I {000214E6-0000-0000-C000-000000000046}";
        let events = [
            start(0, r"C:\Windows\System32\verclsid.exe", line).by(r"C:\Windows\explorer.exe", "explorer.exe"),
            start(1, r"C:\Windows\System32\cscript.exe", "cscript.exe //E:JScript a.js"),
            start(2, r"C:\Windows\System32\xwizard.exe", "xwizard.exe /?"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
