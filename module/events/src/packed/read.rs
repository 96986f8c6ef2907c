//! Reading a packed batch in place.

use crate::{Activity, Process, ProcessEvent, Provenance, Source, Timestamp};

use super::fields::{self, Codec, Word};
use super::{HEADER, MAGIC, PackedError, ROW_HEADER, VERSION};

/// A validated packed batch.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    rows: &'a [u8],
    count: usize,
    origins: Vec<Origin<'a>>,
    /// The text of the rows.
    text: &'a str,
}

#[derive(Clone, Copy, Debug)]
struct Origin<'a> {
    source: Source,
    input: &'a str,
    provider: &'a str,
    host: &'a str,
}

impl<'a> Batch<'a> {
    /// Validates the whole batch.
    ///
    /// # Errors
    /// Offset of the first violation of the layout, and what was expected there.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PackedError> {
        let wrong = |offset, reason| PackedError { offset, reason };
        let header = bytes.get(..HEADER).ok_or_else(|| wrong(bytes.len(), "a header of 28 bytes"))?;
        let (words, _) = header.as_chunks::<4>();
        let &[magic, version, rows, origins, rows_size, origin_text_size, text_size] = words else {
            return Err(wrong(0, "a header of 28 bytes"));
        };
        if magic != MAGIC {
            return Err(wrong(0, "the letters BCPK"));
        }
        if u32::from_le_bytes(version) != VERSION {
            return Err(wrong(4, "version 1"));
        }
        let size = |word: [u8; 4]| usize::try_from(u32::from_le_bytes(word)).unwrap_or(usize::MAX);
        let count = size(rows);
        let origins_end = size(origins).saturating_mul(HEADER).saturating_add(HEADER);
        let rows_end = origins_end.saturating_add(size(rows_size));
        let origin_text_end = rows_end.saturating_add(size(origin_text_size));
        let end = origin_text_end.saturating_add(size(text_size));
        if end != bytes.len() {
            return Err(wrong(12, "sizes of origins, rows and texts that add up to the size of the batch"));
        }
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        let text = |from: usize, to: usize| {
            simdutf8::compat::from_utf8(part(from, to)).map_err(|error| wrong(from + error.valid_up_to(), "UTF-8"))
        };
        let origin_text = text(rows_end, origin_text_end)?;
        let row_text = text(origin_text_end, end)?;
        let origins = origins_of(part(HEADER, origins_end), origin_text)?;
        let batch = Self { rows: part(origins_end, rows_end), count, origins, text: row_text };
        batch.check(origins_end)?;
        Ok(batch)
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The events, in order.
    pub fn iter(&self) -> Events<'_, 'a> {
        Events { batch: self, rows: self.rows, text: self.text }
    }

    /// Validates every row without building events.
    fn check(&self, offset: usize) -> Result<(), PackedError> {
        let (mut rows, mut text) = (self.rows, self.text);
        for _ in 0..self.count {
            let at = offset + self.rows.len() - rows.len();
            let row = row(rows).map_err(|(byte, reason)| PackedError { offset: at + byte, reason })?;
            if row.origin >= self.origins.len() {
                return Err(PackedError { offset: at + 8, reason: "the number of an origin" });
            }
            let mut reader = Reader::<false>::new(&row, text);
            let mut event = blank(row.activity);
            fields::event(&mut reader, &mut event);
            text = reader.finish().map_err(|fault| PackedError {
                // The length of the unread rest gives the offset of the error.
                offset: at + row.size - fault.left,
                reason: fault.reason,
            })?;
            rows = row.rest;
        }
        if !rows.is_empty() {
            let at = offset + self.rows.len() - rows.len();
            return Err(PackedError { offset: at, reason: "as many rows as in the header" });
        }
        if !text.is_empty() {
            return Err(PackedError { offset: 24, reason: "as much text as in the rows" });
        }
        Ok(())
    }
}

