//! The templates of an event's record and their content: the same `System` template as in logs of Windows, and one
//! template for the fields of each kind of event.

use crate::binxml::{BinXml, Element, Part};
use crate::event::{Data, Event, Fields, Value, kind, store_text};
use crate::identifier::Guid;
use std::borrow::Cow;

const EVENT_NAMESPACE: &str = "http://schemas.microsoft.com/win/2004/08/events/event";

/// The slot of the outer template that contains the instance of the data's template.
const DATA_SLOT: u16 = 17;

/// Writes a record's BinXML.
pub(crate) fn write<'a>(xml: &mut BinXml, event: &Event<'a>) {
    let guid = guid_of(|key| {
        key.add(&[match event.data {
            Data::None => 0,
            Data::Named(_) | Data::Unnamed { .. } => 1,
            Data::User { .. } => 2,
        }]);
        key.add(event.computer.as_bytes());
    });
    let or_null = |text: &'a str| if text.is_empty() { Value::Null } else { Value::text(text) };
    let guid_or_null = |guid: Option<Guid>| guid.map_or(Value::Null, Value::Guid);
    let system = [
        Value::U8(event.level),
        Value::U8(event.opcode),
        Value::U16(event.task),
        Value::U16(event.event_id),
        event.qualifiers.map_or(Value::Null, Value::U16),
        Value::Hex64(event.keywords),
        Value::time(event.time_ns),
        guid_or_null(event.activity),
        Value::U32(event.process_id),
        Value::U32(event.thread_id),
        Value::U64(event.record_id),
        Value::U8(event.version),
        event.user.clone().map_or(Value::Null, Value::Sid),
        guid_or_null(event.related_activity),
        or_null(event.provider),
        guid_or_null(event.provider_guid),
        or_null(event.channel),
    ];

    xml.begin_stream();
    let has_data = event.data != Data::None;
    let mut slots = xml.instance(guid, system.len() + usize::from(has_data), || event_element(event));
    for value in &system {
        xml.value(&mut slots, value);
    }
    if has_data {
        let from = xml.bytes.len();
        write_data(xml, event);
        xml.describe(&mut slots, kind::BINXML, from);
    }
    xml.end_stream();
}

fn write_data(xml: &mut BinXml, event: &Event<'_>) {
    xml.begin_stream();
    let guid = guid_of(|key| {
        key.add(event.provider.as_bytes());
        key.add(&event.event_id.to_le_bytes());
        key.add(&[event.version]);
        match &event.data {
            Data::None => {}
            Data::Unnamed { .. } => key.add(&[1]),
            Data::Named(fields) => {
                key.add(&[2]);
                key.add_fields(fields);
            }
            Data::User { element, namespace, fields } => {
                key.add(&[3]);
                key.add(element.as_bytes());
                key.add(namespace.as_bytes());
                key.add_fields(fields);
            }
        }
    });
    match &event.data {
        Data::None => {}
        Data::Unnamed { texts, binary } => {
            let mut slots = xml.instance(guid, 2, unnamed_element);
            let from = xml.bytes.len();
            for text in texts {
                store_text(text, &mut xml.bytes);
                xml.bytes.extend_from_slice(&[0, 0]);
            }
            xml.describe(&mut slots, if texts.is_empty() { kind::NULL } else { kind::TEXTS }, from);
            xml.value(&mut slots, &if binary.is_empty() { Value::Null } else { Value::Binary(Cow::Borrowed(binary)) });
        }
        Data::Named(fields) | Data::User { fields, .. } => {
            let mut slots = xml.instance(guid, fields.len(), || fields_element(&event.data, fields));
            for (_, value) in fields {
                xml.value(&mut slots, value);
            }
        }
    }
    xml.end_stream();
}

