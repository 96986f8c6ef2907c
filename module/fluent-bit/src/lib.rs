//! The detection module as a filter of Fluent Bit: one JSON record in, the same record out, with findings added.
//!
//! [`Filter`] has all the logic, in safe Rust. `exports` gives it the C calling convention of `filter_wasm`; it is
//! compiled for WebAssembly only, because it exports `malloc` and `free`. Detection itself is in `backchannel-engine`.
//!
//! Requirements of Fluent Bit, and their consequences:
//! - A record without an answer is lost, so every record is answered, usually with itself.
//! - An answer that is not a JSON object terminates Fluent Bit, so findings are only added to records that are one, as
//!   text before the last brace; no byte of the record changes.
//! - There is no end of the input and no timer: later results are added to the next record.

mod answer;
mod filter;
mod pending;

#[cfg(target_arch = "wasm32")]
mod exports;

// Replaces `memcmp` and `bcmp` by faster ones.
extern crate backchannel_memory as _;

pub use filter::{Filter, KEY};
