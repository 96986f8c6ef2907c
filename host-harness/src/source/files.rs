//! Files as [`Bytes`]: those of the user, opened when they are read, and temporary ones for archives that are
//! themselves compressed.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use backchannel_source::{Bytes, Spool};
use tempfile::{NamedTempFile, TempPath};

/// A file that is open only while it is read: a folder may contain more files than a process may open.
pub(super) struct FileBytes<P> {
    path: P,
    open: RefCell<Option<File>>,
}

impl<P> FileBytes<P> {
    pub(super) fn new(path: P) -> Self {
        Self { path, open: RefCell::new(None) }
    }
}

impl<P: AsRef<Path>> Bytes for FileBytes<P> {
    fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |of| of.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut open = self.open.borrow_mut();
        let file = match &mut *open {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        file.seek(SeekFrom::Start(offset))?;
        file.read(into)
    }

    fn close(&self) {
        *self.open.borrow_mut() = None;
    }
}

/// A temporary file, removed with the last input that needs it.
pub(super) struct TemporaryFile(NamedTempFile);

impl TemporaryFile {
    pub(super) fn create() -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(Self(tempfile::Builder::new().prefix("backchannel-").tempfile()?)))
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Spool for TemporaryFile {
    fn finish(self: Box<Self>) -> io::Result<Rc<dyn Bytes>> {
        let path: TempPath = self.0.into_temp_path();
        Ok(Rc::new(FileBytes::new(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_for_a_read_and_closed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "0123456789").unwrap();
        let file = FileBytes::new(path.clone());
        let mut buffer = [0; 4];
        assert_eq!((file.size(), file.open.borrow().is_none()), (10, true));
        assert_eq!((file.read_at(8, &mut buffer).unwrap(), &buffer[..2]), (2, &b"89"[..]));
        assert_eq!((file.read_at(3, &mut buffer).unwrap(), &buffer[..]), (4, &b"3456"[..]));
        assert_eq!(file.read_at(10, &mut buffer).unwrap(), 0);
        file.close();
        assert!(file.open.borrow().is_none());
        std::fs::remove_file(path).unwrap();
        assert_eq!(file.read_at(0, &mut buffer).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn spooled_bytes_are_read_at_any_offset_and_removed_on_drop() {
        let mut spool = TemporaryFile(NamedTempFile::new().unwrap());
        let path = spool.0.path().to_owned();
        spool.write_all(b"0123456789").unwrap();
        let bytes = Box::new(spool).finish().unwrap();
        let mut buffer = [0; 3];
        assert_eq!((bytes.size(), bytes.read_at(5, &mut buffer).unwrap(), &buffer), (10, 3, b"567"));
        assert!(path.exists());
        drop(bytes);
        assert!(!path.exists());
    }
}
