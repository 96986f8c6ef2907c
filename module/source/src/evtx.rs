//! Windows event log files, read chunk by chunk from a file, an archive or a pipe.

use std::io::{self, Read};

use backchannel_decode::evtx::{CHUNK_SIZE, ChunkReader, HEADER_SIZE, Item, Piece, Reason, Skip, Splitter};
use backchannel_events::{ProcessEvent, Timestamp};
use backchannel_normalize::{Place, Record, wants};

use crate::skips::{SkipDetail, Tally};
use crate::stream::{Context, Step};

/// Number of chunks that are read at once.
const CHUNKS: usize = 2;

/// Bytes of a file that are read for its first record: more than almost any record takes.
const FIRST_READ: usize = HEADER_SIZE + 16 * 1024;

/// Time at which the first record of a log was written, according to the record. Nothing else of the file is read,
/// because a folder may contain hundreds of logs.
pub(crate) fn first_time(bytes: impl Read) -> Option<Timestamp> {
    let mut start = Vec::with_capacity(FIRST_READ);
    bytes.take(FIRST_READ as u64).read_to_end(&mut start).ok()?;
    backchannel_decode::evtx::first_time(start.get(HEADER_SIZE..)?)
}

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

    /// Reads one chunk.
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
        // The header is read separately: the chunks are then aligned with the buffer, and none has to be copied
        // together.
        let wanted = if self.started { self.buffer.len() } else { HEADER_SIZE };
        self.started = true;
        self.at = 0;
        self.filled = 0;
        if let Err(error) = self.fill(wanted) {
            context.broken(&error, 0, tally);
            self.ended = true;
            // Chunks read before the error are still to be decoded.
            let mut rest = &self.buffer[..self.filled];
            while let Some(piece) = self.splitter.next(&mut rest) {
                take(&piece, &mut self.chunks, context, tally, sink);
            }
        }
        Step::Read
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.filled < wanted {
            match self.bytes.read(&mut self.buffer[self.filled..wanted]) {
                Ok(0) => {
                    // The rest passes through the splitter once more before `finish` is called.
                    self.ended = self.filled == 0;
                    return Ok(());
                }
                Ok(read) => self.filled += read,
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error),
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
        Piece::Skip(skip) => return add(&context.name, skip, tally),
    };
    let Context { name, host, normalizer, arena } = context;
    let place = Place { input: name, line: 0, default_host: host };
    chunks.read(number, bytes, arena, &wants, &mut |item| match item {
        Item::Record(record) => {
            tally.read += 1;
            let accepted = normalizer.accept(&Record::Windows(record), place, arena, sink);
            Context::accepted(accepted, tally);
        }
        Item::NotWanted { .. } => {
            tally.read += 1;
            tally.unused += 1;
        }
        Item::Skip(skip) => {
            tally.read += 1;
            add(name, &skip, tally);
        }
        // The records of an incomplete chunk are lost.
        Item::Note(skip) if skip.reason == Reason::Truncated => add(name, &skip, tally),
        // The records of a chunk with a wrong checksum are read nevertheless; each is validated by itself.
        Item::Note(skip) => tally.notes.add(detail(name, &skip)),
    });
    arena.reset();
}

fn add(name: &str, skip: &Skip, tally: &mut Tally) {
    tally.skips.add(detail(name, skip));
}

fn detail(name: &str, skip: &Skip) -> SkipDetail {
    SkipDetail {
        input: name.to_owned(),
        line: 0,
        record: skip.record_id.map_or_else(String::new, |id| id.to_string()),
        code: skip.reason.code().to_owned(),
        reason: format!("{} (chunk {}, byte {})", skip.reason, skip.chunk, skip.offset),
    }
}
