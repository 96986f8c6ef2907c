//! [`Bytes`]: what a host must offer of a file, and a reader over it.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

/// A file, or what is like one: bytes that can be read at any offset.
pub trait Bytes {
    /// How many there are; 0 where that is not known. It may grow while it is read.
    fn size(&self) -> u64;

    /// Reads from `offset` on as much as there is, `into.len()` at most; 0 only at the end.
    ///
    /// # Errors
    /// The bytes cannot be read (any more).
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// A reader has ended: an open handle can be given back. A later read opens it again.
    fn close(&self) {}
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

/// Bytes that are written once and then read at any offset: an archive's members are read in the order of their time.
pub trait Spool: Write {
    /// What was written.
    ///
    /// # Errors
    /// It could not be written to its end.
    fn finish(self: Box<Self>) -> io::Result<Rc<dyn Bytes>>;
}

impl Spool for Vec<u8> {
    fn finish(self: Box<Self>) -> io::Result<Rc<dyn Bytes>> {
        Ok(Rc::new(*self))
    }
}

/// Reads bytes, or a part of them, from start to end.
pub(crate) struct Reader {
    bytes: Rc<dyn Bytes>,
    start: u64,
    at: u64,
    /// Where the part ends; it is an error if the bytes end before.
    end: Option<u64>,
}

impl Reader {
    /// All there is.
    pub(crate) fn whole(bytes: Rc<dyn Bytes>) -> Self {
        Self { bytes, start: 0, at: 0, end: None }
    }

    /// `length` bytes from `offset` on.
    pub(crate) fn part(bytes: Rc<dyn Bytes>, offset: u64, length: u64) -> Self {
        Self { bytes, start: offset, at: offset, end: Some(offset.saturating_add(length)) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.bytes.close();
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.map_or(u64::MAX, |end| end.saturating_sub(self.at));
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(0);
        }
        let read = self.bytes.read_at(self.at, &mut buffer[..room])?.min(room);
        if read == 0 && self.end.is_some() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends inside this member"));
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.unwrap_or_else(|| self.bytes.size()).checked_add_signed(offset),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Says how often it was closed.
    struct Watched(Vec<u8>, Rc<Cell<u32>>);

    impl Bytes for Watched {
        fn size(&self) -> u64 {
            self.0.size()
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset, into)
        }

        fn close(&self) {
            self.1.set(self.1.get() + 1);
        }
    }

    #[test]
    fn a_part_is_read_as_if_it_were_all() {
        let bytes: Rc<dyn Bytes> = Rc::new(b"0123456789".to_vec());
        let mut reader = Reader::part(Rc::clone(&bytes), 2, 5);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "23456");
        assert_eq!(reader.seek(SeekFrom::End(-2)).unwrap(), 3);
        text.clear();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "56");
        assert!(reader.seek(SeekFrom::End(-6)).is_err());
        let cut = Reader::part(bytes, 8, 5).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_end_of_a_reader_gives_the_handle_back() {
        let closed = Rc::new(Cell::new(0));
        let bytes: Rc<dyn Bytes> = Rc::new(Watched(b"abc".to_vec(), Rc::clone(&closed)));
        let mut reader = Reader::whole(Rc::clone(&bytes));
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(closed.get(), 0);
        drop(reader);
        assert_eq!(closed.get(), 1);
    }
}
