//! Removes obfuscation from command lines and scripts: carets, backticks, quotes, repeated spaces.

use std::borrow::Cow;

/// `text` without `^`, backticks and quotes, with repeated spaces as one; borrowed if unchanged. Letters keep their case,
/// because comparisons ignore it.
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
    // All of these are ASCII, so the cuts lie between characters.
    let special = |c: char| matches!(c, '^' | '`' | '"' | '\'' | ' ' | '\t' | '\r' | '\n');
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        if tail.starts_with([' ', '\t', '\r', '\n']) && !out.ends_with(' ') {
            out.push(' ');
        }
        rest = tail.get(1..).unwrap_or("");
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether the result of [`fold`] for `text` contains `word`, ASCII case ignored, without a copy. `word` contains no spaces
/// and none of the removed characters.
pub fn holds(text: &str, word: &str) -> bool {
    let hides = |b: &u8| matches!(b, b'^' | b'`' | b'"' | b'\'');
    let bytes = text.as_bytes();
    let Some(first) = word.bytes().next() else { return true };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), bytes).any(|at| {
        let mut there = bytes.get(at..).unwrap_or_default().iter().filter(|b| !hides(b));
        word.bytes().all(|wanted| there.next().is_some_and(|b| b.eq_ignore_ascii_case(&wanted)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_and_quotes_do_not_hide_words() {
        assert_eq!(fold(r#"c^md "/c"   ec`ho x"#), "cmd /c echo x");
        assert!(matches!(fold("plain text"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_obfuscated_word_is_found_without_a_copy() {
        for text in ["a NamedPipe", "Na`med'+'Pipe nAm^edP\"ipe", "'named'pipe", "nnamedpipe"] {
            assert!(holds(text, "NamedPipe"), "{text}");
        }
        for text in ["named pipe", "named", "", "namedpip", "named'+'pipe"] {
            assert!(!holds(text, "NamedPipe"), "{text}");
        }
    }
}
