//! Checks of the source tree. Each test checks one of the invariants of ARCHITECTURE.md; its message says how to fix a
//! violation.

#[path = "tidy/analytics.rs"]
mod analytics;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use backchannel_tests::{files, read, root};

/// The platform that the compiler builds for.
fn platform() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("rustc writes UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc prints its host").to_owned()
}

/// All dependencies of each crate, transitive ones included, development dependencies excluded.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        // Only crates for this machine: those of other platforms may never have been downloaded.
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform()])
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
fn events_and_detection_depend_on_no_format_and_no_host() {
    let dependencies = dependencies();
    for name in ["backchannel-events", "backchannel-detect", "backchannel-correlate"] {
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
fn the_harness_does_not_link_detection() {
    let dependencies = dependencies();
    for name in ["backchannel-host", "backchannel", "backchannel-cases"] {
        for never in ["backchannel-detect", "backchannel-correlate", "backchannel-engine", "backchannel-component"] {
            assert!(!dependencies[name].contains(never), "{name} must not link {never}: go through the component");
        }
    }
    assert!(!dependencies["backchannel-host"].contains("backchannel-embedded"), "the library must not embed a module");
}

/// The source files of the module, without tests and comments.
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
        .filter(|(name, _)| !name.contains("/testing/") && !name.ends_with("tests.rs") && !name.contains("/tests/"))
        .collect()
}

#[test]
fn the_module_uses_no_clock_no_file_no_network_no_randomness() {
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
            assert!(!code.contains(word), "{name} uses {word}: the module's output must depend only on its input");
        }
    }
}

#[test]
fn ordered_maps_are_used_for_keys_from_logs() {
    for (name, code) in module_sources() {
        for word in ["HashMap", "HashSet"] {
            assert!(!code.contains(word), "{name} uses {word}: use a BTreeMap, whose order is the same in every run");
        }
    }
}

#[test]
fn unsafe_code_is_only_in_the_listed_files() {
    for path in files(&root(), ".rs") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        // The caller's side of the C calling convention, for tests of the shipper's engine; the two C functions that
        // compiled code calls; and loading the machine code that was compiled at build time.
        let calls = name.starts_with("module/fluent-bit/")
            || name.starts_with("module/memory/")
            || name == "host-harness/embedded/src/lib.rs"
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
fn detection_denies_lints_that_allow_panics() {
    for folder in ["module/detect", "module/correlate"] {
        let lib = read(&root().join(folder).join("src/lib.rs"));
        for lint in [
            "clippy::unwrap_used",
            "clippy::expect_used",
            "clippy::panic",
            "clippy::indexing_slicing",
            "clippy::unreachable",
        ] {
            assert!(lib.contains(lint), "{folder} must deny {lint}");
        }
    }
}

/// Layers of a crate, the lowest first: a file may import from its own layer and from those before it. Files in one
/// entry share a layer.
const LAYERS: &[(&str, &[&[&str]])] = &[
    (
        "module/detect",
        &[
            &["text"],
            &["memory"],
            &["actor"],
            &["vocabulary"],
            &["predicates"],
            &["baseline"],
            &["tunables"],
            &["context"],
            &["remember"],
            &["evidence"],
            &["analytic"],
            &["analytics"],
            &["verdict"],
            &["stats"],
            &["detector"],
            &["learner"],
        ],
    ),
    (
        "module/correlate",
        &[
            &["identity", "roles"],
            &["movements"],
            &["patterns", "scene"],
            &["groups", "answers", "level2", "timeline"],
            &["containment"],
            &["compose"],
            &["correlator"],
        ],
    ),
];

/// The code of a source file with comment lines and the tests at its end replaced by empty lines, so that line numbers
/// stay the same.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    let lines: Vec<&str> =
        text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect();
    lines.join("\n")
}

/// The first segments of the paths that start at `rest`: one, or several for a list in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*')).collect()
    };
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut names, mut begin) = (0, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => begin = true,
            c if begin && !c.is_whitespace() => {
                names.push(name(&list[at..]));
                begin = false;
            }
            _ => {}
        }
    }
    names
}

