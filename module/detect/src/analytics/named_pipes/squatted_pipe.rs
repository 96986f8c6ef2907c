//! # IPC-PIPE-007: Well-known pipe created by an unexpected program
//!
//! ## What it detects
//! A pipe of Windows or of a well-known product (`spoolss`, `lsass`, `eventlog`, `docker_engine` ...) created by a
//! program whose full path is not one of the owner's; more severe if a privileged client then opens it.
//!
//! ## Why it matters
//! The first process to create a pipe serves its clients. A client that trusts the name sends data to it, and the
//! server may impersonate that client.
//!
//! ## Telemetry
//! Sysmon 17 and 18.
//!
//! ## False positives
//! Third-party print spoolers and agents that use a well-known name: not reported with a valid signature in a folder
//! that users cannot write to; allow others by path.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1068; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, SignatureStatus, Source,
};

use crate::context::pipes::label;
use crate::vocabulary::pipes::owners;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-007",
    title: "Well-known pipe created by an unexpected program",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1068"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

/// A privileged client counts this long after the creation.
const BAIT: Duration = Duration::from_secs(600);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let owner = owners::of(pipe.name)?;
    let (server, created) = if pipe.creation {
        (context.subject(), None)
    } else {
        let (maker, created) = context.pipe_maker(pipe.channel.name)?;
        (maker, Some(created))
    };
    if owner.may_be(server.image) || is_signed_product(server) {
        return None;
    }
    let mut severity = Severity::High;
    let mut text = format!(
        "{} made pipe {}, which belongs to another program: clients that open it by name now talk to {}.",
        label(server),
        pipe.channel.name,
        server.image
    );
    if let Some(created) = created {
        // Over SMB the kernel opens it on a client's behalf, as for a coerced service that connects to the pipe.
        let opener = context.subject();
        let privileged = pipe.channel.remote || predicates::is_local_system(opener);
        if !privileged || predicates::is_local_system(server) || !created.note.time.within(BAIT, event.time) {
            return None;
        }
        severity = Severity::Critical;
        text = format!(
            "{} opened pipe {}, which {} had made in its owner's place: the server can take the client's token.",
            label(opener),
            pipe.channel.name,
            label(server)
        );
    }
    let reasons = Reasons::NONE
        .and_if(predicates::is_privileged(server) || severity == Severity::Critical, Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY);
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .pipe(context, &pipe);
    if let Some(created) = created {
        evidence = evidence.because(&created.note, format!("{} made the pipe", label(server)));
    }
    Some(evidence)
}

fn is_signed_product(server: Actor<'_>) -> bool {
    server.signature == SignatureStatus::Trusted && predicates::is_system_path(server.image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_spooler_s_pipe_made_by_a_user_s_program_fires() {
        let events = [pipe_created(0, r"\spoolss").of(r"C:\Users\bob\x.exe", 40)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_privileged_client_makes_it_critical() {
        let events = [
            pipe_created(0, r"\wkssvc").of(r"C:\Windows\System32\cmd.exe", 40),
            pipe_opened(30, r"\wkssvc").of(r"C:\Windows\System32\svchost.exe", 41).user("NT AUTHORITY", "SYSTEM"),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert!(found.iter().any(|f| f.reasons.contains(backchannel_events::Reason::AdministrativePrivileges)));
    }

    #[test]
    fn the_owner_in_its_own_folder_is_quiet_whatever_the_case() {
        let events = [
            pipe_created(0, r"\spoolss").of(r"c:\windows\system32\SPOOLSV.EXE", 40),
            pipe_created(1, r"\lsass").of(r"\Device\HarddiskVolume2\Windows\System32\lsass.exe", 41),
            pipe_created(2, r"\MSSQL$PAY\sql\query").of(r"D:\MSSQL\Binn\sqlservr.exe", 42),
            pipe_opened(3, r"\spoolss").of(r"C:\Users\bob\x.exe", 43),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_pipe_without_a_known_owner_is_quiet() {
        let events = [
            pipe_created(0, r"\spoolss_helper").of(r"C:\Users\bob\x.exe", 40),
            pipe_opened(1, r"\spoolss").of(r"C:\Windows\System32\svchost.exe", 4).user("NT AUTHORITY", "SYSTEM"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
