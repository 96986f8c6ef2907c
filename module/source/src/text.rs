//! Text inputs: from bytes to frames, records and events.

use std::io::{self, Read};

use backchannel_decode::{Decoded, Decoder, Found, Framed, Framer, Options as DecodeOptions, Year};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Place, wants};

use crate::skips::Tally;
use crate::stream::{Context, Step};
use crate::{Options, Pace};

/// Bytes read at once.
const PIECE: usize = 128 * 1024;

/// State of a byte source after a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    Some,
    Idle,
    End,
}

/// A buffered byte source.
pub(crate) struct Pieces {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
}

impl Pieces {
    pub(crate) fn new(reader: Box<dyn Read>) -> Self {
        Self { reader, buffer: vec![0; PIECE], at: 0, filled: 0 }
    }

    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.filled]
    }

    pub(crate) fn set_rest(&mut self, left: usize) {
        self.at = self.filled - left;
    }

    /// Reads the next piece, which replaces the previous one.
    pub(crate) fn read(&mut self) -> io::Result<More> {
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
pub(crate) struct TextReader {
    pieces: Pieces,
    framer: Framer,
    decoder: Decoder,
    finishing: bool,
    /// For inputs that are still being written to: decides when events are returned.
    pace: Option<Box<dyn Pace>>,
    line: u64,
}

impl TextReader {
    pub(crate) fn new(bytes: Box<dyn Read>, found: Found, options: &Options) -> Self {
        Self {
            pieces: Pieces::new(bytes),
            framer: Framer::new(found),
            decoder: decoder(found, options),
            finishing: false,
            pace: options.pace.map(|pace| pace()),
            line: 0,
        }
    }

    /// Reads one record.
    pub(crate) fn step(
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
        if let Some(pace) = &mut self.pace
            && pace.is_over()
        {
            pace.restart();
            self.pieces.set_rest(0);
            return Step::Idle;
        }
        match self.pieces.read() {
            Ok(More::Some) => {}
            Ok(More::Idle) => {
                if let Some(pace) = &mut self.pace {
                    pace.restart();
                }
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

/// A decoder for an input of this format.
pub(crate) fn decoder(found: Found, options: &Options) -> Decoder {
    let default = DecodeOptions::default();
    Decoder::new(found.format, DecodeOptions { year: options.year.map_or(default.year, Year::Of), ..default })
}