impl<'b, 'a> IntoIterator for &'b Batch<'a> {
    type Item = ProcessEvent<'a>;
    type IntoIter = Events<'b, 'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterator over the events of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Events<'b, 'a> {
    batch: &'b Batch<'a>,
    rows: &'a [u8],
    text: &'a str,
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = ProcessEvent<'a>;

    #[inline]
    fn next(&mut self) -> Option<ProcessEvent<'a>> {
        // All rows were validated; an invalid one would end the iteration.
        let row = row(self.rows).ok()?;
        let origin = self.batch.origins.get(row.origin)?;
        let mut event = blank(row.activity);
        event.time = row.time;
        event.host = origin.host;
        event.provenance.source = origin.source;
        event.provenance.input = origin.input;
        event.provenance.provider = origin.provider;
        let mut reader = Reader::<true>::new(&row, self.text);
        fields::event(&mut reader, &mut event);
        self.text = reader.finish().ok()?;
        self.rows = row.rest;
        Some(event)
    }
}

fn blank(activity: Activity<'_>) -> ProcessEvent<'_> {
    ProcessEvent {
        time: Timestamp(0),
        host: "",
        outcome: Default::default(),
        process: Process::default(),
        activity,
        provenance: Provenance::default(),
    }
}

fn origins_of<'a>(bytes: &[u8], text: &'a str) -> Result<Vec<Origin<'a>>, PackedError> {
    let (words, _) = bytes.as_chunks::<4>();
    let mut origins = Vec::with_capacity(words.len() / 7);
    for (index, origin) in words.chunks_exact(7).enumerate() {
        let at = HEADER + index * HEADER;
        let &[source, a, b, c, d, e, f] = origin else { continue };
        let source = Source::from_code(u32::from_le_bytes(source))
            .ok_or(PackedError { offset: at, reason: "the number of a source" })?;
        let piece = |nth: usize, from: [u8; 4], length: [u8; 4]| {
            let from = usize::try_from(u32::from_le_bytes(from)).unwrap_or(usize::MAX);
            let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
            text.get(from..from.saturating_add(length)).ok_or(PackedError {
                offset: at + 4 + nth * 8,
                reason: "position and length of whole characters in the origins' text",
            })
        };
        origins.push(Origin { source, input: piece(0, a, b)?, provider: piece(1, c, d)?, host: piece(2, e, f)? });
    }
    Ok(origins)
}

/// A row's header, its values, and what follows it.
struct Row<'a> {
    activity: Activity<'a>,
    origin: usize,
    time: Timestamp,
    subject_bits: u64,
    activity_bits: u64,
    values: &'a [u8],
    size: usize,
    rest: &'a [u8],
}

/// The first of `rows`, or the offset of the invalid byte in it and what was expected there.
#[inline]
fn row<'a>(rows: &'a [u8]) -> Result<Row<'a>, (usize, &'static str)> {
    let Some((header, _)) = rows.split_first_chunk::<ROW_HEADER>() else {
        return Err((0, "a row: its header has 36 bytes"));
    };
    let (words, _) = header.as_chunks::<4>();
    let &[size, kind, origin, time_low, time_high, subject_low, subject_high, act_low, act_high] = words else {
        return Err((0, "a row: its header has 36 bytes"));
    };
    let [size, kind, origin] = [size, kind, origin].map(u32::from_le_bytes);
    let long =
        |low: [u8; 4], high: [u8; 4]| u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32;
    let size = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(4);
    let Some((this, rest)) = rows.split_at_checked(size) else {
        return Err((0, "the length of the row in words, which ends with the rows"));
    };
    let Some(values) = this.get(ROW_HEADER..) else {
        return Err((0, "the length of the row in words, its header included"));
    };
    let Some(activity) = fields::blank(kind) else {
        return Err((4, "the number of a kind of activity"));
    };
    Ok(Row {
        activity,
        origin: usize::try_from(origin).unwrap_or(usize::MAX),
        time: Timestamp(long(time_low, time_high).cast_signed()),
        subject_bits: long(subject_low, subject_high),
        activity_bits: long(act_low, act_high),
        values,
        size,
        rest,
    })
}

struct Fault {
    left: usize,
    reason: &'static str,
}

