//! Remembered text and remembered records: the small change of every table.

use std::collections::BTreeSet;
use std::rc::Rc;

use backchannel_events::{Observation, ProcessEvent, Timestamp};
use serde::{Deserialize, Serialize};

use crate::text;

/// Text that is remembered, shared between all who remember the same.
pub type Name = Rc<str>;

/// Longest text remembered, in bytes: a command line beyond it is cut.
pub const LONGEST: usize = 2_048;

/// Hands out one shared copy of each text.
#[derive(Debug, Default)]
pub struct Interner {
    names: BTreeSet<Name>,
    sweep_at: usize,
}

impl Interner {
    /// The shared copy of `text`, cut to [`LONGEST`].
    pub fn name(&mut self, text: &str) -> Name {
        let text = text::clip(text, LONGEST);
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        if self.names.len() >= self.sweep_at.max(4_096) {
            self.names.retain(|name| Rc::strong_count(name) > 1);
            self.sweep_at = self.names.len().saturating_mul(2);
        }
        let name: Name = text.into();
        self.names.insert(name.clone());
        name
    }

    /// The shared copy of `text` in ASCII lower case.
    pub fn lower(&mut self, text: &str) -> Name {
        let mut buffer = String::new();
        self.name(text::lower(text, &mut buffer))
    }
}

/// A record that was seen, remembered so that a later finding can rest on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Event time.
    pub time: Timestamp,
    host: Name,
    input: Name,
    line: u64,
    record: Name,
    provider: Name,
    event_id: u32,
}

impl Note {
    /// Remembers where `event` came from.
    pub fn of(event: &ProcessEvent<'_>, names: &mut Interner) -> Self {
        Self {
            time: event.time,
            host: names.name(event.host),
            input: names.name(event.provenance.input),
            line: event.provenance.line,
            record: event.provenance.record.into(),
            provider: names.name(event.provenance.provider),
            event_id: event.provenance.event_id,
        }
    }

    /// Whether `event` is this very record, collected twice.
    pub fn is_of(&self, event: &ProcessEvent<'_>) -> bool {
        let of = &event.provenance;
        !of.record.is_empty()
            && *self.record == *of.record
            && self.time == event.time
            && self.event_id == of.event_id
            && *self.provider == *of.provider
    }

    /// The record as evidence, with what it says.
    pub fn observation(&self, text: String) -> Observation {
        Observation {
            time: self.time,
            host: self.host.to_string(),
            input: self.input.to_string(),
            line: self.line,
            record: self.record.to_string(),
            provider: self.provider.to_string(),
            event_id: self.event_id,
            text,
        }
    }
}
