//! # IPC-ELEV-002: Edition upgrade manager abused
//!
//! ## What it detects
//! ClipUp, started by the elevated edition upgrade class from a folder other than System32; or a process access whose
//! call trace contains that class's library.
//!
//! ## Why it matters
//! The class runs `%windir%\System32\ClipUp.exe` as administrator and reads `%windir%` from the user's environment:
//! changing it gives administrative rights without a prompt.
//!
//! ## Telemetry
//! Sysmon 1 and 10, Security 4688.
//!
//! ## False positives
//! Windows edition upgrades run ClipUp from System32: not reported.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::contains;
use crate::{Analytic, Context, Evidence, Family, predicates};

const CLASS: &str = "{BD54C901-076B-434E-B6C7-17C531F4AB41}";

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-002",
    title: "Edition upgrade manager abused",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::ProcessAccess],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let subject = context.subject();
    let evidence = match &event.activity {
        Activity::ProcessStart => {
            let outside = subject.is(&["clipup.exe"])
                && subject.image.contains('\\')
                && !predicates::is_windows_program_path(subject.image);
            if !outside {
                return None;
            }
            let surrogate = context.parent();
            let by_class = contains(surrogate.command_line, CLASS);
            if !surrogate.is(&["dllhost.exe"]) || !(by_class || surrogate.command_line.is_empty()) {
                return None;
            }
            let text = format!(
                "The elevated edition upgrade class started {} as administrator: it is not Windows' own ClipUp.",
                subject.image
            );
            let confidence = if by_class { Confidence::Certain } else { Confidence::High };
            Evidence::new(Severity::High, confidence, text)
                .client(subject)
                .server(surrogate)
                .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(subject), Reasons::UNKNOWN_BINARY))
        }
        Activity::ProcessAccess(access) if contains(access.call_trace, "editionupgrademanagerobj.dll") => {
            let text = format!(
                "{} reached {} through the edition upgrade class's library: its elevated interface is being used.",
                subject.name(),
                crate::text::base_name(access.target.image),
            );
            Evidence::new(Severity::High, Confidence::Certain, text)
                .client(subject)
                .server(context.actor(&access.target))
        }
        _ => return None,
    };
    Some(
        evidence
            .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .channel(Mechanism::Com, CLASS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SURROGATE: &str = "dllhost.exe /Processid:{BD54C901-076B-434E-B6C7-17C531F4AB41}";

    #[test]
    fn a_misplaced_upgrade_program_fires() {
        let events = [start(0, r"C:\Users\a\AppData\Local\Temp\system32\ClipUp.exe", "ClipUp.exe -pg")
            .by(r"C:\Windows\System32\dllhost.exe", SURROGATE)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn a_call_trace_through_the_class_fires() {
        let access = backchannel_events::Access {
            target: backchannel_events::Process { image: r"C:\Windows\System32\ClipUp.exe", ..Default::default() },
            call_trace: r"C:\Windows\SYSTEM32\ntdll.dll+a|C:\Windows\System32\editionupgrademanagerobj.dll+1ac",
            ..Default::default()
        };
        let events = [event(0, Activity::ProcessAccess(access)).of(r"C:\Windows\System32\dllhost.exe", 4)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn windows_own_program_is_quiet() {
        let events = [start(0, r"C:\Windows\System32\ClipUp.exe", "ClipUp.exe -pg")
            .by(r"C:\Windows\System32\dllhost.exe", SURROGATE)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_program_of_that_name_started_by_a_user_is_quiet() {
        let events = [start(0, r"C:\Users\a\ClipUp.exe", "ClipUp.exe").by(r"C:\Windows\explorer.exe", "explorer.exe")];
        check(&ANALYTIC, &events, None);
    }
}
