//! Domain types of Backchannel: events, channels, findings and incidents.
//!
//! A [`ProcessEvent`] is what one log record reports about one process: it started, opened a channel, connected to one,
//! activated a COM class, wrote a registry value. A [`Channel`] is the means by which two processes communicate. A
//! [`Finding`] is communication that should not have happened. This crate knows no log format and no output format; it
//! is the common vocabulary of the crates that decode, detect and report.
//!
//! Text that is not in a record is the empty string; a number that is not in a record is `None`. Both mean "not in this
//! record", never "known to be absent".

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
