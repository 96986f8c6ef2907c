//! How much of inter-process communication an actor does within a minute: the memory behind bursts. Numbers only, so
//! that asking costs nothing.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::Duration;

use backchannel_events::{ProcessEvent, Timestamp};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::note::{Note, number};
use super::share::Share;

/// Most actors counted on one host.
const MOST: usize = 1_024;
/// Most kinds told apart of one actor.
const MOST_KINDS: usize = 16;
/// A count covers this much time from its first event on.
const MINUTE: Duration = Duration::from_secs(60);

/// What one actor did within a minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Channels opened.
    pub count: u32,
    /// Of them refused or failed.
    pub refused: u32,
    /// The first of them.
    pub first: Note,
    kinds: Vec<u32>,
}

impl Rate {
    /// How many kinds of channel, up to 16.
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }
}

/// The counters of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    actors: BTreeMap<u64, Rate>,
    share: Share,
}

impl Rates {
    /// What the event's actor did in the minute that the event falls into, the event itself left out.
    pub fn of(&self, event: &ProcessEvent<'_>, peer: &str) -> Option<&Rate> {
        self.actors.get(&actor(event, peer)).filter(|rate| covers(rate, event.time))
    }

    /// Counts one opening of a channel of that kind. Returns how many actors were forgotten to make room.
    pub fn count(&mut self, event: &ProcessEvent<'_>, peer: &str, kind: &str, refused: bool, note: &Note) -> u64 {
        let actor = actor(event, peer);
        let kind = (number(kind) >> 32) as u32;
        let evicted = self.share.make_room(&mut self.actors, MOST, &actor, age);
        let fresh = || Rate { count: 0, refused: 0, first: note.clone(), kinds: Vec::new() };
        let rate = self.actors.entry(actor).or_insert_with(fresh);
        if !covers(rate, event.time) {
            // What comes late belongs to a minute that is gone.
            if event.time < rate.first.time {
                return evicted;
            }
            *rate = fresh();
        }
        rate.count = rate.count.saturating_add(1);
        rate.refused = rate.refused.saturating_add(u32::from(refused));
        if rate.kinds.len() < MOST_KINDS && !rate.kinds.contains(&kind) {
            rate.kinds.push(kind);
        }
        evicted
    }

    /// Takes no more than a share from now on. Returns how many actors were forgotten for it.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.actors, MOST, age)
    }
}

/// The actor whose minute is the oldest is forgotten first.
fn age(rate: &Rate) -> Timestamp {
    rate.first.time
}

fn covers(rate: &Rate, time: Timestamp) -> bool {
    rate.first.time <= time && time <= rate.first.time + MINUTE
}

/// The visitor where there is one, else the process.
fn actor(event: &ProcessEvent<'_>, peer: &str) -> u64 {
    let process = &event.process;
    let pid = process.pid.unwrap_or(0).to_le_bytes();
    let mut hasher = SipHasher13::new();
    if peer.is_empty() {
        hasher.write(process.entity.as_bytes());
        hasher.write(&pid);
    } else {
        hasher.write_u8(1);
        hasher.write(peer.as_bytes());
    }
    hasher.finish()
}
