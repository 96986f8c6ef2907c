//! A snapshot kept for recovery, which is rarely needed: large ones are compressed, so that two snapshots of a thousand
//! hosts never exist uncompressed while the next one is taken.

use std::borrow::Cow;

/// Size in bytes from which compression is worth its time.
const LARGE: usize = 16 * 1024 * 1024;

/// A stored snapshot.
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
                .map_err(|error| format!("the stored snapshot cannot be decompressed: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_snapshots_of_any_size_are_read_back() {
        for size in [0, 1_000, LARGE - 1, LARGE, LARGE + 7] {
            let snapshot: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let kept = Kept::new(snapshot.clone());
            assert_eq!(matches!(kept, Kept::Packed(_)), size >= LARGE);
            assert!(*kept.bytes().unwrap() == *snapshot, "{size}");
        }
    }
}
