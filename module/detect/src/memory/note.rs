//! Stored texts and references to records, used by every table.

use std::rc::Rc;

use backchannel_events::{Observation, ProcessEvent, Timestamp};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::text;

/// Stored text, shared between all entries with the same text.
pub type Name = Rc<str>;

/// Maximum length of a stored text, in bytes: longer command lines are truncated.
pub const LONGEST: usize = 2_048;

/// Number of recently interned texts in the cache.
const LATEST: usize = 256;

/// Returns one shared copy of each text. It is used several times for each event, so it is a hash table: never iterated,
/// and keyed, because its contents are controlled by attackers.
pub struct Interner {
    names: HashTable<Name>,
    /// Recently interned texts, each at its [`place`]: most texts of an event were in the event before.
    latest: Vec<Name>,
    sweep_at: usize,
    key: u64,
}

impl std::fmt::Debug for Interner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interner").field("names", &self.names.len()).finish_non_exhaustive()
    }
}

impl Interner {
    /// An empty interner whose hashes depend on `key`.
    pub fn keyed(key: u64) -> Self {
        Self { names: HashTable::new(), latest: vec![Name::from(""); LATEST], sweep_at: 0, key }
    }

    /// The shared copy of `text`, cut to [`LONGEST`].
    pub fn name(&mut self, text: &str) -> Name {
        let text = text::clip(text, LONGEST);
        let place = place(text, LATEST);
        if let Some(name) = self.latest.get(place).filter(|name| ***name == *text) {
            return name.clone();
        }
        let name = self.find(text);
        if let Some(latest) = self.latest.get_mut(place) {
            *latest = name.clone();
        }
        name
    }

    fn find(&mut self, text: &str) -> Name {
        let key = self.key;
        let hash = hash(key, text);
        if let Some(name) = self.names.find(hash, |name| **name == *text) {
            return name.clone();
        }
        if self.names.len() >= self.sweep_at.max(4_096) {
            self.names.retain(|name| Rc::strong_count(name) > 1);
            self.sweep_at = self.names.len().saturating_mul(2);
        }
        let name: Name = text.into();
        self.names.insert_unique(hash, name.clone(), |name| self::hash(key, name));
        name
    }

    /// The shared copy of `text` in ASCII lower case.
    pub fn lower(&mut self, text: &str) -> Name {
        let mut buffer = String::new();
        self.name(text::lower(text, &mut buffer))
    }
}

fn hash(key: u64, text: &str) -> u64 {
    SipHasher13::new_with_keys(key, 0).hash(text.as_bytes())
}

/// The number used as a table key for a text: tables of numbers are more compact than tables of texts. Two texts may have
/// the same number, so entries found with it must be verified where a collision would help an attacker.
pub fn number(text: &str) -> u64 {
    hash(0, text)
}

/// The slot of a text in a cache of `places` slots. Cheap, and collisions are easy to provoke: for caches only.
pub fn place(text: &str, places: usize) -> usize {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let sum = words.iter().fold(0, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)));
    sum as usize % places.max(1)
}

/// A reference to an earlier record, stored as evidence for later findings.
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
    /// The reference to the record of `event`.
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

    /// Whether `event` is the same record, collected twice.
    pub fn is_of(&self, event: &ProcessEvent<'_>) -> bool {
        let of = &event.provenance;
        !of.record.is_empty()
            && *self.record == *of.record
            && self.time == event.time
            && self.event_id == of.event_id
            && *self.provider == *of.provider
    }

    /// The record as evidence, with a description.
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
