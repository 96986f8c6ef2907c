//! The JSON scanner: walks JSON text and yields keys and raw values, without building a tree.
//!
//! A value nobody asks for is only skipped: its strings are never unescaped and its numbers never read. Nothing
//! recurses, so nesting of any depth costs no stack. The scanner is lenient where a shipper is known to be (raw
//! control characters in strings, unknown escapes, missing commas); it reports the byte where it had to stop.

use bumpalo::Bump;

/// Nesting beyond this is not skipped but refused: no log record is this deep.
const MAX_DEPTH: u32 = 512;

/// Where scanning stopped, and what would have been right there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Byte offset in the text.
    pub at: usize,
    /// What was expected.
    pub expected: &'static str,
}

/// What a raw value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string; the text is what stands between the quotes, still escaped.
    String,
    /// A number; the text is the number as written.
    Number,
    /// `true`, `false`.
    Bool,
    /// `null`.
    Null,
    /// An object, with its braces.
    Object,
    /// An array, with its brackets.
    Array,
}

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text; see [`Kind`].
    pub text: &'a str,
}

impl<'a> Raw<'a> {
    /// The value as text: strings unescaped, numbers and booleans as written, `null` empty, objects and arrays as
    /// their JSON.
    pub fn to_text(self, arena: &'a Bump) -> &'a str {
        match self.kind {
            Kind::String => unescape(self.text, arena),
            Kind::Null => "",
            Kind::Number | Kind::Bool | Kind::Object | Kind::Array => self.text,
        }
    }

    /// Whether it is a string, a number or a boolean.
    pub fn is_scalar(self) -> bool {
        matches!(self.kind, Kind::String | Kind::Number | Kind::Bool)
    }
}

/// A position in JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte offset it stands at.
    pub fn position(&self) -> usize {
        self.at
    }

    fn stop<T>(&self, expected: &'static str) -> Result<T, Stop> {
        Err(Stop { at: self.at, expected })
    }

    /// The next byte that is not white space, left unread.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Steps into the object that begins here.
    pub fn enter_object(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'{') {
            self.at += 1;
            Ok(())
        } else {
            self.stop("an object")
        }
    }

    /// Steps into the array that begins here.
    pub fn enter_array(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'[') {
            self.at += 1;
            Ok(())
        } else {
            self.stop("an array")
        }
    }

    /// The next key of the object the cursor is in; `None` at its end, which is consumed. The cursor then stands
    /// before the value, which the caller must read, skip or enter.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<&'a str>, Stop> {
        let mut next = self.peek();
        if next == Some(b',') {
            self.at += 1;
            next = self.peek();
        }
        match next {
            Some(b'"') => {
                self.at += 1;
                let key = self.string_body()?;
                if self.peek() != Some(b':') {
                    return self.stop("':' after a key");
                }
                self.at += 1;
                Ok(Some(key))
            }
            Some(b'}') => {
                self.at += 1;
                Ok(None)
            }
            _ => self.stop("a key or '}'"),
        }
    }

    /// Whether the array the cursor is in has another element; its end is consumed.
    pub fn next_element(&mut self) -> Result<bool, Stop> {
        let mut next = self.peek();
        if next == Some(b',') {
            self.at += 1;
            next = self.peek();
        }
        match next {
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => self.stop("a value or ']'"),
        }
    }

    /// Reads the value that begins here, whole.
    #[inline]
    pub fn value(&mut self) -> Result<Raw<'a>, Stop> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Raw { kind: Kind::String, text: self.string_body()? })
            }
            Some(b'{') => self.container(Kind::Object),
            Some(b'[') => self.container(Kind::Array),
            Some(b't') => self.word("true", Kind::Bool),
            Some(b'f') => self.word("false", Kind::Bool),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => {
                let bytes = self.text.as_bytes();
                let start = self.at;
                while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = bytes.get(self.at) {
                    self.at += 1;
                }
                Ok(Raw { kind: Kind::Number, text: &self.text[start..self.at] })
            }
            _ => self.stop("a value"),
        }
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<Raw<'a>, Stop> {
        match self.text.get(self.at..self.at + word.len()) {
            Some(text) if text == word => {
                self.at += word.len();
                Ok(Raw { kind, text })
            }
            _ => self.stop("a value"),
        }
    }

    /// The rest of a string whose opening quote was consumed, still escaped; consumes the closing quote.
    #[inline]
    fn string_body(&mut self) -> Result<&'a str, Stop> {
        let start = self.at;
        match string_end(self.text.as_bytes(), start) {
            Some(end) => {
                self.at = end + 1;
                // Both ends are ASCII quotes' neighbours, hence character boundaries.
                Ok(&self.text[start..end])
            }
            None => {
                self.at = self.text.len();
                self.stop("the end of a string")
            }
        }
    }

    fn container(&mut self, kind: Kind) -> Result<Raw<'a>, Stop> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0u32;
        let mut at = self.at;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => match string_end(bytes, at + 1) {
                    Some(end) => at = end,
                    None => break,
                },
                b'{' | b'[' => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        self.at = at;
                        return self.stop("less nesting");
                    }
                }
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = at + 1;
                        return Ok(Raw { kind, text: &self.text[start..=at] });
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.at = self.text.len();
        self.stop(if kind == Kind::Object { "the end of an object" } else { "the end of an array" })
    }
}

