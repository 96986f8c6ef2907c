//! [`Bytes`]: random access to an input, implemented by the host; and a reader over it.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

/// A file or similar: bytes that can be read at any offset.
pub trait Bytes {
    /// Size in bytes; 0 if it is not known. It may grow while it is read.
    fn size(&self) -> u64;

    /// Reads from `offset` as many bytes as available, at most `into.len()`; 0 only at the end.
    ///
    /// # Errors
    /// Reading failed.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// A reader has ended: an open handle can be closed. A later read opens it again.
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
    /// Finishes writing and returns what was written.
    ///
    /// # Errors
    /// The end of the data could not be written.
    fn finish(self: Box<Self>) -> io::Result<Rc<dyn Bytes>>;
}

impl Spool for Vec<u8> {
    fn finish(self: Box<Self>) -> io::Result<Rc<dyn Bytes>> {
        Ok(Rc::new(*self))
    }
}

/// Reads bytes, or a part of them, sequentially.
pub(crate) struct Reader {
    bytes: Rc<dyn Bytes>,
    start: u64,
    at: u64,
    /// End of the part; it is an error if the bytes end before it.
    end: Option<u64>,
}

impl Reader {
    /// Reads all bytes.
    pub(crate) fn whole(bytes: Rc<dyn Bytes>) -> Self {
        Self { bytes, start: 0, at: 0, end: None }
    }

    /// Reads `length` bytes from `offset` on.
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
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "position before the first byte")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts how often it was closed.
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
    fn a_part_is_read_like_a_whole() {
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
    fn a_reader_closes_the_handle_at_its_end() {
        let closed = Rc::new(Cell::new(0));
        let bytes: Rc<dyn Bytes> = Rc::new(Watched(b"abc".to_vec(), Rc::clone(&closed)));
        let mut reader = Reader::whole(Rc::clone(&bytes));
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(closed.get(), 0);
        drop(reader);
        assert_eq!(closed.get(), 1);
    }
}
