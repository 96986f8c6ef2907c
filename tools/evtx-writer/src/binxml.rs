//! BinXML in a chunk: names, elements, template definitions and instances, referenced by their offset in the chunk. The
//! content of the templates is in `template`.
//!
//! Lengths are stored in 16 and 32 bits without a check: a length that doesn't fit belongs to more bytes than a
//! chunk can hold, and the chunk then rejects the whole record.

use crate::event::{Value, kind, store_text};
use crate::identifier::Guid;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Offset of the first record in a chunk: after its header, its 64 name chains and its 32 template chains.
pub(crate) const RECORDS_AT: usize = 512;

/// Version 1.1, no flags.
const FRAGMENT_HEADER: [u8; 4] = [0x0f, 1, 1, 0];
const END_OF_STREAM: u8 = 0x00;
const CLOSE_START: u8 = 0x02;
const CLOSE_EMPTY: u8 = 0x03;
const END_ELEMENT: u8 = 0x04;

/// An element of a template.
pub(crate) struct Element<'a> {
    pub(crate) name: Cow<'a, str>,
    /// The slot that this element depends on: the element is omitted if the slot has no value.
    pub(crate) needs: Option<u16>,
    pub(crate) attributes: Vec<(&'static str, Part<'a>)>,
    pub(crate) content: Vec<Part<'a>>,
}

/// A part of an element's content, or the value of an attribute.
pub(crate) enum Part<'a> {
    Literal(Cow<'a, str>),
    /// A substitution by the instance's value with this index and type; optional.
    Slot(u16, u8),
    /// As `Slot`, but every instance has a value.
    Field(u16, u8),
    Element(Element<'a>),
}

/// A chunk's bytes, with everything that its BinXML can refer to.
pub(crate) struct BinXml {
    /// The chunk from its start; the header is blank until the chunk is sealed.
    pub(crate) bytes: Vec<u8>,
    pub(crate) heads: Heads,
    names: BTreeMap<String, u32>,
    templates: BTreeMap<Guid, u32>,
}

/// The first entry of each chain of names and templates, 0 for none. New entries are inserted at the front, so
/// restoring these numbers removes them.
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) names: [u32; 64],
    pub(crate) templates: [u32; 32],
}

/// Offset of an instance's next descriptor.
pub(crate) struct Slots(usize);

impl BinXml {
    pub(crate) fn new() -> Self {
        BinXml {
            bytes: vec![0; RECORDS_AT],
            heads: Heads { names: [0; 64], templates: [0; 32] },
            names: BTreeMap::new(),
            templates: BTreeMap::new(),
        }
    }

    /// Removes everything written from `at` on; `heads` are the chain heads of that time.
    pub(crate) fn undo(&mut self, at: usize, heads: Heads) {
        self.bytes.truncate(at);
        self.heads = heads;
        self.names.retain(|_, offset| (*offset as usize) < at);
        self.templates.retain(|_, offset| (*offset as usize) < at);
    }

    pub(crate) fn begin_stream(&mut self) {
        self.bytes.extend_from_slice(&FRAGMENT_HEADER);
    }

    pub(crate) fn end_stream(&mut self) {
        self.bytes.push(END_OF_STREAM);
    }

