//! Writing a packed batch.

use core::fmt;

use crate::ProcessEvent;

use super::fields::{self, Codec, Word};
use super::{HEADER, MAGIC, ROW_HEADER, VERSION};

/// Default size in bytes at which a batch is full: large enough to amortise a call into the sandbox, small enough to
/// stay in a cache.
const DEFAULT_LIMIT: usize = 512 * 1024;
/// Maximum size of a batch in bytes, so that every offset fits a word on both sides.
const MAX_SIZE: usize = 1 << 30;
/// Number of recent origins that are compared before a new one is written.
const RECENT_ORIGINS: usize = 8;

/// Writes packed batches one after another, reusing its buffers.
#[derive(Debug)]
pub struct Builder {
    limit: usize,
    events: u32,
    origins: Vec<Origin>,
    origin_text: String,
    rows: Vec<u8>,
    text: String,
}

/// The event does not fit: the batch is full, or the event alone exceeds the maximum size of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit;

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event does not fit: a packed batch has at most 1 GiB")
    }
}

impl std::error::Error for DoesNotFit {}

/// Fields shared by many events of a batch.
#[derive(Clone, Copy, Debug)]
struct Origin {
    source: u32,
    /// Offset and length of input, provider and host.
    texts: [(usize, usize); 3],
}

impl Default for Builder {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

impl Builder {
    /// An empty batch that counts as full from `limit` bytes on.
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.min(MAX_SIZE),
            events: 0,
            origins: Vec::new(),
            origin_text: String::new(),
            rows: Vec::new(),
            text: String::new(),
        }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// The batch would become larger than 1 GiB. It is left unchanged.
    pub fn push(&mut self, event: &ProcessEvent<'_>) -> Result<(), DoesNotFit> {
        let before = (self.origins.len(), self.origin_text.len(), self.rows.len(), self.text.len());
        let origin = self.origin(event);
        self.rows.resize(before.2 + ROW_HEADER, 0);
        let mut writer = Writer { rows: &mut self.rows, text: &mut self.text, bits: 0, bit: 0, subject: 0 };
        let mut copy = *event;
        fields::event(&mut writer, &mut copy);
        let (subject, activity) = (writer.subject, writer.bits);
        if self.size() > MAX_SIZE {
            self.origins.truncate(before.0);
            self.origin_text.truncate(before.1);
            self.rows.truncate(before.2);
            self.text.truncate(before.3);
            return Err(DoesNotFit);
        }
        let words = word((self.rows.len() - before.2) / 4);
        let kind = event.activity.kind() as u32;
        if let Some(header) = self.rows.get_mut(before.2..before.2 + ROW_HEADER) {
            header[0..4].copy_from_slice(&words.to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[8..12].copy_from_slice(&origin.to_le_bytes());
            header[12..20].copy_from_slice(&event.time.0.to_le_bytes());
            header[20..28].copy_from_slice(&subject.to_le_bytes());
            header[28..36].copy_from_slice(&activity.to_le_bytes());
        }
        self.events += 1;
        Ok(())
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events as usize
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Size of the batch in bytes.
    pub fn size(&self) -> usize {
        HEADER * (1 + self.origins.len()) + self.rows.len() + self.origin_text.len() + self.text.len()
    }

    /// Whether the batch has reached its limit and should be sent.
    pub fn is_full(&self) -> bool {
        self.size() >= self.limit
    }

    /// Writes the batch to `out`, replacing its contents, and starts an empty one.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.clear();
        // Allocated anew if too small: growing would copy contents that are replaced anyway.
        if out.capacity() < self.size() {
            *out = Vec::with_capacity(self.size());
        }
        out.extend_from_slice(&MAGIC);
        let origins = self.origins.len();
        for value in [
            VERSION,
            self.events,
            word(origins),
            word(self.rows.len()),
            word(self.origin_text.len()),
            word(self.text.len()),
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        for origin in &self.origins {
            out.extend_from_slice(&origin.source.to_le_bytes());
            for (at, length) in origin.texts {
                out.extend_from_slice(&word(at).to_le_bytes());
                out.extend_from_slice(&word(length).to_le_bytes());
            }
        }
        out.extend_from_slice(&self.rows);
        out.extend_from_slice(self.origin_text.as_bytes());
        out.extend_from_slice(self.text.as_bytes());
        self.clear();
    }

    /// Removes all events; the buffers are kept.
    pub fn clear(&mut self) {
        self.events = 0;
        self.origins.clear();
        self.origin_text.clear();
        self.rows.clear();
        self.text.clear();
    }

    /// The number of the event's origin, which is written if it is not one of the last few.
    fn origin(&mut self, event: &ProcessEvent<'_>) -> u32 {
        let source = event.provenance.source.code();
        let texts = [event.provenance.input, event.provenance.provider, event.host];
        let recent = self.origins.iter().enumerate().rev().take(RECENT_ORIGINS);
        for (index, origin) in recent {
            let same = origin.source == source
                && origin.texts.iter().zip(texts).all(|(&(at, length), text)| {
                    length == text.len() && self.origin_text.as_bytes().get(at..at + length) == Some(text.as_bytes())
                });
            if same {
                return word(index);
            }
        }
        let texts = texts.map(|text| {
            let at = self.origin_text.len();
            self.origin_text.push_str(text);
            (at, text.len())
        });
        self.origins.push(Origin { source, texts });
        word(self.origins.len() - 1)
    }
}

/// Converts to a word. No value exceeds [`MAX_SIZE`].
fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Writes the fields of one event.
struct Writer<'b> {
    rows: &'b mut Vec<u8>,
    text: &'b mut String,
    bits: u64,
    bit: u32,
    subject: u64,
}

impl Writer<'_> {
    /// Advances to the next field and records whether it has a value.
    #[inline(always)]
    fn field(&mut self, present: bool) -> bool {
        self.bits |= u64::from(present) << self.bit;
        self.bit += 1;
        present
    }
}

