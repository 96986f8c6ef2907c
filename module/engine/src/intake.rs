//! Decodes raw records into events, with one decoder and one normaliser per input.

use std::collections::BTreeMap;

use backchannel_decode::{
    Decoded, Decoder, Detected, Format, Found, Frame, Framed, Framer, Framing, Options, Year, detect, windows_head,
};
use backchannel_events::{ProcessEvent, Timestamp};
use backchannel_normalize::{Accepted, Normalizer, Place, wants};
use bumpalo::Bump;

use crate::Output;

/// Maximum number of inputs that are read at a time; beyond it, the least recently used one is ended.
const MAX_INPUTS: usize = 256;
/// Bytes of text built in the arena after which it is reset, even within a batch.
const ARENA_LIMIT: usize = 4 * 1024 * 1024;

/// Raw records of one input.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// Name of the input. Evidence refers to it by this name.
    pub input: &'a str,
    /// Format of its records; `None`: detected from the first batch of the input that has records.
    pub format: Option<Format>,
    /// Host of records that do not name one; empty: unknown.
    pub host: &'a str,
    /// Number of the first line of this batch within the input, counted from 1.
    pub first_line: u64,
    /// Time of transport, if known: the time of records without one, and the reference for dates without a year.
    pub time: Option<Timestamp>,
    /// The records, each ended by a line feed (optional for the last one).
    pub data: &'a [u8],
}

/// Whether the first bytes of a JSON record show that it gives no event.
pub(crate) fn is_unused(record: &[u8]) -> bool {
    windows_head(record).is_some_and(|(provider, event_id)| !wants(provider, event_id))
}

/// The inputs that are being read.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    inputs: BTreeMap<String, Input>,
    arena: Bump,
    /// Number of batches so far; orders inputs by last use.
    clock: u64,
}

#[derive(Debug)]
struct Input {
    stated: Option<Format>,
    found: Found,
    decoder: Decoder,
    normalizer: Normalizer,
    /// For formats whose records span lines: the framer with its partial record, and the number of lines before it.
    framer: Option<(Framer, u64)>,
    host: String,
    used: u64,
}

