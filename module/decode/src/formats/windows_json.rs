//! Windows events as JSON, in the shapes written by shippers and converters.
//!
//! - `Event.System` and `Event.EventData`: the `evtx` crate, Velociraptor, xml-to-dictionary converters;
//! - `winlog.*`: Winlogbeat 7 and later, nested or with dots; its older releases have the same names at the top;
//! - everything at the top: NXLog and the like, Fluent Bit (values by position, or named in `EventData`), `Get-WinEvent | ConvertTo-Json`;
//! - the `Event` table of a workspace: everything at the top, and the event's data as a piece of XML.

use backchannel_events::Timestamp;
use backchannel_normalize::{Fields, Record, WindowsRecord};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::windows_xml::fields as xml_fields;
use super::{About, Carrier, Example, Outcome, Shape, Spec, Wrapped};
use crate::json::role::Part;
use crate::json::scan::{Cursor, Kind, Raw, each, unescape};
use crate::json::{Member, Members, Object, Section};
use crate::{Reason, time};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "windows-json",
        title: "Windows events as JSON",
        description: "Windows events as written by converters and log shippers, one JSON object per event.",
        recognised: "An event id (`EventID`, `EventId`, `event_id`, `EventCode`; `Id` beside `ProviderName`) at the top, or one of the objects `System`, \
                     `EventData`, `UserData`, `winlog`; provider and channel determine the event.",
        examples: &[
            Example {
                shape: "evtx_dump, Velociraptor, converters from XML",
                record: r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":18,"TimeCreated":{"#attributes":{"SystemTime":"2023-11-14T22:13:20.000Z"}},"EventRecordID":42,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"desk-4.example.org"},"EventData":{"PipeName":"\\svcctl","ProcessId":812,"Image":"C:\\Windows\\a.exe"}}}"##,
            },
            Example {
                shape: "Winlogbeat 7 and later, nested or with dots",
                record: r#"{"@timestamp":"2023-11-14T22:13:20.000Z","winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":"18","record_id":42,"computer_name":"desk-4.example.org","event_data":{"PipeName":"\\svcctl","ProcessId":"812","Image":"C:\\Windows\\a.exe"}}}"#,
            },
            Example {
                shape: "Winlogbeat up to 6",
                record: r#"{"@timestamp":"2023-11-14T22:13:20.000Z","log_name":"Microsoft-Windows-Sysmon/Operational","source_name":"Microsoft-Windows-Sysmon","event_id":18,"record_number":"42","computer_name":"desk-4.example.org","event_data":{"PipeName":"\\svcctl","ProcessId":"812","Image":"C:\\Windows\\a.exe"}}"#,
            },
            Example {
                shape: "NXLog and others with everything at the top",
                record: r#"{"EventTime":"2023-11-14 22:13:20","@timestamp":"2023-11-14T22:13:21Z","Hostname":"desk-4.example.org","EventID":18,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","RecordNumber":42,"PipeName":"\\svcctl","ProcessId":"812","Image":"C:\\Windows\\a.exe"}"#,
            },
            Example {
                shape: "Fluent Bit's winevtlog, values by position or named in `EventData`",
                record: r#"{"ProviderName":"Microsoft-Windows-Sysmon","ProviderGuid":"{1}","Qualifiers":"","EventID":18,"Version":1,"TimeCreated":"2023-11-14 22:13:20.000 +0000","EventRecordID":42,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"desk-4.example.org","StringInserts":["-","ConnectPipe","2023-11-14 22:13:20.000","{2}","812","\\svcctl","C:\\Windows\\a.exe"]}"#,
            },
            Example {
                shape: "`Get-WinEvent | ConvertTo-Json`",
                record: r#"{"Id":1033,"ProviderName":"MsiInstaller","LogName":"Application","MachineName":"desk-4.example.org","RecordId":7,"TimeCreated":"/Date(1700000000000)/","Properties":[{"Value":"a"},{"Value":"b"}]}"#,
            },
            Example {
                shape: "the `Event` table of a Microsoft workspace",
                record: r#"{"TimeGenerated":"2023-11-14T22:13:20Z","Source":"Microsoft-Windows-Sysmon","EventLog":"Microsoft-Windows-Sysmon/Operational","Computer":"desk-4.example.org","EventID":18,"EventRecordId":"42","EventData":"<DataItem><EventData><Data Name=\"PipeName\">\\svcctl</Data></EventData></DataItem>"}"#,
            },
        ],
    },
    carrier: Carrier::Json(&[Shape { keys: &[], is, read: |object| decode(object) }]),
};

