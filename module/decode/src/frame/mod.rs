//! Splits a stream of bytes into records, however it is divided into pieces.
//!
//! A record within one piece is borrowed from it; only a record that spans pieces is copied. The results do not depend
//! on how the stream is divided. At most one record is buffered.

mod json;
mod xml;

use crate::utf16::Transcoder;
use crate::{Encoding, Found, Reason, Skip};
pub(crate) use json::probe as probe_json;
use json::{JsonFound, JsonState, is_wrapper};
use xml::{XmlSeen, xml_step};

/// Maximum size of a record in bytes; larger ones are skipped.
pub const MAX_RECORD: usize = 16 * 1024 * 1024;

/// Framing: how records follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Framing {
    /// One record per line; blank lines are ignored.
    Lines,
    /// JSON objects one after the other: concatenated, on several lines, in an array, or in the array that is the first
    /// member of an object (`{"Records":[...]}`).
    Json,
    /// `<Event>` elements; text between them is ignored.
    Xml,
}

/// The bytes of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Line at which it begins, counted from 1.
    pub line: u64,
    /// Its bytes: UTF-8 (possibly with errors), without a line end.
    pub bytes: &'a [u8],
}

/// Output of a [`Framer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed<'a> {
    /// A record.
    Frame(Frame<'a>),
    /// Bytes that are not a whole record.
    Skip(Skip),
}

/// Splits a stream of bytes into records.
#[derive(Clone, Debug)]
pub struct Framer {
    encoding: Encoding,
    transcoder: Transcoder,
    // Transcoded bytes that are not yet framed; they begin at `at`.
    buffer: Vec<u8>,
    at: usize,
    core: Core,
}

impl Framer {
    /// Creates a framer for an input that was classified by [`detect`](crate::detect()).
    pub fn new(found: Found) -> Self {
        Self::with_limit(found, MAX_RECORD)
    }

    /// Creates a framer for records in UTF-8 with known framing.
    pub fn of(format: crate::Format, framing: Framing) -> Self {
        Self::new(Found { format, framing, encoding: Encoding::Utf8 })
    }

    fn with_limit(found: Found, limit: usize) -> Self {
        Self {
            encoding: found.encoding,
            transcoder: Transcoder::default(),
            buffer: Vec::new(),
            at: 0,
            core: Core::new(found.framing, limit),
        }
    }

    /// The next record in `input`, which is advanced past the bytes used. `None`: all of them were used, more input is
    /// needed.
    pub fn next<'f, 'i: 'f>(&'f mut self, input: &mut &'i [u8]) -> Option<Framed<'f>> {
        if self.encoding == Encoding::Utf8 {
            return self.core.next(input);
        }
        if !input.is_empty() {
            self.buffer.drain(..self.at);
            self.at = 0;
            self.transcoder.push(self.encoding, input, &mut self.buffer);
            *input = &[];
        }
        Self::from_buffer(&mut self.core, &self.buffer, &mut self.at)
    }

    fn from_buffer<'f>(core: &'f mut Core, buffer: &'f [u8], at: &mut usize) -> Option<Framed<'f>> {
        let mut rest = &buffer[*at..];
        let before = rest.len();
        let item = core.next(&mut rest);
        *at += before - rest.len();
        item
    }

    /// The rest, when the input has ended. To be called until it returns `None`.
    pub fn finish(&mut self) -> Option<Framed<'_>> {
        if self.encoding != Encoding::Utf8 {
            self.transcoder.finish(&mut self.buffer);
            // Taken out, so that a possible item does not borrow from the buffer in the loop.
            if self.at < self.buffer.len() {
                let rest = self.buffer.split_off(self.at);
                self.core.absorb(&rest);
                self.buffer.clear();
                self.at = 0;
            }
        }
        self.core.finish()
    }
}

/// State of a framer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two records.
    Between,
    /// Inside a record.
    Inside,
    /// In bytes that are ignored up to the end of the line.
    Discard,
    /// After the array of a wrapping object, up to the end of the object.
    WrapperTail,
}

/// Result of scanning a piece while inside a record.
enum FoundEnd {
    /// The record ends after this number of bytes; the second number (a line end) belongs to no record.
    End(usize, usize),
    /// It does not end in this piece.
    More,
    /// It is malformed at this offset.
    Broken(usize, Reason),
    /// It was an object that wraps the records, which begin at this offset.
    Wrapper(usize),
    /// Another record begins inside it; `<Event` ends just before this offset.
    Restart(usize),
}

#[derive(Clone, Debug)]
struct Core {
    framing: Framing,
    limit: usize,
    phase: Phase,
    /// The part of the record in earlier pieces.
    carry: Vec<u8>,
    /// `carry` was returned and must be cleared.
    spent: bool,
    /// Current line, and first line of the current record.
    line: u64,
    start_line: u64,
    /// Stray bytes were reported already; not again before the next record.
    straying: bool,
    json: JsonState,
    /// The records are in an array inside an object.
    wrapped: bool,
    /// Progress in `<Event` or `</Event`; see [`xml_step`].
    xml: u8,
}

