//! GUIDs and SIDs: their text form and their binary form.

use std::fmt;
use std::str::FromStr;

/// A GUID, as its 16 stored bytes (the first three groups little-endian).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub [u8; 16]);

/// A security identifier, as its stored bytes. Made from its text: `"S-1-5-18".parse()`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(Vec<u8>);

impl Sid {
    /// The stored bytes: revision, count, authority (6 bytes, big-endian), sub-authorities (little-endian).
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A string that is not a GUID or SID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnIdentifier {
    expected: &'static str,
    text: String,
}

impl fmt::Display for NotAnIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.expected, self.text)
    }
}

impl std::error::Error for NotAnIdentifier {}

impl FromStr for Guid {
    type Err = NotAnIdentifier;

    /// Reads `01234567-89ab-cdef-0123-456789abcdef`, in braces or not, in either case.
    fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
        let parse = || {
            let bare = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'))?;
            let groups: Vec<&str> = bare.split('-').collect();
            if !groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
                || !bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
            {
                return None;
            }
            let number = |index: usize| u64::from_str_radix(groups[index], 16).ok();
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&(number(0)? as u32).to_le_bytes());
            bytes[4..6].copy_from_slice(&(number(1)? as u16).to_le_bytes());
            bytes[6..8].copy_from_slice(&(number(2)? as u16).to_le_bytes());
            bytes[8..10].copy_from_slice(&(number(3)? as u16).to_be_bytes());
            bytes[10..].copy_from_slice(&number(4)?.to_be_bytes()[2..]);
            Some(Guid(bytes))
        };
        parse().ok_or_else(|| NotAnIdentifier { expected: "a GUID", text: text.to_owned() })
    }
}

impl FromStr for Sid {
    type Err = NotAnIdentifier;

    /// Reads `S-1-5-21-…`: a decimal or `0x` authority and at most 15 sub-authorities.
    fn from_str(text: &str) -> Result<Self, NotAnIdentifier> {
        let parse = || {
            let mut parts = text.strip_prefix("S-1-")?.split('-');
            let authority = parts.next()?;
            let authority = match authority.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                None => authority.parse().ok()?,
            };
            let subs = parts.map(|sub| sub.parse().ok()).collect::<Option<Vec<u32>>>()?;
            if subs.len() > 15 || authority >> 48 != 0 {
                return None;
            }
            let mut bytes = vec![1, subs.len() as u8];
            bytes.extend_from_slice(&authority.to_be_bytes()[2..]);
            bytes.extend(subs.iter().flat_map(|sub| sub.to_le_bytes()));
            Some(Sid(bytes))
        };
        parse().ok_or_else(|| NotAnIdentifier { expected: "a SID", text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_stored_with_its_first_three_groups_reversed() {
        let guid: Guid = "{00112233-4455-6677-8899-AABBCCDDEEFF}".parse().unwrap();
        assert_eq!(guid.0[..8], [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66]);
        assert_eq!(guid.0[8..], [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
        assert_eq!("00112233-4455-6677-8899-aabbccddeeff".parse(), Ok(guid));
    }

    #[test]
    fn a_sid_is_stored_with_its_authority_big_endian() {
        let sid: Sid = "S-1-5-21-1".parse().unwrap();
        assert_eq!(sid.as_bytes(), [1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!("S-1-0x000000000005-21-1".parse(), Ok(sid));
    }

    #[test]
    fn malformed_text_is_rejected() {
        for text in [
            "",
            "{00112233-4455-6677-8899-aabbccddeeff",
            "0011223-34455-6677-8899-aabbccddeeff",
            "+0112233-4455-6677-8899-aabbccddeeff",
        ] {
            assert!(text.parse::<Guid>().is_err(), "{text}");
        }
        for text in ["", "S-1", "S-1-", "S-1-5-x", "S-2-5-18", "S-1-5-4294967296", "S-1-281474976710656"] {
            assert!(text.parse::<Sid>().is_err(), "{text}");
        }
        assert_eq!("x".parse::<Sid>().unwrap_err().to_string(), "expected a SID, found \"x\"");
    }
}
