//! The detection module as a filter of Fluent Bit: one JSON record in, the same record out, with what was found.
//!
//! [`Filter`] is the whole of it, in safe Rust; `exports` gives it the C calling convention of `filter_wasm`, and is
//! compiled for WebAssembly only, because it exports a `malloc` and a `free`. Neither detects anything: that is the
//! engine's.
//!
//! What Fluent Bit demands, and what follows from it:
//! - A record that is not answered is lost: so every record is answered, mostly with itself.
//! - An answer that is no JSON object ends the program: so findings are only put into what is one, as text before its
//!   last brace, and not a byte of the record changes.
//! - There is no end of the input and no timer: what becomes known later rides on the next record.

mod answer;
mod filter;
mod pending;

#[cfg(target_arch = "wasm32")]
mod exports;

// Comparisons of text, eight bytes at a time.
extern crate backchannel_memory as _;

pub use filter::{Filter, KEY};
