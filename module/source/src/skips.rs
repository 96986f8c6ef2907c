//! The account of reading: what was read and what came of it; what was not used is counted by reason, the first ones
//! kept with place and reason.

use std::collections::BTreeMap;

use backchannel_normalize::ClockOffset;
use serde::Serialize;

/// One record, or one input, that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkipDetail {
    /// File, or member of an archive.
    pub input: String,
    /// Line, counted from 1; 0 where the input has no lines or the input as a whole is meant.
    pub line: u64,
    /// The record's own id or number, where the input has no lines; empty: the input as a whole.
    pub record: String,
    /// A word to count by.
    pub code: String,
    /// What was expected, and what was there.
    pub reason: String,
}

impl SkipDetail {
    /// An input, or what follows `line` of it, that cannot be used.
    pub(crate) fn at_line(input: &str, line: u64, code: &str, reason: String) -> Self {
        Self { input: input.to_owned(), line, record: String::new(), code: code.to_owned(), reason }
    }

    /// An input that cannot be used as a whole.
    pub(crate) fn of_input(input: &str, code: &str, reason: String) -> Self {
        Self::at_line(input, 0, code, reason)
    }
}

/// What was not used.
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

    /// Counts `count` more without a detail.
    pub fn count(&mut self, code: &str, count: u64) {
        if count > 0 {
            *self.counts.entry(code.to_owned()).or_default() += count;
        }
    }

    /// How many.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many, by reason.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// The first ones.
    pub fn details(&self) -> &[SkipDetail] {
        &self.details
    }
}

/// What was read, and what came of it.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Records read, those that were skipped included.
    pub read: u64,
    /// Records that are in order but carry nothing that is used.
    pub unused: u64,
    /// What was not used.
    pub skips: Skips,
    /// What looks wrong in inputs that were read all the same.
    pub notes: Skips,
    /// Sources whose clock is off.
    pub clock_offsets: Vec<ClockOffset>,
    /// Names of inputs that hold nothing.
    pub empty_inputs: Vec<String>,
}

impl Tally {
    pub(crate) fn new(skips: Skips, empty_inputs: Vec<String>) -> Self {
        let notes = Skips::new(skips.kept);
        Self { read: 0, unused: 0, skips, notes, clock_offsets: Vec::new(), empty_inputs }
    }
}
