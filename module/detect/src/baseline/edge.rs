//! An edge: a client, a server and the channel between them, with names that are the same on every host.

use std::hash::Hasher;

use backchannel_events::Mechanism;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// A client, a server and the channel between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Class of the client program.
    pub client: String,
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Class of the channel's name.
    pub endpoint: String,
    /// Class of the server program; empty if not known.
    pub server: String,
    /// Kind of account of the client.
    pub user: UserKind,
}

/// Kinds of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// Not known.
    Unknown,
    /// SYSTEM or root.
    System,
    /// Another account of the operating system or of a service.
    Service,
    /// A person.
    Person,
    /// A remote client.
    Remote,
}

impl UserKind {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::System => "system",
            Self::Service => "service",
            Self::Person => "person",
            Self::Remote => "remote",
        }
    }
}

impl Edge {
    /// The key of the edge, the same in every run and on every host: first client and channel, then server and account.
    pub fn key(&self) -> (u64, u64) {
        (number(&[&self.client, self.mechanism.as_str(), &self.endpoint]), number(&[&self.server, self.user.as_str()]))
    }

    /// Whether both may be the same exchange: the server and the client's account are not always known, because their
    /// record may be older than the log.
    pub fn may_be(&self, other: &Self) -> bool {
        let server = self.server == other.server || self.server.is_empty() || other.server.is_empty();
        let user = self.user == other.user || self.user == UserKind::Unknown || other.user == UserKind::Unknown;
        server
            && user
            && self.client == other.client
            && self.mechanism == other.mechanism
            && self.endpoint == other.endpoint
    }
}

fn number(parts: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}
