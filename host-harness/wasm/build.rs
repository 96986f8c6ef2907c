//! Compiles `module/component` and `module/fluent-bit` for WebAssembly with a nested cargo for each, in parallel: the
//! last step of each build uses only one core.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

const TARGET: &str = "wasm32-unknown-unknown";

/// All component runtimes support vector instructions; with them the module is a fifth faster.
const FOR_COMPONENTS: &str = "-C target-feature=+simd128";
/// The engine in Fluent Bit rejects a module that uses them.
const FOR_FLUENT_BIT: &str = "";

/// Errors are sent between threads.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

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
    let root = here.ancestors().nth(2).ok_or("this crate must be two folders below the workspace")?;
    for source in ["module", "wit", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);

    require_target(root)?;
    let target = target_folder(&out)?;
    let (component, filter) = thread::scope(|scope| {
        let component = scope.spawn(|| compile(root, &target, "backchannel-component", FOR_COMPONENTS));
        let filter = compile(root, &target.join("fluent-bit"), "backchannel-fluent-bit", FOR_FLUENT_BIT);
        (component.join(), filter)
    });
    let component = component.map_err(|_| "the thread that builds the component panicked")?;
    fs::write(out.join("component.wasm"), component?)?;
    fs::write(out.join("fluent-bit.wasm"), filter?)?;
    Ok(())
}

/// Compiles a crate of the module and reads the result. Crates with different flags have separate target folders:
/// otherwise each build would invalidate the other.
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
    let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("compilation failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let file = target.join(TARGET).join("module").join(format!("{}.wasm", package.replace('-', "_")));
    Ok(fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// Whether an environment variable belongs to the outer build: flags for another target, a compiler wrapper such as
/// clippy's, a profile, a target folder that is locked.
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

/// A separate target folder (the outer one is locked), shared by all profiles: `target/module`.
fn target_folder(out: &Path) -> Outcome<PathBuf> {
    // OUT_DIR is <target folder>/<profile>/build/<package>/out.
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let target = build.and_then(|build| build.ancestors().nth(2));
    Ok(target.ok_or("OUT_DIR is not in a target folder")?.join("module"))
}

/// Installs the standard library for WebAssembly if it is missing.
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
        Err(error) => format!("cannot start rustup: {error}"),
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

fn variable(name: &str) -> Outcome<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}
