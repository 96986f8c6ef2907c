//! Finds the position in a record's text at which a member can be added.

/// Position for one more member at the end of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset of the object's last brace.
    pub at: usize,
    /// Whether the object has members, so that a comma is needed.
    pub comma: bool,
}

/// The position after the last member of the object `record`. `None`: it is not exactly one object, or already has a
/// member called `key`; it must then be passed on unchanged.
///
/// The text comes from a JSON writer, so only these are checked: braces, brackets and strings are closed, nothing
/// follows the object, and no byte is invalid in JSON. Nesting does not recurse.
pub(crate) fn place(record: &[u8], key: &str) -> Option<Place> {
    let start = record.iter().position(|byte| !is_space(*byte))?;
    if record.get(start) != Some(&b'{') {
        return None;
    }
    let mut open: Vec<u8> = Vec::new();
    let mut last = 0;
    let mut at = start;
    while let Some(&byte) = record.get(at) {
        match byte {
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                if open.pop() != Some(byte) {
                    return None;
                }
                if open.is_empty() {
                    let rest = record.get(at + 1..)?;
                    return rest
                        .iter()
                        .all(|byte| is_space(*byte))
                        .then_some(Place { at, comma: !matches!(last, b'{' | b',') })
                        .filter(|_| last != b',');
                }
            }
            b'"' => {
                let end = string_end(record, at + 1)?;
                let text = record.get(at + 1..end)?;
                let next = record.get(end + 1..)?.iter().find(|byte| !is_space(**byte));
                if open.len() == 1 && next == Some(&b':') && text == key.as_bytes() {
                    return None;
                }
                at = end;
            }
            0..=0x1f if !is_space(byte) => return None,
            _ => {}
        }
        if !is_space(byte) {
            last = byte;
        }
        at += 1;
    }
    None
}

/// The offset of the quote that closes the string whose contents begin at `at`.
fn string_end(record: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match record.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            // Raw control characters are invalid in JSON, and a NUL would truncate the answer.
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: &str) -> Option<(usize, bool)> {
        place(record.as_bytes(), "key").map(|place| (place.at, place.comma))
    }

    #[test]
    fn the_place_is_before_the_last_brace() {
        assert_eq!(at("{}"), Some((1, false)));
        assert_eq!(at(" { } "), Some((3, false)));
        assert_eq!(at(r#"{"a":{}}"#), Some((7, true)));
        assert_eq!(at(r#"{"a":"}\"]"}"#), Some((11, true)));
        assert_eq!(at(r#"{"a":[{}], "a":1.0E+400 }"#), Some((24, true)));
        assert_eq!(at("{\"\u{e4}\":\"\u{1f41f}\"}"), Some((12, true)));
    }

    #[test]
    fn text_that_is_not_exactly_one_object_is_rejected() {
        for record in [
            "",
            " ",
            "null",
            "[]",
            "[{}]",
            "\"a\"",
            "{",
            "{\"a\":1",
            "{}{}",
            "{} x",
            "{}}",
            "{]",
            "{\"a\":[}]",
            "{\"a",
            "{\"a\\",
            "{\"a\":1,}",
            "{\"a\u{0}\":1}",
            "{\u{1}}",
            "{\"a\nb\":1}",
        ] {
            assert_eq!(at(record), None, "{record}");
        }
    }

    #[test]
    fn a_record_that_has_the_key_at_the_top_level_is_rejected() {
        assert_eq!(at(r#"{"key":1}"#), None);
        assert_eq!(at(r#"{"a":1,"key" : {}}"#), None);
        assert_eq!(at(r#"{"a":{"key":1}}"#), Some((14, true)));
        assert_eq!(at(r#"{"a":"key"}"#), Some((10, true)));
        assert_eq!(at(r#"{"a":["key"]}"#), Some((12, true)));
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let record = format!("{{\"a\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(at(&record), Some((record.len() - 1, true)));
    }
}
