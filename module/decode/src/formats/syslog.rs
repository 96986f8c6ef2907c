//! Syslog lines: RFC 3164, in the variants that programs write, and RFC 5424.

use backchannel_events::Timestamp;
use backchannel_normalize::SyslogLine;

use super::{About, Carrier, Certainty, Context, Example, Failure, Outcome, Outer, Spec, State, TextFormat, auditd};
use crate::time::{self, month};
use crate::{Decoded, Decoder, Framing, Options, Reason, Year};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "syslog",
        title: "syslog",
        description: "Syslog lines, RFC 3164 or 5424, or the log of a program; a record in the message (audit, JSON, Windows \
                      XML) is decoded by its own format.",
        recognised: "One of the first eight lines begins with a priority, a date or `program[pid]:`, and no other format matches better.",
        examples: &[
            Example {
                shape: "RFC 3164",
                record: "<38>Nov 14 22:13:21 app07 sudo: erin : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/id",
            },
            Example {
                shape: "RFC 5424",
                record: "<14>1 2023-11-14T22:13:22.003Z app07 sshd 4711 - - Accepted publickey for erin from 192.0.2.7 port 50000 ssh2",
            },
            Example {
                shape: "rsyslog with RFC 3339 times",
                record: "2023-11-14T22:13:22.003+01:00 app07 sshd[4711]: Accepted publickey for erin from 192.0.2.7 port 50000 ssh2",
            },
        ],
    },
    carrier: Carrier::Text(TextFormat {
        framing: Framing::Lines,
        recognise: |start| start.lines().any(|line| looks_like(&line)).then_some(Certainty::Like),
        read,
        inside: Some(inside),
    }),
};

const fn not_syslog(text: &'static str) -> Reason {
    Reason::Format { code: "not-syslog", text }
}

pub(super) fn read<'a>(
    decoder: &mut Decoder,
    text: &'a str,
    context: &Context<'a, '_>,
) -> Result<Decoded<'a>, Failure> {
    let start = text.trim_ascii_start();
    if let Some(decoded) = auditd::line(start) {
        return Ok(decoded);
    }
    match parse(start, &context.options, &mut decoder.state.calendar) {
        Ok(line) => decoder.syslog(line, context, 0),
        Err(reason) => Err((Some(text.len() - start.len()), reason)),
    }
}

/// A line that a shipper wrapped. Syslog in syslog is not unwrapped.
fn inside<'a>(
    state: &mut State,
    outer: Outer<'a>,
    text: &'a str,
    context: &Context<'a, '_>,
) -> Option<Result<Outcome<'a>, Failure>> {
    if outer.program.is_some() {
        return None;
    }
    let mut line = parse(text, &context.options, &mut state.calendar).ok()?;
    if line.host.is_empty() {
        line.host = outer.host;
    }
    // The shipper's time has a year and a zone, which may be missing in the line.
    line.time = match (line.time, outer.time) {
        (None, time) => time,
        (Some(_), Some(time)) if text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) => Some(time),
        (time, _) => time,
    };
    Some(Ok(Outcome::Syslog(line)))
}

/// Whether `line` begins like syslog: with a priority, a date of either kind, or `program[pid]:`.
fn looks_like(line: &str) -> bool {
    let rest = priority(line);
    if rest.len() < line.len() {
        return true;
    }
    old_time(rest.as_bytes()).is_some() || new_time(rest).is_some() || bare_tag(rest).is_some()
}

/// The year of the previous line, for inputs without years.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calendar {
    last: Option<(i32, u32)>,
}

impl Calendar {
    /// The time of a date without a year.
    fn place(&mut self, year: Year, parts: [u32; 5]) -> Option<Timestamp> {
        let [month, day, hour, minute, second] = parts;
        let at = |year| Timestamp::from_civil(year, month, day, hour, minute, second, 0);
        match year {
            Year::Of(first) => {
                let (last_year, last_month) = self.last.unwrap_or((first, month));
                // From December to January the year increases; in the other direction, a late line belongs to the old
                // year.
                let year = match (last_month, month) {
                    (11.., ..=2) => last_year + 1,
                    (..=2, 11..) if last_year > first => return at(last_year - 1),
                    _ => last_year,
                };
                self.last = Some((year, month));
                at(year)
            }
            Year::NotAfter(latest) => {
                const DAY: i64 = 86_400 * Timestamp::SECOND;
                let year = latest.year();
                // Local time may be ahead of the file's own time by up to a day. February 29 requires a leap year.
                let not_later = |time: &Timestamp| time.0 <= latest.0.saturating_add(DAY);
                (0..=8).find_map(|back| at(year - back).filter(not_later))
            }
        }
    }
}

