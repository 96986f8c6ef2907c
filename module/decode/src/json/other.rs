//! JSON records that are no Windows events: laurel, Zeek, Endpoint Security, journald and syslog in pieces, our own
//! events, and what shippers wrap around a record.

use backchannel_events::Timestamp;
use backchannel_normalize::{Record, SyslogLine, ZeekRecord};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::scan::{Cursor, Kind, Raw, unescape};
use super::{Members, Outcome, Wrapped, typed};
use crate::text::zeek::guess_log;
use crate::{Format, time};

/// The format of an object with these members, where they tell.
pub(super) fn format(members: &Members<'_>) -> Option<Format> {
    if is_laurel(members) {
        Some(Format::Laurel)
    } else if is_endpoint_security(members) {
        Some(Format::EndpointSecurity)
    } else if members.has("activity") && members.has("time") {
        Some(Format::Events)
    } else if is_zeek(members) {
        Some(Format::ZeekJson)
    } else {
        None
    }
}

/// Reads an object with these members; `text` is the whole of it.
pub(super) fn decode<'a>(text: &'a str, members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    match format(members) {
        Some(Format::Laurel) => return Some(Outcome::Record(Record::Laurel(text))),
        Some(Format::EndpointSecurity) => return Some(Outcome::Record(Record::EndpointSecurity(text))),
        Some(Format::Events) => {
            if let Some(event) = typed::event(text, arena) {
                return Some(Outcome::Record(Record::Event(event)));
            }
        }
        Some(Format::ZeekJson) => return Some(Outcome::Record(zeek(members, arena))),
        _ => {}
    }
    journald(members, arena).or_else(|| syslog(members, arena)).or_else(|| wrapped(members, arena))
}

/// `ID` is the event's `time:serial`, and a member is named by a record type.
fn is_laurel(members: &Members<'_>) -> bool {
    members.top("ID").is_some_and(|id| {
        id.kind == Kind::String
            && id.text.split_once(':').is_some_and(|(time, serial)| {
                time.bytes().all(|b| b.is_ascii_digit() || b == b'.') && serial.bytes().all(|b| b.is_ascii_digit())
            })
    }) && members.all.iter().any(|member| {
        matches!(member.value.kind, Kind::Object | Kind::Array)
            && member.key.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    })
}

fn is_endpoint_security(members: &Members<'_>) -> bool {
    let object = |key| members.top(key).is_some_and(|value| value.kind == Kind::Object);
    object("event") && object("process") && members.has("event_type")
}

fn is_zeek(members: &Members<'_>) -> bool {
    let has_any = |keys: &[&str]| keys.iter().any(|key| members.has(key));
    has_any(&["ts", "_write_ts"]) && has_any(&["uid", "_path", "@stream", "id.orig_h", "id_orig_h", "fuid", "id"])
}

fn zeek<'a>(members: &Members<'a>, arena: &'a Bump) -> Record<'a> {
    let mut fields = BumpVec::with_capacity_in(members.all.len(), arena);
    let mut log = "";
    for member in &members.all {
        match (member.key, member.value.kind) {
            (_, Kind::Null) => {}
            ("_path" | "@stream" | "@path", Kind::String) => log = member.value.to_text(arena),
            ("id", Kind::Object) => each(member.value, |key, value| {
                fields.push((bumpalo::format!(in arena, "id.{}", key).into_bump_str() as &str, value.to_text(arena)));
            }),
            (key, _) if key.starts_with(['@', '_']) => {}
            (key, _) => {
                let key = match key {
                    "id_orig_h" => "id.orig_h",
                    "id_orig_p" => "id.orig_p",
                    "id_resp_h" => "id.resp_h",
                    "id_resp_p" => "id.resp_p",
                    key => unescape(key, arena),
                };
                fields.push((key, member.value.to_text(arena)));
            }
        }
    }
    let fields = fields.into_bump_slice();
    if log.is_empty() {
        log = guess_log(|name| fields.iter().any(|(field, _)| *field == name));
    }
    Record::Zeek(ZeekRecord { log, fields })
}

