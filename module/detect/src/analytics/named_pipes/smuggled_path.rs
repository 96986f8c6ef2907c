//! # IPC-PIPE-008: Pipe name contains a second pipe path
//!
//! ## What it detects
//! A pipe named `\<anything>\pipe\<service>`: a path component `pipe` that is not the first.
//!
//! ## Why it matters
//! A privileged service that is given the path `\\host/pipe/x\pipe\spoolss` opens the attacker's pipe, whose server can
//! then impersonate it. The "potato" tools escalate a service account to SYSTEM this way.
//!
//! ## Telemetry
//! Sysmon 17 and 18.
//!
//! ## False positives
//! Application containers use `\pipe\LOCAL\...`, Citrix `\CtxShare...`: both are excluded.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1187, T1068; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::text::{find, is_any, starts_with};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-008",
    title: "Pipe name contains a second pipe path",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1187", "T1068"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Services that are known targets.
const LURED: &[&str] = &[
    "srvsvc",
    "spoolss",
    "epmapper",
    "lsarpc",
    "efsrpc",
    "netdfs",
    "FssagentRpc",
    "samr",
    "netlogon",
    "lsass",
    "eventlog",
    "winreg",
    "atsvc",
    "svcctl",
    "wkssvc",
];

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let at = find(pipe.name, r"\pipe\")?;
    let (front, tail) = (pipe.name.get(..at)?, pipe.name.get(at + r"\pipe\".len()..)?);
    if front.is_empty() || starts_with(pipe.name, "CtxShare") {
        return None;
    }
    let (client, server) = context.pipe_ends(&pipe);
    if !pipe.creation && !server.is_unknown() {
        // Reported at the creation.
        return None;
    }
    let lured = is_any(tail, LURED) || is_any(front, &["coerced"]);
    let severity = if lured { Severity::Critical } else { Severity::High };
    let act = if pipe.creation {
        format!("{} made", label(server))
    } else if pipe.channel.remote {
        "A client came over SMB to".to_owned()
    } else {
        format!("{} opened", label(client))
    };
    let text = format!(
        "{act} pipe {}: the name makes a service that means \\pipe\\{tail} connect here and lend its token.",
        pipe.channel.name
    );
    let ends = [client, server];
    let reasons = Reasons::DCOM_EXPLOITATION
        .and_if(ends.iter().any(|&end| predicates::is_privileged(end)), Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(ends.iter().any(|&end| predicates::is_unknown_binary(end)), Reasons::UNKNOWN_BINARY);
    Some(
        Evidence::new(severity, Confidence::High, text)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .pipe(context, &pipe),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_second_path_to_the_spooler_fires() {
        let events = [
            pipe_created(0, r"\0c5de65b-4f6e-4b4c-8d0f-111122223333\pipe\spoolss").of(r"C:\Users\bob\p.exe", 67),
            pipe_remote(1, r"\0c5de65b-4f6e-4b4c-8d0f-111122223333\pipe\spoolss"),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert_eq!(found.len(), 1, "the opening of a pipe that was already told is no second finding");
    }

    #[test]
    fn an_unknown_tail_is_high_and_an_opening_alone_is_enough() {
        check(&ANALYTIC, &[pipe_remote(0, r"\abc\PIPE\thing")], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_container_s_local_pipe_is_quiet() {
        let events = [
            pipe_created(0, r"\pipe\LOCAL\Monitor").of(r"C:\Users\bob\m.exe", 67),
            pipe_created(1, r"\pipe\srvsvc").of(r"C:\Windows\System32\svchost.exe", 68),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn names_that_contain_pipe_without_a_separator_are_quiet() {
        let events = [
            pipe_created(0, r"\PIPE_EVENTROOT\CIMV2").of(r"C:\Windows\System32\svchost.exe", 67),
            pipe_created(1, r"\sql\pipeline\x").of(r"C:\Program Files\a\b.exe", 68),
            pipe_created(2, r"\CtxShare\pipe\file").of(r"C:\Program Files\Citrix\b.exe", 69),
        ];
        check(&ANALYTIC, &events, None);
    }
}
