//! # IPC-BASE-008: Burst of inter-process communication
//!
//! ## What it detects
//! One process or remote client that opens more than twenty channels of five or more kinds within a minute; with a
//! baseline, more than five times the busiest minute learned for the same exchange. Channels that every process uses
//! are not counted, and nothing is reported in the first ten minutes of a host.
//!
//! ## Why it matters
//! Enumeration of IPC endpoints tries many channels in a short time; level 1 of the playbook requires the detection of
//! patterns and bursts.
//!
//! ## Telemetry
//! Sysmon 18, Security 5145, auditd connect, Endpoint Security.
//!
//! ## False positives
//! Security scans, inventory, programs that start many helpers: low for programs of the system, allow by path.
//!
//! ## References
//! Playbook L1c, Q2, KI-1; ATT&CK T1559, T1046; DET0493 (AN1357, AN1358).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::hubs;
use crate::{Analytic, Context, Evidence, Family, Threshold, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-008",
    title: "Burst of inter-process communication",
    family: Family::Generic,
    techniques: &["T1559", "T1046"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Security, Source::Auditd, Source::EndpointSecurity],
    thresholds: &[MANY, KINDS],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Openings within a minute above which a burst is reported ...
const MANY: Threshold = Threshold {
    name: "channels",
    default: 20,
    least: 5,
    most: 10_000,
    about: "channels that one process or remote client opens within a minute",
};
/// ... if they have at least this many kinds of channel.
const KINDS: Threshold =
    Threshold { name: "kinds", default: 5, least: 1, most: 16, about: "kinds of channel among them" };
/// A burst is evaluated again after this many more openings.
const AGAIN: u32 = 16;
/// A host that starts, or whose log starts, is not evaluated for this long.
const QUIET: Duration = Duration::from_secs(600);
/// Multiple of the busiest minute in the baseline above which a burst is reported.
const TIMES: u32 = 5;

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    let rate = context.host.rates.of(event, channel.peer)?;
    let many = context.threshold(&MANY);
    let again = rate.count.checked_sub(many).is_some_and(|more| more.is_multiple_of(AGAIN));
    if !again || rate.kinds() < context.threshold(&KINDS) as usize {
        return None;
    }
    if channel.mechanism == Mechanism::AnonymousPipe || hubs::is_shared(channel.name) || has_just_started(context) {
        return None;
    }
    let count = rate.count + 1;
    if let Some((edge, _)) = context.exchange
        && let Some(busiest) = context.baseline.and_then(|baseline| baseline.busiest_minute(edge))
        && count <= busiest.saturating_mul(TIMES)
    {
        return None;
    }
    let remote = channel.remote || !channel.peer.is_empty();
    if context.tuning.may_call(channel.peer) || context.host.addresses.is_own(channel.peer) {
        return None;
    }
    let actor = if remote { Default::default() } else { context.subject() };
    let untrusted = predicates::is_untrusted(actor);
    let refused = rate.refused >= many / 2;
    let severity = match (untrusted, refused) {
        (true, true) => Severity::High,
        (true, false) | (false, true) => Severity::Medium,
        (false, false) => Severity::Low,
    };
    let who = match (remote, channel.peer) {
        (false, _) => actor.name(),
        (true, "") => "A client on the network",
        (true, peer) => peer,
    };
    let failed = if refused { format!(", {} of them refused", rate.refused) } else { String::new() };
    let kinds = rate.kinds();
    let text = format!("{who} opened {count} channels of {kinds} or more kinds within a minute{failed}.");
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(untrusted && predicates::is_unknown_binary(actor), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(actor)
        .channel(channel.mechanism, "")
        .because(&rate.first, "the first of them".to_owned());
    if remote {
        evidence = evidence.from_machine(channel.peer);
    }
    Some(evidence)
}

/// Whether the host, or its first record, is younger than ten minutes.
fn has_just_started(context: &Context<'_>) -> bool {
    const FIRST: [&str; 5] = ["wininit.exe", "services.exe", "systemd", "init", "launchd"];
    let now = context.event().time;
    context.host.first_seen + QUIET > now
        || context.host.processes.latest_first().any(|known| {
            known.start.is_some_and(|start| start.within(QUIET, now)) && text::is_any(known.name(), &FIRST)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const KIND: [&str; 6] = [r"\alpha", r"\beta", r"\gamma", r"\delta", r"\epsilon", r"\zeta"];

    fn opened(seconds: f64, count: usize, image: &'static str, kinds: usize) -> Vec<Event> {
        let mut events = vec![start(0, r"C:\Windows\explorer.exe", "explorer.exe")];
        let open = |n: usize| pipe_opened(seconds + n as f64, KIND[n % kinds]).of(image, 50).user("CORP", "eve");
        events.extend((0..count).map(open));
        events
    }

    #[test]
    fn an_unknown_program_that_opens_many_kinds_fires() {
        let events = opened(900.0, 30, r"C:\Users\eve\x.exe", 6);
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn refusals_raise_the_severity() {
        let mut events = opened(900.0, 30, r"C:\Users\eve\x.exe", 6);
        for event in &mut events {
            event.0.outcome = backchannel_events::Outcome::Denied;
        }
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(found.iter().any(|finding| finding.text.contains("of them refused")));
    }

    #[test]
    fn a_program_of_the_system_is_only_low() {
        let events = opened(900.0, 30, r"C:\Windows\System32\inventory.exe", 6);
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn many_channels_of_few_kinds_are_quiet() {
        check(&ANALYTIC, &opened(900.0, 60, r"C:\Users\eve\AppData\Local\App\app.exe", 4), None);
    }

    #[test]
    fn the_first_ten_minutes_and_a_boot_are_quiet() {
        check(&ANALYTIC, &opened(300.0, 40, r"C:\Users\eve\x.exe", 6), None);
        let mut booted = opened(900.0, 40, r"C:\Users\eve\x.exe", 6);
        booted.insert(1, start(700, r"C:\Windows\System32\services.exe", "services.exe").pid(9));
        check(&ANALYTIC, &booted, None);
    }

    #[test]
    fn twenty_in_more_than_a_minute_are_quiet() {
        let mut events = opened(900.0, 0, "", 1);
        let open = |n: usize| pipe_opened(900.0 + 5.0 * n as f64, KIND[n % 6]).of(r"C:\Users\eve\x.exe", 50);
        events.extend((0..30).map(open));
        check(&ANALYTIC, &events, None);
    }
}
