//! Splits a stream of bytes into the chunks of an EVTX file.

use super::bytes::{array, u32_at, u64_at};
use super::{CHUNK_SIZE, HEADER_SIZE, Reason, Skip};

/// The header of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileHeader {
    /// Number of chunks when the header was written. There may be more.
    pub chunks: u16,
    /// Id of the next record.
    pub next_record_id: u64,
    /// Whether the log was in use when it was copied: chunks may then be newer than the header.
    pub dirty: bool,
}

impl FileHeader {
    /// Parses a header.
    ///
    /// # Errors
    /// [`Reason::NotEvtx`] if it is not an EVTX header.
    pub fn read(bytes: &[u8]) -> Result<Self, Reason> {
        if !bytes.starts_with(b"ElfFile\0") {
            return Err(Reason::NotEvtx);
        }
        Ok(Self {
            chunks: array(bytes, 42).map_or(0, u16::from_le_bytes),
            next_record_id: u64_at(bytes, 24),
            dirty: u32_at(bytes, 120) & 1 != 0,
        })
    }
}

/// A piece of an EVTX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The file's header.
    Header(FileHeader),
    /// A chunk: [`CHUNK_SIZE`] bytes, or fewer at the end of a truncated file.
    Chunk {
        /// Its number, counted from 0.
        number: u64,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// The file has no valid header; what follows is read as chunks nevertheless.
    Skip(Skip),
}

/// Splits a stream into header and chunks. A chunk within one piece of the input is borrowed from it.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    carry: Vec<u8>,
    spent: bool,
    header_seen: bool,
    next_chunk: u64,
}

impl Splitter {
    /// A splitter at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next part in `input`, which is advanced past the bytes used. `None`: all of them were used, more input is
    /// needed.
    pub fn next<'f, 'i: 'f>(&'f mut self, input: &mut &'i [u8]) -> Option<Piece<'f>> {
        if self.spent {
            self.carry.clear();
            self.spent = false;
        }
        let size = if self.header_seen { CHUNK_SIZE } else { HEADER_SIZE };
        let missing = size - self.carry.len();
        if input.len() < missing {
            self.carry.extend_from_slice(input);
            *input = &[];
            return None;
        }
        let (taken, rest) = input.split_at(missing);
        *input = rest;
        let bytes = if self.carry.is_empty() {
            taken
        } else {
            self.carry.extend_from_slice(taken);
            self.spent = true;
            &self.carry[..]
        };
        if !self.header_seen {
            self.header_seen = true;
            return Some(match FileHeader::read(bytes) {
                Ok(header) => Piece::Header(header),
                Err(reason) => Piece::Skip(Skip { chunk: 0, offset: 0, record_id: None, reason }),
            });
        }
        let number = self.next_chunk;
        self.next_chunk += 1;
        Some(Piece::Chunk { number, bytes })
    }

    /// The rest, when the input has ended.
    pub fn finish(&mut self) -> Option<Piece<'_>> {
        if self.spent || self.carry.is_empty() {
            return None;
        }
        self.spent = true;
        if !self.header_seen {
            return Some(Piece::Skip(Skip { chunk: 0, offset: 0, record_id: None, reason: Reason::Truncated }));
        }
        let number = self.next_chunk;
        self.next_chunk += 1;
        Some(Piece::Chunk { number, bytes: &self.carry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_depend_on_how_the_bytes_arrive() {
        let mut file = vec![0; HEADER_SIZE + CHUNK_SIZE * 2 + 100];
        file[..8].copy_from_slice(b"ElfFile\0");
        file[42] = 2;
        file[120] = 1;
        for (at, byte) in [(HEADER_SIZE, 1), (HEADER_SIZE + CHUNK_SIZE, 2), (HEADER_SIZE + 2 * CHUNK_SIZE, 3)] {
            file[at] = byte;
        }
        for size in [100, 4_095, 65_536, 70_000, file.len()] {
            let mut splitter = Splitter::new();
            let mut seen = Vec::new();
            let mut take = |piece: Piece<'_>| match piece {
                Piece::Header(header) => seen.push((u64::from(header.chunks), header.dirty as u8, 0)),
                Piece::Chunk { number, bytes } => seen.push((number, bytes[0], bytes.len())),
                Piece::Skip(skip) => panic!("{skip}"),
            };
            for piece in file.chunks(size) {
                let mut rest = piece;
                while let Some(piece) = splitter.next(&mut rest) {
                    take(piece);
                }
            }
            if let Some(piece) = splitter.finish() {
                take(piece);
            }
            assert_eq!(seen, [(2, 1, 0), (0, 1, CHUNK_SIZE), (1, 2, CHUNK_SIZE), (2, 3, 100)], "{size}");
        }
    }

    #[test]
    fn a_file_that_ends_in_its_header_is_reported() {
        let mut splitter = Splitter::new();
        assert_eq!(splitter.next(&mut &b"ElfFile\0"[..]), None);
        assert!(matches!(splitter.finish(), Some(Piece::Skip(Skip { reason: Reason::Truncated, .. }))));
        assert_eq!(splitter.finish(), None);
    }
}
