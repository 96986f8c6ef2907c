//! Inputs as raw records, for a host whose module decodes them itself: one input after the other, not merged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use backchannel_decode::{Format, Framed, Framer};

use crate::Options;
use crate::input::{Input, Kind};
use crate::skips::{SkipDetail, Tally};
use crate::text::{More, Pieces};

/// Size in bytes at which a batch is full.
const BYTES: usize = 1024 * 1024;

/// Raw records of one input.
#[derive(Clone, Debug)]
pub struct RawBatch {
    /// Name of the input. Evidence refers to it by this name.
    pub input: String,
    /// Format of its records.
    pub format: Format,
    /// Host of records that do not name one; empty: unknown.
    pub host: String,
    /// Number of the first line within the input, counted from 1.
    pub first_line: u64,
    /// The records, each ended by a line feed.
    pub data: Vec<u8>,
}

/// All inputs as batches of raw records.
pub struct RecordStream {
    inputs: VecDeque<Input>,
    open: Option<Open>,
    options: Options,
    done: Arc<AtomicU64>,
    tally: Tally,
    limit: usize,
}

struct Open {
    name: String,
    format: Format,
    pieces: Pieces,
    framer: Framer,
    finishing: bool,
}

impl std::fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordStream").field("waiting", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl RecordStream {
    pub(crate) fn new(inputs: Vec<Input>, tally: Tally, options: Options, done: Arc<AtomicU64>) -> Self {
        Self { inputs: inputs.into(), open: None, options, done, tally, limit: 1024 }
    }

    /// Sets the maximum number of records of a batch.
    pub fn set_batch(&mut self, records: usize) {
        self.limit = records.max(1);
    }

    /// The next batch; `None` at the end.
    pub fn next_batch(&mut self) -> Option<RawBatch> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(batch) = open.fill(self.limit, &self.options, &mut self.tally) {
                    return Some(batch);
                }
                self.open = None;
            }
            let input = self.inputs.pop_front()?;
            match input.kind {
                Kind::Evtx => self.problem(&input, "unsupported", "binary event logs cannot be read as raw records"),
                Kind::Text(found) => match input.read(&self.options.unpack, &self.done) {
                    Ok(bytes) => {
                        self.open = Some(Open {
                            name: input.name.to_string(),
                            format: found.format,
                            pieces: Pieces::new(bytes),
                            framer: Framer::new(found),
                            finishing: false,
                        });
                    }
                    Err(error) => self.problem(&input, "unreadable", &error.to_string()),
                },
            }
        }
    }

    /// Counters of records read and skipped, so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counters of records read and skipped, at the end.
    pub fn into_tally(self) -> Tally {
        self.tally
    }

    fn problem(&mut self, input: &Input, code: &str, reason: &str) {
        self.tally.skips.add(SkipDetail::of_input(&input.name, code, reason.to_owned()));
    }
}

impl Open {
    fn fill(&mut self, limit: usize, options: &Options, tally: &mut Tally) -> Option<RawBatch> {
        let mut batch = RawBatch {
            input: self.name.clone(),
            format: self.format,
            host: options.host.clone().unwrap_or_default(),
            first_line: 0,
            data: Vec::new(),
        };
        let (mut records, mut line) = (0, 0);
        loop {
            let mut rest = self.pieces.rest();
            let framed = if self.finishing { self.framer.finish() } else { self.framer.next(&mut rest) };
            let (left, over) = (rest.len(), framed.is_none());
            match framed {
                Some(Framed::Frame(frame)) => {
                    tally.read += 1;
                    if records == 0 {
                        batch.first_line = frame.line;
                        line = frame.line;
                    }
                    // Keeps the record on the line that it has in its input.
                    while line < frame.line {
                        batch.data.push(b'\n');
                        line += 1;
                    }
                    batch.data.extend_from_slice(frame.bytes);
                    batch.data.push(b'\n');
                    line += 1 + line_feeds(frame.bytes);
                    records += 1;
                }
                Some(Framed::Skip(skip)) => {
                    tally.read += 1;
                    let reason = skip.reason.to_string();
                    tally.skips.add(SkipDetail::at_line(&self.name, skip.line, skip.reason.code(), reason));
                }
                None => {}
            }
            if over && self.finishing {
                return (records > 0).then_some(batch);
            }
            if over {
                match self.pieces.read() {
                    Ok(More::Some | More::Idle) => {}
                    Ok(More::End) => self.finishing = true,
                    Err(error) => {
                        let reason = format!("{error}: the rest of the input is skipped");
                        tally.skips.add(SkipDetail::at_line(&self.name, line, "unreadable", reason));
                        self.finishing = true;
                    }
                }
            } else if !self.finishing {
                self.pieces.set_rest(left);
            }
            if records >= limit || batch.data.len() >= BYTES {
                return Some(batch);
            }
        }
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
