//! # IPC-ELEV-001: Elevated COM class starts a child
//!
//! ## What it detects
//! The surrogate (dllhost) of an auto-elevating COM class starts a program: any program for CMSTPLUA and
//! ColorDataProxy, whose interfaces run commands; a program with administrative rights for the other auto-elevating
//! classes (diagnostic profile, file operation, CMLUAUTIL ...). Covers IPC-ELEV-004 and IPC-ELEV-005.
//!
//! ## Why it matters
//! Malware without administrative rights creates such an object with an elevation moniker and has a command run as
//! administrator, without a prompt (UAC bypass).
//!
//! ## Telemetry
//! Sysmon 1; Security 4688, where the surrogate's command line comes from its own start record.
//!
//! ## False positives
//! WireGuard's manager service is installed this way; Connection Manager profiles may run programs: allow by image.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001; DET0224 (AN0628).

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{contains, guid, is_any};
use crate::vocabulary::elevation;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-001",
    title: "Elevated COM class starts a child",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let surrogate = context.parent();
    if !surrogate.is(&["dllhost.exe"]) {
        return None;
    }
    let (class, name, any_child) = elevation::class(guid(surrogate.command_line)?)?;
    let child = context.subject();
    if child.is(&["werfault.exe", "wermgr.exe"]) || is_known_product(child) {
        return None;
    }
    // Edition upgrades run ClipUp from System32; other folders are covered by IPC-ELEV-002.
    if is_any(child.name(), &["clipup.exe"]) || (!any_child && child.integrity < Integrity::High) {
        return None;
    }
    let confidence = if *any_child { Confidence::Certain } else { Confidence::High };
    let text = format!(
        "The elevated COM class {name} started {} as {}: a program of an ordinary user had a command run as \
         administrator without a prompt.",
        child.name(),
        child.account(),
    );
    Some(
        Evidence::new(Severity::High, confidence, text)
            .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .client(child)
            .server(surrogate)
            .channel(Mechanism::Com, *class),
    )
}

fn is_known_product(child: Actor<'_>) -> bool {
    child.is(&["wireguard.exe"])
        && contains(child.command_line, "/installmanagerservice")
        && predicates::is_system_path(child.image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DLLHOST: &str = r"C:\Windows\System32\dllhost.exe";
    const CMSTPLUA: &str = "dllhost.exe /Processid:{3E5FC7F9-9A51-4367-9063-A120244FBEC7}";
    const DIAGNOSTIC: &str = "dllhost.exe /Processid:{12C21EA7-2EB8-4B55-9249-AC243DA8C666}";

    #[test]
    fn a_shell_from_the_connection_manager_class_fires() {
        let events = [start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe").by(DLLHOST, CMSTPLUA).user("WS01", "alice")];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
        assert_eq!(findings[0].reasons, Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION));
    }

    #[test]
    fn the_surrogate_s_command_line_comes_from_its_start_record() {
        let events =
            [start(0, DLLHOST, CMSTPLUA).pid(40), start(1, r"C:\Windows\System32\cmd.exe", "").pid(41).parent_pid(40)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn another_elevated_class_needs_an_elevated_child() {
        let child = start(0, r"C:\Users\a\x.exe", "x.exe").by(DLLHOST, DIAGNOSTIC);
        check(&ANALYTIC, &[child.integrity(Integrity::Medium)], None);
        check(&ANALYTIC, &[child.integrity(Integrity::High)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn error_reporting_and_the_thumbnail_surrogate_are_quiet() {
        let events = [
            start(0, r"C:\Windows\System32\WerFault.exe", "WerFault.exe -u").by(DLLHOST, CMSTPLUA),
            start(1, r"C:\Windows\System32\cmd.exe", "cmd.exe")
                .by(DLLHOST, "dllhost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}")
                .integrity(Integrity::High),
        ];
        check(&ANALYTIC, &events, None);
    }
}
