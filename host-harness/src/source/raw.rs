//! Inputs as raw records, for a host whose module decodes by itself: one input after the other, nothing merged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use backchannel_decode::{Format, Framed, Framer};

use super::open::{Input, Kind};
use super::text::{More, Pieces};
use super::{SkipDetail, Skips, SourceOptions, Tally};
use crate::component::RawBatch;

/// From how many bytes on a batch is full.
const BYTES: usize = 1024 * 1024;

/// All inputs as batches of raw records.
pub struct RawStream {
    inputs: VecDeque<Input>,
    open: Option<Open>,
    options: SourceOptions,
    done: Arc<AtomicU64>,
    tally: Tally,
    most: usize,
}

struct Open {
    name: String,
    format: Format,
    pieces: Pieces,
    framer: Framer,
    finishing: bool,
}

impl std::fmt::Debug for RawStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawStream").field("waiting", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl RawStream {
    pub(super) fn new(inputs: Vec<Input>, skips: Skips, options: SourceOptions, done: Arc<AtomicU64>) -> Self {
        Self { inputs: inputs.into(), open: None, options, done, tally: Tally::new(skips), most: 1024 }
    }

    /// How many records a batch has at most.
    pub fn set_batch(&mut self, records: usize) {
        self.most = records.max(1);
    }

    /// The next batch; `None` at the end.
    pub fn next_batch(&mut self) -> Option<RawBatch> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(batch) = open.fill(self.most, &self.options, &mut self.tally) {
                    return Some(batch);
                }
                self.open = None;
            }
            let input = self.inputs.pop_front()?;
            match input.kind {
                Kind::Evtx => self.problem(&input, "unsupported", "binary event logs have no raw records"),
                Kind::Text(found) => match input.read(&self.options, &self.done) {
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

    /// What was read, and what came of it.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The tally, at the end.
    pub fn into_tally(self) -> Tally {
        self.tally
    }

    fn problem(&mut self, input: &Input, code: &str, reason: &str) {
        self.tally.skips.add(SkipDetail {
            input: input.name.to_string(),
            line: 0,
            record: String::new(),
            code: code.into(),
            reason: reason.into(),
        });
    }
}

impl Open {
    fn fill(&mut self, most: usize, options: &SourceOptions, tally: &mut Tally) -> Option<RawBatch> {
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
                    // So that the record stands on the line it has in its input.
                    while line < frame.line {
                        batch.data.push(b'\n');
                        line += 1;
                    }
                    batch.data.extend_from_slice(frame.bytes);
                    batch.data.push(b'\n');
                    line += 1 + memchr_count(frame.bytes);
                    records += 1;
                }
                Some(Framed::Skip(skip)) => {
                    tally.read += 1;
                    tally.skips.add(SkipDetail {
                        input: self.name.clone(),
                        line: skip.line,
                        record: String::new(),
                        code: skip.reason.code().to_owned(),
                        reason: skip.reason.to_string(),
                    });
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
                        tally.skips.add(SkipDetail {
                            input: self.name.clone(),
                            line,
                            record: String::new(),
                            code: "unreadable".into(),
                            reason: format!("{error}: the rest of the input is left out"),
                        });
                        self.finishing = true;
                    }
                }
            } else if !self.finishing {
                self.pieces.set_rest(left);
            }
            if records >= most || batch.data.len() >= BYTES {
                return Some(batch);
            }
        }
    }
}

fn memchr_count(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
