//! Compressed streams as plain ones, with a limit for those that were made to swell.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// A compression around an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
    /// A ZIP member's deflate stream.
    Deflate,
    /// The checksum of a ZIP member, over what is unpacked.
    Checksum(u32),
}

/// Bytes of one input after unpacking: nothing of it is kept, it only takes time.
const UNPACKED: u64 = 256 << 30;
/// How many bytes one byte may become: logs reach 50.
const RATIO: u64 = 500;
/// From how many unpacked bytes on the ratio is asked.
const RATIO_FROM: u64 = 256 << 20;

/// `reader` without `layers`, the outermost first.
pub(crate) fn unpack(reader: Box<dyn Read>, layers: &[Layer]) -> Box<dyn Read> {
    let mut reader = reader;
    for layer in layers {
        let taken = Rc::new(Cell::new(0));
        let counted = Counted { inner: reader, taken: Rc::clone(&taken) };
        let plain: Box<dyn Read> = match layer {
            Layer::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
            Layer::Deflate => Box::new(flate2::read::DeflateDecoder::new(counted)),
            Layer::Zstd => Box::new(Zstd::new(counted)),
            Layer::Checksum(expected) => {
                reader = Box::new(Checksum { inner: counted, sum: flate2::Crc::new(), expected: *expected });
                continue;
            }
        };
        reader = Box::new(Guard { inner: plain, given: 0, taken });
    }
    reader
}

struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

struct Guard {
    inner: Box<dyn Read>,
    given: u64,
    taken: Rc<Cell<u64>>,
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given > UNPACKED {
            return Err(io::Error::other(format!("it unpacks to more than {UNPACKED} bytes")));
        }
        if self.given > RATIO_FROM && self.given / self.taken.get().max(1) > RATIO {
            return Err(io::Error::other(format!("it swells to more than {RATIO} times its size")));
        }
        let read = self.inner.read(buffer)?;
        self.given += read as u64;
        Ok(read)
    }
}

struct Checksum<R> {
    inner: R,
    sum: flate2::Crc,
    expected: u32,
}

impl<R: Read> Read for Checksum<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.sum.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong: the archive is damaged"));
        }
        self.sum.update(&buffer[..read]);
        Ok(read)
    }
}

/// Zstandard frames one after the other; skippable ones are passed over.
struct Zstd<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: Read> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source: BufReader::with_capacity(64 * 1024, source), decoder: FrameDecoder::new(), inside: false }
    }

    /// Whether there is another frame.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.inside {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.inside = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.inside = false;
        }
    }
}
