//! How a WebAssembly module compares memory.
//!
//! Every comparison of text ends in the C functions `memcmp` and `bcmp`. The ones that come with Rust for WebAssembly
//! compare byte by byte, and say so weakly: a module that links this crate gets these instead, which compare eight bytes
//! at a time. Nothing calls this crate by name: `extern crate backchannel_memory as _;` is all that is needed.

#![no_std]
// The C calling convention of two functions that the language itself calls.
#![allow(unsafe_code)]

use core::cmp::Ordering;

/// How the first difference of two pieces of memory of one length orders them.
///
/// # Safety
/// `length` bytes can be read at `left` and at `right`.
#[inline(always)]
#[cfg_attr(not(any(target_family = "wasm", test)), allow(dead_code))]
unsafe fn compare(left: *const u8, right: *const u8, length: usize) -> Ordering {
    // SAFETY: each reads within the length.
    let word = |at: usize| unsafe { (long(left.add(at)), long(right.add(at))) };
    if length >= 8 {
        let last = length - 8;
        let mut at = 0;
        while at < last {
            let (left, right) = word(at);
            if left != right {
                return order(left, right);
            }
            at += 8;
        }
        // The last word may lie over the one before, whose bytes are the same on both sides.
        let (left, right) = word(last);
        return order(left, right);
    }
    // SAFETY: each reads within the length.
    let (left, right) = unsafe { (short(left, length), short(right, length)) };
    left.cmp(&right)
}

/// The order of two words as they lie in memory.
#[inline(always)]
fn order(left: u64, right: u64) -> Ordering {
    left.swap_bytes().cmp(&right.swap_bytes())
}

/// Eight bytes, at any address, the first lowest.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn long(at: *const u8) -> u64 {
    // SAFETY: the caller's promise; it need not be aligned.
    u64::from_le(unsafe { at.cast::<u64>().read_unaligned() })
}

/// Fewer than eight bytes as one number that orders as they do: some are taken twice.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn short(at: *const u8, length: usize) -> u64 {
    // SAFETY: each reads within the length.
    unsafe {
        let four = |from: usize| u64::from(u32::from_be(at.add(from).cast::<u32>().read_unaligned()));
        let one = |from: usize| u64::from(at.add(from).read());
        match length {
            0 => 0,
            1..4 => one(0) << 16 | one(length / 2) << 8 | one(length - 1),
            _ => four(0) << 32 | four(length - 4),
        }
    }
}

/// C's `memcmp`.
///
/// # Safety
/// `length` bytes can be read at `left` and at `right`.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { compare(left, right, length) as i32 }
}

/// C's `bcmp`: 0 where two pieces of memory are the same.
///
/// # Safety
/// `length` bytes can be read at `left` and at `right`.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { i32::from(compare(left, right, length) != Ordering::Equal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_orders_as_slices_do() {
        let left: [u8; 40] = core::array::from_fn(|at| (at * 37 % 251) as u8);
        for length in 0..=left.len() {
            for at in 0..=length {
                for change in [0x00_u8, 0x01, 0x7f, 0x80, 0xff] {
                    let mut right = left;
                    if at < length {
                        right[at] ^= change;
                        // What follows the first difference decides nothing.
                        right[at + 1..].fill(change);
                    }
                    let (left, right) = (&left[..length], &right[..length]);
                    // SAFETY: both have that length.
                    let found = unsafe { compare(left.as_ptr(), right.as_ptr(), length) };
                    assert_eq!(found, left.cmp(right), "{left:?} {right:?}");
                }
            }
        }
    }
}
