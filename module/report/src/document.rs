//! Parts that several documents have in common: processes, channels, records, answers.

use backchannel_events::{Answer, ChannelNote, Integrity, Mechanism, Observation, Party, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// File name of its image.
    pub name: String,
    /// Path of its image.
    pub path: String,
    /// Process id.
    pub pid: Option<u32>,
    /// The source's own stable identifier, unique on its host.
    pub entity: String,
    /// Command line.
    pub command_line: String,
    /// Account it ran as.
    pub user: String,
    /// Windows integrity level.
    pub integrity: Integrity,
    /// Hashes of its image, `ALGORITHM=VALUE`.
    pub hashes: Vec<String>,
    /// Images of its ancestors, the parent first.
    pub ancestors: Vec<String>,
    /// Whether its image is where any user can write, or is not signed.
    pub untrusted: bool,
    /// Whether it ran with administrative privileges.
    pub privileged: bool,
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

/// A channel between processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Its name.
    pub name: String,
    /// Whether it was used from another machine.
    pub remote: bool,
    /// Address or name of the other machine.
    pub peer: String,
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

/// A record of a log, as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// File or input.
    pub source: String,
    /// The record's own id or number; empty if it has none.
    pub record: String,
    /// Line, counted from 1; only for text inputs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// Its provider.
    pub provider: String,
    /// Its event id; 0 if it has none.
    pub event_id: u32,
    /// Its time.
    #[serde(with = "moment")]
    pub time: Timestamp,
    /// Host as logged.
    pub host: String,
    /// What it reports, one sentence.
    pub text: String,
    /// Id of the finding it belongs to; only in timelines.
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

/// Converts observations to records.
pub fn records(observations: &[Observation]) -> Vec<Record> {
    observations.iter().map(Record::from).collect()
}

/// Converts records to observations.
pub fn observations(records: Vec<Record>) -> Vec<Observation> {
    records.into_iter().map(Observation::from).collect()
}

/// The playbook's four answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Are the processes unusual or unfamiliar?
    pub q1: AnswerDocument,
    /// Does it deviate from the baseline?
    pub q2: AnswerDocument,
    /// Does a recent change explain it?
    pub q3: AnswerDocument,
    /// Are the two processes meant to interact?
    pub q4: AnswerDocument,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerDocument {
    /// The answer.
    pub value: Verdict,
    /// The reason, one sentence.
    pub text: String,
    /// The supporting records.
    pub evidence: Vec<Record>,
    /// Logs or baseline that a definite answer would need.
    pub missing: Vec<String>,
}

impl From<&backchannel_events::Answers> for Answers {
    fn from(answers: &backchannel_events::Answers) -> Self {
        let one = |answer: &Answer| AnswerDocument {
            value: answer.value,
            text: answer.text.clone(),
            evidence: records(&answer.evidence),
            missing: answer.missing.clone(),
        };
        Self { q1: one(&answers.q1), q2: one(&answers.q2), q3: one(&answers.q3), q4: one(&answers.q4) }
    }
}

impl From<Answers> for backchannel_events::Answers {
    fn from(answers: Answers) -> Self {
        let one = |answer: AnswerDocument| Answer {
            value: answer.value,
            text: answer.text,
            evidence: observations(answer.evidence),
            missing: answer.missing,
        };
        Self { q1: one(answers.q1), q2: one(answers.q2), q3: one(answers.q3), q4: one(answers.q4) }
    }
}

/// A time as RFC 3339 text.
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

    /// The same for an optional time.
    pub mod option {
        use backchannel_events::Timestamp;
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        struct Moment(#[serde(with = "super")] Timestamp);

        pub fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            time.map(Moment).serialize(serializer)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<Moment>::deserialize(deserializer)?.map(|Moment(time)| time))
        }
    }
}
