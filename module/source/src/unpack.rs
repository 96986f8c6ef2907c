//! Decompresses streams, with limits against decompression bombs.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// A compression of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
    /// The deflate stream of a ZIP member.
    Deflate,
    /// The checksum of a ZIP member's contents.
    Checksum(u32),
}

/// Limits for decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Bytes of one input after decompression. Default: 256 GiB; the data is not kept, so this limits time only.
    pub unpacked: u64,
    /// Bytes of an archive that is itself compressed, which is copied to be read in any order. Default: 32 GiB.
    pub spooled: u64,
    /// Maximum compression ratio; checked after 256 MiB of output. Default: 500; logs reach 50.
    pub ratio: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { unpacked: 256 << 30, spooled: 32 << 30, ratio: 500 }
    }
}

/// Bytes of output after which the ratio is checked.
const RATIO_FROM: u64 = 256 << 20;

/// Decompresses `reader` by `layers`, the outermost first.
pub(crate) fn unpack(reader: Box<dyn Read>, layers: &[Layer], limits: &UnpackLimits) -> Box<dyn Read> {
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
        reader = Box::new(Guard { inner: plain, given: 0, taken, limits: *limits });
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
    limits: UnpackLimits,
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given > self.limits.unpacked {
            return Err(io::Error::other(format!("it unpacks to more than {} bytes", self.limits.unpacked)));
        }
        if self.given > RATIO_FROM && self.given / self.taken.get().max(1) > self.limits.ratio {
            return Err(io::Error::other(format!("it unpacks to more than {} times its size", self.limits.ratio)));
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

/// Zstandard frames one after the other; skippable frames are ignored.
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: Vec<u8>, layers: &[Layer], limits: UnpackLimits) -> (Vec<u8>, io::Result<usize>) {
        let mut reader = unpack(Box::new(io::Cursor::new(bytes)), layers, &limits);
        let mut out = Vec::new();
        let end = reader.read_to_end(&mut out);
        (out, end)
    }

    #[test]
    fn members_and_frames_one_after_the_other_are_one_stream() {
        let (out, end) = read([gzip(b"a\n"), gzip(b"b\n")].concat(), &[Layer::Gzip], UnpackLimits::default());
        assert_eq!((out.as_slice(), end.is_ok()), (&b"a\nb\n"[..], true));
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let (out, end) =
            read([zstd(b"a\n"), skippable, zstd(b"b\n")].concat(), &[Layer::Zstd], UnpackLimits::default());
        assert_eq!((out.as_slice(), end.is_ok()), (&b"a\nb\n"[..], true));
    }

    #[test]
    fn data_before_the_damage_is_read() {
        let text: Vec<u8> = (0..200_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for (packed, layer) in [(gzip(&text), Layer::Gzip), (zstd(&text), Layer::Zstd)] {
            let cut = packed[..packed.len() / 2].to_vec();
            let (out, end) = read(cut, &[layer], UnpackLimits::default());
            assert!(end.is_err() && !out.is_empty() && text.starts_with(&out), "{layer:?}");
        }
    }

    #[test]
    fn decompression_beyond_the_limit_fails() {
        let packed = gzip(&vec![b'a'; 1 << 20]);
        let limits = UnpackLimits { unpacked: 1 << 16, ..UnpackLimits::default() };
        let (out, end) = read(packed, &[Layer::Gzip], limits);
        assert!(end.unwrap_err().to_string().contains("unpacks to more"));
        assert!(out.len() < 1 << 20);
        let packed = gzip(&vec![b'a'; 300 << 20]);
        let (_, end) = read(packed, &[Layer::Gzip], UnpackLimits::default());
        assert!(end.unwrap_err().to_string().contains("times its size"));
    }

    #[test]
    fn a_wrong_checksum_is_detected_at_the_end() {
        let (out, end) = read(b"abc".to_vec(), &[Layer::Checksum(1)], UnpackLimits::default());
        assert_eq!(out, b"abc");
        assert!(end.unwrap_err().to_string().contains("checksum"));
    }
}
