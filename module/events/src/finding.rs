//! A finding: two processes talked that should not have, and the records that say so.

use serde::{Deserialize, Serialize};

use crate::{Answers, Confidence, Indicators, Integrity, Mechanism, Reasons, Severity, Timestamp};

/// What an analytic concluded, with everything a reader needs to judge it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// 16 hexadecimal digits made from analytic, host and first observation: the same logs give the same id,
    /// whatever file, batch or shard they came in.
    pub id: String,
    /// Catalogue id of the analytic (`IPC-DCOM-006`).
    pub analytic: String,
    /// Title of the analytic.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    pub time: Timestamp,
    /// Host key: the lower-case first label of the host's name.
    pub host: String,
    /// Account it happened under, `DOMAIN\name` where both are known.
    pub user: String,
    /// The process that asked, wrote, or connected.
    pub client: Option<Party>,
    /// The process that was asked, or that owns the channel.
    pub server: Option<Party>,
    /// What they talked over.
    pub channel: Option<ChannelNote>,
    /// Who acted.
    pub origin: Side,
    /// What was acted upon.
    pub target: Side,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// Key indicators of the playbook.
    pub indicators: Indicators,
    /// Reasons of the playbook to escalate.
    pub reasons: Reasons,
    /// How many times it was seen within the hour; repeats are folded into the first.
    pub count: u32,
    /// One sentence for a reader.
    pub text: String,
    /// The records it rests on, earliest first.
    pub evidence: Vec<Observation>,
    /// The playbook's questions, as far as this finding can answer them.
    pub answers: Answers,
    /// Changes of software and rights on the host in the day before, and by the account.
    pub changes: Vec<Observation>,
    /// The logon it happened under.
    pub logon: Option<Observation>,
    /// Indicators of compromise that matched, `list: value`.
    pub ioc_matches: Vec<String>,
    /// Keys that it shares with other findings of the same attack: processes (`p:`), network logons (`l:`),
    /// sessions (`s:`), channels (`c:`), remote visitors (`v:`).
    pub joins: Vec<String>,
    /// Set where a rule of the site silenced it.
    pub suppressed: Option<Suppression>,
}

/// One side of what happened: who acted, or what was acted upon. Where both are on one machine, the hosts are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The machine as the records name it: host key, another name, an address. Empty where no record says it.
    pub host: String,
    /// The process; `None` where no record names it, as with the client of a machine that only the server's log shows.
    pub process: Option<SideProcess>,
    /// The account that was used on this side, `DOMAIN\name` where both are known; empty where no record says it.
    pub account: String,
}

/// The process of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideProcess {
    /// Base name of the executable.
    pub name: String,
    /// Its full path.
    pub path: String,
    /// Process id.
    pub pid: Option<u32>,
}

impl From<&Party> for SideProcess {
    fn from(party: &Party) -> Self {
        Self { name: party.name.clone(), path: party.path.clone(), pid: party.pid }
    }
}

/// One end of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Base name of the executable.
    pub name: String,
    /// Its full path.
    pub path: String,
    /// Process id.
    pub pid: Option<u32>,
    /// The source's stable identifier.
    pub entity: String,
    /// Command line.
    pub command_line: String,
    /// Account it runs as.
    pub user: String,
    /// Integrity level.
    pub integrity: Integrity,
    /// Hashes as `ALGORITHM=value`, where known.
    pub hashes: Vec<String>,
    /// Who started it: base name and pid, nearest first, as far as remembered.
    pub ancestors: Vec<String>,
    /// Whether there is reason not to trust its file.
    pub untrusted: bool,
    /// Whether it has administrative rights.
    pub privileged: bool,
}

/// What two parties talked over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelNote {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Name: of the pipe, socket, COM class.
    pub name: String,
    /// Whether it crossed machines.
    pub remote: bool,
    /// The other machine's address or name.
    pub peer: String,
}

/// One record a finding rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Event time.
    pub time: Timestamp,
    /// Host as logged.
    pub host: String,
    /// File or input.
    pub input: String,
    /// Line, counted from 1, in a text input; 0 elsewhere.
    pub line: u64,
    /// The record's own id; empty if it has none.
    pub record: String,
    /// Windows provider, auditd record type, Zeek log.
    pub provider: String,
    /// Windows event id, syscall number.
    pub event_id: u32,
    /// What it says, in a sentence.
    pub text: String,
}

/// A rule of the site silenced a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Name of the rule.
    pub rule: String,
    /// The reason its owner gave.
    pub reason: String,
}
