//! Analyses a template: which slot, or which fixed text, is which part of the event.
//!
//! A template is walked once. The result is the list of its fields in order, so that a record is read by walking that
//! list, without a tree.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::Reason;
use super::bytes::Bytes;
use super::value::{self, Slot, is_known, kind};

/// Maximum nesting of elements; real ones have five levels.
const MAX_DEPTH: usize = 64;
/// Maximum number of fields; real ones have a hundred at most.
const MAX_PARTS: usize = 4_096;

/// Place of a template in the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Outside,
    System,
    EventData,
    UserData,
}

/// Text in a template.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    None,
    Literal(String),
    Slot(u16),
    Mixed(Vec<Value>),
}

impl Value {
    fn push(&mut self, piece: Self) {
        match self {
            Self::None => *self = piece,
            Self::Mixed(pieces) => pieces.push(piece),
            _ => {
                let first = core::mem::take(self);
                *self = Self::Mixed(vec![first, piece]);
            }
        }
    }

    /// The slot, if the text consists of one slot only.
    pub fn slot(&self, slots: &[Slot]) -> Option<Slot> {
        match self {
            Self::Slot(index) => slots.get(usize::from(*index)).copied(),
            _ => None,
        }
    }

    /// The text for a record with these slots.
    #[inline]
    pub fn text<'a>(&'a self, slots: &[Slot], chunk: &[u8], arena: &'a Bump) -> &'a str {
        match self {
            Self::None => "",
            Self::Literal(text) => text,
            Self::Slot(index) => slots.get(usize::from(*index)).map_or("", |slot| value::text(*slot, chunk, arena)),
            Self::Mixed(pieces) => {
                let mut out = bumpalo::collections::String::new_in(arena);
                for piece in pieces {
                    // Pieces are never nested.
                    match piece {
                        Self::Literal(text) => out.push_str(text),
                        Self::Slot(index) => {
                            if let Some(slot) = slots.get(usize::from(*index)) {
                                out.push_str(value::text(*slot, chunk, arena));
                            }
                        }
                        Self::None | Self::Mixed(_) => {}
                    }
                }
                out.into_bump_str()
            }
        }
    }

    /// The number for a record with these slots.
    pub fn number(&self, slots: &[Slot], chunk: &[u8]) -> Option<u64> {
        match self {
            Self::Literal(text) => text.trim().parse().ok(),
            Self::Slot(index) => {
                let slot = *slots.get(usize::from(*index))?;
                value::number(slot, chunk).or_else(|| {
                    (slot.kind == kind::STRING).then(|| value::text(slot, chunk, &Bump::new()).trim().parse().ok())?
                })
            }
            _ => None,
        }
    }
}

/// Fields of the System element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub provider: Value,
    pub event_id: Value,
    pub version: Value,
    pub channel: Value,
    pub computer: Value,
    pub record_id: Value,
    pub time: Value,
    pub user_sid: Value,
}

/// A field, or a slot that holds more of the event.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// A field; without a name if the event's data has none.
    Field { name: Value, value: Value, place: Place },
    /// A slot between elements: its value is nested XML.
    Nested { slot: u16, place: Place },
}

/// An analysed template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    pub head: Head,
    pub parts: Vec<Part>,
}

/// An element whose end was not read yet.
struct Open {
    name: String,
    label: Value,
    text: Value,
    has_child: bool,
    /// Whether its end also ends the place that it began.
    begins_place: bool,
}

/// Analyses the binary XML in `bytes`. `definition`: whether it is a template's, whose elements have a dependency id.
pub(crate) fn compile(mut bytes: Bytes<'_>, definition: bool, place: Place) -> Result<Template, Reason> {
    let mut compiler = Compiler { template: Template::default(), place, open: Vec::new(), attribute: None };
    while !bytes.is_empty() {
        let token = bytes.u8("a token")?;
        match token {
            0x00 => break,
            0x01 | 0x41 => {
                if definition {
                    bytes.u16("an element's dependency")?;
                }
                bytes.u32("an element's size")?;
                let name = name(&mut bytes)?;
                if token == 0x41 {
                    bytes.u32("the size of attributes")?;
                }
                compiler.open(name)?;
            }
            0x02 => compiler.end_attribute(),
            0x03 | 0x04 => {
                compiler.end_attribute();
                compiler.close()?;
            }
            0x05 | 0x45 => match bytes.u8("a value's type")? {
                kind::STRING => {
                    let text = counted_text(&mut bytes)?;
                    compiler.piece(Value::Literal(text))?;
                }
                other => return Err(Reason::ValueType(other)),
            },
            0x06 | 0x46 => {
                compiler.end_attribute();
                compiler.attribute = Some((name(&mut bytes)?, Value::None));
            }
            0x07 | 0x47 => {
                let text = counted_text(&mut bytes)?;
                compiler.piece(Value::Literal(text))?;
            }
            0x08 | 0x48 => {
                let code = bytes.u16("a character")?;
                let character = char::from_u32(u32::from(code)).unwrap_or(char::REPLACEMENT_CHARACTER);
                compiler.piece(Value::Literal(character.into()))?;
            }
            0x09 | 0x49 => {
                let text = match name(&mut bytes)?.as_str() {
                    "lt" => "<".to_owned(),
                    "gt" => ">".to_owned(),
                    "amp" => "&".to_owned(),
                    "quot" => "\"".to_owned(),
                    "apos" => "'".to_owned(),
                    other => format!("&{other};"),
                };
                compiler.piece(Value::Literal(text))?;
            }
            0x0A => {
                name(&mut bytes)?;
            }
            0x0B => {
                counted_text(&mut bytes)?;
            }
            0x0D | 0x0E => {
                let slot = bytes.u16("a substitution")?;
                let kind = bytes.u8("a substitution's type")?;
                if !is_known(kind) {
                    return Err(Reason::ValueType(kind));
                }
                compiler.piece(Value::Slot(slot))?;
            }
            0x0F => {
                bytes.take(3, "a fragment's header")?;
            }
            other => return Err(Reason::Token(other)),
        }
        if compiler.template.parts.len() > MAX_PARTS {
            return Err(Reason::TooMuch);
        }
    }
    // Elements that are not closed are read as far as they go.
    while !compiler.open.is_empty() {
        compiler.end_attribute();
        compiler.close()?;
    }
    Ok(compiler.template)
}

