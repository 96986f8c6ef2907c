//! Finds the end of a JSON object, and how the objects of an input follow each other.

use super::Framing;

/// State of scanning an object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JsonState {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// What is known of the first array that is a member of the outermost object.
    first_array: FirstArray,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FirstArray {
    #[default]
    NotSeen,
    /// It is open, and only white space followed so far.
    Opened,
    Seen,
}

/// Result of scanning an object.
pub(super) enum JsonFound {
    /// The object ends after this number of bytes.
    End(usize),
    /// It does not end in these bytes.
    More,
    /// A line end inside a string, at this offset.
    OpenString(usize),
    /// At this offset, the first array in the object begins with an object, or is empty.
    FirstArray(usize),
}

impl JsonState {
    /// State after an object's opening brace.
    pub fn inside() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Scans an object through `bytes`.
    pub fn follow(&mut self, bytes: &[u8]) -> JsonFound {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string {
                if self.escaped && byte != b'\n' {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[at..]) else { return JsonFound::More };
                at += found;
                match bytes[at] {
                    b'"' => self.in_string = false,
                    b'\\' => self.escaped = true,
                    _ => return JsonFound::OpenString(at),
                }
                at += 1;
                continue;
            }
            if self.first_array == FirstArray::Opened && !byte.is_ascii_whitespace() {
                self.first_array = FirstArray::Seen;
                if matches!(byte, b'{' | b']') {
                    return JsonFound::FirstArray(at);
                }
            }
            at += 1;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    if byte == b'[' && self.depth == 2 && self.first_array == FirstArray::NotSeen {
                        self.first_array = FirstArray::Opened;
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return JsonFound::End(at);
                    }
                }
                _ => {}
            }
        }
        JsonFound::More
    }
}

/// Whether `{"key":[`, in two pieces, is the beginning of an export of many records.
pub(super) fn is_wrapper(first: &[u8], second: &[u8]) -> bool {
    const KEYS: [&[u8]; 6] = [b"Records", b"records", b"Events", b"events", b"value", b"logs"];
    const LONGEST: usize = 64;
    if first.len() + second.len() > LONGEST {
        return false;
    }
    let mut head = [0; LONGEST];
    for (to, from) in head.iter_mut().zip(first.iter().chain(second)) {
        *to = *from;
    }
    let head = &head[..first.len() + second.len()];
    let key = || {
        let rest = head.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
        let (key, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
        let rest = rest[1..].trim_ascii_start().strip_prefix(b":")?;
        (rest.trim_ascii() == b"[").then_some(key)
    };
    key().is_some_and(|key| KEYS.contains(&key))
}

/// How the records of a JSON input follow each other, and the first of them as far as it is in `start`, which begins
/// with a brace or a bracket. `None` if it is not JSON.
pub(crate) fn probe(start: &[u8]) -> Option<(Framing, &[u8])> {
    let brace = start.iter().position(|byte| !matches!(byte, b'[' | b' ' | b'\t' | b'\r' | b'\n'))?;
    if start[brace] != b'{' {
        return None;
    }
    let object = &start[brace..];
    if !matches!(object[1..].trim_ascii_start(), [b'"' | b'}', ..] | []) {
        return None;
    }
    let mut state = JsonState::default();
    let mut at = 0;
    loop {
        match state.follow(&object[at..]) {
            JsonFound::FirstArray(end) => {
                at += end;
                if is_wrapper(&[], &object[..at]) {
                    return Some((Framing::Json, object[at..].strip_prefix(b"]").unwrap_or(&object[at..])));
                }
            }
            JsonFound::End(end) => {
                at += end;
                break;
            }
            // It does not end in these bytes: one per line, unless it spans lines itself.
            JsonFound::More => {
                if brace == 0
                    && let Some(line) = line_after_a_torn_one(object)
                {
                    return Some((Framing::Lines, line));
                }
                let lines = memchr::memchr(b'\n', object).is_some() || brace > 0;
                return Some((if lines { Framing::Json } else { Framing::Lines }, object));
            }
            JsonFound::OpenString(_) => return Some((Framing::Lines, object)),
        }
    }
    let first = &object[..at];
    if brace == 0
        && memchr::memchr(b'\n', first).is_some()
        && let Some(line) = line_after_a_torn_one(object)
    {
        return Some((Framing::Lines, line));
    }
    let after = object[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    let alone = matches!(after, None | Some(b'\n'));
    let framing =
        if brace == 0 && alone && memchr::memchr(b'\n', first).is_none() { Framing::Lines } else { Framing::Json };
    Some((framing, first))
}

/// If the first line is only the beginning of a record: the first of the following lines that is a whole one. An object
/// that spans lines begins with a line that consists of a brace.
fn line_after_a_torn_one(object: &[u8]) -> Option<&[u8]> {
    const LINES: usize = 8;
    let mut lines = object.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    if lines.next().is_none_or(|first| first.len() < 2) {
        return None;
    }
    lines.take(LINES).find(|line| {
        let end = JsonState::default().follow(line);
        line.starts_with(b"{") && matches!(end, JsonFound::End(end) if end == line.len())
    })
}
