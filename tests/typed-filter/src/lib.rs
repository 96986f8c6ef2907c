//! A filter for Fluent Bit that parses each record into five borrowed fields and does nothing else: what a detection
//! written the usual way pays before its first question, and so the measure for ours.
//!
//! `cargo xtask bench-filter` builds and measures it on the engine alone; for the whole program give the built file to
//! `check.py --speed --beside FILE:typed`, which lies with the configurations of Fluent Bit.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::hint::black_box;

// For its `malloc` and `free`: both filters are handed their records in the same way.
use backchannel_fluent_bit as _;
use serde::Deserialize;

/// The fields that the inputs of our configurations have.
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

/// The filter: the record itself, always.
///
/// # Safety
/// `record` points to as many bytes as its length says.
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
