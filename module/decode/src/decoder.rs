//! [`Decoder`]: decodes one frame of an input to a record.

use backchannel_events::Timestamp;
use backchannel_normalize::{Record, SyslogLine};
use bumpalo::Bump;

use crate::formats::{self, Context, Failure, Outcome, Outer, Read, State, Wrapped, windows_xml};
use crate::json::{self, Peek};
use crate::{Format, Frame, Reason, Skip};

/// Maximum nesting of wrappers: a search result around a shipper's object around a syslog line around JSON.
const MAX_WRAPPING: u8 = 4;

/// How the year of dates without one (RFC 3164) is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Year {
    /// The input begins in this year; the year increases when December is followed by January.
    Of(i32),
    /// The latest year in which no line is later than this time (a file's modification time), with a tolerance of a
    /// day.
    NotAfter(Timestamp),
}

/// Settings for what the logs themselves do not contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Year of dates without one. The default is 1970: order and distances are right, and the date shows that the year
    /// is unknown.
    pub year: Year,
    /// Seconds that syslog's local time is ahead of UTC.
    pub utc_offset: i32,
    /// Time of transport, if known: the time of records without one.
    pub time: Option<Timestamp>,
}

impl Default for Options {
    fn default() -> Self {
        Self { year: Year::Of(1970), utc_offset: 0, time: None }
    }
}

/// The result of decoding a frame.
// Made once per record and used immediately: boxing would cost more than the size.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded<'a> {
    /// A record.
    Record(Record<'a>),
    /// A Windows event that `wants` rejected; the rest of it was not read.
    NotWanted {
        /// Its provider.
        provider: &'a str,
        /// Its event id.
        event_id: u32,
    },
    /// Neither a record nor an error: a header, a comment.
    Nothing,
}

/// Decodes the frames of one input to records.
#[derive(Clone, Debug)]
pub struct Decoder {
    format: Format,
    options: Options,
    /// The format's reader, for records that are not self-describing.
    read: Read,
    pub(crate) state: State,
    /// Set if the input has Windows events as JSON.
    peek: Option<Peek>,
    lossy: u64,
}

impl Decoder {
    /// Creates a decoder for an input of this format.
    pub fn new(format: Format, options: Options) -> Self {
        Self {
            format,
            options,
            read: format.reader(),
            state: State::default(),
            peek: (format == Format::WindowsJson).then(Peek::new),
            lossy: 0,
        }
    }

    /// The format of the decoder.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Replaces the options from the next frame on.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Number of records that were not valid UTF-8. They were read, with U+FFFD for invalid bytes.
    pub fn lossy(&self) -> u64 {
        self.lossy
    }

