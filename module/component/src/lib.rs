//! The detection module as a component: the exports of the contract, each a call into `backchannel-engine`.
//!
//! This crate makes no decisions. `from_wit` converts typed events to borrowed events, `to_wit` converts results to the
//! contract's records, and `exports` has the calls.

mod baked;
mod exports;
mod from_wit;
mod to_wit;

// Replaces `memcmp` and `bcmp` by faster ones.
extern crate backchannel_memory as _;

/// The only export that is not part of the contract: called while a module is baked; the component that is then made
/// does not have it.
#[allow(unsafe_code, missing_docs, clippy::all)]
mod bake {
    wit_bindgen::generate!({
        inline: "
            package backchannel:bake;
            world bake {
                export bake: func(settings: option<string>, baseline: option<list<u8>>) -> bool;
            }
        ",
    });

    use crate::baked::BakeExports;

    export!(BakeExports);
}

/// The code generated from `wit/`; it contains all the `unsafe` of this crate.
#[allow(unsafe_code, missing_docs, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "module", additional_derives: [] });

    use crate::exports::Module;

    export!(Module);
}
