//! Small parsers for the texts that Windows events hold: numbers, accounts, hashes, times, addresses, pipe names.

use core::net::IpAddr;

use backchannel_events::{Hashes, Integrity, Mechanism, SignatureStatus, Timestamp, User};
use bumpalo::Bump;
use bumpalo::collections::String as BumpString;

/// The value, or "" if it is one of the forms in which Windows and Sysmon write "not known".
pub fn clean(value: &str) -> &str {
    match value {
        "-" | "?" | "<unknown process>" | "&lt;unknown process&gt;" | "{00000000-0000-0000-0000-000000000000}" => "",
        _ => value,
    }
}

/// Parses a number as Windows writes it: decimal, or hexadecimal after `0x`. Surrounding blanks are ignored.
pub fn number(value: &str) -> Option<u64> {
    let value = value.trim_ascii();
    match value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        Some(digits) => hex_digits(digits),
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => value.parse().ok(),
        None => None,
    }
}

/// Parses a hexadecimal number with or without `0x`, padded with blanks (DistributedCOM 10028).
pub fn hex(value: &str) -> Option<u64> {
    let value = value.trim_ascii();
    hex_digits(value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")).unwrap_or(value))
}

// `from_str_radix` alone would accept a sign.
fn hex_digits(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u64::from_str_radix(digits, 16).ok() } else { None }
}

/// `DOMAIN\name`, or a name alone.
pub fn account(value: &str) -> User<'_> {
    match value.split_once('\\') {
        Some((domain, name)) => User { name, domain, ..User::default() },
        None => User { name: value, ..User::default() },
    }
}

/// A SID; the null SID becomes empty.
pub fn sid(value: &str) -> &str {
    match value {
        "S-1-0-0" => "",
        _ => value,
    }
}

/// Sysmon `Hashes`: `SHA1=..,MD5=..,SHA256=..,IMPHASH=..` in any order and choice.
pub fn hashes(value: &str) -> Hashes<'_> {
    let mut hashes = Hashes::default();
    for part in value.split(',') {
        let Some((algorithm, digest)) = part.split_once('=') else { continue };
        let digest = clean(digest.trim_ascii());
        // An import hash of zeros means that the file has no imports; it identifies nothing.
        if digest.is_empty() || digest.bytes().all(|byte| byte == b'0') {
            continue;
        }
        let algorithm = algorithm.trim_ascii();
        if algorithm.eq_ignore_ascii_case("SHA256") {
            hashes.sha256 = digest;
        } else if algorithm.eq_ignore_ascii_case("SHA1") {
            hashes.sha1 = digest;
        } else if algorithm.eq_ignore_ascii_case("MD5") {
            hashes.md5 = digest;
        } else if algorithm.eq_ignore_ascii_case("IMPHASH") {
            hashes.imphash = digest;
        }
    }
    hashes
}

/// Sysmon `IntegrityLevel`, or the label's SID (Security 4688 `MandatoryLabel`), also inside other text.
pub fn integrity(value: &str) -> Integrity {
    if let Some(at) = value.find("S-1-16-") {
        let digits = value[at + 7..].bytes().take_while(u8::is_ascii_digit).count();
        return match value[at + 7..at + 7 + digits].parse::<u32>() {
            Ok(0..4096) => Integrity::Untrusted,
            Ok(4096..8192) => Integrity::Low,
            Ok(8192..12288) => Integrity::Medium,
            Ok(12288..16384) => Integrity::High,
            Ok(_) => Integrity::System,
            Err(_) => Integrity::Unknown,
        };
    }
    match value {
        "AppContainer" | "Untrusted" => Integrity::Untrusted,
        "Low" => Integrity::Low,
        "Medium" | "MediumPlus" | "Medium Plus" => Integrity::Medium,
        "High" => Integrity::High,
        "System" | "Protected" | "ProtectedProcess" => Integrity::System,
        _ => Integrity::Unknown,
    }
}

/// Sysmon's `Signed` and `SignatureStatus` combined.
pub fn signature_status(signed: &str, status: &str) -> SignatureStatus {
    let valid = status.eq_ignore_ascii_case("Valid");
    if signed.eq_ignore_ascii_case("true") {
        // Sysmon before 6 has no status, only whether it is signed.
        if valid || status.is_empty() { SignatureStatus::Trusted } else { SignatureStatus::Untrusted }
    } else if signed.eq_ignore_ascii_case("false") {
        match status {
            "Expired" | "Revoked" | "BadDigest" | "UntrustedRoot" | "Untrusted" | "Error" => SignatureStatus::Untrusted,
            _ => SignatureStatus::Unsigned,
        }
    } else {
        SignatureStatus::Unknown
    }
}

