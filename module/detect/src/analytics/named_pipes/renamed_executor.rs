//! # IPC-PIPE-005: Renamed remote executor
//!
//! ## What it detects
//! Two or more of the pipes `<service>-<client host>-<client pid>-stdin`, `-stdout`, `-stderr` (or `<service>_stdin`
//! and so on) within ten seconds, whatever the service name. PsExec under its default name is IPC-PIPE-004.
//!
//! ## Why it matters
//! The three pipes carry the standard streams of a command that another machine runs here as a service. Renaming the
//! service does not change the format, and the name contains the client's machine and process.
//!
//! ## Telemetry
//! Sysmon 17 and 18, Security 5145 on IPC$, Zeek `smb_files`.
//!
//! ## False positives
//! None known for the format with host and pid.
//!
//! ## References
//! ATT&CK T1559, T1021.002, T1569.002, T1036; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::memory::Note;
use crate::vocabulary::pipes::{self, tools};
use crate::{Analytic, Context, Evidence, Family, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-005",
    title: "Renamed remote executor",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1021.002", "T1569.002", "T1036"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security, Source::Zeek],
    // The pipes of one command are made within this time.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let stream = pipes::stream(pipe.name)?;
    if tools::executor(pipe.name).is_some() {
        return None;
    }
    let stem = pipe.channel.name.get(..pipe.channel.name.len().checked_sub(stream.which.len())?)?;
    let others: Vec<(&str, &Note)> = ["stdin", "stdout", "stderr"]
        .into_iter()
        .filter(|other| !other.eq_ignore_ascii_case(stream.which))
        .filter_map(|other| Some((other, sibling(context, &format!("{stem}{other}"))?)))
        .collect();
    if others.is_empty() {
        return None;
    }

    let (_, server) = context.pipe_ends(&pipe);
    let impostor = is_impostor(server.image, stream.service);
    let severity = if impostor { Severity::Critical } else { Severity::High };
    let confidence = if stream.pid.is_some() { Confidence::Certain } else { Confidence::High };
    let here = context.is_this_host(stream.host);
    let peer = context.smb_client(pipe.channel).map_or("", |from| from.address);
    let elsewhere = !peer.is_empty() || (!stream.host.is_empty() && !here);
    let from = match (stream.host, stream.pid) {
        (host, Some(pid)) => format!("process {pid} on {host}"),
        _ => "a client".to_owned(),
    };
    let looks = if impostor { format!(", which calls itself {}", server.name()) } else { String::new() };
    let text = format!(
        "Service {}{looks} carries the standard streams of a command that {from} runs here: pipes {stem}* came up together.",
        stream.service
    );
    let dropped = context.dropped_over_smb(server.image);
    let reasons = Reasons::NONE
        .and_if(elsewhere, Reasons::LATERAL_MOVEMENT)
        .and_if(predicates::is_privileged(server), Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(impostor || dropped.is_some() || predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY);
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .pipe(context, &pipe);
    if elsewhere {
        evidence = evidence.from_machine(if peer.is_empty() { stream.host } else { peer });
    }
    for (other, note) in others {
        evidence = evidence.because(note, format!("pipe {stem}{other} was made or opened"));
    }
    if let Some(note) = dropped {
        evidence = evidence.because(note, format!("{} was written over the network", label(server)));
    }
    Some(evidence)
}

/// The record of another of the three, created or opened within the window.
fn sibling<'c>(context: &Context<'c>, name: &str) -> Option<&'c Note> {
    let known = context.channel(name)?;
    let uses = known.created.iter().chain(&known.opened);
    uses.map(|one| &one.note).find(|note| note.time.within(context.window(), context.event().time))
}

/// Whether a service and its program are named like a program of Windows, while the program is in another folder.
fn is_impostor(image: &str, service: &str) -> bool {
    const REAL: &[&str] = &[
        "svchost",
        "lsass",
        "services",
        "csrss",
        "winlogon",
        "spoolsv",
        "taskhostw",
        "smss",
        "wininit",
        "dllhost",
        "conhost",
        "rundll32",
        "wmiprvse",
        "lsm",
        "taskeng",
        "dwm",
    ];
    let name = text::base_name(image);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    image.contains('\\')
        && text::is_any(stem, REAL)
        && stem.eq_ignore_ascii_case(service)
        && !text::contains_any(image, &[r"\System32\", r"\SysWOW64\"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Reason;

    #[test]
    fn two_streams_of_one_client_fire_and_name_it() {
        let events = [
            pipe_opened_from(0, r"\updsvc-WS-07-4242-stdin", "10.0.0.9", 0x120196),
            pipe_opened_from(0.1, r"\updsvc-WS-07-4242-stdout", "10.0.0.9", 0x120089),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
        assert!(found[0].text.contains("process 4242 on WS-07"), "{}", found[0].text);
        assert!(found[0].reasons.contains(Reason::LateralMovement));
    }

    #[test]
    fn a_service_named_svchost_is_critical() {
        let events = [
            pipe_created(0, r"\svchost-WS07-4242-stdin").of(r"C:\Windows\svchost.exe", 900),
            pipe_created(0, r"\svchost-WS07-4242-stderr").of(r"C:\Windows\svchost.exe", 900),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
    }

    #[test]
    fn a_client_on_the_same_machine_is_no_lateral_movement() {
        let events = [
            pipe_created(0, r"\x1-WS01-4242-stdin").of(r"C:\Windows\x1.exe", 900),
            pipe_created(0, r"\x1-WS01-4242-stdout").of(r"C:\Windows\x1.exe", 900),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
        assert!(!found[0].reasons.contains(Reason::LateralMovement));
    }

    #[test]
    fn one_stream_alone_and_streams_far_apart_are_quiet() {
        let one = [
            pipe_created(0, r"\x1-WS07-4242-stdin").of(r"C:\Windows\x1.exe", 900),
            pipe_opened(1, r"\x1-WS07-4242-stdin").of(r"C:\Windows\y.exe", 901),
        ];
        check(&ANALYTIC, &one, None);
        let apart = [
            pipe_created(0, r"\x1-WS07-4242-stdin").of(r"C:\Windows\x1.exe", 900),
            pipe_created(60, r"\x1-WS07-4242-stdout").of(r"C:\Windows\x1.exe", 900),
        ];
        check(&ANALYTIC, &apart, None);
    }

    #[test]
    fn the_executor_s_default_name_is_left_to_another_analytic() {
        let events = [
            pipe_created(0, r"\PSEXESVC-WS07-4242-stdin").of(r"C:\Windows\PSEXESVC.exe", 900),
            pipe_created(0, r"\PSEXESVC-WS07-4242-stdout").of(r"C:\Windows\PSEXESVC.exe", 900),
        ];
        check(&ANALYTIC, &events, None);
    }
}
