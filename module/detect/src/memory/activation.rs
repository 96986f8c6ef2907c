//! How a process came to be: started by a COM or WMI broker, on behalf of whom. A derived fact, remembered with the
//! process; `context/activation.rs` derives it.

use serde::{Deserialize, Serialize};

use super::note::Name;

/// A process that a broker started on somebody's behalf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Which broker.
    pub broker: Broker,
    /// On behalf of whom.
    pub origin: Origin,
    /// Address of the other machine; empty if not known.
    pub peer: Name,
}

/// The processes that start others on a client's behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Broker {
    /// svchost with the DcomLaunch service: COM servers.
    DcomLaunch,
    /// WmiPrvSE: `Win32_Process.Create` and the like.
    WmiProvider,
}

/// On whose behalf a broker started a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Under a network logon from another machine: proven.
    NetworkLogon,
    /// A user's token in session 0, where no user sits: another machine, very likely.
    SessionZero,
    /// Nothing points to another machine.
    Local,
}

impl Activation {
    /// Whether another machine asked for it.
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
