//! Several inputs as one stream of batches, in the order of event time.
//!
//! The input whose next event is the oldest runs until an event of another one is due; ties go by the inputs'
//! names, so that the order in which they are given changes nothing.
//! No more than [`OPEN_INPUTS`] are open at a time. Where there are more, all are looked at once
//! for their first event, and each is opened when its first event is due; only where more than that many overlap in
//! time does one start late.

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

/// How many inputs are open at a time.
pub const OPEN_INPUTS: usize = 64;

/// Before all events.
const BEGINNING: Timestamp = Timestamp(i64::MIN);

/// What filling a batch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// A batch of so many events.
    Batch(usize),
    /// Nothing came for a while: only of inputs that are still being written to.
    Idle,
    /// All inputs have ended.
    End,
}

/// All inputs as one stream.
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

    /// How many events a batch has at most.
    pub fn set_batch(&mut self, events: usize) {
        self.out.most = events.max(1);
    }

    /// Writes the next batch to `bytes`.
    pub fn fill(&mut self, bytes: &mut Vec<u8>) -> Filled {
        loop {
            let Some(index) = self.current.take().or_else(|| self.next_input()) else {
                return self.hand_over(bytes).unwrap_or(Filled::End);
            };
            let due = self.next_due();
            let Some(Some(stream)) = self.open.get_mut(index) else { continue };
            match stream.run(index, due, &mut self.out, &mut self.tally) {
                Stopped::Ahead(time) => self.heads.push(Reverse(Due { time, input: index })),
                Stopped::Full => {
                    self.current = Some(index);
                    if let Some(filled) = self.hand_over(bytes) {
                        return filled;
                    }
                }
                Stopped::Idle => {
                    self.current = Some(index);
                    return self.hand_over(bytes).unwrap_or(Filled::Idle);
                }
                Stopped::End => self.open[index] = None,
            }
        }
    }

    /// What was filled so far, besides the events.
    pub fn packed(&self) -> &Packed {
        &self.out
    }

    /// What was read, and what came of it.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The tally, at the end.
    pub fn into_tally(mut self) -> Tally {
        self.tally.skips.count("event-too-large", self.out.too_large);
        self.tally
    }

    fn hand_over(&mut self, bytes: &mut Vec<u8>) -> Option<Filled> {
        if self.out.builder.is_empty() {
            return None;
        }
        self.out.builder.finish(bytes);
        Some(Filled::Batch(std::mem::take(&mut self.out.events)))
    }

    /// When another input than the running one is due.
    fn next_due(&self) -> Option<Due> {
        let open = self.heads.peek().map(|Reverse(due)| *due);
        // A waiting input that may not be opened yet holds nobody up.
        let waiting = self.waiting.front().filter(|_| self.has_room(1)).map(|(due, _)| *due);
        match (open, waiting) {
            (Some(open), Some(waiting)) => Some(open.min(waiting)),
            (open, waiting) => open.or(waiting),
        }
    }

    fn has_room(&self, running: usize) -> bool {
        self.heads.len() + running < OPEN_INPUTS
    }

    /// The input whose next event is the oldest. Opens those that wait and may be due before it.
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
                // Its time is known from the look ahead.
                Ok(stream) if due.time != BEGINNING => {
                    self.open[due.input] = Some(stream);
                    self.heads.push(Reverse(due));
                }
                Ok(mut stream) => {
                    // Not a single event is due before the beginning of time: this finds out when its first one is.
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

/// The time of an input's first event, or record: as early.
fn first_event(input: &Input, options: &Options) -> Option<Timestamp> {
    // What is read ahead is not progress.
    let looked = Arc::default();
    match input.kind {
        Kind::Evtx => evtx::first_time(input.read(&options.unpack, &looked).ok()?),
        Kind::Text(_) => Stream::open(input, options, &looked).ok()?.first_time(),
    }
}
