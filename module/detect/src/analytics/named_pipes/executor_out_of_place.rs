//! # IPC-PIPE-006: Remote executor's pipe created by an unexpected program
//!
//! ## What it detects
//! The pipe of PsExec or a similar tool, created by a program that is not a service installed in the Windows folder:
//! its file is in a user-writable folder, its parent is not `services.exe`, or it does not run at System integrity.
//!
//! ## Why it matters
//! The genuine executor always runs as a service. A look-alike uses the name for masquerading, or waits for a
//! privileged client to impersonate.
//!
//! ## Telemetry
//! Sysmon 17, with Sysmon 1 or Security 4688 for parent and integrity.
//!
//! ## False positives
//! A service binary that a user copied to another folder and that `services.exe` started: medium.
//!
//! ## References
//! ATT&CK T1559, T1569.002, T1068; DET0493 (AN1357).

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::pipes::label;
use crate::vocabulary::pipes::tools;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-006",
    title: "Remote executor's pipe created by an unexpected program",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1569.002", "T1068"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let tool = tools::executor(pipe.name)?;
    let (server, parent) = (context.subject(), context.parent());
    if server.image.is_empty() {
        return None;
    }
    let by_services = parent.is(&["services.exe"]);
    let misplaced = predicates::is_user_writable(server.image);
    let orphan = !parent.image.is_empty() && !by_services;
    let weak = server.integrity != Integrity::Unknown && server.integrity < Integrity::System;
    let why = match (misplaced, orphan, weak) {
        (true, ..) => format!("it lies in {}", crate::text::directory(server.image)),
        (_, true, _) => format!("{} started it, not the service manager", parent.name()),
        (.., true) => "it does not run as a service".to_owned(),
        _ => return None,
    };
    let severity = if misplaced && by_services && !weak { Severity::Medium } else { Severity::High };
    let text = format!("{} made pipe {} of {}, but {why}.", label(server), pipe.channel.name, tool.family);
    let reasons = Reasons::NONE
        .and_if(predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY)
        .and_if(predicates::is_privileged(server), Reasons::ADMINISTRATIVE_PRIVILEGES);
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .server(server)
        .channel(Mechanism::NamedPipe, pipe.channel.name);
    if let Some(known) = server.known {
        evidence = evidence.because(&known.note, format!("{} was started by {}", label(server), label(parent)));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SERVICES: &str = r"C:\Windows\System32\services.exe";

    #[test]
    fn a_look_alike_in_a_temp_folder_fires() {
        let events = [pipe_created(0, r"\PSEXESVC").of(r"C:\Users\Public\PSEXESVC.exe", 77)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_shell_s_child_that_makes_the_pipe_fires() {
        let events = [
            start(0, r"C:\Windows\srv.exe", "srv.exe").pid(77).by(r"C:\Windows\System32\cmd.exe", "cmd.exe"),
            pipe_created(1, r"\RemCom_communicaton").of(r"C:\Windows\srv.exe", 77),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_copied_binary_that_runs_as_a_service_is_medium() {
        let events = [
            start(0, r"C:\Users\a\PSEXESVC.exe", "PSEXESVC.exe").pid(77).by(SERVICES, "").integrity(Integrity::System),
            pipe_created(1, r"\PSEXESVC").of(r"C:\Users\a\PSEXESVC.exe", 77),
        ];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn the_real_service_is_quiet() {
        let events = [
            start(0, r"C:\Windows\PSEXESVC.exe", r"C:\Windows\PSEXESVC.exe")
                .pid(77)
                .by(SERVICES, SERVICES)
                .integrity(Integrity::System),
            pipe_created(1, r"\PSEXESVC").of(r"C:\Windows\PSEXESVC.exe", 77),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn the_real_service_whose_start_was_not_seen_is_quiet() {
        check(&ANALYTIC, &[pipe_created(1, r"\PSEXESVC").of(r"C:\Windows\PSEXESVC.exe", 77)], None);
    }
}