/// The modules or items at the root of a crate that a file's code uses, each with its line: after `crate::`, or after
/// enough `super::` to reach the root.
fn names_at_the_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let up = "super::".repeat(depth);
    let mut names = Vec::new();
    for prefix in ["crate::", &up] {
        for (at, _) in code.match_indices(prefix) {
            let before = &code[..at];
            let inside = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':'));
            if !inside {
                let line = before.matches('\n').count() + 1;
                names.extend(first_names(&code[at + prefix.len()..]).into_iter().map(|name| (line, name)));
            }
        }
    }
    names
}

/// The module of each item that a crate's root re-exports: `pub use actor::Actor` gives `Actor` and `actor`.
fn offered_at_the_root(lib: &str) -> BTreeMap<String, String> {
    let mut offered = BTreeMap::new();
    for statement in code_of(lib).split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap_or("");
        let (module, items) = statement.split_once("::").expect("a path");
        for item in items.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|item| !item.is_empty()) {
            offered.insert(item.to_owned(), module.to_owned());
        }
    }
    offered
}

#[test]
fn imports_follow_the_layers() {
    let mut wrong = Vec::new();
    for (krate, layers) in LAYERS {
        let source = root().join(krate).join("src");
        let layer_of = |module: &str| layers.iter().position(|layer| layer.contains(&module));
        let offered = offered_at_the_root(&read(&source.join("lib.rs")));
        let mut seen = BTreeSet::new();
        for path in files(&source, ".rs") {
            let inside = path.strip_prefix(&source).expect("below the source").to_owned();
            let parts: Vec<String> =
                inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let module = parts[0].as_str();
            // The root only re-exports; tests may use every layer.
            if matches!(module, "lib" | "testing") || module.ends_with("tests") {
                continue;
            }
            let name = format!("{krate}/src/{}", inside.display());
            let Some(layer) = layer_of(module) else {
                wrong.push(format!("{name} is in no layer: add `{module}` to LAYERS in tests/tidy.rs"));
                continue;
            };
            seen.insert(module.to_owned());
            // `mod.rs` is the module of its folder.
            let depth = parts.len() - usize::from(parts.last().is_some_and(|last| last == "mod"));
            for (line, item) in names_at_the_root(&code_of(&read(&path)), depth) {
                let target = offered.get(&item).unwrap_or(&item);
                match layer_of(target) {
                    Some(below) if below <= layer => {}
                    Some(_) => wrong.push(format!(
                        "{name}:{line} imports `{item}` of the layer `{target}`, which is above `{module}`: move what \
                         both need to a layer below, or this code to one above"
                    )),
                    None => wrong.push(format!(
                        "{name}:{line} imports `{item}`, which is in no layer: import it from the module that defines it"
                    )),
                }
            }
        }
        for module in layers.iter().copied().flatten() {
            assert!(seen.contains(*module), "{krate} has no `{module}`: remove it from LAYERS");
        }
    }
    assert!(wrong.is_empty(), "imports must go to the same or a lower layer of LAYERS:\n{}", wrong.join("\n"));
}

#[test]
fn adapters_contain_no_detection() {
    for (name, code) in module_sources() {
        let adapter = [
            "module/component/",
            "module/engine/",
            "module/fluent-bit/",
            "module/browser/",
            "module/source/",
            "module/report/",
        ];
        if adapter.iter().any(|adapter| name.starts_with(adapter)) {
            for never in [".exe", "IPC-", "S-1-5-", "\\\\pipe"] {
                assert!(!code.contains(never), "{name} contains `{never}`: detection belongs into module/detect");
            }
        }
    }
}

#[test]
fn the_page_creates_no_markup_from_text_and_sends_no_request() {
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
        assert!(
            status.is_ok_and(|status| status.success()),
            "{}: a released contract must not change; add a new version instead",
            folder.display()
        );
    }
}

#[test]
fn every_file_begins_with_a_description_and_is_not_too_long() {
    for path in files(&root(), ".rs") {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let text = read(&path);
        assert!(text.starts_with("//!") || text.starts_with("#!["), "{name} must begin with `//!` and a description");
        let lines = text.lines().count();
        assert!(lines <= 800, "{name} has {lines} lines: split it");
    }
}
