//! The driver `component`: the module that ships, in its sandbox, fed by the harness.

use std::sync::{Arc, OnceLock};

use backchannel_host::component::{Engine, EngineOptions, Module};
use backchannel_host::replay::{Carrier, ReplayOptions, Silent, replay};
use backchannel_host::report::with_incident;
use backchannel_host::source::{self, SourceOptions};

use crate::case::{Case, Files};
use crate::native::baseline;

/// The module that ships, as the program loads it.
pub fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let engine = Arc::new(Engine::new(&EngineOptions::with_user_cache()).expect("an engine"));
        let component = backchannel_embedded::compiled(engine.wasmtime()).expect("it was compiled for this machine");
        Module::from_component(&engine, component).expect("the module that ships is loaded")
    })
}

/// The findings of a case, entering by `carrier` in batches of `batch`.
pub fn findings(case: &Case, carrier: Carrier, batch: usize) -> Vec<String> {
    let (settings, baseline) = (case.settings.clone(), baseline(case));
    let options = ReplayOptions { carrier, batch, settings, baseline, ..ReplayOptions::default() };
    let files = Files::of(&case.logs);
    let sources = source::open(&files.paths, SourceOptions::default());
    let report = replay(module(), sources, &options, &mut Silent).expect("the replay ends well");
    report.findings.into_iter().map(|finding| files.unnamed(&unnamed(&finding.document))).collect()
}

/// The document without the incident it belongs to, which only the whole run knows.
pub fn unnamed(document: &str) -> String {
    with_incident(document, None).expect("a finding's document is an object")
}