/// Bytes looked at eight at a time before a string is called long and handed to `memchr`. Without SIMD (a
/// component), `memchr` works on four bytes at a time and eight are better throughout.
const SHORT: usize = if cfg!(target_arch = "wasm32") { usize::MAX } else { 48 };

/// The offset of the quote that closes a string whose content begins at `start`.
#[inline]
pub(crate) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let quote = find_quote(bytes, at)?;
        // A quote after an odd number of backslashes is part of the string.
        let mut slashes = 0;
        while quote > start + slashes && bytes[quote - 1 - slashes] == b'\\' {
            slashes += 1;
        }
        if slashes % 2 == 0 {
            return Some(quote);
        }
        at = quote + 1;
    }
}

#[inline]
fn find_quote(bytes: &[u8], start: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    let mut at = start;
    let short_end = start.saturating_add(SHORT);
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        if at >= short_end {
            return memchr::memchr(b'"', &bytes[at..]).map(|found| at + found);
        }
        let different = u64::from_le_bytes(*word) ^ QUOTES;
        let found = different.wrapping_sub(ONES) & !different & HIGH;
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|byte| *byte == b'"').map(|found| at + found)
}

/// Undoes the escapes of a JSON string; borrows where there are none. A lone surrogate becomes U+FFFD; an escape
/// that JSON does not know (shippers that forget to escape a backslash) is kept as it stands.
#[inline]
pub(crate) fn unescape<'a>(raw: &'a str, arena: &'a Bump) -> &'a str {
    match memchr::memchr(b'\\', raw.as_bytes()) {
        None => raw,
        Some(first) => unescape_from(raw, first, arena),
    }
}

fn unescape_from<'a>(raw: &'a str, first: usize, arena: &'a Bump) -> &'a str {
    let mut out = bumpalo::collections::String::with_capacity_in(raw.len(), arena);
    let bytes = raw.as_bytes();
    let mut copied = 0;
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(&raw[copied..at]);
        let (character, used) = match bytes.get(at + 1) {
            Some(b'"') => ('"', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'/') => ('/', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unicode_escape(bytes, at).unwrap_or(('\\', 1)),
            _ => ('\\', 1),
        };
        out.push(character);
        copied = at + used;
        // Paths have a backslash every few bytes: a short look by hand comes before the search.
        next =
            bytes[copied..].iter().take(16).position(|byte| *byte == b'\\').map(|found| copied + found).or_else(|| {
                let from = copied.saturating_add(16).min(bytes.len());
                memchr::memchr(b'\\', &bytes[from..]).map(|found| from + found)
            });
    }
    out.push_str(&raw[copied..]);
    out.into_bump_str()
}

