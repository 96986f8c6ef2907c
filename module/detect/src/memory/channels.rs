//! Who created which channel, and who opened it.

use std::collections::{BTreeMap, VecDeque};

use backchannel_events::{Channel, Mechanism, Timestamp};
use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::processes::ProcessId;
use super::share::Share;
use crate::text;

/// Most channels remembered of one host.
const MOST: usize = 2_048;
/// Most openings remembered of one channel.
const MOST_OPENINGS: usize = 16;

/// One use of a channel: its creation, or an opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// Who, if that process is remembered.
    pub process: Option<ProcessId>,
    /// Executable of who did it.
    pub image: Name,
    /// Whether the client came over the network.
    pub remote: bool,
    /// Address of the client.
    pub peer: Name,
    /// Access asked for: a mask (5145), or 1 read, 2 write (Unix).
    pub access: Option<u32>,
    /// Effective account: SID or uid.
    pub user_id: Name,
    /// The record that says so.
    pub note: Note,
}

/// What somebody did with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Made its endpoint.
    Create,
    /// Opened it, or connected to it.
    Open,
    /// Took a client on it.
    Accept,
}

/// What is remembered of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownChannel {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Its latest creation.
    pub created: Option<Use>,
    /// Its latest openings, earliest first.
    pub opened: VecDeque<Use>,
    /// The latest time its server took a client (UNIX sockets).
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
    /// What is remembered of the channel of that name.
    pub fn get(&self, name: &str) -> Option<&KnownChannel> {
        let mut buffer = String::new();
        self.known.get(key(name, &mut buffer))
    }

    /// All channels by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KnownChannel)> {
        self.known.iter().map(|(name, channel)| (&**name, channel))
    }

    /// Remembers a use of a channel. Returns how many channels were forgotten to make room.
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

    /// Takes no more than a share from now on. Returns how many were forgotten for it.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.known, MOST, age)
    }
}

/// The channel that was used longest ago is forgotten first.
fn age(known: &KnownChannel) -> Timestamp {
    known.last
}

/// The name a channel is remembered by.
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
