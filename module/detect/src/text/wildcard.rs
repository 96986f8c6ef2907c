//! Wildcards of a site's settings and of the lists of names.

use super::{ends_with, find, starts_with};

/// Whether `text` matches `pattern`, case ignored: `*` matches any text, including the empty one.
pub fn matches(pattern: &str, text: &str) -> bool {
    // Most patterns already differ in their first character.
    let first = |of: &str| of.bytes().next().map(|byte| byte.to_ascii_lowercase());
    if first(pattern) != Some(b'*') && first(pattern) != first(text) {
        return false;
    }
    let Some(star) = pattern.bytes().position(|byte| byte == b'*') else {
        return pattern.eq_ignore_ascii_case(text);
    };
    let (head, rest) = (pattern.get(..star).unwrap_or(""), pattern.get(star + 1..).unwrap_or(""));
    if !starts_with(text, head) {
        return false;
    }
    let mut left = text.get(head.len()..).unwrap_or("");
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return ends_with(left, part);
        }
        let Some(at) = find(left, part) else { return false };
        left = left.get(at + part.len()..).unwrap_or("");
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_anything() {
        assert!(
            matches(r"MSSQL$*\sql\query", r"mssql$PAYROLL\sql\query") && matches("a*", "A") && matches("*b*d", "abcd")
        );
        assert!(!matches("a*c", "ab") && !matches("abc", "abcd") && !matches("*kd*", "k"));
    }
}
