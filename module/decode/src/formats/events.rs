//! Backchannel's own events as JSON, deserialised without heap allocations: all text borrows from the record or from
//! the arena.

use backchannel_events::ProcessEvent;
use backchannel_normalize::Record;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, Unexpected, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{About, Carrier, Example, Outcome, Shape, Spec};
use crate::json::scan::{Cursor, Kind, unescape};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "events",
        title: "Backchannel events",
        description: "Events in the types of Backchannel (`module/events`), one JSON object per line: for hosts with decoders \
                      of their own, and for tests.",
        recognised: "`time` (nanoseconds since 1970) and `activity`.",
        examples: &[Example {
            shape: "Backchannel",
            record: r#"{"time":1700000000000000000,"host":"h1","activity":"process_start","process":{"image":"/usr/bin/id","pid":7}}"#,
        }],
    },
    carrier: Carrier::Json(&[Shape {
        keys: &[&["activity"], &["time"]],
        is: |_| true,
        read: |object| Ok(event(object.text, object.arena).map(|event| Outcome::Record(Record::Event(event)))),
    }]),
};

/// Maximum nesting of an event; valid ones have five levels.
const MAX_DEPTH: u8 = 16;

/// A JSON value in the arena; it needs no drop.
#[derive(Clone, Copy, Debug)]
enum Node<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
    List(&'a [Node<'a>]),
    Map(&'a [(&'a str, Node<'a>)]),
}

/// Deserialises an event; `None` if the object is not an event.
fn event<'a>(text: &'a str, arena: &'a Bump) -> Option<ProcessEvent<'a>> {
    let node = node(&mut Cursor::new(text), arena, 0)?;
    ProcessEvent::deserialize(node).ok()
}

fn node<'a>(cursor: &mut Cursor<'a>, arena: &'a Bump, depth: u8) -> Option<Node<'a>> {
    if depth > MAX_DEPTH {
        return None;
    }
    match cursor.peek()? {
        b'{' => {
            cursor.enter_object().ok()?;
            let mut map = BumpVec::new_in(arena);
            while let Some(key) = cursor.next_key().ok()? {
                map.push((unescape(key, arena), node(cursor, arena, depth + 1)?));
            }
            Some(Node::Map(map.into_bump_slice()))
        }
        b'[' => {
            cursor.enter_array().ok()?;
            let mut list = BumpVec::new_in(arena);
            while cursor.next_element().ok()? {
                list.push(node(cursor, arena, depth + 1)?);
            }
            Some(Node::List(list.into_bump_slice()))
        }
        _ => {
            let raw = cursor.value().ok()?;
            Some(match raw.kind {
                Kind::String => Node::Text(unescape(raw.text, arena)),
                Kind::Bool => Node::Bool(raw.text == "true"),
                Kind::Number => match (raw.text.parse(), raw.text.parse()) {
                    (Ok(unsigned), _) => Node::Unsigned(unsigned),
                    (_, Ok(signed)) => Node::Signed(signed),
                    _ => Node::Float(raw.text.parse().ok()?),
                },
                _ => Node::Null,
            })
        }
    }
}

impl<'a> IntoDeserializer<'a, Error> for Node<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'a> serde::Deserializer<'a> for Node<'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(value) => visitor.visit_borrowed_str(value),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().copied())),
            Self::Map(members) => visitor.visit_map(MapDeserializer::new(members.iter().copied())),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(variant) => visitor.visit_enum(Variant { name: variant, content: None }),
            Self::Map([(variant, content)]) => visitor.visit_enum(Variant { name: variant, content: Some(*content) }),
            _ => Err(serde::de::Error::invalid_type(Unexpected::Other("another value"), &"one variant")),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

/// Name and contents of a variant.
struct Variant<'a> {
    name: &'a str,
    content: Option<Node<'a>>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Error;
    type Variant = Contents<'a>;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        Ok((seed.deserialize(Node::Text(self.name))?, Contents(self.content)))
    }
}

/// Contents of a variant.
struct Contents<'a>(Option<Node<'a>>);

impl<'a> VariantAccess<'a> for Contents<'a> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0.unwrap_or(Node::Map(&[])))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        serde::Deserializer::deserialize_any(self.0.unwrap_or(Node::List(&[])), visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        serde::Deserializer::deserialize_any(self.0.unwrap_or(Node::Map(&[])), visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backchannel_events::{Activity, Channel, Mechanism, Outcome, Process, Provenance, Timestamp};

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        let written = ProcessEvent {
            time: Timestamp(1_700_000_000_123_456_789),
            host: "ws01.example.test",
            outcome: Outcome::Denied,
            process: Process {
                image: r"C:\Windows\System32\a.exe",
                pid: Some(7),
                elevated: Some(true),
                ..Process::default()
            },
            activity: Activity::ChannelConnect(Channel {
                mechanism: Mechanism::NamedPipe,
                name: "\\a\"\u{1f600}",
                ..Channel::default()
            }),
            provenance: Provenance { record: "42", ..Provenance::default() },
        };
        let text = serde_json::to_string(&written).unwrap();
        assert_eq!(event(&text, &Bump::new()), Some(written));
    }

    #[test]
    fn a_variant_without_contents_is_its_name() {
        let arena = Bump::new();
        let read = event(r#"{"time":-5,"activity":"process_start"}"#, &arena).unwrap();
        assert_eq!((read.time, read.activity), (Timestamp(-5), Activity::ProcessStart));
        for text in [r#"{"time":1}"#, r#"{"activity":"process_start"}"#, r#"{"time":1,"activity":"x"}"#, "{", "[[["] {
            assert_eq!(event(text, &arena), None, "{text}");
        }
    }
}