    /// Decodes one frame. Text that has to be built is allocated in `arena`. `wants` is called with provider and event
    /// id of a Windows event as soon as they are known; if it returns false, the rest of the record is neither read nor
    /// validated.
    ///
    /// # Errors
    /// A [`Skip`] with the reason why the frame gave no record, and where in it reading stopped.
    pub fn decode<'a>(
        &mut self,
        frame: &Frame<'a>,
        arena: &'a Bump,
        wants: &dyn Fn(&str, u32) -> bool,
    ) -> Result<Decoded<'a>, Skip> {
        let mut wants_called = false;
        if let Some(peek) = &mut self.peek
            && let Some((provider, event_id)) = peek.look(frame.bytes)
        {
            if !wants(provider, event_id) {
                return Ok(Decoded::NotWanted { provider, event_id });
            }
            wants_called = true;
        }
        let text = match simdutf8::basic::from_utf8(frame.bytes) {
            Ok(text) => text,
            Err(_) => {
                self.lossy += 1;
                arena.alloc_str(&String::from_utf8_lossy(frame.bytes))
            }
        };
        let context = Context { arena, wants, options: self.options };
        let mut decoded = self.text(text, wants_called, &context).map_err(|(at, reason)| Skip {
            line: frame.line,
            column: at.and_then(|at| u32::try_from(at + 1).ok()),
            reason,
        })?;
        if self.options.time.is_some() {
            match &mut decoded {
                Decoded::Record(Record::Windows(record)) => record.time = record.time.or(self.options.time),
                Decoded::Record(Record::Syslog(line)) => line.time = line.time.or(self.options.time),
                // The other formats require a time in every record.
                _ => {}
            }
        }
        Ok(decoded)
    }

    fn text<'a>(
        &mut self,
        text: &'a str,
        wants_called: bool,
        context: &Context<'a, '_>,
    ) -> Result<Decoded<'a>, Failure> {
        let start = text.trim_ascii_start();
        let indent = text.len() - start.len();
        match start.as_bytes().first() {
            None => Ok(Decoded::Nothing),
            Some(b'{') => {
                self.json(start, wants_called, context, 0).map_err(|(at, reason)| (at.map(|at| at + indent), reason))
            }
            // A line of a JSON array that was split into lines.
            Some(b'[' | b']' | b',') if self.format.is_json() => match start.trim_start_matches(['[', ',', ' ']) {
                rest if rest.starts_with('{') => {
                    let indent = text.len() - rest.len();
                    self.json(rest, wants_called, context, 0).map_err(|(at, reason)| (at.map(|at| at + indent), reason))
                }
                rest if rest.trim_matches([']', ',', ' ', '\t']).is_empty() => Ok(Decoded::Nothing),
                _ => Err((Some(indent), Reason::NotJson("an object"))),
            },
            Some(b'<') if windows_xml::is_event(start) => windows_xml::event(start, context)
                .map_err(|(at, reason)| (at.map(|at| at + indent), reason))
                .and_then(|outcome| self.settle(outcome, context, 0)),
            _ => (self.read)(self, text, context),
        }
    }

    fn json<'a>(
        &mut self,
        text: &'a str,
        wants_called: bool,
        context: &Context<'a, '_>,
        wrapping: u8,
    ) -> Result<Decoded<'a>, Failure> {
        let outcome = json::decode(text, context.arena, wants_called, context.wants)?;
        self.settle(outcome, context, wrapping + 1)
    }

    /// Unwraps a record until nothing is around it. `wrapping` is the number of wrappers removed.
    #[inline]
    fn settle<'a>(
        &mut self,
        outcome: Outcome<'a>,
        context: &Context<'a, '_>,
        wrapping: u8,
    ) -> Result<Decoded<'a>, Failure> {
        match outcome {
            Outcome::Record(record) => Ok(Decoded::Record(record)),
            Outcome::NotWanted { provider, event_id } => Ok(Decoded::NotWanted { provider, event_id }),
            Outcome::Nothing => Ok(Decoded::Nothing),
            Outcome::Syslog(line) => self.syslog(line, context, wrapping),
            Outcome::Wrapped(wrapped) if wrapping <= MAX_WRAPPING => {
                // Positions in an unwrapped record do not apply to the line.
                self.wrapped(wrapped, context, wrapping).map_err(|(_, reason)| (None, reason))
            }
            Outcome::Wrapped(_) => Err((None, Reason::UnknownShape)),
        }
    }

    /// Decodes the record inside a shipper's object.
    fn wrapped<'a>(
        &mut self,
        wrapped: Wrapped<'a>,
        context: &Context<'a, '_>,
        wrapping: u8,
    ) -> Result<Decoded<'a>, Failure> {
        let text = wrapped.text.trim_ascii();
        if text.starts_with('{') {
            return self.json(text, false, context, wrapping);
        }
        let outer = Outer { program: None, host: wrapped.host, time: wrapped.time };
        match formats::read_inside(&mut self.state, outer, text, context) {
            Some(outcome) => self.settle(outcome?, context, wrapping),
            None => Err((None, Reason::UnknownShape)),
        }
    }

    /// A syslog line may contain another record.
    pub(crate) fn syslog<'a>(
        &mut self,
        line: SyslogLine<'a>,
        context: &Context<'a, '_>,
        wrapping: u8,
    ) -> Result<Decoded<'a>, Failure> {
        let message = line.message.strip_prefix("@cee:").unwrap_or(line.message).trim_ascii();
        let inner = if message.starts_with('{') {
            if wrapping < MAX_WRAPPING { self.json(message, false, context, wrapping + 1).ok() } else { None }
        } else {
            let outer = Outer { program: Some(line.program), host: line.host, time: line.time };
            match formats::read_inside(&mut self.state, outer, line.message, context) {
                Some(Ok(outcome)) => self.settle(outcome, context, wrapping + 1).ok(),
                _ => None,
            }
        };
        Ok(inner.unwrap_or(Decoded::Record(Record::Syslog(line))))
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
