//! Text comparison for logs: ASCII case is ignored, and nothing is allocated.

pub mod addresses;
pub mod fold;
mod patterns;
pub mod secrets;
mod wildcard;

pub use backchannel_events::host_label as label;

pub use patterns::Patterns;
pub use wildcard::matches;

/// Whether `haystack` contains `needle`, ASCII case ignored. An empty needle is contained in everything.
pub fn contains(haystack: &str, needle: &str) -> bool {
    find(haystack, needle).is_some()
}

/// Where `needle` first occurs in `haystack`, ASCII case ignored.
pub fn find(haystack: &str, needle: &str) -> Option<usize> {
    let (hay, pin) = (haystack.as_bytes(), needle.as_bytes());
    let last_start = hay.len().checked_sub(pin.len())?;
    let rarity = |byte: u8| FREQUENCY.get(usize::from(byte)).copied();
    let Some((before, &rare)) = pin.iter().enumerate().min_by_key(|(_, byte)| rarity(**byte)) else {
        return Some(0);
    };
    let (lower, upper) = (rare.to_ascii_lowercase(), rare.to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, hay.get(before..=before + last_start)?)
        .find(|&at| hay.get(at..at + pin.len()).is_some_and(|there| there.eq_ignore_ascii_case(pin)))
}

/// [`frequency`] of every byte.
const FREQUENCY: [u8; 256] = {
    let mut table = [0; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0;
    while let [first, after @ ..] = rest {
        *first = frequency(byte);
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
};

/// Approximate frequency of a byte in paths, command lines and scripts: the search looks for the needle's rarest byte.
const fn frequency(byte: u8) -> u8 {
    match byte.to_ascii_lowercase() {
        b'e' => 100,
        b't' | b'i' | b's' | b'o' | b'n' | b'r' | b'a' | b' ' => 80,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' => 60,
        b'\\' | b'.' | b'-' | b'0' | b'"' | b'\'' => 50,
        b'f' | b'g' | b'h' | b'w' | b'y' | b'v' | b'1' | b'2' | b'3' => 40,
        b'b' | b'k' | b'x' | b'4'..=b'9' | b'$' | b'(' | b')' | b'=' | b':' | b'/' | b',' => 30,
        b'j' | b'q' | b'z' => 20,
        _ => 10,
    }
}

/// Whether `text` contains one of `needles`, ASCII case ignored.
pub fn contains_any(text: &str, needles: &[&str]) -> bool {
    needles.iter().any(|needle| contains(text, needle))
}

/// Whether `text` is one of `words`, ASCII case ignored.
pub fn is_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether `text` starts with `prefix`, ASCII case ignored.
pub fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// Whether `text` ends with `suffix`, ASCII case ignored.
pub fn ends_with(text: &str, suffix: &str) -> bool {
    text.len()
        .checked_sub(suffix.len())
        .and_then(|at| text.as_bytes().get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix.as_bytes()))
}

/// The last component of a path, whichever separator it uses.
pub fn base_name(path: &str) -> &str {
    last_separator(path).and_then(|at| path.get(at + 1..)).unwrap_or(path)
}

/// Whether two paths end in the same file name, ASCII case ignored.
pub fn same_base_name(one: &str, other: &str) -> bool {
    one == other || base_name(one).eq_ignore_ascii_case(base_name(other))
}

/// Everything before the last component, without the separator; empty if there is none.
pub fn directory(path: &str) -> &str {
    last_separator(path).and_then(|at| path.get(..at)).unwrap_or("")
}

fn last_separator(path: &str) -> Option<usize> {
    memchr::memrchr2(b'\\', b'/', path.as_bytes())
}

/// The first GUID with braces in `text`, braces included.
pub fn guid(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = rest.get(at..)?;
        if let Some(candidate) = rest.get(..38)
            && candidate.ends_with('}')
            && candidate.bytes().skip(1).take(36).enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            })
        {
            return Some(candidate);
        }
        rest = rest.get(1..)?;
    }
    None
}

/// `text` truncated to at most `max` bytes at a character boundary.
pub fn clip(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// `text` in ASCII lower case, in `buffer` if it had to change; for look-ups without an allocation in the usual case.
pub fn lower<'t>(text: &'t str, buffer: &'t mut String) -> &'t str {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        buffer.clear();
        buffer.push_str(text);
        buffer.make_ascii_lowercase();
        buffer
    } else {
        text
    }
}

/// A registry number as written in logs: `DWORD (0x00000001)`, `0x1`, `1`.
pub fn dword(data: &str) -> Option<u32> {
    let data = data.strip_prefix("DWORD (").and_then(|rest| rest.strip_suffix(')')).unwrap_or(data).trim();
    match data.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => data.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_and_the_position_is_found() {
        assert_eq!(find(r"C:\Windows\System32\SVCHOST.exe -k DcomLaunch", "dcomlaunch"), Some(35));
        assert_eq!(find("aaab", "aab"), Some(1));
        assert_eq!(find("short", "longer than that"), None);
    }

    #[test]
    fn a_guid_is_found_among_braces() {
        let text = r"dllhost.exe /x:{no} /Processid:{3E5FC7F9-9A51-4367-9063-A120244FBEC7}";
        assert_eq!(guid(text), Some("{3E5FC7F9-9A51-4367-9063-A120244FBEC7}"));
        assert_eq!(guid("{3E5FC7F9-9A51-4367-9063-A120244FBEC7"), None);
    }

    #[test]
    fn a_registry_number_is_read_in_every_spelling() {
        assert_eq!([dword("DWORD (0x0000000a)"), dword("0xA"), dword("10")], [Some(10); 3]);
        assert_eq!(dword("Binary Data"), None);
    }

    #[test]
    fn both_separators_end_a_directory() {
        assert_eq!((base_name(r"C:\a\b.exe"), directory(r"C:\a\b.exe")), ("b.exe", r"C:\a"));
        assert_eq!((base_name("/usr/bin/nc"), directory("/usr/bin/nc")), ("nc", "/usr/bin"));
        assert_eq!((base_name("nc"), directory("nc")), ("nc", ""));
    }
}