impl Core {
    fn new(framing: Framing, limit: usize) -> Self {
        Self {
            framing,
            limit,
            phase: Phase::Between,
            carry: Vec::new(),
            spent: false,
            line: 1,
            start_line: 1,
            straying: false,
            json: JsonState::default(),
            wrapped: false,
            xml: 0,
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
    }

    fn skip(&self, reason: Reason) -> Option<Framed<'static>> {
        Some(Framed::Skip(Skip { line: self.start_line, column: None, reason }))
    }

    fn next<'f, 'i: 'f>(&'f mut self, input: &mut &'i [u8]) -> Option<Framed<'f>> {
        if self.spent {
            self.carry.clear();
            self.spent = false;
            // A single large record must not hold its memory for the rest of the run.
            if self.carry.capacity() > 1024 * 1024 {
                self.carry.shrink_to(64 * 1024);
            }
        }
        loop {
            if input.is_empty() {
                return None;
            }
            match self.phase {
                Phase::Between => {
                    if let Some(skip) = self.between(input) {
                        return Some(skip);
                    }
                }
                Phase::Discard => match memchr::memchr(b'\n', input) {
                    Some(end) => {
                        self.line += 1;
                        *input = &input[end + 1..];
                        self.phase = Phase::Between;
                    }
                    None => *input = &[],
                },
                Phase::WrapperTail => {
                    let bytes = *input;
                    let (used, over) = match self.json.follow(bytes) {
                        JsonFound::End(end) | JsonFound::OpenString(end) => (end, true),
                        JsonFound::FirstArray(end) => (end, false),
                        JsonFound::More => (bytes.len(), false),
                    };
                    self.pass(&bytes[..used]);
                    *input = &bytes[used..];
                    if over {
                        self.phase = Phase::Between;
                    }
                }
                Phase::Inside => {
                    let bytes = *input;
                    let window = &bytes[..bytes.len().min((self.limit + 1).saturating_sub(self.carry.len()))];
                    match self.find_end(window) {
                        FoundEnd::End(end, after) => {
                            self.phase = Phase::Between;
                            *input = &bytes[end + after..];
                            let first = self.start_line == 1;
                            if self.framing == Framing::Lines {
                                self.line += after as u64;
                            } else {
                                self.pass(&bytes[..end]);
                            }
                            if self.carry.is_empty() {
                                if let Some(bytes) = self.record(&bytes[..end], first) {
                                    self.straying = false;
                                    return Some(Framed::Frame(Frame { line: self.start_line, bytes }));
                                }
                            } else {
                                self.carry.extend_from_slice(&bytes[..end]);
                                if self.record(&self.carry, first).is_some() {
                                    self.spent = true;
                                    self.straying = false;
                                    let bytes = self.record(&self.carry, first)?;
                                    return Some(Framed::Frame(Frame { line: self.start_line, bytes }));
                                }
                                self.carry.clear();
                            }
                        }
                        FoundEnd::More if self.carry.len() + window.len() > self.limit => {
                            // The same byte, however the stream is divided.
                            self.pass(window);
                            *input = &bytes[window.len()..];
                            self.carry.clear();
                            self.xml = 0;
                            self.phase = Phase::Discard;
                            return self.skip(Reason::TooLarge);
                        }
                        FoundEnd::More => {
                            if self.framing != Framing::Lines {
                                self.pass(bytes);
                            }
                            self.carry.extend_from_slice(bytes);
                            *input = &[];
                        }
                        FoundEnd::Broken(at, reason) => {
                            self.pass(&bytes[..at]);
                            *input = &bytes[at..];
                            self.carry.clear();
                            self.straying = true;
                            self.phase = Phase::Discard;
                            return self.skip(reason);
                        }
                        FoundEnd::Wrapper(at) => {
                            self.pass(&bytes[..at]);
                            *input = &bytes[at..];
                            self.carry.clear();
                            self.wrapped = true;
                            self.phase = Phase::Between;
                        }
                        FoundEnd::Restart(at) => {
                            self.pass(&bytes[..at]);
                            *input = &bytes[at..];
                            let skip = self.skip(Reason::Truncated);
                            self.start_line = self.line;
                            self.carry.clear();
                            self.carry.extend_from_slice(b"<Event");
                            return skip;
                        }
                    }
                }
            }
        }
    }

