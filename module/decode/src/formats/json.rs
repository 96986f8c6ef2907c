//! JSON without a format of its own: lines that journald and syslog daemons converted, and the wrappers of shippers.

use backchannel_events::Timestamp;
use backchannel_normalize::SyslogLine;
use bumpalo::Bump;

use super::{About, Carrier, Example, Outcome, Shape, Spec, Wrapped};
use crate::json::Members;
use crate::json::scan::{Kind, Raw, each};
use crate::time;

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "json",
        title: "JSON",
        description: "JSON objects of any format listed here, each recognised separately; wrappers that log shippers put around \
                      a record are removed, at most four levels.",
        recognised: "It is JSON, and its first object has no other format.",
        examples: &[
            Example {
                shape: "journalctl -o json",
                record: r#"{"__REALTIME_TIMESTAMP":"1700000000000000","_HOSTNAME":"app07","SYSLOG_IDENTIFIER":"sudo","_PID":"812","MESSAGE":"erin : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/id"}"#,
            },
            Example {
                shape: "syslog in members (Fluent Bit's parser, rsyslog's and syslog-ng's JSON templates)",
                record: r#"{"time":"2023-11-14T22:13:20Z","host":"app07","ident":"sudo","pid":"812","message":"erin : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/id"}"#,
            },
            Example {
                shape: "a record as text, or as an object, in a shipper's object (Filebeat, Fluent Bit, Splunk, search hits)",
                record: r#"{"@timestamp":"2023-11-14T22:13:20Z","host":{"name":"app07"},"message":"type=CWD msg=audit(1700000000.123:456): cwd=\"/\""}"#,
            },
        ],
    },
    carrier: Carrier::Json(&[JOURNALD, SYSLOG, WRAPPED]),
};

const JOURNALD: Shape = Shape {
    keys: &[&["MESSAGE"], &["__REALTIME_TIMESTAMP", "SYSLOG_IDENTIFIER", "_HOSTNAME"]],
    is: |_| true,
    read: |object| Ok(journald(object.members, object.arena)),
};

const SYSLOG: Shape =
    Shape { keys: &[&PROGRAM, &MESSAGE], is: |_| true, read: |object| Ok(syslog(object.members, object.arena)) };

/// The last of all shapes: nearly any object can be a wrapper.
pub(super) const WRAPPED: Shape =
    Shape { keys: &[], is: |_| true, read: |object| Ok(wrapped(object.members, object.arena)) };

/// Keys under which shippers store the program and the message of a syslog line.
const PROGRAM: [&str; 8] =
    ["ident", "programname", "program", "appname", "app-name", "app_name", "SYSLOG_IDENTIFIER", "tag"];
const MESSAGE: [&str; 3] = ["message", "msg", "MESSAGE"];

/// `journalctl -o json`.
fn journald<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let message = members.top("MESSAGE")?;
    let micros = members.text(&["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"], arena);
    Some(Outcome::Syslog(SyslogLine {
        time: micros.parse::<i64>().ok().and_then(|micros| micros.checked_mul(1_000)).map(Timestamp),
        host: members.text(&["_HOSTNAME"], arena),
        program: members.text(&["SYSLOG_IDENTIFIER", "_COMM"], arena),
        pid: members.text(&["SYSLOG_PID", "_PID"], arena).parse().ok(),
        message: bytes_or_text(message, arena),
    }))
}

/// journald writes a message that is not UTF-8 as an array of its bytes.
fn bytes_or_text<'a>(value: Raw<'a>, arena: &'a Bump) -> &'a str {
    if value.kind != Kind::Array {
        return value.to_text(arena);
    }
    let bytes: Vec<u8> =
        value.text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    arena.alloc_str(&String::from_utf8_lossy(&bytes))
}

/// A syslog line that a shipper split into members.
fn syslog<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let program = members.text(&PROGRAM, arena);
    (!program.is_empty()).then_some(())?;
    let message = MESSAGE.iter().find_map(|key| members.top(key).filter(|value| value.kind == Kind::String))?;
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

/// The host according to a shipper: text, or `host.name`.
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

/// The wrapped record: an object, or text.
fn wrapped<'a>(members: &Members<'a>, arena: &'a Bump) -> Option<Outcome<'a>> {
    let inside =
        |text| Outcome::Wrapped(Wrapped { text, host: host(members, arena), time: outer_time(members, arena) });
    for key in ["_source", "result"] {
        if let Some(object) = members.top(key).filter(|value| value.kind == Kind::Object) {
            return Some(inside(object.text));
        }
    }
    // The original text takes precedence over what a pipeline may have derived from it.
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
