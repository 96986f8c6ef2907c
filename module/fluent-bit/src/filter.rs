//! [`Filter`]: takes one record after the other and adds findings to them.

use std::ffi::CStr;
use std::time::Duration;

use backchannel_engine::{Correlator, Engine, Format, Output, Raw, SettingError};
use backchannel_events::Timestamp;

use crate::answer;
use crate::pending::Pending;

/// Key of the member that is added to a record.
pub const KEY: &str = "backchannel";

/// Maximum number of tags whose records are counted; the engine keeps as many inputs.
const MAX_TAGS: usize = 256;
/// In time of the records. After it, an incident is emitted again even if only its context has grown.
const QUIET: Duration = Duration::from_secs(60);
/// Bytes of incidents that are composed anew per further finding. Larger incidents wait for a proportional number of
/// findings, or for [`QUIET`]: in a flood of findings, composing them for each one would be quadratic.
const BYTES_PER_FINDING: usize = 16 * 1024;
/// Capacity that is kept for the next answer; a larger buffer is freed.
const KEPT: usize = 1024 * 1024;

/// Detection on the records of a shipper.
#[derive(Debug)]
pub struct Filter {
    engine: Engine,
    correlator: Correlator,
    pending: Pending,
    tags: Vec<Tag>,
    /// Number of records so far; orders tags by last use.
    clock: u64,
    /// Whether the correlator has received anything since incidents were last composed, and the time of that.
    stirred: bool,
    asked: Timestamp,
    /// Findings since then, and the size in bytes of the incidents composed then.
    findings: usize,
    composed: usize,
    /// The answer, which the host reads after the call; valid until the next one.
    answer: Vec<u8>,
}

#[derive(Debug)]
struct Tag {
    name: String,
    /// Number of records with this tag.
    records: u64,
    used: u64,
}

impl Filter {
    /// Opens a filter. Without settings, the defaults apply.
    ///
    /// # Errors
    /// All errors in the settings, and a baseline that cannot be read.
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

    /// Evaluates a record: one JSON object with the shipper's `tag` and `time`; 1970 means that the time is unknown.
    /// `None`: there is nothing to add, and the record is passed on unchanged. Otherwise the record with the member
    /// [`KEY`] added at its end.
    ///
    /// Records that cannot be read are passed on unchanged, too: a shipper must not lose records because of a detector.
    pub fn filter(&mut self, tag: &str, time: Timestamp, record: &[u8]) -> Option<&CStr> {
        let first_line = self.count(tag);
        if Engine::is_unused(record) {
            // Incidents are emitted with the next record that gives an event, so that most records cost nothing.
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
        // Composing incidents is expensive and each one is long, so it is not done for every event around one.
        let worth = self.findings > 0 && self.findings * BYTES_PER_FINDING >= self.composed;
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

    /// The record with the pending documents; `None` if nothing can be added to it.
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

    /// Counts a record of this tag and returns its number, from 1.
    fn count(&mut self, tag: &str) -> u64 {
        self.clock += 1;
        let known = self.tags.iter().position(|known| known.name == tag);
        let at = match known {
            Some(at) => at,
            None => {
                if self.tags.len() >= MAX_TAGS
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
