//! Nothing but dependencies: features that only tests ask of crates which the program has too.
//!
//! Cargo compiles a crate once for each set of features. Were the sets of `cargo build` and `cargo test --workspace`
//! different, the WebAssembly engine would be compiled for each of them, minutes each time. Every crate that links the
//! engine depends on this one.
