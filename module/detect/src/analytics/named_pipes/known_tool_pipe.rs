//! # IPC-PIPE-001: Pipe of a known command-and-control tool
//!
//! ## What it detects
//! A pipe whose name is a known default of an implant or a remote shell, created or opened by any process; or a name
//! that matches the site's PipeNamePattern.
//!
//! ## Why it matters
//! Operators link implants inside a network over named pipes, because SMB is allowed where internet access is not. Many
//! keep the default name.
//!
//! ## Telemetry
//! Sysmon 17 and 18, Security 5145 on IPC$, Zeek `smb_files`.
//!
//! ## False positives
//! Names that legitimate software also uses (`testPipe`, `screenshot` ...) are low unless a script host or a program in
//! a user-writable location is at one end. A signed program in Program Files: low.
//!
//! ## References
//! ATT&CK T1559, T1071, T1570; DET0493 (AN1357). Vendors' reports named in the vocabulary.

use backchannel_events::{
    ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, SignatureStatus, Source,
};

use crate::context::PipeUse;
use crate::context::pipes::label;
use crate::vocabulary::pipes::tools;
use crate::{Analytic, Context, Evidence, Family, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-001",
    title: "Pipe of a known command-and-control tool",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1071", "T1570"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security, Source::Zeek],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let Some(tool) = tools::c2(pipe.name) else {
        let pattern = context.tuning.watched_pipes.find(pipe.name)?;
        return Some(watched(context, &pipe, pattern));
    };
    let (client, server) = context.pipe_ends(&pipe);
    let ends = [client, server];
    let strange = ends
        .iter()
        .any(|&end| predicates::is_untrusted(end) || predicates::is_script_host(end) || predicates::is_lolbin(end));
    let product = server.signature == SignatureStatus::Trusted && text::contains(server.image, r"\Program Files");
    let (severity, confidence) = match tool.shared {
        false if product => (Severity::Low, Confidence::Low),
        false => (Severity::Critical, Confidence::High),
        true if strange => (Severity::Medium, Confidence::Medium),
        true => (Severity::Low, Confidence::Low),
    };
    let remote = context.is_from_elsewhere(pipe.channel);
    let act = if pipe.creation {
        format!("{} created", label(server))
    } else if pipe.channel.remote {
        "a client on the network opened".to_owned()
    } else {
        format!("{} opened", label(client))
    };
    let text = format!("{act} pipe {}: the name is a default of {}.", pipe.channel.name, tool.family);
    let malicious = !tool.shared && severity == Severity::Critical;
    let reasons = Reasons::NONE
        .and_if(malicious || ends.iter().any(|&end| predicates::is_unknown_binary(end)), Reasons::UNKNOWN_BINARY)
        .and_if(ends.iter().any(|&end| predicates::is_privileged(end)), Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(remote, Reasons::LATERAL_MOVEMENT);
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .pipe(context, &pipe);
    if pipe.channel.remote {
        let from = context.smb_client(pipe.channel);
        evidence = evidence.from_machine(from.map_or("", |from| from.address));
        if let Some(note) = from.and_then(|from| from.note) {
            evidence = evidence.because(note, "Somebody came in over SMB at that time");
        }
    }
    if !pipe.creation
        && let Some((maker, created)) = context.pipe_maker(pipe.channel.name)
    {
        evidence = evidence.because(&created.note, format!("{} created the pipe", label(maker)));
    }
    Some(evidence)
}

/// A name that the site watches (ATT&CK's PipeNamePattern).
fn watched(context: &Context<'_>, pipe: &PipeUse<'_>, pattern: &str) -> Evidence {
    let (client, server) = context.pipe_ends(pipe);
    let ends = [client, server];
    let who = if pipe.creation { server } else { client };
    let text = format!("{} used pipe {}: this site watches names like {pattern}.", label(who), pipe.channel.name);
    Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(ends.iter().any(|&end| predicates::is_unknown_binary(end)), Reasons::UNKNOWN_BINARY)
                .and_if(ends.iter().any(|&end| predicates::is_privileged(end)), Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(context.is_from_elsewhere(pipe.channel), Reasons::LATERAL_MOVEMENT),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .pipe(context, pipe)
        .smb_client(context, pipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn an_implant_s_default_name_fires_on_creation() {
        let events = [pipe_created(0, r"\gruntsvc").of(r"C:\Users\bob\grunt.exe", 4112)];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_remote_opening_fires_without_a_process_and_names_the_peer() {
        let events = [pipe_opened_from(0, r"\46a676ab7f179e511e30dd2dc41bd388", "10.0.0.9", 0x12019f)];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert_eq!(found[0].channel.as_ref().unwrap().peer, "10.0.0.9");
        assert!(found[0].reasons.contains(backchannel_events::Reason::LateralMovement));
    }

    #[test]
    fn a_shared_name_counts_with_a_script_host_and_is_low_for_a_product() {
        let shell = [pipe_created(0, r"\testPipe").of(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", 7)];
        check(&ANALYTIC, &shell, Some((Severity::Medium, Confidence::Medium)));
        let product = [pipe_created(0, r"\screenshot").of(r"C:\Program Files\Snap\snap.exe", 8)];
        check(&ANALYTIC, &product, Some((Severity::Low, Confidence::Low)));
    }

    #[test]
    fn an_anonymous_pipe_is_quiet() {
        let mut event = pipe_created(0, "<Anonymous Pipe>").of(r"C:\Users\bob\a.exe", 9);
        let channel = backchannel_events::Channel {
            mechanism: backchannel_events::Mechanism::AnonymousPipe,
            name: "<Anonymous Pipe>",
            ..Default::default()
        };
        event.0.activity = backchannel_events::Activity::ChannelCreate(channel);
        check(&ANALYTIC, &[event], None);
    }

    #[test]
    fn a_name_that_only_contains_a_tool_s_is_quiet() {
        let events = [pipe_created(0, r"\gruntsvc2").of(r"C:\Users\bob\a.exe", 9), pipe_opened(1, r"\spoolss").pid(9)];
        check(&ANALYTIC, &events, None);
    }
}