/// A consumer of events.
type Sink<'s> = &'s mut dyn FnMut(&ProcessEvent<'_>);

impl Intake {
    /// Reads a batch and passes its events to `sink`.
    pub fn records(&mut self, raw: Raw<'_>, output: &mut Output, sink: Sink<'_>) {
        self.clock += 1;
        if self.inputs.get(raw.input).is_some_and(|input| input.stated != raw.format)
            && let Some(mut ended) = self.inputs.remove(raw.input)
        {
            ended.finish(raw.input, &mut self.arena, output, sink);
        }
        if !self.inputs.contains_key(raw.input) {
            let Some(found) = found(raw, output) else { return };
            self.make_room(output, sink);
            self.inputs.insert(raw.input.to_owned(), Input::new(raw, found));
        }
        let Some(input) = self.inputs.get_mut(raw.input) else { return };
        input.used = self.clock;
        input.read(raw, &mut self.arena, output, sink);
        self.arena.reset();
    }

    /// Ends every input: passes pending events to `sink`. The inputs can be continued afterwards.
    pub fn flush(&mut self, output: &mut Output, sink: Sink<'_>) {
        for (name, input) in &mut self.inputs {
            input.finish(name, &mut self.arena, output, sink);
        }
        self.arena.reset();
    }

    fn make_room(&mut self, output: &mut Output, sink: Sink<'_>) {
        if self.inputs.len() < MAX_INPUTS {
            return;
        }
        let silent = self.inputs.iter().min_by_key(|(_, input)| input.used).map(|(name, _)| name.clone());
        if let Some(name) = silent
            && let Some(mut ended) = self.inputs.remove(&name)
        {
            ended.finish(&name, &mut self.arena, output, sink);
        }
    }
}

/// The format of an input: as stated by the host, else detected from its first bytes. `None`: not readable; its records
/// were counted as skipped.
fn found(raw: Raw<'_>, output: &mut Output) -> Option<Found> {
    if let Some(format) = raw.format {
        return Some(Found { format, framing: format.framing(), encoding: Default::default() });
    }
    let reason = match detect(raw.data) {
        Detected::Text(found) => return Some(found),
        Detected::Empty => return None,
        Detected::Evtx => "expected text: this is a binary Windows event log (EVTX), which the host must decode",
        Detected::Container(_) => "expected text: this is compressed or an archive, which the host must unpack",
        Detected::Unknown => {
            let lines = (raw.first_line..).zip(raw.data.split(|byte| *byte == b'\n'));
            for (line, _) in lines.filter(|(_, text)| !text.trim_ascii().is_empty()) {
                output.skip(raw.input, line, "expected a record of a known format");
            }
            return None;
        }
    };
    output.skip(raw.input, raw.first_line, reason);
    None
}

impl Input {
    fn new(raw: Raw<'_>, found: Found) -> Self {
        // Lines are counted per batch, so that their numbers are those of the host.
        let by_lines = found.framing == Framing::Lines && found.encoding == Default::default();
        Self {
            stated: raw.format,
            found,
            decoder: Decoder::new(found.format, Options::default()),
            normalizer: Normalizer::new(),
            framer: (!by_lines).then(|| (Framer::new(found), raw.first_line.saturating_sub(1))),
            host: String::new(),
            used: 0,
        }
    }

    fn read(&mut self, raw: Raw<'_>, arena: &mut Bump, output: &mut Output, sink: Sink<'_>) {
        if self.host != raw.host {
            raw.host.clone_into(&mut self.host);
        }
        if let Some(time) = raw.time {
            let year = Year::NotAfter(time);
            self.decoder.set_options(Options { year, time: raw.time, ..Options::default() });
        }
        let mut rest = raw.data;
        match self.framer.take() {
            Some((mut framer, before)) => {
                while let Some(item) = framer.next(&mut rest) {
                    self.take(item, raw.input, before, arena, output, sink);
                }
                self.framer = Some((framer, before));
            }
            None => {
                let mut framer = Framer::new(self.found);
                let before = raw.first_line.saturating_sub(1);
                while let Some(item) = framer.next(&mut rest) {
                    self.take(item, raw.input, before, arena, output, sink);
                }
                while let Some(item) = framer.finish() {
                    self.take(item, raw.input, before, arena, output, sink);
                }
            }
        }
    }

    fn finish(&mut self, name: &str, arena: &mut Bump, output: &mut Output, sink: Sink<'_>) {
        if let Some((mut framer, before)) = self.framer.take() {
            while let Some(item) = framer.finish() {
                self.take(item, name, before, arena, output, sink);
            }
            self.framer = Some((framer, before));
        }
        self.normalizer.flush(arena, &mut |event| {
            output.evaluated += 1;
            sink(event);
        });
    }

    fn take(
        &mut self,
        item: Framed<'_>,
        name: &str,
        lines_before: u64,
        arena: &mut Bump,
        output: &mut Output,
        sink: Sink<'_>,
    ) {
        if arena.allocated_bytes() > ARENA_LIMIT {
            arena.reset();
        }
        let arena = &*arena;
        let frame = match item {
            Framed::Frame(Frame { line, bytes }) => Frame { line: line.saturating_add(lines_before), bytes },
            Framed::Skip(skip) => {
                output.skip(name, skip.line.saturating_add(lines_before), skip.reason);
                return;
            }
        };
        match self.decoder.decode(&frame, arena, &wants) {
            Ok(Decoded::Record(record)) => {
                let place = Place { input: name, line: frame.line, default_host: &self.host };
                let accepted = self.normalizer.accept(&record, place, arena, &mut |event| {
                    output.evaluated += 1;
                    sink(event);
                });
                output.unused += u64::from(accepted == Accepted::NotUsed);
            }
            Ok(Decoded::NotWanted { .. }) => output.unused += 1,
            Ok(Decoded::Nothing) => {}
            Err(skip) => match skip.column {
                Some(column) => output.skip(name, frame.line, format_args!("column {column}: {}", skip.reason)),
                None => output.skip(name, frame.line, skip.reason),
            },
        }
    }
}