/// Whether an input has Windows events, by its first record.
fn is(members: &Members<'_>) -> bool {
    members.all.iter().any(|member| member.section != Section::Top)
        || ["EventID", "EventId", "event_id", "EventCode"].iter().any(|key| members.has(key))
        || (members.has("Id") && members.has("ProviderName"))
}

type List<'a, T> = BumpVec<'a, T>;
type Named<'a> = List<'a, (&'a str, &'a str)>;

/// Properties of an event besides its data.
#[derive(Default)]
struct Head<'a> {
    id: Ranked<'a>,
    provider: Ranked<'a>,
    channel: Ranked<'a>,
    computer: Ranked<'a>,
    record_id: Ranked<'a>,
    user: Ranked<'a>,
    version: Option<Raw<'a>>,
    /// Time of the event, unambiguous (`SystemTime`, `time_created`).
    created: Option<Raw<'a>>,
    /// NXLog's `EventTime`, usually local time.
    event_time: Option<Raw<'a>>,
    /// `@timestamp`: time of the event (Winlogbeat), or of its receipt (Logstash).
    at: Option<Raw<'a>>,
    /// Another time at the top level.
    other_time: Option<Raw<'a>>,
    message: Option<Raw<'a>>,
    inserts: Option<Raw<'a>>,
    data_text: Ranked<'a>,
    xml: Option<Raw<'a>>,
    ecs: Option<Raw<'a>>,
    /// Whether the event's data is in members below the top level.
    nested: bool,
    winlog: bool,
}

/// The best candidate so far: the lowest rank, and of equal ranks the last.
#[derive(Clone, Copy, Default)]
struct Ranked<'a> {
    value: Option<Raw<'a>>,
    rank: u8,
}

impl<'a> Ranked<'a> {
    fn offer(&mut self, rank: u8, value: Raw<'a>) {
        if value.kind != Kind::Null && (self.value.is_none() || rank <= self.rank) {
            *self = Self { value: Some(value), rank };
        }
    }

