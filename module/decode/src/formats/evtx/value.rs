//! The typed values of a record, converted to the text that Windows renders.

use backchannel_events::Timestamp;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::bytes::array;

/// Types of values (MS-EVEN6 2.2.4.1).
pub(crate) mod kind {
    pub const NULL: u8 = 0x00;
    pub const STRING: u8 = 0x01;
    pub const ANSI_STRING: u8 = 0x02;
    pub const INT8: u8 = 0x03;
    pub const UINT8: u8 = 0x04;
    pub const INT16: u8 = 0x05;
    pub const UINT16: u8 = 0x06;
    pub const INT32: u8 = 0x07;
    pub const UINT32: u8 = 0x08;
    pub const INT64: u8 = 0x09;
    pub const UINT64: u8 = 0x0A;
    pub const REAL32: u8 = 0x0B;
    pub const REAL64: u8 = 0x0C;
    pub const BOOL: u8 = 0x0D;
    pub const BINARY: u8 = 0x0E;
    pub const GUID: u8 = 0x0F;
    pub const SIZE: u8 = 0x10;
    pub const FILETIME: u8 = 0x11;
    pub const SYSTEMTIME: u8 = 0x12;
    pub const SID: u8 = 0x13;
    pub const HEX32: u8 = 0x14;
    pub const HEX64: u8 = 0x15;
    pub const HANDLE: u8 = 0x20;
    pub const BIN_XML: u8 = 0x21;
    pub const XML: u8 = 0x23;
    /// Flag for an array of the type in the other bits.
    pub const ARRAY: u8 = 0x80;
}

/// Position and type of a value in its chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub start: u32,
    pub length: u16,
    pub kind: u8,
}

impl Slot {
    /// Its bytes.
    pub fn bytes(self, chunk: &[u8]) -> &[u8] {
        let start = self.start as usize;
        chunk.get(start..start + usize::from(self.length)).unwrap_or_default()
    }

    /// Whether it is a fragment of binary XML.
    pub fn is_xml(self) -> bool {
        self.kind == kind::BIN_XML && self.length > 0
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.kind & kind::ARRAY != 0
    }
}

/// Whether values may have this type.
pub(crate) fn is_known(kind: u8) -> bool {
    matches!(kind & !kind::ARRAY, kind::NULL..=kind::HEX64 | kind::HANDLE | kind::BIN_XML | kind::XML)
}

/// The text of a value; the elements of an array are joined with `, `.
pub(crate) fn text<'a>(slot: Slot, chunk: &[u8], arena: &'a Bump) -> &'a str {
    let bytes = slot.bytes(chunk);
    if slot.is_array() {
        let mut out = BumpVec::new_in(arena);
        let mut first = true;
        elements(slot, chunk, |element| {
            if !core::mem::take(&mut first) {
                out.extend_from_slice(b", ");
            }
            write(element.kind, element.bytes(chunk), &mut out);
        });
        return finish(out);
    }
    if bytes.is_empty() {
        return "";
    }
    let capacity = match slot.kind {
        kind::STRING => bytes.len() / 2,
        kind::BINARY => bytes.len() * 2,
        _ => 40,
    };
    let mut out = BumpVec::with_capacity_in(capacity, arena);
    write(slot.kind, bytes, &mut out);
    finish(out)
}

/// Calls `visit` with each element of an array.
pub(crate) fn elements(slot: Slot, chunk: &[u8], mut visit: impl FnMut(Slot)) {
    let kind = slot.kind & !kind::ARRAY;
    let mut rest = slot.bytes(chunk);
    let mut start = slot.start;
    while !rest.is_empty() {
        // Strings end with a zero, which may be missing in the last one.
        let (length, after) = match kind {
            kind::STRING => {
                let units = rest.as_chunks::<2>().0;
                units.iter().position(|unit| *unit == [0, 0]).map_or((rest.len(), 0), |end| (end * 2, 2))
            }
            kind::ANSI_STRING => memchr::memchr(0, rest).map_or((rest.len(), 0), |end| (end, 1)),
            kind::SID => (8 + 4 * usize::from(*rest.get(1).unwrap_or(&0)), 0),
            kind::INT8 | kind::UINT8 => (1, 0),
            kind::INT16 | kind::UINT16 => (2, 0),
            kind::INT32 | kind::UINT32 | kind::REAL32 | kind::BOOL | kind::HEX32 => (4, 0),
            kind::INT64 | kind::UINT64 | kind::REAL64 | kind::HEX64 | kind::FILETIME => (8, 0),
            kind::GUID | kind::SYSTEMTIME => (16, 0),
            _ => (rest.len(), 0),
        };
        let length = length.min(rest.len());
        // Both are parts of a value, whose length has 16 bits.
        visit(Slot { start, length: length as u16, kind });
        start += (length + after) as u32;
        rest = rest.get(length + after..).unwrap_or_default();
    }
}

