//! Decodes bytes to records: recognises the format, splits the input into records, and reads them.
//!
//! This crate reads no files: a host provides the bytes. [`detect()`] recognises the format of an input from its first
//! bytes; a [`Framer`] splits the bytes into records; a [`Decoder`] converts each to a
//! [`Record`](backchannel_normalize::Record). EVTX, which is binary and has chunks, is read by [`evtx`].
//!
//! ```
//! use backchannel_decode::{Decoded, Decoder, Detected, Framed, Framer, Options, detect};
//!
//! let bytes: &[u8] = b"type=CWD msg=audit(1700000000.123:456): cwd=\"/\"\n";
//! let Detected::Text(found) = detect(bytes) else { panic!() };
//! let mut framer = Framer::new(found);
//! let mut decoder = Decoder::new(found.format, Options::default());
//! let arena = bumpalo::Bump::new();
//! let mut rest = bytes;
//! while let Some(item) = framer.next(&mut rest) {
//!     let Framed::Frame(frame) = item else { panic!() };
//!     assert!(matches!(decoder.decode(&frame, &arena, &|_, _| true), Ok(Decoded::Record(_))));
//! }
//! assert_eq!(framer.finish(), None);
//! ```

mod decoder;
mod detect;
mod formats;
mod frame;
mod json;
mod skip;
mod time;
mod utf16;

pub use decoder::{Decoded, Decoder, Options, Year};
pub use detect::{Container, Detected, Encoding, Found, detect};
pub use formats::{About, Example, Format, InputFormat, evtx};
pub use frame::{Frame, Framed, Framer, Framing, MAX_RECORD};
pub use skip::{Reason, Skip};

/// Provider and event id of a Windows event, if the first bytes of a JSON record determine them: for hosts that check
/// whether a record is wanted before they pass it on.
pub fn windows_head(record: &[u8]) -> Option<(&str, u32)> {
    json::head(record)
}
