//! An EVTX file: its header and its chunks, written in memory or to a seekable output, chunk by chunk.

use crate::chunk::Chunk;
use crate::event::Event;
use std::fmt;
use std::io::{self, Seek, SeekFrom, Write};

const HEADER_SIZE: usize = 4096;

/// The header counts chunks in 16 bits.
const MAX_CHUNKS: u32 = u16::MAX as u32;

/// An event that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLarge {
    /// The event alone exceeds the size of a chunk.
    Record {
        /// The event's record id.
        record_id: u64,
        /// Size of its record in bytes, with its templates; the maximum is 65,024.
        bytes: usize,
    },
    /// The file has the maximum number of chunks (65,535, 4 GiB).
    File {
        /// The event's record id.
        record_id: u64,
    },
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooLarge::Record { record_id, bytes } => {
                write!(f, "record {record_id}: needs {bytes} bytes, a chunk holds 65024")
            }
            TooLarge::File { record_id } => write!(f, "record {record_id}: the file has the maximum number of chunks"),
        }
    }
}

impl std::error::Error for TooLarge {}

/// Writes an EVTX file in memory.
pub struct Writer {
    chunks: Chunks,
    /// The file so far, with a blank header.
    bytes: Vec<u8>,
}

impl Writer {
    /// A file without records.
    pub fn new() -> Self {
        Writer { chunks: Chunks::new(), bytes: vec![0; HEADER_SIZE] }
    }

    /// Adds an event. A rejected event leaves the file unchanged.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), TooLarge> {
        if let Some(full) = self.chunks.push(event)? {
            self.bytes.extend_from_slice(&full);
        }
        Ok(())
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        let Writer { chunks, mut bytes } = self;
        let (last, header) = chunks.finish();
        bytes.extend_from_slice(&last.unwrap_or_default());
        bytes[..HEADER_SIZE].copy_from_slice(&header);
        bytes
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes an EVTX file to an output, a chunk at a time, so that only one chunk is in memory.
pub struct FileWriter<W> {
    chunks: Chunks,
    out: W,
    start: u64,
}

impl<W: Write + Seek> FileWriter<W> {
    /// Begins a file at the output's current position. The header stays blank until `finish`.
    pub fn new(mut out: W) -> io::Result<Self> {
        let start = out.stream_position()?;
        out.write_all(&[0; HEADER_SIZE])?;
        Ok(FileWriter { chunks: Chunks::new(), out, start })
    }

    /// Adds an event. An event that is too large leaves the file unchanged: the error is of the kind `InvalidInput` and
    /// contains a [`TooLarge`].
    pub fn push(&mut self, event: &Event<'_>) -> io::Result<()> {
        match self.chunks.push(event) {
            Ok(full) => self.out.write_all(&full.unwrap_or_default()),
            Err(refused) => Err(io::Error::new(io::ErrorKind::InvalidInput, refused)),
        }
    }

    /// Writes the last chunk and the header; returns the output, positioned at the end of the file.
    pub fn finish(self) -> io::Result<W> {
        let FileWriter { chunks, mut out, start } = self;
        let (last, header) = chunks.finish();
        out.write_all(&last.unwrap_or_default())?;
        let end = out.stream_position()?;
        out.seek(SeekFrom::Start(start))?;
        out.write_all(&header)?;
        out.seek(SeekFrom::Start(end))?;
        out.flush()?;
        Ok(out)
    }
}

/// The chunk that is being filled, and facts about the previous ones for the header.
struct Chunks {
    current: Chunk,
    finished: u32,
    max: u32,
}

impl Chunks {
    fn new() -> Self {
        Chunks { current: Chunk::new(1), finished: 0, max: MAX_CHUNKS }
    }

    /// Adds an event; returns the previous chunk if it was full.
    fn push(&mut self, event: &Event<'_>) -> Result<Option<Vec<u8>>, TooLarge> {
        let record_id = event.record_id;
        let Err(bytes) = self.current.push(event) else { return Ok(None) };
        if self.current.is_empty() {
            return Err(TooLarge::Record { record_id, bytes });
        }
        // The event may need more templates in a new chunk, so whether it fits is only known by trying.
        let mut next = Chunk::new(self.current.next_number());
        next.push(event).map_err(|bytes| TooLarge::Record { record_id, bytes })?;
        if self.finished + 1 >= self.max {
            return Err(TooLarge::File { record_id });
        }
        self.finished += 1;
        Ok(Some(std::mem::replace(&mut self.current, next).seal()))
    }

    /// The last chunk, if any, and the header.
    fn finish(self) -> (Option<Vec<u8>>, [u8; HEADER_SIZE]) {
        let next_record = self.current.next_number();
        let last = (!self.current.is_empty()).then(|| self.current.seal());
        let count = self.finished + u32::from(last.is_some());

        let mut header = [0; HEADER_SIZE];
        header[..8].copy_from_slice(b"ElfFile\0");
        // The first chunk is number 0.
        header[16..24].copy_from_slice(&u64::from(count.saturating_sub(1)).to_le_bytes());
        header[24..32].copy_from_slice(&next_record.to_le_bytes());
        header[32..36].copy_from_slice(&128_u32.to_le_bytes());
        // Version 3.1, the minor number first.
        header[36..40].copy_from_slice(&[1, 0, 3, 0]);
        header[40..42].copy_from_slice(&(HEADER_SIZE as u16).to_le_bytes());
        header[42..44].copy_from_slice(&(count as u16).to_le_bytes());
        let crc = crc32fast::hash(&header[..120]);
        header[124..128].copy_from_slice(&crc.to_le_bytes());
        (last, header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_rejects_the_event_and_stays_readable() {
        let mut chunks = Chunks { max: 1, ..Chunks::new() };
        let event = Event { provider: "Test", record_id: 7, ..Event::default() };
        let refused = loop {
            match chunks.push(&event) {
                Ok(full) => assert!(full.is_none()),
                Err(refused) => break refused,
            }
        };
        assert_eq!(refused, TooLarge::File { record_id: 7 });
        let (last, header) = chunks.finish();
        assert!(last.is_some());
        assert_eq!(header[42..44], [1, 0]);
    }
}
