//! [`Incident`]: the findings of one attack, joined, with the playbook's questions answered.

use serde::{Deserialize, Serialize};

use crate::{ActivityKind, Answers, ChannelNote, Mechanism, Observation, Party, Reason, Severity, Timestamp};

/// The findings of one attack, across hosts, with the material that level 1 and level 2 need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Id of its earliest finding.
    pub id: String,
    /// Revision, counted from 1; increases with every change.
    pub revision: u32,
    /// Ids of incidents that were merged into this one.
    pub supersedes: Vec<String>,
    /// What happened and why it matters, one paragraph.
    pub text: String,
    /// Severity.
    pub severity: Severity,
    /// 1: stays with level 1; 2: escalated.
    pub tier: u8,
    /// All reasons to escalate that apply.
    pub reasons: Vec<EscalationReason>,
    /// Answers to the four questions.
    pub answers: Answers,
    /// Patterns across several findings, `IPC-CHAIN-001: ...`; any of them makes the incident critical.
    pub patterns: Vec<String>,
    /// Hosts involved.
    pub hosts: Vec<String>,
    /// Accounts involved.
    pub users: Vec<String>,
    /// Processes involved.
    pub processes: Vec<HostParty>,
    /// Channels involved.
    pub channels: Vec<ChannelNote>,
    /// Who acted on whom across machines, earliest first.
    pub movements: Vec<Movement>,
    /// ATT&CK techniques.
    pub techniques: Vec<String>,
    /// Time of the first event.
    pub first_seen: Timestamp,
    /// Time of the last event.
    pub last_seen: Timestamp,
    /// Ids of its findings, earliest first.
    pub findings: Vec<String>,
    /// Results of the level-1 analysis.
    pub level1: Level1,
    /// Material for the level-2 analysis.
    pub level2: Level2,
    /// Containment steps, in order.
    pub containment: Vec<Action>,
}

/// One machine acted on another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The machine that acted.
    pub from: Machine,
    /// The machine that was acted upon.
    pub to: Machine,
    /// The account that was used there, `DOMAIN\\name` where both are known; empty where no record says it.
    pub account: String,
    /// What it was done over.
    pub mechanism: Mechanism,
    /// Its first record.
    pub time: Timestamp,
    /// Ids of the findings that say so, earliest first.
    pub findings: Vec<String>,
}

/// A machine as far as the records name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine {
    /// Host key, or another name, or the address where nothing else is known. Empty where no record says which machine.
    pub host: String,
    /// Network address; empty where it is not known.
    pub address: String,
}

/// A process and the host it ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostParty {
    /// Host key.
    pub host: String,
    /// The process.
    pub party: Party,
}

/// A reason to escalate, with the findings that support it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EscalationReason {
    /// The reason.
    pub reason: Reason,
    /// Why it applies.
    pub text: String,
    /// Ids of the findings that support it.
    pub findings: Vec<String>,
}

/// Results of the level-1 analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level1 {
    /// Unexpected process starts and data exchanges.
    pub anomalies: Vec<String>,
    /// Activity of the accounts: logons, elevation.
    pub user_activity: Vec<Observation>,
    /// Preceding changes of software and rights.
    pub recent_changes: Vec<Observation>,
    /// Timeline, at most 200 entries.
    pub timeline: Vec<TimelineEntry>,
    /// Time spans with many events.
    pub bursts: Vec<Burst>,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The record, with what it reports.
    pub observation: Observation,
    /// Id of the finding it belongs to; empty if it is context.
    pub finding: String,
}

/// A time span with many events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// Time of the first event.
    pub start: Timestamp,
    /// Time of the last event.
    pub end: Timestamp,
    /// Number of events.
    pub count: u32,
    /// Number of different objects concerned.
    pub distinct: u32,
}

/// Material for the level-2 analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level2 {
    /// Processes to investigate, with the reason.
    pub processes: Vec<Dossier>,
    /// Hashes of the binaries involved, `ALGORITHM=value path`.
    pub hashes: Vec<String>,
    /// Matches against the site's indicators of compromise.
    pub ioc_matches: Vec<String>,
    /// Other machines involved: name or address, and their role.
    pub related_hosts: Vec<String>,
    /// Network connections of the processes involved.
    pub connections: Vec<String>,
    /// What to collect, most volatile first.
    pub collect: Vec<String>,
}

/// A process to investigate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// Host key.
    pub host: String,
    /// The process.
    pub party: Party,
    /// Why to investigate it.
    pub why: String,
}

/// A step of containment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Place in the order, from 1.
    pub order: u32,
    /// `isolate`, `collect`, `block`, `kill`, `disable`, `quarantine`, `remove`, `unregister`, `restrict`, `restart`,
    /// `patch`.
    pub action: String,
    /// The concrete host, process, account, service, class, file or socket.
    pub target: String,
    /// The reason.
    pub why: String,
    /// What stops working as a consequence.
    pub breaks: String,
}

/// An event of a watched process, channel or session; timelines are built from these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedEvent {
    /// Host key.
    pub host: String,
    /// Kind of activity.
    pub kind: ActivityKind,
    /// Keys it shares with findings of the same attack.
    pub joins: Vec<String>,
    /// The other machine's address, of a flow or a logon.
    pub peer: String,
    /// What it is about.
    #[serde(default)]
    pub object: Object,
    /// The record, with what it reports.
    pub observation: Observation,
}

/// What a watched event is about, where containment has to name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// Nothing of this kind.
    #[default]
    None,
    /// A process that started or ended.
    Process {
        /// The process.
        party: Party,
        /// When it ended, if that is known.
        ended: Option<Timestamp>,
    },
    /// Path of a file that was written or loaded.
    File(String),
    /// Path of a file or socket whose mode or owner was changed.
    Mode(String),
    /// Path of a registry value that was set.
    RegistryValue(String),
    /// A service that was installed.
    Service {
        /// Name.
        name: String,
        /// What it runs.
        command_line: String,
    },
    /// Name of a scheduled task that was registered.
    Task(String),
    /// The other end of a connection that this machine opened: its address, or a name that was looked up.
    OtherEnd(String),
}

/// A relation between two machines, or a name for an address; joins the findings of several hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Host key of the machine that logged it; for `PeerAddress`, the name of the other machine.
    pub host: String,
    /// Kind of relation.
    pub kind: SignalKind,
    /// The other machine's address or name; for `Address`, this machine's own; for `Account`, the account's SID or uid.
    pub peer: String,
    /// Account.
    pub user: String,
    /// Event time.
    pub time: Timestamp,
}

/// Kind of a [`Signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// The host has this address.
    Address,
    /// An account logged on to the host from the peer.
    LogonFrom,
    /// The host connected to the peer: explicit credentials, outbound activation.
    ReachedFor,
    /// A logon record gives both the name and the address of the machine that it came from.
    PeerAddress,
    /// A record of the host gives both the id and the name of an account.
    Account,
}
