//! # IPC-PIPE-025: Anonymous access to pipes and shares enabled
//!
//! ## What it detects
//! A registry change that allows anonymous or filtered remote callers to access this machine's pipes and shares:
//! `NullSessionPipes`, `NullSessionShares`, `RestrictNullSessAccess` = 0, `RestrictAnonymous`(`Sam`) = 0,
//! `EveryoneIncludesAnonymous` = 1, `LocalAccountTokenFilterPolicy` = 1.
//!
//! ## Why it matters
//! It allows an attacker to return over a pipe without credentials, or with the full rights of a local account.
//!
//! ## Telemetry
//! Sysmon 13, Security 4657.
//!
//! ## False positives
//! Group policy writes these values through `services.exe` and `svchost.exe`: low.
//!
//! ## References
//! ATT&CK T1559, T1112, T1021.002; DET0493 (AN1357).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, RegistryOperation, Severity, Source,
};

use crate::context::pipes::label;
use crate::text::{base_name, clip, contains, directory, ends_with, is_any};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-025",
    title: "Anonymous access to pipes and shares enabled",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1112", "T1021.002"],
    attack_analytics: &["AN1357"],
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
    let (key, value) = (directory(change.path), base_name(change.path));
    let effect = if ends_with(key, r"\LanmanServer\Parameters") {
        match value {
            v if is_any(v, &["NullSessionPipes", "AnonymousPipes"]) && is_filled(change.data) => {
                "names pipes that anyone may open without logging on"
            }
            v if is_any(v, &["NullSessionShares"]) && is_filled(change.data) => {
                "names shares that anyone may open without logging on"
            }
            v if is_any(v, &["RestrictNullSessAccess"]) && number(change.data) == Some(0) => {
                "lets anyone open every pipe without logging on"
            }
            _ => return None,
        }
    } else if ends_with(key, r"\Control\Lsa") {
        match value {
            v if is_any(v, &["RestrictAnonymous", "RestrictAnonymousSam"]) && number(change.data) == Some(0) => {
                "lets anonymous callers list accounts and shares"
            }
            v if is_any(v, &["EveryoneIncludesAnonymous"]) && number(change.data) == Some(1) => {
                "gives anonymous callers everyone's rights"
            }
            _ => return None,
        }
    } else if is_any(value, &["LocalAccountTokenFilterPolicy"])
        && ends_with(key, r"\Policies\System")
        && number(change.data) == Some(1)
    {
        "gives local administrators their full rights over the network"
    } else {
        return None;
    };
    let writer = context.subject();
    let policy = writer.is(&["services.exe", "svchost.exe"]);
    let severity = if policy { Severity::Low } else { Severity::High };
    let by = if writer.is_unknown() { "Somebody".to_owned() } else { label(writer) };
    let text = format!("{by} set {value} = {}, which {effect}.", clip(change.data, 100));
    // Only administrators can write to this key.
    Some(
        Evidence::new(severity, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(!policy, Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(writer),
    )
}

/// Whether a list was written: Sysmon shows one as `Binary Data`.
fn is_filled(data: &str) -> bool {
    let data = data.trim();
    !data.is_empty() && !is_any(data, &["(Empty)", "-", "DWORD (0x00000000)"])
}

/// The number in `DWORD (0x00000001)`, `0x1` or `1`.
fn number(data: &str) -> Option<u64> {
    let data = data.trim();
    let inner = if contains(data, "(0x") { data.split_once("(0x")?.1.trim_end_matches(')') } else { data };
    match (inner.len() < data.len(), inner.strip_prefix("0x")) {
        (true, _) => u64::from_str_radix(inner, 16).ok(),
        (false, Some(hex)) => u64::from_str_radix(hex, 16).ok(),
        (false, None) => inner.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SERVER: &str = r"HKLM\System\CurrentControlSet\Services\LanmanServer\Parameters\NullSessionPipes";

    #[test]
    fn a_pipe_opened_to_null_sessions_fires() {
        let events = [registry_set(0, SERVER, "Binary Data").of(r"C:\Windows\System32\reg.exe", 30)];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn the_dangerous_value_of_a_switch_fires() {
        let path = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\LocalAccountTokenFilterPolicy";
        let by = |data| [registry_set(0, path, data).of(r"C:\Windows\System32\reg.exe", 30)];
        check(&ANALYTIC, &by("DWORD (0x00000001)"), Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &by("DWORD (0x00000000)"), None);
        check(&ANALYTIC, &by("1"), Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn policy_is_low() {
        let path = r"HKLM\System\CurrentControlSet\Control\Lsa\RestrictAnonymous";
        let events = [registry_set(0, path, "DWORD (0x00000000)").of(r"C:\Windows\System32\services.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::High)));
    }

    #[test]
    fn the_safe_value_and_other_keys_are_quiet() {
        let events = [
            registry_set(0, r"HKLM\System\CurrentControlSet\Control\Lsa\RestrictAnonymous", "DWORD (0x00000001)"),
            registry_set(1, SERVER, "(Empty)"),
            registry_set(2, r"HKLM\SOFTWARE\Vendor\Parameters\NullSessionPipes", "Binary Data"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
