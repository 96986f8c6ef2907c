//! An incident: the findings of one attack, joined, with the playbook answered.

use serde::{Deserialize, Serialize};

use crate::{ActivityKind, Answers, ChannelNote, Mechanism, Observation, Party, Reason, Severity, Timestamp};

/// The findings of one attack, across hosts, with everything that level 1 and level 2 need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Id of its earliest finding.
    pub id: String,
    /// Counts its changes from 1.
    pub revision: u32,
    /// Ids of incidents that were joined into this one.
    pub supersedes: Vec<String>,
    /// One paragraph: what happened, and why it matters.
    pub text: String,
    /// How bad it is.
    pub severity: Severity,
    /// 1: stays with level 1; 2: escalated.
    pub tier: u8,
    /// Every reason to escalate that holds.
    pub reasons: Vec<EscalationReason>,
    /// The four questions.
    pub answers: Answers,
    /// Shapes of the whole that no single finding has, `IPC-CHAIN-001: ...`; each makes it critical.
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
    /// First event.
    pub first_seen: Timestamp,
    /// Last event.
    pub last_seen: Timestamp,
    /// Ids of its findings, earliest first.
    pub findings: Vec<String>,
    /// What level 1 does, done.
    pub level1: Level1,
    /// What level 2 looks at, prepared.
    pub level2: Level2,
    /// What to do, in this order.
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

/// A reason to escalate, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EscalationReason {
    /// Which.
    pub reason: Reason,
    /// Why it holds here.
    pub text: String,
    /// Ids of the findings that carry it.
    pub findings: Vec<String>,
}

/// The level-1 analyst's work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level1 {
    /// What was unexpected: process starts and data exchanges.
    pub anomalies: Vec<String>,
    /// What the accounts did: logons, elevation.
    pub user_activity: Vec<Observation>,
    /// Changes of software and rights before it.
    pub recent_changes: Vec<Observation>,
    /// What happened, in order, at most 200 entries.
    pub timeline: Vec<TimelineEntry>,
    /// Minutes in which much happened.
    pub bursts: Vec<Burst>,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// The record, with what it says.
    pub observation: Observation,
    /// Id of the finding it belongs to; empty if it is context.
    pub finding: String,
}

/// A span in which events crowd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// First event.
    pub start: Timestamp,
    /// Last event.
    pub end: Timestamp,
    /// How many events.
    pub count: u32,
    /// How many different things they were about.
    pub distinct: u32,
}

/// The level-2 analyst's material.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level2 {
    /// Processes to look into, with why.
    pub processes: Vec<Dossier>,
    /// Hashes of the binaries involved, `ALGORITHM=value path`.
    pub hashes: Vec<String>,
    /// Matches against the site's indicators of compromise.
    pub ioc_matches: Vec<String>,
    /// Other machines involved: name or address, and how.
    pub related_hosts: Vec<String>,
    /// Network connections of the processes involved.
    pub connections: Vec<String>,
    /// What to collect, most volatile first.
    pub collect: Vec<String>,
}

/// What is known of a process that level 2 should look into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// Host key.
    pub host: String,
    /// The process.
    pub party: Party,
    /// Why it deserves a look.
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
    /// Why.
    pub why: String,
    /// What stops working.
    pub breaks: String,
}

/// An event around something under watch: what a timeline is made of.
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
    /// The record, with what it says.
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

/// An edge between two machines, or a name for an address: what joins the halves of an attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Host key of the machine that logged it; for `PeerAddress`, the name of the other machine.
    pub host: String,
    /// What it says.
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
    /// Somebody logged on to the host from the peer.
    LogonFrom,
    /// The host reached for the peer: explicit credentials, outbound activation.
    ReachedFor,
    /// A logon record gives both the name and the address of the machine that it came from.
    PeerAddress,
    /// A record of the host gives both the id and the name of an account.
    Account,
}
