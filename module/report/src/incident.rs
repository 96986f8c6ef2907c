//! An incident as its JSON document, and back.

use backchannel_events::{
    Action, Burst, Dossier, EscalationReason, HostParty, Incident, Level1, Level2, Machine, Mechanism, Movement,
    Severity, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::document::{Answers, Channel, Process, Record, moment, records};

/// The document of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "incident")]
pub struct IncidentDocument {
    /// 16 hexadecimal digits: the id of its earliest finding.
    pub id: String,
    /// Counts its changes from 1.
    pub revision: u32,
    /// Ids of incidents that were joined into this one.
    pub supersedes: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// 1: stays with level 1; 2: escalated.
    pub tier: u8,
    /// What happened, and why it matters.
    pub text: String,
    /// Every reason to escalate that holds.
    pub reasons: Vec<ReasonDocument>,
    /// The playbook's four answers.
    pub answers: Answers,
    /// Shapes of the whole that no single finding has.
    pub patterns: Vec<String>,
    /// Hosts involved.
    pub hosts: Vec<String>,
    /// Accounts involved.
    pub users: Vec<String>,
    /// Processes involved.
    pub processes: Vec<ProcessOnHost>,
    /// Channels involved.
    pub channels: Vec<Channel>,
    /// Who acted on whom across machines, the earliest first.
    pub movements: Vec<MovementDocument>,
    /// ATT&CK tactic.
    pub tactic: String,
    /// ATT&CK technique of the playbook.
    pub technique: String,
    /// ATT&CK techniques of its findings.
    pub techniques: Vec<String>,
    /// Time of its first event.
    #[serde(with = "moment")]
    pub first_seen: Timestamp,
    /// Time of its last event.
    #[serde(with = "moment")]
    pub last_seen: Timestamp,
    /// Ids of its findings, the earliest first.
    pub findings: Vec<String>,
    /// What level 1 looks at.
    pub level1: Level1Document,
    /// What level 2 looks at.
    pub level2: Level2Document,
    /// What to do, in this order.
    pub containment: Vec<StepDocument>,
}

/// One machine acted on another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementDocument {
    /// The machine that acted.
    pub from: Machine,
    /// The machine that was acted upon.
    pub to: Machine,
    /// The account that was used there; empty where no record says it.
    pub account: String,
    /// What it was done over.
    pub mechanism: Mechanism,
    /// Its first record.
    #[serde(with = "moment")]
    pub time: Timestamp,
    /// Ids of the findings that say so, the earliest first.
    pub findings: Vec<String>,
}

impl From<&Movement> for MovementDocument {
    fn from(movement: &Movement) -> Self {
        let Movement { from, to, account, mechanism, time, findings } = movement.clone();
        Self { from, to, account, mechanism, time, findings }
    }
}

/// A reason to escalate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonDocument {
    /// E1 to E4.
    pub code: String,
    /// Why it holds.
    pub text: String,
    /// Ids of the findings it rests on.
    pub findings: Vec<String>,
}

/// A process and the host it ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessOnHost {
    /// Host key.
    pub host: String,
    /// The process.
    #[serde(flatten)]
    pub process: Process,
    /// Why level 2 looks at it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// What level 1 looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level1Document {
    /// What is unusual.
    pub anomalies: Vec<String>,
    /// Logons and what the accounts did.
    pub user_activity: Vec<Record>,
    /// Changes that may explain it.
    pub recent_changes: Vec<Record>,
    /// What happened, in the order of time.
    pub timeline: Vec<Record>,
    /// Many events within a short time.
    pub bursts: Vec<BurstDocument>,
}

/// Many events within a short time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurstDocument {
    /// First event.
    #[serde(with = "moment")]
    pub start: Timestamp,
    /// Last event.
    #[serde(with = "moment")]
    pub end: Timestamp,
    /// How many.
    pub count: u32,
    /// How many of them differ.
    pub distinct: u32,
}

/// What level 2 looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level2Document {
    /// Processes to look at.
    pub processes: Vec<ProcessOnHost>,
    /// Hashes of images.
    pub hashes: Vec<String>,
    /// Indicators of compromise that matched.
    pub ioc_matches: Vec<String>,
    /// Other hosts that it leads to.
    pub related_hosts: Vec<String>,
    /// Network connections.
    pub connections: Vec<String>,
    /// What to collect.
    pub collect: Vec<String>,
}

