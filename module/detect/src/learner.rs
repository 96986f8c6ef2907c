//! [`Learner`]: events in, a baseline out. It runs a detector of its own, because what an alarm touched must not be
//! learned as usual.

use std::collections::BTreeMap;

use backchannel_events::{Finding, ProcessEvent, Severity, Timestamp};

use crate::{Baseline, Detector, Tunables};

/// Most edges whose rate is counted at a time.
const MOST_COUNTED: usize = 65_536;

/// Learns from events.
#[derive(Debug)]
pub struct Learner {
    detector: Detector,
    baseline: Baseline,
    /// Host and edge to the minute at hand and the sightings in it.
    minutes: BTreeMap<(String, (u64, u64)), (i64, u32)>,
}

impl Learner {
    /// A learner that has seen nothing.
    pub fn new(tuning: Tunables) -> Self {
        Self { detector: Detector::new(tuning), baseline: Baseline::default(), minutes: BTreeMap::new() }
    }

    /// Learns from one event.
    pub fn observe(&mut self, event: &ProcessEvent<'_>) {
        let mut alarmed = false;
        let edge = self.detector.evaluate_and(event, &mut |finding: &Finding| {
            alarmed |= finding.severity >= Severity::Medium && finding.suppressed.is_none();
        });
        let Some((edge, host)) = edge else { return };
        let minute = event.time.0.div_euclid(60 * Timestamp::SECOND);
        if self.minutes.len() >= MOST_COUNTED {
            self.minutes.clear();
        }
        let counter = self.minutes.entry((host.clone(), edge.key())).or_insert((minute, 0));
        if counter.0 == minute {
            counter.1 += 1;
        } else {
            *counter = (minute, 1);
        }
        let in_minute = counter.1;
        self.baseline.see(&edge, &host, event.time, in_minute, alarmed);
    }

    /// What was learned.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }
}
