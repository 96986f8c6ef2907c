//! Finds the position of a JSON Pointer's value in a JSON text, which must be valid JSON.

use std::ops::Range;

use super::tokens;

/// The byte offset of a line and column, as serde_json counts them.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// The span of the pointer's value; if there is none, that of the parent that would contain it.
pub(super) fn locate(text: &str, pointer: &str) -> Range<usize> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.space();
    let mut found = scan.at..scan.at;
    for token in tokens(pointer) {
        if !scan.enter(&token) {
            break;
        }
        found = scan.at..scan.at;
    }
    if !pointer.is_empty() {
        scan.at = found.start;
        scan.value();
        found.end = scan.at;
    }
    found
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') {
            self.at += 1;
        }
    }

    /// From the beginning of an object or array to the beginning of a member.
    fn enter(&mut self, token: &str) -> bool {
        let (start, is_object) = (self.at, self.peek() == b'{');
        if !is_object && self.peek() != b'[' {
            return false;
        }
        self.at += 1;
        let mut index = 0usize;
        loop {
            self.space();
            if matches!(self.peek(), b'}' | b']' | 0) {
                self.at = start;
                return false;
            }
            let is_it = if is_object {
                let key = self.at;
                self.value();
                let key = serde_json::from_slice::<String>(&self.bytes[key..self.at]).unwrap_or_default();
                self.space();
                key == token
            } else {
                index.to_string() == token
            };
            if is_it {
                return true;
            }
            self.value();
            index += 1;
        }
    }

    /// Skips a value.
    fn value(&mut self) {
        match self.peek() {
            b'"' => self.string(),
            b'{' | b'[' => {
                let mut depth = 0usize;
                loop {
                    match self.peek() {
                        b'"' => {
                            self.string();
                            continue;
                        }
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        0 => return,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
            }
            _ => {
                while !matches!(self.peek(), b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | 0) {
                    self.at += 1;
                }
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => self.at += 2,
                0 if self.at >= self.bytes.len() => return,
                _ => self.at += 1,
            }
        }
    }
}
