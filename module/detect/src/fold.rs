//! Undoing what hides words in a command line or a script: carets, backticks, quotes, doubled blanks.

use std::borrow::Cow;

/// `text` without `^`, backticks and quotes, runs of blanks as one; borrowed where nothing had to change. Letters keep
/// their case: comparisons ignore it anyway.
pub fn fold(text: &str) -> Cow<'_, str> {
    let hides = |b: u8| matches!(b, b'^' | b'`' | b'"' | b'\'');
    let bytes = text.as_bytes();
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let clean = !bytes.iter().any(|b| hides(*b) || matches!(b, b'\t' | b'\r' | b'\n'))
        && !bytes.windows(2).any(|pair| matches!(pair, [a, b] if blank(a) && blank(b)));
    if clean {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '^' | '`' | '"' | '\'' => {}
            ' ' | '\t' | '\r' | '\n' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_and_quotes_do_not_hide_words() {
        assert_eq!(fold(r#"c^md "/c"   ec`ho x"#), "cmd /c echo x");
        assert!(matches!(fold("plain text"), Cow::Borrowed(_)));
    }
}
