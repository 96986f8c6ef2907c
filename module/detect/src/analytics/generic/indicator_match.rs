//! # IPC-BASE-006: Known bad endpoint of a channel
//!
//! ## What it detects
//! A process that creates or opens a channel, activates a class or calls a procedure, where the program, its hash, the
//! channel, the class or the other machine's address is on one of the site's lists of indicators. A listed address or
//! name counts in every connection, logon and DNS answer too.
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

use backchannel_events::{Activity, ActivityKind, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{addresses, matches};
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
        ActivityKind::NetworkFlow,
        ActivityKind::Logon,
        ActivityKind::Dns,
    ],
    telemetry: &[Source::Sysmon, Source::Security, Source::DistributedCom, Source::Auditd, Source::Zeek],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if context.tuning.indicators.is_empty() {
        return None;
    }
    match &event.activity {
        Activity::NetworkFlow(flow) => {
            let (to, from) = (flow.remote.address, flow.remote.name);
            let way = if flow.outbound { "connected to" } else { "was reached from" };
            return met(context, event, &[to, from], way, flow.outbound);
        }
        Activity::Logon(logon) => {
            return met(context, event, &[logon.source.address, logon.source.name], "was logged on to from", false);
        }
        Activity::Dns(dns) => {
            let named: Vec<&str> = std::iter::once(dns.query).chain(dns.answers.split([';', ',', ' '])).collect();
            return met(context, event, &named, "looked up", true);
        }
        _ => {}
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
                IndicatorKind::Address => addresses::is_within(peer, value),
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

/// A listed address or name that the event names as the other machine.
fn met(context: &Context<'_>, event: &ProcessEvent<'_>, named: &[&str], way: &str, outbound: bool) -> Option<Evidence> {
    let listed = context.tuning.indicators.iter().filter(|indicator| {
        indicator.kind == IndicatorKind::Address && indicator.expires.is_none_or(|end| event.time <= end)
    });
    let (indicator, peer) = listed
        .filter_map(|indicator| {
            let hit =
                named.iter().find(|name| addresses::is_within(name.trim_start_matches("::ffff:"), &indicator.value))?;
            Some((indicator, *hit))
        })
        .next()?;
    let subject = context.subject();
    let who = if subject.name().is_empty() { &*context.host.key } else { subject.name() };
    let text = format!(
        "{who} {way} {peer}, and `{}` is on the list {}.",
        indicator.value,
        if indicator.list.is_empty() { "of the site" } else { &indicator.list },
    );
    let evidence = Evidence::new(indicator.severity, indicator.confidence, text)
        .reasons(Reasons::UNKNOWN_BINARY)
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Unknown, "");
    Some(match outbound {
        true => evidence.client(subject).to_machine(peer),
        false => evidence.server(subject).from_machine(peer),
    })
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
    fn a_listed_address_fires_on_a_connection_a_logon_and_an_answer() {
        let expected = Some((Severity::Critical, Confidence::High));
        let block = || listed(IndicatorKind::Address, "198.51.100.0/24");
        let answer = backchannel_events::DnsQuery { query: "cdn.example", answers: "198.51.100.9;203.0.113.1" };
        for one in [
            flow_out(0, "198.51.100.7", 443).of(r"C:\Program Files\App\app.exe", 50),
            flow_in(0, 3_389, "198.51.100.7", 50_000),
            logon(0, 3, 0x77, "ops", "198.51.100.7"),
            event(0, Activity::Dns(answer)).of(r"C:\Program Files\App\app.exe", 50),
        ] {
            let found = check_tuned(&ANALYTIC, &[one], block(), expected);
            assert_eq!(found[0].ioc_matches, ["feed: 198.51.100.0/24"]);
            assert!(found[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
        }
        check_tuned(&ANALYTIC, &[flow_out(0, "203.0.113.7", 443)], block(), None);
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
