//! # IPC-PIPE-015: Rare pipe opened from another machine
//!
//! ## What it detects
//! A pipe opened over SMB that, according to the baseline, remote clients have not opened on this host, and that is not
//! one of Windows' own; more severe if its name looks random or an unknown program serves it.
//!
//! ## Why it matters
//! Implants on different machines communicate through pipes with operator-chosen names.
//!
//! ## Telemetry
//! Security 5145 on IPC$, Sysmon 18 by the kernel, Zeek `smb_files`, and a baseline; inactive without one.
//!
//! ## False positives
//! Backup, database and print software on first use.
//!
//! ## References
//! Playbook LOG-4, KI-1, Q1, Q2, E4; ATT&CK T1559, T1021.002, T1570, T1071; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::vocabulary::hubs;
use crate::vocabulary::pipes::{owners, random};
use crate::{Analytic, Context, Evidence, Family, UserKind, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-015",
    title: "Rare pipe opened from another machine",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1021.002", "T1570", "T1071"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Security, Source::Sysmon, Source::Zeek],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    let pipe = context.pipe()?;
    if edge.user != UserKind::Remote
        || pipe.creation
        || !matches!(standing, Standing::NeverSeen | Standing::NewOnHost | Standing::Rare)
    {
        return None;
    }
    if owners::of(pipe.name).is_some() || owners::is_universal(pipe.name) || hubs::is_shared(pipe.name) {
        return None;
    }
    if context.host.addresses.is_own(pipe.channel.peer) || context.loopback_smb().is_some() {
        return None;
    }
    let server = context.pipe_maker(pipe.channel.name);
    let untrusted = server.is_some_and(|(server, _)| predicates::is_untrusted(server));
    let random = random::is_random(pipe.name);
    let from = context.smb_client(pipe.channel).map_or(pipe.channel.peer, |client| client.address);
    if context.tuning.is_admin_host(from) {
        return None;
    }
    let severity = if untrusted || random { Severity::High } else { Severity::Medium };
    let who = if from.is_empty() { "Another machine" } else { from };
    let why = match (untrusted, random) {
        (true, _) => "; a program that users can replace serves it",
        (false, true) => "; its name looks random",
        (false, false) => "",
    };
    let text =
        format!("{who} opened pipe {}, which remote clients were not seen to open here{why}.", pipe.channel.name);
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::LATERAL_MOVEMENT.and_if(untrusted, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::NamedPipe, pipe.channel.name)
        .from_machine(from);
    if let Some((server, created)) = server {
        evidence =
            evidence.server(server).because(&created.note, format!("{} created {}", server.name(), pipe.channel.name));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const NOW: f64 = 6.0 * 86_400.0;

    fn usual(day: f64) -> Event {
        pipe_opened_from(day * 86_400.0, r"\backup\agent", "10.0.0.40", 0x12_019f).user("CORP", "backup")
    }

    fn opened(pipe: &'static str) -> Event {
        pipe_opened_from(NOW + 9.0, pipe, "10.0.0.99", 0x12_019f).user("CORP", "eve")
    }

    #[test]
    fn a_pipe_that_no_remote_client_opened_before_fires() {
        let found = check_learned(
            &ANALYTIC,
            &learned(usual),
            &[opened(r"\sync")],
            Some((Severity::Medium, Confidence::Medium)),
        );
        assert!(found.iter().all(|finding| finding.reasons == Reasons::LATERAL_MOVEMENT));
    }

    #[test]
    fn an_unknown_server_raises_the_severity() {
        let served = pipe_created(NOW, r"\sync").of(r"C:\Users\eve\x.exe", 60);
        let events = [served, opened(r"\sync")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn what_was_learned_and_windows_own_pipes_are_quiet() {
        check_learned(&ANALYTIC, &learned(usual), &[usual(6.0), opened(r"\spoolss"), opened(r"\srvsvc")], None);
    }

    #[test]
    fn a_local_client_and_a_host_without_a_baseline_are_quiet() {
        let local = pipe_opened(NOW, r"\sync").of(r"C:\Program Files\T\t.exe", 60).user("CORP", "eve");
        check_learned(&ANALYTIC, &learned(usual), &[local], None);
        check(&ANALYTIC, &[opened(r"\sync")], None);
    }
}
