//! Converts UTF-16 input to UTF-8, however it is divided into pieces.

use crate::Encoding;

/// The rest of a piece of input: half a unit, or a surrogate whose partner is in the next piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transcoder {
    odd_byte: Option<u8>,
    high: Option<u16>,
}

impl Transcoder {
    /// Appends `input` to `out` as UTF-8. Lone surrogates become U+FFFD; a byte order mark is removed.
    pub fn push(&mut self, encoding: Encoding, input: &[u8], out: &mut Vec<u8>) {
        out.reserve(input.len());
        let mut rest = input;
        if let Some(first) = self.odd_byte.take() {
            let Some((second, others)) = input.split_first() else {
                self.odd_byte = Some(first);
                return;
            };
            self.unit(encoding, [first, *second], out);
            rest = others;
        }
        let (pairs, odd) = rest.as_chunks::<2>();
        for pair in pairs {
            self.unit(encoding, *pair, out);
        }
        self.odd_byte = odd.first().copied();
    }

    /// Appends the pending rest at the end of the input.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() | self.odd_byte.take().is_some() {
            push(char::REPLACEMENT_CHARACTER, out);
        }
    }

    fn unit(&mut self, encoding: Encoding, pair: [u8; 2], out: &mut Vec<u8>) {
        let unit = match encoding {
            Encoding::Utf16Be => u16::from_be_bytes(pair),
            Encoding::Utf16Le | Encoding::Utf8 => u16::from_le_bytes(pair),
        };
        if let Some(high) = self.high.take() {
            if (0xDC00..0xE000).contains(&unit) {
                let code = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), out);
                return;
            }
            push(char::REPLACEMENT_CHARACTER, out);
        }
        match unit {
            0xD800..0xDC00 => self.high = Some(unit),
            0xFEFF => {}
            _ => push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), out),
        }
    }
}

fn push(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips_in_any_pieces(text in "[^\u{feff}]*", cuts in prop::collection::vec(1usize..7, 1..8)) {
            for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
                let bytes: Vec<u8> = text
                    .encode_utf16()
                    .flat_map(|unit| match encoding {
                        Encoding::Utf16Be => unit.to_be_bytes(),
                        _ => unit.to_le_bytes(),
                    })
                    .collect();
                let mut transcoder = Transcoder::default();
                let mut out = Vec::new();
                let mut rest = &bytes[..];
                for cut in cuts.iter().cycle() {
                    let (piece, others) = rest.split_at((*cut).min(rest.len()));
                    transcoder.push(encoding, piece, &mut out);
                    rest = others;
                    if rest.is_empty() {
                        break;
                    }
                }
                transcoder.finish(&mut out);
                prop_assert_eq!(&out, text.as_bytes());
            }
        }
    }
}
