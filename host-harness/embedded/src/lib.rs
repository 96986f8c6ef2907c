//! The detection module, built for WebAssembly by this crate's build script and carried as bytes.

/// The component: the contract `backchannel:detection` with everything exported and nothing imported.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"));

/// The core module that the component was made of, with the contract in a custom section: for preparing it with
/// settings and a baseline (its export `bake`) before it is made a component again. It imports only the component's own
/// tables of resources (from modules named `[export]...`).
pub static CORE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/core.wasm"));

/// The filter for Fluent Bit: a core module with no imports, which keeps to the instructions that its engine knows. Its
/// version stands in a custom section `backchannel:module`, because it has no function that says it.
pub static FLUENT_BIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fluent-bit.wasm"));

#[cfg(test)]
mod tests {
    use wasmparser::{ExternalKind, Parser, Payload, Validator, WasmFeatures};
    use wit_component::DecodedWasm;

    #[test]
    fn the_filter_has_only_instructions_that_fluent_bit_s_engine_knows() {
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
        Validator::new_with_features(known).validate_all(super::FLUENT_BIT).expect("no other instruction");
        assert!(Validator::new_with_features(known).validate_all(super::CORE).is_err(), "the check can fail");
    }

    #[test]
    fn the_filter_imports_nothing_and_exports_what_fluent_bit_calls() {
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(super::FLUENT_BIT) {
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
        // With these the engine would run something at the start, which nothing here needs.
        assert!(!exports.iter().any(|it| ["_start", "_initialize"].contains(&it.name)));
    }

    #[test]
    fn the_core_module_imports_only_the_component_s_own_resource_tables() {
        for payload in Parser::new(0).parse_all(super::CORE) {
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
        let DecodedWasm::Component(resolve, world) = wit_component::decode(super::COMPONENT).expect("a component")
        else {
            panic!("a component, no package");
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
