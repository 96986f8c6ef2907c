//! The commands, one per file, and shared helpers.

pub(crate) mod analytics;
pub(crate) mod bake;
pub(crate) mod learn;
pub(crate) mod module;
pub(crate) mod narrow;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod settings;
pub(crate) mod simulate;

use std::path::Path;
use std::sync::Arc;

use backchannel_host::component::{Engine, EngineOptions, Limits, Module, merge_baselines};

/// An engine that keeps compiled code in the user's cache folder.
pub(crate) fn engine() -> Result<Arc<Engine>, String> {
    Engine::new(&EngineOptions::with_user_cache()).map(Arc::new).map_err(|error| error.to_string())
}

/// The module in `file`, or the embedded one.
pub(crate) fn load(engine: &Arc<Engine>, file: Option<&Path>) -> Result<Module, String> {
    match file {
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Module::load(engine, &bytes).map_err(|error| format!("{}: {error}", file.display()))
        }
        None => match backchannel_embedded::compiled(engine.wasmtime()) {
            Some(component) => Module::from_component(engine, component),
            None => Module::load(engine, backchannel_embedded::component()),
        }
        .map_err(|error| error.to_string()),
    }
}

/// The baseline in `file`, checked by the module; errors contain the file's name.
pub(crate) fn baseline(module: &Module, file: &Path) -> Result<Vec<u8>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| named(&error))?;
    merge_baselines(module, &Limits::default(), std::slice::from_ref(&bytes)).map_err(|error| named(&error))?;
    Ok(bytes)
}

/// Prints a message of the program on standard error.
pub(crate) fn complain(text: &str) {
    use std::io::Write;
    // If standard error is closed, the message cannot be shown.
    let _ = writeln!(std::io::stderr(), "backchannel: {}", crate::output::plain(text));
}
