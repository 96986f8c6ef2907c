//! [`Decoder`]: one frame of an input to a record.

use backchannel_events::Timestamp;
use backchannel_normalize::{AuditLine, Record, SyslogLine};
use bumpalo::Bump;

use crate::json::{self, Outcome, Peek, Wrapped};
use crate::text::{audit, syslog, zeek};
use crate::{Format, Frame, Reason, Skip, xml};

/// How often something may be wrapped: a search result around a shipper's object around a syslog line around JSON.
const MAX_WRAPPING: u8 = 4;

/// Which year belongs to a date that has none (RFC 3164).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Year {
    /// The input begins in this year; it goes up when December turns to January.
    Of(i32),
    /// The latest year that makes no line later than this (a file's modification time), give or take a day.
    NotAfter(Timestamp),
}

/// What a decoder must be told because no log says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Year of dates without one. By default 1970: order and distances are right, and the date says that nobody
    /// knew the year.
    pub year: Year,
    /// Seconds that syslog's local time is ahead of UTC.
    pub utc_offset: i32,
    /// Time of records that say none, as who carried them knows it.
    pub time: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self { year: Year::Of(1970), utc_offset: 0, time: None }
    }
}

/// What a frame held.
// Made once a record and used at once: a box would cost more than the size.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded<'a> {
    /// A record.
    Record(Record<'a>),
    /// A Windows event that `wants` refused; the rest of it was not read.
    NotWanted {
        /// Its provider.
        provider: &'a str,
        /// Its event id.
        event_id: u32,
    },
    /// No record and no error: a header, a comment.
    Nothing,
}

/// Turns the frames of one input into records.
#[derive(Clone, Debug)]
pub struct Decoder {
    format: Format,
    options: Options,
    header: zeek::Header,
    calendar: syslog::Calendar,
    peek: Peek,
    lossy: u64,
}

impl Decoder {
    /// A decoder for an input of this format.
    pub fn new(format: Format, options: Options) -> Self {
        Self {
            format,
            options,
            header: zeek::Header::default(),
            calendar: syslog::Calendar::default(),
            peek: Peek::new(),
            lossy: 0,
        }
    }

    /// The format it was made for.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What holds from the next frame on.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// How many records were no valid UTF-8: they were read, with U+FFFD where bytes made no sense.
    pub fn lossy(&self) -> u64 {
        self.lossy
    }