/// Sysmon's `YYYY-MM-DD hh:mm:ss.mmm`, or RFC 3339 in UTC.
pub fn time(value: &str) -> Option<Timestamp> {
    let bytes = value.trim_ascii().as_bytes();
    let bytes = bytes.strip_suffix(b"Z").unwrap_or(bytes);
    if bytes.len() < 19 {
        return None;
    }
    let part = |from: usize, to: usize| -> Option<u32> {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    if bytes[4] != b'-'
        || bytes[7] != b'-'
        || !matches!(bytes[10], b' ' | b'T')
        || bytes[13] != b':'
        || bytes[16] != b':'
    {
        return None;
    }
    let mut nanos = 0;
    if bytes.len() > 19 {
        let digits = bytes.len() - 20;
        if bytes[19] != b'.' || digits == 0 || digits > 9 {
            return None;
        }
        nanos = part(20, bytes.len())? * 10u32.pow(9 - digits as u32);
    }
    let second = part(17, 19)?;
    Timestamp::from_civil(
        i32::try_from(part(0, 4)?).ok()?,
        part(5, 7)?,
        part(8, 10)?,
        part(11, 13)?,
        part(14, 16)?,
        second,
        nanos,
    )
}

/// An address without the prefix that marks an IPv4 address in an IPv6 field.
pub fn address(value: &str) -> &str {
    let value = clean(value.trim_ascii()).trim_start_matches('\\');
    match value.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("::ffff:") && value[7..].contains('.') => &value[7..],
        _ => value,
    }
}

/// Parses the address in a text, ignoring a zone index (`%12`).
pub fn ip(value: &str) -> Option<IpAddr> {
    value.split('%').next().unwrap_or(value).parse().ok()
}

/// Whether the text is a loopback address.
pub fn is_loopback(value: &str) -> bool {
    ip(value).is_some_and(|address| address.is_loopback()) || value.eq_ignore_ascii_case("localhost")
}

/// Whether the text has the form of a machine's name: one word of letters, digits, dots, dashes.
pub fn is_host_name(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 255
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'$'))
}

/// Whether two names are of the same machine: their first labels are equal, ignoring case.
pub fn same_host(one: &str, other: &str) -> bool {
    let label = |name: &str| name.split('.').next().map_or(0, str::len);
    let (a, b) = (&one[..label(one)], &other[..label(other)]);
    !a.is_empty() && a.eq_ignore_ascii_case(b)
}

/// The name of a pipe in the form that [`Channel`](backchannel_events::Channel) requires, and the kind of pipe.
pub fn pipe<'a>(value: &'a str, arena: &'a Bump) -> (Mechanism, &'a str) {
    let value = unescape(clean(value), arena);
    if value.eq_ignore_ascii_case("<Anonymous Pipe>") {
        return (Mechanism::AnonymousPipe, "<Anonymous Pipe>");
    }
    let mut name = value;
    for prefix in [r"\\.\pipe", r"\\?\pipe", r"\??\pipe", r"\Device\NamedPipe"] {
        if let Some(rest) = strip_prefix_ignore_case(name, prefix)
            && (rest.is_empty() || rest.starts_with('\\'))
        {
            name = rest;
            break;
        }
    }
    // Exactly one leading backslash, whether the source has none or (through double escaping) several.
    let bare = name.trim_start_matches('\\');
    if bare.is_empty() {
        return (Mechanism::NamedPipe, "");
    }
    match name.len() - bare.len() {
        0 => (Mechanism::NamedPipe, join(&["\\", bare], arena)),
        extra => (Mechanism::NamedPipe, &name[extra - 1..]),
    }
}

/// The parts as one text.
pub fn join<'a>(parts: &[&str], arena: &'a Bump) -> &'a str {
    let mut out = BumpString::with_capacity_in(parts.iter().map(|part| part.len()).sum(), arena);
    parts.iter().for_each(|part| out.push_str(part));
    out.into_bump_str()
}

