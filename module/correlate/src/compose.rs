//! An incident, written from the findings of one group and the watched events around them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::time::Duration;

use backchannel_events::{
    ActivityKind, Burst, ChannelNote, EscalationReason, Finding, HostParty, Incident, Level1, Observation, Reason,
    Severity, TimelineEntry, Timestamp, WatchedEvent,
};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::{answers, containment, level2, patterns};

/// Most lines of a timeline.
const MOST_LINES: usize = 200;
/// Context is shown this long before the first and after the last record of a finding.
const AROUND: Duration = Duration::from_secs(15 * 60);
/// Events crowd if more than this many fall into a minute.
const CROWD: usize = 8;

/// Puts the findings of a group into their order: by time.
pub fn sort(findings: &mut [&Finding]) {
    findings.sort_by(|a, b| (first(a), &a.id).cmp(&(first(b), &b.id)));
}

/// The id of a group's incident, which its first finding gives.
pub fn id(findings: &[&Finding]) -> String {
    let earliest = findings.first().map_or("", |finding| &finding.id);
    let mut hasher = SipHasher13::new();
    hasher.write(b"incident");
    hasher.write(earliest.as_bytes());
    format!("{:016x}", hasher.finish128().h1)
}

/// The incident of a group whose findings are in their order, but for its id and what was told of it before.
pub fn incident(findings: &[&Finding], watched: &[&WatchedEvent], addresses: &BTreeMap<String, String>) -> Incident {
    let weighty: Vec<&Finding> =
        findings.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
    let patterns = patterns::of(&weighty, addresses);
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or_default();
    let severity = if patterns.is_empty() { worst } else { Severity::Critical };
    let mut reasons = reasons(&weighty);
    if let Some(lateral) = reasons.iter_mut().find(|reason| reason.reason == Reason::LateralMovement) {
        for pattern in &patterns {
            lateral.text.push_str(&format!(" {pattern}."));
        }
    }
    let hosts = hosts(findings);
    let tier = if reasons.is_empty() { 1 } else { 2 };
    let first_seen = findings.iter().map(|finding| first(finding)).min().unwrap_or_default();
    let last_seen = findings.iter().map(|finding| last(finding)).max().unwrap_or_default();
    let timeline = timeline(findings, watched, first_seen, last_seen);
    let mut incident = Incident {
        severity,
        tier,
        answers: answers::of(findings),
        users: unique(findings.iter().map(|finding| finding.user.clone())),
        processes: processes(findings),
        channels: channels(findings),
        techniques: unique(findings.iter().flat_map(|finding| finding.techniques.iter().cloned())),
        first_seen,
        last_seen,
        findings: findings.iter().map(|finding| finding.id.clone()).collect(),
        level1: Level1 {
            anomalies: unique(
                patterns
                    .iter()
                    .cloned()
                    .chain(weighty.iter().map(|finding| format!("{}: {}", finding.host, finding.text))),
            ),
            user_activity: user_activity(findings, watched),
            recent_changes: observations(findings.iter().flat_map(|finding| &finding.changes).cloned()),
            bursts: bursts(&timeline),
            timeline,
        },
        level2: level2::of(findings, &hosts, watched, addresses),
        hosts,
        containment: containment::of(findings, &reasons),
        text: text(&weighty, &reasons, &patterns),
        patterns,
        reasons,
        ..Incident::default()
    };
    if incident.techniques.iter().all(|technique| !technique.starts_with("T1559")) {
        incident.techniques.push("T1559".to_owned());
    }
    incident
}

/// The hosts of the findings, each once, in their order.
fn hosts(findings: &[&Finding]) -> Vec<String> {
    unique(findings.iter().map(|finding| finding.host.clone()))
}

fn first(finding: &Finding) -> Timestamp {
    finding.evidence.first().map_or(finding.time, |observation| observation.time)
}

fn last(finding: &Finding) -> Timestamp {
    finding.evidence.last().map_or(finding.time, |observation| observation.time.max(finding.time))
}

fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

fn observations(all: impl Iterator<Item = Observation>) -> Vec<Observation> {
    let mut all: Vec<Observation> = all.collect();
    all.sort_by(|a, b| (a.time, &a.provider, &a.text).cmp(&(b.time, &b.provider, &b.text)));
    all.dedup();
    all
}

fn processes(findings: &[&Finding]) -> Vec<HostParty> {
    let mut seen: BTreeSet<(String, String, Option<u32>)> = BTreeSet::new();
    let mut processes = Vec::new();
    for finding in findings {
        for party in finding.client.iter().chain(&finding.server) {
            if seen.insert((finding.host.clone(), party.path.to_ascii_lowercase(), party.pid)) {
                processes.push(HostParty { host: finding.host.clone(), party: party.clone() });
            }
        }
    }
    processes
}

fn channels(findings: &[&Finding]) -> Vec<ChannelNote> {
    let mut channels: Vec<ChannelNote> = Vec::new();
    for channel in findings.iter().filter_map(|finding| finding.channel.as_ref()) {
        if !channels.contains(channel) {
            channels.push(channel.clone());
        }
    }
    channels
}

