//! Windows events as XML, and the XML fragments in JSON exports.

use backchannel_normalize::{Fields, Record, WindowsRecord};
use bumpalo::Bump;
use bumpalo::collections::{String as BumpString, Vec as BumpVec};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{About, Carrier, Certainty, Context, Example, Failure, Outcome, Spec, TextFormat, auditd};
use crate::{Decoded, Decoder, Framing, Reason, time};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "windows-xml",
        title: "Windows events as XML",
        description: "`<Event>` elements as rendered by Windows, alone, in an `<Events>` element or within other text.",
        recognised: "It begins with `<` and has an `<Event` element in its first 64 KiB, or has one and matches no other format.",
        examples: &[Example {
            shape: "wevtutil, Windows Event Collector",
            record: r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>17</EventID><TimeCreated SystemTime="2023-11-14T22:13:20.000000000Z"/><EventRecordID>7</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>desk-4.example.org</Computer></System><EventData><Data Name="PipeName">\PSEXESVC</Data><Data Name="Image">C:\Windows\PSEXESVC.exe</Data><Data Name="ProcessId">812</Data></EventData></Event>"#,
        }],
    },
    carrier: Carrier::Text(TextFormat {
        framing: Framing::Xml,
        recognise: |start| {
            let has = |text| memchr::memmem::find(start.bytes, text).is_some();
            if start.bytes.starts_with(b"<") && has(b"<Event") {
                return Some(Certainty::Begins);
            }
            has(b"<Event ").then_some(Certainty::Inside)
        },
        read,
        inside: Some(|_, _, text, context| {
            let text = text.trim_ascii();
            is_event(text).then(|| event(text, context))
        }),
    }),
};

/// Whether this is an `<Event>` element.
pub(crate) fn is_event(text: &str) -> bool {
    text.starts_with("<Event")
}

/// Text in such an input that is not an element.
fn read<'a>(_: &mut Decoder, text: &'a str, _: &Context<'a, '_>) -> Result<Decoded<'a>, Failure> {
    let start = text.trim_ascii_start();
    auditd::line(start).ok_or((Some(text.len() - start.len()), Reason::NotXml("an Event element")))
}

/// Whether records of this provider and event id are wanted.
type Wants<'w> = dyn Fn(&str, u32) -> bool + 'w;

/// The part of an event in which the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Outside,
    System,
    EventData,
    UserData,
}

/// Reads one `<Event>` element.
pub(crate) fn event<'a>(xml: &'a str, context: &Context<'a, '_>) -> Result<Outcome<'a>, Failure> {
    let mut walker = Walker::new(xml, context.arena);
    if walker.walk(Some(context.wants))? {
        let provider = walker.record.provider;
        return Ok(Outcome::NotWanted { provider, event_id: walker.event_id.unwrap_or_default() });
    }
    let mut record = walker.record;
    record.event_id = walker.event_id.ok_or((None, Reason::NoEventId))?;
    if record.provider.is_empty() && record.channel.is_empty() {
        return Err((None, Reason::NoProvider));
    }
    record.fields = walker.fields();
    Ok(Outcome::Record(Record::Windows(record)))
}

/// The fields of an XML fragment that contains `EventData` or `UserData`, or `Param` elements.
pub(super) fn fields<'a>(xml: &'a str, arena: &'a Bump) -> Result<Fields<'a>, Failure> {
    let mut walker = Walker::new(xml, arena);
    walker.walk(None)?;
    Ok(walker.fields())
}

struct Walker<'a> {
    reader: Reader<&'a [u8]>,
    arena: &'a Bump,
    record: WindowsRecord<'a>,
    event_id: Option<u32>,
    part: Part,
    /// Depth of the part's own element.
    part_depth: usize,
    named: BumpVec<'a, (&'a str, &'a str)>,
    unnamed: BumpVec<'a, &'a str>,
    text: Text<'a>,
}

/// The text of the element being read: borrowed as long as it is in one piece.
#[derive(Default)]
struct Text<'a> {
    whole: &'a str,
    built: Option<BumpString<'a>>,
}

impl<'a> Text<'a> {
    fn push(&mut self, piece: &'a str, arena: &'a Bump) {
        match &mut self.built {
            Some(built) => built.push_str(piece),
            None if self.whole.is_empty() => self.whole = piece,
            None => {
                let mut built = BumpString::with_capacity_in(self.whole.len() + piece.len() + 32, arena);
                built.push_str(self.whole);
                built.push_str(piece);
                self.built = Some(built);
            }
        }
    }

    fn take(&mut self) -> &'a str {
        let whole = core::mem::take(&mut self.whole);
        self.built.take().map_or(whole, BumpString::into_bump_str)
    }
}

impl<'a> Walker<'a> {
    fn new(xml: &'a str, arena: &'a Bump) -> Self {
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        // A record with a minor error is read rather than rejected.
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        Self {
            reader,
            arena,
            record: WindowsRecord::default(),
            event_id: None,
            part: Part::Outside,
            part_depth: 0,
            named: BumpVec::new_in(arena),
            unnamed: BumpVec::new_in(arena),
            text: Text::default(),
        }
    }

