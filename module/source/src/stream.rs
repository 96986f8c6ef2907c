//! One input as a stream of events: reads, decodes and normalises step by step.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use backchannel_decode::Skip;
use backchannel_events::{ProcessEvent, Timestamp};
use backchannel_normalize::{Accepted, Normalizer};
use bumpalo::Bump;

use crate::ahead::Ahead;
use crate::clock;
use crate::evtx::EvtxReader;
use crate::input::{Input, Kind};
use crate::skips::{SkipDetail, Skips, Tally};
use crate::text::TextReader;
use crate::{Options, Packed};

/// Result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Records were read.
    Read,
    /// No data for now.
    Idle,
    /// The input has ended.
    End,
}

/// Limit up to which a stream may run: until an event is later than this time, or equal to it if the other input
/// precedes this one.
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
    /// No data for now.
    Idle,
    /// The input has ended.
    End,
}

/// An open input.
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

impl Reader {
    fn step(&mut self, context: &mut Context, tally: &mut Tally, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> Step {
        match self {
            Self::Text(reader) => reader.step(context, tally, sink),
            Self::Evtx(reader) => reader.step(context, tally, sink),
        }
    }
}

/// State of reading one input, besides its bytes.
pub(crate) struct Context {
    pub(crate) name: Rc<str>,
    pub(crate) host: String,
    pub(crate) normalizer: Normalizer,
    pub(crate) arena: Bump,
}

impl Stream {
    pub(crate) fn open(input: &Input, options: &Options, done: &Arc<AtomicU64>) -> io::Result<Self> {
        let mut context = Context {
            name: Rc::clone(&input.name),
            host: options.host.clone().unwrap_or_default(),
            normalizer: Normalizer::new(),
            arena: Bump::new(),
        };
        if let (Kind::Text(found), true) = (input.kind, input.is_repeatable()) {
            // Bytes read in this pass do not count as progress.
            let uncounted = Arc::new(AtomicU64::new(0));
            if let Ok(bytes) = input.read(&options.unpack, &uncounted) {
                let _ = clock::look(bytes, found, options, &mut context);
            }
        }
        let bytes = input.read(&options.unpack, done)?;
        let reader = match input.kind {
            Kind::Text(found) => Reader::Text(Box::new(TextReader::new(bytes, found, options))),
            Kind::Evtx => Reader::Evtx(Box::new(EvtxReader::new(bytes))),
        };
        Ok(Self { reader, context, ahead: Ahead::default(), ended: false })
    }

    /// The time of its first event. Consumes the stream: only for reading ahead.
    pub(crate) fn first_time(mut self) -> Option<Timestamp> {
        let mut aside = Tally::new(Skips::new(0), Vec::new());
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

    /// Moves events to `out` until one is later than `due`.
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

impl Context {
    /// Counts the result of a record.
    pub(crate) fn accepted(accepted: Accepted, tally: &mut Tally) {
        if accepted == Accepted::NotUsed {
            tally.unused += 1;
        }
    }

    pub(crate) fn skip(&self, skip: &Skip, tally: &mut Tally) {
        let reason = match skip.column {
            Some(column) => format!("{} at byte {column}", skip.reason),
            None => skip.reason.to_string(),
        };
        tally.skips.add(SkipDetail::at_line(&self.name, skip.line, skip.reason.code(), reason));
    }

    /// Notes the irregularities of Linux audit events.
    fn note_audit(&self, tally: &mut Tally) {
        let stats = self.normalizer.audit_stats();
        for (count, code, what) in [
            (stats.malformed, "audit-malformed", "lines have no readable audit(TIME:SERIAL)"),
            (stats.oversized, "audit-oversized", "lines were left out, because their event had grown too large"),
            (stats.orphaned, "audit-incomplete", "events ended without their SYSCALL record"),
            (stats.evicted, "audit-early", "events were completed early, because too many were pending"),
            (stats.names_evicted, "audit-forgotten", "names of sockets and segments were forgotten"),
        ] {
            tally.notes.add_many(count, SkipDetail::of_input(&self.name, code, format!("{count} {what}")));
        }
    }

    /// Counts an input that cannot be read any further.
    pub(crate) fn broken(&self, error: &io::Error, line: u64, tally: &mut Tally) {
        let reason = format!("{error}: the rest of the input is skipped");
        tally.skips.add(SkipDetail::at_line(&self.name, line, "unreadable", reason));
    }
}
