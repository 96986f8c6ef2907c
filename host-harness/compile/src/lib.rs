//! The engine configuration for compiling modules to machine code, used at build time (for the embedded component) and
//! at run time (for all other modules). An engine accepts compiled code only if its configuration equals the one that
//! the code was compiled with.

/// The configuration of an engine, without a cache: calls can be interrupted by epochs, which is how a time limit is
/// enforced.
pub fn configuration() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    config
}
