//! What is never allowed in this tree, checked. Each test is one of the nevers of ARCHITECTURE.md, and its message
//! says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use backchannel_detect::analytics::ANALYTICS;
use backchannel_tests::{files, read, root};

/// Crate to everything it depends on, through others too, development dependencies left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let name_of = |id: &str| -> String {
        let packages = metadata["packages"].as_array().expect("packages");
        let package = packages.iter().find(|package| package["id"] == id).expect("a package for each id");
        package["name"].as_str().expect("a name").to_owned()
    };
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let name = name_of(node["id"].as_str().expect("id"));
        for dependency in node["deps"].as_array().expect("deps") {
            let normal = dependency["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null());
            if normal {
                let id = dependency["pkg"].as_str().expect("pkg");
                direct.entry(name.clone()).or_default().insert(name_of(id));
            }
        }
    }
    let mut all = BTreeMap::new();
    for name in direct.keys().filter(|name| name.starts_with("backchannel")) {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![name.clone()];
        while let Some(next) = waiting.pop() {
            for dependency in direct.get(&next).into_iter().flatten() {
                if seen.insert(dependency.clone()) {
                    waiting.push(dependency.clone());
                }
            }
        }
        all.insert(name.clone(), seen);
    }
    all
}

#[test]
fn the_nouns_and_the_detection_know_no_format_and_no_host() {
    let dependencies = dependencies();
    for name in ["backchannel-events", "backchannel-detect"] {
        for never in [
            "serde_json",
            "wit-bindgen",
            "wasmtime",
            "evtx",
            "quick-xml",
            "backchannel-normalize",
            "backchannel-decode",
        ] {
            assert!(!dependencies[name].contains(never), "{name} must not depend on {never}: convert in an adapter");
        }
    }
}

#[test]
fn the_harness_knows_findings_only_through_the_component() {
    let dependencies = dependencies();
    for name in ["backchannel-host", "backchannel", "backchannel-cases"] {
        for never in ["backchannel-detect", "backchannel-engine", "backchannel-component"] {
            assert!(!dependencies[name].contains(never), "{name} must not link {never}: go through the component");
        }
    }
    assert!(!dependencies["backchannel-host"].contains("backchannel-embedded"), "the library carries no module");
}

/// The source files of the module, tests and comments taken out.
fn module_sources() -> Vec<(String, String)> {
    files(&root().join("module"), ".rs")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).expect("below the root").display().to_string();
            let text = read(&path);
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or("").to_owned();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (name, code.join("\n"))
        })
        .filter(|(name, _)| !name.ends_with("/testing.rs") && !name.ends_with("tests.rs") && !name.contains("/tests/"))
        .collect()
}

#[test]
fn the_module_touches_no_clock_no_file_no_network_no_randomness() {
    let never = [
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::env",
        "std::process",
        "std::thread",
        "time::SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "getrandom",
        "thread_rng",
        "println!",
        "eprintln!",
    ];
    for (name, code) in module_sources() {
        for word in never {
            assert!(!code.contains(word), "{name} uses {word}: a module is a function of its input");
        }
    }
}

#[test]
fn what_is_hashed_by_attackers_is_kept_in_order() {
    for (name, code) in module_sources() {
        for word in ["HashMap", "HashSet"] {
            assert!(!code.contains(word), "{name} uses {word}: use a BTreeMap, whose order is the same in every run");
        }
    }
}

#[test]
fn unsafe_code_stays_where_the_c_calling_convention_is() {
    for path in files(&root(), ".rs") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        // The shipper's side of the same convention, for tests: its engine is called in C. And the two functions of C
        // that the language itself calls.
        let calls = name.starts_with("module/fluent-bit/")
            || name.starts_with("module/memory/")
            || name == "tests/driver/wamr.rs"
            || name.starts_with("tests/typed-filter/");
        if calls || name == "tests/tidy.rs" {
            continue;
        }
        let text = read(&path);
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for line in code {
            let generated = name.starts_with("module/component/") && line.contains("unsafe_code");
            assert!(
                generated || !line.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|word| word == "unsafe"),
                "{name}: {line}: find a safe way, or a library that has one"
            );
        }
    }
}

#[test]
fn detection_denies_what_can_panic() {
    let lib = read(&root().join("module/detect/src/lib.rs"));
    for lint in ["clippy::unwrap_used", "clippy::expect_used", "clippy::panic", "clippy::indexing_slicing"] {
        assert!(lib.contains(lint), "module/detect must deny {lint}");
    }
}