/// Parses a line. Everything after the header is the message.
fn parse<'a>(line: &'a str, options: &Options, calendar: &mut Calendar) -> Result<SyslogLine<'a>, Reason> {
    let rest = priority(line);
    if rest.len() < line.len()
        && let Some(rest) = rest.strip_prefix("1 ")
    {
        return version_1(rest);
    }
    let bytes = rest.as_bytes();
    let local = |time: Timestamp| Timestamp(time.0.saturating_sub(i64::from(options.utc_offset) * Timestamp::SECOND));
    let (time, rest) = if let Some((parts, length)) = old_time(bytes) {
        (calendar.place(options.year, parts).map(local), &rest[length..])
    } else if let Some((moment, length)) = new_time(rest) {
        let time = if moment.zoned { moment.time } else { local(moment.time) };
        (Some(time), &rest[length..])
    } else if bare_tag(rest).is_some() {
        // `program[pid]: ...` with neither time nor host, as programs write to their own logs.
        let (program, pid, message) = tag(rest);
        return Ok(SyslogLine { time: None, host: "", program, pid, message });
    } else {
        return Err(not_syslog("not syslog: expected a date"));
    };
    let rest = rest.trim_start();
    // The host may be missing: the first word is then the tag.
    let (first, others) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_tag = first.ends_with(':') && !first.trim_end_matches(':').contains(':');
    let (host, rest) = if is_tag { ("", rest) } else { (first, others.trim_start()) };
    let (program, pid, message) = tag(rest);
    Ok(SyslogLine { time, host, program, pid, message })
}

/// The text after `<PRI>`; the whole line if there is none.
fn priority(line: &str) -> &str {
    line.strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .filter(|(number, _)| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(line, |(_, rest)| rest)
}

/// Parses `Mmm dd hh:mm:ss`, optionally with a year after the day: month, day, hour, minute, second, and the length.
fn old_time(bytes: &[u8]) -> Option<([u32; 5], usize)> {
    let number = |at: usize| {
        let tens = match bytes.get(at)? {
            b' ' => 0,
            digit @ b'0'..=b'9' => u32::from(digit - b'0') * 10,
            _ => return None,
        };
        bytes.get(at + 1).filter(|byte| byte.is_ascii_digit()).map(|ones| tens + u32::from(ones - b'0'))
    };
    let month = month(bytes.get(..3)?)?;
    let day = number(4)?;
    (bytes[3] == b' ' && bytes.get(6) == Some(&b' ') && bytes.get(9) == Some(&b':') && bytes.get(12) == Some(&b':'))
        .then_some(())?;
    let mut length = 15;
    // Cisco and others add milliseconds, and a colon.
    if bytes.get(length) == Some(&b'.') {
        length += 1;
        while bytes.get(length).is_some_and(u8::is_ascii_digit) {
            length += 1;
        }
    }
    if bytes.get(length) == Some(&b':') {
        length += 1;
    }
    matches!(bytes.get(length), Some(b' ') | None).then_some(())?;
    Some(([month, day, number(7)?, number(10)?, number(13)?], length))
}

/// Parses an RFC 3339 time as the first word (rsyslog's newer default); also returns its length.
fn new_time(text: &str) -> Option<(time::Moment, usize)> {
    let length = text.find(' ').unwrap_or(text.len());
    let word = &text[..length];
    (word.as_bytes().get(4) == Some(&b'-')).then_some(())?;
    Some((time::parse(word)?, length))
}

/// The tag of a line that consists of `program[pid]: ...` only.
fn bare_tag(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once("]:")?;
    let (program, pid) = head.split_once('[')?;
    let named = !program.is_empty() && program.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(&b));
    let counted = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
    (named && counted && (rest.is_empty() || rest.starts_with(' '))).then_some(program)
}

/// Splits `program[pid]: message`, `program: message`, or a message without either.
fn tag(text: &str) -> (&str, Option<u32>, &str) {
    let Some(end) = text.find([' ', ':', '[']) else { return ("", None, text) };
    let (program, rest) = text.split_at(end);
    if let Some(rest) = rest.strip_prefix('[')
        && let Some((pid, rest)) = rest.split_once(']')
    {
        let message = rest.strip_prefix(':').unwrap_or(rest);
        return (program, pid.parse().ok(), message.strip_prefix(' ').unwrap_or(message));
    }
    match rest.strip_prefix(':') {
        Some(message) => (program, None, message.strip_prefix(' ').unwrap_or(message)),
        None => ("", None, text),
    }
}