/// Calls `visit` with each member of an object; what is broken in it ends the visit.
pub(super) fn each<'a>(object: Raw<'a>, mut visit: impl FnMut(&'a str, Raw<'a>)) {
    let mut cursor = Cursor::new(object.text);
    if object.kind == Kind::Object && cursor.enter_object().is_ok() {
        while let Ok(Some(key)) = cursor.next_key() {
            let Ok(value) = cursor.value() else { break };
            visit(key, value);
        }
    }
}

/// `journalctl -o json`.
fn journald<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let message = members.top("MESSAGE")?;
    (members.has("__REALTIME_TIMESTAMP") || members.has("SYSLOG_IDENTIFIER") || members.has("_HOSTNAME"))
        .then_some(())?;
    let micros = members.text(&["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"], arena);
    Some(Outcome::Syslog(SyslogLine {
        time: micros.parse::<i64>().ok().and_then(|micros| micros.checked_mul(1_000)).map(Timestamp),
        host: members.text(&["_HOSTNAME"], arena),
        program: members.text(&["SYSLOG_IDENTIFIER", "_COMM"], arena),
        pid: members.text(&["SYSLOG_PID", "_PID"], arena).parse().ok(),
        message: bytes_or_text(message, arena),
    }))
}

/// journald writes a message that is no UTF-8 as an array of its bytes.
fn bytes_or_text<'a>(value: Raw<'a>, arena: &'a Bump) -> &'a str {
    if value.kind != Kind::Array {
        return value.to_text(arena);
    }
    let bytes: Vec<u8> =
        value.text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    arena.alloc_str(&String::from_utf8_lossy(&bytes))
}

/// A syslog line that a shipper took apart.
fn syslog<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let program = members.text(
        &["ident", "programname", "program", "appname", "app-name", "app_name", "SYSLOG_IDENTIFIER", "tag"],
        arena,
    );
    (!program.is_empty()).then_some(())?;
    let message = ["message", "msg", "MESSAGE"]
        .iter()
        .find_map(|key| members.top(key).filter(|value| value.kind == Kind::String))?;
    Some(Outcome::Syslog(SyslogLine {
        time: outer_time(members, arena),
        host: host(members, arena),
        program,
        pid: members.text(&["pid", "procid", "proc_id", "process_id"], arena).parse().ok(),
        message: message.to_text(arena),
    }))
}

/// The shipper's time of the record.
fn outer_time<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Timestamp> {
    let text = members.text(&["time", "timestamp", "timereported", "@timestamp", "date", "ts", "_time"], arena);
    time::parse(text).map(|moment| moment.time)
}

/// The host a shipper names: text, or `host.name`.
fn host<'a>(members: &Members<'a>, arena: &'a Bump) -> &'a str {
    let text = members.text(&["host", "hostname", "logsource", "fromhost", "host.name", "host.hostname"], arena);
    if !text.is_empty() {
        return text;
    }
    let mut name = "";
    if let Some(object) = members.top("host") {
        each(object, |key, value| {
            if key == "name" || (key == "hostname" && name.is_empty()) {
                name = value.to_text(arena);
            }
        });
    }
    name
}

/// What a shipper wrapped: an object of its own, or text.
fn wrapped<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let inside =
        |text| Outcome::Wrapped(Wrapped { text, host: host(members, arena), time: outer_time(members, arena) });
    for key in ["_source", "result"] {
        if let Some(object) = members.top(key).filter(|value| value.kind == Kind::Object) {
            return Some(inside(object.text));
        }
    }
    // The original comes before what a pipeline may have made of it.
    let mut original = "";
    if let Some(event) = members.top("event") {
        match event.kind {
            Kind::String => original = event.to_text(arena),
            _ => each(event, |key, value| {
                if key == "original" {
                    original = value.to_text(arena);
                }
            }),
        }
    }
    if original.is_empty() {
        original = members.text(&["event.original"], arena);
    }
    if original.is_empty() {
        original = ["_raw", "log", "message", "msg", "raw", "line", "System", "MESSAGE", "Message"]
            .iter()
            .find_map(|key| members.top(key).filter(|value| value.kind == Kind::String && value.text.len() > 2))
            .map_or("", |value| value.to_text(arena));
    }
    (!original.is_empty()).then(|| inside(original))
}