struct Compiler {
    template: Template,
    place: Place,
    open: Vec<Open>,
    /// Name and value of the attribute that is being read.
    attribute: Option<(String, Value)>,
}

impl Compiler {
    fn open(&mut self, name: String) -> Result<(), Reason> {
        self.end_attribute();
        if self.open.len() >= MAX_DEPTH {
            return Err(Reason::TooMuch);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.has_child = true;
        }
        let mut begins_place = false;
        if self.place == Place::Outside {
            self.place = match name.as_str() {
                "System" => Place::System,
                "EventData" => Place::EventData,
                "UserData" => Place::UserData,
                _ => Place::Outside,
            };
            begins_place = self.place != Place::Outside;
        }
        self.open.push(Open { name, label: Value::None, text: Value::None, has_child: false, begins_place });
        Ok(())
    }

    /// A piece of an attribute's value or of an element's text.
    fn piece(&mut self, piece: Value) -> Result<(), Reason> {
        if let Some((_, value)) = &mut self.attribute {
            value.push(piece);
            return Ok(());
        }
        let place = self.place;
        match self.open.last_mut() {
            Some(element) if !element.begins_place && place != Place::Outside => element.text.push(piece),
            _ => {
                if let Value::Slot(slot) = piece {
                    self.template.parts.push(Part::Nested { slot, place });
                }
            }
        }
        Ok(())
    }

    fn end_attribute(&mut self) {
        let Some((attribute, value)) = self.attribute.take() else { return };
        let Some(element) = self.open.last_mut() else { return };
        let head = &mut self.template.head;
        match (self.place, element.name.as_str(), attribute.as_str()) {
            (Place::System, "Provider", "Name") => head.provider = value,
            (Place::System, "TimeCreated", "SystemTime") => head.time = value,
            (Place::System, "Security", "UserID") => head.user_sid = value,
            (Place::EventData, _, "Name") if !element.begins_place => element.label = value,
            _ => {}
        }
    }

    fn close(&mut self) -> Result<(), Reason> {
        let Some(element) = self.open.pop() else { return Err(Reason::Token(0x04)) };
        if element.begins_place {
            self.place = Place::Outside;
            return Ok(());
        }
        if element.has_child {
            return Ok(());
        }
        let head = &mut self.template.head;
        match self.place {
            Place::System => match element.name.as_str() {
                "EventID" => head.event_id = element.text,
                "Version" => head.version = element.text,
                "Channel" => head.channel = element.text,
                "Computer" => head.computer = element.text,
                "EventRecordID" => head.record_id = element.text,
                _ => {}
            },
            Place::EventData => {
                if element.label != Value::None || element.name == "Data" {
                    let (name, value) = (element.label, element.text);
                    self.template.parts.push(Part::Field { name, value, place: Place::EventData });
                }
            }
            Place::UserData => {
                let (name, value) = (Value::Literal(element.name), element.text);
                self.template.parts.push(Part::Field { name, value, place: Place::UserData });
            }
            Place::Outside => {}
        }
        Ok(())
    }
}

/// A name: by its offset in the chunk, or inline if it is used for the first time.
fn name(bytes: &mut Bytes<'_>) -> Result<String, Reason> {
    let offset = bytes.u32("a name's place")? as usize;
    let mut at = Bytes::new(bytes.all, offset, bytes.all.len());
    at.take(6, "a name's link")?;
    let text = counted_text(&mut at)?;
    if offset == bytes.at {
        bytes.at = at.at;
        bytes.take(2, "a name's end")?;
    }
    Ok(text)
}

/// Text preceded by its length in UTF-16 units.
fn counted_text(bytes: &mut Bytes<'_>) -> Result<String, Reason> {
    let units = bytes.u16("a text's length")?;
    let raw = bytes.take(usize::from(units) * 2, "a text")?;
    let arena = Bump::new();
    let mut out = BumpVec::with_capacity_in(raw.len() / 2, &arena);
    value::utf16(raw, &mut out);
    Ok(String::from_utf8_lossy(&out).into_owned())
}
