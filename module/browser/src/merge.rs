//! Several inputs as one stream of batches, in the order of event time.
//!
//! The input whose next event is the oldest runs until an event of another one is due; ties go by the inputs' names.
//! Inside an input its own order counts. Of each input no more is held than what was read of it last.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::rc::Rc;

use backchannel_events::packed::Builder;
use backchannel_events::{ProcessEvent, Timestamp};

use crate::account::{Seen, Tally};
use crate::open::Input;
use crate::stream::{Due, Stopped, Stream};

/// How many events a batch has at most.
const BATCH: usize = 1024;
/// How many hosts are counted one by one.
const HOSTS: usize = 100_000;

/// A batch that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    builder: Builder,
    events: usize,
    hosts: BTreeSet<String>,
    last_host: String,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
    too_large: u64,
}

impl Packed {
    pub(crate) fn is_full(&self) -> bool {
        self.events >= BATCH || self.builder.is_full()
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
            let label = event.host.split('.').next().unwrap_or_default();
            if self.hosts.len() < HOSTS && !self.hosts.contains(label) {
                self.hosts.insert(label.to_ascii_lowercase());
            }
        }
    }
}

/// All inputs as one stream.
pub(crate) struct Merge {
    open: Vec<Option<Stream>>,
    /// Inputs by the time of their next event, the oldest first.
    heads: BinaryHeap<Reverse<Due>>,
    /// The input that is running.
    current: Option<usize>,
    out: Packed,
}

impl Merge {
    /// Opens `inputs` and reads each up to its first event.
    pub(crate) fn new(mut inputs: Vec<Input>, tally: &mut Tally, done: &Rc<Cell<u64>>) -> Self {
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut merge = Self { open: Vec::new(), heads: BinaryHeap::new(), current: None, out: Packed::default() };
        // Not a single event is due before the beginning of time: this finds out when the first one is.
        let nothing = Due { time: Timestamp(i64::MIN), input: 0 };
        for (index, input) in inputs.iter().enumerate() {
            let mut stream = Stream::open(input, done);
            match stream.run(index + 1, Some(nothing), &mut merge.out, tally) {
                Stopped::Ahead(time) => {
                    merge.open.push(Some(stream));
                    merge.heads.push(Reverse(Due { time, input: index }));
                }
                Stopped::End | Stopped::Full => merge.open.push(None),
            }
        }
        merge
    }

    /// Writes the next batch to `bytes`. False at the end.
    pub(crate) fn fill(&mut self, bytes: &mut Vec<u8>, tally: &mut Tally) -> bool {
        loop {
            let Some(index) = self.current.take().or_else(|| self.heads.pop().map(|Reverse(due)| due.input)) else {
                return self.hand_over(bytes);
            };
            let due = self.heads.peek().map(|Reverse(due)| *due);
            let Some(Some(stream)) = self.open.get_mut(index) else { continue };
            match stream.run(index, due, &mut self.out, tally) {
                Stopped::Ahead(time) => self.heads.push(Reverse(Due { time, input: index })),
                Stopped::Full => {
                    self.current = Some(index);
                    if self.hand_over(bytes) {
                        return true;
                    }
                }
                Stopped::End => self.open[index] = None,
            }
        }
    }

    fn hand_over(&mut self, bytes: &mut Vec<u8>) -> bool {
        if self.out.builder.is_empty() {
            return false;
        }
        self.out.builder.finish(bytes);
        self.out.events = 0;
        true
    }

    /// What was seen, at the end.
    pub(crate) fn finish(self, tally: &mut Tally) -> Seen {
        tally.too_large(self.out.too_large);
        Seen { hosts: self.out.hosts.len() as u64, first_time: self.out.first_time, last_time: self.out.last_time }
    }
}
