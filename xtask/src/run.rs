//! Running cargo: builds, tests, benchmarks, and all of it before a change lands.

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

/// Writes what is found into the expectations of the cases whose name contains `name`.
pub fn bless(name: Option<&str>) -> Result<(), String> {
    let mut all = vec!["test", "--release", "--package", "backchannel-tests", "--test", "cases", "--"];
    all.extend(name);
    with(&all, &[("BLESS", "1")])
}

/// Runs the benchmark and prints its table.
pub fn bench(arguments: &[String]) -> Result<(), String> {
    // By itself, so that what it links changes nothing about how the rest is built.
    cargo(&["build", "--release", "--package", "backchannel-yardsticks"])?;
    let yardsticks = target().join("release").join("backchannel-yardsticks").display().to_string();
    let mut all = vec!["bench", "--package", "backchannel-tests", "--bench", "throughput", "--"];
    all.extend(arguments.iter().map(String::as_str));
    with(&all, &[("BACKCHANNEL_YARDSTICKS", &yardsticks)])
}

/// Measures the filter on Fluent Bit's engine, beside one that only parses.
pub fn bench_filter() -> Result<(), String> {
    const TARGET: &str = "wasm32-unknown-unknown";
    const PACKAGE: &str = "backchannel-typed-filter";
    cargo(&["build", "--profile", "module", "--target", TARGET, "--package", PACKAGE])?;
    let typed = target().join(TARGET).join("module").join("backchannel_typed_filter.wasm").display().to_string();
    let bench = ["bench", "--package", "backchannel-tests", "--features", "wamr", "--bench", "filter"];
    with(&bench, &[("BACKCHANNEL_TYPED_FILTER", &typed)])
}

/// Where cargo writes.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Builds the browser page. What makes it is a program of its own, because it takes a minute to compile.
pub fn page(viewer: bool, check: bool) -> Result<(), String> {
    let mut all = vec!["run", "--quiet", "--release", "--package", "backchannel-page", "--"];
    all.extend(viewer.then_some("--viewer"));
    all.extend(check.then_some("--check"));
    cargo(&all)
}

/// Packages that are built by themselves, because they bring features of shared crates that nothing else needs: the
/// comparison of contracts, what builds the browser page, and other libraries to measure against.
const APART: [&str; 3] = ["backchannel-contract", "backchannel-page", "backchannel-yardsticks"];

/// All that must hold before a change lands. What comes after a failure is checked all the same, so that one run says
/// everything that is wrong.
pub fn ci() -> Result<(), String> {
    // Fluent Bit's engine is C, and its bindings are read from its headers.
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
        ("generated text", catalogue::write(true)),
        ("one set of features", features::check(&APART)),
        ("lints", cargo(&[&["clippy"], whole.as_slice(), &deny].concat())),
        ("lints of what is built apart", cargo(&[&["clippy"], apart.as_slice(), &deny].concat())),
        ("tests", cargo(&[&["test", "--no-fail-fast"], whole.as_slice()].concat())),
        ("tests of what is built apart", cargo(&[&["test", "--no-fail-fast"], apart.as_slice()].concat())),
    ];
    let failed: Vec<String> =
        steps.into_iter().filter_map(|(name, done)| done.err().map(|error| format!("{name}: {error}"))).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Whether a program is installed.
fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
