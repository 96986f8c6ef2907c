//! # IPC-DDE-002: DDE re-enabled in Office settings
//!
//! ## What it detects
//! An Office setting that lets documents start programs or follow links without confirmation: `AllowDDE`,
//! `DisableDDEServerLaunch=0`, `DontUpdateLinks=0`, unsafe mail rules and related settings, in the key of any version;
//! or the command that sets it.
//!
//! ## Why it matters
//! DDE has been disabled in Office since 2017. Apart from old market-data plug-ins, only attackers need it enabled.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657; Sysmon 1, Security 4688, PowerShell 4104 for the command.
//!
//! ## False positives
//! Group policy that allows it for such plug-ins, and users who change the setting in Office itself: low.
//!
//! ## References
//! ATT&CK T1559.002, T1112; DET0504 (AN1393). Microsoft security advisory 4053440.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::text::contains;
use crate::vocabulary::{dde, office};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DDE-002",
    title: "DDE re-enabled in Office settings",
    family: Family::DynamicDataExchange,
    techniques: &["T1559.002", "T1112"],
    attack_analytics: &["AN1393"],
    severity: Severity::Medium,
    on: &[ActivityKind::Registry, ActivityKind::ProcessStart, ActivityKind::Script],
    telemetry: &[Source::Sysmon, Source::Security, Source::PowerShell],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let subject = context.subject();
    let (exposure, policy) = match &event.activity {
        Activity::Registry(change) if change.operation == RegistryOperation::SetValue => {
            let exposure = dde::exposure(change.path, change.data)?;
            let by_policy = subject.is(&["svchost.exe", "gpupdate.exe"]) && contains(change.path, r"\Policies\");
            (exposure, by_policy || office::is_installed(subject))
        }
        Activity::ProcessStart => (dde::exposure_by_command(event.process.command_line)?, false),
        Activity::Script(script) => (dde::exposure_by_command(script.text)?, false),
        _ => return None,
    };
    let who = if subject.name().is_empty() { "A process" } else { subject.name() };
    let (severity, how) = if policy {
        (Severity::Low, ", by policy or in Office itself")
    } else {
        (Severity::Medium, ", which Office leaves off")
    };
    let scripted = predicates::is_script_host(subject) && predicates::is_privileged(subject);
    Some(
        Evidence::new(
            severity,
            Confidence::High,
            format!("{who} changed a setting of Office{how}: {}.", exposure.meaning),
        )
        .reasons(Reasons::NONE.and_if(scripted && !policy, Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(subject)
        .channel(Mechanism::Dde, "Office settings"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const ALLOW: &str = r"HKU\S-1-5-21-1\Software\Microsoft\Office\16.0\Word\Security\AllowDDE";
    const LAUNCH: &str =
        r"HKU\S-1-5-21-1\Software\Policies\Microsoft\Office\16.0\Excel\Security\DisableDDEServerLaunch";

    #[test]
    fn a_word_setting_changed_by_another_program_fires() {
        let events = [registry_set(0, ALLOW, "DWORD (0x00000002)").of(r"C:\Windows\System32\reg.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn the_command_that_sets_it_fires() {
        let line = r"reg add HKCU\Software\Microsoft\Office\16.0\Excel\Security /v DisableDDEServerLaunch /t REG_DWORD /d 0 /f";
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\reg.exe", line)], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn group_policy_is_low() {
        let events = [registry_set(0, LAUNCH, "DWORD (0x00000000)").of(r"C:\Windows\System32\svchost.exe", 6)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::High)));
    }

    #[test]
    fn hardening_is_quiet() {
        let line = r"reg add HKCU\Software\Microsoft\Office\16.0\Word\Security /v AllowDDE /t REG_DWORD /d 0 /f";
        let events = [
            registry_set(0, ALLOW, "DWORD (0x00000000)").of(r"C:\Windows\System32\reg.exe", 6),
            registry_set(1, LAUNCH, "DWORD (0x00000001)").of(r"C:\Windows\System32\reg.exe", 6),
            start(2, r"C:\Windows\System32\reg.exe", line),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn reading_a_setting_is_quiet() {
        let line = r"reg query HKCU\Software\Microsoft\Office\16.0\Word\Security /v AllowDDE";
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\reg.exe", line)], None);
    }
}
