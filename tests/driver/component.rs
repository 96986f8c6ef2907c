//! The driver `component`: the shipped module in its sandbox, run by the harness.

use std::sync::{Arc, OnceLock};

use backchannel_host::component::{Engine, EngineOptions, Module};
use backchannel_host::replay::{Carrier, ReplayOptions, Silent, replay};
use backchannel_host::report::with_incident;
use backchannel_host::source::{self, SourceOptions};

use crate::case::{Case, Files};
use crate::native::baseline;

/// The shipped module, loaded as the program does.
pub fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let engine = Arc::new(Engine::new(&EngineOptions::with_user_cache()).expect("an engine"));
        let component = backchannel_embedded::compiled(engine.wasmtime()).expect("it was compiled for this machine");
        Module::from_component(&engine, component).expect("the module that ships is loaded")
    })
}

/// The findings of a case, passed by `carrier` in batches of `batch`.
pub fn findings(case: &Case, carrier: Carrier, batch: usize) -> Vec<String> {
    let (settings, baseline) = (case.settings.clone(), baseline(case));
    let options = ReplayOptions { carrier, batch, settings, baseline, ..ReplayOptions::default() };
    let files = Files::of(&case.logs);
    let sources = source::open(&files.paths, SourceOptions::default());
    let report = replay(module(), sources, &options, &mut Silent).expect("the replay ends well");
    report.findings.into_iter().map(|finding| files.unnamed(&unnamed(&finding.document))).collect()
}

/// The document without its incident, which is only known at the end of a run.
pub fn unnamed(document: &str) -> String {
    with_incident(document, None).expect("a finding's document is an object")
}
