//! A cursor over bytes that reads little-endian numbers, or returns the reason why it cannot.

use super::Reason;

/// Bytes that are read sequentially; positions refer to the whole slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'c> {
    /// The slice that positions refer to.
    pub all: &'c [u8],
    /// Position of the cursor.
    pub at: usize,
    /// End of the part that is read.
    pub end: usize,
}

impl<'c> Bytes<'c> {
    /// Reads `all[at..end]`; the end is limited to the length.
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

    /// Whether all bytes were read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.end
    }
}

/// The number of `N` bytes at `at`, if there are as many.
#[inline]
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// A 32-bit number at `at`; 0 beyond the end.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    array(bytes, at).map_or(0, u32::from_le_bytes)
}

/// A 64-bit number at `at`; 0 beyond the end.
#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    array(bytes, at).map_or(0, u64::from_le_bytes)
}
