//! # IPC-COM-010: rundll32 activates a COM class
//!
//! ## What it detects
//! rundll32 with arguments that create a COM class by its id (`-sta {class}`, `-localserver {class}`), or that call a
//! library's `DllGetClassObject`; renamed copies are recognised.
//!
//! ## Why it matters
//! It runs the server of a class, which may be a planted one, in a signed program, while the command line does not
//! contain the server's path.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688.
//!
//! ## False positives
//! Windows starts `rundll32 -localserver <class without braces>` through DcomLaunch, and
//! `shell32.dll,SHCreateLocalServerRunDll {class}`: both not reported. A few vendors use `-localserver`: allow by
//! class.
//!
//! ## References
//! ATT&CK T1218.011, T1559.001, T1546.015; DET0224 (AN0628).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{contains, guid, starts_with};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-010",
    title: "rundll32 activates a COM class",
    family: Family::ComponentObjectModel,
    techniques: &["T1218.011", "T1559.001", "T1546.015"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let started = context.subject();
    if !started.is(&["rundll32.exe"]) {
        return None;
    }
    let line = started.command_line;
    let class = match activated_class(line) {
        Some(class) if started_by_windows(context, line) && !class.starts_with('{') => return None,
        Some(class) => class,
        None if contains(line, "DllGetClassObject") => "",
        None => return None,
    };
    let known = guid(class).and_then(|clsid| context.host.com.suspicious_class(clsid));
    let parent = context.parent();
    let by = if parent.name().is_empty() { "a process" } else { parent.name() };
    let what = if class.is_empty() { "a library's class factory" } else { class };
    let mut text = format!("{by} had rundll32 create {what}: the class's server runs inside it, unnamed.");
    if let Some(known) = known {
        text = format!("{by} had rundll32 create {what}, whose server {} was planted.", known.server);
    }
    let mut evidence = Evidence::new(Severity::High, Confidence::High, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(started)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    if let Some(known) = known {
        evidence = evidence
            .reasons(Reasons::UNKNOWN_BINARY)
            .because(&known.note, format!("{} was registered as the server of {}", known.server, known.clsid));
    }
    Some(evidence)
}

/// The argument of `-sta` or `-localserver`: a class id with or without braces, or a class's name.
fn activated_class(line: &str) -> Option<&str> {
    let mut words = line.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let option = word.strip_prefix(['-', '/']).unwrap_or("");
        if option.eq_ignore_ascii_case("sta") || option.eq_ignore_ascii_case("localserver") {
            return words.next().map(|class| class.trim_matches('"'));
        }
        // `-sta{class}` is accepted too.
        if starts_with(option, "sta{") || starts_with(option, "localserver{") {
            return guid(option);
        }
    }
    None
}

/// How Windows itself starts local servers in libraries.
fn started_by_windows(context: &Context<'_>, line: &str) -> bool {
    contains(line, "localserver") && context.parent().is(&["svchost.exe"])
        || predicates::started_by_dcom_launch(context.subject(), context.parent())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const RUNDLL32: &str = r"C:\Windows\System32\rundll32.exe";

    #[test]
    fn a_class_on_the_command_line_fires() {
        let line = "rundll32.exe -sta {11111111-2222-3333-4444-555555555555}";
        let events = [start(0, RUNDLL32, line).by(r"C:\Windows\System32\cmd.exe", "cmd.exe")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_renamed_rundll32_with_a_planted_class_gives_its_server() {
        let key = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let line = "tool.exe /STA {11111111-2222-3333-4444-555555555555}";
        let events = [
            registry_set(0, key, r"C:\Users\a\x.dll").of(r"C:\Windows\System32\reg.exe", 5),
            start(1, r"C:\Users\a\tool.exe", line).original_name("RUNDLL32.EXE"),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_call_of_the_class_factory_fires() {
        let events = [start(0, RUNDLL32, r"rundll32.exe C:\x\y.dll,DllGetClassObject")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn windows_own_local_servers_are_quiet() {
        let events = [
            start(0, RUNDLL32, "rundll32.exe -localserver 22d8c27b-47a1-48d1-ad08-7da7abd79617")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p"),
            start(
                1,
                RUNDLL32,
                "rundll32.exe shell32.dll,SHCreateLocalServerRunDll {9aa46009-3ce0-458a-a354-715610a075e6} -Embedding",
            )
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_ordinary_library_call_is_quiet() {
        let events = [start(0, RUNDLL32, r"rundll32.exe C:\Windows\System32\shell32.dll,Control_RunDLL -start")];
        check(&ANALYTIC, &events, None);
    }
}