    fn text(self, arena: &'a Bump) -> &'a str {
        self.value.filter(|value| value.is_scalar()).map_or("", |value| value.to_text(arena))
    }
}

/// Reads a Windows event. `None`: it is not one; an error: it seems to be one, and lacks something.
fn decode<'a>(object: &Object<'a, '_>) -> Result<Option<Outcome<'a>>, Reason> {
    let Object { members, arena, wants, .. } = *object;
    let mut head = Head::default();
    for member in &members.all {
        head.take(member);
    }
    let windows = head.nested || head.winlog;
    // Fluent Bit can render the whole event as XML into one member.
    if let Some(text) = head.xml {
        let text = text.to_text(arena);
        if text.trim_ascii_start().starts_with("<Event") {
            return Ok(Some(Outcome::Wrapped(Wrapped { text, ..Wrapped::default() })));
        }
    }
    if let Some(ecs) = head.ecs.filter(|_| head.winlog) {
        each(ecs, |key, value| match key {
            "code" => head.id.offer(9, value),
            "provider" => head.provider.offer(9, value),
            _ => {}
        });
    }
    let Some(id) = head.id.value else {
        return if windows { Err(Reason::NoEventId) } else { Ok(None) };
    };
    let Some(event_id) = event_id(id) else {
        return if windows || head.provider.value.is_some() { Err(Reason::NoEventId) } else { Ok(None) };
    };
    let channel = head.channel.text(arena);
    let provider = match head.provider.value {
        Some(value) if value.kind == Kind::Object => attribute(value, "Name").map_or("", |name| name.to_text(arena)),
        _ => head.provider.text(arena),
    };
    let provider = if provider.is_empty() { provider_of_channel(channel) } else { provider };
    if provider.is_empty() && channel.is_empty() {
        return if windows { Err(Reason::NoProvider) } else { Ok(None) };
    }
    if !wants(provider, event_id) {
        return Ok(Some(Outcome::NotWanted { provider, event_id }));
    }
    let mut record = WindowsRecord {
        provider,
        event_id,
        version: head.version.and_then(|version| version.text.parse().ok()),
        channel,
        computer: head.computer.text(arena),
        record_id: head.record_id.text(arena),
        time: head.time(arena),
        user_sid: head.user(arena),
        fields: Fields::default(),
    };
    record.fields = fields(members, &head, &record, arena);
    Ok(Some(Outcome::Record(Record::Windows(record))))
}

impl<'a> Head<'a> {
    fn take(&mut self, member: &Member<'a>) {
        let value = member.value;
        match member.section {
            Section::Top => {}
            Section::Winlog => self.winlog = true,
            Section::System | Section::EventData | Section::UserData => self.nested = true,
        }
        let rank = member.role.rank;
        match member.role.part {
            Part::None => {}
            Part::Id => self.id.offer(rank, value),
            Part::Provider => self.provider.offer(rank, value),
            Part::Channel => self.channel.offer(rank, value),
            Part::Computer => self.computer.offer(rank, value),
            Part::RecordId => self.record_id.offer(rank, value),
            Part::User => self.user.offer(rank, value),
            Part::UserElement => {
                if let Some(user) = attribute(value, "UserID") {
                    self.user.offer(rank, user);
                }
            }
            Part::Version => self.version = Some(value),
            Part::Created => {
                let time = if value.kind == Kind::Object { attribute(value, "SystemTime") } else { None };
                self.created = Some(time.unwrap_or(value));
            }
            Part::EventTime => self.event_time = Some(value),
            Part::At => self.at = Some(value),
            Part::OtherTime => self.other_time = Some(value),
            Part::Message => self.message = Some(value),
            Part::Inserts if value.kind == Kind::Array => self.inserts = Some(value),
            Part::DataText if value.kind == Kind::String => self.data_text.offer(rank, value),
            Part::Xml if value.kind == Kind::String => self.xml = Some(value),
            Part::Ecs => self.ecs = Some(value),
            Part::Inserts | Part::DataText | Part::Xml => {}
        }
    }

    fn time(&self, arena: &'a Bump) -> Option<Timestamp> {
        let read = |value: Option<Raw<'a>>| {
            let text = value?.to_text(arena);
            // A date as .NET serialises it: `/Date(1600455621255)/`.
            let text = text.strip_prefix("/Date(").map_or(text, |rest| rest.trim_end_matches(")/"));
            time::parse(text)
        };
        let at = read(self.at);
        if let Some(event) = read(self.event_time) {
            return Some(match at {
                Some(receipt) if !event.zoned && receipt.zoned => time::zone_from_receipt(event.time, receipt.time),
                _ => event.time,
            });
        }
        read(self.created).or(at).or_else(|| read(self.other_time)).map(|moment| moment.time)
    }

