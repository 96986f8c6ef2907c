//! One input as a stream of events: read, decoded, normalised, a step at a time.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use backchannel_events::packed::{Batch, Builder};
use backchannel_events::{ProcessEvent, Timestamp};
use backchannel_normalize::Normalizer;
use bumpalo::Bump;

use crate::account::{Skip, Tally};
use crate::evtx::EvtxReader;
use crate::merge::Packed;
use crate::open::{Input, Kind};
use crate::text::{TextReader, look_at_clock};

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something was read.
    Read,
    /// The input has ended.
    End,
}

/// Up to where a stream may run: until an event comes after this moment, or at it where the other input comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) time: Timestamp,
    pub(crate) input: usize,
}

/// Why a stream stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Its next event, of this time, is not due.
    Ahead(Timestamp),
    /// The batch is full.
    Full,
    /// It has ended.
    End,
}

/// One input, open.
pub(crate) struct Stream {
    reader: Reader,
    context: Context,
    /// Events that were read and are not due yet.
    ahead: Ahead,
    ended: bool,
}

enum Reader {
    Text(Box<TextReader>),
    Evtx(Box<EvtxReader>),
}

/// What reading one input needs besides its bytes.
pub(crate) struct Context {
    pub(crate) name: Rc<str>,
    pub(crate) normalizer: Normalizer,
    pub(crate) arena: Bump,
}

impl Stream {
    pub(crate) fn open(input: &Input, done: &Rc<Cell<u64>>) -> Self {
        let mut context = Context { name: Rc::clone(&input.name), normalizer: Normalizer::new(), arena: Bump::new() };
        let reader = match input.kind {
            Kind::Text(found) => {
                // What is read for this look is not progress.
                look_at_clock(input.read(&Rc::default()), found, &mut context);
                Reader::Text(Box::new(TextReader::new(input.read(done), found)))
            }
            Kind::Evtx => Reader::Evtx(Box::new(EvtxReader::new(input.read(done)))),
        };
        Self { reader, context, ahead: Ahead::default(), ended: false }
    }

    /// Moves events to `out` as long as they are not after `due`.
    pub(crate) fn run(&mut self, index: usize, due: Option<Due>, out: &mut Packed, tally: &mut Tally) -> Stopped {
        let is_due = |time: Timestamp| due.is_none_or(|due| Due { time, input: index } <= due);
        loop {
            while let Some(time) = self.ahead.next_time() {
                if !is_due(time) {
                    return Stopped::Ahead(time);
                }
                if out.is_full() {
                    return Stopped::Full;
                }
                self.ahead.move_one(out);
            }
            if self.ended {
                return Stopped::End;
            }
            if out.is_full() {
                return Stopped::Full;
            }
            let ahead = &mut self.ahead;
            let mut sink = |event: &ProcessEvent<'_>| {
                if ahead.is_empty() && is_due(event.time) && !out.is_full() {
                    out.push(event);
                } else {
                    ahead.keep(event);
                }
            };
            let step = match &mut self.reader {
                Reader::Text(reader) => reader.step(&mut self.context, tally, &mut sink),
                Reader::Evtx(reader) => reader.step(&mut self.context, tally, &mut sink),
            };
            if step == Step::End {
                self.context.normalizer.flush(&self.context.arena, &mut sink);
                tally.clock_offsets.extend(self.context.normalizer.clock_offsets());
                self.context.note_audit(tally);
                self.ended = true;
            }
        }
    }
}

/// Events that wait for their turn, packed one by one: in the order they were read, borrowing nothing.
#[derive(Default)]
struct Ahead {
    /// Time, and the end of the packed event in `bytes`.
    queue: VecDeque<(Timestamp, usize)>,
    bytes: Vec<u8>,
    /// Where the next one begins.
    start: usize,
    packer: Builder,
    packed: Vec<u8>,
}

impl Ahead {
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.queue.front().map(|(time, _)| *time)
    }

    fn keep(&mut self, event: &ProcessEvent<'_>) {
        // What does not fit into an empty batch fits into none.
        if self.packer.push(event).is_ok() {
            self.packer.finish(&mut self.packed);
            self.bytes.extend_from_slice(&self.packed);
            self.queue.push_back((event.time, self.bytes.len()));
        }
    }

    fn move_one(&mut self, out: &mut Packed) {
        let Some((_, end)) = self.queue.pop_front() else { return };
        if let Ok(batch) = Batch::parse(&self.bytes[self.start..end]) {
            batch.iter().for_each(|event| out.push(&event));
        }
        self.start = end;
        if self.queue.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }
}

impl Context {
    /// What of Linux audit could not be put together as it should.
    fn note_audit(&self, tally: &mut Tally) {
        let stats = self.normalizer.audit_stats();
        for (count, code) in [
            (stats.malformed, "audit-malformed"),
            (stats.oversized, "audit-oversized"),
            (stats.orphaned, "audit-incomplete"),
            (stats.evicted, "audit-early"),
            (stats.names_evicted, "audit-forgotten"),
        ] {
            tally.note(count, code);
        }
    }

    /// The input cannot be read any further.
    pub(crate) fn broken(&self, error: &io::Error, line: u64, tally: &mut Tally) {
        tally.skip(
            1,
            Skip {
                input: self.name.to_string(),
                line,
                record: String::new(),
                code: "unreadable".to_owned(),
                reason: format!("{error}: the rest of the input is left out"),
            },
        );
    }
}
