//! One input as a stream of events: read, decoded, normalised, a step at a time.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use backchannel_decode::Skip;
use backchannel_events::packed::{Batch, Builder};
use backchannel_events::{ProcessEvent, Timestamp};
use backchannel_normalize::{Accepted, Normalizer};
use bumpalo::Bump;

use super::clock;
use super::evtx::EvtxReader;
use super::merge::Packed;
use super::open::{Input, Kind};
use super::text::TextReader;
use super::{SkipDetail, Skips, SourceOptions, Tally};

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Records were read.
    Read,
    /// Nothing came for a while.
    Idle,
    /// The input has ended.
    End,
}

/// Up to where a stream may run: until an event comes after this moment, or at it where the other input comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) time: Timestamp,
    pub(super) input: usize,
}

/// Why a stream stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Its next event, of this time, is not due.
    Ahead(Timestamp),
    /// The batch is full.
    Full,
    /// Nothing came for a while.
    Idle,
    /// It has ended.
    End,
}

/// One input, open.
pub(super) struct Stream {
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

impl Reader {
    fn step(&mut self, context: &mut Context, tally: &mut Tally, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> Step {
        match self {
            Self::Text(reader) => reader.step(context, tally, sink),
            Self::Evtx(reader) => reader.step(context, tally, sink),
        }
    }
}

/// What reading one input needs besides its bytes.
pub(super) struct Context {
    pub(super) name: Rc<str>,
    pub(super) host: String,
    pub(super) normalizer: Normalizer,
    pub(super) arena: Bump,
}

impl Stream {
    pub(super) fn open(input: &Input, options: &SourceOptions, done: &Arc<AtomicU64>) -> io::Result<Self> {
        let mut context = Context {
            name: Rc::clone(&input.name),
            host: options.host.clone().unwrap_or_default(),
            normalizer: Normalizer::new(),
            arena: Bump::new(),
        };
        if let (Kind::Text(found), true) = (input.kind, input.is_repeatable()) {
            // What is read for this look is not progress.
            let looked = Arc::new(AtomicU64::new(0));
            if let Ok(bytes) = input.read(options, &looked) {
                let _ = clock::look(bytes, found, options, &mut context);
            }
        }
        let bytes = input.read(options, done)?;
        let reader = match input.kind {
            Kind::Text(found) => Reader::Text(Box::new(TextReader::new(bytes, found, options))),
            Kind::Evtx => Reader::Evtx(Box::new(EvtxReader::new(bytes))),
        };
        Ok(Self { reader, context, ahead: Ahead::default(), ended: false })
    }

    /// The time of its first event. What was read is lost: this is for a look ahead.
    pub(super) fn first_time(mut self) -> Option<Timestamp> {
        let mut aside = Tally::new(Skips::new(0));
        let mut first = None;
        while first.is_none() {
            let mut sink = |event: &ProcessEvent<'_>| _ = first.get_or_insert(event.time);
            match self.reader.step(&mut self.context, &mut aside, &mut sink) {
                Step::Read => {}
                Step::Idle => break,
                Step::End => {
                    self.context.normalizer.flush(&self.context.arena, &mut sink);
                    break;
                }
            }
        }
        first
    }

    /// Moves events to `out` as long as they are not after `due`.
    pub(super) fn run(&mut self, index: usize, due: Option<Due>, out: &mut Packed, tally: &mut Tally) -> Stopped {
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
            match self.reader.step(&mut self.context, tally, &mut sink) {
                Step::Read => {}
                Step::Idle => return Stopped::Idle,
                Step::End => {
                    self.context.normalizer.flush(&self.context.arena, &mut sink);
                    tally.clock_offsets.extend(self.context.normalizer.clock_offsets());
                    self.context.note_audit(tally);
                    self.ended = true;
                }
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
    /// Counts what became of a record.
    pub(super) fn accepted(accepted: Accepted, tally: &mut Tally) {
        if accepted == Accepted::NotUsed {
            tally.unused += 1;
        }
    }

    pub(super) fn skip(&self, skip: &Skip, tally: &mut Tally) {
        tally.skips.add(SkipDetail {
            input: self.name.to_string(),
            line: skip.line,
            record: String::new(),
            code: skip.reason.code().to_owned(),
            reason: match skip.column {
                Some(column) => format!("{} at byte {column}", skip.reason),
                None => skip.reason.to_string(),
            },
        });
    }

    /// What of Linux audit could not be put together as it should.
    fn note_audit(&self, tally: &mut Tally) {
        let stats = self.normalizer.audit_stats();
        for (count, code, what) in [
            (stats.malformed, "audit-malformed", "lines have no readable audit(TIME:SERIAL)"),
            (stats.oversized, "audit-oversized", "lines were left out, because their event had grown too large"),
            (stats.orphaned, "audit-incomplete", "events ended without their SYSCALL record"),
            (stats.evicted, "audit-early", "events were completed early, because too many were pending"),
            (stats.names_evicted, "audit-forgotten", "names of sockets and segments were forgotten"),
        ] {
            tally.notes.add_many(
                count,
                SkipDetail {
                    input: self.name.to_string(),
                    line: 0,
                    record: String::new(),
                    code: code.to_owned(),
                    reason: format!("{count} {what}"),
                },
            );
        }
    }

    /// The input cannot be read any further.
    pub(super) fn broken(&self, error: &io::Error, line: u64, tally: &mut Tally) {
        tally.skips.add(SkipDetail {
            input: self.name.to_string(),
            line,
            record: String::new(),
            code: "unreadable".to_owned(),
            reason: format!("{error}: the rest of the input is left out"),
        });
    }
}
