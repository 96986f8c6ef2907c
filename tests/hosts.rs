//! Tests of the example hosts: each loads the exported module and gives the same incidents for the sample as a replay,
//! byte for byte.
//!
//! Packages for Node and Python are installed into a temporary folder. If one of the languages is missing, or its
//! packages cannot be installed, its test is skipped with a message.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The log, relative to the root, because its path is part of the evidence.
const LOG: &str = "examples/logs/ws02.winlogbeat.jsonl";
/// Suppresses one of its findings.
const SETTINGS: &str =
    r#"{"allow":[{"name":"n","reason":"r","owner":"o","analytics":["IPC-DCOM-023"],"hosts":["ws02"]}]}"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn program(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_backchannel")).args(arguments).current_dir(root()).output();
    text(&output.expect("the program runs"))
}

/// The output of a command, which must have succeeded.
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The incidents of a replay of the log, one per line.
fn replayed(more: &[&str]) -> String {
    let out = program(&[&["replay", LOG, "--format", "jsonl", "--fail-on", "never"], more].concat());
    let lines = out.lines().filter(|line| line.starts_with("{\"type\":\"incident\""));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A folder with the files that all hosts need: the module, one with settings baked in, and the settings.
struct Files {
    _folder: tempfile::TempDir,
    plain: String,
    baked: String,
    settings: String,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (plain, baked, settings) = (path("plain.wasm"), path("baked.wasm"), path("settings.json"));
        fs::write(&settings, SETTINGS).expect("the settings are written");
        program(&["module", "export", "-o", &plain]);
        program(&["bake", "--config", &settings, "-o", &baked]);
        Files { _folder: folder, plain, baked, settings }
    })
}

/// Checks the output of a host in three runs: without settings, with settings, and with settings baked in.
fn check(host: &str, run: impl Fn(&str, Option<&str>) -> String) {
    let Files { plain, baked, settings, .. } = files();
    let (without, with) = (replayed(&[]), replayed(&["--config", settings]));
    assert!(without.lines().count() == 2 && with != without, "the sample and the settings must make a difference");
    assert_eq!(run(plain, None), without, "{host}");
    assert_eq!(run(plain, Some(settings)), with, "{host}: settings");
    assert_eq!(run(baked, None), with, "{host}: baked");
}

/// Runs a command whose failure means that something is not to be had here.
fn prepared(host: &str, command: &mut Command) -> bool {
    let why = match command.output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("SKIPPED: the example for {host}: {command:?}: {why}");
    false
}

#[test]
fn rust_finds_what_a_replay_finds() {
    // Built in the program's target folder, so that shared dependencies are compiled once.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["build", "--quiet", "--locked", "--example", "evaluate"]);
    cargo.args(["-p", "backchannel-host", "-p", "backchannel"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    text(&cargo.output().expect("cargo runs"));
    let folder = Path::new(env!("CARGO_BIN_EXE_backchannel")).parent().expect("a folder").join("examples");
    let example = folder.join(format!("evaluate{}", std::env::consts::EXE_SUFFIX));
    check("Rust", |module, settings| {
        let mut command = Command::new(&example);
        text(&command.current_dir(root()).args([module, LOG]).args(settings).output().expect("the example runs"))
    });
}

#[test]
fn node_finds_what_a_replay_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["package.json", "evaluate.mjs", "detect.mjs"] {
        fs::copy(root().join("examples/hosts/node").join(name), folder.path().join(name)).expect("a file");
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = Command::new(npm);
    install.current_dir(folder.path()).args(["install", "--no-audit", "--no-fund"]);
    if !prepared("Node", Command::new("node").arg("--version")) || !prepared("Node", &mut install) {
        return;
    }
    let last = std::cell::RefCell::new(String::new());
    check("Node", |module, settings| {
        if *last.borrow() != module {
            fs::copy(module, folder.path().join("backchannel.wasm")).expect("a file");
            text(&Command::new(npm).current_dir(folder.path()).args(["run", "module"]).output().expect("npm runs"));
            module.clone_into(&mut last.borrow_mut());
        }
        let script = folder.path().join("evaluate.mjs");
        text(&Command::new("node").current_dir(root()).arg(script).arg(LOG).args(settings).output().expect("node runs"))
    });
    // A failure of the module is one of the program, with a reason.
    let script = folder.path().join("evaluate.mjs");
    let mut small = Command::new("node");
    small.current_dir(root()).arg("--wasm-max-mem-pages=8").arg(script).arg(LOG);
    let output = small.output().expect("node runs");
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn python_finds_what_a_replay_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = if cfg!(windows) { "python" } else { "python3" };
    let inside = folder.path().join(if cfg!(windows) { "Scripts" } else { "bin" }).join("python");
    let mut install = Command::new(&inside);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    install.arg(root().join("examples/hosts/python/requirements.txt"));
    if !prepared("Python", Command::new(python).args(["-m", "venv"]).arg(folder.path()))
        || !prepared("Python", &mut install)
    {
        return;
    }
    let script = root().join("examples/hosts/python/evaluate.py");
    check("Python", |module, settings| {
        let mut command = Command::new(&inside);
        command.current_dir(root()).arg(&script).args([module, LOG]).args(settings);
        text(&command.output().expect("python runs"))
    });
    // Invalid settings are reported.
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, r#"{"typo":1}"#).expect("a file");
    let output = Command::new(&inside).current_dir(root()).arg(&script).args([&files().plain, LOG]).arg(wrong).output();
    let output = output.expect("python runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("/typo: expected"), "{errors}");
}
