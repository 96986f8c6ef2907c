//! Reads laurel's JSON objects, one per event, into the same [`AuditEvent`] that lines are joined to.
//!
//! laurel 0.5 to 0.7: `ID`, `NODE`, then one object (or a list of objects) per record type. Bytes that are not UTF-8,
//! control characters and `%` are percent-encoded; modes are `0o..`, addresses `0x..`, arguments lists. What laurel
//! adds from its own process table (`PPID`, `PID`, labels) is ignored, so that the same activity gives the same events
//! from lines and from laurel.

use backchannel_events::ProcessEvent;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use serde_json::{Map, Value};

use crate::auditd::event::{AuditEvent, IpcRecord, ObjectRecord, PathRecord, SyscallRecord};
use crate::auditd::fields::{Field, lossy};
use crate::auditd::lines::moment_of;
use crate::auditd::{Auditd, convert, user};
use crate::{Accepted, Place};

/// Normalises one object.
pub(crate) fn accept(
    text: &str,
    state: &mut Auditd,
    place: Place<'_>,
    arena: &Bump,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) -> Accepted {
    // serde_json rejects nesting beyond 128 levels, so no input can exhaust the stack.
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
        state.count_malformed();
        return Accepted::NotUsed;
    };
    let stamp = object.get("ID").and_then(Value::as_str).and_then(|id| id.split_once(':'));
    let Some((time, serial)) = stamp.and_then(|(moment, serial)| Some((moment_of(moment)?, serial))) else {
        state.count_malformed();
        return Accepted::NotUsed;
    };
    let serial = arena.alloc_str(serial);
    let host = match object.get("NODE") {
        Some(node) => text_of(node, arena),
        None => arena.alloc_str(place.default_host),
    };
    let input = arena.alloc_str(place.input);
    let mut event = AuditEvent::new(time, serial, arena);
    event.host = host;
    event.input = input;
    event.line = place.line;
    let stamp = user::Stamp { time, serial, host, input, line: place.line };
    let mut count = 0;
    for (kind, value) in &object {
        let records = match value {
            Value::Array(records) => records.as_slice(),
            Value::Object(_) => core::slice::from_ref(value),
            _ => continue,
        };
        for record in records.iter().filter_map(Value::as_object) {
            if user::is_used(kind) {
                let mut user_record = user::UserRecord::new(arena.alloc_str(kind), arena);
                for (name, value) in record {
                    let quote = if name == "msg" { '\'' } else { '"' };
                    user_record.add(Field { name: arena.alloc_str(name), value: text_of(value, arena), quote });
                }
                count += u32::from(user_record.emit(stamp, sink));
            } else {
                fill(&mut event, kind, record, arena);
            }
        }
    }
    if event.syscall.is_some() {
        count += u32::from(convert::emit(&event, &mut state.names, arena, sink));
    }
    if count > 0 { Accepted::Events(count) } else { Accepted::NotUsed }
}

fn fill<'a>(event: &mut AuditEvent<'a>, kind: &str, record: &Map<String, Value>, arena: &'a Bump) {
    match kind {
        "SYSCALL" => {
            let mut syscall = SyscallRecord::default();
            for (name, value) in record {
                match (name.as_str(), value) {
                    ("ARGV", Value::Array(values)) => {
                        for (name, value) in ["a0", "a1", "a2", "a3"].iter().zip(values) {
                            syscall.set(name, text_of(value, arena));
                        }
                    }
                    // The resolved name is in the same record as its number, which identifies the type.
                    (_, Value::Object(_) | Value::Array(_) | Value::Null) => {}
                    (name, value) => syscall.set(name, text_of(value, arena)),
                }
            }
            event.syscall = Some(syscall);
        }
        "PATH" => {
            let mut path = PathRecord::default();
            each(record, arena, |name, value| path.set(name, value));
            event.paths.push(path);
        }
        "CWD" => each(record, arena, |name, value| {
            if name == "cwd" {
                event.directory = value;
            }
        }),
        "SOCKADDR" => {
            if let Some(Value::String(text)) = record.get("saddr") {
                event.address = Some(decode(text, arena));
            }
        }
        "PROCTITLE" => event.title = list(record, arena),
        "EXECVE" => event.arguments = list(record, arena),
        "OBJ_PID" if event.object.is_none() => {
            let mut object = ObjectRecord::default();
            each(record, arena, |name, value| object.set(name, value));
            event.object = Some(object);
        }
        "IPC" => {
            let mut ipc = IpcRecord::default();
            each(record, arena, |name, value| ipc.set(name, value));
            event.ipc = Some(ipc);
        }
        _ => {}
    }
}

fn each<'a>(record: &Map<String, Value>, arena: &'a Bump, mut set: impl FnMut(&str, &'a str)) {
    for (name, value) in record {
        if !value.is_object() && !value.is_array() {
            set(name, text_of(value, arena));
        }
    }
}

/// `ARGV`, or `ARGV_STR` if laurel is configured to join the arguments.
fn list<'a>(record: &Map<String, Value>, arena: &'a Bump) -> &'a [&'a str] {
    let mut all = BumpVec::new_in(arena);
    match (record.get("ARGV"), record.get("ARGV_STR")) {
        (Some(Value::Array(values)), _) => all.extend(values.iter().map(|value| text_of(value, arena))),
        (_, Some(value)) => all.push(text_of(value, arena)),
        _ => {}
    }
    all.into_bump_slice()
}

/// A value as decoded text. `null` becomes empty.
fn text_of<'a>(value: &Value, arena: &'a Bump) -> &'a str {
    match value {
        Value::String(text) => lossy(decode(text, arena), arena),
        Value::Number(number) => arena.alloc_str(&number.to_string()),
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Null | Value::Array(_) | Value::Object(_) => "",
    }
}

/// Decodes percent-encoding. A `%` without two hexadecimal digits is kept.
fn decode<'a>(text: &str, arena: &'a Bump) -> &'a [u8] {
    let bytes = text.as_bytes();
    let mut decoded = BumpVec::with_capacity_in(bytes.len(), arena);
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let pair = text.get(index + 1..index + 3).filter(|_| byte == b'%');
        match pair
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|p| u8::from_str_radix(p, 16).ok())
        {
            Some(value) => {
                decoded.push(value);
                index += 3;
            }
            None => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    decoded.into_bump_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_to_bytes() {
        let arena = Bump::new();
        assert_eq!(decode("%01%00%00a%25b%", &arena), b"\x01\0\0a%b%");
        assert_eq!(decode("\u{e9}%zz%2", &arena), "\u{e9}%zz%2".as_bytes());
    }
}
