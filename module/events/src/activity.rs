//! [`Activity`]: what a process did. One variant per kind, each with the fields of that kind only.

use serde::{Deserialize, Serialize};

use crate::{Channel, Hashes, Process, Signature, User};

/// What the subject of a [`ProcessEvent`](crate::ProcessEvent) did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
// One value at a time lives on the stack of the batch reader; boxing the large variants would cost an allocation per
// event.
#[allow(clippy::large_enum_variant)]
pub enum Activity<'a> {
    /// The subject started (Sysmon 1, Security 4688, execve). Its parent is in `process.parent`.
    ProcessStart,
    /// The subject ended (Sysmon 5, Security 4689).
    ProcessEnd,
    /// The subject accessed another process (Sysmon 8, 10, 25; Security 4656/4663 on a process; ptrace).
    #[serde(borrow)]
    ProcessAccess(Access<'a>),
    /// The subject loaded a module (Sysmon 7).
    ModuleLoad(Module<'a>),
    /// The subject changed or accessed a file (Sysmon 11; 5145 on a disk share; auditd PATH).
    File(FileChange<'a>),
    /// The subject changed the registry (Sysmon 12, 13, 14; Security 4657), or opened an audited key (4656, 4663).
    Registry(RegistryChange<'a>),
    /// The subject created a channel's endpoint (Sysmon 17; bind, listen, mkfifo).
    ChannelCreate(Channel<'a>),
    /// The subject opened a channel (Sysmon 18; 5145 on IPC$; connect on AF_UNIX; open of a FIFO).
    ChannelConnect(Channel<'a>),
    /// The subject accepted a client on a channel (auditd accept).
    ChannelAccept(Channel<'a>),
    /// A COM class was activated, or its activation failed or was refused (DistributedCOM).
    ComActivation(ComActivation<'a>),
    /// A remote or local procedure was called (Zeek dce_rpc, RPC trace, RPC Firewall, D-Bus, WMI).
    RpcCall(RpcCall<'a>),
    /// The subject had a network flow (Sysmon 3, Security 5156, connect on AF_INET, Zeek conn).
    NetworkFlow(NetworkFlow<'a>),
    /// An account logged on or off, failed to, or was given a logon's privileges (4624, 4625, 4634, 4648, 4672;
    /// USER_LOGIN).
    Logon(Logon<'a>),
    /// A right was granted or revoked (4703, 4704, 4720, 4728, 4732; chmod on a socket; usermod).
    PrivilegeChange(PrivilegeChange<'a>),
    /// Software was installed, updated or removed (MsiInstaller, dpkg, rpm).
    SoftwareChange(SoftwareChange<'a>),
    /// A service or task was installed, changed state or removed (7045, 7036, 4697, 4698).
    ServiceChange(ServiceChange<'a>),
    /// A script's text was logged (PowerShell 4103, 4104, 800).
    Script(Script<'a>),
    /// A line about inter-process communication, written by an application (syslog, Application log).
    Text(Text<'a>),
    /// A name was resolved (Sysmon 22).
    Dns(DnsQuery<'a>),
    /// The telemetry itself changed (Sysmon 4, 16; 1102; auditd CONFIG_CHANGE).
    Telemetry(Telemetry<'a>),
}

impl Activity<'_> {
    /// The kind, without the contents.
    pub const fn kind(&self) -> ActivityKind {
        match self {
            Self::ProcessStart => ActivityKind::ProcessStart,
            Self::ProcessEnd => ActivityKind::ProcessEnd,
            Self::ProcessAccess(_) => ActivityKind::ProcessAccess,
            Self::ModuleLoad(_) => ActivityKind::ModuleLoad,
            Self::File(_) => ActivityKind::File,
            Self::Registry(_) => ActivityKind::Registry,
            Self::ChannelCreate(_) => ActivityKind::ChannelCreate,
            Self::ChannelConnect(_) => ActivityKind::ChannelConnect,
            Self::ChannelAccept(_) => ActivityKind::ChannelAccept,
            Self::ComActivation(_) => ActivityKind::ComActivation,
            Self::RpcCall(_) => ActivityKind::RpcCall,
            Self::NetworkFlow(_) => ActivityKind::NetworkFlow,
            Self::Logon(_) => ActivityKind::Logon,
            Self::PrivilegeChange(_) => ActivityKind::PrivilegeChange,
            Self::SoftwareChange(_) => ActivityKind::SoftwareChange,
            Self::ServiceChange(_) => ActivityKind::ServiceChange,
            Self::Script(_) => ActivityKind::Script,
            Self::Text(_) => ActivityKind::Text,
            Self::Dns(_) => ActivityKind::Dns,
            Self::Telemetry(_) => ActivityKind::Telemetry,
        }
    }
}

/// The kinds of [`Activity`], for dispatch and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)] // Each is the kind of the variant of the same name.
pub enum ActivityKind {
    ProcessStart = 0,
    ProcessEnd = 1,
    ProcessAccess = 2,
    ModuleLoad = 3,
    File = 4,
    Registry = 5,
    ChannelCreate = 6,
    ChannelConnect = 7,
    ChannelAccept = 8,
    ComActivation = 9,
    RpcCall = 10,
    NetworkFlow = 11,
    Logon = 12,
    PrivilegeChange = 13,
    SoftwareChange = 14,
    ServiceChange = 15,
    Script = 16,
    Text = 17,
    Dns = 18,
    Telemetry = 19,
}

impl ActivityKind {
    /// Number of kinds: the length of a table indexed by kind.
    pub const COUNT: usize = 20;
}

/// An access by one process to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access<'a> {
    /// Kind of access.
    pub kind: AccessKind,
    /// The process that was accessed.
    #[serde(borrow)]
    pub target: Process<'a>,
    /// Access mask granted (Windows), ptrace request (Linux).
    pub mask: Option<u32>,
    /// Call trace (Sysmon 10), start module and function (Sysmon 8).
    pub call_trace: &'a str,
}

/// How one process accesses another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AccessKind {
    /// A handle was opened.
    #[default]
    Open = 0,
    /// A thread was created in the target.
    RemoteThread = 1,
    /// The target's image was replaced or altered (Sysmon 25).
    Tamper = 2,
    /// Attached as a debugger (ptrace ATTACH, SEIZE).
    Attach = 3,
    /// The target's memory or registers were written (POKE, SETREGS, process_vm_writev).
    WriteMemory = 4,
    /// The target's memory was read (process_vm_readv, PEEK).
    ReadMemory = 5,
}

/// A module that was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Module<'a> {
    /// Full path.
    pub path: &'a str,
    /// The name in its version resource.
    pub original_name: &'a str,
    /// Its publisher in the version resource.
    pub company: &'a str,
    /// Its hashes.
    #[serde(borrow)]
    pub hashes: Hashes<'a>,
    /// Its signature.
    #[serde(borrow)]
    pub signature: Signature<'a>,
}

/// A change to a file, or an access of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileChange<'a> {
    /// What was done.
    pub operation: FileOperation,
    /// Kind of file.
    pub kind: FileKind,
    /// Path; for a share, `\\host\share\path` as far as known.
    pub path: &'a str,
    /// The former path of a rename, the target of a link.
    pub old_path: &'a str,
    /// New mode bits (Unix), if the operation sets them.
    pub mode: Option<u32>,
    /// Owner's uid before the operation (Unix).
    pub owner: &'a str,
    /// Share through which it was accessed (5145); the client's address is in `peer`.
    pub share: &'a str,
    /// Network address from which it was accessed.
    pub peer: &'a str,
    /// Requested access mask (5145).
    pub access: Option<u32>,
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum FileOperation {
    #[default]
    Open = 0,
    Create = 1,
    Write = 2,
    Rename = 3,
    Delete = 4,
    ChangeMode = 5,
    ChangeOwner = 6,
}

/// Kind of a file, where the record has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum FileKind {
    #[default]
    Unknown = 0,
    Regular = 1,
    Directory = 2,
    Fifo = 3,
    Socket = 4,
}

/// A change to the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryChange<'a> {
    /// What was done.
    pub operation: RegistryOperation,
    /// Sysmon `TargetObject`: hive, key and value name (`HKU\<sid>_Classes\CLSID\{..}\InprocServer32\(Default)`).
    pub path: &'a str,
    /// Sysmon `Details`: the data written; the new name of a rename.
    pub data: &'a str,
}

/// What was done to the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum RegistryOperation {
    #[default]
    SetValue = 0,
    CreateKey = 1,
    DeleteKey = 2,
    DeleteValue = 3,
    Rename = 4,
    /// A handle to a key was opened, nothing was changed (Security 4656, 4663 on keys of COM classes).
    Open = 5,
}

/// The activation of a COM class, as DistributedCOM reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComActivation<'a> {
    /// Class id with braces, or the name the record gives instead.
    pub clsid: &'a str,
    /// Application id with braces.
    pub app_id: &'a str,
    /// `Launch`, `Activation` or `Access`.
    pub permission: &'a str,
    /// Whether another machine is on the other side (10016: `Remote` and an address; 10028: always).
    pub remote: bool,
    /// Whether this machine is the client of the activation (10028) and not the server (10016).
    pub outbound: bool,
    /// The other machine: address or name.
    pub peer: &'a str,
    /// Error code or text as logged.
    pub error: &'a str,
    /// Command line of the server that failed to start (10000, 10001).
    pub server: &'a str,
}

/// A procedure call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RpcCall<'a> {
    /// Over which channel.
    #[serde(borrow)]
    pub channel: Channel<'a>,
    /// Interface: its name where known (`svcctl`), else its UUID in lower case without braces.
    pub interface: &'a str,
    /// Operation: its name where known, else its number.
    pub operation: &'a str,
    /// Address of the caller.
    pub client: Endpoint<'a>,
    /// Address of the server that was called.
    pub server: Endpoint<'a>,
    /// Bus name and object path (D-Bus), namespace (WMI), CLSID (DCOM).
    pub object: &'a str,
    /// RPC authentication level (1 none .. 6 privacy).
    pub authentication_level: Option<u32>,
}

/// An address and a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint<'a> {
    /// Address as text.
    pub address: &'a str,
    /// Port; 0 if unknown.
    pub port: u16,
    /// Name the record gives for the address.
    pub name: &'a str,
}

/// A network flow, seen from this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkFlow<'a> {
    /// This machine's side.
    #[serde(borrow)]
    pub local: Endpoint<'a>,
    /// The other side.
    #[serde(borrow)]
    pub remote: Endpoint<'a>,
    /// Whether this machine opened the flow.
    pub outbound: bool,
    /// `tcp`, `udp`, or as logged.
    pub protocol: &'a str,
}

/// A logon, its end, its failure, or the use of explicit credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logon<'a> {
    /// The outcome.
    pub outcome: LogonOutcome,
    /// The new logon's id (LUID), or the audit session.
    pub id: Option<u64>,
    /// Windows logon type: 2 interactive, 3 network, 4 batch, 5 service, 7 unlock, 8 cleartext, 9 new
    /// credentials, 10 remote interactive, 11 cached. 0 if unknown.
    pub kind: u32,
    /// The account that logged on.
    #[serde(borrow)]
    pub user: User<'a>,
    /// Address the logon came from.
    #[serde(borrow)]
    pub source: Endpoint<'a>,
    /// Authentication package or PAM service.
    pub package: &'a str,
    /// Whether its token is elevated.
    pub elevated: Option<bool>,
    /// Target server (4648) or service.
    pub target: &'a str,
}

/// Outcome of a logon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum LogonOutcome {
    /// The logon began.
    #[default]
    Start = 0,
    /// The logon ended.
    End = 1,
    /// The logon failed.
    Failure = 2,
    /// Special privileges were assigned to the logon (4672).
    SpecialPrivileges = 3,
    /// A process used explicit credentials (4648).
    ExplicitCredentials = 4,
}

/// A right that was granted or revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrivilegeChange<'a> {
    /// What kind of change.
    pub kind: PrivilegeChangeKind,
    /// Account that gained or lost the right.
    #[serde(borrow)]
    pub principal: User<'a>,
    /// The group, right, or object (path of a socket) concerned.
    pub object: &'a str,
    /// Details as logged: list of privileges, new mode.
    pub details: &'a str,
}

/// Kind of a change of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum PrivilegeChangeKind {
    #[default]
    TokenAdjusted = 0,
    RightAssigned = 1,
    AccountCreated = 2,
    GroupMemberAdded = 3,
    PermissionWidened = 4,
}

/// A change of installed software.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoftwareChange<'a> {
    /// Product.
    pub name: &'a str,
    /// Version.
    pub version: &'a str,
    /// Publisher.
    pub publisher: &'a str,
    /// Whether it was removed.
    pub removed: bool,
}

/// A change of a service or scheduled task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceChange<'a> {
    /// What was done.
    pub operation: ServiceOperation,
    /// Name.
    pub name: &'a str,
    /// Command line it runs.
    pub command_line: &'a str,
    /// Account it runs as.
    pub account: &'a str,
    /// State it entered, as logged (7036).
    pub state: &'a str,
}

/// What was done to a service or task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum ServiceOperation {
    #[default]
    Installed = 0,
    StateChanged = 1,
    TaskCreated = 2,
    Removed = 3,
}

/// A script's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Script<'a> {
    /// The text, or the part of it that this record holds.
    pub text: &'a str,
    /// Path of the script file.
    pub path: &'a str,
    /// Script block id: the parts of one script share it.
    pub block: &'a str,
    /// Engine (`powershell`).
    pub engine: &'a str,
}

/// A log line written by an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Text<'a> {
    /// Program that wrote it.
    pub program: &'a str,
    /// The line.
    pub message: &'a str,
}

/// A name resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsQuery<'a> {
    /// The name that was queried.
    pub query: &'a str,
    /// Answers as logged.
    pub answers: &'a str,
}

/// A change of the telemetry itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Telemetry<'a> {
    /// What changed.
    pub state: TelemetryState,
    /// Details as logged.
    pub details: &'a str,
}

/// What changed in the telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TelemetryState {
    #[default]
    Changed = 0,
    Started = 1,
    Stopped = 2,
    Cleared = 3,
}
