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

use super::evtx::EvtxReader;
use super::merge::Packed;
use super::open::{Input, Kind};
use super::text::TextReader;
use super::{SkipDetail, SourceOptions, Tally};

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
    ahead: VecDeque<(Timestamp, Vec<u8>)>,
    packer: Builder,
    ended: bool,
}

enum Reader {
    Text(Box<TextReader>),
    Evtx(Box<EvtxReader>),
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
        let bytes = input.read(options, done)?;
        let reader = match input.kind {
            Kind::Text(found) => Reader::Text(Box::new(TextReader::new(bytes, found, options))),
            Kind::Evtx => Reader::Evtx(Box::new(EvtxReader::new(bytes))),
        };
        let context = Context {
            name: Rc::clone(&input.name),
            host: options.host.clone().unwrap_or_default(),
            normalizer: Normalizer::new(),
            arena: Bump::new(),
        };
        Ok(Self { reader, context, ahead: VecDeque::new(), packer: Builder::default(), ended: false })
    }


    /// Moves events to `out` as long as they are not after `due`.
    pub(super) fn run(&mut self, index: usize, due: Option<Due>, out: &mut Packed, tally: &mut Tally) -> Stopped {
        let is_due = |time: Timestamp| due.is_none_or(|due| Due { time, input: index } <= due);
        loop {
            while let Some((time, _)) = self.ahead.front() {
                if !is_due(*time) {
                    return Stopped::Ahead(*time);
                }
                if out.is_full() {
                    return Stopped::Full;
                }
                if let Some((_, bytes)) = self.ahead.pop_front()
                    && let Ok(batch) = Batch::parse(&bytes)
                {
                    batch.iter().for_each(|event| out.push(&event));
                }
            }
            if self.ended {
                return Stopped::End;
            }
            if out.is_full() {
                return Stopped::Full;
            }
            let (ahead, packer) = (&mut self.ahead, &mut self.packer);
            let mut sink = |event: &ProcessEvent<'_>| {
                if ahead.is_empty() && is_due(event.time) {
                    out.push(event);
                } else if packer.push(event).is_ok() {
                    let mut bytes = Vec::new();
                    packer.finish(&mut bytes);
                    ahead.push_back((event.time, bytes));
                }
            };
            let step = match &mut self.reader {
                Reader::Text(reader) => reader.step(&mut self.context, tally, &mut sink),
                Reader::Evtx(reader) => reader.step(&mut self.context, tally, &mut sink),
            };
            match step {
                Step::Read => {}
                Step::Idle => return Stopped::Idle,
                Step::End => {
                    self.context.normalizer.flush(&self.context.arena, &mut sink);
                    tally.clock_offsets.extend(self.context.normalizer.clock_offsets());
                    self.ended = true;
                }
            }
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
