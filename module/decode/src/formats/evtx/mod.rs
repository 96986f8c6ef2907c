//! Reads EVTX, the binary event logs of Windows.
//!
//! A file is a header of 4,096 bytes followed by chunks of 65,536. Each chunk is self-contained, with its own templates
//! and names, so a log can be read from a pipe, chunk by chunk ([`Splitter`]), and a damaged chunk does not affect the
//! others.
//!
//! A record is a template and the values of its slots. [`ChunkReader`] analyses a template once (which slot is which
//! field) and keeps the result for the rest of the log; reading a record is then a walk over its values. Provider and
//! event id are read first, and the rest only if the record is wanted. The tests compare this reader with the `evtx`
//! crate, which is not used here because it builds every record as a whole.
//!
//! Format specification: MS-EVEN6 section 2.2 (BinXml), and the EVTX documentation of libevtx.

mod bytes;
mod chunk;
mod split;
mod template;
mod value;

use core::fmt;

use backchannel_normalize::WindowsRecord;

pub use chunk::{ChunkReader, first_time};
pub use split::{FileHeader, Piece, Splitter};

pub(crate) const FORMAT: super::BinaryFormat = super::BinaryFormat {
    about: super::About {
        name: "evtx",
        title: "Windows event log file",
        description: "Binary event logs of Windows, from `winevt\\Logs` or exported.",
        recognised: "It begins with `ElfFile`.",
        examples: &[],
    },
    magic: b"ElfFile\0",
};

/// Size of the file's header.
pub const HEADER_SIZE: usize = 4_096;

/// Size of a chunk.
pub const CHUNK_SIZE: usize = 65_536;

/// An item of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// A record.
    Record(WindowsRecord<'a>),
    /// A record that `wants` rejected; the rest of it was not read.
    NotWanted {
        /// Its provider.
        provider: &'a str,
        /// Its event id.
        event_id: u32,
        /// Its record id.
        record_id: u64,
    },
    /// A record, or a chunk, that could not be read.
    Skip(Skip),
    /// A problem of a chunk that was read nevertheless.
    Note(Skip),
}

/// A record or chunk that could not be read, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skip {
    /// Number of the chunk in its file, counted from 0.
    pub chunk: u64,
    /// Offset of the record in the chunk.
    pub offset: u32,
    /// Record id, if it could be read.
    pub record_id: Option<u64>,
    /// The reason.
    pub reason: Reason,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chunk {}, byte {}", self.chunk, self.offset)?;
        if let Some(id) = self.record_id {
            write!(f, ", record {id}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl core::error::Error for Skip {}

/// Why a record or a chunk was skipped, or noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The file does not begin with `ElfFile`.
    NotEvtx,
    /// The chunk does not begin with `ElfChnk`.
    NotAChunk,
    /// The chunk is incomplete: the input ends inside it.
    Truncated,
    /// The checksum of the chunk's header is wrong.
    HeaderChecksum,
    /// The checksum of the chunk's records is wrong.
    RecordsChecksum,
    /// No record begins at an expected place.
    NotARecord,
    /// The record is larger than its chunk.
    RecordSize,
    /// The record ends inside an item; the value says which one.
    Short(&'static str),
    /// A token of the binary XML that is not allowed at this place.
    Token(u8),
    /// An unknown type of value.
    ValueType(u8),
    /// Elements or templates are nested too deeply, or a record expands to far more than its size.
    TooMuch,
    /// The record has no event id.
    NoEventId,
    /// The record has neither provider nor channel.
    NoProvider,
}

impl Reason {
    /// A code by which records are counted (`truncated`, `checksum`, ...).
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotEvtx => "not-evtx",
            Self::NotAChunk => "not-a-chunk",
            Self::Truncated => "truncated",
            Self::HeaderChecksum | Self::RecordsChecksum => "checksum",
            Self::NotARecord => "not-a-record",
            Self::RecordSize => "record-size",
            Self::Short(_) => "short-record",
            Self::Token(_) => "bad-token",
            Self::ValueType(_) => "bad-value-type",
            Self::TooMuch => "too-large",
            Self::NoEventId => "no-event-id",
            Self::NoProvider => "no-provider",
        }
    }
}

impl core::error::Error for Reason {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEvtx => f.write_str("expected `ElfFile`"),
            Self::NotAChunk => f.write_str("expected `ElfChnk`"),
            Self::Truncated => f.write_str("the input ends inside the chunk"),
            Self::HeaderChecksum => f.write_str("the checksum of the chunk's header is wrong"),
            Self::RecordsChecksum => f.write_str("the checksum of the chunk's records is wrong"),
            Self::NotARecord => f.write_str("expected a record to begin here"),
            Self::RecordSize => f.write_str("the record's size does not fit its chunk"),
            Self::Short(what) => write!(f, "the record ends inside {what}"),
            Self::Token(token) => write!(f, "binary XML token {token:#04x} cannot stand here"),
            Self::ValueType(kind) => write!(f, "value type {kind:#04x} is not known"),
            Self::TooMuch => f.write_str("nested too deep, or expands too far"),
            Self::NoEventId => f.write_str("a record without an event id"),
            Self::NoProvider => f.write_str("a record that names neither provider nor channel"),
        }
    }
}
