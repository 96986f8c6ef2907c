//! # IPC-BASE-006: Known bad endpoint of a channel
//!
//! ## What it detects
//! A process that creates or opens a channel, activates a class or calls a procedure, where the program, its hash, the
//! channel, the class or the other machine's address is on one of the site's lists of indicators.
//!
//! ## Why it matters
//! The indicator is already classified as malicious: the playbook's "known malware signatures or hashes".
//!
//! ## Telemetry
//! Any log with channels: Sysmon 17 and 18, Security 5145, DistributedCOM, auditd, Zeek and others; hashes need
//! Sysmon 1.
//!
//! ## False positives
//! They depend on the list: severity and confidence come from it, and entries expire.
//!
//! ## References
//! Playbook E3, T2 actions; ATT&CK T1559; DET0493 (AN1357, AN1358).

use backchannel_events::{Activity, ActivityKind, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::text::matches;
use crate::{Analytic, Context, Evidence, Family, Indicator, IndicatorKind};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-006",
    title: "Known bad endpoint of a channel",
    family: Family::Generic,
    techniques: &["T1559"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Critical,
    on: &[
        ActivityKind::ChannelCreate,
        ActivityKind::ChannelConnect,
        ActivityKind::ChannelAccept,
        ActivityKind::ComActivation,
        ActivityKind::RpcCall,
    ],
    telemetry: &[Source::Sysmon, Source::Security, Source::DistributedCom, Source::Auditd, Source::Zeek],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if context.tuning.indicators.is_empty() {
        return None;
    }
    let (mechanism, channel, clsid, peer) = match &event.activity {
        Activity::ChannelCreate(channel) | Activity::ChannelConnect(channel) | Activity::ChannelAccept(channel) => {
            (channel.mechanism, channel.name, "", channel.peer)
        }
        Activity::ComActivation(com) => (backchannel_events::Mechanism::Com, "", com.clsid, com.peer),
        Activity::RpcCall(call) => (call.channel.mechanism, call.channel.name, call.object, call.client.address),
        _ => return None,
    };
    let subject = context.subject();
    let hashes = [subject.hashes.md5, subject.hashes.sha1, subject.hashes.sha256, subject.hashes.imphash];
    let hit = |indicator: &&Indicator| {
        let value = indicator.value.as_str();
        indicator.expires.is_none_or(|end| event.time <= end)
            && match indicator.kind {
                IndicatorKind::Hash => hashes.iter().any(|hash| !hash.is_empty() && hash.eq_ignore_ascii_case(value)),
                IndicatorKind::Image => {
                    !subject.image.is_empty() && (matches(value, subject.image) || matches(value, subject.name()))
                }
                IndicatorKind::Channel => {
                    !channel.is_empty() && (matches(value, channel) || matches(value, channel.trim_start_matches('\\')))
                }
                IndicatorKind::Clsid => !clsid.is_empty() && matches(value, clsid),
                IndicatorKind::Address => !peer.is_empty() && value == peer,
            }
    };
    let indicator = context.tuning.indicators.iter().find(hit)?;
    let who = if subject.name().is_empty() { peer } else { subject.name() };
    let what = if channel.is_empty() { clsid } else { channel };
    let text = format!(
        "{who} uses {} {what}, and `{}` is on the list {}.",
        mechanism.as_str(),
        indicator.value,
        if indicator.list.is_empty() { "of the site" } else { &indicator.list },
    );
    let mut evidence = Evidence::new(indicator.severity, indicator.confidence, text)
        .reasons(Reasons::UNKNOWN_BINARY)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(subject)
        .channel(mechanism, what);
    if !peer.is_empty() {
        evidence = evidence.exchange_with(event, peer);
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use backchannel_events::Confidence;

    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    fn listed(kind: IndicatorKind, value: &str) -> Tunables {
        let indicator = Indicator {
            kind,
            value: value.to_owned(),
            list: "feed".to_owned(),
            severity: Severity::Critical,
            confidence: Confidence::High,
            expires: Some(at(100.0)),
        };
        Tunables { indicators: vec![indicator], ..Tunables::default() }
    }

    #[test]
    fn a_listed_pipe_fires_for_any_creator() {
        let events = [pipe_created(0, r"\evilpipe-17").of(r"C:\Program Files\App\app.exe", 50)];
        let expected = Some((Severity::Critical, Confidence::High));
        check_tuned(&ANALYTIC, &events, listed(IndicatorKind::Channel, "evilpipe-*"), expected);
    }

    #[test]
    fn a_listed_hash_fires_on_a_pipe_of_that_process() {
        let mut start = start(0, r"C:\Program Files\App\app.exe", "app.exe").pid(50);
        start.0.process.hashes.sha256 = "ABCDEF";
        let events = [start, pipe_opened(1, r"\x").of(r"C:\Program Files\App\app.exe", 50)];
        let expected = Some((Severity::Critical, Confidence::High));
        check_tuned(&ANALYTIC, &events, listed(IndicatorKind::Hash, "abcdef"), expected);
    }

    #[test]
    fn an_entry_that_has_expired_is_quiet() {
        let events = [pipe_created(101, r"\evilpipe-17").of(r"C:\a.exe", 50)];
        check_tuned(&ANALYTIC, &events, listed(IndicatorKind::Channel, "evilpipe-*"), None);
    }

    #[test]
    fn without_a_list_it_is_quiet() {
        check(&ANALYTIC, &[pipe_created(0, r"\evilpipe-17").of(r"C:\a.exe", 50)], None);
    }
}
