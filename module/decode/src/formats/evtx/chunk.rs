//! [`ChunkReader`]: the records of a chunk.

use std::collections::BTreeMap;

use backchannel_events::Timestamp;
use backchannel_normalize::{Fields, WindowsRecord};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use memchr::memmem;

use super::bytes::{Bytes, array, u32_at, u64_at};
use super::template::{Part, Place, Template, Value, compile};
use super::value::{self, Slot, is_known, kind};
use super::{CHUNK_SIZE, Item, Reason, Skip};

const RECORD_MAGIC: &[u8; 4] = b"\x2A\x2A\0\0";
const FIRST_RECORD: usize = 512;
/// Size of a record's header, and of the copy of its size at its end.
const RECORD_FRAME: usize = 24 + 4;
/// Maximum number of templates that are kept between chunks; a site's logs have some hundreds.
const MAX_TEMPLATES: usize = 4_096;
/// Maximum number of templates in one record; real ones have three.
const MAX_INSTANCES: usize = 64;
const MAX_NESTING: u8 = 6;
/// Maximum text that the records of one chunk may expand to; real ones expand to a fraction of a megabyte.
const MAX_TEXT: usize = 8 * 1024 * 1024;

/// Whether records of this provider and event id are wanted.
type Wants<'w> = dyn Fn(&str, u32) -> bool + 'w;

/// Key of a template across chunks: its id, the size of its definition, and where it is used.
type Key = ([u8; 16], u32, Place);

/// Reads the records of chunks, and caches their templates.
#[derive(Debug, Default)]
pub struct ChunkReader {
    templates: Vec<Template>,
    known: BTreeMap<Key, usize>,
    scratch: Scratch,
}

/// State of reading one chunk and one record.
#[derive(Debug, Default)]
struct Scratch {
    /// Templates of this chunk by the offset of their definition.
    here: Vec<(u32, Place, Result<usize, Reason>)>,
    /// Elements of a record that are not in a template.
    own: Vec<Template>,
    slots: Vec<Slot>,
    /// The record's templates, each before those nested in it.
    instances: Vec<Instance>,
}

#[derive(Clone, Copy, Debug)]
struct Instance {
    source: Source,
    /// Start of its slots; they end at the start of those of the next one.
    first_slot: usize,
    end_slot: usize,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Shared(usize),
    Own(usize),
}

/// Time at which the first record of a chunk was written, according to the record. The beginning of the chunk with that
/// whole record is sufficient. For a record that cannot be read: the time in its header.
pub fn first_time(chunk: &[u8]) -> Option<Timestamp> {
    let record = chunk.get(FIRST_RECORD..).filter(|record| record.starts_with(RECORD_MAGIC))?;
    let end = FIRST_RECORD.saturating_add(u32_at(record, 4) as usize).min(chunk.len());
    let mut time = None;
    let mut sink = |item: Item<'_>| {
        if let Item::Record(record) = item {
            time = time.or(record.time);
        }
    };
    ChunkReader::new().read(0, chunk.get(..end)?, &Bump::new(), &|_, _| true, &mut sink);
    time.or_else(|| value::moment(u64_at(record, 16)))
}