/// Decodes the five entities of XML, once.
pub fn unescape<'a>(value: &'a str, arena: &'a Bump) -> &'a str {
    if !value.contains('&') {
        return value;
    }
    const ENTITIES: [(&str, char); 5] =
        [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&apos;", '\'')];
    let mut out = BumpString::with_capacity_in(value.len(), arena);
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            Some((entity, character)) => {
                out.push(*character);
                rest = &rest[entity.len()..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out.into_bump_str()
}

/// `value` without `prefix`, ignoring ASCII case.
pub fn strip_prefix_ignore_case<'a>(value: &'a str, prefix: &str) -> Option<&'a str> {
    match value.get(..prefix.len()) {
        Some(head) if head.eq_ignore_ascii_case(prefix) => Some(&value[prefix.len()..]),
        _ => None,
    }
}

/// Whether `value` ends with `suffix`, ignoring ASCII case.
pub fn ends_with_ignore_case(value: &str, suffix: &str) -> bool {
    value
        .len()
        .checked_sub(suffix.len())
        .and_then(|at| value.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}

/// The text after the first `start` up to the next `end` (or to the end of the text if there is no `end`).
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    let rest = &text[from..];
    Some(rest.find(end).map_or(rest, |to| &rest[..to]))
}

/// The value of a line `key = value` (or `key=value`), with any text before the key on that line.
pub fn line_value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .find_map(|line| {
            let rest = line.trim_ascii().strip_prefix(key)?.trim_ascii_start();
            Some(rest.strip_prefix('=')?.trim_ascii())
        })
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_bases() {
        assert_eq!(number("4"), Some(4));
        assert_eq!(number("0x3e7"), Some(999));
        assert_eq!(number("  0X1F4 "), Some(500));
        assert_eq!(number("3e7"), None);
        assert_eq!(number("-1"), None);
        assert_eq!(number("0x"), None);
        assert_eq!(number("0x+1"), None);
        assert_eq!(number("99999999999999999999999"), None);
        assert_eq!(hex("    1ce8"), Some(0x1ce8));
        assert_eq!(hex(""), None);
    }

    #[test]
    fn hashes_are_split_whatever_their_order() {
        let hashes = hashes("MD5=aa,SHA256=bb,IMPHASH=00000000000000000000000000000000,SHA1=cc");
        assert_eq!((hashes.md5, hashes.sha256, hashes.sha1, hashes.imphash), ("aa", "bb", "cc", ""));
    }

    #[test]
    fn a_label_is_an_integrity_level() {
        assert_eq!(integrity("S-1-16-8448"), Integrity::Medium);
        assert_eq!(integrity("S-1-16-16384"), Integrity::System);
        assert_eq!(integrity(r"Mandatory Label\High (S-1-16-12288)"), Integrity::High);
        assert_eq!(integrity("AppContainer"), Integrity::Untrusted);
        assert_eq!(integrity("S-1-16-"), Integrity::Unknown);
        assert_eq!(integrity(""), Integrity::Unknown);
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let expected = Timestamp::from_civil(2020, 9, 18, 17, 5, 53, 466_000_000);
        assert_eq!(time("2020-09-18 17:05:53.466"), expected);
        assert_eq!(time("2020-09-18T17:05:53.4660000Z"), expected);
        assert_eq!(time("2020-09-18 17:05:53"), Timestamp::from_civil(2020, 9, 18, 17, 5, 53, 0));
        for bad in ["", "-", "2020-09-18", "2020-13-18 17:05:53.466", "2020-09-18 17:05:53.", "2020-09-18 17:05:53.ä"]
        {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pipe_has_one_leading_backslash_and_no_prefix() {
        let arena = Bump::new();
        for name in [r"\\.\pipe\lsass", r"\Device\NamedPipe\lsass", r"\lsass", "lsass", r"\\lsass"] {
            assert_eq!(pipe(name, &arena), (Mechanism::NamedPipe, r"\lsass"), "{name}");
        }
        assert_eq!(pipe("&lt;Anonymous Pipe&gt;", &arena), (Mechanism::AnonymousPipe, "<Anonymous Pipe>"));
        assert_eq!(pipe("<Anonymous Pipe>", &arena), (Mechanism::AnonymousPipe, "<Anonymous Pipe>"));
        assert_eq!(pipe(r"\a&amp;b", &arena), (Mechanism::NamedPipe, r"\a&b"));
        // A component `pipe` that is not the prefix is part of the name: a sign of path smuggling.
        assert_eq!(pipe(r"\x1\pipe\srvsvc", &arena), (Mechanism::NamedPipe, r"\x1\pipe\srvsvc"));
        assert_eq!(pipe("-", &arena), (Mechanism::NamedPipe, ""));
    }

    #[test]
    fn an_entity_is_decoded_once() {
        let arena = Bump::new();
        assert_eq!(unescape("a &amp;lt; b &quot;c&quot; &x &", &arena), r#"a &lt; b "c" &x &"#);
    }

    #[test]
    fn machines_are_compared_by_their_first_label() {
        assert!(same_host("WKS1.example.org", "wks1"));
        assert!(!same_host("", ""));
        assert!(!same_host("wks1", "wks10"));
    }

    #[test]
    fn a_mapped_address_loses_its_prefix() {
        assert_eq!(address("::ffff:10.0.0.5"), "10.0.0.5");
        assert_eq!(address("::FFFF:10.0.0.5"), "10.0.0.5");
        assert_eq!(address("::1"), "::1");
        assert_eq!(address("-"), "");
    }
}
