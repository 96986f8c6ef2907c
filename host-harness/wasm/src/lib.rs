//! The core WebAssembly modules, compiled by this crate's build script, exactly as the compiler writes them.
//!
//! The script has no dependencies, so that it can run while the WebAssembly engine is still being compiled.
//! `backchannel-embedded` turns the modules into what is shipped.

/// `module/component`: the core module of the component, with the contract in custom sections.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"));

/// `module/fluent-bit`: the filter for Fluent Bit.
pub static FLUENT_BIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fluent-bit.wasm"));
