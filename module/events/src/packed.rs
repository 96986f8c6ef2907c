//! The packed form of a batch: events as rows of words over one text arena, for passing them into a sandbox.
//!
//! [`Builder`] writes it, [`Batch`] reads it in place. A batch is untrusted input: [`Batch::parse`] validates every
//! length, every word and the text's UTF-8 once, and never panics.
//!
//! # Layout, version 1
//! All numbers are little-endian; a word has 4 bytes.
//!
//! | part | contents |
//! | --- | --- |
//! | header, 7 words | `BCPK`, version, rows, origins, bytes of all rows, bytes of the origins' text, bytes of the rows' text |
//! | origins, 7 words each | source; position and length in the text of: input, provider, host |
//! | rows | see below |
//! | text | UTF-8: that of the origins, then that of the rows in their order, without gaps |
//!
//! Most events of a batch share their origin (kind of log, input, provider, host), so it is written once. A row is: its
//! length in words, kind of activity, index of its origin, time (2 words), two sets of 64 bits (2 words each), then the
//! values. The bits of the first set are the fields of event and process, those of the second the fields of the
//! activity, in the order of `packed/fields.rs`. A bit is set if the field is not empty, and only then has the field a
//! value: one or two words for a number, the length in bytes for text. A missing field costs one bit.

mod fields;
mod read;
mod write;

use core::fmt;

pub use read::{Batch, Events};
pub use write::{Builder, DoesNotFit};

/// Version of the layout that is written and read.
pub const VERSION: u32 = 1;

const MAGIC: [u8; 4] = *b"BCPK";
/// Bytes of the header, and of one origin.
const HEADER: usize = 7 * 4;
/// Bytes of a row before its values: length, kind, origin, time, two sets of bits.
const ROW_HEADER: usize = 9 * 4;

/// A packed batch that is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackedError {
    /// Offset of the first invalid byte.
    pub offset: usize,
    /// What was expected there.
    pub reason: &'static str,
}

impl fmt::Display for PackedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packed batch, byte {}: expected {}", self.offset, self.reason)
    }
}

impl std::error::Error for PackedError {}

#[cfg(test)]
mod tests;
