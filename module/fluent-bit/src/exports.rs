//! The C calling convention of Fluent Bit's `filter_wasm`, and the function that sets the settings.
//!
//! Fluent Bit allocates the arguments with the exported `malloc`, calls the filter, copies the text that the result
//! points to up to its NUL, and frees the arguments. There is only one thread.
//! points to up to its NUL, and frees the arguments. There is one thread.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;

use backchannel_events::Timestamp;

use crate::Filter;

/// Bytes before an allocation that hold its size; they keep it aligned for any type.
const HEAD: usize = 16;

/// Sizes are rounded up to a multiple of this, so that a freed allocation fits a later request.
const STEP: usize = 2048;
/// Allocations above this size are not cached when they are freed.
const KEPT: usize = 64 * 1024;

/// Answer for a record that the host could not pass, which happens if memory is exhausted. Without an answer the record
/// would be lost silently.
static RECORD_MISSING: &[u8] = b"{\"backchannel\":{\"severity\":\"none\",\"tier\":\"none\",\"error\":\"out of memory: the record could not be read\"}}\0";

/// The arguments a filter is opened with.
#[derive(Clone, Default)]
struct Arguments {
    settings: Option<String>,
    baseline: Option<Vec<u8>>,
}

thread_local! {
    /// The filter. It is taken out during a call and put back afterwards, so that a call that traps leaves none behind
    /// and the next call opens a new one.
    static FILTER: Cell<Option<Box<Filter>>> = const { Cell::new(None) };
    static ARGUMENTS: Cell<Option<Arguments>> = const { Cell::new(None) };
    /// The last two freed allocations, or 0. Every call allocates a tag and a record, and in an interpreter the
    /// allocator costs more than filtering most records.
    static FREED: Cell<[*mut u8; 2]> = const { Cell::new([core::ptr::null_mut(); 2]) };
}

/// Allocates `size` bytes; 0 if memory is exhausted.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    let rounded = size.checked_add(HEAD).and_then(|size| size.checked_next_multiple_of(STEP));
    let Some(layout) = rounded.and_then(|size| Layout::from_size_align(size, HEAD).ok()) else {
        return core::ptr::null_mut();
    };
    let mut freed = FREED.get();
    for slot in &mut freed {
        // SAFETY: a cached allocation is intact, with its size before it.
        if !slot.is_null() && unsafe { size_of_allocation(*slot) } == layout.size() {
            let reused = core::mem::replace(slot, core::ptr::null_mut());
            FREED.set(freed);
            return reused;
        }
    }
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc(layout) };
    if start.is_null() {
        return start;
    }
    // SAFETY: the allocation is at least `HEAD` bytes long and aligned to `HEAD`.
    unsafe {
        start.cast::<usize>().write(layout.size());
        start.add(HEAD)
    }
}

/// Frees an allocation of `malloc`.
///
/// # Safety
/// `pointer` is 0 or came from [`malloc`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(pointer: *mut u8) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: by the contract, `malloc` wrote the size before it.
    if unsafe { size_of_allocation(pointer) } > KEPT {
        // SAFETY: by the contract.
        return unsafe { deallocate(pointer) };
    }
    let [newest, oldest] = FREED.get();
    // A slot that is taken becomes empty; the other one stays.
    let (stays, goes) = if newest.is_null() { (oldest, newest) } else { (newest, oldest) };
    FREED.set([pointer, stays]);
    if !goes.is_null() {
        // SAFETY: it came from `malloc`, and is not cached any more.
        unsafe { deallocate(goes) }
    }
}

/// The number of bytes that `malloc` allocated at `pointer`.
///
/// # Safety
/// `pointer` came from [`malloc`].
unsafe fn size_of_allocation(pointer: *mut u8) -> usize {
    // SAFETY: by the contract, `malloc` wrote the size before it.
    unsafe { pointer.sub(HEAD).cast::<usize>().read() }
}

/// Returns an allocation to the allocator.
///
/// # Safety
/// `pointer` came from [`malloc`] and nothing uses it.
unsafe fn deallocate(pointer: *mut u8) {
    // SAFETY: by the contract, `malloc` allocated with this layout.
    unsafe { dealloc(pointer.sub(HEAD), Layout::from_size_align_unchecked(size_of_allocation(pointer), HEAD)) }
}

/// Opens the filter with settings (JSON) and a baseline; a pointer of 0 means none. Returns the number of errors in
/// them; if there are any, the filter that is open stays open. Called before the first record, when the module is
/// prepared.
///
/// # Safety
/// The pointers are 0, or to as many bytes as the lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backchannel_open(
    settings: *const u8,
    settings_len: usize,
    baseline: *const u8,
    baseline_len: usize,
) -> i32 {
    // SAFETY: by the contract.
    let (settings, baseline) = unsafe { (bytes(settings, settings_len), bytes(baseline, baseline_len)) };
    let Ok(settings) = settings.map(core::str::from_utf8).transpose() else { return 1 };
    match Filter::open(settings, baseline) {
        Ok(filter) => {
            FILTER.set(Some(Box::new(filter)));
            ARGUMENTS
                .set(Some(Arguments { settings: settings.map(str::to_owned), baseline: baseline.map(<[u8]>::to_vec) }));
            0
        }
        Err(mistakes) => i32::try_from(mistakes.len()).unwrap_or(i32::MAX).max(1),
    }
}

/// The filter. Returns the record itself if there is nothing to add, else an answer that is valid until the next call.
///
/// # Safety
/// `tag` and `record` are 0, or point to as many bytes as their lengths say, and a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn backchannel_filter(
    tag: *const u8,
    tag_len: usize,
    seconds: u32,
    nanoseconds: u32,
    record: *const u8,
    record_len: usize,
) -> *const u8 {
    // SAFETY: by the contract.
    let (tag, text) = unsafe { (bytes(tag, tag_len).unwrap_or_default(), bytes(record, record_len)) };
    let Some(text) = text else { return RECORD_MISSING.as_ptr() };
    let Some(mut filter) = FILTER.take().or_else(reopen) else { return record };
    let time = Timestamp::from_unix(seconds.into(), nanoseconds);
    let answer = filter.filter(&String::from_utf8_lossy(tag), time, text);
    let answer = answer.map_or(record, |answer| answer.as_ptr().cast());
    // The address of the answer does not change: only the box moves.
    FILTER.set(Some(filter));
    answer
}

/// A new filter with the arguments of the previous one.
fn reopen() -> Option<Box<Filter>> {
    let given = ARGUMENTS.take().unwrap_or_default();
    let filter = Filter::open(given.settings.as_deref(), given.baseline.as_deref());
    ARGUMENTS.set(Some(given));
    filter.ok().map(Box::new)
}

/// # Safety
/// `pointer` is 0 or points to `length` bytes that are valid during the call.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: by the contract.
    (!pointer.is_null()).then(|| unsafe { core::slice::from_raw_parts(pointer, length) })
}
