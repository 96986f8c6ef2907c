//! Runs cargo: builds, tests, benchmarks and all checks that a change must pass.

use std::path::PathBuf;
use std::process::Command;

use crate::{catalogue, features, root};

/// Runs cargo in the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Result<(), String> {
    with(arguments, &[])
}

fn with(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let shown = arguments.join(" ");
    eprintln!("xtask: cargo {shown}");
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo {shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {shown}: {status}")) }
}

/// Updates failed expectations of the cases whose name contains `name`.
pub fn bless(name: Option<&str>) -> Result<(), String> {
    let mut all = vec!["test", "--release", "--package", "backchannel-tests", "--test", "cases", "--"];
    all.extend(name);
    with(&all, &[("BLESS", "1")])
}

/// Runs the benchmark and prints its table.
pub fn bench(arguments: &[String]) -> Result<(), String> {
    // Built separately, so that its dependencies do not affect the features of the rest.
    cargo(&["build", "--release", "--package", "backchannel-reference-parsers"])?;
    let reference = target().join("release").join("backchannel-reference-parsers").display().to_string();
    let mut all = vec!["bench", "--package", "backchannel-tests", "--bench", "throughput", "--"];
    all.extend(arguments.iter().map(String::as_str));
    with(&all, &[("BACKCHANNEL_REFERENCE_PARSERS", &reference)])
}

/// Benchmarks the filter on Fluent Bit's engine, compared with one that only parses.
pub fn bench_filter() -> Result<(), String> {
    const TARGET: &str = "wasm32-unknown-unknown";
    const PACKAGE: &str = "backchannel-typed-filter";
    cargo(&["build", "--profile", "module", "--target", TARGET, "--package", PACKAGE])?;
    let typed = target().join(TARGET).join("module").join("backchannel_typed_filter.wasm").display().to_string();
    let bench = ["bench", "--package", "backchannel-tests", "--features", "wamr", "--bench", "filter"];
    with(&bench, &[("BACKCHANNEL_TYPED_FILTER", &typed)])
}

/// Cargo's target folder.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Builds the browser page with a separate program, because that takes a minute to compile.
pub fn page(viewer: bool, check: bool) -> Result<(), String> {
    let mut all = vec!["run", "--quiet", "--release", "--package", "backchannel-page", "--"];
    all.extend(viewer.then_some("--viewer"));
    all.extend(check.then_some("--check"));
    cargo(&all)
}

/// Packages that are built separately, because they enable features of shared crates that nothing else needs: the
/// comparison of contracts, the builder of the browser page, and the reference parsers of the benchmark.
const APART: [&str; 3] = ["backchannel-contract", "backchannel-page", "backchannel-reference-parsers"];

/// Runs all checks that a change must pass. It continues after a failure, so that one run reports all failures.
pub fn ci() -> Result<(), String> {
    // Fluent Bit's engine is written in C, and its bindings are generated from its headers.
    let wamr = ["cmake", "clang"].iter().all(|program| runs(program));
    let mut whole = vec!["--release", "--workspace"];
    whole.extend(APART.iter().flat_map(|package| ["--exclude", *package]));
    if wamr {
        whole.extend(["--features", "backchannel-tests/wamr"]);
    } else {
        eprintln!("SKIPPED: the filter on Fluent Bit's engine needs cmake and clang (libclang)");
    }
    let apart: Vec<&str> = ["--release"].into_iter().chain(APART.iter().flat_map(|package| ["-p", *package])).collect();
    let deny = ["--all-targets", "--", "--deny", "warnings"];
    let steps: [(&str, Result<(), String>); 7] = [
        ("format", cargo(&["fmt", "--all", "--check"])),
        ("generated files", catalogue::write(true)),
        ("one set of features", features::check(&APART)),
        ("lints", cargo(&[&["clippy"], whole.as_slice(), &deny].concat())),
        ("lints of separate packages", cargo(&[&["clippy"], apart.as_slice(), &deny].concat())),
        ("tests", cargo(&[&["test", "--no-fail-fast"], whole.as_slice()].concat())),
        ("tests of separate packages", cargo(&[&["test", "--no-fail-fast"], apart.as_slice()].concat())),
    ];
    let failed: Vec<String> =
        steps.into_iter().filter_map(|(name, done)| done.err().map(|error| format!("{name}: {error}"))).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Whether a program is installed.
fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
