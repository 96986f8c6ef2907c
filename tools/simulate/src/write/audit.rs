//! Audit events as the audit daemon's raw lines.

use crate::clock;
use crate::record::{AuditRecord, AuditValue, Record};
use std::fmt::Write;

pub(crate) fn write(out: &mut String, record: &Record, serial: u64, records: &[AuditRecord]) {
    for audit in records {
        let seconds = record.time_ns.div_euclid(clock::SECOND) as u64;
        let millis = record.time_ns.rem_euclid(clock::SECOND) as u64 / clock::MILLI as u64;
        out.push_str("node=");
        out.push_str(&record.host_name);
        out.push_str(" type=");
        out.push_str(audit.kind);
        out.push_str(" msg=audit(");
        clock::digits(out, seconds, 1);
        out.push('.');
        clock::digits(out, millis, 3);
        out.push(':');
        clock::digits(out, serial, 1);
        out.push_str("):");
        for (name, value) in &audit.fields {
            out.push(' ');
            out.push_str(name);
            out.push('=');
            write_value(out, value);
        }
        if !audit.message.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(out, " msg='{}'", audit.message);
        }
        out.push('\n');
    }
}

fn write_value(out: &mut String, value: &AuditValue) {
    match value {
        AuditValue::Plain(text) => out.push_str(text),
        AuditValue::Number(number) if *number >= 0 => clock::digits(out, *number as u64, 1),
        AuditValue::Number(number) => {
            let _ = write!(out, "{number}");
        }
        AuditValue::Hex(number) => {
            let _ = write!(out, "{number:x}");
        }
        // Same encoding as `audit_log_untrustedstring` of the kernel.
        AuditValue::Untrusted(text) if text.bytes().any(|byte| byte <= b' ' || byte > b'~' || byte == b'"') => {
            for byte in text.bytes() {
                let _ = write!(out, "{byte:02X}");
            }
        }
        AuditValue::Untrusted(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_blank_is_written_in_hexadecimal() {
        let written = |text: &'static str| {
            let mut out = String::new();
            write_value(&mut out, &AuditValue::Untrusted(text.into()));
            out
        };
        assert_eq!(written("nc"), "\"nc\"");
        assert_eq!(written("a b"), "612062");
        assert_eq!(written("é"), "C3A9");
    }
}
