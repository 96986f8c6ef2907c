//! The detection module as a component: the contract's exports, each a call of `backchannel-engine`.
//!
//! Nothing is decided here. `from_wit` turns typed events into borrowed nouns, `to_wit` turns results into the
//! contract's records; what is called is in `exports`.

mod exports;
mod from_wit;
mod to_wit;

/// What the generator makes of `wit/`: its glue is the only code here that needs `unsafe`.
#[allow(unsafe_code, missing_docs, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "module", additional_derives: [] });

    use crate::exports::Module;

    export!(Module);
}
