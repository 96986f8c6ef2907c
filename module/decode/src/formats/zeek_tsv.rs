//! Zeek's tab-separated logs: the header lines define the columns.

use backchannel_normalize::{Record, ZeekRecord};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::{About, Carrier, Certainty, Context, Example, Failure, Outcome, Outer, Spec, State, TextFormat};
use crate::{Decoded, Decoder, Framing, Reason};

pub(super) const FORMAT: Spec = Spec {
    about: About {
        name: "zeek-tsv",
        title: "Zeek TSV",
        description: "Zeek's native log format: header lines, then one record per line, columns separated by tabs.",
        recognised: "It begins with `#separator` or `#fields`.",
        examples: &[Example {
            shape: "Zeek",
            record: "#separator \\x09\n\
                     #unset_field\t-\n\
                     #path\tdce_rpc\n\
                     #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tendpoint\toperation\n\
                     1700000000.000000\tC1\t192.0.2.7\t50000\t192.0.2.8\t445\tsvcctl\tCreateServiceW",
        }],
    },
    carrier: Carrier::Text(TextFormat {
        framing: Framing::Lines,
        recognise: |start| {
            (start.bytes.starts_with(b"#separator") || start.bytes.starts_with(b"#fields")).then_some(Certainty::Begins)
        },
        read,
        inside: Some(inside),
    }),
};

/// A line before any `#fields` line, or with another number of columns.
const COLUMNS: Reason = Reason::Format { code: "zeek-columns", text: "a Zeek line that no #fields line describes" };

fn read<'a>(decoder: &mut Decoder, text: &'a str, context: &Context<'a, '_>) -> Result<Decoded<'a>, Failure> {
    let header = &mut decoder.state.zeek;
    if text.trim_ascii_start().starts_with('#') {
        header.directive(text.trim_ascii());
        return Ok(Decoded::Nothing);
    }
    header.record(text, context.arena).map(Decoded::Record).map_err(|reason| (None, reason))
}

/// A shipper that tails a log without a parser also wraps its header.
fn inside<'a>(
    state: &mut State,
    outer: Outer<'a>,
    text: &'a str,
    context: &Context<'a, '_>,
) -> Option<Result<Outcome<'a>, Failure>> {
    if outer.program.is_some() {
        return None;
    }
    if Header::is_directive(text) {
        state.zeek.directive(text);
        return Some(Ok(Outcome::Nothing));
    }
    let record = || state.zeek.record(text, context.arena).map(Outcome::Record).map_err(|reason| (None, reason));
    state.zeek.covers(text).then(record)
}

/// Maximum number of columns that are read: no Zeek log has as many.
const MAX_COLUMNS: usize = 1_000;

/// Contents of the `#` lines of a log.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    separator: u8,
    unset: String,
    empty: String,
    path: String,
    fields: Vec<String>,
}

impl Default for Header {
    fn default() -> Self {
        Self { separator: b'\t', unset: "-".into(), empty: "(empty)".into(), path: String::new(), fields: Vec::new() }
    }
}

impl Header {
    /// Parses a line that begins with `#`.
    fn directive(&mut self, line: &str) {
        if let Some(separator) = line.strip_prefix("#separator ") {
            // A log that was appended to another one begins with its own header.
            *self = Self::default();
            let mut plain = String::new();
            unescape(separator, &mut plain);
            self.separator = plain.bytes().next().unwrap_or(b'\t');
            return;
        }
        let separator = char::from(self.separator);
        let (name, rest) = line.split_once(separator).unwrap_or((line, ""));
        match name {
            "#unset_field" => self.unset = rest.into(),
            "#empty_field" => self.empty = rest.into(),
            "#path" => self.path = rest.into(),
            "#fields" => self.fields = rest.split(separator).take(MAX_COLUMNS).map(Into::into).collect(),
            _ => {}
        }
    }

