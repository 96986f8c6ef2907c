//! Lines of the Linux audit log. Recognised here; the fields are parsed by `backchannel-normalize`.

use backchannel_normalize::{AuditLine, Record};
use bumpalo::Bump;

use super::{About, Carrier, Context, Example, Failure, Outcome, Spec, TextFormat, syslog};
use crate::{Decoded, Decoder, Framing, Reason};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "auditd",
        title: "Linux audit log",
        description: "Linux audit records, raw or enriched, one per line, from auditd, `ausearch` or syslog.",
        recognised: "One of the first eight lines is `type=... msg=audit(...)`, with or without `node=`.",
        examples: &[
            Example { shape: "auditd", record: r#"type=CWD msg=audit(1700000000.123:456): cwd="/""# },
            Example {
                shape: "auditd with the host's name",
                record: r#"node=app07 type=CWD msg=audit(1700000000.123:456): cwd="/""#,
            },
        ],
    },
    carrier: Carrier::Text(TextFormat {
        framing: Framing::Lines,
        recognise: |start| start.line(is_line),
        read,
        inside: Some(|_, outer, text, context| {
            let text = in_message(outer.program.unwrap_or(""), outer.host, text, context.arena)?;
            Some(Ok(Outcome::Record(Record::Audit(AuditLine { text }))))
        }),
    }),
};

const NOT_AUDIT: Reason = Reason::Format { code: "not-audit", text: "expected `type=... msg=audit(...):`" };

fn read<'a>(decoder: &mut Decoder, text: &'a str, context: &Context<'a, '_>) -> Result<Decoded<'a>, Failure> {
    let start = text.trim_ascii_start();
    if let Some(decoded) = line(start) {
        return Ok(decoded);
    }
    // The separator that `ausearch` writes between events.
    if start.starts_with("----") || start.starts_with("time->") {
        return Ok(Decoded::Nothing);
    }
    // The records may have been written by a syslog daemon.
    syslog::read(decoder, text, context).map_err(|(at, _)| (at, NOT_AUDIT))
}

/// An audit line as a record; `None` if `text` is not an audit line.
pub(super) fn line(text: &str) -> Option<Decoded<'_>> {
    is_line(text).then_some(Decoded::Record(Record::Audit(AuditLine { text })))
}

/// Whether `line` is `type=X msg=audit(...)`, optionally after `node=`.
fn is_line(line: &str) -> bool {
    let rest = match line.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ').map_or("", |(_, rest)| rest.trim_start()),
        None => line,
    };
    rest.strip_prefix("type=")
        .and_then(|rest| rest.split_once(' '))
        .is_some_and(|(_, rest)| rest.trim_start().starts_with("msg=audit("))
}

/// Extracts the audit line from a syslog message of `host`: written by audisp's syslog plugin, or by the kernel if no
/// auditd is running (`audit: type=1300 audit(...): ...`). Without a node, `host` becomes its node.
fn in_message<'a>(program: &str, host: &str, message: &'a str, arena: &'a Bump) -> Option<&'a str> {
    if is_line(message) {
        if message.starts_with("node=") || host.is_empty() {
            return Some(message);
        }
        return Some(bumpalo::format!(in arena, "node={} {}", host, message).into_bump_str());
    }
    if program != "kernel" && program != "audit" {
        return None;
    }
    let message = message.trim_start();
    // The kernel may write its own time first: `[   12.345678] audit: ...`.
    let message = match message.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => message,
    };
    let rest = message.strip_prefix("audit: ").unwrap_or(message).strip_prefix("type=")?;
    let (kind, rest) = rest.split_once(' ')?;
    let rest = rest.strip_prefix("audit(")?;
    let kind = record_type(kind);
    let line = if host.is_empty() {
        bumpalo::format!(in arena, "type={} msg=audit({}", kind, rest)
    } else {
        bumpalo::format!(in arena, "node={} type={} msg=audit({}", host, kind, rest)
    };
    Some(line.into_bump_str())
}

/// The name of a record type that the kernel writes as a number (linux/audit.h).
fn record_type(number: &str) -> &str {
    match number {
        "1300" => "SYSCALL",
        "1302" => "PATH",
        "1303" => "IPC",
        "1304" => "SOCKETCALL",
        "1305" => "CONFIG_CHANGE",
        "1306" => "SOCKADDR",
        "1307" => "CWD",
        "1309" => "EXECVE",
        "1312" => "MQ_OPEN",
        "1318" => "OBJ_PID",
        "1320" => "EOE",
        "1326" => "SECCOMP",
        "1327" => "PROCTITLE",
        "1400" => "AVC",
        "1006" => "LOGIN",
        "1112" => "USER_LOGIN",
        "1123" => "USER_CMD",
        "1107" => "USER_AVC",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_line_is_recognised_by_its_header() {
        for line in [
            "type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e",
            "node=app01 type=CWD msg=audit(1700000000.123:456): cwd=\"/\"",
        ] {
            assert!(is_line(line), "{line}");
        }
        for line in ["type=SYSCALL", "node=app01", "xtype=CWD msg=audit(", "msg=audit(1.1:1): type=A"] {
            assert!(!is_line(line), "{line}");
        }
    }

    #[test]
    fn the_host_of_a_syslog_line_becomes_the_node() {
        let arena = Bump::new();
        assert_eq!(
            in_message("audispd", "app01", "type=CWD msg=audit(1.1:1): cwd=\"/\"", &arena),
            Some("node=app01 type=CWD msg=audit(1.1:1): cwd=\"/\"")
        );
        assert_eq!(
            in_message("kernel", "app01", "[   12.345678] audit: type=1300 audit(1.1:1): arch=c000003e", &arena),
            Some("node=app01 type=SYSCALL msg=audit(1.1:1): arch=c000003e")
        );
        assert_eq!(in_message("kernel", "app01", "[ 1.0] usb 1-1: new device", &arena), None);
    }
}
