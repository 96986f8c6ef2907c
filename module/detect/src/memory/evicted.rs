//! [`Evicted`]: how many entries were evicted to stay within bounds.

use serde::{Deserialize, Serialize};

/// Entries evicted to stay within bounds, by table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    /// Idle hosts, evicted as a whole.
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
    /// Adds other counts.
    pub const fn add(&mut self, more: &Self) {
        self.hosts += more.hosts;
        self.processes += more.processes;
        self.logons += more.logons;
        self.channels += more.channels;
        self.other += more.other;
    }

    /// The sum of all counts.
    pub const fn total(&self) -> u64 {
        self.hosts + self.processes + self.logons + self.channels + self.other
    }
}
