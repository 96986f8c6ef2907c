//! Memory comparison for WebAssembly modules.
//!
//! Every comparison of strings calls the C functions `memcmp` and `bcmp`. Those that Rust provides for WebAssembly
//! compare single bytes, and are weak symbols: a module that links this crate gets these instead, which compare eight
//! bytes at a time. No code refers to this crate by name; `extern crate backchannel_memory as _;` links it.

#![no_std]
// The C calling convention of two functions that the compiler calls.
#![allow(unsafe_code)]

use core::cmp::Ordering;

/// Orders two memory areas of the same length by their first difference.
///
/// # Safety
/// `length` bytes can be read at `left` and at `right`.
#[inline(always)]
#[cfg_attr(not(any(target_family = "wasm", test)), allow(dead_code))]
unsafe fn compare(left: *const u8, right: *const u8, length: usize) -> Ordering {
    // SAFETY: all reads are within the length.
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
        // The last word may overlap the previous one, whose bytes are equal on both sides.
        let (left, right) = word(last);
        return order(left, right);
    }
    // SAFETY: all reads are within the length.
    let (left, right) = unsafe { (short(left, length), short(right, length)) };
    left.cmp(&right)
}

/// Orders two words by their bytes in memory.
#[inline(always)]
fn order(left: u64, right: u64) -> Ordering {
    left.swap_bytes().cmp(&right.swap_bytes())
}

/// Reads eight bytes at any address, the first one as the lowest.
///
/// # Safety
/// Eight bytes can be read at the address.
#[inline(always)]
unsafe fn long(at: *const u8) -> u64 {
    // SAFETY: guaranteed by the caller; the address need not be aligned.
    u64::from_le(unsafe { at.cast::<u64>().read_unaligned() })
}

/// Fewer than eight bytes as a number that orders as they do; some are used twice.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn short(at: *const u8, length: usize) -> u64 {
    // SAFETY: all reads are within the length.
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
    // SAFETY: guaranteed by the caller.
    unsafe { compare(left, right, length) as i32 }
}

/// C's `bcmp`: 0 if two memory areas are equal.
///
/// # Safety
/// `length` bytes can be read at `left` and at `right`.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: guaranteed by the caller.
    unsafe { i32::from(compare(left, right, length) != Ordering::Equal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_slices() {
        let left: [u8; 40] = core::array::from_fn(|at| (at * 37 % 251) as u8);
        for length in 0..=left.len() {
            for at in 0..=length {
                for change in [0x00_u8, 0x01, 0x7f, 0x80, 0xff] {
                    let mut right = left;
                    if at < length {
                        right[at] ^= change;
                        // Bytes after the first difference have no effect.
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
