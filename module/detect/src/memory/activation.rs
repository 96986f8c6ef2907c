//! Which COM or WMI broker started a process, and for which client. Derived in `context/activation.rs` and stored with the
//! process.

use serde::{Deserialize, Serialize};

use super::note::Name;

/// A process that a broker started for a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Which broker.
    pub broker: Broker,
    /// The origin of the client.
    pub origin: Origin,
    /// Address of the other machine; empty if not known.
    pub peer: Name,
}

/// The processes that start others for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Broker {
    /// svchost with the DcomLaunch service: COM servers.
    DcomLaunch,
    /// WmiPrvSE: `Win32_Process.Create` and the like.
    WmiProvider,
}

/// The origin of the client for which a broker started a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Under a network logon from another machine: proven.
    NetworkLogon,
    /// A user's token in session 0, where no interactive user works: very likely another machine.
    SessionZero,
    /// No indication of another machine.
    Local,
}

impl Activation {
    /// Whether another machine requested it.
    pub fn is_remote(&self) -> bool {
        self.origin != Origin::Local
    }

    /// Whether a logon record proves it.
    pub fn is_proven(&self) -> bool {
        self.origin == Origin::NetworkLogon
    }

    /// The other machine, in words.
    pub fn from(&self) -> &str {
        if self.peer.is_empty() { "another machine" } else { &self.peer }
    }
}
