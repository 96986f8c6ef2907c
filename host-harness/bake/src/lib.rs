//! Bakes a module: puts a site's settings and baseline into the detection module, read and ready, for hosts that can
//! pass no configuration.
//!
//! The core module is run once, in a sandbox without imports: it reads the settings and the baseline and keeps them.
//! Then its memory is written down as a new module (`wasmtime-wizer`), which begins where that one stopped. Nothing is
//! parsed again when it is opened, and the same inputs give the same bytes.
//!
//! What is wrong with settings or a baseline is told by the module that is not baked: open a detector with them first.

mod kitchen;
mod snapshot;

use std::fmt;

use backchannel_host::component::{Baked, BakedPart};
use sha2::{Digest, Sha256};

/// What a site gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Site<'a> {
    /// Its settings.
    pub settings: Option<Settings<'a>>,
    /// Its baseline, as a learner wrote it.
    pub baseline: Option<&'a [u8]>,
}

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// As one JSON document.
    pub json: &'a str,
    /// The file they stand in, byte for byte: its hash is written into the module, so that it can be found again.
    pub file: &'a [u8],
}

/// Why a module could not be baked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BakeError {
    /// The module does not take the settings or the baseline.
    NotTaken,
    /// The module cannot be baked: what went wrong.
    Module(String),
}

impl fmt::Display for BakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTaken => write!(f, "the module does not take these settings or this baseline"),
            Self::Module(text) => write!(f, "the module cannot be baked: {text}"),
        }
    }
}

impl std::error::Error for BakeError {}

/// Bakes a component out of its core module.
///
/// # Errors
/// The module takes no such settings or baseline, or is none that can be baked.
pub fn component(core: &[u8], site: &Site<'_>) -> Result<Vec<u8>, BakeError> {
    let core = kitchen::bake(core, "bake", |store, instance| kitchen::component(store, instance, site))?;
    let encoder = wit_component::ComponentEncoder::default().validate(true).module(&core);
    let mut component =
        encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| BakeError::Module(format!("{error:#}")))?;
    sign_off(&mut component, backchannel_host::component::CONTRACT, site);
    Ok(component)
}

/// Bakes a filter for Fluent Bit.
///
/// # Errors
/// The module takes no such settings or baseline, or is none that can be baked.
pub fn filter(module: &[u8], site: &Site<'_>) -> Result<Vec<u8>, BakeError> {
    let mut filter =
        kitchen::bake(module, "backchannel_open", |store, instance| kitchen::filter(store, instance, site))?;
    sign_off(&mut filter, "filter_wasm", site);
    Ok(filter)
}

/// Writes at the end of a module what was baked into it.
fn sign_off(module: &mut Vec<u8>, contract: &str, site: &Site<'_>) {
    use wasm_encoder::{CustomSection, Section};
    let part = |bytes: &[u8]| BakedPart { sha256: hex(&Sha256::digest(bytes)), bytes: bytes.len() as u64 };
    let baked = Baked {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        contract: contract.to_owned(),
        settings: site.settings.map(|settings| part(settings.file)),
        baseline: site.baseline.map(part),
    };
    let data = baked.to_json().into_bytes();
    CustomSection { name: Baked::SECTION.into(), data: data.into() }.append_to(module);
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
