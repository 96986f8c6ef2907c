//! [`Learner`]: learns a baseline from events. It runs its own detector, because exchanges that are part of a finding
//! must not be learned as usual.

use std::collections::BTreeMap;

use backchannel_events::{Finding, ProcessEvent, Severity, Timestamp};

use crate::{Baseline, Detector, Tunables};

/// Maximum number of edges whose rate is counted at a time.
const MOST_COUNTED: usize = 65_536;

/// Learns from events.
#[derive(Debug)]
pub struct Learner {
    detector: Detector,
    baseline: Baseline,
    /// Host and edge to the current minute and the sightings in it.
    minutes: BTreeMap<(String, (u64, u64)), (i64, u32)>,
}

impl Learner {
    /// A learner without any state.
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

    /// The learned baseline.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }
}
