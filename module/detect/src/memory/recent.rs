//! Recent activity of a host that may explain or prove later activity: flows, services, software, permissions, COM
//! registrations, files. Each list is short and evicts its oldest entry first.

use std::collections::VecDeque;
use std::time::Duration;

use backchannel_events::{Integrity, Timestamp};
use serde::{Deserialize, Serialize};

use super::note::{Name, Note};
use super::processes::ProcessId;
use super::share::Share;

/// A list of the latest entries, as many as a share of `full` allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent<T> {
    full: usize,
    share: Share,
    entries: VecDeque<T>,
}

impl<T> Recent<T> {
    /// An empty list, of at most `full` entries without a share.
    pub fn new(full: usize) -> Self {
        Self { full, share: Share::default(), entries: VecDeque::new() }
    }

    /// Adds an entry. Returns how many were evicted: 0 or 1.
    pub fn push(&mut self, entry: T) -> u64 {
        let full = self.entries.len() >= self.share.of(self.full);
        if full {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        u64::from(full)
    }

    /// Limits the table to a share from now on. Returns how many entries were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        let most = share.of(self.full);
        let surplus = self.entries.len().saturating_sub(most);
        self.entries.drain(..surplus);
        self.entries.shrink_to(most);
        surplus as u64
    }

    /// The entries, latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().rev()
    }
}

impl<T: Noted> Recent<T> {
    /// The entries at most `window` from `time`, before or after it, latest first.
    pub fn near(&self, time: Timestamp, window: Duration) -> impl Iterator<Item = &T> {
        self.latest_first().filter(move |entry| entry.note().time.within(window, time))
    }
}

/// An entry with a reference to its record.
pub trait Noted {
    /// The record.
    fn note(&self) -> &Note;
}

macro_rules! noted {
    ($($kind:ty),+) => { $(impl Noted for $kind { fn note(&self) -> &Note { &self.note } })+ };
}
noted!(Flow, Service, Change, Registration, FileWritten);

/// The process that did something, as far as it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Who {
    /// The process, if it is in memory.
    pub process: Option<ProcessId>,
    /// Process id.
    pub pid: Option<u32>,
    /// Its executable.
    pub image: Name,
    /// Its account, `DOMAIN\name`.
    pub user: Name,
    /// Its logon.
    pub logon_id: Option<u64>,
    /// Its integrity level.
    pub integrity: Integrity,
}

/// A network flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The process.
    pub who: Who,
    /// Port on this host.
    pub local_port: u16,
    /// Address of the other side.
    pub remote: Name,
    /// Its port.
    pub remote_port: u16,
    /// Whether this host opened it.
    pub outbound: bool,
    /// The record.
    pub note: Note,
}

/// A service that was installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Name.
    pub name: Name,
    /// Command line.
    pub command_line: Name,
    /// The process that installed it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// A change that may explain later activity: software, accounts, groups, permissions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Kind of change.
    pub kind: ChangeKind,
    /// Product, account, group, path.
    pub object: Name,
    /// Publisher, or the account that gained the permission.
    pub subject: Name,
    /// The process that did it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// Kind of a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ChangeKind {
    Software,
    Account,
    Group,
    Right,
    Permission,
    Task,
}

/// A COM server that was registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// Class id with braces, upper case.
    pub clsid: Name,
    /// Last key component: `InprocServer32`, `LocalServer32`, `TreatAs`, `ScriptletURL` ...
    pub key: Name,
    /// Whether the key belongs to one user rather than to the machine.
    pub per_user: bool,
    /// What was written, lower case, as logged.
    pub server: Name,
    /// The process that wrote it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileWritten {
    /// Path in lower case.
    pub path: Name,
    /// The process that wrote it; the kernel (`System`) if written over SMB.
    pub who: Who,
    /// Source address, if known.
    pub peer: Name,
    /// The record.
    pub note: Note,
}