    /// Reads to the end, or until `wants` rejects the record; returns whether it did.
    fn walk(&mut self, wants: Option<&Wants<'_>>) -> Result<bool, Failure> {
        let mut depth = 0usize;
        // Name of the innermost open element, and its `Name` attribute.
        let mut element = "";
        let mut label = None;
        // Whether the innermost open element has no child so far.
        let mut leaf = false;
        loop {
            let event = self.reader.read_event().map_err(|_| {
                (usize::try_from(self.reader.error_position()).ok(), Reason::NotXml("well-formed markup"))
            })?;
            match event {
                Event::Start(start) => {
                    depth += 1;
                    (element, label) = self.open(&start, depth);
                    leaf = true;
                    let _ = self.text.take();
                }
                Event::Empty(start) => {
                    let (element, label) = self.open(&start, depth + 1);
                    let _ = self.text.take();
                    self.close(element, label, "");
                    if self.part_depth > depth {
                        self.part = Part::Outside;
                        self.part_depth = 0;
                    }
                    leaf = false;
                }
                Event::End(_) => {
                    let text = self.text.take();
                    if leaf && depth != self.part_depth {
                        self.close(element, label, text);
                    }
                    leaf = false;
                    if self.part_depth == depth {
                        let was = core::mem::replace(&mut self.part, Part::Outside);
                        self.part_depth = 0;
                        if was == Part::System
                            && let (Some(wants), Some(event_id)) = (wants, self.event_id)
                            && !self.record.provider.is_empty()
                            && !wants(self.record.provider, event_id)
                        {
                            return Ok(true);
                        }
                    }
                    depth = depth.saturating_sub(1);
                }
                Event::Text(text) => {
                    let piece = borrowed(text.into_inner(), self.arena);
                    self.text.push(piece, self.arena);
                }
                Event::CData(text) => {
                    let piece = borrowed(text.into_inner(), self.arena);
                    self.text.push(piece, self.arena);
                }
                Event::GeneralRef(reference) => {
                    let piece = match &*reference {
                        "lt" => "<",
                        "gt" => ">",
                        "amp" => "&",
                        "quot" => "\"",
                        "apos" => "'",
                        name => match reference.resolve_char_ref() {
                            Ok(Some(character)) => self.arena.alloc_str(character.encode_utf8(&mut [0; 4])),
                            _ => bumpalo::format!(in self.arena, "&{};", name).into_bump_str(),
                        },
                    };
                    self.text.push(piece, self.arena);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        if depth > 0 { Err((None, Reason::NotXml("the end of an element"))) } else { Ok(false) }
    }

    /// Reads an element's name and attributes.
    fn open(&mut self, start: &BytesStart<'a>, depth: usize) -> (&'a str, Option<&'a str>) {
        let arena = self.arena;
        let local = start.local_name();
        let name: &str = local.as_ref();
        let name = known_name(name).unwrap_or_else(|| arena.alloc_str(name));
        if self.part == Part::Outside {
            self.part = match name {
                "System" => Part::System,
                "EventData" => Part::EventData,
                "UserData" => Part::UserData,
                _ => Part::Outside,
            };
            if self.part != Part::Outside {
                self.part_depth = depth;
            }
            return (name, None);
        }
        let wanted = match (self.part, name) {
            (Part::System, "Provider") => "Name",
            (Part::System, "TimeCreated") => "SystemTime",
            (Part::System, "Security") => "UserID",
            (Part::EventData, _) => "Name",
            _ => return (name, None),
        };
        let value = start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.as_ref() == wanted)
            .map(|attribute| unescape(attribute.value, arena));
        match (self.part, value) {
            (Part::System, Some(value)) => {
                match name {
                    "Provider" => self.record.provider = value,
                    "TimeCreated" => self.record.time = time::parse(value).map(|moment| moment.time),
                    _ => self.record.user_sid = value,
                }
                (name, None)
            }
            _ => (name, value),
        }
    }

    /// Reads the text of an element without children.
    fn close(&mut self, element: &'a str, label: Option<&'a str>, text: &'a str) {
        match self.part {
            Part::System => match element {
                "EventID" => self.event_id = text.trim().parse().ok(),
                "Version" => self.record.version = text.trim().parse().ok(),
                "Channel" => self.record.channel = text,
                "Computer" => self.record.computer = text,
                "EventRecordID" => self.record.record_id = text.trim(),
                _ => {}
            },
            Part::EventData => match label {
                Some(label) => self.named.push((label, text)),
                None if element == "Data" => self.unnamed.push(text),
                None => {}
            },
            Part::UserData => self.named.push((element, text)),
            Part::Outside if element == "Param" => self.unnamed.push(text),
            Part::Outside => {}
        }
    }

    fn fields(self) -> Fields<'a> {
        if self.named.is_empty() && !self.unnamed.is_empty() {
            Fields::Positional(self.unnamed.into_bump_slice())
        } else {
            Fields::Named(self.named.into_bump_slice())
        }
    }
}

/// Names of elements that occur in every event, so that they are not copied.
fn known_name(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "Data",
        "Event",
        "System",
        "Provider",
        "EventID",
        "Version",
        "Level",
        "Task",
        "Opcode",
        "Keywords",
        "TimeCreated",
        "EventRecordID",
        "Correlation",
        "Execution",
        "Channel",
        "Computer",
        "Security",
        "EventData",
        "UserData",
    ];
    NAMES.iter().find(|known| **known == name).copied()
}

