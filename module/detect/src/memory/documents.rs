//! Documents and Dynamic Data Exchange: files that can contain links, and indications of DDE.

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{FileWritten, Noted, Recent, Who};

/// The state of a host for documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// Files that can contain links or formulas, as they were written.
    pub arrived: Recent<FileWritten>,
    /// Indications of DDE: instructions in text, settings that allow it, alerts of Office.
    pub traces: Recent<DdeTrace>,
}

impl Default for Documents {
    fn default() -> Self {
        Self { arrived: Recent::new(128), traces: Recent::new(32) }
    }
}

/// An indication of DDE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DdeTrace {
    /// Its description.
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
    /// Stores the addition. Returns how many entries were evicted.
    pub fn remember_arrival(&mut self, path: &str, who: Who, note: Note, names: &mut Interner) -> u64 {
        self.arrived.push(FileWritten { path: names.lower(path), who, peer: names.name(""), note })
    }

    /// Stores an indication of DDE. Returns how many entries were evicted.
    pub fn remember_trace(&mut self, what: &str, note: Note, names: &mut Interner) -> u64 {
        self.traces.push(DdeTrace { what: names.name(what), note })
    }
}
