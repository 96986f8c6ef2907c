//! The clock offset of a source: the difference of its records' time from UTC, learned from Sysmon records, which
//! contain both.
//!
//! Some collectors write local time as UTC, some with a 12-hour clock. The state is one small entry per (input, host),
//! updated record by record, so that the size of batches has no effect. A host without Sysmon gets the offset that the
//! other hosts of its input agree on, because one collector wrote all of them.
//!
//! A record before the first Sysmon record of its input keeps its own time. If an input can be read twice, a first pass
//! with [`Clocks::learn`] avoids that: it only learns the offsets.

use std::collections::BTreeMap;

use backchannel_events::Timestamp;

const SECOND: i64 = Timestamp::SECOND;
/// Maximum difference of Sysmon's UtcTime from the record's own time; beyond it, UtcTime is ignored.
const TOLERANCE: i64 = 10 * SECOND;
/// Offsets of time zones are multiples of this.
const QUARTER: i64 = 15 * 60 * SECOND;
/// The maximum offset of time zones is 14 hours; a 12-hour clock can add 12.
const FURTHEST: i64 = 26 * 3_600 * SECOND;
const HALF_DAY: i64 = 12 * 3_600 * SECOND;
/// Number of consecutive records that must agree on an offset before it is applied to others.
const AGREEING: u8 = 2;
/// Maximum number of sources; the least recently used one is evicted first.
const SOURCES: usize = 4_096;

/// The clock offset of one source: records of this host in this input have a time that is not UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// File or input, as the user named it.
    pub input: String,
    /// Host as logged, in lower case.
    pub host: String,
    /// Seconds that are added to the records' own time to get UTC.
    pub seconds: i64,
    /// Whether the source writes its time with a 12-hour clock, so that the offset changes by 12 hours at noon.
    pub twelve_hour: bool,
    /// Number of records that showed the offset.
    pub samples: u64,
}

#[derive(Debug, Default)]
struct State {
    input: Box<str>,
    host: Box<str>,
    offset: i64,
    established: bool,
    twelve_hour: bool,
    candidate: i64,
    agreeing: u8,
    samples: u64,
    last: Option<Timestamp>,
    used: u64,
}

/// The clocks of all sources.
#[derive(Debug, Default)]
pub struct Clocks {
    states: Vec<State>,
    /// Index of a source in `states`: by its input, a zero byte, and its host in lower case.
    places: BTreeMap<Box<str>, usize>,
    key: String,
    /// Index of the last record's source: the next record is usually from the same one.
    last: usize,
    turn: u64,
    /// The offset that the hosts of an input agree on; `None` if they do not.
    inputs: BTreeMap<Box<str>, Option<i64>>,
}

impl Clocks {
    /// The time of a Sysmon record. `reliable` is false for network connections, whose UtcTime is often wrong.
    pub fn sysmon(
        &mut self,
        input: &str,
        host: &str,
        record: Option<Timestamp>,
        utc: Option<Timestamp>,
        reliable: bool,
    ) -> Timestamp {
        let (Some(record_time), Some(utc)) = (record, utc) else {
            return match utc {
                Some(utc) => self.state(input, host).seen(utc),
                None => self.other(input, host, record),
            };
        };
        let difference = utc.0.saturating_sub(record_time.0);
        let zone = zone_offset(difference);
        if let (true, Some(offset)) = (reliable, zone) {
            self.sample(input, host, offset, false);
        }
        let state = self.state(input, host);
        let believed = match zone {
            Some(0) => true,
            Some(offset) => (state.established && offset == state.offset) || (reliable && !state.established),
            None => false,
        };
        if believed { state.seen(utc) } else { state.corrected(record_time) }
    }

    /// The time of any other record: its own, corrected by the source's offset. If it has none: that of the source's
    /// previous record.
    pub fn other(&mut self, input: &str, host: &str, record: Option<Timestamp>) -> Timestamp {
        let state = self.state(input, host);
        match record {
            None => state.last.unwrap_or_default(),
            Some(time) if state.established => state.corrected(time),
            Some(time) => {
                let shared = self.inputs.get(input).copied().flatten().unwrap_or(0);
                let time = Timestamp(time.0.saturating_add(shared));
                self.state(input, host).seen(time)
            }
        }
    }