fn event_element<'a>(event: &Event<'a>) -> Element<'a> {
    let system = vec![
        Part::Element(element(
            "Provider",
            vec![("Name", Part::Slot(14, kind::TEXT)), ("Guid", Part::Slot(15, kind::GUID))],
            vec![],
        )),
        Part::Element(Element {
            attributes: vec![("Qualifiers", Part::Slot(4, kind::U16))],
            ..one_value("EventID", 3, kind::U16)
        }),
        Part::Element(one_value("Version", 11, kind::U8)),
        Part::Element(one_value("Level", 0, kind::U8)),
        Part::Element(one_value("Task", 2, kind::U16)),
        Part::Element(one_value("Opcode", 1, kind::U8)),
        Part::Element(one_value("Keywords", 5, kind::HEX64)),
        Part::Element(element("TimeCreated", vec![("SystemTime", Part::Slot(6, kind::FILE_TIME))], vec![])),
        Part::Element(one_value("EventRecordID", 10, kind::U64)),
        Part::Element(element(
            "Correlation",
            vec![("ActivityID", Part::Slot(7, kind::GUID)), ("RelatedActivityID", Part::Slot(13, kind::GUID))],
            vec![],
        )),
        Part::Element(element(
            "Execution",
            vec![("ProcessID", Part::Slot(8, kind::U32)), ("ThreadID", Part::Slot(9, kind::U32))],
            vec![],
        )),
        Part::Element(one_value("Channel", 16, kind::TEXT)),
        Part::Element(element("Computer", vec![], vec![Part::Literal(event.computer.into())])),
        Part::Element(element("Security", vec![("UserID", Part::Slot(12, kind::SID))], vec![])),
    ];
    let mut content = vec![Part::Element(element("System", vec![], system))];
    let data = Part::Slot(DATA_SLOT, kind::BINXML);
    match event.data {
        // The slot always has a value: otherwise libevtx would leave out the surrounding element, which is `Event`.
        Data::None => {}
        Data::Named(_) | Data::Unnamed { .. } => content.push(data),
        Data::User { .. } => {
            content.push(Part::Element(Element { needs: Some(DATA_SLOT), ..element("UserData", vec![], vec![data]) }));
        }
    }
    element("Event", vec![("xmlns", Part::Literal(EVENT_NAMESPACE.into()))], content)
}

fn unnamed_element() -> Element<'static> {
    let data = one_value("Data", 0, kind::TEXTS);
    let binary = one_value("Binary", 1, kind::BINARY);
    element("EventData", vec![], vec![Part::Element(data), Part::Element(binary)])
}

fn fields_element<'a>(data: &Data<'a>, fields: &Fields<'a>) -> Element<'a> {
    let fields = fields.iter().enumerate().map(|(index, (name, value))| {
        // libevtx rejects a record without a value for a slot that is not optional.
        let content = vec![match value {
            Value::Null => Part::Slot(index as u16, kind::TEXT),
            _ => Part::Field(index as u16, value.kind()),
        }];
        Part::Element(match data {
            Data::User { .. } => element(name.clone(), vec![], content),
            _ => element("Data", vec![("Name", Part::Literal(name.clone()))], content),
        })
    });
    match data {
        Data::User { element: name, namespace, .. } => {
            let namespace = (!namespace.is_empty()).then(|| ("xmlns", Part::Literal((*namespace).into())));
            element(*name, namespace.into_iter().collect(), fields.collect())
        }
        _ => element("EventData", vec![], fields.collect()),
    }
}

fn element<'a>(
    name: impl Into<Cow<'a, str>>,
    attributes: Vec<(&'static str, Part<'a>)>,
    content: Vec<Part<'a>>,
) -> Element<'a> {
    Element { name: name.into(), needs: None, attributes, content }
}

/// An element that is omitted if its slot has no value.
fn one_value(name: &'static str, slot: u16, kind: u8) -> Element<'static> {
    Element { needs: Some(slot), ..element(name, vec![], vec![Part::Slot(slot, kind)]) }
}

/// A hash (FNV-1a, 128 bits) of everything that distinguishes templates.
struct Key(u128);

impl Key {
    fn add(&mut self, bytes: &[u8]) {
        // The length is hashed first, so that different lists of parts never give the same bytes.
        for byte in (bytes.len() as u32).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }

    fn add_fields(&mut self, fields: &Fields<'_>) {
        for (name, value) in fields {
            self.add(name.as_bytes());
            self.add(&[value.kind()]);
        }
    }
}

/// The GUID of a template: always the same for the same key.
fn guid_of(describe: impl FnOnce(&mut Key)) -> Guid {
    let mut key = Key(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    describe(&mut key);
    Guid(key.0.to_le_bytes())
}
