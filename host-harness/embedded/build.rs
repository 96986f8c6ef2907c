//! Builds the module for its hosts: compiles `module/component` and `module/fluent-bit` for WebAssembly with a cargo of
//! its own, makes a component of the first, and checks that they import nothing.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// Every runtime of components has vector instructions; with them the module is a fifth faster.
const FOR_COMPONENTS: &str = "-C target-feature=+simd128";
/// The engine in Fluent Bit refuses a module that has them.
const FOR_FLUENT_BIT: &str = "";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot build the detection module: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Outcome<()> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = here.ancestors().nth(2).ok_or("this crate lies two folders below the workspace")?;
    for source in ["module", "wit", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);

    require_target(root)?;
    let target = target_folder(&out)?;
    let core = compile(root, &target, "backchannel-component", FOR_COMPONENTS)?;
    let core = without_bake(&core)?;
    let mut fluent_bit = compile(root, &target.join("fluent-bit"), "backchannel-fluent-bit", FOR_FLUENT_BIT)?;
    say_version(&mut fluent_bit);
    let component = ComponentEncoder::default().validate(true).module(&core)?.encode()?;
    check("core module", &core)?;
    check("component", &component)?;
    check("filter for Fluent Bit", &fluent_bit)?;
    fs::write(out.join("core.wasm"), core)?;
    fs::write(out.join("component.wasm"), component)?;
    fs::write(out.join("fluent-bit.wasm"), fluent_bit)?;
    Ok(())
}

/// Compiles a crate of the module and reads the result. Crates with other flags have target folders of their own:
/// otherwise each would undo the other's work.
fn compile(root: &Path, target: &Path, package: &str, flags: &str) -> Outcome<Vec<u8>> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--profile", "module", "--package", package])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_ours_alone) {
            cargo.env_remove(name);
        }
    }
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    let output = cargo.output().map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("compiling it failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let file = target.join(TARGET).join("module").join(format!("{}.wasm", package.replace('-', "_")));
    Ok(fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// Whether a variable speaks of the build that this script is part of: flags for another target, a wrapper such as
/// clippy's that would stand in for the compiler, a profile, a target folder that is locked.
fn is_ours_alone(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_ENCODED_RUSTDOCFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_TARGET_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_PRIMARY_PACKAGE",
        "CLIPPY_ARGS",
        "LLVM_PROFILE_FILE",
        "OUT_DIR",
    ];
    const BEGINNINGS: [&str; 6] =
        ["CARGO_BUILD_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PKG_", "CARGO_PROFILE_", "CARGO_TARGET_"];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// A target folder of its own (the outer one is locked), shared by all profiles: `target/module`.
fn target_folder(out: &Path) -> Outcome<PathBuf> {
    // OUT_DIR is <target folder>/<profile>/build/<package>/out.
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let target = build.and_then(|build| build.ancestors().nth(2));
    Ok(target.ok_or("OUT_DIR does not lie in a target folder")?.join("module"))
}

/// Sees to it that the standard library for WebAssembly is there.
fn require_target(root: &Path) -> Outcome<()> {
    if has_target(root)? {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(root).args(["target", "add", TARGET]);
    let added = rustup.output();
    if has_target(root)? {
        return Ok(());
    }
    let why = match added {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("rustup does not start: {error}"),
    };
    Err(format!(
        "the Rust standard library for {TARGET} is missing, and `rustup target add {TARGET}` did not bring it.\n\
         Install it: `rustup target add {TARGET}`, or the package of your distribution (Debian: \
         libstd-rust-dev-wasm32).\n{why}"
    )
    .into())
}

fn has_target(root: &Path) -> Outcome<bool> {
    let mut rustc = Command::new(variable("RUSTC")?);
    let output = rustc.current_dir(root).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    Ok(output.status.success() && fs::read_dir(String::from_utf8_lossy(&output.stdout).trim()).is_ok())
}

/// The module without the description of its function `bake`, so that no component made of it exports that. The
/// function itself stays, for who bakes.
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

/// Adds a custom section with the version, as JSON: a filter has no function that says it.
fn say_version(module: &mut Vec<u8>) {
    const NAME: &str = "backchannel:module";
    let mut data = vec![NAME.len() as u8];
    data.extend_from_slice(NAME.as_bytes());
    data.extend_from_slice(concat!("{\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}").as_bytes());
    section(module, 0, &data);
}

/// Writes a section: its id, its size as a number in LEB128, what it holds.
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

/// A module that imports something could touch its host. What a core module imports from `[export]...` are the
/// component's own tables of resources, which the component brings along.
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
