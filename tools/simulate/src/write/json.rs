//! Windows events as JSON, in the formats of several shippers.

use super::{level, opcode, qualifiers, task};
use crate::clock;
use crate::record::{INSTALLER, Record, Value, WindowsEvent};
use std::fmt::Write;

/// A JSON object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Object { out, first: true }
    }

    fn key(&mut self, name: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        string(self.out, name);
        self.out.push(':');
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        string(self.out, value);
        self
    }

    pub(crate) fn number(&mut self, name: &str, value: impl Into<u64>) -> &mut Self {
        self.key(name);
        clock::digits(self.out, value.into(), 1);
        self
    }

    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.key(name);
        self.out.push_str(json);
        self
    }

    /// A member that `write` writes.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) -> &mut Self {
        self.key(name);
        write(self.out);
        self
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        self.member(name, |out| {
            let mut object = Object::open(out);
            fill(&mut object);
            object.close();
        })
    }

    pub(crate) fn close(self) {
        self.out.push('}');
    }
}

/// Appends a JSON string.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            character => out.push(character),
        }
    }
    out.push('"');
}

/// A value as a string, as most shippers write all values.
fn as_text(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) | Value::Sid(text) => string(out, text),
        Value::Number(number) => {
            out.push('"');
            clock::digits(out, u64::from(*number), 1);
            out.push('"');
        }
        value => {
            out.push('"');
            let _ = write!(out, "{value}");
            out.push('"');
        }
    }
}

/// A value with JSON numbers and booleans.
fn typed(out: &mut String, value: &Value) {
    match value {
        Value::Number(number) => clock::digits(out, u64::from(*number), 1),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        value => as_text(out, value),
    }
}

fn is_classic(event: &WindowsEvent) -> bool {
    event.provider.index == INSTALLER.index
}

/// As the evtx crate writes it.
pub(crate) fn evtx(out: &mut String, record: &Record, event: &WindowsEvent) {
    let provider = event.provider;
    let mut root = Object::open(out);
    root.object("Event", |root| {
        root.object("#attributes", |object| {
            object.text("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event");
        });
        root.object("System", |system| {
            system.object("Provider", |object| {
                object.object("#attributes", |object| {
                    object.text("Name", provider.name);
                    if !provider.guid.is_empty() {
                        object.text("Guid", provider.guid.trim_matches(['{', '}']));
                    }
                });
            });
            match qualifiers(event) {
                Some(qualifiers) => system.object("EventID", |object| {
                    object.object("#attributes", |object| {
                        object.number("Qualifiers", qualifiers);
                    });
                    object.number("#text", event.event_id);
                }),
                None => system.number("EventID", event.event_id),
            };
            system.number("Version", event.version).number("Level", level(event)).number("Task", task(event));
            system.number("Opcode", opcode(event)).text("Keywords", &format!("{:#x}", provider.keywords));
            system.object("TimeCreated", |object| {
                object.object("#attributes", |object| {
                    object.text("SystemTime", &clock::rfc_3339(record.time_ns));
                });
            });
            system.number("EventRecordID", event.record_id).raw("Correlation", "null");
            system.object("Execution", |object| {
                object.object("#attributes", |object| {
                    object.number("ProcessID", event.process_id).number("ThreadID", event.thread_id);
                });
            });
            system.text("Channel", provider.channel).text("Computer", &record.host_name);
            if provider.user.is_empty() {
                system.raw("Security", "null");
            } else {
                system.object("Security", |object| {
                    object.object("#attributes", |object| {
                        object.text("UserID", provider.user);
                    });
                });
            }
        });
        root.object("EventData", |data| {
            if is_classic(event) {
                data.object("Data", |object| {
                    object.member("#text", |out| list(out, event, as_text));
                });
            } else {
                for (name, value) in &event.fields {
                    data.member(name, |out| typed(out, value));
                }
            }
        });
    });
    root.close();
}

fn list(out: &mut String, event: &WindowsEvent, write: fn(&mut String, &Value)) {
    out.push('[');
    for (number, (_, value)) in event.fields.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(out, value);
    }
    out.push(']');
}

