//! Injections: accesses with which one process changes another.

use backchannel_events::{Access, AccessKind};
use serde::{Deserialize, Serialize};

use super::note::Note;
use super::processes::ProcessId;
use super::recent::Noted;

/// A process changed another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// The injecting process; unknown if the record contains only the target.
    pub source: Option<ProcessId>,
    /// The target process.
    pub target: ProcessId,
    /// The kind of change.
    pub how: How,
    /// The record.
    pub note: Note,
}

/// How a process changed another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// It started a thread in it.
    Thread,
    /// Its image was replaced.
    Tamper,
    /// It attached as a debugger.
    Attach,
    /// It wrote its memory.
    Write,
}

impl How {
    /// How an access changes its target; `None` if it only reads.
    pub fn of(access: &Access<'_>) -> Option<Self> {
        match access.kind {
            AccessKind::RemoteThread => Some(Self::Thread),
            AccessKind::Tamper => Some(Self::Tamper),
            AccessKind::Attach => Some(Self::Attach),
            AccessKind::WriteMemory => Some(Self::Write),
            AccessKind::Open | AccessKind::ReadMemory => None,
        }
    }

    /// The words for a finding, as the predicate of a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thread => "started a thread in",
            Self::Tamper => "replaced the image of",
            Self::Attach => "attached to",
            Self::Write => "wrote the memory of",
        }
    }
}

impl Noted for Injection {
    fn note(&self) -> &Note {
        &self.note
    }
}
