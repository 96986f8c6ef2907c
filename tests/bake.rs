//! `backchannel bake`: a baked module gives the same results as its settings and baseline, and records their hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Suppresses one finding of the sample, and names an administrator's machine.
const SITE: &str = "\
admin_hosts = ['ws02']

[[allow]]
name = 'mmc from the help desk'
reason = 'change 4711'
owner = 'it'
analytics = ['IPC-DCOM-023']
hosts = ['ws02']
";
/// `sha256sum` of it.
const SITE_SHA256: &str = "2879815444ac5aa044cb1a3ef6abb5968ad4c61abb6e89cfadc8118e88f7b8d4";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("the file is written");
        self.path(name)
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_backchannel")).args(arguments).output().expect("the program runs");
    Ran {
        code: output.status.code().expect("it exits normally"),
        out: String::from_utf8(output.stdout).expect("its output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("its output is UTF-8"),
    }
}

fn works(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.out
}

fn sample() -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/logs");
    path.display().to_string()
}

/// Every line of a replay of the sample.
fn replay(more: &[&str]) -> String {
    works(&[&["replay", &sample(), "--format", "jsonl", "--fail-on", "never"], more].concat())
}

fn summary(out: &str) -> Value {
    serde_json::from_str(out.lines().last().expect("a summary")).expect("JSON")
}

fn baseline(folder: &Folder) -> String {
    let path = folder.path("fleet.baseline");
    works(&["learn", &sample(), "-o", &path]);
    path
}

#[test]
fn a_baked_module_gives_the_results_of_its_settings_and_baseline() {
    let folder = Folder::new();
    let (site, baseline) = (folder.file("site.toml", SITE), baseline(&folder));
    let module = folder.path("site.wasm");
    works(&["bake", "--config", &site, "--baseline", &baseline, "--target", "component", "-o", &module]);

    let baked = replay(&["--module", &module]);
    assert_eq!(baked, replay(&["--config", &site, "--baseline", &baseline]));
    assert_eq!(summary(&baked)["records"]["suppressed"], 1);
    assert_ne!(baked, replay(&[]), "they make a difference");
    // With the baked baseline no analytic is inactive for lack of one.
    assert!(replay(&[]).contains("no baseline was given") && !baked.contains("no baseline was given"));
    // Raw records too.
    let carrier = ["--carrier", "records"];
    let records = replay(&[&["--module", &module], &carrier[..]].concat());
    assert_eq!(records, replay(&[&["--config", &site, "--baseline", &baseline], &carrier[..]].concat()));
}

#[test]
fn settings_and_baseline_of_the_host_replace_those_baked_in() {
    let folder = Folder::new();
    let (site, baseline) = (folder.file("site.toml", SITE), baseline(&folder));
    let other = folder.file("other.toml", "admin_hosts = ['ws01']\n");
    let module = folder.path("site.wasm");
    works(&["bake", "--config", &site, "--baseline", &baseline, "-o", &module]);
    let given = replay(&["--module", &module, "--config", &other]);
    assert_eq!(given, replay(&["--config", &other, "--baseline", &baseline]));
    assert_ne!(given, replay(&["--module", &module]));
    // Settings alone can be baked, and a baseline given to them.
    works(&["bake", "--config", &site, "-o", &module]);
    let both = replay(&["--config", &site, "--baseline", &baseline]);
    assert_eq!(replay(&["--module", &module, "--baseline", &baseline]), both);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let folder = Folder::new();
    let (site, baseline) = (folder.file("site.toml", SITE), baseline(&folder));
    for target in ["component", "fluent-bit"] {
        let bake = |name: &str, site: &str| {
            let module = folder.path(name);
            works(&["bake", "--config", site, "--baseline", &baseline, "--target", target, "-o", &module]);
            fs::read(module).expect("a module")
        };
        let first = bake("first.wasm", &site);
        assert!(first == bake("second.wasm", &folder.file("copy.toml", SITE)), "{target}");
        let other = folder.file("other.toml", &SITE.replace("4711", "4712"));
        assert!(first != bake("third.wasm", &other), "{target}");
    }
}

#[test]
fn invalid_settings_are_reported_with_their_position_and_nothing_is_written() {
    let folder = Folder::new();
    let module = folder.path("site.wasm");
    for (name, text, places) in [
        ("typo.toml", "admin_hosts = ['a']\nadmin_host = 1\n[analytics.IPC-NONE-001]\nenabled = false\n", ["2:", "3:"]),
        ("broken.toml", "admin_hosts = ['a']\nb = = 2\n", ["2:", "2:"]),
        ("broken.json", "{\n  \"admin_hosts\": [1]\n}\n", ["2:19", "2:"]),
    ] {
        let site = folder.file(name, text);
        for target in ["component", "fluent-bit"] {
            let ran = run(&["bake", "--config", &site, "--target", target, "-o", &module]);
            assert_eq!(ran.code, 2, "{name}");
            for place in places {
                assert!(ran.err.contains(&format!("{name}:{place}")), "{name}: {}", ran.err);
            }
            assert!(!Path::new(&module).exists(), "{name}");
        }
    }
    let invalid = folder.file("invalid.baseline", "not a baseline");
    let ran = run(&["bake", "--baseline", &invalid, "-o", &module]);
    assert!(ran.code == 2 && ran.err.contains("invalid.baseline: the baseline cannot be used"), "{}", ran.err);
    assert!(!Path::new(&module).exists());
    let ran = run(&["bake", "-o", &module]);
    assert!(ran.code == 2 && ran.err.contains("--config"), "{}", ran.err);
}

#[test]
fn inspect_shows_what_is_baked_in() {
    let folder = Folder::new();
    let (site, module) = (folder.file("site.toml", SITE), folder.path("site.wasm"));
    let inspect =
        || -> Value { serde_json::from_str(&works(&["module", "inspect", &module, "--json"])).expect("JSON") };
    for target in ["component", "fluent-bit"] {
        works(&["module", "export", "--target", target, "-o", &module]);
        let plain = inspect();
        assert_eq!(plain["version"], env!("CARGO_PKG_VERSION"), "{target}");
        assert!(plain["baked"]["settings"].is_null() && plain["baked"]["baseline"].is_null(), "{target}");
        assert_eq!(plain["imports"].as_array().map(Vec::len), Some(0), "{target}");
        works(&["bake", "--config", &site, "--target", target, "-o", &module]);
        let baked = inspect();
        assert_eq!(baked["baked"]["settings"]["sha256"], SITE_SHA256, "{target}");
        assert_eq!(baked["baked"]["settings"]["bytes"], SITE.len(), "{target}");
        assert!(baked["baked"]["baseline"].is_null(), "{target}");
        for same in ["imports", "version", "contract", "analytics", "signatures"] {
            assert_eq!(baked[same], plain[same], "{target}: {same}");
        }
        // A filter is opened while it is baked and cannot be opened again.
        let exports = |of: &Value| of["exports"].as_array().expect("a list").clone();
        let gone: Vec<Value> = exports(&plain).into_iter().filter(|name| !exports(&baked).contains(name)).collect();
        assert_eq!(gone, if target == "fluent-bit" { vec![Value::from("backchannel_open")] } else { vec![] });
        let text = works(&["module", "inspect", &module]);
        assert!(text.contains(&format!("baked     settings, {} bytes, sha256 {SITE_SHA256}", SITE.len())), "{text}");
        assert!(text.contains("signed    no"), "{text}");
    }
}