impl<'a> Codec<'a> for Writer<'_> {
    #[inline(always)]
    fn activity(&mut self) {
        self.subject = self.bits;
        self.bits = 0;
        self.bit = 0;
    }

    #[inline(always)]
    fn text(&mut self, value: &mut &'a str) {
        if self.field(!value.is_empty()) {
            self.rows.extend_from_slice(&word(value.len()).to_le_bytes());
            self.text.push_str(value);
        }
    }

    #[inline(always)]
    fn number(&mut self, value: &mut u32) {
        if self.field(*value != 0) {
            self.rows.extend_from_slice(&value.to_le_bytes());
        }
    }

    #[inline(always)]
    fn long(&mut self, value: &mut u64) {
        if self.field(*value != 0) {
            self.rows.extend_from_slice(&value.to_le_bytes());
        }
    }

    #[inline(always)]
    fn number_if(&mut self, value: &mut Option<u32>) {
        self.field(value.is_some());
        if let Some(value) = value {
            self.rows.extend_from_slice(&value.to_le_bytes());
        }
    }

    #[inline(always)]
    fn long_if(&mut self, value: &mut Option<u64>) {
        self.field(value.is_some());
        if let Some(value) = value {
            self.rows.extend_from_slice(&value.to_le_bytes());
        }
    }

    #[inline(always)]
    fn flag(&mut self, value: &mut bool) {
        self.field(*value);
    }

    #[inline(always)]
    fn flag_if(&mut self, value: &mut Option<bool>) {
        self.field(value.is_some());
        self.field(*value == Some(true));
    }

    #[inline(always)]
    fn word<W: Word>(&mut self, value: &mut W) {
        if self.field(*value != W::default()) {
            self.rows.extend_from_slice(&value.code().to_le_bytes());
        }
    }
}
