//! [`Skip`]: a record that gave nothing, and why.

use core::fmt;

/// A record that could not be used. It is counted, and shown to who asks; it never ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    /// Line the record begins at, counted from 1; 0 where the input has no lines.
    pub line: u64,
    /// Byte of the record where reading had to stop, counted from 1, where that is known.
    pub column: Option<u32>,
    /// Why.
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

/// Why a record was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is larger than [`MAX_RECORD`](crate::MAX_RECORD) bytes.
    TooLarge,
    /// The input ended inside it.
    Truncated,
    /// A string in it is not closed before the line ends.
    OpenString,
    /// Bytes between records that belong to none.
    Stray,
    /// It is no JSON; what was expected there.
    NotJson(&'static str),
    /// It is no XML; what was expected there.
    NotXml(&'static str),
    /// It is JSON, but of no shape that is known.
    UnknownShape,
    /// A Windows event without an event id.
    NoEventId,
    /// A Windows event that names neither provider nor channel.
    NoProvider,
    /// What is wrong by the rules of one format, which is defined in that format's file.
    Format {
        /// A word to count by.
        code: &'static str,
        /// What was expected, for a reader.
        text: &'static str,
    },
}

impl Reason {
    /// A word to count by (`too-large`, `truncated`, ...).
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
