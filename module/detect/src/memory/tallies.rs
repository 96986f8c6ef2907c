//! How many different things somebody did lately: the memory behind thresholds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};

use super::note::{Name, Note, number};
use super::share::Share;

/// Most actors counted on one host.
const MOST_ACTORS: usize = 2_048;
/// Most entries remembered of one actor.
const MOST_ENTRIES: usize = 64;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tally {
    /// Pipe classes opened by one local process (actor: process entity or pid).
    PipesByProcess,
    /// Pipe classes opened by one remote peer (actor: address).
    PipesByPeer,
    /// Targets whose DCOM activation failed, by requester (actor: image).
    DcomTargetsByRequester,
    /// Classes that one remote peer was refused (actor: address).
    DcomClassesByPeer,
    /// Programs whose log says that a socket failed them (actor: the socket).
    FaultsByChannel,
}

/// One thing somebody did: when, what, and the record that says so.
type Entry = (Timestamp, Name, Note);

/// The counters of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tallies {
    actors: BTreeMap<(Tally, u64), VecDeque<Entry>>,
    share: Share,
}

impl Tallies {
    /// The different things `actor` did within `window` before `time`, earliest first, with their records. The event
    /// at hand is not among them.
    pub fn distinct(&self, tally: Tally, actor: &str, time: Timestamp, window: Duration) -> Vec<(&str, &Note)> {
        let Some(entries) = self.actors.get(&(tally, number(actor))) else { return Vec::new() };
        let mut seen: Vec<(&str, &Note)> = Vec::new();
        for (at, what, note) in entries {
            if at.within(window, time) && !seen.iter().any(|(known, _)| *known == &**what) {
                seen.push((what, note));
            }
        }
        seen
    }

    /// How many things, repeats too, `actor` did within `window` before `time`: no fewer than different ones.
    pub fn times(&self, tally: Tally, actor: &str, time: Timestamp, window: Duration) -> usize {
        let entries = self.actors.get(&(tally, number(actor)));
        entries.map_or(0, |entries| entries.iter().filter(|(at, ..)| at.within(window, time)).count())
    }

    /// The records of everything `actor` did within `window` before `time`, repeats too, earliest first.
    pub fn records(&self, tally: Tally, actor: &str, time: Timestamp, window: Duration) -> Vec<(&str, &Note)> {
        let Some(entries) = self.actors.get(&(tally, number(actor))) else { return Vec::new() };
        entries.iter().filter(|(at, ..)| at.within(window, time)).map(|(_, what, note)| (&**what, note)).collect()
    }

    /// Counts one. Returns how many actors were forgotten to make room.
    pub fn count(&mut self, tally: Tally, actor: &str, what: Name, note: Note) -> u64 {
        let key = (tally, number(actor));
        let evicted = self.share.make_room(&mut self.actors, MOST_ACTORS, &key, age);
        let entries = self.actors.entry(key).or_default();
        if entries.len() >= MOST_ENTRIES {
            entries.pop_front();
        }
        entries.push_back((note.time, what, note));
        evicted
    }

    /// Takes no more than a share from now on. Returns how many actors were forgotten for it.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.actors, MOST_ACTORS, age)
    }
}

/// The actor that did nothing for the longest time is forgotten first.
fn age(entries: &VecDeque<Entry>) -> Option<Timestamp> {
    entries.back().map(|(at, ..)| *at)
}