/// A value as a number, if it is one that fits.
pub(crate) fn number(slot: Slot, chunk: &[u8]) -> Option<u64> {
    let bytes = slot.bytes(chunk);
    match slot.kind {
        kind::UINT8 | kind::INT8 => bytes.first().map(|byte| u64::from(*byte)),
        kind::UINT16 | kind::INT16 => array(bytes, 0).map(|bytes| u64::from(u16::from_le_bytes(bytes))),
        kind::UINT32 | kind::INT32 | kind::HEX32 => array(bytes, 0).map(|bytes| u64::from(u32::from_le_bytes(bytes))),
        kind::UINT64 | kind::INT64 | kind::HEX64 => array(bytes, 0).map(u64::from_le_bytes),
        _ => None,
    }
}

/// Converts a FILETIME (100 ns since 1601); `None` if it is outside the range of a [`Timestamp`].
pub(crate) fn moment(filetime: u64) -> Option<Timestamp> {
    const UNIX: i128 = 116_444_736_000_000_000;
    i64::try_from((i128::from(filetime) - UNIX) * 100).ok().map(Timestamp)
}

fn finish(out: BumpVec<'_, u8>) -> &str {
    // The text is UTF-8 by construction; the check is cheap.
    core::str::from_utf8(out.into_bump_slice()).unwrap_or_default()
}

fn write(kind: u8, bytes: &[u8], out: &mut BumpVec<'_, u8>) {
    macro_rules! int {
        ($type:ty) => {
            match array(bytes, 0).map(<$type>::from_le_bytes) {
                Some(value) => decimal(i128::from(value), out),
                None => {}
            }
        };
    }
    match kind {
        kind::STRING => utf16(bytes, out),
        kind::ANSI_STRING => {
            for byte in bytes.iter().take_while(|byte| **byte != 0) {
                push(char::from(*byte), out);
            }
        }
        kind::INT8 => int!(i8),
        kind::UINT8 => int!(u8),
        kind::INT16 => int!(i16),
        kind::UINT16 => int!(u16),
        kind::INT32 => int!(i32),
        kind::UINT32 => int!(u32),
        kind::INT64 => int!(i64),
        kind::UINT64 => int!(u64),
        kind::REAL32 => {
            if let Some(value) = array(bytes, 0).map(f32::from_le_bytes) {
                out.extend_from_slice(value.to_string().as_bytes());
            }
        }
        kind::REAL64 => {
            if let Some(value) = array(bytes, 0).map(f64::from_le_bytes) {
                out.extend_from_slice(value.to_string().as_bytes());
            }
        }
        kind::BOOL => match array(bytes, 0).map(i32::from_le_bytes) {
            Some(0) => out.extend_from_slice(b"false"),
            Some(1) => out.extend_from_slice(b"true"),
            // Windows stores bit masks in some of them.
            Some(other) => decimal(i128::from(other), out),
            None => {}
        },
        kind::GUID => guid(bytes, out),
        kind::FILETIME => {
            if let Some(raw) = array(bytes, 0).map(u64::from_le_bytes) {
                match moment(raw) {
                    Some(time) => out.extend_from_slice(time.to_string().as_bytes()),
                    None => decimal(i128::from(raw), out),
                }
            }
        }
        kind::SYSTEMTIME => {
            let part = |index: usize| array(bytes, index * 2).map_or(0, u16::from_le_bytes);
            let time = Timestamp::from_civil(
                i32::from(part(0)),
                u32::from(part(1)),
                u32::from(part(3)),
                u32::from(part(4)),
                u32::from(part(5)),
                u32::from(part(6)),
                u32::from(part(7)).saturating_mul(1_000_000),
            );
            if let Some(time) = time {
                out.extend_from_slice(time.to_string().as_bytes());
            }
        }
        kind::SID => sid(bytes, out),
        kind::SIZE | kind::HEX32 | kind::HEX64 | kind::HANDLE => {
            let value = array(bytes, 0)
                .map(u64::from_le_bytes)
                .or_else(|| array(bytes, 0).map(|bytes| u64::from(u32::from_le_bytes(bytes))));
            if let Some(value) = value {
                out.extend_from_slice(b"0x");
                hexadecimal(value, out);
            }
        }
        kind::BINARY => {
            for byte in bytes {
                hex_byte(*byte, out);
            }
        }
        _ => {}
    }
}

