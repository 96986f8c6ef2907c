//! [`ProcessEvent`]: who did what, when and on which host, and the record that reports it.

use serde::{Deserialize, Serialize};

use crate::{Activity, Process, Timestamp};

/// What one log record reports about one process. Text is borrowed from the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessEvent<'a> {
    /// Event time in UTC; never the time of arrival.
    pub time: Timestamp,
    /// The machine's name as logged. Empty if the record names none.
    #[serde(default)]
    pub host: &'a str,
    /// Whether the action succeeded.
    #[serde(default)]
    pub outcome: Outcome,
    /// The subject: the process that started, connected, wrote, opened. Default where the record names none (a logon, a
    /// service installation).
    #[serde(borrow, default)]
    pub process: Process<'a>,
    /// What it did.
    #[serde(borrow)]
    pub activity: Activity<'a>,
    /// The record that reports it.
    #[serde(borrow, default)]
    pub provenance: Provenance<'a>,
}

/// Whether an action succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// Not in the record.
    #[default]
    Unknown = 0,
    /// It succeeded.
    Success = 1,
    /// It failed.
    Failure = 2,
    /// It was denied.
    Denied = 3,
}

/// Where the record was read, so that it can be found again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance<'a> {
    /// Kind of log.
    pub source: Source,
    /// File or input the record was read from, as the user named it.
    pub input: &'a str,
    /// Line in a text input, counted from 1; position in any other input where records have no id.
    pub line: u64,
    /// The record's own id: EventRecordID, auditd serial, Zeek uid. Empty if it has none.
    pub record: &'a str,
    /// Windows provider, auditd record type, Zeek log name.
    pub provider: &'a str,
    /// Windows event id, syscall number; 0 if there is none.
    pub event_id: u32,
}

/// Kind of log an event comes from. Determines which telemetry a host is known to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Source {
    /// Not known.
    #[default]
    Unknown = 0,
    /// Sysmon for Windows.
    Sysmon = 1,
    /// Windows Security log.
    Security = 2,
    /// Windows System log, DistributedCOM provider.
    DistributedCom = 3,
    /// Windows System log, service control manager and others.
    System = 4,
    /// PowerShell logs.
    PowerShell = 5,
    /// WMI-Activity log.
    WmiActivity = 6,
    /// Windows Application log (MsiInstaller, Application Error).
    Application = 7,
    /// Microsoft-Windows-RPC trace.
    RpcTrace = 8,
    /// RPC Firewall.
    RpcFirewall = 9,
    /// Linux audit.
    Auditd = 10,
    /// Syslog: auth.log, dbus-daemon, polkitd.
    Syslog = 11,
    /// Zeek.
    Zeek = 12,
    /// macOS Endpoint Security.
    EndpointSecurity = 13,
}

impl Source {
    /// All sources.
    pub const ALL: [Self; 14] = [
        Self::Unknown,
        Self::Sysmon,
        Self::Security,
        Self::DistributedCom,
        Self::System,
        Self::PowerShell,
        Self::WmiActivity,
        Self::Application,
        Self::RpcTrace,
        Self::RpcFirewall,
        Self::Auditd,
        Self::Syslog,
        Self::Zeek,
        Self::EndpointSecurity,
    ];

    /// The name used in documents (`sysmon`, `distributed_com`, ...).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Sysmon => "sysmon",
            Self::Security => "security",
            Self::DistributedCom => "distributed_com",
            Self::System => "system",
            Self::PowerShell => "powershell",
            Self::WmiActivity => "wmi_activity",
            Self::Application => "application",
            Self::RpcTrace => "rpc_trace",
            Self::RpcFirewall => "rpc_firewall",
            Self::Auditd => "auditd",
            Self::Syslog => "syslog",
            Self::Zeek => "zeek",
            Self::EndpointSecurity => "endpoint_security",
        }
    }
}
