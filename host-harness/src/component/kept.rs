//! A snapshot kept for a failure that hardly ever comes: a large one is packed, so that the next one can be taken
//! while it is still there without holding the memory of a thousand hosts twice.

use std::borrow::Cow;

/// Smaller ones are not worth the time.
const LARGE: usize = 16 * 1024 * 1024;

/// A snapshot as it is kept.
pub(super) enum Kept {
    Plain(Vec<u8>),
    /// LZ4, with its size before it.
    Packed(Vec<u8>),
}

impl Kept {
    pub(super) fn new(snapshot: Vec<u8>) -> Self {
        if snapshot.len() < LARGE {
            return Self::Plain(snapshot);
        }
        let mut packed = lz4_flex::compress_prepend_size(&snapshot);
        packed.shrink_to_fit();
        Self::Packed(packed)
    }

    /// The snapshot as it was taken.
    pub(super) fn bytes(&self) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Self::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Packed(bytes) => lz4_flex::decompress_size_prepended(bytes)
                .map(Cow::Owned)
                .map_err(|error| format!("the snapshot that was kept cannot be unpacked: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_whatever_its_size() {
        for size in [0, 1_000, LARGE - 1, LARGE, LARGE + 7] {
            let snapshot: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let kept = Kept::new(snapshot.clone());
            assert_eq!(matches!(kept, Kept::Packed(_)), size >= LARGE);
            assert!(*kept.bytes().unwrap() == *snapshot, "{size}");
        }
    }
}
