//! # IPC-DCOM-012: Excel starts a program through ActivateMicrosoftApp
//!
//! ## What it detects
//! Excel starts `FoxProw.exe`, `schdplus.exe` or `WinProj.exe`.
//!
//! ## Why it matters
//! `Application.ActivateMicrosoftApp` searches these programs along the search path. Two of them have not been shipped
//! for decades: a file of that name placed in the path is run by Excel when the method is called.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688.
//!
//! ## False positives
//! Microsoft Project if installed and in use: low.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1574; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::contains;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-012",
    title: "Excel starts a program through ActivateMicrosoftApp",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1574"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (child, excel) = (context.subject(), context.parent());
    if !child.is(&["foxprow.exe", "schdplus.exe", "winproj.exe"]) || !excel.is(&["excel.exe"]) {
        return None;
    }
    let activation = context.activation_of(excel).filter(|activation| activation.is_remote());
    let installed = child.is(&["winproj.exe"])
        && contains(child.image, r"\Microsoft Office")
        && !predicates::is_untrusted(child)
        && child.session != Some(0)
        && activation.is_none();
    let unknown = predicates::is_unknown_binary(child);
    let (severity, confidence) =
        if installed { (Severity::Low, Confidence::Medium) } else { (Severity::High, Confidence::High) };
    let text = format!(
        "Excel started {} from {}, as ActivateMicrosoftApp does: the program is looked up along the search path.",
        child.name(),
        crate::text::directory(child.image),
    );
    let reasons = Reasons::NONE
        .and_if(!installed, Reasons::DCOM_EXPLOITATION)
        .and_if(unknown, Reasons::UNKNOWN_BINARY)
        .and_if(activation.is_some(), Reasons::LATERAL_MOVEMENT);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(excel)
        .server(child)
        .channel(if activation.is_some() { Mechanism::Dcom } else { Mechanism::Com }, "Excel.Application");
    Some(match activation {
        Some(activation) => evidence.from_machine(&*activation.peer),
        None => evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";

    #[test]
    fn a_program_that_no_longer_exists_fires() {
        let planted =
            start(0, r"C:\Users\alice\AppData\Local\Microsoft\WindowsApps\FOXPROW.EXE", "FOXPROW").by(EXCEL, "");
        check(&ANALYTIC, &[planted], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_remote_caller_is_named() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            start(1, EXCEL, "EXCEL.EXE /automation -Embedding")
                .pid(70)
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
            start(2, r"C:\Windows\schdplus.exe", "schdplus").parent_pid(70),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("10.0.0.9"));
    }

    #[test]
    fn an_installed_project_is_low() {
        let project = start(0, r"C:\Program Files\Microsoft Office\root\Office16\WINPROJ.EXE", "WINPROJ").by(EXCEL, "");
        check(&ANALYTIC, &[project.session(1)], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn other_parents_and_other_children_are_quiet() {
        let events = [
            start(0, r"C:\Users\alice\FOXPROW.EXE", "FOXPROW").by(r"C:\Windows\explorer.exe", ""),
            start(1, r"C:\Windows\splwow64.exe", "splwow64.exe 8192").by(EXCEL, ""),
        ];
        check(&ANALYTIC, &events, None);
    }
}
