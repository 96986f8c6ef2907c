//! The shipped detection module: as portable bytes, and compiled for the build target.

use std::io::Read;
use std::sync::LazyLock;

/// A compressed module, decompressed at the first access.
macro_rules! carried {
    ($file:literal) => {{
        static MODULE: LazyLock<Vec<u8>> =
            LazyLock::new(|| gunzip(include_bytes!(concat!(env!("OUT_DIR"), "/", $file, ".wasm.gz"))));
        MODULE.as_slice()
    }};
}

/// The component: the contract `backchannel:detection` with everything exported and nothing imported.
pub fn component() -> &'static [u8] {
    carried!("component")
}

/// The core module that the component was made of, with the contract in a custom section: for preparing it with
/// settings and a baseline (its export `bake`) before it is made a component again. It imports only the component's own
/// tables of resources (from modules named `[export]...`).
pub fn core() -> &'static [u8] {
    carried!("core")
}

/// The filter for Fluent Bit: a core module with no imports, which keeps to the instructions that its engine knows. Its
/// version is in a custom section `backchannel:module`, because it has no function that returns it.
pub fn fluent_bit() -> &'static [u8] {
    carried!("fluent-bit")
}

fn gunzip(compressed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = flate2::read::GzDecoder::new(compressed).read_to_end(&mut bytes);
    read.expect("the build script wrote valid gzip");
    bytes
}

/// The component as machine code, compiled when this crate was built.
static COMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.cwasm"));

/// The component, ready to run, without compiling anything. `None` where this machine or this engine cannot take the
/// code that was compiled when the program was built: another processor, an engine with another configuration than
/// `backchannel_compile::configuration`. Then [`component()`] has to be compiled.
#[allow(unsafe_code)]
pub fn compiled(engine: &wasmtime::Engine) -> Option<wasmtime::component::Component> {
    // SAFETY: `deserialize` must only be given what wasmtime's `precompile_component` wrote, unchanged. These bytes
    // were written by it in this crate's build script and are part of the program's read-only data since then. Version
    // of wasmtime, processor and configuration are compared by `deserialize` itself, which refuses what does not fit.
    unsafe { wasmtime::component::Component::deserialize(engine, COMPILED) }.ok()
}

#[cfg(test)]
mod tests {
    use wasmparser::{ExternalKind, Parser, Payload, Validator, WasmFeatures};
    use wit_component::DecodedWasm;

    #[test]
    fn the_compiled_component_is_accepted_by_the_configuration_it_was_compiled_for_and_by_no_other() {
        let engine = wasmtime::Engine::new(&backchannel_compile::configuration()).expect("an engine");
        assert!(super::compiled(&engine).is_some());
        let other = wasmtime::Engine::new(backchannel_compile::configuration().consume_fuel(true)).expect("an engine");
        assert!(super::compiled(&other).is_none());
    }

    #[test]
    fn the_filter_has_only_instructions_that_fluent_bit_s_engine_supports() {
        // What the engine in Fluent Bit 5.1 was seen to accept. Vectors, tail calls, exceptions, extended constants,
        // several memories and 64-bit memory are refused at load, and the shipper does not start.
        let known = WasmFeatures::MUTABLE_GLOBAL
            | WasmFeatures::SATURATING_FLOAT_TO_INT
            | WasmFeatures::SIGN_EXTENSION
            | WasmFeatures::REFERENCE_TYPES
            | WasmFeatures::MULTI_VALUE
            | WasmFeatures::BULK_MEMORY
            | WasmFeatures::FLOATS
            | WasmFeatures::GC_TYPES;
        Validator::new_with_features(known).validate_all(super::fluent_bit()).expect("no other instruction");
        assert!(Validator::new_with_features(known).validate_all(super::core()).is_err(), "the check can fail");
    }

    #[test]
    fn the_filter_imports_nothing_and_exports_what_fluent_bit_calls() {
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(super::fluent_bit()) {
            match payload.expect("well formed") {
                Payload::ImportSection(imports) => assert_eq!(imports.count(), 0),
                Payload::ExportSection(all) => exports.extend(all.into_iter().map(|it| it.expect("well formed"))),
                Payload::CustomSection(section) if section.name() == "target_features" => {
                    assert!(!String::from_utf8_lossy(section.data()).contains("simd"));
                }
                _ => {}
            }
        }
        for name in ["malloc", "free", "backchannel_filter", "backchannel_open"] {
            assert!(exports.iter().any(|it| it.name == name && it.kind == ExternalKind::Func), "{name}");
        }
        // These would make the engine run code at instantiation, which the module does not need.
        assert!(!exports.iter().any(|it| ["_start", "_initialize"].contains(&it.name)));
    }

    #[test]
    fn the_core_module_imports_only_the_component_s_own_resource_tables() {
        for payload in Parser::new(0).parse_all(super::core()) {
            if let Payload::ImportSection(imports) = payload.expect("well formed") {
                for import in imports.into_imports() {
                    let import = import.expect("well formed");
                    assert!(import.module.starts_with("[export]backchannel:detection/"), "{}", import.module);
                    assert!(import.name.starts_with("[resource-"), "{}", import.name);
                }
            }
        }
    }

    #[test]
    fn it_exports_the_contract_and_imports_nothing() {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(super::component()).expect("a component")
        else {
            panic!("expected a component, not a package");
        };
        let names: Vec<String> = resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)).collect();
        let wanted = ["types", "catalog", "detector", "correlator", "learner"];
        for interface in wanted {
            let name = format!("backchannel:detection/{interface}@0.1.0");
            assert!(names.contains(&name), "{name} is not among {names:?}");
        }
        assert_eq!(names.len(), wanted.len());
        assert_eq!(resolve.worlds[world].imports.len(), 0);
    }
}
