//! The JSON scanner: walks JSON text and yields keys and raw values, without building a tree.
//!
//! Values that are not needed are only skipped: their strings are not unescaped and their numbers are not parsed. The
//! scanner does not recurse, so nesting costs no stack. It accepts errors that shippers are known to make (raw control
//! characters in strings, unknown escapes, missing commas), and otherwise reports the byte at which it stopped.

use bumpalo::Bump;

/// Maximum nesting that is skipped; deeper nesting is an error.
const MAX_DEPTH: u32 = 512;

/// Where scanning stopped, and what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Byte offset in the text.
    pub at: usize,
    /// What was expected.
    pub expected: &'static str,
}

/// Kind of a raw value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string; the text between the quotes, still escaped.
    String,
    /// A number; the text as written.
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

/// A raw value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its text; see [`Kind`].
    pub text: &'a str,
    /// Whether a string may have an escape.
    pub escaped: bool,
}

impl<'a> Raw<'a> {
    /// The value as text: strings unescaped, numbers and booleans as written, `null` empty, objects and arrays as
    /// their JSON.
    pub fn to_text(self, arena: &'a Bump) -> &'a str {
        match self.kind {
            Kind::String if self.escaped => unescape(self.text, arena),
            Kind::String => self.text,
            Kind::Null => "",
            Kind::Number | Kind::Bool | Kind::Object | Kind::Array => self.text,
        }
    }

    /// Whether it is a string, a number or a boolean.
    pub fn is_scalar(self) -> bool {
        matches!(self.kind, Kind::String | Kind::Number | Kind::Bool)
    }
}

/// A cursor over JSON text.
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

    /// Its byte offset.
    pub fn position(&self) -> usize {
        self.at
    }

    fn stop<T>(&self, expected: &'static str) -> Result<T, Stop> {
        Err(Stop { at: self.at, expected })
    }

    /// The next byte that is not white space, without consuming it.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Enters the object that begins here.
    pub fn enter_object(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'{') {
            self.at += 1;
            Ok(())
        } else {
            self.stop("an object")
        }
    }

    /// Enters the array that begins here.
    pub fn enter_array(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'[') {
            self.at += 1;
            Ok(())
        } else {
            self.stop("an array")
        }
    }

    /// The next key of the current object; `None` at its end, which is consumed. The cursor is then before the value,
    /// which the caller must read, skip or enter.
    #[inline(always)]
    pub fn next_key(&mut self) -> Result<Option<&'a str>, Stop> {
        // Nearly all JSON is written without white space between the tokens.
        let bytes = self.text.as_bytes();
        if let Some([b',', b'"']) = bytes.get(self.at..self.at + 2) {
            self.at += 2;
        } else if !self.next_key_slowly()? {
            return Ok(None);
        }
        let key = self.string_body()?.0;
        if bytes.get(self.at) != Some(&b':') && self.peek() != Some(b':') {
            return self.stop("':' after a key");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Moves past the quote that opens the next key; `false` at the object's end.
    fn next_key_slowly(&mut self) -> Result<bool, Stop> {
        let mut next = self.peek();
        if next == Some(b',') {
            self.at += 1;
            next = self.peek();
        }
        match next {
            Some(b'"') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'}') => {
                self.at += 1;
                Ok(false)
            }
            _ => self.stop("a key or '}'"),
        }
    }

    /// Whether the current array has another element; its end is consumed.
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

    /// Reads the value that begins here.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Raw<'a>, Stop> {
        let first = match self.text.as_bytes().get(self.at) {
            Some(b'"') => Some(b'"'),
            _ => self.peek(),
        };
        if first == Some(b'"') {
            self.at += 1;
            let (text, escaped) = self.string_body()?;
            return Ok(Raw { kind: Kind::String, text, escaped });
        }
        let start = self.at;
        // Returns only the kind, so that the result stays in registers.
        let kind = self.skip_other()?;
        Ok(Raw { kind, text: &self.text[start..self.at], escaped: false })
    }

    /// Moves past a value that is not a string.
    fn skip_other(&mut self) -> Result<Kind, Stop> {
        let rest = &self.text.as_bytes()[self.at..];
        let (kind, length) = match rest.first() {
            Some(b'{') => return self.skip_container(Kind::Object),
            Some(b'[') => return self.skip_container(Kind::Array),
            Some(b't') if rest.starts_with(b"true") => (Kind::Bool, 4),
            Some(b'f') if rest.starts_with(b"false") => (Kind::Bool, 5),
            Some(b'n') if rest.starts_with(b"null") => (Kind::Null, 4),
            Some(b'-' | b'0'..=b'9') => {
                let digits = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                (Kind::Number, rest.iter().take_while(digits).count())
            }
            _ => return self.stop("a value"),
        };
        self.at += length;
        Ok(kind)
    }

    /// The rest of a string whose opening quote was consumed, still escaped; consumes the closing quote.
    #[inline(always)]
    fn string_body(&mut self) -> Result<(&'a str, bool), Stop> {
        let start = self.at;
        match string_end(self.text.as_bytes(), start) {
            Some((end, escaped)) => {
                self.at = end + 1;
                // Both ends are next to ASCII quotes, hence character boundaries.
                Ok((&self.text[start..end], escaped))
            }
            None => {
                self.at = self.text.len();
                self.stop("the end of a string")
            }
        }
    }

    fn skip_container(&mut self, kind: Kind) -> Result<Kind, Stop> {
        let bytes = self.text.as_bytes();
        let mut depth = 0u32;
        let mut at = self.at;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => match string_end(bytes, at + 1) {
                    Some((end, _)) => at = end,
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
                        return Ok(kind);
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

/// Number of bytes that are scanned in words of eight before a string is considered long and searched with `memchr`.
/// Without SIMD (in the component), `memchr` uses words of four bytes, and eight are faster throughout.
const SHORT: usize = if cfg!(all(target_arch = "wasm32", not(target_feature = "simd128"))) { usize::MAX } else { 64 };

const ONES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = ONES * b'"' as u64;
const SLASHES: u64 = ONES * b'\\' as u64;

/// Marks the zero bytes of `word` in their highest bits. The lowest mark is exact; higher ones may be false.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The offset of the quote that closes a string whose contents begin at `start`, and whether there may be a backslash
/// in it.
#[inline(always)]
fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    let short_end = start.saturating_add(SHORT);
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quotes = zero_bytes(word ^ QUOTES);
        let found = quotes | zero_bytes(word ^ SLASHES);
        if found == 0 {
            at += 8;
        } else {
            let place = (found.trailing_zeros() / 8) as usize;
            // The lowest mark of both is exact: it is a quote if it is in `quotes`.
            if quotes & (found & found.wrapping_neg()) != 0 {
                return Some((at + place, escaped));
            }
            escaped = true;
            at += place + 2;
        }
        if at >= short_end {
            return long_string_end(bytes, at);
        }
    }
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// The same for the rest of a long string; `at` must not be inside an escape.
#[inline(never)]
fn long_string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut from = at;
    loop {
        let quote = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        // A quote after an odd number of backslashes is part of the string.
        let slashes = bytes[at..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            return Some((quote, true));
        }
        from = quote + 1;
    }
}

