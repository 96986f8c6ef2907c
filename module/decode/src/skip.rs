//! [`Skip`]: a record that could not be read, and the reason.

use core::fmt;

/// A record that could not be read. It is counted and reported, and does not affect other records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skip {
    /// Line at which the record begins, counted from 1; 0 if the input has no lines.
    pub line: u64,
    /// Byte of the record at which reading stopped, counted from 1, if known.
    pub column: Option<u32>,
    /// The reason.
    pub reason: Reason,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.reason),
            None => write!(f, "line {}: {}", self.line, self.reason),
        }
    }
}

impl core::error::Error for Skip {}

/// Why a record was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It is larger than [`MAX_RECORD`](crate::MAX_RECORD) bytes.
    TooLarge,
    /// The input ended inside it.
    Truncated,
    /// A string in it is not closed before the line ends.
    OpenString,
    /// Bytes between records that do not belong to any.
    Stray,
    /// It is not JSON; the value is what was expected.
    NotJson(&'static str),
    /// It is not XML; the value is what was expected.
    NotXml(&'static str),
    /// It is JSON, but of no known shape.
    UnknownShape,
    /// A Windows event without an event id.
    NoEventId,
    /// A Windows event with neither provider nor channel.
    NoProvider,
    /// An error specific to a format, defined in that format's file.
    Format {
        /// Code by which skipped records are counted.
        code: &'static str,
        /// What was expected.
        text: &'static str,
    },
}

impl Reason {
    /// Code by which skipped records are counted (`too-large`, `truncated`, ...).
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Truncated => "truncated",
            Self::OpenString => "open-string",
            Self::Stray => "stray-bytes",
            Self::NotJson(_) => "not-json",
            Self::NotXml(_) => "not-xml",
            Self::UnknownShape => "unknown-shape",
            Self::NoEventId => "no-event-id",
            Self::NoProvider => "no-provider",
            Self::Format { code, .. } => code,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the record is larger than 16 MiB"),
            Self::Truncated => f.write_str("the input ends inside the record"),
            Self::OpenString => f.write_str("a string is not closed before the line ends"),
            Self::Stray => f.write_str("expected a record to begin here"),
            Self::NotJson(expected) => write!(f, "not JSON: expected {expected}"),
            Self::NotXml(expected) => write!(f, "not XML: expected {expected}"),
            Self::UnknownShape => f.write_str(
                "JSON of no known shape: expected a Windows, audit, Zeek, Endpoint Security or syslog record",
            ),
            Self::NoEventId => f.write_str("a Windows event without an event id"),
            Self::NoProvider => f.write_str("a Windows event that names neither provider nor channel"),
            Self::Format { text, .. } => f.write_str(text),
        }
    }
}

impl core::error::Error for Reason {}
