//! Documents and Dynamic Data Exchange: which files that may carry links arrived, and which signs of DDE were seen.

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{FileWritten, Noted, Recent, Who};

/// The documents part of a host's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// Files that may carry links or formulas, as they arrived.
    pub arrived: Recent<FileWritten>,
    /// Signs of DDE: instructions in text, settings that allow it, alerts of Office.
    pub traces: Recent<DdeTrace>,
}

impl Default for Documents {
    fn default() -> Self {
        Self { arrived: Recent::new(128), traces: Recent::new(32) }
    }
}

/// A sign of DDE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DdeTrace {
    /// What it says.
    pub what: Name,
    /// The record.
    pub note: Note,
}

impl Noted for DdeTrace {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Documents {
    /// Remembers. Returns how many entries were forgotten to make room.
    pub fn remember_arrival(&mut self, path: &str, who: Who, note: Note, names: &mut Interner) -> u64 {
        self.arrived.push(FileWritten { path: names.lower(path), who, peer: names.name(""), note })
    }

    /// Remembers a sign of DDE. Returns how many entries were forgotten to make room.
    pub fn remember_trace(&mut self, what: &str, note: Note, names: &mut Interner) -> u64 {
        self.traces.push(DdeTrace { what: names.name(what), note })
    }
}
