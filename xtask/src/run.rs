//! Running cargo: builds, tests, benchmarks, and all of it before a change lands.

use std::path::PathBuf;
use std::process::Command;

use crate::{catalogue, root};

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

/// All that must hold before a change lands.
pub fn ci() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    catalogue::write(true)?;
    cargo(&["test", "--release", "--workspace"])?;
    // Fluent Bit's engine is C, and its bindings are read from its headers.
    let there = |program: &str| {
        let asked = std::process::Command::new(program).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    };
    if there("cmake") && there("clang") {
        cargo(&["test", "--release", "--package", "backchannel-tests", "--features", "wamr", "--test", "wamr"])
    } else {
        eprintln!("SKIPPED: the filter on Fluent Bit's engine needs cmake and clang (libclang)");
        Ok(())
    }
}
