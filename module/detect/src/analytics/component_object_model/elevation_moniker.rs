//! # IPC-ELEV-010: Elevation moniker in a script or command line
//!
//! ## What it detects
//! The text that creates an elevated COM object: `Elevation:Administrator!new:{class}`, or `CoGetObject` with
//! `Elevation:`.
//!
//! ## Why it matters
//! With an auto-elevating class this gives administrative rights without a prompt; ordinary scripts do not use it.
//!
//! ## Telemetry
//! PowerShell 4104, Sysmon 1, Security 4688.
//!
//! ## False positives
//! Tools that test User Account Control.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001; DET0224 (AN0628); the COM elevation moniker in Microsoft's documentation.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{contains, contains_any, find, guid};
use crate::vocabulary::elevation;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-010",
    title: "Elevation moniker in a script or command line",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::Script, ActivityKind::ProcessStart],
    telemetry: &[Source::PowerShell, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (text, carrier) = match &event.activity {
        Activity::Script(script) => (script.text, "script"),
        Activity::ProcessStart => (event.process.command_line, "command line"),
        _ => return None,
    };
    if !context.wording()?.contains("Elevation:") {
        return None;
    }
    let at = find(text, "Elevation:")?;
    let rest = text.get(at..)?;
    let moniker = contains_any(rest, &["Elevation:Administrator!new:", "Elevation:Highest!new:"]);
    if !moniker && !contains(text, "CoGetObject") {
        return None;
    }
    let class = guid(rest).unwrap_or("");
    let name = elevation::class(class).map_or(class, |(_, name, _)| name);
    let subject = context.subject();
    let who = if subject.name().is_empty() { "a process" } else { subject.name() };
    let what = if name.is_empty() { "an elevated COM object" } else { name };
    let sentence = format!("A {carrier} of {who} asks for {what} with administrative rights (elevation moniker).");
    Some(
        Evidence::new(Severity::High, Confidence::High, sentence)
            .reasons(
                Reasons::DCOM_EXPLOITATION
                    .and_if(predicates::is_privileged(subject), Reasons::ADMINISTRATIVE_PRIVILEGES),
            )
            .indicators(Indicators::UNEXPECTED_USE)
            .client(subject)
            .channel(Mechanism::Com, class.to_ascii_uppercase()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_moniker_in_a_script_fires_and_names_the_class() {
        let text = r#"$m = "Elevation:Administrator!new:{3E5FC7F9-9A51-4367-9063-A120244FBEC7}""#;
        let findings = check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("CMSTPLUA"));
    }

    #[test]
    fn a_call_with_a_moniker_built_in_pieces_fires() {
        let text = r#"[N]::CoGetObject("Elevation:" + $level + "!new:" + $class, [ref]$o, $iid, [ref]$r)"#;
        check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn other_elevations_are_quiet() {
        let events = [
            script(0, "Write-Host 'Elevation: 1200 m'"),
            start(1, r"C:\Windows\System32\cmd.exe", "cmd.exe /c echo Elevation:Administrator"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_call_without_elevation_is_quiet() {
        check(&ANALYTIC, &[script(0, "[N]::CoGetObject('winmgmts:', $o)")], None);
    }
}
