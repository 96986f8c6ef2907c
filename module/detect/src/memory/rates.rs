//! Rates of inter-process communication: channels opened by each actor within a minute, for the detection of bursts.
//! Numbers only, so that look-ups are cheap.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::Duration;

use backchannel_events::{ProcessEvent, Timestamp};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::note::{Note, number};
use super::share::Share;

/// Maximum number of actors counted on a host.
const MOST: usize = 1_024;
/// Maximum number of kinds distinguished for an actor.
const MOST_KINDS: usize = 16;
/// Length of a counting interval, from its first event.
const MINUTE: Duration = Duration::from_secs(60);

/// The activity of one actor within a minute.
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
    /// Number of kinds of channel, up to 16.
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
    /// The activity of the event's actor in the minute of the event, without the event itself.
    pub fn of(&self, event: &ProcessEvent<'_>, peer: &str) -> Option<&Rate> {
        self.actors.get(&actor(event, peer)).filter(|rate| covers(rate, event.time))
    }

    /// Counts one opening of a channel of that kind. Returns how many actors were evicted.
    pub fn count(&mut self, event: &ProcessEvent<'_>, peer: &str, kind: &str, refused: bool, note: &Note) -> u64 {
        let actor = actor(event, peer);
        let kind = (number(kind) >> 32) as u32;
        let evicted = self.share.make_room(&mut self.actors, MOST, &actor, age);
        let fresh = || Rate { count: 0, refused: 0, first: note.clone(), kinds: Vec::new() };
        let rate = self.actors.entry(actor).or_insert_with(fresh);
        if !covers(rate, event.time) {
            // A late event belongs to an earlier interval.
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

    /// Limits the table to a share from now on. Returns how many actors were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.actors, MOST, age)
    }
}

/// The eviction order: the actor with the oldest interval first.
fn age(rate: &Rate) -> Timestamp {
    rate.first.time
}

fn covers(rate: &Rate, time: Timestamp) -> bool {
    rate.first.time <= time && time <= rate.first.time + MINUTE
}

/// The remote client if there is one, otherwise the process.
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
