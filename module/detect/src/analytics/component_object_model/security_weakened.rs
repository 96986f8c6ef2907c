//! # IPC-DCOM-021: DCOM security weakened
//!
//! ## What it detects
//! A registry value that opens DCOM to more callers or to weaker authentication: the machine's launch and access limits
//! or defaults changed, DCOM enabled, the authentication level lowered, the hardening of 2021 disabled, .NET reflection
//! over DCOM allowed.
//!
//! ## Why it matters
//! It prepares lateral movement, or keeps access open afterwards.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657.
//!
//! ## False positives
//! Group policy writes the same values (as svchost): informational. OPC and other industrial software recommends such
//! changes: allow by host.
//!
//! ## References
//! ATT&CK T1559.001, T1112, T1562; DET0224 (AN0628), DET0285 (AN0791). Microsoft KB5004442; MS-DCOM.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::text::{base_name, contains, dword, is_any};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-021",
    title: "DCOM security weakened",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1112", "T1562"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::Registry],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Registry(change) = &event.activity else { return None };
    if change.operation != RegistryOperation::SetValue {
        return None;
    }
    let (what, usual) = weakness(change.path, change.data)?;
    let writer = context.subject();
    // Windows servicing sets these values during set-up.
    if writer.is(&["trustedinstaller.exe", "tiworker.exe", "poqexec.exe", "setup.exe"])
        && contains(writer.image, r":\Windows\")
    {
        return None;
    }
    let policy = writer.is(&["svchost.exe"]) && predicates::is_system_path(writer.image);
    let (severity, confidence) = match (policy, usual) {
        (true, _) => (Severity::Info, Confidence::Medium),
        (false, true) => (Severity::Medium, Confidence::Medium),
        (false, false) => (Severity::High, Confidence::High),
    };
    let who = if writer.name().is_empty() { "A program" } else { writer.name() };
    let text = format!("{who} changed {}: {what}.", change.path);
    let unknown = predicates::is_unknown_binary(writer);
    let evidence = Evidence::new(severity, confidence, text)
        // The key is writable by administrators only.
        .reasons(
            Reasons::NONE
                .and_if(!policy, Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
                .and_if(unknown, Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(writer)
        .channel(Mechanism::Dcom, base_name(change.path));
    Some(evidence)
}

/// What a value weakens, and whether it is a default of Windows.
fn weakness(path: &str, data: &str) -> Option<(&'static str, bool)> {
    let value = base_name(path);
    if contains(path, r"\Microsoft\Ole\") {
        let number = dword(data);
        return if is_any(value, &["MachineLaunchRestriction", "MachineAccessRestriction"]) {
            Some(("the limits on who may use COM on this machine were rewritten", false))
        } else if is_any(value, &["DefaultLaunchPermission", "DefaultAccessPermission"]) {
            Some(("the defaults of who may use COM on this machine were rewritten", false))
        } else if value.eq_ignore_ascii_case("EnableDCOM") && is_any(data, &["Y", "1"]) {
            Some(("COM from other machines was switched on", true))
        } else if value.eq_ignore_ascii_case("LegacyAuthenticationLevel") && number.is_some_and(|level| level <= 1) {
            Some(("callers need not authenticate any more", false))
        } else if value.eq_ignore_ascii_case("RequireIntegrityActivationAuthenticationLevel") && number == Some(0)
            || value.eq_ignore_ascii_case("RaiseActivationAuthenticationLevel") && number.is_some_and(|raise| raise < 2)
        {
            Some(("the hardening of activation (KB5004442) was undone", false))
        } else {
            None
        };
    }
    if contains(path, r"\.NETFramework\") && dword(data) == Some(1) {
        if value.eq_ignore_ascii_case("AllowDCOMReflection") {
            return Some((".NET objects may be reflected upon from other machines", false));
        }
        if value.eq_ignore_ascii_case("OnlyUseLatestCLR") {
            return Some((
                "old .NET classes are made to run in the newest runtime, as trapped COM objects need",
                false,
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const REG: &str = r"C:\Windows\System32\reg.exe";

    fn set(path: &'static str, data: &'static str) -> Event {
        registry_set(0, path, data).of(REG, 70)
    }

    #[test]
    fn weaker_limits_levels_and_reflection_fire() {
        let expected = Some((Severity::High, Confidence::High));
        check(&ANALYTIC, &[set(r"HKLM\SOFTWARE\Microsoft\Ole\MachineLaunchRestriction", "Binary Data")], expected);
        check(
            &ANALYTIC,
            &[set(r"HKLM\SOFTWARE\Microsoft\Ole\LegacyAuthenticationLevel", "DWORD (0x00000001)")],
            expected,
        );
        let hardening = r"HKLM\SOFTWARE\Microsoft\Ole\AppCompat\RequireIntegrityActivationAuthenticationLevel";
        check(&ANALYTIC, &[set(hardening, "DWORD (0x00000000)")], expected);
        check(
            &ANALYTIC,
            &[set(r"HKLM\SOFTWARE\Microsoft\.NETFramework\AllowDCOMReflection", "DWORD (0x00000001)")],
            expected,
        );
    }

    #[test]
    fn enabling_dcom_is_medium() {
        check(
            &ANALYTIC,
            &[set(r"HKLM\SOFTWARE\Microsoft\Ole\EnableDCOM", "Y")],
            Some((Severity::Medium, Confidence::Medium)),
        );
    }

    #[test]
    fn group_policy_is_informational() {
        let policy = registry_set(0, r"HKLM\SOFTWARE\Microsoft\Ole\DefaultLaunchPermission", "Binary Data")
            .of(r"C:\Windows\System32\svchost.exe", 900);
        let findings = check(&ANALYTIC, &[policy], Some((Severity::Info, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
    }

    #[test]
    fn stronger_values_servicing_and_other_keys_are_quiet() {
        let hardening = r"HKLM\SOFTWARE\Microsoft\Ole\AppCompat\RequireIntegrityActivationAuthenticationLevel";
        let events = [
            set(hardening, "DWORD (0x00000001)"),
            set(r"HKLM\SOFTWARE\Microsoft\Ole\EnableDCOM", "N"),
            set(r"HKLM\SOFTWARE\Microsoft\Ole\LegacyAuthenticationLevel", "DWORD (0x00000006)"),
            set(r"HKLM\SOFTWARE\Vendor\EnableDCOM", "Y"),
            registry_set(1, r"HKLM\SOFTWARE\Microsoft\Ole\DefaultLaunchPermission", "Binary Data")
                .of(r"C:\Windows\servicing\TrustedInstaller.exe", 900),
        ];
        check(&ANALYTIC, &events, None);
    }
}