impl ChunkReader {
    /// A reader with an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the records of a chunk to `sink`, in order. `number` is the position of the chunk in its file. If `chunk`
    /// has fewer than [`CHUNK_SIZE`] bytes, the complete records are read. Text is allocated in `arena`, which the
    /// caller may reset between chunks; an item is valid during the call of `sink` only. A chunk of zeros was never
    /// used and gives nothing.
    pub fn read(
        &mut self,
        number: u64,
        chunk: &[u8],
        arena: &Bump,
        wants: &dyn Fn(&str, u32) -> bool,
        sink: &mut dyn FnMut(Item<'_>),
    ) {
        let skip = |offset: usize, record_id, reason| Skip { chunk: number, offset: offset as u32, record_id, reason };
        if !chunk.starts_with(b"ElfChnk\0") {
            if chunk.iter().any(|byte| *byte != 0) {
                sink(Item::Skip(skip(0, None, Reason::NotAChunk)));
            }
            return;
        }
        let chunk = &chunk[..chunk.len().min(CHUNK_SIZE)];
        if chunk.len() < CHUNK_SIZE {
            sink(Item::Note(skip(chunk.len(), None, Reason::Truncated)));
        } else if let Some(reason) = checksums(chunk) {
            sink(Item::Note(skip(0, None, reason)));
        }
        self.scratch.here.clear();
        if self.templates.len() > MAX_TEMPLATES {
            self.templates.clear();
            self.known.clear();
        }
        // After the records that the header counts there may be newer ones, if the log was in use, or old ones from an
        // earlier use of the chunk. Record ids continue only in newer ones.
        let known_end = match u32_at(chunk, 48) as usize {
            end @ FIRST_RECORD..=CHUNK_SIZE => end.min(chunk.len()),
            _ => chunk.len(),
        };
        let allowed = arena.allocated_bytes().saturating_add(MAX_TEXT);
        let mut at = FIRST_RECORD;
        let mut last_id = None;
        while at + RECORD_FRAME <= chunk.len() {
            let is_record = chunk[at..].starts_with(RECORD_MAGIC);
            let id = u64_at(chunk, at + 8);
            if at >= known_end && !(is_record && last_id.is_some_and(|last: u64| last.checked_add(1) == Some(id))) {
                break;
            }
            let size = u32_at(chunk, at + 4) as usize;
            let fits = size >= RECORD_FRAME && at + size <= chunk.len();
            if !is_record || !fits {
                let reason = if !is_record {
                    Reason::NotARecord
                } else if chunk.len() < CHUNK_SIZE {
                    Reason::Truncated
                } else {
                    Reason::RecordSize
                };
                sink(Item::Skip(skip(at, is_record.then_some(id), reason)));
                match next_record(chunk, at + 4, known_end) {
                    Some(next) => at = next,
                    None => break,
                }
                continue;
            }
            last_id = Some(id);
            if arena.allocated_bytes() > allowed {
                sink(Item::Skip(skip(at, Some(id), Reason::TooMuch)));
            } else if let Err(reason) = self.record(chunk, at, size, arena, wants, sink) {
                sink(Item::Skip(skip(at, Some(id), reason)));
            }
            at += size;
        }
    }

    fn record(
        &mut self,
        chunk: &[u8],
        at: usize,
        size: usize,
        arena: &Bump,
        wants: &Wants<'_>,
        sink: &mut dyn FnMut(Item<'_>),
    ) -> Result<(), Reason> {
        self.scratch.slots.clear();
        self.scratch.own.clear();
        self.scratch.instances.clear();
        self.instance(chunk, at + 24, at + size - 4, Place::Outside)?;
        let root = self.scratch.instances[0];
        let record_id = u64_at(chunk, at + 8);
        {
            let (template, slots) = self.parts(root);
            let head = &template.head;
            let event_id = head.event_id.number(slots, chunk).and_then(|id| u32::try_from(id).ok());
            let event_id = event_id.ok_or(Reason::NoEventId)?;
            let provider = head.provider.text(slots, chunk, arena);
            if provider.is_empty() {
                if head.channel.text(slots, chunk, arena).is_empty() {
                    return Err(Reason::NoProvider);
                }
            } else if !wants(provider, event_id) {
                sink(Item::NotWanted { provider, event_id, record_id });
                return Ok(());
            }
        }
        self.nested(chunk, 0, 0)?;
        let record = self.build(chunk, at, record_id, arena)?;
        sink(Item::Record(record));
        Ok(())
    }

    fn parts(&self, instance: Instance) -> (&Template, &[Slot]) {
        let template = match instance.source {
            Source::Shared(index) => &self.templates[index],
            Source::Own(index) => &self.scratch.own[index],
        };
        (template, &self.scratch.slots[instance.first_slot..instance.end_slot])
    }

    /// Reads a fragment of binary XML: usually a template and its values, else plain elements.
    fn instance(&mut self, chunk: &[u8], start: usize, end: usize, place: Place) -> Result<(), Reason> {
        if self.scratch.instances.len() >= MAX_INSTANCES {
            return Err(Reason::TooMuch);
        }
        let mut bytes = Bytes::new(chunk, start, end);
        if chunk.get(start) == Some(&0x0F) {
            bytes.take(4, "a fragment's header")?;
        }
        let first_slot = self.scratch.slots.len();
        let source = if chunk.get(bytes.at) == Some(&0x0C) {
            bytes.take(2, "a template")?;
            bytes.u32("a template's id")?;
            let definition = bytes.u32("a template's place")?;
            if definition as usize == bytes.at {
                bytes.take(20, "a template's definition")?;
                let size = bytes.u32("a template's size")?;
                bytes.take(size as usize, "a template's definition")?;
            }
            let source = Source::Shared(self.template(chunk, definition, place)?);
            slots(&mut bytes, &mut self.scratch.slots)?;
            source
        } else {
            let template = compile(bytes, false, place)?;
            self.scratch.own.push(template);
            Source::Own(self.scratch.own.len() - 1)
        };
        let end_slot = self.scratch.slots.len();
        self.scratch.instances.push(Instance { source, first_slot, end_slot });
        Ok(())
    }

    /// The template whose definition is at `offset`.
    fn template(&mut self, chunk: &[u8], offset: u32, place: Place) -> Result<usize, Reason> {
        if let Some((_, _, found)) =
            self.scratch.here.iter().find(|(known, used, _)| *known == offset && *used == place)
        {
            return *found;
        }
        let found = self.work_out(chunk, offset as usize, place);
        self.scratch.here.push((offset, place, found));
        found
    }

    fn work_out(&mut self, chunk: &[u8], offset: usize, place: Place) -> Result<usize, Reason> {
        let guid = array::<16>(chunk, offset.saturating_add(4)).ok_or(Reason::Short("a template's id"))?;
        let size = u32_at(chunk, offset + 20);
        let start = offset + 24;
        let key = (guid, size, place);
        if let Some(index) = self.known.get(&key) {
            return Ok(*index);
        }
        let template = compile(Bytes::new(chunk, start, start.saturating_add(size as usize)), true, place)?;
        self.templates.push(template);
        let index = self.templates.len() - 1;
        self.known.insert(key, index);
        Ok(index)
    }

    /// Reads the XML nested in the slots of an instance, depth first, which is document order.
    fn nested(&mut self, chunk: &[u8], instance: usize, depth: u8) -> Result<(), Reason> {
        let instance = self.scratch.instances[instance];
        let mut part = 0;
        loop {
            let (template, slots) = self.parts(instance);
            let Some(found) = template.parts.get(part) else { return Ok(()) };
            part += 1;
            let Some((slot, place)) = nested_in(found, slots) else { continue };
            if depth >= MAX_NESTING {
                return Err(Reason::TooMuch);
            }
            let start = slot.start as usize;
            self.instance(chunk, start, start + usize::from(slot.length), place)?;
            self.nested(chunk, self.scratch.instances.len() - 1, depth + 1)?;
        }
    }

    fn build<'a>(
        &'a self,
        chunk: &[u8],
        at: usize,
        record_id: u64,
        arena: &'a Bump,
    ) -> Result<WindowsRecord<'a>, Reason> {
        let (template, slots) = self.parts(self.scratch.instances[0]);
        let head = &template.head;
        let record_text = match head.record_id.text(slots, chunk, arena) {
            "" => {
                let mut digits = BumpVec::with_capacity_in(20, arena);
                value::decimal(i128::from(record_id), &mut digits);
                core::str::from_utf8(digits.into_bump_slice()).unwrap_or_default()
            }
            text => text,
        };
        let time = match head.time.slot(slots) {
            Some(slot) if slot.kind == kind::FILETIME => u64_at(chunk, slot.start as usize),
            _ => u64_at(chunk, at + 16),
        };
        let event_id = head.event_id.number(slots, chunk).and_then(|id| u32::try_from(id).ok());
        let mut output = Output {
            named: BumpVec::with_capacity_in(template.parts.len() + self.scratch.slots.len() - slots.len(), arena),
            unnamed: BumpVec::new_in(arena),
            next: 1,
            left: MAX_TEXT,
        };
        self.fields(chunk, 0, arena, &mut output)?;
        let fields = if output.named.is_empty() && !output.unnamed.is_empty() {
            Fields::Positional(output.unnamed.into_bump_slice())
        } else {
            Fields::Named(output.named.into_bump_slice())
        };
        Ok(WindowsRecord {
            provider: head.provider.text(slots, chunk, arena),
            event_id: event_id.ok_or(Reason::NoEventId)?,
            version: head.version.number(slots, chunk).and_then(|version| u8::try_from(version).ok()),
            channel: head.channel.text(slots, chunk, arena),
            computer: head.computer.text(slots, chunk, arena),
            record_id: record_text,
            time: value::moment(time),
            user_sid: head.user_sid.text(slots, chunk, arena),
            fields,
        })
    }

