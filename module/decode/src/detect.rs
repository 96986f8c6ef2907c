//! Detects the format of an input from its first bytes; its name is not considered.

use std::cmp::Reverse;

use crate::formats::{self, Certainty, Start, evtx};
use crate::frame::{Framing, probe_json};
use crate::{Format, json};

/// Number of bytes of an input that [`detect`] considers; fewer are accepted.
const PROBE: usize = 64 * 1024;

/// How the text of an input is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or ASCII, with or without a byte order mark.
    #[default]
    Utf8,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
}

/// Archives and compressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// ZIP.
    Zip,
    /// tar.
    Tar,
    /// 7z.
    SevenZip,
}

/// A text input: format, framing and encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Format of its records.
    pub format: Format,
    /// Framing: how its records follow each other.
    pub framing: Framing,
    /// Encoding of its text.
    pub encoding: Encoding,
}

/// Classification of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detected {
    /// Text with records.
    Text(Found),
    /// A Windows event log file (binary).
    Evtx,
    /// An archive or a compressed file, to be unpacked by the host.
    Container(Container),
    /// Empty, or white space only.
    Empty,
    /// None of these.
    Unknown,
}

/// Classifies an input by its first bytes; 64 KiB of them are considered.
pub fn detect(bytes: &[u8]) -> Detected {
    let bytes = &bytes[..bytes.len().min(PROBE)];
    if let Some(container) = container(bytes) {
        return Detected::Container(container);
    }
    if bytes.starts_with(evtx::FORMAT.magic) {
        return Detected::Evtx;
    }
    let encoding = encoding(bytes);
    let mut transcoded = Vec::new();
    let text = match encoding {
        Encoding::Utf8 => bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes),
        Encoding::Utf16Le | Encoding::Utf16Be => {
            crate::utf16::Transcoder::default().push(encoding, bytes, &mut transcoded);
            &transcoded
        }
    };
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return Detected::Empty;
    }
    match content(start) {
        Some((format, framing)) => Detected::Text(Found { format, framing, encoding }),
        None => Detected::Unknown,
    }
}

fn container(bytes: &[u8]) -> Option<Container> {
    const MAGIC: [(&[u8], Container); 8] = [
        (b"\x1F\x8B\x08", Container::Gzip),
        (b"\x28\xB5\x2F\xFD", Container::Zstd),
        (b"BZh", Container::Bzip2),
        (b"\xFD7zXZ\0", Container::Xz),
        (b"PK\x03\x04", Container::Zip),
        (b"PK\x05\x06", Container::Zip),
        (b"PK\x07\x08", Container::Zip),
        (b"7z\xBC\xAF\x27\x1C", Container::SevenZip),
    ];
    if let Some((_, container)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(*container);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(Container::Tar);
    }
    // A Zstandard file may begin with a skippable frame.
    (bytes.len() >= 4 && (bytes[0] & 0xF0) == 0x50 && bytes[1..4] == [0x2A, 0x4D, 0x18]).then_some(Container::Zstd)
}

fn encoding(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xFF, 0xFE, ..] => Encoding::Utf16Le,
        [0xFE, 0xFF, ..] => Encoding::Utf16Be,
        // Logs begin with ASCII, so a zero in every other byte shows the encoding even without a byte order mark.
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Encoding::Utf16Le,
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    }
}

fn content(start: &[u8]) -> Option<(Format, Framing)> {
    let start = Start { bytes: start };
    let json = json(&start);
    // JSON is certain from its first bytes.
    let text = if json.is_some_and(|(clue, ..)| clue == Certainty::Begins) { None } else { formats::recognise(&start) };
    match (json, text) {
        (Some((clue, format, framing)), text) if text.is_none_or(|(other, _)| clue > other) => Some((format, framing)),
        (_, text) => text.map(|(_, format)| (format, format.framing())),
    }
}

/// Detects JSON: the certainty, the format of the first object, and how the objects follow each other.
fn json(start: &Start<'_>) -> Option<(Certainty, Format, Framing)> {
    if let [b'{' | b'[', ..] = start.bytes
        && let Some((framing, first)) = probe_json(start.bytes)
    {
        return Some((Certainty::Begins, json::guess(first), framing));
    }
    let is_object = |line: &str| line.starts_with('{') && probe_json(line.as_bytes()).is_some();
    let (number, line) = start.lines().enumerate().find(|(_, line)| is_object(line))?;
    Some((Certainty::Line(Reverse(number)), json::guess(line.as_bytes()), Framing::Lines))
}
