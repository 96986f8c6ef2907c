//! What a detector has done so far, for the people who run it.

use serde::{Deserialize, Serialize};

/// Counters of a detector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Events evaluated.
    pub events: u64,
    /// Findings made, repeats not counted.
    pub findings: u64,
    /// Repeats folded into an earlier finding.
    pub repeats: u64,
    /// Findings silenced by the site's rules.
    pub suppressed: u64,
    /// Events older than what was already remembered of their host by more than the stated slack of two minutes.
    pub late: u64,
    /// Hosts remembered now.
    pub hosts: u64,
    /// What was forgotten to stay within bounds.
    pub evicted: Evicted,
}

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
    /// All together.
    pub const fn total(&self) -> u64 {
        self.hosts + self.processes + self.logons + self.channels + self.other
    }
}
