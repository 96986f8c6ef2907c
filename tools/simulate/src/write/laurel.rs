//! Audit events in laurel's format: one JSON object per event, arguments as lists, addresses percent-encoded.

use super::json::{Object, string};
use crate::clock;
use crate::record::{AuditRecord, AuditValue, Record};

pub(crate) fn write(out: &mut String, record: &Record, serial: u64, records: &[AuditRecord]) {
    let millis = record.time_ns.div_euclid(clock::MILLI) as u64;
    let mut root = Object::open(out);
    root.text("ID", &format!("{}.{:03}:{serial}", millis / 1000, millis % 1000)).text("NODE", &record.host_name);
    let mut rest = records;
    while let Some(first) = rest.first() {
        // Records of one type are grouped; some types are always lists.
        let count = rest.iter().take_while(|other| other.kind == first.kind).count();
        let (group, after) = rest.split_at(count);
        rest = after;
        if matches!(first.kind, "PATH" | "SOCKADDR" | "LOGIN") {
            root.member(first.kind, |out| {
                for (number, audit) in group.iter().enumerate() {
                    out.push(if number == 0 { '[' } else { ',' });
                    object(out, audit);
                }
                out.push(']');
            });
        } else {
            root.member(first.kind, |out| object(out, first));
        }
    }
    root.close();
    out.push('\n');
}

fn object(out: &mut String, audit: &AuditRecord) {
    let mut object = Object::open(out);
    let mut list: Vec<String> = Vec::new();
    for (name, value) in &audit.fields {
        match value {
            AuditValue::Untrusted(text) if audit.kind == "EXECVE" => list.push(text.to_string()),
            AuditValue::Untrusted(text) if audit.kind == "PROCTITLE" => {
                list.extend(text.split('\0').map(str::to_owned));
            }
            AuditValue::Hex(number) => list.push(format!("{number:#x}")),
            AuditValue::Untrusted(text) => {
                object.text(name, text);
            }
            AuditValue::Number(number) => {
                object.raw(name, &number.to_string());
            }
            AuditValue::Plain(text) => match &**name {
                "arch" => {
                    object.text(name, &format!("0x{}", &**text));
                }
                "mode" => {
                    object.text(name, &format!("0o{}", text.trim_start_matches('0')));
                }
                "saddr" => {
                    object.text(name, &percent(text));
                }
                _ => {
                    object.text(name, text);
                }
            },
        }
    }
    if !list.is_empty() {
        object.member("ARGV", |out| {
            for (number, argument) in list.iter().enumerate() {
                out.push(if number == 0 { '[' } else { ',' });
                string(out, argument);
            }
            out.push(']');
        });
    }
    if !audit.message.is_empty() {
        object.text("msg", &audit.message);
    }
    object.close();
}

/// Decodes hexadecimal bytes; those that are not printable ASCII become `%xx`.
fn percent(digits: &str) -> String {
    let nibble = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let mut out = String::with_capacity(digits.len());
    for pair in digits.as_bytes().chunks(2) {
        let byte = pair.iter().fold(0, |sum, digit| sum << 4 | nibble(*digit));
        match byte {
            b'%' | 0..=31 | 127.. => out.push_str(&format!("%{byte:02x}")),
            byte => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_bytes() {
        assert_eq!(percent("01002F72756E2F6100"), "%01%00/run/a%00");
        assert_eq!(percent("25FF"), "%25%ff");
    }
}
