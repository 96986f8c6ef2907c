//! Text inputs: bytes to frames to records to events.

use std::io::{self, Read};
use std::time::Instant;

use backchannel_decode::{Decoded, Decoder, Found, Framed, Framer, Options, Year};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Place, wants};

use super::follow::PATIENCE;
use super::stream::{Context, Step};
use super::{SourceOptions, Tally};

/// How much is read at once.
const PIECE: usize = 128 * 1024;

/// What a source of bytes is after a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Some,
    Idle,
    End,
}

/// Bytes as they come, with a place to stand in them.
pub(super) struct Pieces {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
}

impl Pieces {
    pub(super) fn new(reader: Box<dyn Read>) -> Self {
        Self { reader, buffer: vec![0; PIECE], at: 0, filled: 0 }
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.filled]
    }

    pub(super) fn set_rest(&mut self, left: usize) {
        self.at = self.filled - left;
    }

    /// Reads the next piece; what was there must have been used.
    pub(super) fn read(&mut self) -> io::Result<More> {
        self.at = 0;
        self.filled = 0;
        loop {
            return match self.reader.read(&mut self.buffer) {
                Ok(0) => Ok(More::End),
                Ok(read) => {
                    self.filled = read;
                    Ok(More::Some)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(More::Idle),
                Err(error) => Err(error),
            };
        }
    }
}

/// Reads a text input.
pub(super) struct TextReader {
    pieces: Pieces,
    framer: Framer,
    decoder: Decoder,
    finishing: bool,
    /// When following: since when events may be waiting for their batch.
    waiting: Option<Instant>,
    follow: bool,
    line: u64,
}

impl TextReader {
    pub(super) fn new(bytes: Box<dyn Read>, found: Found, options: &SourceOptions) -> Self {
        Self {
            pieces: Pieces::new(bytes),
            framer: Framer::new(found),
            decoder: decoder(found, options),
            finishing: false,
            waiting: None,
            follow: options.follow,
            line: 0,
        }
    }

    /// Takes one record.
    pub(super) fn step(
        &mut self,
        context: &mut Context,
        tally: &mut Tally,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> Step {
        if self.finishing {
            return match self.framer.finish() {
                Some(framed) => {
                    take(&framed, &mut self.decoder, context, tally, sink);
                    Step::Read
                }
                None => Step::End,
            };
        }
        let mut rest = self.pieces.rest();
        if let Some(framed) = self.framer.next(&mut rest) {
            if let Framed::Frame(frame) = &framed {
                self.line = frame.line;
            }
            take(&framed, &mut self.decoder, context, tally, sink);
            let left = rest.len();
            self.pieces.set_rest(left);
            return Step::Read;
        }
        if self.follow && self.waiting.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
            self.waiting = None;
            self.pieces.set_rest(0);
            return Step::Idle;
        }
        match self.pieces.read() {
            Ok(More::Some) => {}
            Ok(More::Idle) => {
                self.waiting = None;
                return Step::Idle;
            }
            Ok(More::End) => self.finishing = true,
            Err(error) => {
                context.broken(&error, self.line, tally);
                self.finishing = true;
            }
        }
        Step::Read
    }
}

fn take(
    framed: &Framed<'_>,
    decoder: &mut Decoder,
    context: &mut Context,
    tally: &mut Tally,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) {
    tally.read += 1;
    let frame = match framed {
        Framed::Frame(frame) => frame,
        Framed::Skip(skip) => return context.skip(skip, tally),
    };
    let place = Place { input: &context.name, line: frame.line, default_host: &context.host };
    match decoder.decode(frame, &context.arena, &wants) {
        Ok(Decoded::Record(record)) => {
            let accepted = context.normalizer.accept(&record, place, &context.arena, sink);
            Context::accepted(accepted, tally);
        }
        Ok(Decoded::NotWanted { .. }) => tally.unused += 1,
        Ok(Decoded::Nothing) => tally.read -= 1,
        Err(skip) => context.skip(&skip, tally),
    }
    context.arena.reset();
}

/// A decoder for an input of that format.
pub(super) fn decoder(found: Found, options: &SourceOptions) -> Decoder {
    let default = Options::default();
    Decoder::new(found.format, Options { year: options.year.map_or(default.year, Year::Of), ..default })
}
