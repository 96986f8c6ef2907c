//! Builds the browser page: the module as WebAssembly, its wasm-bindgen glue, and then, with node, the page itself. It
//! is separate from `xtask` because wasm-bindgen takes a minute to compile.
//!
//! `--viewer` builds only the viewer embedded in `backchannel report`, `--page` only the page, which is not committed;
//! `--check` fails if the viewer is not up to date.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let chosen: Vec<&str> = ["--viewer", "--page", "--check"].into_iter().filter(|flag| has(flag)).collect();
    match build(&chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("page: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(flags: &[&str]) -> Result<(), String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).ok_or("this crate must be two folders below the workspace")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let (sources, out) = (root.join("module/browser/page"), target.join("page"));
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let viewer_only = flags.contains(&"--viewer") || flags.contains(&"--check");
    if !viewer_only {
        glue(root, &target, &out.join("glue"))?;
    }
    packages(&sources, &out)?;
    let mut node = Command::new("node");
    node.arg(sources.join("build.mjs")).arg(&out);
    if viewer_only {
        node.arg("--viewer");
    }
    node.args(flags.iter().filter(|flag| **flag != "--viewer"));
    run(node.current_dir(&sources), "node build.mjs")
}

/// Compiles the module for the page and writes the glue between it and JavaScript.
fn glue(root: &Path, target: &Path, out: &Path) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--profile", "module", "--package", "backchannel-browser", "--lib"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target)
        // All current browsers support vector instructions.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C target-feature=+simd128")
        // The generator reads the used features from the names section, and removes it itself.
        .env("CARGO_PROFILE_MODULE_STRIP", "debuginfo");
    run(&mut cargo, "cargo build --package backchannel-browser")?;
    let module = target.join(TARGET).join("module").join("backchannel_browser.wasm");
    let mut generator = wasm_bindgen_cli_support::Bindgen::new();
    generator
        .input_path(&module)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("glue");
    generator.no_modules(true).map_err(|error| format!("{error:#}"))?;
    generator.generate(out).map_err(|error| format!("{}: {error:#}", module.display()))
}

/// Installs exactly the packages of package-lock.json, in the build output folder.
fn packages(sources: &Path, out: &Path) -> Result<(), String> {
    let lock = sources.join("package-lock.json");
    let stamp = out.join("node_modules/.backchannel-lock");
    let wanted = std::fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    for name in ["package.json", "package-lock.json"] {
        let from: PathBuf = sources.join(name);
        std::fs::copy(&from, out.join(name)).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let mut npm = Command::new("npm");
    run(npm.current_dir(out).args(["ci", "--no-audit", "--no-fund"]), "npm ci")?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn run(command: &mut Command, shown: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown}: {status}")) }
}
