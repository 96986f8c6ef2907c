//! # IPC-ELEV-003: Privileged file operation by a COM surrogate
//!
//! ## What it detects
//! dllhost, the surrogate of COM classes, writes or renames a library or program into a folder of Windows or of
//! installed programs; also an auto-elevating program of Windows that loads such a file within five minutes.
//!
//! ## Why it matters
//! The elevated FileOperation class copies files for any caller: a library planted next to an auto-elevating program is
//! loaded with administrative rights.
//!
//! ## Telemetry
//! Sysmon 11, with 1 and 5 for the prompt (`consent.exe`); Sysmon 7 for the load.
//!
//! ## False positives
//! A user who copies to such a folder with Explorer and confirms the prompt: low. Windows Update's folders are not
//! reported.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001, T1574.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileOperation, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::consent::{self, Consent};
use crate::text::{base_name, contains, contains_any, directory, ends_with, guid};
use crate::vocabulary::elevation;
use crate::{Analytic, Context, Evidence, Family, predicates};

const FILE_OPERATION: &str = "{3AD05575-8857-4850-9277-11B85BDB8E09}";

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-003",
    title: "Privileged file operation by a COM surrogate",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001", "T1574.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::File, ActivityKind::ModuleLoad],
    telemetry: &[Source::Sysmon],
    // Maximum time between the write of a planted file and its load.
    window: Some(Duration::from_secs(300)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::File(file)
            if matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename) =>
        {
            planted(context, file.path)
        }
        Activity::ModuleLoad(module) if elevation::is_auto_elevated(context.subject().name()) => {
            taken_up(context, module.path)
        }
        _ => None,
    }
}

fn planted(context: &Context<'_>, path: &str) -> Option<Evidence> {
    let surrogate = context.subject();
    if !surrogate.is(&["dllhost.exe"]) || !is_program(path) || !predicates::is_system_path(path) {
        return None;
    }
    if contains_any(path, &[r"\SoftwareDistribution\", r"\WinSxS\", r"\Installer\", r"\WindowsApps\", r"\assembly\"]) {
        return None;
    }
    let class = guid(surrogate.command_line).unwrap_or(FILE_OPERATION);
    let name = base_name(path);
    let consent = consent::before(context, surrogate.session, context.event().time);
    let asked = matches!(consent, Consent::Asked);
    let planted = elevation::is_planted_name(name) && contains(path, r"\Windows\");
    let (severity, how) = match (asked, planted) {
        (true, _) => (Severity::Low, "after the user had agreed"),
        (false, true) => {
            (Severity::Critical, "without a prompt; elevated programs of Windows load a file of that name")
        }
        (false, false) => (Severity::High, "without a prompt"),
    };
    let text = format!("A COM surrogate put {name} into {} {how}.", directory(path));
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(!asked, Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION)))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .server(surrogate)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    if let Consent::Automatic(note) = consent {
        evidence = evidence.because(note, "the prompt's program ended before anybody could have answered it");
    }
    Some(evidence)
}

fn taken_up(context: &Context<'_>, path: &str) -> Option<Evidence> {
    let now = context.event().time;
    let written = context.host.files.near(now, context.window()).find(|file| {
        file.path.eq_ignore_ascii_case(path)
            && file.note.time <= now
            && base_name(&file.who.image).eq_ignore_ascii_case("dllhost.exe")
    })?;
    let loader = context.subject();
    if !predicates::is_system_path(path) {
        return None;
    }
    let text = format!(
        "{} loaded {}, which a COM surrogate had put there {} seconds before: the file runs with the rights of a \
         program that elevates itself.",
        loader.name(),
        base_name(path),
        now.distance(written.note.time).as_secs(),
    );
    Some(
        Evidence::new(Severity::Critical, Confidence::High, text)
            .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .client(loader)
            .channel(Mechanism::Com, FILE_OPERATION)
            .because(&written.note, format!("a COM surrogate wrote {}", written.path)),
    )
}

fn is_program(path: &str) -> bool {
    [".dll", ".exe", ".ocx", ".cpl", ".sys"].iter().any(|ending| ends_with(path, ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DLLHOST: &str = r"C:\Windows\System32\dllhost.exe";
    const CONSENT: &str = r"C:\Windows\System32\consent.exe";

    #[test]
    fn a_library_put_into_system32_fires() {
        let events = [file_created(0, r"C:\Windows\System32\other.dll").of(DLLHOST, 9)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_name_that_elevated_programs_load_is_critical() {
        let events = [
            start(0, CONSENT, "consent.exe 900").pid(8),
            file_created(0.6, r"C:\Windows\System32\sysprep\cryptbase.dll").of(DLLHOST, 9),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert_eq!(findings[0].evidence.len(), 2);
    }

    #[test]
    fn the_load_by_a_self_elevating_program_is_critical() {
        let events = [
            file_created(0, r"C:\Windows\System32\helper.dll").of(DLLHOST, 9),
            loaded(40, r"C:\Windows\System32\helper.dll").of(r"C:\Windows\System32\winsat.exe", 10),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_copy_confirmed_by_the_user_is_low() {
        let events = [
            start(0, CONSENT, "consent.exe 900").pid(8).session(1),
            start(4, DLLHOST, "dllhost.exe /Processid:{3AD05575-8857-4850-9277-11B85BDB8E09}").pid(9).session(1),
            file_created(4.5, r"C:\Program Files\Tool\tool.exe").of(DLLHOST, 9),
        ];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::High)));
    }

    #[test]
    fn data_and_the_user_s_own_folders_are_quiet() {
        let events = [
            file_created(0, r"C:\Users\a\AppData\Local\Temp\x.dll").of(DLLHOST, 9),
            file_created(1, r"C:\Windows\System32\LogFiles\x.log").of(DLLHOST, 9),
            file_created(2, r"C:\Windows\SoftwareDistribution\Download\x.dll").of(DLLHOST, 9),
            file_created(3, r"C:\Windows\System32\x.dll").of(r"C:\Windows\System32\msiexec.exe", 10),
        ];
        check(&ANALYTIC, &events, None);
    }
}
