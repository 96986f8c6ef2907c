//! An event and its values, and the binary encoding of values.

use crate::identifier::{Guid, Sid};
use std::borrow::Cow;

/// FILETIME ticks (100 ns) from 1601-01-01 to 1970-01-01.
const UNIX_EPOCH_TICKS: i64 = 116_444_736_000_000_000;

/// One event. The fields correspond to the `System` element of its XML; the default is zeros, empty strings and no
/// data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event<'a> {
    /// `Provider/@Name`.
    pub provider: &'a str,
    /// `Provider/@Guid`; classic providers have none.
    pub provider_guid: Option<Guid>,
    /// `EventID`.
    pub event_id: u16,
    /// `EventID/@Qualifiers`; only classic events have them.
    pub qualifiers: Option<u16>,
    /// `Version`.
    pub version: u8,
    /// `Level`.
    pub level: u8,
    /// `Task`.
    pub task: u16,
    /// `Opcode`.
    pub opcode: u8,
    /// `Keywords`, as a bit mask.
    pub keywords: u64,
    /// `TimeCreated/@SystemTime`: nanoseconds since 1970-01-01 UTC, stored in units of 100 ns.
    pub time_ns: i64,
    /// `EventRecordID`. The number in the record's header is its position in the file, as in an exported log.
    pub record_id: u64,
    /// `Correlation/@ActivityID`.
    pub activity: Option<Guid>,
    /// `Correlation/@RelatedActivityID`.
    pub related_activity: Option<Guid>,
    /// `Execution/@ProcessID`.
    pub process_id: u32,
    /// `Execution/@ThreadID`.
    pub thread_id: u32,
    /// `Channel`.
    pub channel: &'a str,
    /// `Computer`.
    pub computer: &'a str,
    /// `Security/@UserID`.
    pub user: Option<Sid>,
    /// The data after `System`.
    pub data: Data<'a>,
}

/// Names and values, in order.
pub type Fields<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// The data of an event besides its `System` element.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Data<'a> {
    /// No data.
    #[default]
    None,
    /// `EventData`, with one `Data` element per field, its name in `@Name`.
    Named(Fields<'a>),
    /// `EventData` of a classic event: `Data` elements without names, and `Binary` unless it is empty.
    Unnamed {
        /// The strings, one `Data` element each. A NUL ends a string, and begins another.
        texts: Vec<Cow<'a, str>>,
        /// The content of `Binary`.
        binary: Cow<'a, [u8]>,
    },
    /// `UserData`, with one element that has one child per field.
    User {
        /// The element's name.
        element: &'a str,
        /// The element's `xmlns`; none if empty.
        namespace: &'a str,
        /// The names and contents of its children. Names are written as they are: they must be XML names.
        fields: Fields<'a>,
    },
}

impl<'a> Data<'a> {
    /// `EventData` with these fields.
    pub fn named<N: Into<Cow<'a, str>>>(fields: impl IntoIterator<Item = (N, Value<'a>)>) -> Self {
        Data::Named(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// `EventData` with these texts, without names.
    pub fn unnamed<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Data::Unnamed { texts: texts.into_iter().map(Into::into).collect(), binary: Cow::Borrowed(&[]) }
    }
}

/// A value, by its stored type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// No value. Depending on the reader, its element is empty or left out.
    Null,
    /// A string, stored as UTF-16. Readers truncate it at its first NUL.
    Text(Cow<'a, str>),
    /// An unsigned 8-bit number.
    U8(u8),
    /// An unsigned 16-bit number.
    U16(u16),
    /// An unsigned 32-bit number.
    U32(u32),
    /// An unsigned 64-bit number.
    U64(u64),
    /// A signed 32-bit number.
    I32(i32),
    /// A signed 64-bit number.
    I64(i64),
    /// A 32-bit number that is shown in hexadecimal.
    Hex32(u32),
    /// A 64-bit number that is shown in hexadecimal.
    Hex64(u64),
    /// True or false, stored in 32 bits.
    Bool(bool),
    /// A GUID.
    Guid(Guid),
    /// A security identifier.
    Sid(Sid),
    /// A FILETIME: units of 100 ns since 1601-01-01 UTC.
    FileTime(u64),
    /// Bytes, shown in hexadecimal.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// A text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Value::Text(text.into())
    }

    /// The FILETIME of a time in nanoseconds since 1970-01-01 UTC, truncated to 100 ns.
    pub fn time(unix_ns: i64) -> Self {
        // An i64 of nanoseconds does not reach back to 1601, so the sum is never negative.
        Value::FileTime((unix_ns.div_euclid(100) + UNIX_EPOCH_TICKS) as u64)
    }

    /// The type byte (MS-EVEN6, 2.2.12).
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Value::Null => kind::NULL,
            Value::Text(_) => kind::TEXT,
            Value::U8(_) => kind::U8,
            Value::U16(_) => kind::U16,
            Value::I32(_) => 0x07,
            Value::U32(_) => kind::U32,
            Value::I64(_) => 0x09,
            Value::U64(_) => kind::U64,
            Value::Bool(_) => 0x0d,
            Value::Binary(_) => kind::BINARY,
            Value::Guid(_) => kind::GUID,
            Value::FileTime(_) => kind::FILE_TIME,
            Value::Sid(_) => kind::SID,
            Value::Hex32(_) => 0x14,
            Value::Hex64(_) => kind::HEX64,
        }
    }

    /// Appends the stored bytes.
    pub(crate) fn store(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => {}
            Value::Text(text) => store_text(text, out),
            Value::U8(number) => out.push(*number),
            Value::U16(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::U32(number) | Value::Hex32(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::U64(number) | Value::Hex64(number) | Value::FileTime(number) => {
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::I32(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::I64(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::Bool(truth) => out.extend_from_slice(&u32::from(*truth).to_le_bytes()),
            Value::Guid(guid) => out.extend_from_slice(&guid.0),
            Value::Sid(sid) => out.extend_from_slice(sid.as_bytes()),
            Value::Binary(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// Appends a string as UTF-16, without length or NUL.
pub(crate) fn store_text(text: &str, out: &mut Vec<u8>) {
    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
}

/// The type bytes used in templates.
pub(crate) mod kind {
    pub(crate) const NULL: u8 = 0x00;
    pub(crate) const TEXT: u8 = 0x01;
    pub(crate) const U8: u8 = 0x04;
    pub(crate) const U16: u8 = 0x06;
    pub(crate) const U32: u8 = 0x08;
    pub(crate) const U64: u8 = 0x0a;
    pub(crate) const BINARY: u8 = 0x0e;
    pub(crate) const GUID: u8 = 0x0f;
    pub(crate) const FILE_TIME: u8 = 0x11;
    pub(crate) const SID: u8 = 0x13;
    pub(crate) const HEX64: u8 = 0x15;
    /// A stream of BinXML inside a value.
    pub(crate) const BINXML: u8 = 0x21;
    /// Strings, each terminated by a NUL.
    pub(crate) const TEXTS: u8 = 0x81;
}
