//! Reads a Windows record's provider and event id before anything else of it is read.
//!
//! Searching two keys in the raw bytes costs a fraction of walking the record, if `memchr` has SIMD. Without SIMD (some
//! WebAssembly), the walk itself calls `wants` as soon as it has read both.
//!
//! A quoted key followed by a colon cannot be inside a string, because its quotes would be escaped there. It can be at
//! a deeper level than expected, so a key that occurs twice is ambiguous, and the whole record is read.

use memchr::memmem::Finder;

/// Where a shape has the event id and the provider.
#[derive(Clone, Copy, Debug)]
struct Shape {
    id: usize,
    provider: usize,
    /// Whether the provider is an object with a `Name`.
    nested: bool,
    /// Whether all keys are at the top level.
    flat: bool,
}

const KEYS: [&str; 7] = [
    "\"EventID\"",
    "\"event_id\"",
    "\"SourceName\"",
    "\"Provider\"",
    "\"provider_name\"",
    "\"source_name\"",
    "\"ProviderName\"",
];

const SOURCE_NAME: usize = 2;
const PROVIDER_NAME: usize = 6;

const SHAPES: [Shape; 5] = [
    Shape { id: 0, provider: SOURCE_NAME, nested: false, flat: true },
    Shape { id: 0, provider: 3, nested: true, flat: false },
    Shape { id: 1, provider: 4, nested: false, flat: false },
    Shape { id: 1, provider: 5, nested: false, flat: false },
    Shape { id: 0, provider: PROVIDER_NAME, nested: false, flat: true },
];

/// The searchers, and the shape that matched last.
#[derive(Clone, Debug)]
pub(crate) struct Peek {
    finders: [Finder<'static>; KEYS.len()],
    last: usize,
}

impl Peek {
    /// Without a record so far.
    pub fn new() -> Self {
        Self { finders: KEYS.map(Finder::new), last: 0 }
    }

    /// Provider and event id, if they are unambiguous.
    pub fn look<'a>(&mut self, bytes: &'a [u8]) -> Option<(&'a str, u32)> {
        if cfg!(all(target_arch = "wasm32", not(target_feature = "simd128"))) {
            return None;
        }
        let wrapped = matches!(first_key(bytes), b"Event" | b"System" | b"_source" | b"result");
        let fitting = |peek: &Self, index: usize| {
            let shape = SHAPES[index];
            (!(shape.flat && wrapped)).then_some(())?;
            let id = event_id(peek.only(bytes, shape.id)?)?;
            let provider = peek.only(bytes, shape.provider)?;
            let provider = if shape.nested { name_in(provider)? } else { text(provider)? };
            // Flat records with both keys have a field of the event in the second.
            (shape.provider != PROVIDER_NAME || peek.finders[SOURCE_NAME].find(bytes).is_none()).then_some(())?;
            Some((provider, id))
        };
        if let Some(found) = fitting(self, self.last) {
            return Some(found);
        }
        let (index, found) = (0..SHAPES.len())
            .filter(|index| *index != self.last)
            .find_map(|index| Some((index, fitting(self, index)?)))?;
        self.last = index;
        Some(found)
    }

    /// The text after the key's colon, if the key occurs once.
    fn only<'a>(&self, bytes: &'a [u8], key: usize) -> Option<&'a [u8]> {
        let finder = &self.finders[key];
        let at = finder.find(bytes)?;
        let rest = &bytes[at + KEYS[key].len()..];
        finder.find(rest).is_none().then_some(())?;
        Some(rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
    }
}

fn first_key(bytes: &[u8]) -> &[u8] {
    let key = || {
        let rest = bytes.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = rest.iter().take(16).position(|byte| *byte == b'"')?;
        Some(&rest[..end])
    };
    key().unwrap_or_default()
}

/// A number, a number in quotes, or one in an object as `#text` or `Value`.
fn event_id(value: &[u8]) -> Option<u32> {
    let digits = match value.first()? {
        b'"' => &value[1..],
        b'{' => {
            let object = &value[..value.len().min(96)];
            let object = &object[..memchr::memchr(b'}', object).unwrap_or(object.len())];
            let rest = [&b"\"#text\""[..], b"\"Value\""]
                .iter()
                .find_map(|key| Some(&object[memchr::memmem::find(object, key)? + key.len()..]))?;
            let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
            rest.strip_prefix(b"\"").unwrap_or(rest)
        }
        _ => value,
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // Anything after the digits (a fraction, an exponent) is left to the full reader.
    matches!(digits.get(length), Some(b'"' | b',' | b'}' | b' ' | b'\r' | b'\n' | b'\t') | None).then_some(())?;
    core::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

/// A string without escapes.
fn text(value: &[u8]) -> Option<&str> {
    let rest = value.strip_prefix(b"\"")?;
    let end = rest.iter().take(256).position(|byte| matches!(byte, b'"' | b'\\'))?;
    (rest[end] == b'"').then_some(())?;
    core::str::from_utf8(&rest[..end]).ok().filter(|text| !text.is_empty())
}

/// The `Name` in an object that begins here, at any depth.
fn name_in(value: &[u8]) -> Option<&str> {
    (value.first() == Some(&b'{')).then_some(())?;
    let object = &value[..value.len().min(256)];
    let object = &object[..memchr::memchr(b'}', object).unwrap_or(object.len())];
    let at = memchr::memmem::find(object, b"\"Name\"")?;
    text(object[at + 6..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn provider_and_id_are_found_in_the_common_shapes() {
        for text in [
            r##"{"x":1,"EventID":7,"SourceName":"A-B"}"##,
            r##"{"SourceName":"A-B","ProviderName":"field","EventID": "7" }"##,
            r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"A-B"}},"EventID":{"#attributes":{"Qualifiers":0},"#text":7}}}}"##,
            r##"{"Event":{"System":{"Provider":{"Name":"A-B"},"EventID":{"#text":7}},"EventData":{"SourceName":"q"}}}"##,
            r##"{"winlog":{"event_id":"7","provider_name":"A-B"},"event":{"code":7}}"##,
            r##"{"event_id":7,"source_name":"A-B"}"##,
            r##"{"ProviderName":"A-B","EventID":7,"StringInserts":[]}"##,
        ] {
            let expected = if text.contains("Qualifiers") { None } else { Some(("A-B", 7)) };
            let seen = Peek::new().look(text.as_bytes());
            assert!(seen == Some(("A-B", 7)) || seen == expected, "{text}: {seen:?}");
        }
    }

    #[test]
    fn ambiguous_records_are_not_decided() {
        for text in [
            r##"{"EventID":7,"SourceName":"A","EventID":8}"##,
            r##"{"EventID":7,"SourceName":"A\\B"}"##,
            r##"{"message":"\"EventID\":7,\"SourceName\":\"A\""}"##,
            r##"{"EventID":1e3,"SourceName":"A"}"##,
            r##"{"EventID":99999999999,"SourceName":"A"}"##,
            r##"{"EventID":7}"##,
            "",
        ] {
            assert_eq!(Peek::new().look(text.as_bytes()), None, "{text}");
        }
    }
}
