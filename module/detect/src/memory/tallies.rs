//! Counts of distinct recent actions of an actor, for thresholds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};

use super::note::{Name, Note, number};
use super::share::Share;

/// Maximum number of actors counted on a host.
const MOST_ACTORS: usize = 2_048;
/// Maximum number of entries stored for an actor.
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
    /// Classes refused to one remote peer (actor: address).
    DcomClassesByPeer,
    /// Programs that logged an error on a socket (actor: the socket).
    FaultsByChannel,
}

/// One action: time, object, and the record.
type Entry = (Timestamp, Name, Note);

/// The counters of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tallies {
    actors: BTreeMap<(Tally, u64), VecDeque<Entry>>,
    share: Share,
}

impl Tallies {
    /// The distinct actions of `actor` within `window` before `time`, earliest first, with their records, without the
    /// current event.
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

    /// The number of actions of `actor` within `window` before `time`, including repeats: an upper bound of distinct ones.
    pub fn times(&self, tally: Tally, actor: &str, time: Timestamp, window: Duration) -> usize {
        let entries = self.actors.get(&(tally, number(actor)));
        entries.map_or(0, |entries| entries.iter().filter(|(at, ..)| at.within(window, time)).count())
    }

    /// The records of all actions of `actor` within `window` before `time`, including repeats, earliest first.
    pub fn records(&self, tally: Tally, actor: &str, time: Timestamp, window: Duration) -> Vec<(&str, &Note)> {
        let Some(entries) = self.actors.get(&(tally, number(actor))) else { return Vec::new() };
        entries.iter().filter(|(at, ..)| at.within(window, time)).map(|(_, what, note)| (&**what, note)).collect()
    }

    /// Counts one action. Returns how many actors were evicted.
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

    /// Limits the table to a share from now on. Returns how many actors were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.actors, MOST_ACTORS, age)
    }
}

/// The eviction order: the least recently active actor first.
fn age(entries: &VecDeque<Entry>) -> Option<Timestamp> {
    entries.back().map(|(at, ..)| *at)
}
