//! Documents and Dynamic Data Exchange: which files that may carry links arrived, and which signs of DDE were seen.

use backchannel_events::{Activity, FileOperation, ProcessEvent, RegistryOperation};
use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{FileWritten, Noted, Recent, Who};
use crate::vocabulary::dde;
use crate::wording::Wording;

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

/// What sign of DDE an event is, if any.
pub fn trace(event: &ProcessEvent<'_>, wording: Option<&Wording<'_>>) -> Option<&'static str> {
    match &event.activity {
        Activity::ProcessStart | Activity::Script(_) | Activity::Text(_) => wording?.dde_instruction(),
        Activity::Registry(change) if change.operation == RegistryOperation::SetValue => {
            dde::exposure(change.path, change.data).map(|exposure| exposure.meaning)
        }
        _ => None,
    }
}

/// The path of a file that may carry links and that has just arrived; marks of its origin (`:Zone.Identifier`) count
/// for the file itself.
pub fn arrived<'a>(event: &ProcessEvent<'a>) -> Option<&'a str> {
    let Activity::File(file) = &event.activity else { return None };
    if !matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename) {
        return None;
    }
    let path = match file.path.rfind(':') {
        Some(at) if at > 2 => file.path.get(..at)?,
        _ => file.path,
    };
    dde::carries_links(path).then_some(path)
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
