//! Windows events in EVTX files.

use super::file::LazyFile;
use super::{level, opcode, qualifiers, task};
use crate::record::{INSTALLER, Record, Value, WindowsEvent};
use evtx_writer::{Data, Event, FileWriter, Guid, Value as Stored};
use std::borrow::Cow;
use std::io;

pub(crate) fn push(log: &mut FileWriter<LazyFile>, record: &Record, event: &WindowsEvent) -> io::Result<()> {
    let provider = event.provider;
    let classic = provider.index == INSTALLER.index;
    let data = match classic {
        true => Data::unnamed(event.fields.iter().map(|(_, value)| value.to_string())),
        false => Data::Named(event.fields.iter().map(|(name, value)| (Cow::Borrowed(*name), stored(value))).collect()),
    };
    log.push(&Event {
        provider: provider.name,
        provider_guid: provider.guid.parse().ok(),
        event_id: event.event_id,
        qualifiers: qualifiers(event),
        version: event.version,
        level: level(event),
        task: task(event),
        opcode: opcode(event),
        keywords: provider.keywords,
        time_ns: record.time_ns,
        record_id: event.record_id,
        process_id: event.process_id,
        thread_id: event.thread_id,
        channel: provider.channel,
        computer: &record.host_name,
        user: provider.user.parse().ok(),
        data,
        ..Event::default()
    })
}

fn stored(value: &Value) -> Stored<'_> {
    match value {
        Value::Text(text) => Stored::Text(Cow::Borrowed(text)),
        Value::Number(number) => Stored::U32(*number),
        Value::Hex(number) => Stored::Hex64(*number),
        Value::Guid(bytes) => Stored::Guid(Guid(*bytes)),
        Value::Sid(text) => match text.parse() {
            Ok(sid) => Stored::Sid(sid),
            Err(_) => Stored::Text(Cow::Borrowed(text)),
        },
        Value::Bool(truth) => Stored::Bool(*truth),
    }
}
