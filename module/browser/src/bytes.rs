//! [`Bytes`]: what a host must offer of a file, and readers over it.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// A file, or what is like one: bytes that can be read at any place.
pub trait Bytes {
    /// How many there are.
    fn size(&self) -> u64;

    /// Reads from `offset` on as much as there is, `into.len()` at most; 0 only at the end.
    ///
    /// # Errors
    /// The bytes cannot be read (any more).
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl Bytes for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let read = into.len().min(self.len() - from);
        into[..read].copy_from_slice(&self[from..from + read]);
        Ok(read)
    }
}

/// A part of a file, from its start to its end.
pub(crate) struct Reader {
    bytes: Rc<dyn Bytes>,
    start: u64,
    at: u64,
    end: u64,
    /// Counts what is read.
    done: Rc<Cell<u64>>,
    /// Whether the part must be there whole.
    part: bool,
}

impl Reader {
    /// All of it.
    pub(crate) fn whole(bytes: Rc<dyn Bytes>, done: Rc<Cell<u64>>) -> Self {
        let end = bytes.size();
        Self { bytes, start: 0, at: 0, end, done, part: false }
    }

    /// `length` bytes from `offset` on; it is an error if the file ends before.
    pub(crate) fn part(bytes: Rc<dyn Bytes>, offset: u64, length: u64, done: Rc<Cell<u64>>) -> Self {
        Self { bytes, start: offset, at: offset, end: offset.saturating_add(length), done, part: true }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(0);
        }
        let read = self.bytes.read_at(self.at, &mut buffer[..room])?.min(room);
        if read == 0 && self.part {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends inside this member"));
        }
        self.at += read as u64;
        self.done.set(self.done.get() + read as u64);
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        match wanted.filter(|at| *at >= self.start) {
            Some(at) => {
                self.at = at;
                Ok(at - self.start)
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "before the first byte")),
        }
    }
}