/// The character of the `\uXXXX` at `at`, and how many bytes it takes; a pair of surrogates is one character.
fn unicode_escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let first = hex4(bytes, at + 2)?;
    if !(0xD800..0xE000).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    if first < 0xDC00
        && bytes.get(at + 6) == Some(&b'\\')
        && bytes.get(at + 7) == Some(&b'u')
        && let Some(second) = hex4(bytes, at + 8)
        && (0xDC00..0xE000).contains(&second)
    {
        return Some((char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?, 12));
    }
    Some((char::REPLACEMENT_CHARACTER, 6))
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Members of the top object as serde_json and as the scanner see them.
    fn check(text: &str) {
        let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
        let arena = Bump::new();
        let mut cursor = Cursor::new(text);
        cursor.enter_object().unwrap();
        let mut seen = serde_json::Map::new();
        while let Some(key) = cursor.next_key().unwrap() {
            let raw = cursor.value().unwrap();
            let value = match raw.kind {
                Kind::String => serde_json::Value::String(raw.to_text(&arena).to_owned()),
                _ => serde_json::from_str(raw.text).unwrap(),
            };
            seen.insert(unescape(key, &arena).to_owned(), value);
        }
        assert_eq!(seen, expected);
        assert_eq!(cursor.peek(), None);
    }

    #[test]
    fn every_kind_of_value_is_yielded_as_written() {
        check(
            r#"{"a":"x\"y\\","b":-1.5e+30,"c":[1,{"d":"}"}],"e":{"f":[]},"g":null,"h":true,"i":"\u00e4\ud83d\ude00\/\n"}"#,
        );
        check(r#"  { "a" : { } , "b" : [ ] }  "#);
    }

    #[test]
    fn a_number_keeps_every_digit() {
        let mut cursor = Cursor::new("123456789012345678901234567890");
        assert_eq!(cursor.value().unwrap().text, "123456789012345678901234567890");
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        let arena = Bump::new();
        assert_eq!(unescape(r"a\ud83dz\udc00\ud83d\u0041", &arena), "a\u{fffd}z\u{fffd}\u{fffd}A");
    }

    #[test]
    fn an_unknown_escape_is_kept() {
        let arena = Bump::new();
        assert_eq!(unescape(r"C:\Windows\System32\u12", &arena), r"C:\Windows\System32\u12");
    }

    #[test]
    fn a_stop_names_the_byte() {
        let mut cursor = Cursor::new(r#"{"a" 1}"#);
        cursor.enter_object().unwrap();
        assert_eq!(cursor.next_key(), Err(Stop { at: 5, expected: "':' after a key" }));
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let text = "[".repeat(1_000_000);
        assert_eq!(Cursor::new(&text).value().unwrap_err().expected, "less nesting");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
            "[\\\\\"a]{0,60}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn strings_and_members_are_those_of_serde_json(map in prop::collection::btree_map(".*", json(), 0..6)) {
            let value = serde_json::Value::Object(map.into_iter().collect());
            check(&value.to_string());
            check(&serde_json::to_string_pretty(&value).unwrap());
        }

        #[test]
        fn any_text_neither_panics_nor_hangs(text in "[\\[\\]{}\",:\\\\u0-9a ]{0,80}") {
            let arena = Bump::new();
            let mut cursor = Cursor::new(&text);
            if cursor.enter_object().is_ok() {
                while let Ok(Some(key)) = cursor.next_key() {
                    let _ = unescape(key, &arena);
                    if let Ok(raw) = cursor.value() {
                        let _ = raw.to_text(&arena);
                    } else {
                        break;
                    }
                }
            }
        }
    }
}
