//! JSON lines: documents as the module wrote them, one a line.

use std::io::{self, IsTerminal, Write};

use super::steers;

/// Writes a document. On a terminal, what could steer it is escaped, which JSON allows anywhere in a text.
pub(crate) fn line(out: &mut dyn Write, document: &str) -> io::Result<()> {
    if io::stdout().is_terminal() && document.chars().any(steers) {
        out.write_all(escaped(document).as_bytes())?;
    } else {
        out.write_all(document.as_bytes())?;
    }
    out.write_all(b"\n")
}

fn escaped(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if steers(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_document_says_the_same() {
        let document = serde_json::json!({ "a": "x\u{9b}y\u{e0041}z\u{202e}" }).to_string();
        let text = escaped(&document);
        assert!(text.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            serde_json::from_str::<serde_json::Value>(&document).unwrap()
        );
    }
}
