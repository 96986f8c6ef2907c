//! Converts one JSON object to a record: determines its shape and reads it.
//!
//! The members of an object are collected once, whatever its shape. Then the [`SHAPES`] of all formats are tried in
//! their order, but only those whose [`Keys`] the object has, so that an additional shape costs records of another
//! almost nothing. Windows events come first and are the most frequent: [`Role`] gives the meaning of each of their
//! keys, and [`Peek`] reads provider and event id before anything is collected.

mod head;
mod keys;
mod peek;
pub(crate) mod role;
pub(crate) mod scan;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::formats::{Outcome, SHAPES, windows_json as windows};
use crate::{Format, Reason};
pub(crate) use head::head;
use keys::Keys;
pub(crate) use peek::Peek;
use role::Role;
use scan::{Cursor, Kind, Raw, Stop};

/// Maximum number of members that are read: no log record has as many.
const MAX_MEMBERS: usize = 4_096;

/// The object of the record in which a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Top,
    System,
    EventData,
    UserData,
    Winlog,
}

impl Section {
    /// The section that the object under `key` is, if it is one.
    fn inner(self, key: &str) -> Option<Self> {
        if !matches!(key.len(), 5 | 6 | 8..=10) {
            return None;
        }
        match (self, key) {
            (Self::Top, "Event") => Some(Self::Top),
            (Self::Top, "System") => Some(Self::System),
            (Self::Top, "EventData" | "event_data") | (Self::Winlog, "event_data") => Some(Self::EventData),
            (Self::Top, "UserData" | "user_data") | (Self::Winlog, "user_data") => Some(Self::UserData),
            (Self::Top, "winlog") => Some(Self::Winlog),
            _ => None,
        }
    }

    /// Section and key of a member with a dotted path (`winlog.event_data.Image`).
    fn of_dotted(self, key: &str) -> (Self, &str) {
        // The shortest is `winlog.x`.
        if self != Self::Top || key.len() < 8 || !matches!(key.as_bytes()[0], b'w' | b'e' | b'u') {
            return (self, key);
        }
        let (section, key) = match key.strip_prefix("winlog.") {
            Some(rest) => (Self::Winlog, rest),
            None => (self, key),
        };
        if let Some(rest) = key.strip_prefix("event_data.") {
            (Self::EventData, rest)
        } else if let Some(rest) = key.strip_prefix("user_data.") {
            (Self::UserData, rest)
        } else {
            (section, key)
        }
    }
}

/// A member of the record that is not a section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub section: Section,
    pub role: Role,
    /// Key as it is in the text; none of the known keys has an escape.
    pub key: &'a str,
    pub value: Raw<'a>,
}

/// The members of an object, including those of its sections, in order.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    pub all: BumpVec<'a, Member<'a>>,
}

impl<'a> Members<'a> {
    /// The value of a member at the top level; the last one if a key is repeated.
    pub fn top(&self, key: &str) -> Option<Raw<'a>> {
        self.all
            .iter()
            .rev()
            .find(|member| member.section == Section::Top && member.key == key)
            .map(|member| member.value)
    }

    /// The text of the first of `keys` that is a scalar at the top level; `""` if there is none.
    pub fn text(&self, keys: &[&str], arena: &'a Bump) -> &'a str {
        keys.iter()
            .find_map(|key| self.top(key).filter(|value| value.is_scalar()))
            .map_or("", |value| value.to_text(arena))
    }

    pub fn has(&self, key: &str) -> bool {
        self.top(key).is_some()
    }
}

/// A JSON object that is to be converted to a record.
pub(crate) struct Object<'a, 'r> {
    /// Its whole text.
    pub text: &'a str,
    pub members: &'r Members<'a>,
    pub arena: &'a Bump,
    /// Whether Windows events of this provider and event id are wanted.
    pub wants: &'r dyn Fn(&str, u32) -> bool,
}

/// Collects members, and checks early whether the record is wanted.
struct Collector<'a, 'w> {
    members: Members<'a>,
    wants: &'w dyn Fn(&str, u32) -> bool,
    id: Option<u32>,
    provider: Option<&'a str>,
    wants_called: bool,
    refused: bool,
}

