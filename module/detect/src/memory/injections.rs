//! Which process reached into which other one in a way that changes it.

use backchannel_events::{Access, AccessKind};
use serde::{Deserialize, Serialize};

use super::note::Note;
use super::processes::ProcessId;
use super::recent::Noted;

/// A process changed another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// Who; unknown where the record names only the victim.
    pub source: Option<ProcessId>,
    /// Whom.
    pub target: ProcessId,
    /// How.
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
    /// In which way an access changes its target; `None` if it only looks.
    pub fn of(access: &Access<'_>) -> Option<Self> {
        match access.kind {
            AccessKind::RemoteThread => Some(Self::Thread),
            AccessKind::Tamper => Some(Self::Tamper),
            AccessKind::Attach => Some(Self::Attach),
            AccessKind::WriteMemory => Some(Self::Write),
            AccessKind::Open | AccessKind::ReadMemory => None,
        }
    }

    /// As the predicate of a sentence.
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
