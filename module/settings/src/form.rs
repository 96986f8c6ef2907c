//! The forms of single values: hashes, class ids, addresses. Each has the regular expression that the JSON Schema gives
//! for it, and is checked no more loosely.

use std::net::IpAddr;

/// A hash.
pub(crate) const HASH: &str = "^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$";
/// A class id, with or without braces.
pub(crate) const CLSID: &str =
    r"^(\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$";
/// A class id, or what begins like none.
pub(crate) const COM_CLASS: &str = r"^(\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}|[^{}]+)$";
/// An address or block, or a name: a name has a letter or a sign that no IPv4 address has.
pub(crate) const ADDRESS: &str = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(/[0-9]{1,3})?|[A-Za-z0-9._-]*[A-Za-z_-][A-Za-z0-9._-]*)$";
/// A name or one address.
pub(crate) const MACHINE: &str =
    r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*|[^/: ]*[^0-9./: ][^/: ]*)$";

pub(crate) fn is_hash(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(crate) fn is_clsid(text: &str) -> bool {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let lengths = bare.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

pub(crate) fn is_com_class(text: &str) -> bool {
    if text.contains(['{', '}']) { text.starts_with('{') && is_clsid(text) } else { !text.is_empty() }
}

pub(crate) fn is_address(text: &str) -> bool {
    if let Some((network, length)) = text.split_once('/') {
        let most = match network.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        return length.bytes().all(|byte| byte.is_ascii_digit())
            && length.parse::<u8>().is_ok_and(|length| length <= most);
    }
    let named = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    text.parse::<IpAddr>().is_ok() || named
}

pub(crate) fn is_machine(text: &str) -> bool {
    let sign = |c: char| matches!(c, '/' | ':') || c.is_whitespace();
    let named = !text.is_empty() && !text.contains(sign) && text.contains(|c: char| !(c.is_ascii_digit() || c == '.'));
    text.parse::<IpAddr>().is_ok() || named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_right_form_are_taken_and_others_are_not() {
        for (check, good, bad) in [
            (
                is_hash as fn(&str) -> bool,
                vec!["d41d8cd98f00b204e9800998ecf8427e"],
                vec!["d41d8cd98f00b204e9800998ecf8427", "g41d8cd98f00b204e9800998ecf8427e", "MD5=d41d", ""],
            ),
            (
                is_clsid,
                vec!["{9BA05972-F6A8-11CF-A442-00A0C90A8F39}", "9ba05972-f6a8-11cf-a442-00a0c90a8f39"],
                vec!["{9BA05972-F6A8-11CF-A442-00A0C90A8F3}", "MMC20.Application", "{}"],
            ),
            (is_com_class, vec!["MMC20.Application"], vec!["{9BA05972}", ""]),
            (
                is_address,
                vec!["198.51.100.7", "198.51.100.0/24", "2001:db8::/32", "::1", "evil.example"],
                vec!["198.51.100.300", "198.51.100.0/33", "198.51.100", "198.51.100.0/", "a b", "?"],
            ),
            (is_machine, vec!["adm-01", "10.1.0.5", "fe80::1"], vec!["10.1.0.0/16", "10.1.0.500", "a b", ""]),
        ] {
            for text in good {
                assert!(check(text), "{text}");
            }
            for text in bad {
                assert!(!check(text), "{text}");
            }
        }
    }
}
