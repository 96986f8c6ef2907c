//! The detection module as a component: the contract's exports, each a call of `backchannel-engine`.
//!
//! Nothing is decided here. `from_wit` turns typed events into borrowed nouns, `to_wit` turns results into the
//! contract's records; what is called is in `exports`.

mod baked;
mod exports;
mod from_wit;
mod to_wit;

// Comparisons of text, eight bytes at a time.
extern crate backchannel_memory as _;

/// The one function that is not part of the contract: it is called while a module is being baked, and a component is
/// made of the result without it.
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

    use crate::baked::Oven;

    export!(Oven);
}

/// What the generator makes of `wit/`: its glue is the only code here that needs `unsafe`.
#[allow(unsafe_code, missing_docs, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "module", additional_derives: [] });

    use crate::exports::Module;

    export!(Module);
}