/// RFC 5424 after its priority and version.
fn version_1(text: &str) -> Result<SyslogLine<'_>, Reason> {
    let mut rest = text;
    let mut word = |expected| {
        let (word, others) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = others;
        if word.is_empty() { Err(not_syslog(expected)) } else { Ok(if word == "-" { "" } else { word }) }
    };
    let time = word("not syslog: expected a time")?;
    let host = word("not syslog: expected a host name")?;
    let program = word("not syslog: expected a program's name")?;
    let pid = word("not syslog: expected a process id")?;
    word("not syslog: expected a message id")?;
    let message = structured_data_end(rest).ok_or(not_syslog("not syslog: expected structured data"))?;
    let message = message.strip_prefix(' ').unwrap_or(message);
    Ok(SyslogLine {
        time: time::parse(time).map(|moment| moment.time),
        host,
        program,
        pid: pid.parse().ok(),
        message: message.strip_prefix('\u{feff}').unwrap_or(message),
    })
}

/// The text after the structured data.
fn structured_data_end(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'[') {
        let mut quoted = false;
        loop {
            at += 1;
            match bytes.get(at)? {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
        }
        at += 1;
    }
    if at == 0 && !text.is_empty() { None } else { text.get(at..) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, time: &str, host: &str, program: &str, pid: Option<u32>, message: &str) {
        let options = Options { year: Year::Of(2024), ..Options::default() };
        let seen = parse(line, &options, &mut Calendar::default()).unwrap();
        let seen_time = seen.time.map(|time| time.to_string()).unwrap_or_default();
        assert_eq!(
            (seen_time.as_str(), seen.host, seen.program, seen.pid, seen.message),
            (time, host, program, pid, message),
            "{line}"
        );
    }

    #[test]
    fn the_usual_headers_are_read() {
        check(
            "Nov  3 07:48:02 app01 sshd[7528]: Server listening",
            "2024-11-03T07:48:02.000Z",
            "app01",
            "sshd",
            Some(7528),
            "Server listening",
        );
        check(
            "<86>Nov 23 07:48:02 app01 dbus-daemon[12]: [system] Activating: x",
            "2024-11-23T07:48:02.000Z",
            "app01",
            "dbus-daemon",
            Some(12),
            "[system] Activating: x",
        );
        check(
            "2024-05-01T10:00:00.123456+02:00 app01 kernel: hello",
            "2024-05-01T08:00:00.123456Z",
            "app01",
            "kernel",
            None,
            "hello",
        );
        check(
            "<34>1 2024-05-01T10:00:00.003Z app01.example.test su 42 ID47 [a b=\"]\\\"\"][c] \u{feff}it's: me",
            "2024-05-01T10:00:00.003Z",
            "app01.example.test",
            "su",
            Some(42),
            "it's: me",
        );
        check("<34>1 - - prog - - - m", "", "", "prog", None, "m");
        check("dbus-daemon[30357]: [system] x", "", "", "dbus-daemon", Some(30357), "[system] x");
        check("Nov  3 07:48:02 su: hello", "2024-11-03T07:48:02.000Z", "", "su", None, "hello");
    }

    #[test]
    fn the_year_goes_up_from_december_to_january() {
        let options = Options { year: Year::Of(2023), ..Options::default() };
        let mut calendar = Calendar::default();
        let mut year = |line| parse(line, &options, &mut calendar).unwrap().time.unwrap().year();
        assert_eq!(year("Dec 31 23:59:59 h p: m"), 2023);
        assert_eq!(year("Jan  1 00:00:00 h p: m"), 2024);
        assert_eq!(year("Dec 31 23:59:58 h p: m"), 2023);
        assert_eq!(year("Jan  1 00:00:01 h p: m"), 2024);
    }

    #[test]
    fn no_line_is_later_than_its_file() {
        let latest = Timestamp::from_civil(2024, 1, 10, 0, 0, 0, 0).unwrap();
        let options = Options { year: Year::NotAfter(latest), ..Options::default() };
        let mut calendar = Calendar::default();
        let mut year = |line| parse(line, &options, &mut calendar).unwrap().time.unwrap().year();
        assert_eq!(year("Dec 31 23:59:59 h p: m"), 2023);
        assert_eq!(year("Jan  9 23:59:59 h p: m"), 2024);
        assert_eq!(year("Feb 29 00:00:00 h p: m"), 2020);
    }

    #[test]
    fn text_without_a_date_is_not_syslog() {
        for line in ["hello world", "Foo 31 23:59:59 h p: m", "[x]: y", "<34>1 2024-05-01T10:00:00Z h"] {
            assert!(parse(line, &Options::default(), &mut Calendar::default()).is_err(), "{line}");
        }
    }
}
