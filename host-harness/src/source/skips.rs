//! What was not used: counted by reason, the first ones kept with place and reason.

use std::collections::BTreeMap;

/// One record, or one input, that was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipDetail {
    /// File or input.
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

    pub(super) fn kept(&self) -> usize {
        self.kept
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

    /// Counts one more without a detail.
    pub fn count(&mut self, code: &str, count: u64) {
        if count > 0 {
            *self.counts.entry(code.to_owned()).or_default() += count;
        }
    }

    /// Takes over all of `other`.
    pub fn append(&mut self, other: Self) {
        for (code, count) in other.counts {
            *self.counts.entry(code).or_default() += count;
        }
        let room = self.kept.saturating_sub(self.details.len());
        self.details.extend(other.details.into_iter().take(room));
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