/// Reads the fields of one row; where `KEEP` is false it only checks them.
struct Reader<'a, const KEEP: bool> {
    bits: u64,
    activity_bits: u64,
    values: &'a [u8],
    text: &'a str,
    fault: Option<Fault>,
}

impl<'a, const KEEP: bool> Reader<'a, KEEP> {
    #[inline(always)]
    fn new(row: &Row<'a>, text: &'a str) -> Self {
        Self { bits: row.subject_bits, activity_bits: row.activity_bits, values: row.values, text, fault: None }
    }

    /// The rest of the text.
    #[inline(always)]
    fn finish(mut self) -> Result<&'a str, Fault> {
        if !self.values.is_empty() {
            self.wrong("the end of the row");
        }
        self.no_more_bits();
        match self.fault {
            None => Ok(self.text),
            Some(fault) => Err(fault),
        }
    }

    #[cold]
    fn wrong(&mut self, reason: &'static str) {
        let left = self.values.len();
        self.fault.get_or_insert(Fault { left, reason });
    }

    fn no_more_bits(&mut self) {
        if self.bits != 0 {
            self.wrong("no bits beyond the fields of the row");
        }
    }

    #[inline(always)]
    fn field(&mut self) -> bool {
        let present = self.bits & 1 != 0;
        self.bits >>= 1;
        present
    }

    #[inline(always)]
    fn value(&mut self) -> u32 {
        match self.values.split_first_chunk::<4>() {
            Some((word, rest)) => {
                self.values = rest;
                u32::from_le_bytes(*word)
            }
            None => {
                self.wrong("a value for each bit");
                0
            }
        }
    }

    #[inline(always)]
    fn long_value(&mut self) -> u64 {
        match self.values.split_first_chunk::<8>() {
            Some((word, rest)) => {
                self.values = rest;
                u64::from_le_bytes(*word)
            }
            None => {
                self.wrong("a value of two words");
                0
            }
        }
    }
}

impl<'a, const KEEP: bool> Codec<'a> for Reader<'a, KEEP> {
    #[inline(always)]
    fn activity(&mut self) {
        self.no_more_bits();
        self.bits = self.activity_bits;
    }

    #[inline(always)]
    fn text(&mut self, value: &mut &'a str) {
        if self.field() {
            let length = usize::try_from(self.value()).unwrap_or(usize::MAX);
            match self.text.split_at_checked(length) {
                Some((text, rest)) => {
                    self.text = rest;
                    if KEEP {
                        *value = text;
                    }
                }
                None => self.wrong("before this: the length of whole characters in the rows' text"),
            }
        }
    }

    #[inline(always)]
    fn number(&mut self, value: &mut u32) {
        if self.field() {
            let number = self.value();
            if KEEP {
                *value = number;
            }
        }
    }

    #[inline(always)]
    fn long(&mut self, value: &mut u64) {
        if self.field() {
            let number = self.long_value();
            if KEEP {
                *value = number;
            }
        }
    }

    #[inline(always)]
    fn number_if(&mut self, value: &mut Option<u32>) {
        if self.field() {
            let number = self.value();
            if KEEP {
                *value = Some(number);
            }
        }
    }

    #[inline(always)]
    fn long_if(&mut self, value: &mut Option<u64>) {
        if self.field() {
            let number = self.long_value();
            if KEEP {
                *value = Some(number);
            }
        }
    }

    #[inline(always)]
    fn flag(&mut self, value: &mut bool) {
        let flag = self.field();
        if KEEP {
            *value = flag;
        }
    }

    #[inline(always)]
    fn flag_if(&mut self, value: &mut Option<bool>) {
        let present = self.field();
        let flag = self.field();
        if flag && !present {
            self.wrong("no value for an absent boolean");
        }
        if KEEP && present {
            *value = Some(flag);
        }
    }

    #[inline(always)]
    fn word<W: Word>(&mut self, value: &mut W) {
        if self.field() {
            let code = self.value();
            match W::from_code(code) {
                Some(word) if KEEP => *value = word,
                Some(_) => {}
                None => self.wrong("before this: the number of a variant of this field"),
            }
        }
    }
}