/// A step of containment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDocument {
    /// What to do.
    pub action: String,
    /// To what.
    pub target: String,
    /// Its place among the steps, counted from 1.
    pub order: u32,
    /// Why.
    pub why: String,
    /// What it breaks.
    pub breaks: String,
}

impl IncidentDocument {
    /// Reads the document of an incident.
    ///
    /// # Errors
    /// What is wrong with the document, and where.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }
}

/// The document of an incident: one JSON object without a line end.
pub fn incident(incident: &Incident) -> String {
    let document = IncidentDocument {
        id: incident.id.clone(),
        revision: incident.revision,
        supersedes: incident.supersedes.clone(),
        severity: incident.severity,
        tier: incident.tier,
        text: incident.text.clone(),
        reasons: incident.reasons.iter().map(reason).collect(),
        answers: Answers::from(&incident.answers),
        patterns: incident.patterns.clone(),
        hosts: incident.hosts.clone(),
        users: incident.users.clone(),
        processes: incident.processes.iter().map(on_host).collect(),
        channels: incident.channels.iter().map(Channel::from).collect(),
        movements: incident.movements.iter().map(MovementDocument::from).collect(),
        tactic: "TA0002".to_owned(),
        technique: "T1559".to_owned(),
        techniques: incident.techniques.clone(),
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        findings: incident.findings.clone(),
        level1: level1(&incident.level1),
        level2: level2(&incident.level2),
        containment: incident.containment.iter().map(step).collect(),
    };
    serde_json::to_string(&document).unwrap_or_default()
}

fn reason(reason: &EscalationReason) -> ReasonDocument {
    let EscalationReason { reason, text, findings } = reason;
    ReasonDocument { code: reason.code().to_owned(), text: text.clone(), findings: findings.clone() }
}

fn on_host(one: &HostParty) -> ProcessOnHost {
    ProcessOnHost { host: one.host.clone(), process: Process::from(&one.party), why: None }
}

fn dossier(one: &Dossier) -> ProcessOnHost {
    ProcessOnHost { host: one.host.clone(), process: Process::from(&one.party), why: Some(one.why.clone()) }
}

fn level1(level1: &Level1) -> Level1Document {
    let burst = |burst: &Burst| BurstDocument {
        start: burst.start,
        end: burst.end,
        count: burst.count,
        distinct: burst.distinct,
    };
    Level1Document {
        anomalies: level1.anomalies.clone(),
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

fn level2(level2: &Level2) -> Level2Document {
    let level2 = level2.clone();
    Level2Document {
        processes: level2.processes.iter().map(dossier).collect(),
        hashes: level2.hashes,
        ioc_matches: level2.ioc_matches,
        related_hosts: level2.related_hosts,
        connections: level2.connections,
        collect: level2.collect,
    }
}

fn step(action: &Action) -> StepDocument {
    let Action { action, target, order, why, breaks } = action.clone();
    StepDocument { action, target, order, why, breaks }
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Observation, Party, Reason, TimelineEntry};

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
            "movements",
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

    #[test]
    fn a_document_read_and_written_is_the_same_text() {
        let party = Party { name: "a.exe".into(), pid: Some(7), ..Party::default() };
        let observation = Observation { line: 3, text: "t".into(), ..Observation::default() };
        let text = incident(&Incident {
            processes: vec![HostParty { host: "h".into(), party: party.clone() }],
            movements: vec![Movement {
                from: Machine { host: "a".into(), address: "192.0.2.7".into() },
                to: Machine { host: "b".into(), ..Machine::default() },
                mechanism: Mechanism::Wmi,
                findings: vec!["0a".into()],
                ..Movement::default()
            }],
            reasons: vec![EscalationReason {
                reason: Reason::DcomExploitation,
                text: "why".into(),
                findings: vec!["0a".into()],
            }],
            level1: Level1 {
                timeline: vec![TimelineEntry { observation, finding: "0a".into() }],
                bursts: vec![Burst { count: 3, ..Burst::default() }],
                ..Level1::default()
            },
            level2: Level2 {
                processes: vec![Dossier { host: "h".into(), party, why: "w".into() }],
                ..Level2::default()
            },
            containment: vec![Action { action: "isolate".into(), order: 1, ..Action::default() }],
            ..Incident::default()
        });
        assert_eq!(serde_json::to_string(&IncidentDocument::read(&text).unwrap()).unwrap(), text);
    }
}
