//! [`Finding`]: communication between processes that should not have happened, with the records that show it.

use serde::{Deserialize, Serialize};

use crate::{Answers, Confidence, Indicators, Integrity, Mechanism, Reasons, Severity, Timestamp};

/// The conclusion of an analytic, with everything needed to assess it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// 16 hexadecimal digits derived from analytic, host and first observation: the same logs give the same id,
    /// independent of files, batches and shards.
    pub id: String,
    /// Catalogue id of the analytic (`IPC-DCOM-006`).
    pub analytic: String,
    /// Title of the analytic.
    pub title: String,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    pub time: Timestamp,
    /// Host key: the lower-case first label of the host's name.
    pub host: String,
    /// Account that the activity ran under, `DOMAIN\name` where both are known.
    pub user: String,
    /// The client: the process that called, wrote or connected.
    pub client: Option<Party>,
    /// The server: the process that was called, or that owns the channel.
    pub server: Option<Party>,
    /// The channel between them.
    pub channel: Option<ChannelNote>,
    /// The side that acted.
    pub origin: Side,
    /// The side that was acted upon.
    pub target: Side,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// Key indicators of the playbook.
    pub indicators: Indicators,
    /// Reasons to escalate, as the playbook defines them.
    pub reasons: Reasons,
    /// Number of occurrences within the hour; repeats are folded into the first.
    pub count: u32,
    /// What happened, one sentence.
    pub text: String,
    /// The supporting records, earliest first.
    pub evidence: Vec<Observation>,
    /// The playbook's questions, as far as this finding answers them.
    pub answers: Answers,
    /// Changes of software and rights in the preceding day, on the host and by the account.
    pub changes: Vec<Observation>,
    /// The logon that the activity ran under.
    pub logon: Option<Observation>,
    /// Indicators of compromise that matched, `list: value`.
    pub ioc_matches: Vec<String>,
    /// Keys shared with other findings of the same attack: processes (`p:`), network logons (`l:`), sessions (`s:`),
    /// channels (`c:`), remote clients (`v:`).
    pub joins: Vec<String>,
    /// The rule of the site that suppressed the finding, if any.
    pub suppressed: Option<Suppression>,
}

/// One side of a finding: who acted, or what was acted upon. If both are on one machine, the hosts are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The machine as the records name it: host key, another name, or an address. Empty if no record names it.
    pub host: String,
    /// The process; `None` if no record names it, as with a remote client that only the server's log shows.
    pub process: Option<SideProcess>,
    /// The account used on this side, `DOMAIN\name` where both are known; empty if no record names it.
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

/// A process at one end of a channel.
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
    /// Its ancestors, base name and pid, nearest first, as far as known.
    pub ancestors: Vec<String>,
    /// Whether its executable is untrusted: not signed, or in a place that any user can write to.
    pub untrusted: bool,
    /// Whether it has administrative rights.
    pub privileged: bool,
}

/// The channel of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelNote {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Name of the pipe, socket or COM class.
    pub name: String,
    /// Whether client and server are on different machines.
    pub remote: bool,
    /// The other machine's address or name.
    pub peer: String,
}

/// A record that supports a finding.
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
    /// What the record reports, one sentence.
    pub text: String,
}

/// The rule of the site that suppressed a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Name of the rule.
    pub rule: String,
    /// The reason stated in the rule.
    pub reason: String,
}
