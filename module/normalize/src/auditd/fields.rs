//! The `key=value` fields of an audit record, and the two encodings of their text.
//!
//! A string that a process can choose (comm, exe, cwd, names, arguments) is quoted or, if it contains a blank, a quote,
//! a control character or a non-ASCII byte, written as bare upper-case hexadecimal. A quoted value is therefore never
//! hexadecimal, even if it looks like it.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// A field as in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Name, as logged.
    pub(crate) name: &'a str,
    /// Value, without its quotes.
    pub(crate) value: &'a str,
    /// The delimiter of the value: `"`, `'`, or a blank for none.
    pub(crate) quote: char,
}

/// The fields of a record in order. Words without `=` belong to the preceding value (`op=adding user to group`), or are
/// ignored at the beginning.
pub(crate) fn fields(body: &str) -> impl Iterator<Item = Field<'_>> {
    FieldIter { rest: body }
}

struct FieldIter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for FieldIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', ',', '\t']);
            if self.rest.is_empty() {
                return None;
            }
            let end = self.rest.find([' ', '=', '\t']).unwrap_or(self.rest.len());
            if self.rest.as_bytes().get(end) != Some(&b'=') {
                self.rest = &self.rest[end..];
                continue;
            }
            let name = &self.rest[..end];
            let after = &self.rest[end + 1..];
            match after.as_bytes().first() {
                Some(b'"') => {
                    let inner = &after[1..];
                    let close = inner.find('"').unwrap_or(inner.len());
                    self.rest = inner.get(close + 1..).unwrap_or_default();
                    return Some(Field { name, value: &inner[..close], quote: '"' });
                }
                Some(b'\'') => {
                    // A nested message may contain apostrophes: it ends at the last one of the record.
                    let inner = &after[1..];
                    let close = inner.rfind('\'').unwrap_or(inner.len());
                    self.rest = inner.get(close + 1..).unwrap_or_default();
                    return Some(Field { name, value: &inner[..close], quote: '\'' });
                }
                _ => {
                    let end = bare_end(after);
                    self.rest = &after[end..];
                    return Some(Field { name, value: &after[..end], quote: ' ' });
                }
            }
        }
    }
}

/// The end of a bare value: the last word before one that contains `=`.
fn bare_end(text: &str) -> usize {
    let mut end = text.find([' ', '\t']).unwrap_or(text.len());
    // An empty value (`mac= pfs=x`) has no words.
    if end == 0 {
        return 0;
    }
    loop {
        let rest = &text[end..];
        let word = rest.trim_start_matches([' ', '\t']);
        let length = word.find([' ', '\t']).unwrap_or(word.len());
        if length == 0 || word[..length].contains(['=', '{', '}']) {
            return end;
        }
        end += rest.len() - word.len() + length;
    }
}

/// The text of a field that a process can choose. `(null)` becomes empty.
pub(crate) fn text<'a>(field: Field<'a>, arena: &'a Bump) -> &'a str {
    if field.quote != ' ' {
        return field.value;
    }
    if field.value == "(null)" {
        return "";
    }
    match unhex(field.value, arena) {
        Some(bytes) => lossy(bytes, arena),
        None => field.value,
    }
}

/// Decodes a hexadecimal string of either case; `None` if it is not one.
pub(crate) fn unhex<'a>(value: &str, arena: &'a Bump) -> Option<&'a [u8]> {
    let digits = value.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = BumpVec::with_capacity_in(digits.len() / 2, arena);
    for pair in digits.chunks_exact(2) {
        bytes.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
    }
    Some(bytes.into_bump_slice())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Bytes as text; invalid UTF-8 becomes U+FFFD.
pub(crate) fn lossy<'a>(bytes: &'a [u8], arena: &'a Bump) -> &'a str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => arena.alloc_str(&String::from_utf8_lossy(bytes)),
    }
}

