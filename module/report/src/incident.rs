//! An incident as its JSON document; and the two documents that only correlators read.

use backchannel_events::{
    Action, Burst, Dossier, HostParty, Incident, Level1, Level2, Severity, Signal, Timestamp, WatchedEvent,
};
use serde::Serialize;

use crate::document::{Channel, FourAnswers, Process, Record, moment, records};

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    id: &'a str,
    revision: u32,
    supersedes: &'a [String],
    severity: Severity,
    tier: u8,
    text: &'a str,
    reasons: Vec<ReasonLine<'a>>,
    answers: FourAnswers,
    patterns: &'a [String],
    hosts: &'a [String],
    users: &'a [String],
    processes: Vec<OnHost<'a>>,
    channels: Vec<Channel>,
    tactic: &'static str,
    technique: &'static str,
    techniques: &'a [String],
    #[serde(with = "moment")]
    first_seen: Timestamp,
    #[serde(with = "moment")]
    last_seen: Timestamp,
    findings: &'a [String],
    level1: LevelOne<'a>,
    level2: LevelTwo<'a>,
    containment: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct ReasonLine<'a> {
    code: &'static str,
    text: &'a str,
    findings: &'a [String],
}

#[derive(Serialize)]
struct OnHost<'a> {
    host: &'a str,
    #[serde(flatten)]
    process: Process,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct LevelOne<'a> {
    anomalies: &'a [String],
    user_activity: Vec<Record>,
    recent_changes: Vec<Record>,
    timeline: Vec<Record>,
    bursts: Vec<BurstLine>,
}

#[derive(Serialize)]
struct BurstLine {
    #[serde(with = "moment")]
    start: Timestamp,
    #[serde(with = "moment")]
    end: Timestamp,
    count: u32,
    distinct: u32,
}

#[derive(Serialize)]
struct LevelTwo<'a> {
    processes: Vec<OnHost<'a>>,
    hashes: &'a [String],
    ioc_matches: &'a [String],
    related_hosts: &'a [String],
    connections: &'a [String],
    collect: &'a [String],
}

#[derive(Serialize)]
struct Step<'a> {
    action: &'a str,
    target: &'a str,
    order: u32,
    why: &'a str,
    breaks: &'a str,
}

/// The document of an incident: one JSON object without a line end.
pub fn incident(incident: &Incident) -> String {
    let document = Document {
        r#type: "incident",
        id: &incident.id,
        revision: incident.revision,
        supersedes: &incident.supersedes,
        severity: incident.severity,
        tier: incident.tier,
        text: &incident.text,
        reasons: incident
            .reasons
            .iter()
            .map(|reason| ReasonLine { code: reason.reason.code(), text: &reason.text, findings: &reason.findings })
            .collect(),
        answers: FourAnswers::from(&incident.answers),
        patterns: &incident.patterns,
        hosts: &incident.hosts,
        users: &incident.users,
        processes: incident.processes.iter().map(on_host).collect(),
        channels: incident.channels.iter().map(Channel::from).collect(),
        tactic: "TA0002",
        technique: "T1559",
        techniques: &incident.techniques,
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        findings: &incident.findings,
        level1: level1(&incident.level1),
        level2: level2(&incident.level2),
        containment: incident.containment.iter().map(step).collect(),
    };
    serde_json::to_string(&document).unwrap_or_default()
}

fn on_host(one: &HostParty) -> OnHost<'_> {
    OnHost { host: &one.host, process: Process::from(&one.party), why: None }
}

fn dossier(one: &Dossier) -> OnHost<'_> {
    OnHost { host: &one.host, process: Process::from(&one.party), why: Some(&one.why) }
}

fn level1(level1: &Level1) -> LevelOne<'_> {
    let burst =
        |burst: &Burst| BurstLine { start: burst.start, end: burst.end, count: burst.count, distinct: burst.distinct };
    LevelOne {
        anomalies: &level1.anomalies,
        user_activity: records(&level1.user_activity),
        recent_changes: records(&level1.recent_changes),
        timeline: level1
            .timeline
            .iter()
            .map(|entry| {
                let mut record = Record::from(&entry.observation);
                record.finding = Some(entry.finding.clone()).filter(|id| !id.is_empty());
                record
            })
            .collect(),
        bursts: level1.bursts.iter().map(burst).collect(),
    }
}

fn level2(level2: &Level2) -> LevelTwo<'_> {
    LevelTwo {
        processes: level2.processes.iter().map(dossier).collect(),
        hashes: &level2.hashes,
        ioc_matches: &level2.ioc_matches,
        related_hosts: &level2.related_hosts,
        connections: &level2.connections,
        collect: &level2.collect,
    }
}

fn step(action: &Action) -> Step<'_> {
    Step {
        action: &action.action,
        target: &action.target,
        order: action.order,
        why: &action.why,
        breaks: &action.breaks,
    }
}

/// The document of a signal.
pub fn signal(signal: &Signal) -> String {
    serde_json::to_string(signal).unwrap_or_default()
}

/// Reads a signal's document.
///
/// # Errors
/// What is wrong with the document, and where.
pub fn read_signal(document: &str) -> Result<Signal, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}

/// The document of a watched event.
pub fn activity(event: &WatchedEvent) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Reads a watched event's document.
///
/// # Errors
/// What is wrong with the document, and where.
pub fn read_activity(document: &str) -> Result<WatchedEvent, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_that_scripts_rely_on() {
        let text = incident(&Incident { id: "0a".into(), tier: 2, ..Incident::default() });
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names = [
            "type",
            "id",
            "revision",
            "supersedes",
            "severity",
            "tier",
            "reasons",
            "answers",
            "patterns",
            "hosts",
            "users",
            "processes",
            "channels",
            "techniques",
            "first_seen",
            "last_seen",
            "findings",
            "level1",
            "level2",
            "containment",
        ];
        assert!(names.iter().all(|name| value.get(name).is_some()), "{text}");
        assert_eq!(value["answers"]["q4"]["value"], "unknown");
        for part in ["anomalies", "user_activity", "recent_changes", "timeline", "bursts"] {
            assert!(value["level1"][part].is_array(), "{part}");
        }
        for part in ["processes", "hashes", "ioc_matches", "related_hosts", "connections", "collect"] {
            assert!(value["level2"][part].is_array(), "{part}");
        }
    }
}
