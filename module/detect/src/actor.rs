//! [`Actor`]: the process that did something, from the record and from memory.

use backchannel_events::{Hashes, Integrity, Process, SignatureStatus, User};

use crate::memory::{KnownProcess, Name};
use crate::text;

/// A process as described by the event and by the memory together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actor<'c> {
    /// The source's stable identifier.
    pub entity: &'c str,
    /// Process id.
    pub pid: Option<u32>,
    /// Full path of its executable.
    pub image: &'c str,
    /// Name in the version resource, or auditd `comm`.
    pub original_name: &'c str,
    /// Command line.
    pub command_line: &'c str,
    /// The account it runs as.
    pub user: User<'c>,
    /// Logon id.
    pub logon_id: Option<u64>,
    /// Session.
    pub session: Option<u32>,
    /// Integrity level.
    pub integrity: Integrity,
    /// Whether its token is elevated.
    pub elevated: Option<bool>,
    /// Controlling terminal.
    pub tty: &'c str,
    /// Hashes of its executable.
    pub hashes: Hashes<'c>,
    /// Status of its executable's signature.
    pub signature: SignatureStatus,
    /// Whether the site counts it as privileged, whatever its token.
    pub counts_as_privileged: bool,
    /// The signer; empty if unknown.
    pub signer: &'c str,
    /// Its entry in memory.
    pub known: Option<&'c KnownProcess>,
}

impl<'c> Actor<'c> {
    /// From a record, completed from memory.
    pub fn of(process: &Process<'c>, known: Option<&'c KnownProcess>) -> Self {
        let stated = Self::stated(process);
        let Some(known) = known else { return stated };
        // A start with an executable is a new process with that pid: never combine two executables.
        if !stated.image.is_empty() && !known.image.is_empty() && !text::same_base_name(stated.image, &known.image) {
            return stated;
        }
        let or = |stated: &'c str, known: &'c Name| if stated.is_empty() { &**known } else { stated };
        let [md5, sha1, sha256, imphash] = &known.hashes;
        Self {
            entity: or(stated.entity, &known.entity),
            pid: stated.pid.or(known.pid),
            image: or(stated.image, &known.image),
            original_name: or(stated.original_name, &known.original_name),
            command_line: or(stated.command_line, &known.command_line),
            user: User {
                id: or(stated.user.id, &known.user_id),
                name: or(stated.user.name, &known.user_name),
                domain: if stated.user.name.is_empty() { &known.user_domain } else { stated.user.domain },
                effective_id: or(stated.user.effective_id, &known.effective_id),
                audit_id: or(stated.user.audit_id, &known.audit_id),
            },
            logon_id: stated.logon_id.or(known.logon_id),
            session: stated.session.or(known.session),
            integrity: if stated.integrity == Integrity::Unknown { known.integrity } else { stated.integrity },
            elevated: stated.elevated.or(known.elevated),
            tty: or(stated.tty, &known.tty),
            hashes: Hashes {
                md5: or(stated.hashes.md5, md5),
                sha1: or(stated.hashes.sha1, sha1),
                sha256: or(stated.hashes.sha256, sha256),
                imphash: or(stated.hashes.imphash, imphash),
            },
            signature: if stated.signature == SignatureStatus::Unknown { known.signature } else { stated.signature },
            counts_as_privileged: false,
            signer: or(stated.signer, &known.signer),
            known: Some(known),
        }
    }

    /// From a record alone.
    fn stated(process: &Process<'c>) -> Self {
        Self {
            entity: process.entity,
            pid: process.pid,
            image: process.image,
            original_name: process.original_name,
            command_line: process.command_line,
            user: process.user,
            logon_id: process.logon_id,
            session: process.session,
            integrity: process.integrity,
            elevated: process.elevated,
            tty: process.tty,
            hashes: process.hashes,
            signature: process.signature.status,
            counts_as_privileged: false,
            signer: process.signature.signer,
            known: None,
        }
    }

    /// From memory alone.
    pub fn remembered(known: &'c KnownProcess) -> Self {
        let [md5, sha1, sha256, imphash] = &known.hashes;
        Self {
            entity: &known.entity,
            pid: known.pid,
            image: &known.image,
            original_name: &known.original_name,
            command_line: &known.command_line,
            user: known.user(),
            logon_id: known.logon_id,
            session: known.session,
            integrity: known.integrity,
            elevated: known.elevated,
            tty: &known.tty,
            hashes: Hashes { md5, sha1, sha256, imphash },
            signature: known.signature,
            counts_as_privileged: false,
            signer: &known.signer,
            known: Some(known),
        }
    }

    /// Base name of its executable.
    pub fn name(&self) -> &'c str {
        text::base_name(self.image)
    }

    /// Whether its executable, or the name in its version resource, which stays the same if the file is renamed, is one
    /// of `names`.
    pub fn is(&self, names: &[&str]) -> bool {
        text::is_any(self.name(), names) || (!self.original_name.is_empty() && text::is_any(self.original_name, names))
    }

    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        self.image.is_empty() && self.pid.is_none() && self.entity.is_empty()
    }

    /// `DOMAIN\name`, or the part of it that is known.
    pub fn account(&self) -> String {
        account(self.user)
    }
}

/// `DOMAIN\name`, or the name, or the id.
pub fn account(user: User<'_>) -> String {
    match (user.domain, user.name) {
        ("", "") => user.id.to_owned(),
        ("", name) => name.to_owned(),
        (domain, name) => format!("{domain}\\{name}"),
    }
}
