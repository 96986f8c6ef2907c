//! Little-endian numbers at a position, or the reason why there are none.

use super::Reason;

/// Bytes that are read from front to back; positions are those of the whole slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'c> {
    /// Everything positions count in.
    pub all: &'c [u8],
    /// Where reading stands.
    pub at: usize,
    /// Where reading must stop.
    pub end: usize,
}

impl<'c> Bytes<'c> {
    /// `all[at..end]`; the end is cut to what is there.
    pub fn new(all: &'c [u8], at: usize, end: usize) -> Self {
        Self { all, at, end: end.min(all.len()) }
    }

    /// The next `length` bytes.
    #[inline]
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'c [u8], Reason> {
        let end = self.at.saturating_add(length);
        if end > self.end {
            return Err(Reason::Short(what));
        }
        let taken = &self.all[self.at..end];
        self.at = end;
        Ok(taken)
    }

    #[inline]
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Reason> {
        Ok(self.take(1, what)?[0])
    }

    #[inline]
    pub fn u16(&mut self, what: &'static str) -> Result<u16, Reason> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    #[inline]
    pub fn u32(&mut self, what: &'static str) -> Result<u32, Reason> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.at >= self.end
    }
}

/// The number of `N` bytes at `at`, where they are there.
#[inline]
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// A 32-bit number at `at`; 0 if it is not there.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    array(bytes, at).map_or(0, u32::from_le_bytes)
}

/// A 64-bit number at `at`; 0 if it is not there.
#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    array(bytes, at).map_or(0, u64::from_le_bytes)
}
