//! The detection module, built for WebAssembly by this crate's build script and carried as bytes.

/// The component: the contract `backchannel:detection` with everything exported and nothing imported.
pub static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm"));

/// The core module that the component was made of, with the contract in a custom section: for preparing it with
/// settings and a baseline before it is made a component again. It imports only the component's own tables of resources
/// (from modules named `[export]...`).
pub static CORE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/core.wasm"));

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};
    use wit_component::DecodedWasm;

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