/// The files of the analytics: those that have an `ANALYTIC`.
fn analytic_files() -> Vec<(String, String)> {
    files(&root().join("module/detect/src/analytics"), ".rs")
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "mod.rs"))
        .map(|path| (path.strip_prefix(root()).expect("below the root").display().to_string(), read(&path)))
        .filter(|(_, text)| text.contains("pub const ANALYTIC: Analytic"))
        .collect()
}

#[test]
fn an_analytic_holds_no_state_and_imports_no_other() {
    for (name, text) in analytic_files() {
        for never in ["static ", "thread_local", "RefCell", "Mutex", "crate::analytics", "use super::super"] {
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let code: Vec<&str> = code.lines().filter(|line| !line.starts_with("//")).collect();
            let code = code.join("\n").replace("&'static ", "");
            assert!(!code.contains(never), "{name} has `{never}`: state is the context's; share through predicates");
        }
    }
}

#[test]
fn every_analytic_s_header_has_its_five_headings_and_its_id() {
    let headings = ["## What it detects", "## Why it matters", "## Telemetry", "## False positives", "## References"];
    for (name, text) in analytic_files() {
        let at: Vec<usize> = headings
            .iter()
            .map(|heading| text.find(&format!("//! {heading}\n")).unwrap_or_else(|| panic!("{name} lacks `{heading}`")))
            .collect();
        assert!(at.is_sorted(), "{name}: the headings come in the order {headings:?}");
        let id = text.split("    id: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        assert!(text.starts_with(&format!("//! # {id}")), "{name} must begin with `//! # {id}: title`");
    }
}

#[test]
fn every_analytic_is_registered_and_lies_in_its_family_s_folder() {
    let files = analytic_files();
    for (name, text) in &files {
        let id = text.split("    id: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        let analytic = ANALYTICS.iter().find(|analytic| analytic.id == id);
        let analytic = analytic.unwrap_or_else(|| panic!("{name}: {id} is missing in the slice ANALYTICS"));
        let folder = Path::new(name).parent().and_then(|folder| folder.file_name()).expect("a folder");
        assert_eq!(folder.to_string_lossy(), analytic.family.as_str(), "{name} lies in the wrong folder");
    }
    assert_eq!(files.len(), ANALYTICS.len(), "a file for each analytic and an analytic for each file");
}

#[test]
fn adapters_contain_no_detection() {
    for (name, code) in module_sources() {
        let adapter = ["module/component/", "module/engine/", "module/fluent-bit/", "module/browser/"];
        if adapter.iter().any(|adapter| name.starts_with(adapter)) {
            for never in [".exe", "IPC-", "S-1-5-", "\\\\pipe"] {
                assert!(!code.contains(never), "{name} contains `{never}`: detection belongs into module/detect");
            }
        }
    }
}

#[test]
fn the_page_never_makes_markup_out_of_text_and_asks_for_nothing() {
    for path in files(&root().join("module/browser/page/src"), ".js") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let text = read(&path);
        for never in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "createContextualFragment",
            "srcdoc",
            "eval(",
            "new Function",
            "fetch(",
            "XMLHttpRequest",
            "WebSocket",
            "importScripts",
            "sendBeacon",
            "localStorage",
            "sessionStorage",
            "document.cookie",
            "setHTMLUnsafe",
        ] {
            assert!(
                !text.contains(never),
                "{name} has `{never}`: what a log says is text, and nothing leaves the page"
            );
        }
    }
}

#[test]
fn a_released_contract_is_never_edited() {
    let released = root().join("wit/released");
    for sums in files(&released, "SHA256SUMS") {
        let folder = sums.parent().expect("a folder");
        let status = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(folder).status();
        assert!(status.is_ok_and(|status| status.success()), "{}: make a new version instead", folder.display());
    }
}

#[test]
fn a_file_s_first_line_says_what_it_owns_and_no_file_is_endless() {
    for path in files(&root(), ".rs") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let text = read(&path);
        assert!(
            text.starts_with("//!") || text.starts_with("#!["),
            "{name} must begin with `//!` and say what it owns"
        );
        let lines = text.lines().count();
        assert!(lines <= 800, "{name} has {lines} lines: it owns more than one thing");
    }
}