impl<'a, 'w> Collector<'a, 'w> {
    fn new(arena: &'a Bump, wants_called: bool, wants: &'w dyn Fn(&str, u32) -> bool) -> Self {
        Self {
            members: Members { all: BumpVec::with_capacity_in(64, arena) },
            wants,
            id: None,
            provider: None,
            wants_called,
            refused: false,
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'a>, outer: Section, depth: u8) -> Result<(), Stop> {
        cursor.enter_object()?;
        while let Some(key) = cursor.next_key()? {
            if let Some(inner) = outer.inner(key)
                && depth < 4
                && cursor.peek() == Some(b'{')
            {
                self.object(cursor, inner, depth + 1)?;
                if self.refused {
                    return Ok(());
                }
                continue;
            }
            let value = cursor.value()?;
            let (section, key) = outer.of_dotted(key);
            let role = Role::find(section, key);
            if self.members.all.len() < MAX_MEMBERS {
                self.members.all.push(Member { section, role, key, value });
            }
            if !self.wants_called && self.decided() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Whether the record is known to be unwanted, now that another member was read. The member is read from where it
    /// was stored: passed as an argument, it would be copied through memory for every member.
    fn decided(&mut self) -> bool {
        let Some(Member { section, key, value, .. }) = self.members.all.last().copied() else { return false };
        match (section, key.len()) {
            (Section::Top, 6) if key == "System" => match xml_head(value) {
                Some((provider, id)) => (self.provider, self.id) = (Some(provider), Some(id)),
                None => return false,
            },
            (Section::Top | Section::System, 7) if key == "EventID" => {
                self.id = windows::event_id(value);
                // The order of Fluent Bit: elsewhere `ProviderName` may be a field of the event.
                if let [first, second, third, _] = self.members.all.as_slice()
                    && (first.key, second.key, third.key) == ("ProviderName", "ProviderGuid", "Qualifiers")
                {
                    self.provider = plain(first.value);
                }
            }
            (Section::Top | Section::Winlog, 8) if key == "event_id" => self.id = windows::event_id(value),
            (Section::Top, 10) if key == "SourceName" => self.provider = plain(value),
            (Section::Top, 11) if key == "source_name" => self.provider = plain(value),
            (Section::Winlog, 13) if key == "provider_name" => self.provider = plain(value),
            (Section::System, 8) if key == "Provider" => {
                self.provider = windows::attribute(value, "Name").and_then(plain)
            }
            _ => return false,
        }
        if let (Some(id), Some(provider)) = (self.id, self.provider) {
            self.wants_called = true;
            self.refused = !(self.wants)(provider, id);
        }
        self.refused
    }
}

/// Provider and event id of an event rendered as XML into a string by Windows.
fn xml_head(value: Raw<'_>) -> Option<(&str, u32)> {
    let text = value.text;
    (value.kind == Kind::String && text.starts_with("<Event ")).then_some(())?;
    let head = text.get(..text.floor_char_boundary(512))?;
    let (provider, rest) = head.split_once("<Provider Name='")?.1.split_once('\'')?;
    let (id, _) = rest.split_once("<EventID")?.1.split_once('>')?.1.split_once('<')?;
    (!provider.is_empty() && !provider.contains(['\\', '&'])).then_some(())?;
    Some((provider, id.parse().ok()?))
}

/// The text of a string that has no escapes.
fn plain(value: Raw<'_>) -> Option<&str> {
    (value.kind == Kind::String && !value.text.is_empty() && !value.text.contains('\\')).then_some(value.text)
}

/// Reads the object at the start of `text`. The error has the offset at which reading stopped. `wants_called`: `wants`
/// was called already, and returned true.
pub(crate) fn decode<'a>(
    text: &'a str,
    arena: &'a Bump,
    wants_called: bool,
    wants: &dyn Fn(&str, u32) -> bool,
) -> Result<Outcome<'a>, (Option<usize>, Reason)> {
    let mut collector = Collector::new(arena, wants_called, wants);
    let mut cursor = Cursor::new(text);
    collector.object(&mut cursor, Section::Top, 0).map_err(|stop| (Some(stop.at), Reason::NotJson(stop.expected)))?;
    if collector.refused
        && let (Some(event_id), Some(provider)) = (collector.id, collector.provider)
    {
        return Ok(Outcome::NotWanted { provider, event_id });
    }
    match cursor.peek() {
        // A line of a JSON array ends with a comma.
        None | Some(b',' | b']') => {}
        Some(_) => return Err((Some(cursor.position()), Reason::NotJson("the end of the record"))),
    }
    let members = collector.members;
    let object = Object { text, members: &members, arena, wants };
    let mut lacks = None;
    let mut keys = None;
    for (_, shape) in &SHAPES {
        if !Keys::fit(&mut keys, &members, shape.keys) {
            continue;
        }
        match (shape.read)(&object) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            Err(reason) => lacks = lacks.or(Some(reason)),
        }
    }
    Err((None, lacks.unwrap_or(Reason::UnknownShape)))
}

/// The probable format of a record, from its beginning.
pub(crate) fn guess(start: &[u8]) -> Format {
    let text = String::from_utf8_lossy(start);
    let arena = Bump::new();
    let mut collector = Collector::new(&arena, true, &|_, _| true);
    // It may be incomplete: the members up to the end are sufficient.
    let _ = collector.object(&mut Cursor::new(&text), Section::Top, 0);
    let members = collector.members;
    let mut keys = None;
    let found = SHAPES.iter().find(|(_, shape)| Keys::fit(&mut keys, &members, shape.keys) && (shape.is)(&members));
    found.map_or(Format::Json, |(format, _)| *format)
}
