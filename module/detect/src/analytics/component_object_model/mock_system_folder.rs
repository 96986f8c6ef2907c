//! # IPC-ELEV-011: Imitated system folder used for elevation
//!
//! ## What it detects
//! A program, library or file in a folder that only looks like one of Windows (`C:\Windows \System32`, with a trailing
//! space), or in a redirection folder of the consent prompt (`consent.exe.@...`).
//!
//! ## Why it matters
//! Auto-elevation is granted by path: the mock folder passes the check, and the program loads the attacker's library
//! beside it.
//!
//! ## Telemetry
//! Sysmon 1, 7, 11, Security 4688.
//!
//! ## False positives
//! None: Windows has no such folder.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001, T1036.005; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::contains;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-011",
    title: "Imitated system folder used for elevation",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001", "T1036.005"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::ModuleLoad, ActivityKind::File],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (path, what) = match &event.activity {
        Activity::ProcessStart => (event.process.image, "ran"),
        Activity::ModuleLoad(module) => (module.path, "was loaded"),
        Activity::File(file) => (file.path, "was written or opened"),
        _ => return None,
    };
    if !is_imitation(path) {
        return None;
    }
    let subject = context.subject();
    let text = format!("{path} {what}: its folder imitates one of Windows, so that elevation needs no prompt.");
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(predicates::is_privileged(subject), Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .client(if matches!(event.activity, Activity::ProcessStart) { context.parent() } else { subject })
            .channel(Mechanism::Com, "elevation"),
    )
}

fn is_imitation(path: &str) -> bool {
    // Few paths contain a folder whose name ends in a space.
    let blank = memchr::memchr_iter(b' ', path.as_bytes()).any(|at| path.as_bytes().get(at + 1) == Some(&b'\\'));
    (blank && contains(path, r"\Windows \")) || contains(path, r"\consent.exe.@")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Integrity;

    #[test]
    fn a_program_in_an_imitated_folder_fires() {
        let events = [start(0, r"C:\Windows \System32\winsat.exe", "winsat.exe").integrity(Integrity::High)];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn a_library_written_to_the_prompt_s_folder_fires() {
        let path = r"C:\Windows\System32\consent.exe.@0\x86_microsoft.windows.common-controls_1\comctl32.dll";
        let events = [file_created(0, path).of(r"C:\Windows\System32\dllhost.exe", 4)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn windows_own_folders_are_quiet() {
        let events = [
            start(0, r"C:\Windows\System32\winsat.exe", "winsat.exe").integrity(Integrity::High),
            file_created(1, r"C:\Users\a\My Windows \a.txt"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn the_prompt_itself_is_quiet() {
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\consent.exe", "consent.exe 900")], None);
    }
}
