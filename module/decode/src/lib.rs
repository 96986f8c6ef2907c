//! Bytes to records: which format is this, where does a record begin and end, and what does it hold.
//!
//! Nothing here reads a file: a host brings the bytes. [`detect`] names the format of an input from its first
//! bytes; a [`Framer`] cuts the bytes into records as they come; a [`Decoder`] turns one of them into a
//! [`Record`](backchannel_normalize::Record). EVTX, which is binary and comes in chunks, is read by
//! [`evtx`].
//!
//! ```
//! use backchannel_decode::{Decoded, Decoder, Detected, Framed, Framer, Options, detect};
//!
//! let bytes: &[u8] = b"type=CWD msg=audit(1700000000.123:456): cwd=\"/\"\n";
//! let Detected::Text(found) = detect(bytes) else { panic!() };
//! let mut framer = Framer::new(found);
//! let mut decoder = Decoder::new(found.format, Options::default());
//! let arena = bumpalo::Bump::new();
//! let mut rest = bytes;
//! while let Some(item) = framer.next(&mut rest) {
//!     let Framed::Frame(frame) = item else { panic!() };
//!     assert!(matches!(decoder.decode(&frame, &arena, &|_, _| true), Ok(Decoded::Record(_))));
//! }
//! assert_eq!(framer.finish(), None);
//! ```

mod decoder;
mod detect;
pub mod evtx;
mod frame;
mod json;
mod skip;
mod text;
mod time;
mod utf16;
mod xml;

pub use decoder::{Decoded, Decoder, Options, Year};
pub use detect::{Container, Detected, Encoding, Found, detect};
pub use frame::{Frame, Framed, Framer, Framing, MAX_RECORD};
pub use skip::{Reason, Skip};

/// Provider and event id of a Windows event, where the first bytes of a JSON record leave no doubt: for a host that asks
/// before it hands a record over.
pub fn windows_head(record: &[u8]) -> Option<(&str, u32)> {
    json::head(record)
}

/// A format whose records are text. JSON formats are what the input seems to hold mostly: a decoder looks at each
/// JSON record anew, so that a stream may mix them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Windows events as JSON, in any of the shapes that shippers write.
    WindowsJson,
    /// Windows events as XML.
    WindowsXml,
    /// Linux audit log, raw or enriched.
    Auditd,
    /// Audit events joined by laurel.
    Laurel,
    /// Syslog, RFC 3164 or 5424.
    Syslog,
    /// Zeek, tab-separated.
    ZeekTsv,
    /// Zeek, JSON.
    ZeekJson,
    /// macOS eslogger.
    EndpointSecurity,
    /// Backchannel's own events, JSON.
    Events,
    /// JSON of no shape known here yet; each record may still be one.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 10] = [
        Self::WindowsJson,
        Self::WindowsXml,
        Self::Auditd,
        Self::Laurel,
        Self::Syslog,
        Self::ZeekTsv,
        Self::ZeekJson,
        Self::EndpointSecurity,
        Self::Events,
        Self::Json,
    ];

    /// The name used in documents and options (`windows-json`, `auditd`, ...).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WindowsJson => "windows-json",
            Self::WindowsXml => "windows-xml",
            Self::Auditd => "auditd",
            Self::Laurel => "laurel",
            Self::Syslog => "syslog",
            Self::ZeekTsv => "zeek-tsv",
            Self::ZeekJson => "zeek-json",
            Self::EndpointSecurity => "endpoint-security",
            Self::Events => "events",
            Self::Json => "json",
        }
    }

    /// The format of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// How its records follow each other where the bytes were not looked at: one a line, XML by its elements.
    pub const fn framing(self) -> Framing {
        match self {
            Self::WindowsXml => Framing::Xml,
            _ => Framing::Lines,
        }
    }

    /// Whether its records are JSON.
    pub const fn is_json(self) -> bool {
        !matches!(self, Self::WindowsXml | Self::Auditd | Self::Syslog | Self::ZeekTsv)
    }
}
