//! Counters of records read and skipped. Skipped records are counted by reason, and the first ones are kept with their
//! place.

use std::collections::BTreeMap;

use backchannel_normalize::ClockOffset;
use serde::Serialize;

/// A skipped record, or a skipped input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipDetail {
    /// File, or member of an archive.
    pub input: String,
    /// Line, counted from 1; 0 if the input has no lines, or if the whole input was skipped.
    pub line: u64,
    /// The record's own id or number if the input has no lines; empty if the whole input was skipped.
    pub record: String,
    /// Code of the reason, by which skips are counted.
    pub code: String,
    /// What was expected, and what was found.
    pub reason: String,
}

impl SkipDetail {
    /// An input that cannot be used, or its part after `line`.
    pub(crate) fn at_line(input: &str, line: u64, code: &str, reason: String) -> Self {
        Self { input: input.to_owned(), line, record: String::new(), code: code.to_owned(), reason }
    }

    /// An input of which nothing can be used.
    pub(crate) fn of_input(input: &str, code: &str, reason: String) -> Self {
        Self::at_line(input, 0, code, reason)
    }
}

/// Skipped records and inputs.
#[derive(Clone, Debug)]
pub struct Skips {
    counts: BTreeMap<String, u64>,
    details: Vec<SkipDetail>,
    kept: usize,
}

impl Skips {
    /// Keeps the details of the first `kept`.
    pub fn new(kept: usize) -> Self {
        Self { counts: BTreeMap::new(), details: Vec::new(), kept }
    }

    /// Adds one.
    pub fn add(&mut self, detail: SkipDetail) {
        self.add_many(1, detail);
    }

    /// Adds `count` of the same kind, with one detail for all.
    pub fn add_many(&mut self, count: u64, detail: SkipDetail) {
        if count == 0 {
            return;
        }
        match self.counts.get_mut(&detail.code) {
            Some(known) => *known += count,
            None => {
                self.counts.insert(detail.code.clone(), count);
            }
        }
        if self.details.len() < self.kept {
            self.details.push(detail);
        }
    }

    /// Adds `count` without details.
    pub fn count(&mut self, code: &str, count: u64) {
        if count > 0 {
            *self.counts.entry(code.to_owned()).or_default() += count;
        }
    }

    /// Their number.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Their number by reason.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// Details of the first ones.
    pub fn details(&self) -> &[SkipDetail] {
        &self.details
    }
}

/// Counters of records read and skipped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tally {
    /// Records read, including those that were skipped.
    pub read: u64,
    /// Valid records that were ignored, because no analytic reads their type or event id.
    pub unused: u64,
    /// Records and inputs that were skipped.
    pub skips: Skips,
    /// Irregularities of inputs that were read nevertheless.
    pub notes: Skips,
    /// Sources with a clock offset.
    pub clock_offsets: Vec<ClockOffset>,
    /// Names of inputs without contents.
    pub empty_inputs: Vec<String>,
}

impl Tally {
    pub(crate) fn new(skips: Skips, empty_inputs: Vec<String>) -> Self {
        let notes = Skips::new(skips.kept);
        Self { read: 0, unused: 0, skips, notes, clock_offsets: Vec::new(), empty_inputs }
    }
}
