//! Finds the begin and end of `<Event>` elements, byte by byte.

/// What a byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum XmlSeen {
    Nothing,
    /// `<Event` and the byte after the name, which is the current one.
    Open,
    /// `</Event>`, whose last byte is the current one.
    Close,
}

/// One step of searching for `<Event` and `</Event>`. States: 0 nothing, 1..=6 this number of bytes of `<Event`, 7..
/// this number less five of `</Event`.
pub(super) fn xml_step(state: u8, byte: u8) -> (u8, XmlSeen) {
    const OPEN: &[u8; 6] = b"<Event";
    const CLOSE: &[u8; 7] = b"</Event";
    let again = u8::from(byte == b'<');
    match state {
        6 => match byte {
            b'>' | b' ' | b'\t' | b'\r' | b'\n' => (0, XmlSeen::Open),
            _ => (again, XmlSeen::Nothing),
        },
        0..=5 => {
            if byte == OPEN[usize::from(state)] {
                (state + 1, XmlSeen::Nothing)
            } else if state == 1 && byte == b'/' {
                (7, XmlSeen::Nothing)
            } else {
                (again, XmlSeen::Nothing)
            }
        }
        _ => {
            let seen = usize::from(state) - 5;
            match CLOSE.get(seen) {
                Some(expected) if byte == *expected => (state + 1, XmlSeen::Nothing),
                None if byte == b'>' => (0, XmlSeen::Close),
                None if byte.is_ascii_whitespace() => (state, XmlSeen::Nothing),
                _ => (again, XmlSeen::Nothing),
            }
        }
    }
}