    /// Learns a source's offset from a Sysmon record in a first pass over its input.
    pub fn learn(&mut self, input: &str, host: &str, record: Option<Timestamp>, utc: Option<Timestamp>) {
        if let (Some(record), Some(utc)) = (record, utc)
            && let Some(offset) = zone_offset(utc.0.saturating_sub(record.0))
        {
            self.sample(input, host, offset, true);
        }
    }

    fn sample(&mut self, input: &str, host: &str, offset: i64, first_pass: bool) {
        let state = self.state(input, host);
        let before = (state.established, state.offset);
        state.sample(offset, first_pass);
        if !state.established || before == (true, state.offset) {
            return;
        }
        let found = state.offset;
        let room = self.inputs.len() < SOURCES;
        match self.inputs.get_mut(input) {
            // The change at noon of a 12-hour clock is not a disagreement.
            Some(agreed) => *agreed = agreed.filter(|agreed| [0, HALF_DAY].contains(&(*agreed - found).abs())),
            None if room => {
                self.inputs.insert(input.into(), Some(found));
            }
            None => {}
        }
    }

    /// The offsets that were applied, ordered by input and host.
    pub fn offsets(&self) -> Vec<ClockOffset> {
        self.places
            .values()
            .filter_map(|place| self.states.get(*place))
            .filter(|state| state.established && state.offset != 0)
            .map(|state| ClockOffset {
                input: state.input.to_string(),
                host: state.host.to_string(),
                seconds: state.offset / SECOND,
                twelve_hour: state.twelve_hour,
                samples: state.samples,
            })
            .collect()
    }

    fn state(&mut self, input: &str, host: &str) -> &mut State {
        let is_it = |state: &State| state.host.eq_ignore_ascii_case(host) && *state.input == *input;
        if !self.states.get(self.last).is_some_and(is_it) {
            self.last = self.find(input, host);
        }
        self.turn += 1;
        let state = &mut self.states[self.last];
        state.used = self.turn;
        state
    }

    /// The index of the source; if there is no room, a new one replaces the least recently used one.
    fn find(&mut self, input: &str, host: &str) -> usize {
        self.key.clear();
        self.key.push_str(input);
        self.key.push('\0');
        self.key.extend(host.chars().map(|character| character.to_ascii_lowercase()));
        if let Some(place) = self.places.get(self.key.as_str()) {
            return *place;
        }
        let state = State { input: input.into(), host: host.to_ascii_lowercase().into(), ..State::default() };
        let place = if self.states.len() < SOURCES {
            self.states.push(state);
            self.states.len() - 1
        } else {
            let oldest = (0..self.states.len()).min_by_key(|place| self.states[*place].used).unwrap_or(0);
            self.places.retain(|_, place| *place != oldest);
            self.states[oldest] = state;
            oldest
        };
        self.places.insert(self.key.as_str().into(), place);
        place
    }
}

impl State {
    fn sample(&mut self, offset: i64, first_pass: bool) {
        if self.established && offset == self.offset {
            self.samples += 1;
            self.agreeing = 0;
            return;
        }
        // An offset that differs by twelve hours is the same zone on a 12-hour clock: no confirmation is needed.
        if self.established && self.offset != 0 && offset != 0 && (offset - self.offset).abs() == HALF_DAY {
            self.twelve_hour = true;
            if !first_pass {
                self.offset = offset;
            }
            self.samples += 1;
            self.agreeing = 0;
            return;
        }
        // The second pass starts where the first one did, so the first offset is stored.
        if first_pass && self.established {
            return;
        }
        if self.agreeing > 0 && self.candidate == offset {
            self.agreeing += 1;
        } else {
            self.candidate = offset;
            self.agreeing = 1;
        }
        if self.agreeing >= AGREEING {
            self.established = true;
            self.offset = offset;
            self.twelve_hour = false;
            self.samples = u64::from(self.agreeing);
            self.agreeing = 0;
        }
    }

