//! The custom sections of a module: what was baked into it, and whether it is signed.
//!
//! Both are claims of whoever wrote the file and prove nothing: signatures are not verified here, and hashes must be
//! compared with the original files by the user.

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::{About, ImportExport};

/// What was baked into a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baked {
    /// Version of the program that baked it.
    pub tool: String,
    /// Contract of the module.
    pub contract: String,
    /// The settings.
    pub settings: Option<BakedPart>,
    /// The baseline.
    pub baseline: Option<BakedPart>,
}

/// A file that was baked into a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BakedPart {
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
}

impl Baked {
    /// Name of the custom section that holds it.
    pub const SECTION: &'static str = "backchannel:baked";

    /// The JSON text that the section contains.
    pub fn to_json(&self) -> String {
        // A structure of strings and numbers can always be serialised.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The content of a module's custom sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// What was baked in.
    pub baked: Option<Baked>,
    /// Version of a module that has no function that returns it.
    pub version: Option<String>,
    /// Signatures over the module, or parts of it, as the WebAssembly tool conventions have them: how many.
    pub signatures: usize,
}

/// Reads the custom sections of a module. Sections that cannot be parsed are ignored.
pub fn sections(module: &[u8]) -> Sections {
    let mut found = Sections::default();
    let (mut depth, mut first) = (0_u32, true);
    for payload in Parser::new(0).parse_all(module) {
        let Ok(payload) = payload else { break };
        match &payload {
            Payload::Version { .. } => continue,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 => match section.name() {
                Baked::SECTION => found.baked = serde_json::from_slice(section.data()).ok(),
                "backchannel:module" => {
                    let parsed: Option<VersionSection> = serde_json::from_slice(section.data()).ok();
                    found.version = parsed.map(|parsed| parsed.version);
                }
                // A signature section must be the first section; others are ignored.
                "signature" if first => found.signatures = signatures(section.data()).unwrap_or(0),
                _ => {}
            },
            _ => {}
        }
        first = false;
    }
    found
}

/// Information about a module that has no functions to return it.
#[derive(Deserialize)]
struct VersionSection {
    version: String,
}

/// Imports and exports of a core module (the kind that Fluent Bit loads) and its description, or the reason why it is
/// not a filter of Backchannel.
pub(super) fn filter(module: &[u8], sections: &Sections) -> (ImportExport, Result<About, String>) {
    let mut surface = ImportExport::default();
    if let Err(error) = Validator::new_with_features(WasmFeatures::default()).validate_all(module) {
        return (surface, Err(format!("it is damaged: {error}")));
    }
    for payload in Parser::new(0).parse_all(module) {
        match payload {
            Ok(Payload::ImportSection(imports)) => {
                let names = imports.into_imports().flatten().map(|import| format!("{}.{}", import.module, import.name));
                surface.imports.extend(names);
            }
            Ok(Payload::ExportSection(exports)) => {
                surface.exports.extend(exports.into_iter().flatten().map(|export| export.name.to_owned()));
            }
            _ => {}
        }
    }
    let missing = ["malloc", "free", FILTER].into_iter().find(|name| !surface.exports.iter().any(|it| it == name));
    let about = match (missing, surface.imports.as_slice()) {
        (Some(missing), _) => {
            Err(format!("it is a core WebAssembly module without {missing}, not a filter of Backchannel"))
        }
        (None, [import, ..]) => Err(format!("it imports {import}; a filter of Backchannel imports nothing")),
        (None, []) => {
            let baked = sections.baked.as_ref();
            Ok(About {
                version: sections.version.clone().unwrap_or_else(|| "unknown".into()),
                contract: format!("filter_wasm of Fluent Bit, event_format json, function_name {FILTER}"),
                baked_settings: baked.is_some_and(|baked| baked.settings.is_some()),
                baked_baseline: baked.is_some_and(|baked| baked.baseline.is_some()),
            })
        }
    };
    (surface, about)
}

/// The function of a filter.
const FILTER: &str = "backchannel_filter";

/// Counts the signatures of a signature section: version, kind of content, hash function, number of sets; each set has
/// a number of hashes of 32 bytes, then a number of signatures, each with its length before it.
fn signatures(data: &[u8]) -> Option<usize> {
    let mut reader = wasmparser::BinaryReader::new(data, 0);
    let (version, content, hash) = (reader.read_u8().ok()?, reader.read_u8().ok()?, reader.read_u8().ok()?);
    if (version, content, hash) != (1, 1, 1) {
        return None;
    }
    let mut count = 0;
    for _ in 0..reader.read_var_u32().ok()? {
        // The set's own length, then its parts.
        reader.read_var_u32().ok()?;
        for _ in 0..reader.read_var_u32().ok()? {
            reader.read_bytes(32).ok()?;
        }
        for _ in 0..reader.read_var_u32().ok()? {
            let length = reader.read_var_u32().ok()?;
            reader.read_bytes(length as usize).ok()?;
            count += 1;
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn section(name: &str, data: &[u8]) -> Vec<u8> {
        let held = [&[name.len() as u8], name.as_bytes(), data].concat();
        [&[0, held.len() as u8], held.as_slice()].concat()
    }

    /// A set with one hash and one signature: no name of a key, the algorithm, four bytes.
    fn signed() -> Vec<u8> {
        let signature = [0, 1, 4, 1, 2, 3, 4];
        let set = [&[1][..], &[7; 32], &[1, signature.len() as u8], &signature].concat();
        [&[1, 1, 1, 1, set.len() as u8], set.as_slice()].concat()
    }

    #[test]
    fn the_baked_section_is_read_back() {
        let part = BakedPart { sha256: "ab".into(), bytes: 7 };
        let baked = Baked { tool: "1".into(), contract: "c".into(), settings: Some(part), baseline: None };
        let module = [EMPTY, &section(Baked::SECTION, baked.to_json().as_bytes())].concat();
        assert_eq!(sections(&module).baked, Some(baked));
        assert_eq!(sections(&[EMPTY, &section(Baked::SECTION, b"invalid")].concat()), Sections::default());
    }

    #[test]
    fn a_signature_counts_if_it_is_complete_and_the_first_section() {
        let signature = section("signature", &signed());
        assert_eq!(sections(&[EMPTY, &signature].concat()).signatures, 1);
        assert_eq!(sections(&[EMPTY, &section("a", b""), &signature].concat()).signatures, 0);
        for end in 0..signed().len() {
            let cut = section("signature", &signed()[..end]);
            assert_eq!(sections(&[EMPTY, &cut].concat()).signatures, 0, "{end}");
        }
    }

    #[test]
    fn a_core_module_that_is_not_a_filter_is_rejected_with_a_reason() {
        const CORE: &[u8] = b"\0asm\x01\0\0\0";
        let why = |module: &[u8]| filter(module, &sections(module)).1.unwrap_err();
        assert!(why(CORE).contains("without malloc"));
        assert!(why(&[CORE, b"\x07\xff"].concat()).contains("damaged"));
        let (surface, about) =
            filter(backchannel_embedded::fluent_bit(), &sections(backchannel_embedded::fluent_bit()));
        assert_eq!(about.unwrap().version, env!("CARGO_PKG_VERSION"));
        assert_eq!(surface.imports.len(), 0);
    }
}