    /// Whether `line` belongs to a header.
    fn is_directive(line: &str) -> bool {
        const NAMES: [&str; 9] =
            ["separator", "set_separator", "empty_field", "unset_field", "path", "open", "close", "fields", "types"];
        line.strip_prefix('#').is_some_and(|rest| {
            let name = rest.split([' ', '\t', ',']).next().unwrap_or("");
            NAMES.contains(&name)
        })
    }

    /// Whether the columns are known, and `line` may be a line of data.
    fn covers(&self, line: &str) -> bool {
        !self.fields.is_empty() && line.contains(char::from(self.separator))
    }

    /// Parses a line of data. Names are copied to the arena, because the header may change before the record is used.
    fn record<'a>(&self, line: &'a str, arena: &'a Bump) -> Result<Record<'a>, Reason> {
        if self.fields.is_empty() {
            return Err(COLUMNS);
        }
        let separator = char::from(self.separator);
        let mut fields = BumpVec::with_capacity_in(self.fields.len(), arena);
        let mut values = line.split(separator);
        for name in &self.fields {
            let value = values.next().ok_or(COLUMNS)?;
            if value == self.unset {
                continue;
            }
            let value = if value == self.empty {
                ""
            } else if value.contains("\\x") {
                let mut plain = String::with_capacity(value.len());
                unescape(value, &mut plain);
                &*arena.alloc_str(&plain)
            } else {
                value
            };
            fields.push((&*arena.alloc_str(name), value));
        }
        if values.next().is_some() {
            return Err(COLUMNS);
        }
        let log = if self.path.is_empty() {
            guess_log(|name| self.fields.iter().any(|field| field == name))
        } else {
            arena.alloc_str(&self.path)
        };
        Ok(Record::Zeek(ZeekRecord { log, fields: fields.into_bump_slice() }))
    }
}

/// Decodes `\xHH`; invalid UTF-8 then becomes U+FFFD.
fn unescape(text: &str, out: &mut String) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if let [b'\\', b'x', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            bytes.push((high * 16 + low) as u8);
            rest = after;
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    out.push_str(&String::from_utf8_lossy(&bytes));
}

/// The log with these fields, if no other name is given; `""` if it is unknown.
pub(super) fn guess_log(has: impl Fn(&str) -> bool) -> &'static str {
    const LOGS: [(&str, &[&str]); 6] = [
        ("dce_rpc", &["endpoint", "operation"]),
        ("smb_files", &["action", "path", "name"]),
        ("smb_mapping", &["path", "share_type"]),
        ("dns", &["query", "qtype_name"]),
        ("ntlm", &["hostname", "domainname"]),
        ("conn", &["proto", "conn_state"]),
    ];
    LOGS.iter().find(|(_, fields)| fields.iter().all(|field| has(field))).map_or("", |(log, _)| log)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let mut header = Header::default();
        for line in [
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            "#path\tdce_rpc",
            "#fields\tts\tid.orig_h\trtt\tnamed_pipe\toperation",
            "#types\ttime\taddr\tinterval\tstring\tstring",
        ] {
            header.directive(line);
        }
        header
    }

    #[test]
    fn unset_fields_are_omitted_and_escapes_decoded() {
        let arena = Bump::new();
        let Record::Zeek(record) =
            header().record("1700000000.5\t192.0.2.7\t-\t\\x5cpipe\\x09x\t(empty)", &arena).unwrap()
        else {
            panic!()
        };
        assert_eq!(record.log, "dce_rpc");
        assert_eq!(
            record.fields,
            [("ts", "1700000000.5"), ("id.orig_h", "192.0.2.7"), ("named_pipe", "\\pipe\tx"), ("operation", "")]
        );
    }

    #[test]
    fn a_line_with_another_number_of_columns_is_an_error() {
        let arena = Bump::new();
        assert_eq!(header().record("1\t2", &arena), Err(COLUMNS));
        assert_eq!(header().record("1\t2\t3\t4\t5\t6", &arena), Err(COLUMNS));
        assert_eq!(Header::default().record("1", &arena), Err(COLUMNS));
    }
}