    /// Reads one frame. Text that must be built lives in `arena`. `wants` is asked with provider and event id of a
    /// Windows event, as early as possible: what comes behind is then not looked at, nor checked.
    ///
    /// # Errors
    /// A [`Skip`] says why the frame gave no record, and where in it reading had to stop.
    pub fn decode<'a>(
        &mut self,
        frame: &Frame<'a>,
        arena: &'a Bump,
        wants: &dyn Fn(&str, u32) -> bool,
    ) -> Result<Decoded<'a>, Skip> {
        let mut asked = false;
        if self.format == Format::WindowsJson
            && let Some((provider, event_id)) = self.peek.look(frame.bytes)
        {
            if !wants(provider, event_id) {
                return Ok(Decoded::NotWanted { provider, event_id });
            }
            asked = true;
        }
        let text = match simdutf8::basic::from_utf8(frame.bytes) {
            Ok(text) => text,
            Err(_) => {
                self.lossy += 1;
                arena.alloc_str(&String::from_utf8_lossy(frame.bytes))
            }
        };
        let mut decoded = self.text(text, arena, asked, wants).map_err(|(at, reason)| Skip {
            line: frame.line,
            column: at.and_then(|at| u32::try_from(at + 1).ok()),
            reason,
        })?;
        if self.options.time.is_some() {
            match &mut decoded {
                Decoded::Record(Record::Windows(record)) => record.time = record.time.or(self.options.time),
                Decoded::Record(Record::Syslog(line)) => line.time = line.time.or(self.options.time),
                // The others carry their time in what makes them records.
                _ => {}
            }
        }
        Ok(decoded)
    }

    fn text<'a>(
        &mut self,
        text: &'a str,
        arena: &'a Bump,
        asked: bool,
        wants: &dyn Fn(&str, u32) -> bool,
    ) -> Result<Decoded<'a>, (Option<usize>, Reason)> {
        let start = text.trim_ascii_start();
        let indent = text.len() - start.len();
        match start.as_bytes().first() {
            None => Ok(Decoded::Nothing),
            Some(b'{') => {
                self.json(start, arena, asked, wants, 0).map_err(|(at, reason)| (at.map(|at| at + indent), reason))
            }
            // A line of a JSON array that was cut by lines.
            Some(b'[' | b']' | b',') if self.format.is_json() => match start.trim_start_matches(['[', ',', ' ']) {
                rest if rest.starts_with('{') => {
                    let indent = text.len() - rest.len();
                    self.json(rest, arena, asked, wants, 0).map_err(|(at, reason)| (at.map(|at| at + indent), reason))
                }
                rest if rest.trim_matches([']', ',', ' ', '\t']).is_empty() => Ok(Decoded::Nothing),
                _ => Err((Some(indent), Reason::NotJson("an object"))),
            },
            Some(b'<') if start.starts_with("<Event") => {
                xml::decode(start, arena, wants).map_err(|(at, reason)| (at.map(|at| at + indent), reason))
            }
            Some(b'#') if self.format == Format::ZeekTsv => {
                self.header.directive(start.trim_ascii_end());
                Ok(Decoded::Nothing)
            }
            _ if self.format == Format::ZeekTsv => {
                self.header.record(text, arena).map(Decoded::Record).map_err(|reason| (None, reason))
            }
            _ if audit::is_line(start) => Ok(Decoded::Record(Record::Audit(AuditLine { text: start }))),
            // What `ausearch` puts between events.
            _ if self.format == Format::Auditd && (start.starts_with("----") || start.starts_with("time->")) => {
                Ok(Decoded::Nothing)
            }
            _ if self.format.is_json() => Err((Some(indent), Reason::NotJson("an object"))),
            _ if self.format == Format::WindowsXml => Err((Some(indent), Reason::NotXml("an Event element"))),
            _ => match syslog::parse(start, &self.options, &mut self.calendar) {
                Ok(line) => self.syslog(line, arena, wants, 0),
                Err(_) if self.format == Format::Auditd => Err((Some(indent), Reason::NotAudit)),
                Err(reason) => Err((Some(indent), reason)),
            },
        }
    }

    fn json<'a>(
        &mut self,
        text: &'a str,
        arena: &'a Bump,
        asked: bool,
        wants: &dyn Fn(&str, u32) -> bool,
        wrapping: u8,
    ) -> Result<Decoded<'a>, (Option<usize>, Reason)> {
        match json::decode(text, arena, asked, wants)? {
            Outcome::Record(record) => Ok(Decoded::Record(record)),
            Outcome::NotWanted { provider, event_id } => Ok(Decoded::NotWanted { provider, event_id }),
            Outcome::Syslog(line) => self.syslog(line, arena, wants, wrapping + 1),
            Outcome::Wrapped(wrapped) if wrapping < MAX_WRAPPING => {
                // Positions in what was wrapped mean nothing in the line.
                self.wrapped(wrapped, arena, wants, wrapping + 1).map_err(|(_, reason)| (None, reason))
            }
            Outcome::Wrapped(_) => Err((None, Reason::UnknownShape)),
        }
    }

    /// What stood inside a shipper's object.
    fn wrapped<'a>(
        &mut self,
        wrapped: Wrapped<'a>,
        arena: &'a Bump,
        wants: &dyn Fn(&str, u32) -> bool,
        wrapping: u8,
    ) -> Result<Decoded<'a>, (Option<usize>, Reason)> {
        let text = wrapped.text.trim_ascii();
        if text.starts_with('{') {
            return self.json(text, arena, false, wants, wrapping);
        }
        if text.starts_with("<Event") {
            return xml::decode(text, arena, wants);
        }
        if let Some(text) = audit::in_message("", wrapped.host, text, arena) {
            return Ok(Decoded::Record(Record::Audit(AuditLine { text })));
        }
        // A shipper that tails a Zeek log without a parser wraps its header, too.
        if zeek::Header::is_directive(text) {
            self.header.directive(text);
            return Ok(Decoded::Nothing);
        }
        if self.header.covers(text) {
            return self.header.record(text, arena).map(Decoded::Record).map_err(|reason| (None, reason));
        }
        match syslog::parse(text, &self.options, &mut self.calendar) {
            Ok(mut line) => {
                if line.host.is_empty() {
                    line.host = wrapped.host;
                }
                // The shipper's time has a year and a zone, which the line's may lack.
                line.time = match (line.time, wrapped.time) {
                    (None, outer) => outer,
                    (Some(_), Some(outer)) if text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) => {
                        Some(outer)
                    }
                    (inner, _) => inner,
                };
                self.syslog(line, arena, wants, wrapping)
            }
            Err(_) => Err((None, Reason::UnknownShape)),
        }
    }

    /// A syslog line may carry another record.
    fn syslog<'a>(
        &mut self,
        line: SyslogLine<'a>,
        arena: &'a Bump,
        wants: &dyn Fn(&str, u32) -> bool,
        wrapping: u8,
    ) -> Result<Decoded<'a>, (Option<usize>, Reason)> {
        if let Some(text) = audit::in_message(line.program, line.host, line.message, arena) {
            return Ok(Decoded::Record(Record::Audit(AuditLine { text })));
        }
        let message = line.message.strip_prefix("@cee:").unwrap_or(line.message).trim_ascii();
        if wrapping < MAX_WRAPPING {
            let inner = if message.starts_with('{') {
                self.json(message, arena, false, wants, wrapping + 1).ok()
            } else if message.starts_with("<Event") {
                xml::decode(message, arena, wants).ok()
            } else {
                None
            };
            if let Some(inner) = inner {
                return Ok(inner);
            }
        }
        Ok(Decoded::Record(Record::Syslog(line)))
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
