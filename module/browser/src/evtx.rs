//! Windows event log files: chunk by chunk.

use std::io::{self, Read};

use backchannel_decode::evtx::{CHUNK_SIZE, ChunkReader, HEADER_SIZE, Item, Piece, Reason, Splitter};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Place, Record, wants};

use crate::account::{Skip, Tally};
use crate::stream::{Context, Step};

/// How many chunks are read at once: a call into the page costs more than a copy.
const CHUNKS: usize = 4;

/// Reads an event log file.
pub(crate) struct EvtxReader {
    bytes: Box<dyn Read>,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    started: bool,
    ended: bool,
    splitter: Splitter,
    chunks: ChunkReader,
}

impl EvtxReader {
    pub(crate) fn new(bytes: Box<dyn Read>) -> Self {
        Self {
            bytes,
            buffer: vec![0; CHUNKS * CHUNK_SIZE],
            at: 0,
            filled: 0,
            started: false,
            ended: false,
            splitter: Splitter::new(),
            chunks: ChunkReader::new(),
        }
    }

    /// Takes one chunk, or reads on.
    pub(crate) fn step(
        &mut self,
        context: &mut Context,
        tally: &mut Tally,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> Step {
        if self.ended {
            return match self.splitter.finish() {
                Some(piece) => {
                    take(&piece, &mut self.chunks, context, tally, sink);
                    Step::Read
                }
                None => Step::End,
            };
        }
        let mut rest = &self.buffer[self.at..self.filled];
        if let Some(piece) = self.splitter.next(&mut rest) {
            take(&piece, &mut self.chunks, context, tally, sink);
            self.at = self.filled - rest.len();
            return Step::Read;
        }
        // The header alone first: then chunks lie whole in what is read, and none has to be put together.
        let wanted = if self.started { self.buffer.len() } else { HEADER_SIZE };
        self.started = true;
        self.at = 0;
        self.filled = 0;
        if let Err(error) = self.fill(wanted) {
            context.broken(&error, 0, tally);
            self.ended = true;
            // What was read before the error is still to be taken.
            let mut rest = &self.buffer[..self.filled];
            while let Some(piece) = self.splitter.next(&mut rest) {
                take(&piece, &mut self.chunks, context, tally, sink);
            }
        }
        Step::Read
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.filled < wanted {
            match self.bytes.read(&mut self.buffer[self.filled..wanted])? {
                0 => {
                    // The rest goes through the splitter once more before it is asked for what is left.
                    self.ended = self.filled == 0;
                    return Ok(());
                }
                read => self.filled += read,
            }
        }
        Ok(())
    }
}

fn take(
    piece: &Piece<'_>,
    chunks: &mut ChunkReader,
    context: &mut Context,
    tally: &mut Tally,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) {
    let (number, bytes) = match piece {
        Piece::Header(_) => return,
        Piece::Chunk { number, bytes } => (*number, *bytes),
        Piece::Skip(found) => return tally.skip(1, skip(&context.name, found)),
    };
    let Context { name, normalizer, arena } = context;
    let place = Place { input: name, line: 0, default_host: "" };
    chunks.read(number, bytes, arena, &wants, &mut |item| match item {
        Item::Record(record) => {
            tally.read += 1;
            tally.accepted(normalizer.accept(&Record::Windows(record), place, arena, sink));
        }
        Item::NotWanted { .. } => {
            tally.read += 1;
            tally.unused += 1;
        }
        Item::Skip(found) => {
            tally.read += 1;
            tally.skip(1, skip(name, &found));
        }
        // What a cut chunk held is lost.
        Item::Note(found) if found.reason == Reason::Truncated => tally.skip(1, skip(name, &found)),
        // The records of a chunk whose checksum is wrong are read all the same; each is judged by itself.
        Item::Note(found) => tally.note(1, found.reason.code()),
    });
    arena.reset();
}

fn skip(name: &str, skip: &backchannel_decode::evtx::Skip) -> Skip {
    Skip {
        input: name.to_owned(),
        line: 0,
        record: skip.record_id.map_or_else(String::new, |id| id.to_string()),
        code: skip.reason.code().to_owned(),
        reason: format!("{} (chunk {}, byte {})", skip.reason, skip.chunk, skip.offset),
    }
}
