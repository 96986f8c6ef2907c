//! The nouns of Backchannel, and nothing else.
//!
//! A [`ProcessEvent`] is what one log record says about one process: it started, opened a channel, connected to
//! one, activated a COM class, wrote a registry value. A [`Channel`] is what two processes talk over. A
//! [`Finding`] says that two of them should not have talked. No format of any log and no output format is known
//! here; whoever decodes, detects or reports meets in these types.
//!
//! Text that a record does not carry is the empty string; a number it does not carry is `None`. Both mean
//! "not in this record", never "known to be absent".

mod activity;
mod answers;
mod channel;
mod event;
mod finding;
mod incident;
mod machine;
pub mod packed;
mod playbook;
mod process;
mod time;

pub use activity::{
    Access, AccessKind, Activity, ActivityKind, ComActivation, DnsQuery, Endpoint, FileChange, FileKind, FileOperation,
    Logon, LogonOutcome, Module, NetworkFlow, PrivilegeChange, PrivilegeChangeKind, RegistryChange, RegistryOperation,
    RpcCall, Script, ServiceChange, ServiceOperation, SoftwareChange, Telemetry, TelemetryState, Text,
};
pub use answers::{Answer, Answers, Verdict};
pub use channel::{Channel, Mechanism};
pub use event::{Outcome, ProcessEvent, Provenance, Source};
pub use finding::{ChannelNote, Finding, Observation, Party, Side, SideProcess, Suppression};
pub use incident::{
    Action, Burst, Dossier, EscalationReason, HostParty, Incident, Level1, Level2, Machine, Movement, Object, Signal,
    SignalKind, TimelineEntry, WatchedEvent,
};
pub use machine::{host_label, parse_address};
pub use playbook::{Confidence, Indicator, Indicators, Reason, Reasons, Severity};
pub use process::{Hashes, Integrity, Parent, Process, Signature, SignatureStatus, User};
pub use time::Timestamp;
