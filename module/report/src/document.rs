//! The parts that documents share: processes, channels, records, answers.

use backchannel_events::{Answer, Answers, ChannelNote, Integrity, Mechanism, Observation, Party, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Process {
    name: String,
    path: String,
    pid: Option<u32>,
    entity: String,
    command_line: String,
    user: String,
    integrity: Integrity,
    hashes: Vec<String>,
    ancestors: Vec<String>,
    untrusted: bool,
    privileged: bool,
}

impl From<&Party> for Process {
    fn from(party: &Party) -> Self {
        let party = party.clone();
        Self {
            name: party.name,
            path: party.path,
            pid: party.pid,
            entity: party.entity,
            command_line: party.command_line,
            user: party.user,
            integrity: party.integrity,
            hashes: party.hashes,
            ancestors: party.ancestors,
            untrusted: party.untrusted,
            privileged: party.privileged,
        }
    }
}

impl From<Process> for Party {
    fn from(process: Process) -> Self {
        Self {
            name: process.name,
            path: process.path,
            pid: process.pid,
            entity: process.entity,
            command_line: process.command_line,
            user: process.user,
            integrity: process.integrity,
            hashes: process.hashes,
            ancestors: process.ancestors,
            untrusted: process.untrusted,
            privileged: process.privileged,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Channel {
    mechanism: Mechanism,
    name: String,
    remote: bool,
    peer: String,
}

impl From<&ChannelNote> for Channel {
    fn from(note: &ChannelNote) -> Self {
        Self { mechanism: note.mechanism, name: note.name.clone(), remote: note.remote, peer: note.peer.clone() }
    }
}

impl From<Channel> for ChannelNote {
    fn from(channel: Channel) -> Self {
        Self { mechanism: channel.mechanism, name: channel.name, remote: channel.remote, peer: channel.peer }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Record {
    source: String,
    record: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    line: Option<u64>,
    provider: String,
    event_id: u32,
    #[serde(with = "moment")]
    time: Timestamp,
    host: String,
    text: String,
    /// Id of the finding it belongs to: in timelines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finding: Option<String>,
}

impl From<&Observation> for Record {
    fn from(observation: &Observation) -> Self {
        let seen = observation.clone();
        Self {
            source: seen.input,
            record: seen.record,
            line: Some(seen.line).filter(|&line| line > 0),
            provider: seen.provider,
            event_id: seen.event_id,
            time: seen.time,
            host: seen.host,
            text: seen.text,
            finding: None,
        }
    }
}

impl From<Record> for Observation {
    fn from(record: Record) -> Self {
        Self {
            time: record.time,
            host: record.host,
            input: record.source,
            line: record.line.unwrap_or(0),
            record: record.record,
            provider: record.provider,
            event_id: record.event_id,
            text: record.text,
        }
    }
}

/// Records of a list.
pub fn records(observations: &[Observation]) -> Vec<Record> {
    observations.iter().map(Record::from).collect()
}

/// Observations of a list.
pub fn observations(records: Vec<Record>) -> Vec<Observation> {
    records.into_iter().map(Observation::from).collect()
}

#[derive(Serialize, Deserialize)]
pub struct FourAnswers {
    q1: OneAnswer,
    q2: OneAnswer,
    q3: OneAnswer,
    q4: OneAnswer,
}

#[derive(Serialize, Deserialize)]
struct OneAnswer {
    value: Verdict,
    text: String,
    evidence: Vec<Record>,
    missing: Vec<String>,
}

impl From<&Answers> for FourAnswers {
    fn from(answers: &Answers) -> Self {
        let one = |answer: &Answer| OneAnswer {
            value: answer.value,
            text: answer.text.clone(),
            evidence: records(&answer.evidence),
            missing: answer.missing.clone(),
        };
        Self { q1: one(&answers.q1), q2: one(&answers.q2), q3: one(&answers.q3), q4: one(&answers.q4) }
    }
}

impl From<FourAnswers> for Answers {
    fn from(answers: FourAnswers) -> Self {
        let one = |answer: OneAnswer| Answer {
            value: answer.value,
            text: answer.text,
            evidence: observations(answer.evidence),
            missing: answer.missing,
        };
        Self { q1: one(answers.q1), q2: one(answers.q2), q3: one(answers.q3), q4: one(answers.q4) }
    }
}

/// A moment as RFC 3339 text.
pub mod moment {
    use backchannel_events::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::from_rfc_3339(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 time"))
    }
}
