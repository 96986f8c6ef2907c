//! What a host of Backchannel is made of: the detection module in its sandbox ([`component`]), logs as streams of
//! events ([`source`]), and the way from one to the other ([`replay`]).
//!
//! The library embeds no module and prints nothing; the `backchannel` program does both.

pub mod component;
pub mod replay;
pub mod settings_file;
pub mod source;
pub mod summary;

pub use backchannel_decode::Format;
pub use backchannel_events::{Confidence, Severity, Timestamp};
