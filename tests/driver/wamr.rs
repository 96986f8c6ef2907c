//! The filter on Fluent Bit's own engine (WAMR), with the sequence of calls of its `src/wasm/flb_wasm.c`.
//!
//! This is the caller's side of the C calling convention, which needs unsafe code.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::ptr;

use wamrx_sys as wamr;

use crate::fluent_bit::Shipper;

/// Bytes of heap of a module in Fluent Bit, by default.
pub const HEAP: u32 = 8 * 1024;
/// Bytes of stack in our configurations (`wasm_stack_size`).
pub const STACK: u32 = 512 * 1024;

/// The engine: there is one per process, and it belongs to the thread that started it.
pub struct Engine(PhantomData<*const ()>);

impl Engine {
    /// Starts the engine on this thread. Must be called only once.
    pub fn start() -> Self {
        // SAFETY: all of the arguments may be zero, and the system's allocator needs no more.
        let started = unsafe {
            let mut arguments: wamr::RuntimeInitArgs = std::mem::zeroed();
            arguments.mem_alloc_type = wamr::Alloc_With_System_Allocator;
            wamr::wasm_runtime_full_init(&mut arguments)
        };
        assert!(started, "the engine starts");
        Self(PhantomData)
    }
}

/// A loaded module.
pub struct Loaded<'e> {
    module: wamr::wasm_module_t,
    /// The bytes of the module, from which the engine reads constants as long as it is loaded.
    #[allow(dead_code)]
    bytes: Vec<u8>,
    engine: PhantomData<&'e Engine>,
}

impl<'e> Loaded<'e> {
    /// Loads a module, or returns the error of the engine.
    pub fn load(_: &'e Engine, module: &[u8]) -> Result<Self, String> {
        let mut bytes = module.to_vec();
        let mut error = [0; 128];
        // SAFETY: the lengths of the bytes and of the error buffer are correct, and the bytes outlive the module.
        let module = unsafe {
            wamr::wasm_runtime_load(bytes.as_mut_ptr(), bytes.len() as u32, error.as_mut_ptr(), error.len() as u32)
        };
        if module.is_null() { Err(text(&error)) } else { Ok(Self { module, bytes, engine: PhantomData }) }
    }
}

impl Drop for Loaded<'_> {
    fn drop(&mut self) {
        // SAFETY: every instance borrows this, so none is left.
        unsafe { wamr::wasm_runtime_unload(self.module) }
    }
}

/// An instance, as each `[FILTER]` has one.
pub struct Instance<'m> {
    instance: wamr::wasm_module_inst_t,
    environment: wamr::wasm_exec_env_t,
    function: &'m str,
    /// The engine's message on the last failed call.
    pub exception: String,
    module: PhantomData<&'m Loaded<'m>>,
}

impl<'m> Instance<'m> {
    /// An instance of our filter with the given bytes of stack.
    pub fn new(module: &'m Loaded<'_>, stack: u32) -> Self {
        Self::of(module, stack, "backchannel_filter")
    }

    /// An instance of a filter with the export `function`.
    pub fn of(module: &'m Loaded<'_>, stack: u32, function: &'m str) -> Self {
        let mut error = [0; 128];
        // SAFETY: the module is loaded, and the length of the error buffer is correct.
        let (instance, environment) = unsafe {
            let (error, length) = (error.as_mut_ptr(), error.len() as u32);
            let instance = wamr::wasm_runtime_instantiate(module.module, stack, HEAP, error, length);
            let environment =
                if instance.is_null() { ptr::null_mut() } else { wamr::wasm_runtime_create_exec_env(instance, stack) };
            (instance, environment)
        };
        assert!(!environment.is_null(), "an instance: {}", text(&error));
        Self { instance, environment, function, exception: String::new(), module: PhantomData }
    }

    /// Copies bytes and a NUL into the guest.
    fn dup(&self, bytes: &[u8]) -> u32 {
        let text = [bytes, &[0]].concat();
        // SAFETY: the pointer and the length are those of a slice.
        let at = unsafe { wamr::wasm_runtime_module_dup_data(self.instance, text.as_ptr().cast(), text.len() as u64) };
        u32::try_from(at).expect("32-bit memory")
    }

    fn free(&self, at: u32) {
        if at != 0 {
            // SAFETY: it came from `dup`.
            unsafe { wamr::wasm_runtime_module_free(self.instance, at.into()) }
        }
    }

    /// Calls an exported function; returns its result, or `None` if it trapped.
    fn invoke(&mut self, name: &str, arguments: &mut [u32]) -> Option<u32> {
        let name = CString::new(name).expect("no NUL");
        // SAFETY: the instance is alive, and the number of arguments is that of the function.
        unsafe {
            let function = wamr::wasm_runtime_lookup_function(self.instance, name.as_ptr());
            assert!(!function.is_null(), "{name:?} is exported");
            if wamr::wasm_runtime_call_wasm(self.environment, function, arguments.len() as u32, arguments.as_mut_ptr())
            {
                return Some(arguments[0]);
            }
            self.exception = CStr::from_ptr(wamr::wasm_runtime_get_exception(self.instance)).to_string_lossy().into();
            wamr::wasm_runtime_clear_exception(self.instance);
        }
        None
    }

    /// Opens the filter with settings and a baseline; returns the number of mistakes in them.
    pub fn open(&mut self, settings: Option<&[u8]>, baseline: Option<&[u8]>) -> u32 {
        let at = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| self.dup(bytes));
        let (settings_at, baseline_at) = (at(settings), at(baseline));
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u32);
        let mut arguments = [settings_at, length(settings), baseline_at, length(baseline)];
        let mistakes = self.invoke("backchannel_open", &mut arguments).expect("open does not trap");
        self.free(settings_at);
        self.free(baseline_at);
        mistakes
    }
}

impl Shipper for Instance<'_> {
    fn call(&mut self, tag: &str, seconds: u32, record: &[u8]) -> Option<Vec<u8>> {
        let (tag_at, record_at) = (self.dup(tag.as_bytes()), self.dup(record));
        let mut arguments = [tag_at, tag.len() as u32, seconds, 0, record_at, record.len() as u32];
        let answer = self.invoke(self.function, &mut arguments).and_then(|answer| {
            // SAFETY: the engine checks that a NUL ends the text within the memory of the guest.
            unsafe {
                wamr::wasm_runtime_validate_app_str_addr(self.instance, answer.into()).then(|| {
                    let text = wamr::wasm_runtime_addr_app_to_native(self.instance, answer.into());
                    CStr::from_ptr(text.cast()).to_bytes().to_vec()
                })
            }
        });
        self.free(tag_at);
        self.free(record_at);
        // Fluent Bit drops the record for an empty text, too.
        answer.filter(|text| !text.is_empty() || record.is_empty())
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        // SAFETY: both were created in `new` and are not used afterwards.
        unsafe {
            wamr::wasm_runtime_destroy_exec_env(self.environment);
            wamr::wasm_runtime_deinstantiate(self.instance);
        }
    }
}

fn text(error: &[c_char; 128]) -> String {
    // SAFETY: the engine terminates it with a NUL, and it was initialised with zeros.
    unsafe { CStr::from_ptr(error.as_ptr()) }.to_string_lossy().into_owned()
}