    /// The fields of an instance and of those nested in it.
    fn fields<'a>(
        &'a self,
        chunk: &[u8],
        instance: usize,
        arena: &'a Bump,
        output: &mut Output<'a>,
    ) -> Result<(), Reason> {
        let (template, slots) = self.parts(self.scratch.instances[instance]);
        for part in &template.parts {
            if nested_in(part, slots).is_some() {
                let next = output.next;
                output.next += 1;
                if next >= self.scratch.instances.len() {
                    return Err(Reason::TooMuch);
                }
                self.fields(chunk, next, arena, output)?;
                continue;
            }
            let Part::Field { name, value, .. } = part else { continue };
            let unnamed = *name == Value::None;
            // An array gives one element per item. Unnamed items are values of their own.
            if let Some(slot) = value.slot(slots).filter(|slot| unnamed && slot.is_array()) {
                value::elements(slot, chunk, |element| {
                    let text = value::text(element, chunk, arena);
                    output.left = output.left.saturating_sub(text.len() + 16);
                    output.unnamed.push(text);
                });
            } else {
                let text = value.text(slots, chunk, arena);
                output.left = output.left.saturating_sub(text.len() + 16);
                if unnamed {
                    output.unnamed.push(text);
                } else {
                    output.named.push((name.text(slots, chunk, arena), text));
                }
            }
            if output.left == 0 {
                return Err(Reason::TooMuch);
            }
        }
        Ok(())
    }
}

