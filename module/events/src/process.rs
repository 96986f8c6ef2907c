//! A process as one record describes it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A process as one log record describes it. Text the record does not carry is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process<'a> {
    /// The source's own stable identifier: Sysmon `ProcessGuid`, ECS `process.entity_id`.
    pub entity: &'a str,
    /// Process id, decimal whatever base the source wrote it in.
    pub pid: Option<u32>,
    /// When it started, where the record has it.
    pub start: Option<Timestamp>,
    /// Full path of the executable as logged (device paths and case are kept).
    pub image: &'a str,
    /// The name in the version resource (Sysmon `OriginalFileName`), or the command name (auditd `comm`).
    pub original_name: &'a str,
    /// The whole command line.
    pub command_line: &'a str,
    /// Current directory.
    pub working_directory: &'a str,
    /// The publisher in the version resource (Sysmon `Company`).
    pub company: &'a str,
    /// Account whose token or credentials it runs with.
    #[serde(borrow)]
    pub user: User<'a>,
    /// Windows logon id (LUID) of its token.
    pub logon_id: Option<u64>,
    /// Terminal session (Windows), audit session (Linux).
    pub session: Option<u32>,
    /// Integrity level (Windows) or its equivalent.
    pub integrity: Integrity,
    /// Whether its token is elevated, where the record has it.
    pub elevated: Option<bool>,
    /// Controlling terminal (Linux), empty or `(none)` without one.
    pub tty: &'a str,
    /// Hashes of the executable.
    #[serde(borrow)]
    pub hashes: Hashes<'a>,
    /// Signature of the executable.
    #[serde(borrow)]
    pub signature: Signature<'a>,
    /// The process that started it, as far as the record describes it.
    #[serde(borrow)]
    pub parent: Parent<'a>,
}

/// The parent of a process, as far as the child's record describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parent<'a> {
    /// The source's own stable identifier.
    pub entity: &'a str,
    /// Process id.
    pub pid: Option<u32>,
    /// Full path of the executable.
    pub image: &'a str,
    /// The whole command line (Security 4688 has none).
    pub command_line: &'a str,
    /// Account it runs as.
    #[serde(borrow)]
    pub user: User<'a>,
}

/// An account, as a record names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User<'a> {
    /// SID (Windows) or numeric uid (Unix).
    pub id: &'a str,
    /// Account name without its domain.
    pub name: &'a str,
    /// Domain or computer the account belongs to.
    pub domain: &'a str,
    /// Effective uid (Unix), where it differs in meaning from `id`.
    pub effective_id: &'a str,
    /// Login uid that survives `su` and `sudo` (auditd `auid`); empty if unset.
    pub audit_id: &'a str,
}

impl<'a> User<'a> {
    /// The id that determines its rights: the effective uid if known, else the SID or uid.
    pub const fn acting_id(&self) -> &'a str {
        if self.effective_id.is_empty() { self.id } else { self.effective_id }
    }
}

/// Windows mandatory integrity level, ordered from least to most trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Integrity {
    /// Not in the record.
    #[default]
    Unknown = 0,
    /// Untrusted or AppContainer (S-1-16-0).
    Untrusted = 1,
    /// Low (S-1-16-4096).
    Low = 2,
    /// Medium (S-1-16-8192), medium plus.
    Medium = 3,
    /// High (S-1-16-12288).
    High = 4,
    /// System or protected process (S-1-16-16384 and up).
    System = 5,
}

/// Hashes of a file, in lower or upper case hexadecimal as logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hashes<'a> {
    /// MD5.
    pub md5: &'a str,
    /// SHA-1.
    pub sha1: &'a str,
    /// SHA-256.
    pub sha256: &'a str,
    /// Import hash of a portable executable.
    pub imphash: &'a str,
}

/// Signature of a file as the record reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signature<'a> {
    /// Status of the signature.
    pub status: SignatureStatus,
    /// The signer's name.
    pub signer: &'a str,
}

/// Status of a signature as the record reports it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum SignatureStatus {
    /// Not in the record.
    #[default]
    Unknown = 0,
    /// Signed, and valid.
    Trusted = 1,
    /// Signed, but not valid (expired, revoked, altered, self-signed).
    Untrusted = 2,
    /// Not signed.
    Unsigned = 3,
}
