//! [`Filter`]: one record after the other, and what was found put into them.

use std::ffi::CStr;
use std::time::Duration;

use backchannel_engine::{Correlator, Engine, Format, Output, Raw, SettingError};
use backchannel_events::Timestamp;

use crate::answer;
use crate::pending::Pending;

/// The member that is added to a record.
pub const KEY: &str = "backchannel";

/// Tags whose records are counted; the engine keeps as many inputs.
const MOST_TAGS: usize = 256;
/// Of the records' time; after it an incident is told again only because more was seen around it.
const QUIET: Duration = Duration::from_secs(60);
/// Bytes of incidents that are composed anew for one more finding. Larger ones wait for as many findings as they are
/// worth, or for [`QUIET`]: in a flood of findings each one would otherwise cost all those before it.
const BYTES_A_FINDING: usize = 16 * 1024;
/// Bytes that are kept for the next answer; a larger one is given back.
const KEPT: usize = 1024 * 1024;

/// The detection over the records of a shipper.
#[derive(Debug)]
pub struct Filter {
    engine: Engine,
    correlator: Correlator,
    pending: Pending,
    tags: Vec<Tag>,
    /// Counts records, to know which tag was silent for longest.
    clock: u64,
    /// Whether the correlator was given something since it was last asked for incidents, and when that was.
    stirred: bool,
    asked: Timestamp,
    /// Findings since then, and bytes of the incidents it gave.
    findings: usize,
    composed: usize,
    /// The answer, which the host reads after the call: it lives until the next one.
    answer: Vec<u8>,
}

#[derive(Debug)]
struct Tag {
    name: String,
    /// Records that came under it.
    records: u64,
    used: u64,
}

impl Filter {
    /// A filter that has seen nothing. No settings are the defaults.
    ///
    /// # Errors
    /// Every mistake in the settings, and a baseline that cannot be used.
    pub fn open(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        let engine = Engine::open(settings, baseline)?;
        let correlator = Correlator::open(settings)?;
        Ok(Self {
            engine,
            correlator,
            pending: Pending::default(),
            tags: Vec::new(),
            clock: 0,
            stirred: false,
            asked: Timestamp::default(),
            findings: 0,
            composed: 0,
            answer: Vec::new(),
        })
    }

    /// Takes a record: one JSON object, which came under `tag` with the shipper's `time`; 1970 stands for an unknown one.
    /// `None`: there is nothing to add, and the record goes on as it is. Otherwise the record with the member [`KEY`]
    /// added at its end.
    ///
    /// What cannot be read is passed on like what says nothing: a shipper loses no record because of a detector.
    pub fn filter(&mut self, tag: &str, time: Timestamp, record: &[u8]) -> Option<&CStr> {
        let first_line = self.count(tag);
        if Engine::says_nothing(record) {
            // Incidents are told with the next record that says something, so that most records cost nothing.
            return if self.pending.is_empty() { None } else { self.answer(record) };
        }
        let known = (time > Timestamp::default()).then_some(time);
        let raw = Raw { input: tag, format: Some(Format::Json), host: "", first_line, time: known, data: record };
        let Output { findings, signals, activity, .. } = self.engine.records(raw);
        if !findings.is_empty() || !signals.is_empty() || !activity.is_empty() {
            let documents: Vec<&str> = findings.iter().map(|finding| finding.document.as_str()).collect();
            let signals: Vec<&str> = signals.iter().map(String::as_str).collect();
            let activity: Vec<&str> = activity.iter().map(String::as_str).collect();
            self.correlator.observe(&documents, &signals, &activity);
            self.stirred = true;
            self.findings += findings.len();
        }
        for finding in findings {
            self.pending.finding(finding);
        }
        // Composing incidents costs something, and each is long: not for every event around one.
        let worth = self.findings > 0 && self.findings * BYTES_A_FINDING >= self.composed;
        if worth || (self.stirred && !time.within(QUIET, self.asked)) {
            self.stirred = false;
            self.asked = time;
            self.findings = 0;
            self.composed = 0;
            for incident in self.correlator.incidents() {
                self.composed += incident.document.len();
                self.pending.incident(incident);
            }
        }
        if self.pending.is_empty() { None } else { self.answer(record) }
    }

    /// The record with what is pending; `None` where nothing can be added to it.
    fn answer(&mut self, record: &[u8]) -> Option<&CStr> {
        let place = answer::place(record, KEY)?;
        let (before, after) = record.split_at_checked(place.at)?;
        let answer = &mut self.answer;
        answer.clear();
        answer.shrink_to(KEPT);
        answer.extend_from_slice(before);
        if place.comma {
            answer.push(b',');
        }
        answer.push(b'"');
        answer.extend_from_slice(KEY.as_bytes());
        answer.extend_from_slice(b"\":");
        self.pending.write(answer);
        answer.extend_from_slice(after);
        answer.push(0);
        CStr::from_bytes_with_nul(answer).ok()
    }

    /// Counts a record of this tag and says which one it is, from 1.
    fn count(&mut self, tag: &str) -> u64 {
        self.clock += 1;
        let known = self.tags.iter().position(|known| known.name == tag);
        let at = match known {
            Some(at) => at,
            None => {
                if self.tags.len() >= MOST_TAGS
                    && let Some(silent) = (0..self.tags.len()).min_by_key(|at| self.tags.get(*at).map(|tag| tag.used))
                {
                    self.tags.swap_remove(silent);
                }
                self.tags.push(Tag { name: tag.to_owned(), records: 0, used: 0 });
                self.tags.len() - 1
            }
        };
        let Some(tag) = self.tags.get_mut(at) else { return 0 };
        tag.records += 1;
        tag.used = self.clock;
        tag.records
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