fn borrowed<'a>(text: std::borrow::Cow<'a, str>, arena: &'a Bump) -> &'a str {
    match text {
        std::borrow::Cow::Borrowed(text) => text,
        std::borrow::Cow::Owned(text) => arena.alloc_str(&text),
    }
}

/// An attribute's value with its references resolved; unchanged if they are malformed.
fn unescape<'a>(value: std::borrow::Cow<'_, str>, arena: &'a Bump) -> &'a str {
    match quick_xml::escape::unescape(&value) {
        Ok(plain) => arena.alloc_str(&plain),
        Err(_) => arena.alloc_str(&value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System><Provider Name="Microsoft-Windows-Sysmon" Guid="{1}"/><EventID Qualifiers="0">18</EventID><Version>1</Version>
  <TimeCreated SystemTime='2023-04-05T06:07:08.1234567Z'/><EventRecordID>42</EventRecordID><Correlation/>
  <Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>ws01.example.test</Computer>
  <Security UserID="S-1-5-18"/></System>
  <EventData><Data Name="PipeName">\a &amp; b&#x20AC;&lt;c</Data><Data Name='User'></Data><Data Name="Empty"/></EventData>
</Event>"#;

    fn decode<'a>(xml: &'a str, arena: &'a Bump, wants: &dyn Fn(&str, u32) -> bool) -> Result<Outcome<'a>, Failure> {
        event(xml, &Context { arena, wants, options: crate::Options::default() })
    }

    fn windows<'a>(xml: &'a str, arena: &'a Bump) -> WindowsRecord<'a> {
        match decode(xml, arena, &|_, _| true) {
            Ok(Outcome::Record(Record::Windows(record))) => record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn system_and_event_data_are_read() {
        let arena = Bump::new();
        let record = windows(EVENT, &arena);
        assert_eq!(record.provider, "Microsoft-Windows-Sysmon");
        assert_eq!((record.event_id, record.version, record.record_id), (18, Some(1), "42"));
        assert_eq!((record.computer, record.user_sid), ("ws01.example.test", "S-1-5-18"));
        assert_eq!(record.time.unwrap().to_string(), "2023-04-05T06:07:08.123456700Z");
        assert_eq!(record.fields, Fields::Named(&[("PipeName", "\\a & b\u{20ac}<c"), ("User", ""), ("Empty", "")]));
    }

    #[test]
    fn data_without_names_is_positional() {
        let arena = Bump::new();
        let xml = "<Event><System><Provider Name='A'/><EventID>1</EventID></System>\
                   <EventData><Data>x</Data><Data/><Data>z</Data><Binary>00</Binary></EventData></Event>";
        assert_eq!(windows(xml, &arena).fields, Fields::Positional(&["x", "", "z"]));
    }

    #[test]
    fn the_leaves_of_user_data_are_fields() {
        let arena = Bump::new();
        let xml = "<Event><System><Provider Name='A'/><EventID>1</EventID></System><UserData>\
                   <LogFileCleared xmlns='y'>\n<SubjectUserName>ann</SubjectUserName><Sub><Leaf>1</Leaf></Sub>\
                   </LogFileCleared></UserData></Event>";
        assert_eq!(windows(xml, &arena).fields, Fields::Named(&[("SubjectUserName", "ann"), ("Leaf", "1")]));
    }

    #[test]
    fn an_unwanted_event_is_not_read_further() {
        let arena = Bump::new();
        let xml = "<Event><System><Provider Name='A'/><EventID>7</EventID></System><EventData><Data <<";
        let refuse = |provider: &str, id: u32| !(provider == "A" && id == 7);
        assert_eq!(decode(xml, &arena, &refuse), Ok(Outcome::NotWanted { provider: "A", event_id: 7 }));
    }

    #[test]
    fn an_element_that_is_not_closed_is_an_error() {
        let arena = Bump::new();
        let xml = "<Event><System><Provider Name='A'/><EventID>7</EventID></System>";
        assert!(decode(xml, &arena, &|_, _| true).is_err());
    }

    #[test]
    fn a_piece_of_xml_gives_its_fields() {
        let arena = Bump::new();
        let xml = "<DataItem type='x'><EventData xmlns='y'><Data Name='A'>1</Data></EventData></DataItem>";
        assert_eq!(fields(xml, &arena), Ok(Fields::Named(&[("A", "1")])));
        assert_eq!(fields("<Param>1</Param><Param>2</Param>", &arena), Ok(Fields::Positional(&["1", "2"])));
    }
}