/// UTF-16 up to the first zero.
pub(crate) fn utf16(bytes: &[u8], out: &mut BumpVec<'_, u8>) {
    let mut rest = bytes;
    // Four units at a time while they are ASCII and not zero.
    while let Some((word, others)) = rest.split_first_chunk::<8>() {
        const HIGH: u64 = 0xFF80_FF80_FF80_FF80;
        let value = u64::from_le_bytes(*word);
        let zero = value.wrapping_sub(0x0001_0001_0001_0001) & !value & 0x8000_8000_8000_8000;
        if value & HIGH != 0 || zero != 0 {
            break;
        }
        out.extend_from_slice(&[word[0], word[2], word[4], word[6]]);
        rest = others;
    }
    let units = rest.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
    for character in char::decode_utf16(units) {
        push(character.unwrap_or(char::REPLACEMENT_CHARACTER), out);
    }
}

fn push(character: char, out: &mut BumpVec<'_, u8>) {
    if character.is_ascii() {
        out.push(character as u8);
    } else {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

pub(crate) fn decimal(value: i128, out: &mut BumpVec<'_, u8>) {
    if value < 0 {
        out.push(b'-');
    }
    // All values have at most 64 bits.
    let mut rest = value.unsigned_abs() as u64;
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn hexadecimal(value: u64, out: &mut BumpVec<'_, u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let length = (16 - value.leading_zeros() / 4).max(1);
    for place in (0..length).rev() {
        out.push(DIGITS[(value >> (place * 4)) as usize & 15]);
    }
}

fn hex_byte(byte: u8, out: &mut BumpVec<'_, u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

fn guid(bytes: &[u8], out: &mut BumpVec<'_, u8>) {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let Some(bytes) = bytes.first_chunk::<16>() else { return };
    out.push(b'{');
    for (place, index) in ORDER.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        hex_byte(bytes[*index], out);
    }
    out.push(b'}');
}

/// `S-1-5-21-...`
fn sid(bytes: &[u8], out: &mut BumpVec<'_, u8>) {
    let Some((head, rest)) = bytes.split_first_chunk::<8>() else { return };
    out.extend_from_slice(b"S-");
    decimal(i128::from(head[0]), out);
    out.push(b'-');
    let authority = head[2..8].iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    decimal(i128::from(authority), out);
    for part in rest.as_chunks::<4>().0.iter().take(usize::from(head[1])) {
        out.push(b'-');
        decimal(i128::from(u32::from_le_bytes(*part)), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: u8, bytes: &[u8], expected: &str) {
        let arena = Bump::new();
        let slot = Slot { start: 0, length: bytes.len() as u16, kind };
        assert_eq!(text(slot, bytes, &arena), expected);
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn each_type_is_rendered_as_windows_does() {
        check(kind::STRING, &wide("C:\\Windows\\ä\u{1f600}.exe"), "C:\\Windows\\ä\u{1f600}.exe");
        check(kind::STRING, &wide("abc\0def"), "abc");
        check(kind::STRING, &wide("abcdefgh\0"), "abcdefgh");
        check(kind::STRING, &[0x3D, 0xD8, 0x41, 0], "\u{fffd}A");
        check(kind::INT16, &[0xFF, 0xFF], "-1");
        check(kind::UINT64, &[0xFF; 8], "18446744073709551615");
        check(kind::INT64, &[0, 0, 0, 0, 0, 0, 0, 0x80], "-9223372036854775808");
        check(kind::UINT32, &[0; 4], "0");
        check(kind::BOOL, &[1, 0, 0, 0], "true");
        check(kind::HEX64, &[0xE7, 3, 0, 0, 0, 0, 0, 0], "0x3e7");
        check(kind::HEX32, &[0; 4], "0x0");
        check(kind::BINARY, &[1, 0xAB], "01AB");
        check(kind::GUID, &(1..=16).collect::<Vec<u8>>(), "{04030201-0605-0807-090A-0B0C0D0E0F10}");
        check(kind::SID, &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0], "S-1-5-32-544");
        check(kind::FILETIME, &131_485_124_110_000_000u64.to_le_bytes(), "2017-08-29T20:33:31.000Z");
        check(kind::FILETIME, &[0xFF; 8], "18446744073709551615");
        check(kind::SYSTEMTIME, &wide_numbers(&[2020, 2, 6, 29, 1, 2, 3, 4]), "2020-02-29T01:02:03.004Z");
        check(kind::SYSTEMTIME, &wide_numbers(&[2020, 2, 6, 29, 1, 2, 3, u16::MAX]), "");
        check(kind::NULL, &[], "");
        check(kind::UINT32, &[1], "");
        check(kind::STRING | kind::ARRAY, &wide("a\0\0bc\0"), "a, , bc");
        check(kind::UINT16 | kind::ARRAY, &[1, 0, 2, 0], "1, 2");
    }

    fn wide_numbers(numbers: &[u16]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}