struct Output<'a> {
    named: BumpVec<'a, (&'a str, &'a str)>,
    unnamed: BumpVec<'a, &'a str>,
    /// The next nested instance, in the order of reading.
    next: usize,
    /// Remaining number of bytes of text.
    left: usize,
}

/// The slot of a part that holds nested XML, and its place.
fn nested_in(part: &Part, slots: &[Slot]) -> Option<(Slot, Place)> {
    let (slot, place) = match part {
        Part::Nested { slot, place } => (*slots.get(usize::from(*slot))?, *place),
        Part::Field { value, place, .. } => (value.slot(slots)?, *place),
    };
    slot.is_xml().then_some((slot, place))
}

/// Reads the table of a template's values.
fn slots(bytes: &mut Bytes<'_>, slots: &mut Vec<Slot>) -> Result<(), Reason> {
    let count = bytes.u32("the number of values")? as usize;
    let table = bytes.take(count.saturating_mul(4), "the table of values")?;
    let mut start = bytes.at;
    slots.reserve(count);
    for entry in table.as_chunks::<4>().0 {
        let length = u16::from_le_bytes([entry[0], entry[1]]);
        let kind = entry[2];
        if !is_known(kind) {
            return Err(Reason::ValueType(kind));
        }
        let end = start + usize::from(length);
        if end > bytes.end {
            return Err(Reason::Short("its values"));
        }
        slots.push(Slot { start: start as u32, length, kind });
        start = end;
    }
    bytes.at = start;
    Ok(())
}

/// Finds the next record at or after `from`: a header whose size is repeated at its end.
fn next_record(chunk: &[u8], from: usize, end: usize) -> Option<usize> {
    memmem::find_iter(chunk.get(from..end)?, RECORD_MAGIC).map(|found| from + found).find(|at| {
        let size = u32_at(chunk, at + 4) as usize;
        size >= RECORD_FRAME && at + size <= chunk.len() && u32_at(chunk, at + size - 4) as usize == size
    })
}

/// Verifies a chunk's checksums.
fn checksums(chunk: &[u8]) -> Option<Reason> {
    const NO_CRC: u32 = 4;
    if u32_at(chunk, 120) & NO_CRC != 0 {
        return None;
    }
    let mut header = crc32fast::Hasher::new();
    header.update(&chunk[..120]);
    header.update(&chunk[128..512]);
    if header.finalize() != u32_at(chunk, 124) {
        return Some(Reason::HeaderChecksum);
    }
    let records = chunk.get(FIRST_RECORD..u32_at(chunk, 48) as usize);
    (records.map(crc32fast::hash) != Some(u32_at(chunk, 52))).then_some(Reason::RecordsChecksum)
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
