//! Bytes to records: which format is this, where does a record begin and end, and what does it hold.
//!
//! Nothing here reads a file: a host brings the bytes. [`detect`] names the format of an input from its first
//! bytes; a [`Framer`] cuts the bytes into records as they come; a [`Decoder`] turns one of them into a
//! [`Record`](backchannel_normalize::Record). EVTX, which is binary and comes in chunks, is read by
//! [`evtx`].
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

/// Provider and event id of a Windows event, where the first bytes of a JSON record leave no doubt: for a host that asks
/// before it hands a record over.
pub fn windows_head(record: &[u8]) -> Option<(&str, u32)> {
    json::head(record)
}
