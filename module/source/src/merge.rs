//! Merges several inputs into one stream of batches, in the order of event time.
//!
//! The input whose next event is the oldest runs until an event of another one is due. Ties are resolved by the inputs'
//! names, so that the order in which they are added has no effect. At most [`OPEN_INPUTS`] are open at a time. If there
//! are more, the first event of each is read in advance, and the input is opened when that event is due. Only if more
//! than that many overlap in time, an input starts late.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use backchannel_events::Timestamp;

use crate::evtx;
use crate::input::{Input, Kind};
use crate::skips::{SkipDetail, Tally};
use crate::stream::{Due, Stopped, Stream};
use crate::{Options, Packed};

/// Maximum number of inputs that are open at a time.
pub const OPEN_INPUTS: usize = 64;

/// Before all events.
const BEGINNING: Timestamp = Timestamp(i64::MIN);

/// Result of filling a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// A batch with this number of events.
    Batch(usize),
    /// No events for now: only with inputs that are still being written to.
    Idle,
    /// All inputs have ended.
    End,
}

/// All inputs as one stream of batches.
pub struct Merge {
    /// Inputs not opened yet, by the time of their first event.
    waiting: VecDeque<(Due, Input)>,
    open: Vec<Option<Stream>>,
    /// Open inputs by the time of their next event, the oldest first.
    heads: BinaryHeap<Reverse<Due>>,
    /// The input that is running.
    current: Option<usize>,
    options: Options,
    done: Arc<AtomicU64>,
    out: Packed,
    tally: Tally,
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merge")
            .field("waiting", &self.waiting.len())
            .field("open", &self.heads.len())
            .finish_non_exhaustive()
    }
}

impl Merge {
    pub(crate) fn new(mut inputs: Vec<Input>, tally: Tally, options: Options, done: Arc<AtomicU64>) -> Self {
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut waiting: Vec<(Due, Input)> = Vec::with_capacity(inputs.len());
        let look_ahead = inputs.len() > OPEN_INPUTS;
        for (index, input) in inputs.into_iter().enumerate() {
            let first = if look_ahead && input.is_repeatable() { first_event(&input, &options) } else { None };
            waiting.push((Due { time: first.unwrap_or(BEGINNING), input: index }, input));
        }
        waiting.sort_by_key(|(due, _)| *due);
        let mut open = Vec::new();
        open.resize_with(waiting.len(), || None);
        Self {
            waiting: waiting.into(),
            open,
            heads: BinaryHeap::new(),
            current: None,
            options,
            done,
            out: Packed::new(1024),
            tally,
        }
    }

    /// Sets the maximum number of events of a batch.
    pub fn set_batch(&mut self, events: usize) {
        self.out.limit = events.max(1);
    }

    /// Writes the next batch to `bytes`.
    pub fn fill(&mut self, bytes: &mut Vec<u8>) -> Filled {
        loop {
            let Some(index) = self.current.take().or_else(|| self.next_input()) else {
                return self.finish_batch(bytes).unwrap_or(Filled::End);
            };
            let due = self.next_due();
            let Some(Some(stream)) = self.open.get_mut(index) else { continue };
            match stream.run(index, due, &mut self.out, &mut self.tally) {
                Stopped::Ahead(time) => self.heads.push(Reverse(Due { time, input: index })),
                Stopped::Full => {
                    self.current = Some(index);
                    if let Some(filled) = self.finish_batch(bytes) {
                        return filled;
                    }
                }
                Stopped::Idle => {
                    self.current = Some(index);
                    return self.finish_batch(bytes).unwrap_or(Filled::Idle);
                }
                Stopped::End => self.open[index] = None,
            }
        }
    }

    /// Statistics of the batches so far.
    pub fn packed(&self) -> &Packed {
        &self.out
    }

    /// Counters of records read and skipped, so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counters of records read and skipped, at the end.
    pub fn into_tally(mut self) -> Tally {
        self.tally.skips.count("event-too-large", self.out.too_large);
        self.tally
    }

    fn finish_batch(&mut self, bytes: &mut Vec<u8>) -> Option<Filled> {
        if self.out.builder.is_empty() {
            return None;
        }
        self.out.builder.finish(bytes);
        Some(Filled::Batch(std::mem::take(&mut self.out.events)))
    }

    /// Time at which another input than the running one is due.
    fn next_due(&self) -> Option<Due> {
        let open = self.heads.peek().map(|Reverse(due)| *due);
        // A waiting input that may not be opened yet does not limit the others.
        let waiting = self.waiting.front().filter(|_| self.has_room(1)).map(|(due, _)| *due);
        match (open, waiting) {
            (Some(open), Some(waiting)) => Some(open.min(waiting)),
            (open, waiting) => open.or(waiting),
        }
    }

    fn has_room(&self, running: usize) -> bool {
        self.heads.len() + running < OPEN_INPUTS
    }

    /// Removes the input whose next event is the oldest. Opens waiting inputs that may be due before it.
    fn next_input(&mut self) -> Option<usize> {
        loop {
            let oldest = self.heads.peek().map(|Reverse(due)| *due);
            let opens = self.has_room(0)
                && self.waiting.front().is_some_and(|(due, _)| oldest.is_none_or(|oldest| *due <= oldest));
            if !opens {
                return self.heads.pop().map(|Reverse(due)| due.input);
            }
            let (due, input) = self.waiting.pop_front()?;
            match Stream::open(&input, &self.options, &self.done) {
                // Its time is known from reading ahead.
                Ok(stream) if due.time != BEGINNING => {
                    self.open[due.input] = Some(stream);
                    self.heads.push(Reverse(due));
                }
                Ok(mut stream) => {
                    // Runs it with a limit before all events, to find out the time of its first event.
                    let nothing = Due { time: BEGINNING, input: 0 };
                    let alone = self.heads.is_empty() && self.waiting.is_empty();
                    let stopped = if alone {
                        Stopped::Full
                    } else {
                        stream.run(due.input + 1, Some(nothing), &mut self.out, &mut self.tally)
                    };
                    match stopped {
                        Stopped::Ahead(time) => {
                            self.open[due.input] = Some(stream);
                            self.heads.push(Reverse(Due { time, input: due.input }));
                        }
                        Stopped::End => {}
                        Stopped::Full | Stopped::Idle => {
                            self.open[due.input] = Some(stream);
                            return Some(due.input);
                        }
                    }
                }
                Err(error) => {
                    self.tally.skips.add(SkipDetail::of_input(&input.name, "unreadable", error.to_string()));
                }
            }
        }
    }
}

/// Time of the first event, or record, of an input; a lower bound.
fn first_event(input: &Input, options: &Options) -> Option<Timestamp> {
    // Bytes read ahead do not count as progress.
    let uncounted = Arc::default();
    match input.kind {
        Kind::Evtx => evtx::first_time(input.read(&options.unpack, &uncounted).ok()?),
        Kind::Text(_) => Stream::open(input, options, &uncounted).ok()?.first_time(),
    }
}
