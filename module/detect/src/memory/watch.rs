//! What is under watch on one host, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};

use super::processes::ProcessId;

/// Watched for this long.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Most events handed over of one watched process.
const MOST_FOLLOWING: u32 = 200;
/// Most processes watched on one host.
pub const MOST_WATCHED: usize = 256;

/// What is under watch on one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// Processes.
    pub processes: BTreeMap<ProcessId, Span>,
    /// Logon sessions, by id.
    pub logons: BTreeMap<u64, Span>,
}

/// How long one process or logon is under watch, and how many events of it were handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The last time at which it is watched.
    pub until: Timestamp,
    told: u32,
}

impl Span {
    /// From `time` on.
    pub fn new(time: Timestamp) -> Self {
        Self { until: time + WINDOW, told: 0 }
    }

    /// Whether an event of that time is handed over; counts it if so.
    pub fn takes(&mut self, time: Timestamp) -> bool {
        let takes = time <= self.until && self.told < MOST_FOLLOWING;
        self.told += u32::from(takes);
        takes
    }
}

impl Watch {
    /// Whether anything is under watch at `time`.
    pub fn is_on(&self, time: Timestamp) -> bool {
        self.processes.values().chain(self.logons.values()).any(|span| time <= span.until)
    }
}
