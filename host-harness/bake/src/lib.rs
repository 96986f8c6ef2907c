//! Bakes a module: stores a site's settings and baseline, already parsed, in the detection module, for hosts that
//! cannot pass configuration.
//!
//! The core module is run once, in a sandbox without imports: it parses the settings and the baseline and keeps them in
//! memory. Then its memory is written as a new module (`wasmtime-wizer`), which starts from that state. Nothing is
//! parsed again when it is opened, and the same inputs give the same bytes.
//!
//! Baking does not report what is wrong with settings or a baseline: open a detector of the unbaked module with them
//! first.

mod preinit;
mod snapshot;

use std::fmt;

use backchannel_host::component::{Baked, BakedPart};
use sha2::{Digest, Sha256};

/// What is baked in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Site<'a> {
    /// The site's settings.
    pub settings: Option<Settings<'a>>,
    /// The site's baseline, as a learner wrote it.
    pub baseline: Option<&'a [u8]>,
}

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The settings as one JSON document.
    pub json: &'a str,
    /// The content of the settings file: its hash is written into the module, to identify the file later.
    pub file: &'a [u8],
}

/// Why a module could not be baked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BakeError {
    /// The module rejected the settings or the baseline.
    Rejected,
    /// The module cannot be baked; the text is the cause.
    Module(String),
}

impl fmt::Display for BakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected => write!(f, "the module rejected the settings or the baseline"),
            Self::Module(text) => write!(f, "the module cannot be baked: {text}"),
        }
    }
}

impl std::error::Error for BakeError {}

/// Bakes a component from its core module.
///
/// # Errors
/// The module rejected the settings or the baseline, or it is not a module that can be baked.
pub fn component(core: &[u8], site: &Site<'_>) -> Result<Vec<u8>, BakeError> {
    let core = preinit::run(core, "bake", |store, instance| preinit::component(store, instance, site))?;
    let encoder = wit_component::ComponentEncoder::default().validate(true).module(&core);
    let mut component =
        encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| BakeError::Module(format!("{error:#}")))?;
    append_section(&mut component, backchannel_host::component::CONTRACT, site);
    Ok(component)
}

/// Bakes a filter for Fluent Bit.
///
/// # Errors
/// The module rejected the settings or the baseline, or it is not a module that can be baked.
pub fn filter(module: &[u8], site: &Site<'_>) -> Result<Vec<u8>, BakeError> {
    let mut filter =
        preinit::run(module, "backchannel_open", |store, instance| preinit::filter(store, instance, site))?;
    append_section(&mut filter, "filter_wasm", site);
    Ok(filter)
}

/// Appends a custom section to a module that describes what was baked into it.
fn append_section(module: &mut Vec<u8>, contract: &str, site: &Site<'_>) {
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
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
