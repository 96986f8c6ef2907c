//! Provider and event id of a Windows event from the first bytes of a record of Fluent Bit.
//!
//! If passing a record costs more than rejecting it (an interpreter in a shipper), even validating its UTF-8 is too
//! expensive. Fluent Bit writes its members in a fixed order, so both are at known places.

use memchr::{memchr, memchr2};

/// Number of bytes that are examined.
const HEAD: usize = 512;

/// The text before the provider in an event as Windows renders it.
const RENDERED: &[u8] =
    br#"{"System":"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='"#;

/// Provider and event id, if the record begins as `winevtlog` writes it; the rest is not examined.
pub(crate) fn head(record: &[u8]) -> Option<(&str, u32)> {
    let record = record.get(..HEAD).unwrap_or(record);
    if let Some(rest) = record.strip_prefix(br#"{"ProviderName":""#) {
        let (provider, rest) = string(rest)?;
        let (_, rest) = string(rest.strip_prefix(br#","ProviderGuid":""#)?)?;
        let rest = rest.strip_prefix(br#","Qualifiers":"#)?;
        let rest = match rest.strip_prefix(b"\"") {
            Some(rest) => string(rest)?.1,
            None => number(rest)?.1,
        };
        let (id, rest) = number(rest.strip_prefix(br#","EventID":"#)?)?;
        return rest.starts_with(b",").then_some((provider, id));
    }
    let rest = record.strip_prefix(RENDERED)?;
    let (provider, rest) = split(rest, b'\'')?;
    // An escape, of JSON or of XML: not handled here.
    if memchr2(b'\\', b'&', provider).is_some() {
        return None;
    }
    let (attributes, rest) = split(rest, b'>')?;
    let (_, rest) = split(rest.strip_prefix(b"<EventID").filter(|_| attributes.ends_with(b"/"))?, b'>')?;
    let (id, rest) = number(rest)?;
    (rest.starts_with(b"<") && !provider.is_empty()).then_some((core::str::from_utf8(provider).ok()?, id))
}

/// A string without escapes after its opening quote, and the text after its closing one.
fn string(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = memchr2(b'"', b'\\', bytes)?;
    let (text, rest) = bytes.split_at_checked(end)?;
    Some((core::str::from_utf8(text).ok()?, rest.strip_prefix(b"\"")?))
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = bytes.split_at_checked(length)?;
    Some((core::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The text before a byte, and after it.
fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = bytes.split_at_checked(memchr(at, bytes)?)?;
    Some((before, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fluent_bit_records_are_recognised_by_their_beginning() {
        for record in [
            r#"{"ProviderName":"A-B","ProviderGuid":"{1}","Qualifiers":"","EventID":7,"Version":"#,
            r#"{"ProviderName":"A-B","ProviderGuid":"","Qualifiers":16384,"EventID":7,"Version":"#,
            r#"{"System":"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='A-B' Guid='{1}'/><EventID>7</EventID>"#,
            r#"{"System":"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='A-B' Guid='{1}' EventSourceName='X'/><EventID Qualifiers='1'>7</EventID>"#,
        ] {
            assert_eq!(head(record.as_bytes()), Some(("A-B", 7)), "{record}");
            for end in 0..record.len() {
                let cut = head(&record.as_bytes()[..end]);
                assert!(matches!(cut, None | Some(("A-B", 7))), "{end}");
            }
        }
    }

    #[test]
    fn ambiguous_records_are_left_to_the_full_reader() {
        for record in [
            r#"{"ProviderName":"A-B","EventID":7,"SourceName":"x"}"#,
            r#"{"ProviderName":"A\\B","ProviderGuid":"{1}","Qualifiers":"","EventID":7,"#,
            r#"{"ProviderName":"A-B","ProviderGuid":"{1}","Qualifiers":"","EventID":7.5,"#,
            r#"{"ProviderName":"A-B","ProviderGuid":"{1}","Qualifiers":"","EventID":99999999999,"#,
            r#"{"System":"<Event xmlns='other'><System><Provider Name='A-B'/><EventID>7</EventID>"#,
            "{}",
            "",
        ] {
            assert_eq!(head(record.as_bytes()), None, "{record}");
        }
    }
}
