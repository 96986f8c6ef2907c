//! The core WebAssembly modules, compiled by this crate's build script and kept as the compiler leaves them.
//!
//! The script needs no dependency, so that it runs while the WebAssembly engine is still being compiled.
//! `backchannel-embedded` makes of these what is shipped.

/// `module/component`: the core module of the component, with the contract in custom sections.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"));

/// `module/fluent-bit`: the filter for Fluent Bit.
pub static FLUENT_BIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fluent-bit.wasm"));
