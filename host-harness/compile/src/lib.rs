//! How modules are compiled to machine code: one configuration, used when the program is built (the component that it
//! carries is compiled then) and when it runs (all other modules). Compiled code is only accepted by an engine whose
//! configuration equals the one it was compiled with.

/// The configuration of an engine, without a cache: calls can be interrupted by epochs, which is how a time limit is
/// enforced.
pub fn configuration() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    config
}
