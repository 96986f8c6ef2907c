//! Checks that the dependencies of the program have the same features in `cargo build` and in the tests of the whole
//! workspace. Otherwise cargo compiles them once for each, the WebAssembly engine included.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::root;

/// Features by package, as cargo names it.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Compares the features of the program's dependencies with those in the tests of the whole workspace without the
/// packages `apart`.
///
/// # Errors
/// The missing features, by package.
pub fn check(apart: &[&str]) -> Result<(), String> {
    let program = tree(&["--package", "backchannel", "--edges", "normal,build"])?;
    let mut whole = vec!["--workspace", "--features", "backchannel-tests/wamr", "--edges", "all"];
    whole.extend(apart.iter().flat_map(|package| ["--exclude", *package]));
    let whole = tree(&whole)?;
    let missing: Vec<String> = program
        .iter()
        .filter_map(|(package, features)| {
            let more: Vec<&str> = whole.get(package)?.difference(features).map(String::as_str).collect();
            (!more.is_empty()).then(|| format!("{package}: {}", more.join(", ")))
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "features that only the tests enable; add them to host-harness/features/Cargo.toml:\n  {}",
        missing.join("\n  ")
    ))
}

fn tree(arguments: &[&str]) -> Result<Features, String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root()).args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]).args(arguments);
    let output = cargo.output().map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut all = Features::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // Packages that were listed before are marked with (*).
        let Some((package, features)) = line.trim_end_matches(" (*)").split_once('|') else { continue };
        let name = package.trim_end_matches(" (proc-macro)").to_owned();
        all.entry(name).or_default().extend(features.split(',').filter(|it| !it.is_empty()).map(str::to_owned));
    }
    Ok(all)
}