/// As Winlogbeat 8 writes it, without the copies in ECS fields.
pub(crate) fn winlogbeat(out: &mut String, record: &Record, event: &WindowsEvent) {
    let provider = event.provider;
    let mut time = String::new();
    clock::write(&mut time, record.time_ns, 'T', 3);
    time.push('Z');
    let mut root = Object::open(out);
    root.text("@timestamp", &time);
    root.object("event", |object| {
        object.text("code", &event.event_id.to_string()).text("kind", "event").text("provider", provider.name);
    });
    root.object("host", |object| {
        object.text("name", &record.host_name);
    });
    root.object("log", |object| {
        object.text("level", if level(event) == 3 { "warning" } else { "information" });
    });
    root.object("winlog", |object| {
        object.text("channel", provider.channel).text("computer_name", &record.host_name);
        object.text("event_id", &event.event_id.to_string()).text("provider_name", provider.name);
        if !provider.guid.is_empty() {
            object.text("provider_guid", provider.guid);
        }
        object.number("record_id", event.record_id).number("version", event.version);
        object.object("process", |object| {
            object.number("pid", event.process_id).object("thread", |object| {
                object.number("id", event.thread_id);
            });
        });
        if !provider.user.is_empty() {
            object.object("user", |object| {
                object.text("identifier", provider.user);
            });
        }
        object.object("event_data", |object| {
            for (number, (name, value)) in event.fields.iter().enumerate() {
                if is_classic(event) {
                    object.member(&format!("param{}", number + 1), |out| as_text(out, value));
                } else {
                    object.member(name, |out| as_text(out, value));
                }
            }
        });
    });
    root.close();
}

/// As NXLog writes it: flat, with local times in seconds, and its own `EventType` in place of Sysmon's.
pub(crate) fn nxlog(out: &mut String, record: &Record, event: &WindowsEvent) {
    let provider = event.provider;
    let mut time = String::new();
    clock::write(&mut time, record.time_ns, ' ', 0);
    let mut received = String::new();
    clock::write(&mut received, record.time_ns + 2 * clock::SECOND, ' ', 0);
    let kind = match event.provider.index {
        1 => "AUDIT_SUCCESS",
        _ if level(event) == 3 => "WARNING",
        _ => "INFO",
    };
    let mut root = Object::open(out);
    root.text("EventTime", &time).text("Hostname", &record.host_name);
    // A signed number, as NXLog has it.
    root.raw("Keywords", &(provider.keywords as i64).to_string());
    root.text("EventType", kind).text("Severity", "INFO").number("SeverityValue", 2_u32);
    root.number("EventID", event.event_id).text("SourceName", provider.name);
    if !provider.guid.is_empty() {
        root.text("ProviderGuid", provider.guid);
    }
    root.number("Version", event.version).number("Task", task(event)).number("OpcodeValue", opcode(event));
    root.number("RecordNumber", event.record_id).number("ExecutionProcessID", event.process_id);
    root.number("ThreadID", event.thread_id).text("Channel", provider.channel);
    if provider.user == "S-1-5-18" {
        root.text("Domain", "NT AUTHORITY").text("AccountName", "SYSTEM").text("UserID", provider.user);
    }
    for (number, (name, value)) in event.fields.iter().enumerate() {
        match *name {
            "EventType" => {}
            "" => {
                root.member(&format!("Data_{}", number + 1), |out| as_text(out, value));
            }
            name => {
                root.member(name, |out| as_text(out, value));
            }
        }
    }
    root.text("EventReceivedTime", &received).text("SourceModuleName", "eventlog");
    root.text("SourceModuleType", "im_msvistalog");
    root.close();
}

/// As Fluent Bit's winevtlog reads it: values by position, without names.
pub(crate) fn fluent_bit(out: &mut String, record: &Record, event: &WindowsEvent) {
    let provider = event.provider;
    let mut time = String::new();
    clock::write(&mut time, record.time_ns, ' ', 0);
    time.push_str(" +0000");
    let mut root = Object::open(out);
    root.text("ProviderName", provider.name).text("ProviderGuid", provider.guid);
    root.raw("Qualifiers", &qualifiers(event).map_or_else(|| "\"\"".to_owned(), |number| number.to_string()));
    root.number("EventID", event.event_id).number("Version", event.version).number("Level", level(event));
    root.number("Task", task(event)).number("Opcode", opcode(event));
    root.text("Keywords", &format!("{:#x}", provider.keywords)).text("TimeCreated", &time);
    root.number("EventRecordID", event.record_id).text("ActivityID", "").text("RelatedActivityID", "");
    root.number("ProcessID", event.process_id).number("ThreadID", event.thread_id);
    root.text("Channel", provider.channel).text("Computer", &record.host_name).text("UserID", provider.user);
    root.text("Message", "").member("StringInserts", |out| list(out, event, typed));
    root.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_survives_json() {
        let text = "a\"b\\c\nd\te\u{1}é";
        let mut out = String::new();
        string(&mut out, text);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
