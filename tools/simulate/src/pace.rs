//! Controls the time between ordinary scenes, so that a workday has approximately the requested number of records.

use crate::clock::{HOUR, WEIGHT_OF_WORKDAY, weight};
use crate::random::Random;

/// Counts the records of scenes and computes the time between them.
pub(crate) struct Pace {
    per_day: i64,
    /// Whether the host is active only in its owner's hours; servers are active at night, too.
    with_owner: bool,
    scenes: i64,
    records: i64,
    counting: bool,
}

impl Pace {
    pub(crate) fn new(per_day: u32, with_owner: bool) -> Self {
        Pace { per_day: i64::from(per_day), with_owner, scenes: 0, records: 0, counting: true }
    }

    /// A record was written.
    pub(crate) fn count(&mut self) {
        self.records += i64::from(self.counting);
    }

    /// Sets whether records count from now on: those of boot and attacks do not.
    pub(crate) fn set_counting(&mut self, counting: bool) {
        self.counting = counting;
    }

    /// The time until the next ordinary scene.
    pub(crate) fn gap(&mut self, now: i64, random: &mut Random) -> i64 {
        self.scenes += 1;
        // In sixteenths, and starting from eight assumed scenes of four records, because the first scenes are not
        // representative.
        let per_scene = (self.records * 16 + 512) / (self.scenes + 8);
        let scenes_per_day = (self.per_day * 16 / per_scene.max(16)).max(1);
        let (weight, sum) = match self.with_owner {
            true => (weight(now), WEIGHT_OF_WORKDAY),
            false => (10 + weight(now), 240 + WEIGHT_OF_WORKDAY),
        };
        let mean = HOUR / scenes_per_day * sum / weight;
        random.between(mean / 4, mean * 7 / 4).clamp(1_000_000, 3 * HOUR)
    }
}
