//! An edge: who talks to whom over what, with names that hold from host to host.

use std::hash::Hasher;

use backchannel_events::Mechanism;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// Who talks to whom over what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Class of the program that asks.
    pub client: String,
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Class of the channel's name.
    pub endpoint: String,
    /// Class of the program that is asked; empty if not known.
    pub server: String,
    /// Whom the client runs as.
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
    /// A visitor over the network.
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
    /// The key it is held by, the same in every run and on every host: first who uses what, then who serves it and for
    /// whom.
    pub fn key(&self) -> (u64, u64) {
        (number(&[&self.client, self.mechanism.as_str(), &self.endpoint]), number(&[&self.server, self.user.as_str()]))
    }

    /// Whether both may be the same exchange: the server, and whom the client runs as, are not always known, because
    /// the record that tells may be older than the log.
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
