//! Watched processes and logons of a host, and until when they are watched.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};

use super::processes::ProcessId;

/// Duration of a watch.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Maximum number of events reported for a watched process.
const MOST_FOLLOWING: u32 = 200;
/// Maximum number of processes watched on a host.
pub const MOST_WATCHED: usize = 256;

/// Watched processes and logons of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// Processes.
    pub processes: BTreeMap<ProcessId, Span>,
    /// Logon sessions, by id.
    pub logons: BTreeMap<u64, Span>,
}

/// The state of a watch on one process or logon: its end, and the number of events reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The last time at which it is watched.
    pub until: Timestamp,
    told: u32,
}

impl Span {
    /// A watch that starts at `time`.
    pub fn new(time: Timestamp) -> Self {
        Self { until: time + WINDOW, told: 0 }
    }

    /// Whether an event of that time is reported; counts it if so.
    pub fn takes(&mut self, time: Timestamp) -> bool {
        let takes = time <= self.until && self.told < MOST_FOLLOWING;
        self.told += u32::from(takes);
        takes
    }
}

impl Watch {
    /// Whether the watch is active at `time`.
    pub fn is_on(&self, time: Timestamp) -> bool {
        self.processes.values().chain(self.logons.values()).any(|span| time <= span.until)
    }
}
