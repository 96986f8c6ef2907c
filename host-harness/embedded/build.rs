//! Makes what is shipped of the core modules: a component, which is also compiled to machine code for the machine that
//! the program is built for, and the filter for Fluent Bit; and checks that they import nothing.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot make the detection module: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Outcome<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let core = without_bake(backchannel_wasm::COMPONENT)?;
    let mut fluent_bit = backchannel_wasm::FLUENT_BIT.to_vec();
    say_version(&mut fluent_bit);
    let component = ComponentEncoder::default().validate(true).module(&core)?.encode()?;
    check("core module", &core)?;
    check("component", &component)?;
    check("filter for Fluent Bit", &fluent_bit)?;
    fs::write(out.join("component.cwasm"), compiled(&component)?)?;
    for (name, module) in [("core", core), ("component", component), ("fluent-bit", fluent_bit)] {
        fs::write(out.join(format!("{name}.wasm.gz")), gzip(&module)?)?;
    }
    Ok(())
}

/// Modules are embedded compressed: few runs of the program need them, and compression reduces them to a third.
fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The component as machine code. If the program is built for the build machine, with all instructions of its
/// processor; when cross-compiling, with the baseline instructions of the target.
fn compiled(component: &[u8]) -> Outcome<Vec<u8>> {
    let mut config = backchannel_compile::configuration();
    let target = variable("TARGET")?;
    if target != variable("HOST")? {
        config.target(&target)?;
    }
    Ok(wasmtime::Engine::new(&config)?.precompile_component(component)?)
}

/// The module without the type information of its function `bake`, so that no component made from it exports that. The
/// function itself stays, for baking.
fn without_bake(core: &[u8]) -> Outcome<Vec<u8>> {
    let mut out = core.get(..8).ok_or("no module")?.to_vec();
    let mut left_out = 0;
    for payload in Parser::new(0).parse_all(core) {
        let payload = payload?;
        if let Payload::CustomSection(section) = &payload
            && section.name().starts_with("component-type:")
            && section.name().contains(":backchannel:bake:")
        {
            left_out += 1;
        } else if let Some((id, range)) = payload.as_section() {
            section(&mut out, id, core.get(range).ok_or("a section beyond the end")?);
        }
    }
    if left_out == 1 { Ok(out) } else { Err("the module does not describe a function `bake`".into()) }
}

/// Adds a custom section with the version, as JSON: a filter has no function that returns it.
fn say_version(module: &mut Vec<u8>) {
    const NAME: &str = "backchannel:module";
    let mut data = vec![NAME.len() as u8];
    data.extend_from_slice(NAME.as_bytes());
    data.extend_from_slice(concat!("{\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}").as_bytes());
    section(module, 0, &data);
}

/// Writes a section: its id, its size in LEB128, its content.
fn section(out: &mut Vec<u8>, id: u8, data: &[u8]) {
    out.push(id);
    let mut size = data.len();
    while size >= 0x80 {
        out.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
    out.extend_from_slice(data);
}

/// Checks that a module has no imports, through which it could affect its host. Imports of a core module from
/// `[export]...` are allowed: these are the component's own resource tables, which the component defines.
fn check(what: &str, bytes: &[u8]) -> Outcome<()> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(imports) if depth == 0 => {
                for import in imports.into_imports() {
                    let import = import?;
                    if !import.module.starts_with("[export]") {
                        return Err(format!("the {what} imports {} from {}", import.name, import.module).into());
                    }
                }
            }
            Payload::ComponentImportSection(imports) if depth == 0 => {
                if let Some(import) = imports.into_iter().next() {
                    return Err(format!("the {what} imports {}", import?.name.name).into());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn variable(name: &str) -> Outcome<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}