    fn user(&self, arena: &'a Bump) -> &'a str {
        match self.user.value {
            Some(object) if object.kind == Kind::Object => {
                let mut sid = "";
                each(object, |key, value| {
                    if matches!(key, "identifier" | "Value") && value.is_scalar() {
                        sid = value.to_text(arena);
                    }
                });
                sid
            }
            _ => self.user.text(arena),
        }
    }
}

/// An event id: a number, a number as text, or an object with either.
pub(crate) fn event_id(value: Raw<'_>) -> Option<u32> {
    match value.kind {
        Kind::Number | Kind::String => {
            let text = value.text.trim();
            text.parse().ok().or_else(|| {
                // `7.0` and `7E0` are numbers as well; some converters write them.
                let number: f64 = text.parse().ok()?;
                (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
            })
        }
        Kind::Object => {
            let mut id = None;
            each(value, |key, inner| {
                if matches!(key, "#text" | "Value" | "_" | "$" | "text" | "$t" | "content" | "_text")
                    && inner.is_scalar()
                {
                    id = inner.text.trim().parse().ok();
                }
            });
            id
        }
        _ => None,
    }
}

/// The attribute of an element that was converted to an object: `{"#attributes":{"Name":..}}`, `{"@Name":..}`,
/// `{"Name":..}`.
pub(crate) fn attribute<'a>(object: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    let mut found = None;
    each(object, |key, value| {
        if matches!(key, "#attributes" | "@attributes" | "$" | "_attributes") && value.kind == Kind::Object {
            each(value, |key, value| {
                if key == name {
                    found = Some(value);
                }
            });
        } else if key.strip_prefix(['@', '-', '_']).unwrap_or(key) == name {
            found = Some(value);
        }
    });
    found
}

/// The provider of a channel, for records that contain only the channel.
fn provider_of_channel(channel: &str) -> &str {
    if channel.eq_ignore_ascii_case("Security") {
        return "Microsoft-Windows-Security-Auditing";
    }
    // `Provider/Operational`: the channel's name contains that of its provider.
    match channel.split_once('/') {
        Some((provider, _)) if provider.len() > "Microsoft-".len() => provider,
        _ => "",
    }
}

/// The event's data.
fn fields<'a>(members: &Members<'a>, head: &Head<'a>, record: &WindowsRecord<'a>, arena: &'a Bump) -> Fields<'a> {
    // A shipper may give the same values twice, with and without names; the named ones are used.
    if let Some(inserts) = head.inserts
        && !members.all.iter().any(|member| member.section == Section::EventData)
    {
        return Fields::Positional(inserted(inserts, arena));
    }
    let mut named = Named::with_capacity_in(members.all.len(), arena);
    let mut unnamed = List::new_in(arena);
    let flat = !head.nested && !head.winlog && head.data_text.value.is_none();
    for member in &members.all {
        match member.section {
            Section::EventData => event_data(member, &mut named, &mut unnamed, arena),
            Section::UserData => leaves(member.key, member.value, &mut named, arena, 0),
            Section::Top
                if flat && member.role.is_field && (member.value.is_scalar() || member.value.kind == Kind::Null) =>
            {
                named.push((field_name(member.key, arena), member.value.to_text(arena)));
            }
            _ => {}
        }
    }
    if let Some(text) = head.data_text.value {
        let text = text.to_text(arena);
        if text.trim_ascii_start().starts_with('{') {
            each(Raw { kind: Kind::Object, text, escaped: false }, |key, value| {
                named.push((unescape(key, arena), value.to_text(arena)));
            });
        } else if let Ok(fields) = xml_fields(text, arena) {
            return fields;
        }
    }
    // Without names, the rendered message may be the only data. It is large and redundant if the data has names, as in
    // nearly all events.
    if flat
        && let Some(message) = head.message
        && !["Microsoft-Windows-Sysmon", "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-PowerShell"]
            .iter()
            .any(|provider| record.provider.eq_ignore_ascii_case(provider))
    {
        named.push(("Message", message.to_text(arena)));
    }
    if named.is_empty() && !unnamed.is_empty() {
        return Fields::Positional(unnamed.into_bump_slice());
    }
    in_order(&mut named);
    Fields::Named(named.into_bump_slice())
}

/// One member of EventData.
fn event_data<'a>(member: &Member<'a>, named: &mut Named<'a>, unnamed: &mut List<'a, &'a str>, arena: &'a Bump) {
    let key = member.key;
    let value = member.value;
    if key.starts_with(['#', '@']) || key == "xmlns" || key.ends_with("_attributes") || key == "Binary" {
        return;
    }
    if key != "Data" {
        let value = match value.kind {
            // An element that kept an attribute: its text is the value.
            Kind::Object => element_text(value).unwrap_or(value),
            _ => value,
        };
        named.push((unescape(key, arena), value.to_text(arena)));
        return;
    }
    let mut take = |item: Raw<'a>| match item.kind {
        Kind::Object => {
            let text = element_text(item);
            match attribute(item, "Name") {
                Some(name) => named.push((name.to_text(arena), text.map_or("", |text| text.to_text(arena)))),
                None => match text {
                    Some(texts) if texts.kind == Kind::Array => {
                        elements(texts, |item| unnamed.push(item.to_text(arena)))
                    }
                    Some(text) => unnamed.push(text.to_text(arena)),
                    None => {}
                },
            }
        }
        _ => unnamed.push(item.to_text(arena)),
    };
    if value.kind == Kind::Array { elements(value, take) } else { take(value) }
}