    /// Begins an instance of the template `guid`, which `define` describes if the chunk doesn't have it yet. Its
    /// `count` values follow, in order.
    pub(crate) fn instance<'a>(&mut self, guid: Guid, count: usize, define: impl FnOnce() -> Element<'a>) -> Slots {
        self.bytes.extend_from_slice(&[0x0c, 1]);
        self.bytes.extend_from_slice(&guid.0[..4]);
        let here = self.bytes.len() as u32 + 4;
        let known = self.templates.get(&guid).copied();
        self.u32(known.unwrap_or(here));
        if known.is_none() {
            self.templates.insert(guid, here);
            let chain = &mut self.heads.templates
                [bucket(guid.0.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])), 32)];
            let next = std::mem::replace(chain, here);
            self.u32(next);
            self.bytes.extend_from_slice(&guid.0);
            let size = self.begin_sized();
            self.begin_stream();
            self.element(&define());
            self.end_stream();
            self.end_sized(size);
        }
        self.u32(count as u32);
        let slots = Slots(self.bytes.len());
        self.bytes.resize(self.bytes.len() + count * 4, 0);
        slots
    }

    /// Writes the instance's next value.
    pub(crate) fn value(&mut self, slots: &mut Slots, value: &Value<'_>) {
        let from = self.bytes.len();
        value.store(&mut self.bytes);
        self.describe(slots, value.kind(), from);
    }

    /// Declares the bytes from `from` on as the instance's next value.
    pub(crate) fn describe(&mut self, slots: &mut Slots, kind: u8, from: usize) {
        let size = (self.bytes.len() - from) as u16;
        self.bytes[slots.0..slots.0 + 2].copy_from_slice(&size.to_le_bytes());
        self.bytes[slots.0 + 2] = kind;
        slots.0 += 4;
    }

    fn element(&mut self, element: &Element<'_>) {
        let has_attributes = !element.attributes.is_empty();
        self.bytes.push(if has_attributes { 0x41 } else { 0x01 });
        self.bytes.extend_from_slice(&element.needs.unwrap_or(u16::MAX).to_le_bytes());
        let size = self.begin_sized();
        self.name(&element.name);
        if has_attributes {
            let size = self.begin_sized();
            for (index, (name, value)) in element.attributes.iter().enumerate() {
                let is_last = index + 1 == element.attributes.len();
                self.bytes.push(if is_last { 0x06 } else { 0x46 });
                self.name(name);
                self.part(value);
            }
            self.end_sized(size);
        }
        if element.content.is_empty() {
            self.bytes.push(CLOSE_EMPTY);
        } else {
            self.bytes.push(CLOSE_START);
            element.content.iter().for_each(|part| self.part(part));
            self.bytes.push(END_ELEMENT);
        }
        self.end_sized(size);
    }

    fn part(&mut self, part: &Part<'_>) {
        match part {
            Part::Literal(text) => {
                self.bytes.extend_from_slice(&[0x05, kind::TEXT]);
                self.counted_text(text);
            }
            Part::Slot(index, kind) | Part::Field(index, kind) => {
                self.bytes.push(if matches!(part, Part::Slot(..)) { 0x0e } else { 0x0d });
                self.bytes.extend_from_slice(&index.to_le_bytes());
                self.bytes.push(*kind);
            }
            Part::Element(element) => self.element(element),
        }
    }

    /// Refers to a name, which is stored directly after its first reference.
    fn name(&mut self, name: &str) {
        if let Some(&offset) = self.names.get(name) {
            return self.u32(offset);
        }
        let here = self.bytes.len() as u32 + 4;
        self.u32(here);
        self.names.insert(name.to_owned(), here);
        let hash = hash(name.encode_utf16());
        let next = std::mem::replace(&mut self.heads.names[bucket(name.encode_utf16(), 64)], here);
        self.u32(next);
        self.bytes.extend_from_slice(&(hash as u16).to_le_bytes());
        self.counted_text(name);
        self.bytes.extend_from_slice(&[0, 0]);
    }

    fn counted_text(&mut self, text: &str) {
        let count = text.encode_utf16().count() as u16;
        self.bytes.extend_from_slice(&count.to_le_bytes());
        store_text(text, &mut self.bytes);
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Reserves space for the number of bytes that follow it up to `end_sized`.
    fn begin_sized(&mut self) -> usize {
        self.u32(0);
        self.bytes.len()
    }

    fn end_sized(&mut self, from: usize) {
        let size = (self.bytes.len() - from) as u32;
        self.bytes[from - 4..from].copy_from_slice(&size.to_le_bytes());
    }
}

/// The hash of a name. Its low half is stored with the name.
fn hash(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0, |hash: u32, unit| hash.wrapping_mul(65599).wrapping_add(u32::from(unit)))
}

/// The chain for a name's, or a template GUID's, 16-bit units.
fn bucket(units: impl Iterator<Item = u16>, chains: u32) -> usize {
    (hash(units) % chains) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hash_as_windows_hashes_them() {
        // From logs that Windows wrote.
        assert_eq!(hash("Event".encode_utf16()) as u16, 0x0cba);
        assert_eq!(hash("Provider".encode_utf16()) as u16, 0x7bf1);
        assert_eq!(bucket("Provider".encode_utf16(), 64), 49);
    }

    #[test]
    fn templates_hash_as_windows_hashes_them() {
        let mut xml = BinXml::new();
        let guid = "71332429-c5f1-c1b2-76a9-d70a327b278d".parse().unwrap();
        xml.instance(guid, 0, || Element { name: "E".into(), needs: None, attributes: vec![], content: vec![] });
        assert_eq!(xml.heads.templates[1], RECORDS_AT as u32 + 10);
    }
}
