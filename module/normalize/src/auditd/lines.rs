//! Parses one line of an audit log up to `audit(TIME:SERIAL)`.

use backchannel_events::Timestamp;
use memchr::{memchr, memmem};

/// The header of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// `node=`; empty if auditd is not configured to write it.
    pub(crate) node: &'a str,
    /// `type=`, by name: a kernel message (`type=1300`) is translated.
    pub(crate) kind: &'a str,
    /// Time of the event, equal in all of its lines.
    pub(crate) time: Timestamp,
    /// Serial number as logged: unique only together with the time.
    pub(crate) serial: &'a str,
    /// The fields as the kernel or the sender wrote them.
    pub(crate) body: &'a str,
    /// The fields that auditd adds in its ENRICHED format, after byte 0x1D.
    pub(crate) tail: &'a str,
}

/// Parses a line. `None` if it has no `type=` or no `audit(SECONDS.MILLIS:SERIAL)`.
pub(crate) fn split(text: &str) -> Option<Line<'_>> {
    let text = text.trim_matches(['\r', '\n', '\0', ' ']);
    let (node, rest) = match text.strip_prefix("node=") {
        Some(rest) => rest.split_once(' ')?,
        None => ("", text),
    };
    // A forwarder may have added a prefix (`audispd: type=...`, `audit: type=1300 audit(...`).
    let at = if rest.starts_with("type=") { 0 } else { memmem::find(rest.as_bytes(), b" type=")? + 1 };
    let (kind, rest) = rest[at + 5..].split_once(' ')?;
    let node = if node.is_empty() { node_before(&text[..text.len() - rest.len()]) } else { node };
    let open = memmem::find(rest.as_bytes(), b"audit(")?;
    let rest = &rest[open + 6..];
    let (stamp, rest) = rest.split_once(')')?;
    let (moment, serial) = stamp.split_once(':')?;
    if serial.is_empty() || serial.len() > 20 || !serial.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let body = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let (body, tail) = match memchr(0x1d, body.as_bytes()) {
        Some(at) => (&body[..at], &body[at + 1..]),
        None => (body, ""),
    };
    Some(Line { node, kind: name_of(kind), time: moment_of(moment)?, serial, body, tail })
}

/// Finds `node=` before `type=`, after a possible prefix of a forwarder.
fn node_before(head: &str) -> &str {
    memmem::find(head.as_bytes(), b" node=").map_or("", |at| head[at + 6..].split(' ').next().unwrap_or_default())
}

/// Parses `SECONDS.FRACTION`, the form of audit and laurel.
pub(crate) fn moment_of(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let mut nanos = 0u32;
    for index in 0..9 {
        let digit = match fraction.as_bytes().get(index) {
            Some(byte) if byte.is_ascii_digit() => u32::from(byte - b'0'),
            Some(_) => return None,
            None => 0,
        };
        nanos = nanos * 10 + digit;
    }
    Some(Timestamp::from_unix(seconds, nanos))
}

/// The name of a record type that the kernel writes as a number (linux/audit.h, libaudit).
fn name_of(kind: &str) -> &str {
    match kind.strip_prefix("UNKNOWN[").and_then(|rest| rest.strip_suffix(']')).unwrap_or(kind) {
        "1100" => "USER_AUTH",
        "1101" => "USER_ACCT",
        "1102" => "USER_MGMT",
        "1105" => "USER_START",
        "1106" => "USER_END",
        "1107" => "USER_AVC",
        "1108" => "USER_CHAUTHTOK",
        "1109" => "USER_ERR",
        "1112" => "USER_LOGIN",
        "1113" => "USER_LOGOUT",
        "1114" => "ADD_USER",
        "1116" => "ADD_GROUP",
        "1123" => "USER_CMD",
        "1130" => "SERVICE_START",
        "1131" => "SERVICE_STOP",
        "1132" => "GRP_MGMT",
        "1138" => "SOFTWARE_UPDATE",
        "1200" => "DAEMON_START",
        "1201" => "DAEMON_END",
        "1300" => "SYSCALL",
        "1302" => "PATH",
        "1303" => "IPC",
        "1305" => "CONFIG_CHANGE",
        "1306" => "SOCKADDR",
        "1307" => "CWD",
        "1309" => "EXECVE",
        "1318" => "OBJ_PID",
        "1320" => "EOE",
        "1327" => "PROCTITLE",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_at_the_separator_before_anything_else() {
        let line =
            split("node=h1 type=SYSCALL msg=audit(1700000000.123:45): pid=7 key=\"a\"\u{1d}ARCH=x86_64 UID=\"root\"")
                .unwrap();
        assert_eq!((line.node, line.kind, line.serial), ("h1", "SYSCALL", "45"));
        assert_eq!(line.time, Timestamp::from_unix(1_700_000_000, 123_000_000));
        assert_eq!((line.body, line.tail), ("pid=7 key=\"a\"", "ARCH=x86_64 UID=\"root\""));
    }

    #[test]
    fn a_kernel_message_and_a_forwarded_line_are_lines_too() {
        let line = split("audit: type=1300 audit(1700000000.5:45): arch=c000003e").unwrap();
        assert_eq!((line.node, line.kind, line.body), ("", "SYSCALL", "arch=c000003e"));
        let line = split("audispd: node=far type=CWD msg=audit(1700000000.500:45): cwd=\"/\"").unwrap();
        assert_eq!((line.node, line.kind), ("far", "CWD"));
    }

    #[test]
    fn a_line_without_time_or_serial_is_refused() {
        for text in [
            "",
            "node=",
            "node=h",
            "type=SYSCALL",
            "type=SYSCALL msg=audit(",
            "type=SYSCALL msg=audit(1.2:)",
            "type=SYSCALL msg=audit(x.2:3): a=b",
            "type=SYSCALL msg=audit(1.z:3): a=b",
            "type=UNKNOWN[1329] msg=?",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
