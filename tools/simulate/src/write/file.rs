//! A file that is open only while it is written to, so that thousands can be written in parallel.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

pub(crate) struct LazyFile {
    path: PathBuf,
    position: u64,
    len: u64,
}

impl LazyFile {
    /// Creates an empty file, replacing an existing one.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        File::create(&path)?;
        Ok(LazyFile { path, position: 0, len: 0 })
    }

    /// Size of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

impl Write for LazyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        file.write_all(bytes)?;
        self.position += bytes.len() as u64;
        self.len = self.len.max(self.position);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for LazyFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a position before the file's start");
        self.position = position.ok_or_else(before)?;
        Ok(self.position)
    }
}
