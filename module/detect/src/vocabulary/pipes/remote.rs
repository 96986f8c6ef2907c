//! RPC pipes by what a remote caller can do through them.
//!
//! Source: MS-SCMR, MS-TSCH, MS-RRP, MS-SAMR, MS-LSAD, MS-EVEN6, MS-EFSR, MS-RPRN, MS-DFSNM, MS-FSRVP and public
//! research on authentication coercion (PetitPotam, PrinterBug, DFSCoerce, ShadowCoerce).

use crate::text::{is_any, starts_with};

/// What a caller can do through an administrative pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administers {
    /// Run programs: services, tasks.
    Execution(&'static str),
    /// Read or change the registry.
    Registry,
    /// Read the domain's backup keys.
    BackupKeys,
    /// Query accounts and policies: normal on a domain controller.
    Directory,
    /// Other administration.
    Other(&'static str),
}

/// What a caller can administer through a pipe (name without prefix).
pub fn administers(name: &str) -> Option<Administers> {
    const PIPES: &[(&str, Administers)] = &[
        ("svcctl", Administers::Execution("services")),
        ("ntsvcs", Administers::Execution("services and devices")),
        ("atsvc", Administers::Execution("scheduled tasks")),
        ("ITaskSchedulerService", Administers::Execution("scheduled tasks")),
        ("winreg", Administers::Registry),
        ("protected_storage", Administers::BackupKeys),
        ("samr", Administers::Directory),
        ("lsarpc", Administers::Directory),
        ("epmapper", Administers::Other("the list of RPC services")),
        ("eventlog", Administers::Other("event logs")),
        ("dnsserver", Administers::Other("the DNS server")),
    ];
    PIPES.iter().find(|(pipe, _)| pipe.eq_ignore_ascii_case(name)).map(|(_, what)| *what)
}

/// Pipes through which a caller can make a machine authenticate to another one.
pub const COERCIBLE: &[&str] = &[
    "spoolss",
    "netdfs",
    "lsarpc",
    "lsass",
    "netlogon",
    "samr",
    "efsrpc",
    "FssagentRpc",
    "eventlog",
    "winreg",
    "srvsvc",
    "dnsserver",
    "dhcpserver",
    "WinsPipe",
];

/// Whether a pipe is one of [`COERCIBLE`].
pub fn is_coercible(name: &str) -> bool {
    is_any(name, COERCIBLE)
}

/// Whether a pipe has few uses besides coercion on an ordinary machine.
pub fn is_made_for_coercion(name: &str) -> bool {
    is_any(name, &["spoolss", "netdfs", "efsrpc", "FssagentRpc"])
}

/// Whether a pipe provides one of the interfaces known for coercion; the others of [`COERCIBLE`] are opened for many
/// reasons.
pub fn is_known_for_coercion(name: &str) -> bool {
    is_made_for_coercion(name) || is_any(name, &["lsarpc", "lsass", "netlogon", "samr"])
}

/// Whether an operation of an RPC interface makes the called machine authenticate to a path of the caller's choice.
pub fn is_coercing_call(interface: &str, operation: &str) -> bool {
    starts_with(operation, "EfsRpc")
        || starts_with(operation, "RpcRemoteFindFirstPrinterChangeNotification")
        || starts_with(operation, "NetrDfsRemoveStdRoot")
        || starts_with(operation, "NetrDfsAddStdRoot")
        || is_any(operation, &["IsPathShadowCopied", "IsPathSupported", "ElfrOpenBELW", "ElfrOpenBELA"])
        || (is_any(
            interface,
            &["c681d488-d850-11d0-8c52-00c04fd90f7e", "df1941c5-fe89-4e79-bf10-463657acf44d", "efsrpc"],
        ) && !operation.is_empty())
}
