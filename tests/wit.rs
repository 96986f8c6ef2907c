//! The component implements its contract: it exports all interfaces and imports nothing.

use std::sync::Arc;

use backchannel_embedded::component;
use backchannel_host::component::{CONTRACT, Engine, EngineOptions, Limits, inspect};

#[test]
fn the_component_exports_the_contract_and_imports_nothing() {
    let engine = Arc::new(Engine::new(&EngineOptions::with_user_cache()).expect("an engine"));
    let found = inspect(&engine, component(), &Limits::default()).expect("the module that ships can be inspected");
    assert!(found.surface.imports.is_empty(), "imports: {:?}", found.surface.imports);
    let version = CONTRACT.rsplit('@').next().expect("a version");
    for interface in ["types", "catalog", "detector", "correlator", "learner"] {
        let name = format!("backchannel:detection/{interface}@{version}");
        assert!(found.surface.exports.iter().any(|export| format!("{export:?}").contains(&name)), "{name} is missing");
    }
}