/// The text of an element that was converted to an object.
fn element_text(object: Raw<'_>) -> Option<Raw<'_>> {
    let mut text = None;
    each(object, |key, value| {
        if matches!(key, "#text" | "$" | "_" | "text" | "$t" | "content" | "_text" | "Value")
            && value.kind != Kind::Object
        {
            text = Some(value);
        }
    });
    text
}

fn elements<'a>(array: Raw<'a>, mut visit: impl FnMut(Raw<'a>)) {
    let mut cursor = Cursor::new(array.text);
    if cursor.enter_array().is_ok() {
        while let Ok(true) = cursor.next_element() {
            let Ok(value) = cursor.value() else { break };
            visit(value);
        }
    }
}

/// The leaves of UserData, named after the innermost element.
fn leaves<'a>(key: &'a str, value: Raw<'a>, named: &mut Named<'a>, arena: &'a Bump, depth: u8) {
    if key.starts_with(['#', '@']) || key.starts_with("xmlns") || key == "xml_name" || key.ends_with("_attributes") {
        return;
    }
    if value.kind != Kind::Object || depth >= 8 {
        named.push((unescape(key, arena), value.to_text(arena)));
    } else if let Some(text) = element_text(value) {
        named.push((unescape(key, arena), text.to_text(arena)));
    } else {
        each(value, |key, value| leaves(key, value, named, arena, depth + 1));
    }
}

/// Values by position: scalars, or objects with a `Value`.
fn inserted<'a>(array: Raw<'a>, arena: &'a Bump) -> &'a [&'a str] {
    let mut values = List::new_in(arena);
    elements(array, |item| {
        let item = if item.kind == Kind::Object { element_text(item).unwrap_or(item) } else { item };
        values.push(item.to_text(arena));
    });
    values.into_bump_slice()
}

/// A field's name; escapes are rare, so a short loop is faster than a search.
fn field_name<'a>(key: &'a str, arena: &'a Bump) -> &'a str {
    if key.as_bytes().contains(&b'\\') { unescape(key, arena) } else { key }
}

/// Winlogbeat calls unnamed values `param1`, `param2`, ..., and sorts its keys as text: `param10` precedes `param2`.
/// They are sorted by number, because normalisers access them by position.
fn in_order(named: &mut Named<'_>) {
    let number = |name: &str| name.strip_prefix("param").and_then(|digits| digits.parse::<u32>().ok());
    if named.len() > 1 && named.iter().all(|(name, _)| number(name).is_some()) {
        named.sort_by_key(|(name, _)| number(name));
    }
}

#[cfg(test)]
#[path = "windows_json_tests.rs"]
mod tests;
