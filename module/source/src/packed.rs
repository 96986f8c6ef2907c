//! [`Packed`]: the batch that is being filled, and statistics of all batches.

use std::collections::BTreeSet;

use backchannel_events::packed::Builder;
use backchannel_events::{ProcessEvent, Timestamp};

/// Number of hosts up to which distinct hosts are counted.
const HOSTS: usize = 100_000;

/// The batch that is being filled.
#[derive(Debug)]
pub struct Packed {
    pub(crate) builder: Builder,
    pub(crate) events: usize,
    pub(crate) limit: usize,
    hosts: BTreeSet<String>,
    last_host: String,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
    /// Events that exceed the maximum size of a batch.
    pub(crate) too_large: u64,
}

impl Packed {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            builder: Builder::default(),
            events: 0,
            limit: limit.max(1),
            hosts: BTreeSet::new(),
            last_host: String::new(),
            first_time: None,
            last_time: None,
            too_large: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.events >= self.limit || self.builder.is_full()
    }

    pub(crate) fn push(&mut self, event: &ProcessEvent<'_>) {
        if self.builder.push(event).is_err() {
            self.too_large += 1;
            return;
        }
        self.events += 1;
        self.first_time = Some(self.first_time.map_or(event.time, |first| first.min(event.time)));
        self.last_time = Some(self.last_time.map_or(event.time, |last| last.max(event.time)));
        if event.host != self.last_host {
            event.host.clone_into(&mut self.last_host);
            if self.hosts.len() < HOSTS {
                let label = event.host.split('.').next().unwrap_or_default();
                if !self.hosts.contains(label) {
                    self.hosts.insert(label.to_ascii_lowercase());
                }
            }
        }
    }

    /// Number of distinct hosts so far.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Time of the oldest event.
    pub fn first_time(&self) -> Option<Timestamp> {
        self.first_time
    }

    /// Time of the newest event.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.last_time
    }
}
