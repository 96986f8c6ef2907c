//! Contains only dependencies: they enable features that otherwise only tests enable, of crates that the program
//! depends on too.
//!
//! Cargo compiles a crate once for each set of features. If the sets of `cargo build` and `cargo test --workspace`
//! differed, the WebAssembly engine would be compiled for each of them, which takes minutes each time. Every crate that
//! links the engine depends on this one.
