//! Finds the raw record behind a piece of evidence.

use std::fmt::Write;
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;

use backchannel_decode::evtx::{CHUNK_SIZE, ChunkReader, HEADER_SIZE, Item, Piece, Splitter};
use backchannel_decode::{Format, Found, Framed, Framer};
use backchannel_normalize::{Fields, WindowsRecord};
use bumpalo::Bump;

use crate::input::Kind;
use crate::{Bytes, Options, Sources};

/// Maximum size of the record's text that is returned, in bytes.
const MAX_SHOWN: usize = 256 * 1024;
/// Maximum distance of the lines of one audit event, in lines.
const MAX_DISTANCE: u64 = 1_000;

/// Place of a record, as evidence states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordPlace<'p> {
    /// The input: a file, or a member of an archive.
    pub source: &'p str,
    /// Line, counted from 1; 0 in an event log file.
    pub line: u64,
    /// The record's own id.
    pub record: &'p str,
    /// Its provider.
    pub provider: &'p str,
    /// Its event id.
    pub event_id: u32,
}

/// Finds the record at `place` in the file `name`, read with `options`. Returns its original text, all lines of a Linux
/// audit event, or the fields of a binary record. `None` if it is not found.
pub fn find_record(options: Options, name: &str, bytes: Rc<dyn Bytes>, place: RecordPlace<'_>) -> Option<String> {
    let limits = options.unpack;
    let mut sources = Sources::new(options);
    sources.push(name, bytes);
    let input = sources.into_input(place.source)?;
    let reader = input.read(&limits, &Arc::default()).ok()?;
    match input.kind {
        Kind::Text(found) => text(reader, found, place),
        Kind::Evtx => evtx(reader, place),
    }
}

fn text(mut reader: Box<dyn Read>, found: Found, place: RecordPlace<'_>) -> Option<String> {
    let serial = (found.format == Format::Auditd).then(|| format!(":{})", place.record));
    let (mut framer, mut buffer, mut shown) = (Framer::new(found), vec![0; 128 * 1024], String::new());
    // Whether to continue.
    let take = |framed: Framed<'_>, shown: &mut String| {
        let Framed::Frame(frame) = framed else { return true };
        let line = String::from_utf8_lossy(&frame.bytes[..frame.bytes.len().min(MAX_SHOWN)]);
        match &serial {
            Some(serial) => {
                if line.contains(serial.as_str()) && shown.len() < MAX_SHOWN {
                    let _ = writeln!(shown, "{}", line.trim_end());
                }
                frame.line < place.line.saturating_add(MAX_DISTANCE)
            }
            None => {
                if frame.line == place.line {
                    shown.push_str(line.trim_end());
                }
                frame.line < place.line
            }
        }
    };
    'read: loop {
        let read = reader.read(&mut buffer).unwrap_or(0);
        let mut rest = &buffer[..read];
        while let Some(framed) = framer.next(&mut rest) {
            if !take(framed, &mut shown) {
                break 'read;
            }
        }
        if read == 0 {
            while let Some(framed) = framer.finish() {
                take(framed, &mut shown);
            }
            break;
        }
    }
    (!shown.is_empty()).then_some(shown)
}

fn evtx(mut reader: Box<dyn Read>, place: RecordPlace<'_>) -> Option<String> {
    let (mut splitter, mut chunks, mut arena) = (Splitter::new(), ChunkReader::new(), Bump::new());
    let (mut buffer, mut wanted, mut shown) = (vec![0; CHUNK_SIZE], HEADER_SIZE, None);
    loop {
        let mut filled = 0;
        while filled < wanted {
            match reader.read(&mut buffer[filled..wanted]) {
                Ok(0) | Err(_) => break,
                Ok(read) => filled += read,
            }
        }
        let mut rest = &buffer[..filled];
        while let Some(piece) = splitter.next(&mut rest) {
            let Piece::Chunk { number, bytes } = piece else { continue };
            let wants = |provider: &str, event_id: u32| provider == place.provider && event_id == place.event_id;
            chunks.read(number, bytes, &arena, &wants, &mut |item| {
                if let Item::Record(record) = item
                    && record.record_id == place.record
                {
                    shown = Some(fields(&record));
                }
            });
            arena.reset();
            if shown.is_some() {
                return shown;
            }
        }
        if filled == 0 {
            return None;
        }
        wanted = buffer.len();
    }
}

fn fields(record: &WindowsRecord<'_>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() && text.len() < MAX_SHOWN {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("Provider", record.provider);
    line("EventID", &record.event_id.to_string());
    line("EventRecordID", record.record_id);
    line("Channel", record.channel);
    line("Computer", record.computer);
    line("TimeCreated", &record.time.map(|time| time.to_string()).unwrap_or_default());
    line("UserID", record.user_sid);
    match record.fields {
        Fields::Named(fields) => fields.iter().for_each(|(name, value)| line(name, value)),
        Fields::Positional(values) => {
            values.iter().enumerate().for_each(|(at, value)| line(&format!("[{at}]"), value));
        }
    }
    text
}
