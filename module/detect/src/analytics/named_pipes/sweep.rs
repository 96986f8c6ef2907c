//! # IPC-PIPE-019: Pipe sweep
//!
//! ## What it detects
//! One source that opens eight or more different kinds of pipe on a host within ten seconds, or one local process that
//! opens twelve. Kinds are counted instead of names, because browsers open hundreds of pipes of one kind. One source on
//! many hosts is detected by the correlator (IPC-CHAIN-002).
//!
//! ## Why it matters
//! Scanners and attack frameworks try one RPC pipe after another to enumerate the available services.
//!
//! ## Telemetry
//! Sysmon 18, Security 5145 on IPC$, Zeek.
//!
//! ## False positives
//! Vulnerability scanners and inventory: declare them as admin hosts or add an allow entry.
//!
//! ## References
//! ATT&CK T1559, T1046, T1135, T1087; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Severity, Source};

use crate::context::pipes::label;
use crate::memory::Tally;
use crate::vocabulary::pipes;
use crate::{Analytic, Context, Evidence, Family, Threshold};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-019",
    title: "Pipe sweep",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1046", "T1135", "T1087"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security, Source::Zeek],
    thresholds: &[REMOTE, LOCAL],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Time within which kinds are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Kinds from one remote source.
const REMOTE: Threshold = Threshold {
    name: "remote_kinds",
    default: 8,
    least: 2,
    most: 64,
    about: "kinds of pipe that one machine opens within ten seconds",
};
/// Kinds by one local process.
const LOCAL: Threshold = Threshold {
    name: "local_kinds",
    default: 12,
    about: "kinds of pipe that one local process opens within ten seconds",
    ..REMOTE
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let channel = pipe.channel;
    let pid = event.process.pid.map(|pid| pid.to_string());
    let (tally, actor) = match (channel.peer, event.process.entity) {
        ("", "") => (Tally::PipesByProcess, pid.as_deref()?),
        ("", entity) => (Tally::PipesByProcess, entity),
        (peer, _) => (Tally::PipesByPeer, peer),
    };
    if context.host.addresses.is_own(channel.peer) || context.tuning.may_call(channel.peer) {
        return None;
    }
    let actor = if tally == Tally::PipesByPeer { actor.to_ascii_lowercase() } else { actor.to_owned() };
    let least = context.threshold(if channel.remote { &REMOTE } else { &LOCAL }) as usize;
    if context.host.tallies.times(tally, &actor, event.time, WINDOW) + 1 < least {
        return None;
    }
    let earlier = context.host.tallies.distinct(tally, &actor, event.time, WINDOW);
    let class = pipes::class_on(channel.name, &context.host.key, event.process.user.name);
    let fresh = !earlier.iter().any(|(known, _)| *known == class);
    let count = earlier.len() + usize::from(fresh);
    if count < least {
        return None;
    }
    let client = if channel.remote { Default::default() } else { context.subject() };
    let who = match (channel.remote, channel.peer) {
        (false, _) => label(client),
        (true, "") => "A client on the network".to_owned(),
        (true, peer) => peer.to_owned(),
    };
    let mut names: Vec<&str> = earlier.iter().map(|(name, _)| *name).collect();
    if fresh {
        names.push(&class);
    }
    let text = format!("{who} opened {count} kinds of pipe within {} s: {}.", WINDOW.as_secs(), names.join(", "));
    let mut evidence = Evidence::new(Severity::Medium, Confidence::High, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(Mechanism::NamedPipe, "");
    if channel.remote {
        let from = context.smb_client(channel);
        evidence = evidence.from_machine(from.map_or("", |from| from.address));
    }
    for (name, note) in &earlier {
        evidence = evidence.because(note, format!("pipe {name} was opened"));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const PIPES: [&str; 12] = [
        r"\lsass",
        r"\browser",
        r"\atsvc",
        r"\epmapper",
        r"\eventlog",
        r"\InitShutdown",
        r"\spoolss",
        r"\srvsvc",
        r"\svcctl",
        r"\tapsrv",
        r"\winreg",
        r"\wkssvc",
    ];

    #[test]
    fn eight_kinds_from_one_address_fire_once() {
        let events: Vec<Event> = PIPES
            .iter()
            .enumerate()
            .map(|(i, pipe)| pipe_opened_from(i as f64 / 4.0, pipe, "10.0.0.9", 0x12019f))
            .collect();
        check(&ANALYTIC, &events[..7], None);
        let found = check(&ANALYTIC, &events[..8], Some((Severity::Medium, Confidence::High)));
        assert_eq!((found.len(), found[0].evidence.len()), (1, 8));
    }

    #[test]
    fn a_client_known_only_as_the_kernel_fires_too() {
        let events: Vec<Event> = PIPES.iter().enumerate().map(|(i, pipe)| pipe_remote(i as f64 / 4.0, pipe)).collect();
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_local_process_needs_twelve() {
        let by = |pipe| move |at: f64| pipe_opened(at, pipe).of(r"C:\Users\bob\scan.exe", 55);
        let events: Vec<Event> = PIPES.iter().enumerate().map(|(i, pipe)| by(pipe)(i as f64 / 4.0)).collect();
        check(&ANALYTIC, &events[..11], None);
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_browser_s_many_pipes_are_one_kind() {
        let names = [
            r"\mojo.55.1.11",
            r"\mojo.55.1.12",
            r"\mojo.55.1.13",
            r"\mojo.55.1.14",
            r"\mojo.55.1.15",
            r"\mojo.55.1.16",
            r"\mojo.55.1.17",
            r"\mojo.55.1.18",
            r"\mojo.55.1.19",
            r"\mojo.55.1.20",
            r"\mojo.55.1.21",
            r"\mojo.55.1.22",
        ];
        let events: Vec<Event> =
            names.iter().map(|name| pipe_opened(0, name).of(r"C:\Program Files\B\browser.exe", 55)).collect();
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn the_same_kinds_over_minutes_are_quiet() {
        let events: Vec<Event> =
            PIPES.iter().enumerate().map(|(i, pipe)| pipe_opened_from(i as f64 * 5.0, pipe, "10.0.0.9", 3)).collect();
        check(&ANALYTIC, &events, None);
    }
}
