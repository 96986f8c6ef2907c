//! Text inputs: bytes to frames to records to events.

use std::io::{self, Read};

use backchannel_decode::{Decoded, Decoder, Format, Found, Framed, Framer, Options};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Place, wants};

use crate::account::{Skip, Tally};
use crate::stream::{Context, Step};

/// How much is read at once.
const PIECE: usize = 128 * 1024;
/// This many records that tell whether the source's clock is off are enough.
const ENOUGH: u32 = 500;
/// An input without any is not looked at further than this, in bytes.
const FARTHEST: usize = 128 * 1024 * 1024;

/// Bytes as they come, with a place to stand in them.
struct Pieces {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
}

impl Pieces {
    fn new(reader: Box<dyn Read>) -> Self {
        Self { reader, buffer: vec![0; PIECE], at: 0, filled: 0 }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.filled]
    }

    fn set_rest(&mut self, left: usize) {
        self.at = self.filled - left;
    }

    /// Reads the next piece; what was there must have been used. False at the end.
    fn read(&mut self) -> io::Result<bool> {
        self.at = 0;
        self.filled = 0;
        self.filled = self.reader.read(&mut self.buffer)?;
        Ok(self.filled > 0)
    }
}

/// Reads a text input.
pub(crate) struct TextReader {
    pieces: Pieces,
    framer: Framer,
    decoder: Decoder,
    finishing: bool,
    line: u64,
}

impl TextReader {
    pub(crate) fn new(bytes: Box<dyn Read>, found: Found) -> Self {
        Self {
            pieces: Pieces::new(bytes),
            framer: Framer::new(found),
            decoder: Decoder::new(found.format, Options::default()),
            finishing: false,
            line: 0,
        }
    }

    /// Takes one record, or reads on.
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
        match self.pieces.read() {
            Ok(more) => self.finishing = !more,
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
        Framed::Skip(found) => return tally.skip(1, skip(&context.name, found)),
    };
    let place = Place { input: &context.name, line: frame.line, default_host: "" };
    match decoder.decode(frame, &context.arena, &wants) {
        Ok(Decoded::Record(record)) => {
            tally.accepted(context.normalizer.accept(&record, place, &context.arena, sink));
        }
        Ok(Decoded::NotWanted { .. }) => tally.unused += 1,
        Ok(Decoded::Nothing) => tally.read -= 1,
        Err(found) => tally.skip(1, skip(&context.name, &found)),
    }
    context.arena.reset();
}

fn skip(name: &str, skip: &backchannel_decode::Skip) -> Skip {
    Skip {
        input: name.to_owned(),
        line: skip.line,
        record: String::new(),
        code: skip.reason.code().to_owned(),
        reason: match skip.column {
            Some(column) => format!("{} at byte {column}", skip.reason),
            None => skip.reason.to_string(),
        },
    }
}

/// A first look: does the source write local time and call it UTC? Sysmon's records carry two times and give that
/// away; without this look, records that come before those that tell would keep their wrong time.
pub(crate) fn look_at_clock(bytes: Box<dyn Read>, found: Found, context: &mut Context) {
    if !matches!(found.format, Format::Json | Format::WindowsJson | Format::WindowsXml) {
        return;
    }
    let telling = |provider: &str, event_id: u32| {
        provider.eq_ignore_ascii_case("Microsoft-Windows-Sysmon") && matches!(event_id, 1 | 5 | 7 | 10..=13 | 17 | 18)
    };
    let (mut pieces, mut framer) = (Pieces::new(bytes), Framer::new(found));
    let mut decoder = Decoder::new(found.format, Options::default());
    let (mut told, mut looked) = (0, 0);
    while told < ENOUGH && looked < FARTHEST {
        let mut rest = pieces.rest();
        while let Some(framed) = framer.next(&mut rest) {
            let Framed::Frame(frame) = framed else { continue };
            let place = Place { input: &context.name, line: frame.line, default_host: "" };
            if let Ok(Decoded::Record(record)) = decoder.decode(&frame, &context.arena, &telling) {
                context.normalizer.learn_clock(&record, place, &context.arena);
                told += 1;
            }
            context.arena.reset();
        }
        pieces.set_rest(0);
        // Whatever is wrong with the input is told when it is read in earnest.
        match pieces.read() {
            Ok(true) => looked += pieces.rest().len(),
            Ok(false) | Err(_) => break,
        }
    }
}