/// Calls `visit` with each member of an object; an error in it ends the iteration.
pub(crate) fn each<'a>(object: Raw<'a>, mut visit: impl FnMut(&'a str, Raw<'a>)) {
    let mut cursor = Cursor::new(object.text);
    if object.kind == Kind::Object && cursor.enter_object().is_ok() {
        while let Ok(Some(key)) = cursor.next_key() {
            let Ok(value) = cursor.value() else { break };
            visit(key, value);
        }
    }
}

/// Unescapes a JSON string; borrows if there are no escapes. A lone surrogate becomes U+FFFD; an unknown escape (from
/// shippers that do not escape backslashes) is kept unchanged.
pub(crate) fn unescape<'a>(raw: &'a str, arena: &'a Bump) -> &'a str {
    match memchr::memchr(b'\\', raw.as_bytes()) {
        None => raw,
        Some(first) => unescape_from(raw.as_bytes(), first, arena),
    }
}

fn unescape_from<'a>(raw: &[u8], first: usize, arena: &'a Bump) -> &'a str {
    // No escape is shorter than the character it encodes.
    let out = arena.alloc_slice_fill_copy(raw.len(), 0u8);
    out[..first].copy_from_slice(&raw[..first]);
    let mut from = first;
    let mut to = first;
    while from < raw.len() {
        if raw[from] == b'\\' {
            let next = raw.get(from + 1);
            let (character, used) = match next {
                // Nearly all escapes are those of paths.
                _ if next == Some(&b'\\') => (b'\\', 2),
                Some(b'"') => (b'"', 2),
                Some(b'/') => (b'/', 2),
                Some(b'b') => (8, 2),
                Some(b'f') => (12, 2),
                Some(b'n') => (b'\n', 2),
                Some(b'r') => (b'\r', 2),
                Some(b't') => (b'\t', 2),
                Some(b'u') => match unicode_escape(raw, from) {
                    Some((character, used)) => {
                        to += character.encode_utf8(&mut out[to..]).len();
                        from += used;
                        continue;
                    }
                    None => (b'\\', 1),
                },
                _ => (b'\\', 1),
            };
            out[to] = character;
            to += 1;
            from += used;
        }
        // Copies up to the next backslash, eight bytes at a time; surplus bytes are overwritten.
        while let Some(chunk) = raw.get(from..).and_then(|rest| rest.first_chunk::<8>()) {
            out[to..to + 8].copy_from_slice(chunk);
            let slashes = zero_bytes(u64::from_le_bytes(*chunk) ^ SLASHES);
            let plain = if slashes == 0 { 8 } else { (slashes.trailing_zeros() / 8) as usize };
            from += plain;
            to += plain;
            if slashes != 0 {
                break;
            }
        }
        if raw.len() - from < 8 {
            while from < raw.len() && raw[from] != b'\\' {
                out[to] = raw[from];
                from += 1;
                to += 1;
            }
        }
    }
    // UTF-8, because the source text is; the check is cheap.
    core::str::from_utf8(&out[..to]).unwrap_or_default()
}

/// The character of the `\uXXXX` at `at`, and its length in bytes; a surrogate pair is one character.
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

    /// Members of the top-level object according to serde_json and to the scanner.
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
    fn an_error_has_the_byte_offset() {
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