    fn seen(&mut self, time: Timestamp) -> Timestamp {
        self.last = Some(time);
        time
    }

    fn corrected(&mut self, record: Timestamp) -> Timestamp {
        if !self.established {
            return self.seen(record);
        }
        let shifted = |offset: i64| Timestamp(record.0.saturating_add(offset));
        let plain = shifted(self.offset);
        match self.last {
            Some(last) if self.twelve_hour => {
                let halves = [self.offset, self.offset - HALF_DAY, self.offset + HALF_DAY];
                halves.into_iter().map(shifted).min_by_key(|time| time.distance(last)).unwrap_or(plain)
            }
            // A time that was derived from the previous one must not replace it, or errors would accumulate.
            _ if self.twelve_hour => plain,
            _ => self.seen(plain),
        }
    }
}

/// The difference of UtcTime and record time as a zone offset: 0 if they agree, a multiple of 15 minutes if they are
/// close to one, `None` if the difference is not a zone offset.
fn zone_offset(difference: i64) -> Option<i64> {
    if difference.saturating_abs() > FURTHEST + TOLERANCE {
        return None;
    }
    let quarters = (difference + difference.signum() * (QUARTER / 2)) / QUARTER;
    let offset = quarters * QUARTER;
    ((difference - offset).abs() <= TOLERANCE).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * SECOND;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_600_000_000 * SECOND + seconds * SECOND)
    }

    fn plus(time: Timestamp, nanos: i64) -> Timestamp {
        Timestamp(time.0 + nanos)
    }

    #[test]
    fn a_correct_clock_is_not_changed() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.sysmon("a", "h", Some(at(1)), Some(at(0)), true), at(0));
        assert_eq!(clocks.sysmon("a", "h", Some(at(3)), Some(at(2)), true), at(2));
        assert_eq!(clocks.other("a", "h", Some(at(5))), at(5));
        assert!(clocks.offsets().is_empty());
    }

    #[test]
    fn utc_time_far_from_the_records_time_is_ignored() {
        let mut clocks = Clocks::default();
        clocks.sysmon("a", "h", Some(at(0)), Some(at(0)), true);
        clocks.sysmon("a", "h", Some(at(0)), Some(at(0)), true);
        assert_eq!(clocks.sysmon("a", "h", Some(at(60)), Some(at(0)), true), at(60));
        // A network connection that is off by whole hours by chance does not determine the zone.
        let odd = plus(at(100), -5 * HOUR);
        assert_eq!(clocks.sysmon("a", "h", Some(at(100)), Some(odd), false), at(100));
        assert_eq!(clocks.other("a", "h", Some(at(101))), at(101));
    }

    #[test]
    fn local_time_is_corrected_once_two_records_agree() {
        let mut clocks = Clocks::default();
        let local = |seconds| plus(at(seconds), -4 * HOUR);
        assert_eq!(clocks.other("a", "h", Some(local(0))), local(0), "nothing is known yet");
        assert_eq!(clocks.sysmon("a", "h", Some(local(1)), Some(at(0)), true), at(0));
        assert_eq!(clocks.sysmon("a", "h", Some(local(2)), Some(at(1)), true), at(1));
        assert_eq!(clocks.other("a", "H", Some(local(3))), at(3));
        // A wrong UtcTime of a network connection is corrected, too.
        assert_eq!(clocks.sysmon("a", "h", Some(local(4)), Some(at(900)), false), at(4));
        let offsets = clocks.offsets();
        assert_eq!(offsets.len(), 1);
        assert_eq!((offsets[0].input.as_str(), offsets[0].host.as_str()), ("a", "h"));
        assert_eq!((offsets[0].seconds, offsets[0].twelve_hour, offsets[0].samples), (4 * 3_600, false, 2));
        // Another input of the same host has its own clock.
        assert_eq!(clocks.other("b", "h", Some(local(3))), local(3));
    }

    #[test]
    fn one_odd_record_changes_no_clock() {
        let mut clocks = Clocks::default();
        for i in 0..3 {
            clocks.sysmon("a", "h", Some(at(i)), Some(at(i)), true);
        }
        let odd = plus(at(10), -HOUR);
        assert_eq!(clocks.sysmon("a", "h", Some(at(10)), Some(odd), true), at(10));
        assert_eq!(clocks.sysmon("a", "h", Some(at(11)), Some(at(11)), true), at(11));
        assert_eq!(clocks.other("a", "h", Some(at(12))), at(12));
    }

    #[test]
    fn a_twelve_hour_clock_is_followed_across_noon() {
        let mut clocks = Clocks::default();
        let morning = |seconds| plus(at(seconds), -7 * HOUR);
        let afternoon = |seconds| plus(at(seconds), -19 * HOUR);
        for i in 0..3 {
            assert_eq!(clocks.sysmon("a", "h", Some(morning(i)), Some(at(i)), true), at(i));
        }
        assert_eq!(clocks.sysmon("a", "h", Some(afternoon(4)), Some(at(4)), true), at(4));
        assert_eq!(clocks.other("a", "h", Some(afternoon(5))), at(5));
        assert_eq!(clocks.other("a", "h", Some(morning(6))), at(6), "a late record of before noon");
        assert!(clocks.offsets()[0].twelve_hour);
    }

    #[test]
    fn a_host_without_sysmon_gets_the_offset_the_others_agree_on() {
        let mut clocks = Clocks::default();
        let local = |seconds| plus(at(seconds), -4 * HOUR);
        for host in ["h1", "h2"] {
            for i in 0..2 {
                clocks.sysmon("a", host, Some(local(i)), Some(at(i)), true);
            }
        }
        assert_eq!(clocks.other("a", "dc", Some(local(3))), at(3));
        assert_eq!(clocks.other("b", "dc", Some(local(3))), local(3), "another input");
        for i in 0..2 {
            clocks.sysmon("a", "h3", Some(at(i)), Some(at(i)), true);
        }
        assert_eq!(clocks.other("a", "dc", Some(local(4))), local(4), "they no longer agree");
    }

    #[test]
    fn a_first_pass_corrects_what_comes_before_sysmon() {
        let mut clocks = Clocks::default();
        let morning = |seconds| plus(at(seconds), -7 * HOUR);
        let afternoon = |seconds| plus(at(seconds), -19 * HOUR);
        for i in 0..3 {
            clocks.learn("a", "h", Some(morning(i)), Some(at(i)));
        }
        for i in 3..6 {
            clocks.learn("a", "h", Some(afternoon(i)), Some(at(i)));
        }
        assert_eq!(clocks.other("a", "h", Some(morning(0))), at(0));
        assert_eq!(clocks.sysmon("a", "h", Some(morning(1)), Some(at(1)), true), at(1));
        assert_eq!(clocks.other("a", "h", Some(afternoon(4))), at(4));
    }

    #[test]
    fn a_record_without_time_gets_the_previous_one() {
        let mut clocks = Clocks::default();
        assert_eq!(clocks.other("a", "h", None), Timestamp(0));
        clocks.sysmon("a", "h", None, Some(at(7)), true);
        assert_eq!(clocks.other("a", "h", None), at(7));
    }

    #[test]
    fn sources_are_bounded_and_the_least_recently_used_is_evicted() {
        let mut clocks = Clocks::default();
        for i in 0..SOURCES + 10 {
            clocks.other("a", &format!("host{i}"), Some(at(0)));
        }
        assert_eq!((clocks.states.len(), clocks.places.len()), (SOURCES, SOURCES));
        assert!(!clocks.places.contains_key("a\0host0"));
        assert!(clocks.places.contains_key("a\0host10"));
    }

    #[test]
    fn extreme_times_do_not_panic() {
        let mut clocks = Clocks::default();
        for (a, b) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, i64::MAX), (i64::MAX, i64::MAX)] {
            clocks.sysmon("a", "h", Some(Timestamp(a)), Some(Timestamp(b)), true);
            clocks.other("a", "h", Some(Timestamp(a)));
        }
    }
}
