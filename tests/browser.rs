//! The page and the reports in a real browser: headless Chromium, driven by `tests/browser/run.mjs`.
//!
//! The test builds the page, adds files to it and compares the result with `backchannel replay`. It is skipped with a
//! message if node, npm or Chromium is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root").to_owned()
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

fn runs(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// The Chromium program: from `CHROMIUM`, or found in the path.
fn chromium() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let known = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let name = named.into_iter().chain(known).find(|name| runs(name))?;
    if name.contains('/') {
        return Some(name);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .map(|file| file.display().to_string())
}

/// Runs a command and returns its output; `Err` if it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// Runs `backchannel-page`, which is built with the other tests of the workspace.
fn page(flags: &[&str]) -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let fixed = ["run", "--quiet", "--release", "--package", "backchannel-page", "--"];
    run(Command::new(cargo).current_dir(root()).args(fixed).args(flags))
}

/// A folder with playwright-core, or the reason why there is none.
fn driver() -> Result<PathBuf, String> {
    let folder = target().join("page-test");
    if !folder.join("node_modules/playwright-core").is_dir() {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(root().join("tests/browser").join(name), folder.join(name)).map_err(|error| error.to_string())?;
        }
        run(Command::new("npm").current_dir(&folder).args(["ci", "--no-audit", "--no-fund"]))?;
    }
    Ok(folder)
}

fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn backchannel(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_backchannel"));
    program.current_dir(folder).args(arguments).output().expect("the program runs").stdout
}

/// Files to add to the page, and the documents of the harness for them.
fn look(folder: &Path, name: &str, files: &[&str], hostile: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["replay", "--format", "jsonl"];
    arguments.extend(files);
    let expected = folder.join(format!("{name}.expected"));
    fs::write(&expected, backchannel(folder, &arguments)).expect("what is expected is written");
    let mut arguments = vec!["replay", "--format", "ocsf"];
    arguments.extend(files);
    let ocsf = folder.join(format!("{name}.ocsf"));
    fs::write(&ocsf, backchannel(folder, &arguments)).expect("what is expected is written");
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
    let mut look = serde_json::json!({ "name": name, "files": paths, "expected": expected, "ocsf": ocsf });
    if !hostile.is_empty() {
        look["hostile"] = hostile.into();
    }
    look
}

/// Strings that an attacker can place in a log.
const MARKUP: &str = r#"<img src=x onerror="globalThis.hacked=1"><b class=hostile>"#;
const CLOSING: &str = "</script></code><script>globalThis.hacked=2</script><!--";

/// The sample with markup in the command lines of the attack.
fn hostile_log() -> Vec<u8> {
    let log = fs::read_to_string(root().join("examples/logs/ws02.winlogbeat.jsonl")).expect("the sample is there");
    let lines = log.lines().map(|line| {
        let mut record: serde_json::Value = serde_json::from_str(line).expect("the sample is JSON");
        spoil(&mut record);
        format!("{record}\n")
    });
    lines.collect::<String>().into_bytes()
}

fn spoil(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match value {
                    serde_json::Value::String(text) if name == "CommandLine" || name == "ScriptBlockText" => {
                        *text = format!("{text} {MARKUP} {CLOSING}");
                    }
                    other => spoil(other),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(spoil),
        _ => {}
    }
}

fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory takes it");
        std::io::Write::write_all(&mut archive, bytes).expect("memory takes it");
    }
    archive.finish().expect("memory takes it").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, bytes).expect("memory takes it");
    writer.finish().expect("memory takes it")
}

#[test]
fn the_viewer_of_reports_is_up_to_date() {
    if !runs("node") || !runs("npm") {
        return skipped("node and npm build the viewer; they are not here");
    }
    match page(&["--check"]) {
        Ok(_) => {}
        Err(text) if text.contains("is not up to date") => panic!("{text}"),
        Err(text) => skipped(&format!("the viewer cannot be built here: {text}")),
    }
}

#[test]
fn the_page_and_reports_in_a_real_browser() {
    let Some(browser) = chromium() else { return skipped("there is no Chromium (CHROMIUM names one)") };
    if !runs("node") || !runs("npm") {
        return skipped("node and npm drive the browser; they are not here");
    }
    let modules = match driver() {
        Ok(modules) => modules,
        Err(text) => return skipped(&format!("playwright-core cannot be installed here: {text}")),
    };
    if let Err(text) = page(&["--page"]) {
        if text.contains("npm ci") {
            return skipped(&format!("the page cannot be built here: {text}"));
        }
        panic!("the page is not built: {text}");
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    let names = ["web01.audit.log", "ws01.evtx", "ws02.winlogbeat.jsonl"];
    let logs =
        names.map(|name| (name, fs::read(root().join("examples/logs").join(name)).expect("the sample is there")));
    for (name, bytes) in &logs {
        fs::write(folder.join(name), bytes).expect("the file is written");
    }
    fs::write(folder.join("logs.zip"), zip(&logs)).expect("the file is written");
    fs::write(folder.join("ws01.evtx.gz"), gzip(&logs[1].1)).expect("the file is written");
    fs::write(folder.join("hostile.jsonl"), hostile_log()).expect("the file is written");
    // The sample's event log, repeated: a header, then chunks.
    let (header, chunks) = logs[1].1.split_at(4_096);
    let mut large = header.to_vec();
    while large.len() < 24 << 20 {
        large.extend_from_slice(chunks);
    }
    fs::write(folder.join("large.evtx"), large).expect("the file is written");
    backchannel(folder, &["report", "--html", "-o", "report.html", names[0], names[1], names[2]]);

    let shots = target().join("page-test/shots");
    fs::create_dir_all(&shots).expect("a folder for screenshots");
    let plan = serde_json::json!({
        "modules": modules,
        "browser": browser,
        "page": target().join("page/backchannel.html"),
        "shots": shots,
        "looks": [
            look(folder, "sample", &names, &[]),
            look(folder, "evtx", &["ws01.evtx"], &[]),
            look(folder, "zip", &["logs.zip"], &[]),
            look(folder, "gzip", &["ws01.evtx.gz"], &[]),
            look(folder, "hostile", &["hostile.jsonl"], &[MARKUP, CLOSING]),
        ],
        "report": folder.join("report.html"),
        "large": std::env::var("BACKCHANNEL_LARGE_LOG").unwrap_or_else(|_| folder.join("large.evtx").display().to_string()),
    });
    let written = folder.join("plan.json");
    fs::write(&written, plan.to_string()).expect("the plan is written");
    match run(Command::new("node").arg(root().join("tests/browser/run.mjs")).arg(&written)) {
        Ok(text) => println!("{text}"),
        Err(text) => panic!("{text}"),
    }
}
