//! [`Evicted`]: how much was forgotten to stay within bounds.

use serde::{Deserialize, Serialize};

/// Entries forgotten to stay within bounds, by table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    /// Whole hosts that were idle.
    pub hosts: u64,
    /// Processes.
    pub processes: u64,
    /// Logon sessions.
    pub logons: u64,
    /// Channels.
    pub channels: u64,
    /// Registered COM servers, files, services, counters.
    pub other: u64,
}

impl Evicted {
    /// Adds others.
    pub const fn add(&mut self, more: &Self) {
        self.hosts += more.hosts;
        self.processes += more.processes;
        self.logons += more.logons;
        self.channels += more.channels;
        self.other += more.other;
    }

    /// All together.
    pub const fn total(&self) -> u64 {
        self.hosts + self.processes + self.logons + self.channels + self.other
    }
}
