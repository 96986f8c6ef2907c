//! A filter for Fluent Bit that parses each record into five borrowed fields and does nothing else: the minimum cost of
//! detection on parsed records, as a reference for ours.
//!
//! `cargo xtask bench-filter` builds and measures it on the engine alone; to measure it in Fluent Bit, pass the built file
//! to `examples/hosts/fluent-bit/check.py --speed --beside FILE:typed`.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::hint::black_box;

// For its `malloc` and `free`: both filters receive their records in the same way.
use backchannel_fluent_bit as _;
use serde::Deserialize;

/// The fields of the inputs in our configurations.
#[derive(Deserialize)]
struct Record<'r> {
    #[serde(borrow, rename = "System")]
    system: Option<Cow<'r, str>>,
    #[serde(borrow, rename = "Message")]
    message: Option<Cow<'r, str>>,
    #[serde(borrow, rename = "Channel")]
    channel: Option<Cow<'r, str>>,
    #[serde(borrow)]
    host: Option<Cow<'r, str>>,
    #[serde(borrow)]
    log: Option<Cow<'r, str>>,
}

/// The filter: always returns the record unchanged.
///
/// # Safety
/// `record` must point to as many bytes as its length says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn typed(
    _tag: *const u8,
    _tag_len: usize,
    _seconds: u32,
    _nanoseconds: u32,
    record: *const u8,
    record_len: usize,
) -> *const u8 {
    if record.is_null() {
        return record;
    }
    // SAFETY: by the contract.
    let text = unsafe { core::slice::from_raw_parts(record, record_len) };
    if let Ok(Record { system, message, channel, host, log }) = serde_json::from_slice(text) {
        black_box((system, message, channel, host, log));
    }
    record
}