    /// The record without surrounding bytes that do not belong to it; `None` if nothing is left.
    fn record<'b>(&self, bytes: &'b [u8], first: bool) -> Option<&'b [u8]> {
        let mut bytes = bytes;
        if first {
            bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        }
        if self.framing == Framing::Lines {
            // A log that was truncated while it was written to begins with zeros.
            while let [0, rest @ ..] = bytes {
                bytes = rest;
            }
            while let [rest @ .., b'\r'] = bytes {
                bytes = rest;
            }
            if bytes.trim_ascii().is_empty() {
                return None;
            }
        }
        Some(bytes)
    }

    /// Finds where the next record begins.
    fn between(&mut self, input: &mut &[u8]) -> Option<Framed<'static>> {
        let bytes = *input;
        match self.framing {
            Framing::Lines => {
                self.start_line = self.line;
                self.phase = Phase::Inside;
                None
            }
            Framing::Json => self.between_json(input),
            Framing::Xml => {
                let mut at = 0;
                loop {
                    if self.xml == 0 {
                        match memchr::memchr(b'<', &bytes[at..]) {
                            Some(found) => at += found,
                            None => {
                                self.pass(bytes);
                                *input = &[];
                                return None;
                            }
                        }
                    }
                    let Some(byte) = bytes.get(at) else {
                        self.pass(bytes);
                        *input = &[];
                        return None;
                    };
                    let (state, seen) = xml_step(self.xml, *byte);
                    self.xml = state;
                    if seen == XmlSeen::Open {
                        break;
                    }
                    at += 1;
                }
                // `<Event` ends just before `at`; it may have begun in an earlier piece.
                self.pass(&bytes[..at]);
                self.start_line = self.line;
                self.phase = Phase::Inside;
                self.carry.clear();
                self.carry.extend_from_slice(b"<Event");
                *input = &bytes[at..];
                None
            }
        }
    }

    fn between_json(&mut self, input: &mut &[u8]) -> Option<Framed<'static>> {
        let bytes = *input;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' | b'[' | b'}' => {}
                // A byte order mark.
                0xEF | 0xBB | 0xBF if self.line == 1 => {}
                b']' => {
                    if self.wrapped {
                        self.wrapped = false;
                        self.json = JsonState::inside();
                        *input = &bytes[at + 1..];
                        self.phase = Phase::WrapperTail;
                        return None;
                    }
                }
                b'{' => {
                    self.start_line = self.line;
                    self.phase = Phase::Inside;
                    self.json = JsonState::default();
                    *input = &bytes[at..];
                    return None;
                }
                _ => {
                    self.start_line = self.line;
                    self.phase = Phase::Discard;
                    *input = &bytes[at..];
                    let again = self.straying;
                    self.straying = true;
                    return if again { None } else { self.skip(Reason::Stray) };
                }
            }
            at += 1;
        }
        *input = &[];
        None
    }

    /// Finds where the record ends.
    fn find_end(&mut self, bytes: &[u8]) -> FoundEnd {
        match self.framing {
            Framing::Lines => match memchr::memchr(b'\n', bytes) {
                Some(end) => FoundEnd::End(end, 1),
                None => FoundEnd::More,
            },
            Framing::Json => {
                let mut at = 0;
                loop {
                    match self.json.follow(&bytes[at..]) {
                        JsonFound::End(end) => return FoundEnd::End(at + end, 0),
                        JsonFound::More => return FoundEnd::More,
                        JsonFound::OpenString(end) => return FoundEnd::Broken(at + end, Reason::OpenString),
                        JsonFound::FirstArray(end) => {
                            at += end;
                            if !self.wrapped && is_wrapper(&self.carry, &bytes[..at]) {
                                return FoundEnd::Wrapper(at);
                            }
                        }
                    }
                }
            }
            Framing::Xml => {
                let mut at = 0;
                loop {
                    if self.xml == 0 {
                        match memchr::memchr(b'<', &bytes[at..]) {
                            Some(found) => at += found,
                            None => return FoundEnd::More,
                        }
                    }
                    let Some(byte) = bytes.get(at) else { return FoundEnd::More };
                    let (state, seen) = xml_step(self.xml, *byte);
                    self.xml = state;
                    match seen {
                        XmlSeen::Open => return FoundEnd::Restart(at),
                        XmlSeen::Close => return FoundEnd::End(at + 1, 0),
                        XmlSeen::Nothing => at += 1,
                    }
                }
            }
        }
    }

    /// Processes the last bytes of the input, which do not end a record.
    fn absorb(&mut self, bytes: &[u8]) {
        if self.spent {
            self.carry.clear();
            self.spent = false;
        }
        if !matches!(self.phase, Phase::Discard | Phase::WrapperTail) {
            if self.phase == Phase::Between {
                self.start_line = self.line;
                self.phase = Phase::Inside;
            }
            self.carry.extend_from_slice(bytes);
        }
    }

    fn finish(&mut self) -> Option<Framed<'_>> {
        if self.spent {
            self.carry.clear();
            self.spent = false;
        }
        let phase = core::mem::replace(&mut self.phase, Phase::Between);
        if phase != Phase::Inside || self.carry.is_empty() {
            return None;
        }
        self.spent = true;
        if self.framing == Framing::Lines {
            let bytes = self.record(&self.carry, self.start_line == 1)?;
            return Some(Framed::Frame(Frame { line: self.start_line, bytes }));
        }
        self.skip(Reason::Truncated)
    }
}

#[cfg(test)]
mod tests;