fn reasons(weighty: &[&Finding]) -> Vec<EscalationReason> {
    Reason::ALL
        .into_iter()
        .filter_map(|reason| {
            let carrying: Vec<&&Finding> = weighty.iter().filter(|finding| finding.reasons.contains(reason)).collect();
            let worst = carrying.iter().max_by_key(|finding| finding.severity)?;
            let what = match reason {
                Reason::AdministrativePrivileges => {
                    "a process with administrative privileges takes part in anomalous IPC"
                }
                Reason::DcomExploitation => "signs of an exploited COM, DCOM or other IPC broker",
                Reason::UnknownBinary => "an unknown or malicious binary uses an IPC channel",
                Reason::LateralMovement => "signs of lateral movement through IPC",
            };
            Some(EscalationReason {
                reason,
                text: format!("{what}: {}", worst.text),
                findings: carrying.iter().map(|finding| finding.id.clone()).collect(),
            })
        })
        .collect()
}

/// What happened, in a paragraph: the worst finding first, then how many others, then the decision.
fn text(weighty: &[&Finding], reasons: &[EscalationReason], patterns: &[String]) -> String {
    let mut ordered = weighty.to_vec();
    ordered.sort_by(|a, b| (b.severity, b.confidence, a.time, &a.id).cmp(&(a.severity, a.confidence, b.time, &b.id)));
    let Some(worst) = ordered.first() else { return String::new() };
    let hosts = hosts(weighty);
    let more = weighty.len() - 1;
    let others = match more {
        0 => String::new(),
        1 => " One further finding belongs to it.".to_owned(),
        _ => format!(" {more} further findings belong to it."),
    };
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.reason.code()).collect();
    let decision = if codes.is_empty() {
        " It stays with level 1: none of the playbook's reasons to escalate holds.".to_owned()
    } else {
        format!(" It goes to Tier 2 ({}).", codes.join(", "))
    };
    let shape: String = patterns.iter().map(|pattern| format!(" {pattern}.")).collect();
    format!("On {}: {}{others}{shape}{decision}", hosts.join(", "), worst.text)
}

fn timeline(findings: &[&Finding], watched: &[&WatchedEvent], from: Timestamp, to: Timestamp) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = Vec::new();
    for finding in findings {
        for observation in &finding.evidence {
            if !entries.iter().any(|entry| same_record(&entry.observation, observation)) {
                entries.push(TimelineEntry { observation: observation.clone(), finding: finding.id.clone() });
            }
        }
    }
    let (from, to) = (from - AROUND, to + AROUND);
    for event in watched.iter().filter(|event| event.observation.time >= from && event.observation.time <= to) {
        if entries.len() >= MOST_LINES {
            break;
        }
        if !entries.iter().any(|entry| same_record(&entry.observation, &event.observation)) {
            entries.push(TimelineEntry { observation: event.observation.clone(), finding: String::new() });
        }
    }
    entries.sort_by(|a, b| {
        let (a, b) = (&a.observation, &b.observation);
        (a.time, &a.host, &a.provider, &a.record, &a.text).cmp(&(b.time, &b.host, &b.provider, &b.record, &b.text))
    });
    entries.truncate(MOST_LINES);
    entries
}

fn same_record(a: &Observation, b: &Observation) -> bool {
    a.time == b.time
        && a.event_id == b.event_id
        && a.record == b.record
        && a.provider == b.provider
        && a.line == b.line
        && (!a.record.is_empty() || a.line > 0 || a.text == b.text)
}

/// Minutes into which many lines of the timeline fall.
fn bursts(timeline: &[TimelineEntry]) -> Vec<Burst> {
    let mut bursts: Vec<Burst> = Vec::new();
    let mut minute: Vec<&Observation> = Vec::new();
    let mut close = |minute: &mut Vec<&Observation>| {
        if let (Some(start), Some(end)) = (minute.first(), minute.last())
            && minute.len() > CROWD
        {
            let distinct: BTreeSet<&str> = minute.iter().map(|observation| observation.text.as_str()).collect();
            bursts.push(Burst {
                start: start.time,
                end: end.time,
                count: u32::try_from(minute.len()).unwrap_or(u32::MAX),
                distinct: u32::try_from(distinct.len()).unwrap_or(u32::MAX),
            });
        }
        minute.clear();
    };
    for entry in timeline {
        if minute.first().is_some_and(|first| !first.time.within(Duration::from_secs(60), entry.observation.time)) {
            close(&mut minute);
        }
        minute.push(&entry.observation);
    }
    close(&mut minute);
    bursts
}

fn user_activity(findings: &[&Finding], watched: &[&WatchedEvent]) -> Vec<Observation> {
    let logons =
        watched.iter().filter(|event| event.kind == ActivityKind::Logon).map(|event| event.observation.clone());
    observations(findings.iter().filter_map(|finding| finding.logon.clone()).chain(logons))
}