/// The parts between NUL bytes, without an empty one at the end: the form of argv in PROCTITLE.
pub(crate) fn arguments<'a>(bytes: &'a [u8], arena: &'a Bump) -> &'a [&'a str] {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    let mut parts = BumpVec::new_in(arena);
    parts.extend(bytes.split(|byte| *byte == 0).map(|part| lossy(part, arena)));
    parts.into_bump_slice()
}

/// Joins arguments to a command line, separated by one blank. An argument that is empty or contains white space is
/// quoted with the fewest changes: `'..'`, else `".."`, else `'..'` with `'\''` inside.
pub(crate) fn command_line<'a>(arguments: &[&'a str], arena: &'a Bump) -> &'a str {
    if let [only] = arguments {
        // A title that the process wrote itself (`nginx: worker process`) is one argument and is not quoted.
        return only;
    }
    let mut line = bumpalo::collections::String::new_in(arena);
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        if !argument.is_empty() && !argument.contains(char::is_whitespace) {
            line.push_str(argument);
        } else if !argument.contains('\'') {
            line.push('\'');
            line.push_str(argument);
            line.push('\'');
        } else if !argument.contains('"') {
            line.push('"');
            line.push_str(argument);
            line.push('"');
        } else {
            line.push('\'');
            for (index, part) in argument.split('\'').enumerate() {
                if index > 0 {
                    line.push_str("'\\''");
                }
                line.push_str(part);
            }
            line.push('\'');
        }
    }
    line.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(body: &str) -> Vec<(&str, &str)> {
        fields(body).map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn quoted_bare_and_nested_values_are_distinguished() {
        assert_eq!(
            all("pid=7 comm=\"a b\" msg='op=x acct=\"it's\" res=success' mac= last=(none)"),
            [("pid", "7"), ("comm", "a b"), ("msg", "op=x acct=\"it's\" res=success"), ("mac", ""), ("last", "(none)")]
        );
    }

    #[test]
    fn words_without_an_equals_sign_belong_to_the_value_before_them() {
        assert_eq!(
            all("tty op=adding user to group acct=\"svc\" res=success"),
            [("op", "adding user to group"), ("acct", "svc"), ("res", "success")]
        );
        assert_eq!(all("argc=2 a0=\"x\"  a1[0]=41"), [("argc", "2"), ("a0", "x"), ("a1[0]", "41")]);
    }

    #[test]
    fn bare_text_is_hexadecimal_and_quoted_text_never_is() {
        let arena = Bump::new();
        let field = |value, quote| Field { name: "comm", value, quote };
        assert_eq!(text(field("746D75783A20736572766572", ' '), &arena), "tmux: server");
        assert_eq!(text(field("ABCD", '"'), &arena), "ABCD");
        assert_eq!(text(field("(null)", ' '), &arena), "");
        assert_eq!(text(field("root", ' '), &arena), "root");
        assert_eq!(text(field("C3A9FF", ' '), &arena), "\u{e9}\u{fffd}");
    }

    #[test]
    fn only_arguments_with_blanks_are_quoted() {
        let arena = Bump::new();
        let line = |arguments: &[&'static str]| command_line(arguments, &arena).to_owned();
        assert_eq!(line(&["sh", "-c", "id; uname -n"]), "sh -c 'id; uname -n'");
        assert_eq!(line(&["a", "{\"b\":1}", ""]), "a {\"b\":1} ''");
        assert_eq!(line(&["a", "it's so"]), "a \"it's so\"");
        assert_eq!(line(&["a", "'x' \"y\""]), "a ''\\''x'\\'' \"y\"'");
        assert_eq!(line(&["nginx: worker process"]), "nginx: worker process");
    }

    #[test]
    fn a_title_ends_with_at_most_one_nul() {
        let arena = Bump::new();
        assert_eq!(arguments(b"cat\0/tmp/f\0", &arena), ["cat", "/tmp/f"]);
        assert_eq!(arguments(b"cat", &arena), ["cat"]);
    }
}
