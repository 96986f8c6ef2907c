//! Who created which channel, and who opened it.

use std::collections::{BTreeMap, VecDeque};

use backchannel_events::{Channel, Mechanism, Timestamp};
use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::processes::ProcessId;
use super::share::Share;
use crate::text;

/// Maximum number of channels stored for a host.
const MOST: usize = 2_048;
/// Maximum number of openings stored for a channel.
const MOST_OPENINGS: usize = 16;

/// One use of a channel: its creation, or an opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// The process, if it is in memory.
    pub process: Option<ProcessId>,
    /// Executable of that process.
    pub image: Name,
    /// Whether the client came over the network.
    pub remote: bool,
    /// Address of the client.
    pub peer: Name,
    /// Requested access: a mask (5145), or 1 read, 2 write (Unix).
    pub access: Option<u32>,
    /// Effective account: SID or uid.
    pub user_id: Name,
    /// The record.
    pub note: Note,
}

/// The action of a process on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Created its endpoint.
    Create,
    /// Opened it, or connected to it.
    Open,
    /// Accepted a client on it.
    Accept,
}

/// The stored state of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownChannel {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Its latest creation.
    pub created: Option<Use>,
    /// Its latest openings, earliest first.
    pub opened: VecDeque<Use>,
    /// The latest time its server accepted a client (UNIX sockets).
    pub accepted: Option<Use>,
    last: Timestamp,
}

/// The channels of one host, by name in lower case (`/var/run` as `/run`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Channels {
    known: BTreeMap<Name, KnownChannel>,
    share: Share,
}

impl Channels {
    /// The stored state of the channel of that name.
    pub fn get(&self, name: &str) -> Option<&KnownChannel> {
        let mut buffer = String::new();
        self.known.get(key(name, &mut buffer))
    }

    /// All channels by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KnownChannel)> {
        self.known.iter().map(|(name, channel)| (&**name, channel))
    }

    /// Stores a use of a channel. Returns how many channels were evicted.
    pub fn remember(&mut self, channel: &Channel<'_>, part: Part, one: Use, names: &mut Interner) -> u64 {
        if channel.name.is_empty() || channel.mechanism == Mechanism::AnonymousPipe {
            return 0;
        }
        let mut buffer = String::new();
        let name = names.name(key(channel.name, &mut buffer));
        let evicted = self.share.make_room(&mut self.known, MOST, &name, age);
        let known = self.known.entry(name).or_insert_with(|| KnownChannel {
            mechanism: channel.mechanism,
            created: None,
            opened: VecDeque::new(),
            accepted: None,
            last: one.note.time,
        });
        known.last = known.last.max(one.note.time);
        match part {
            Part::Create => known.created = Some(one),
            Part::Accept => known.accepted = Some(one),
            Part::Open => {
                if known.opened.len() >= MOST_OPENINGS {
                    known.opened.pop_front();
                }
                known.opened.push_back(one);
            }
        }
        evicted
    }

    /// Limits the table to a share from now on. Returns how many entries were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.known, MOST, age)
    }
}

/// The eviction order: the least recently used channel first.
fn age(known: &KnownChannel) -> Timestamp {
    known.last
}

/// The key of a channel in the table.
fn key<'t>(name: &'t str, buffer: &'t mut String) -> &'t str {
    match name.strip_prefix("/var/run/") {
        Some(rest) => {
            buffer.clear();
            buffer.push_str("/run/");
            buffer.push_str(rest);
            buffer.make_ascii_lowercase();
            buffer
        }
        None => text::lower(name, buffer),
    }
}
