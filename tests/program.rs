//! End-to-end tests of the program: its output, standard error and exit status.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

#[path = "driver/archives.rs"]
#[allow(missing_docs)]
mod archives;
#[path = "driver/hostile.rs"]
#[allow(missing_docs)]
mod hostile;

use archives::{gzip, tar, zip, zstd};
use hostile::{Change, Does};

/// The result of a run.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel"));
    command.env_remove("NO_COLOR").env_remove("COLUMNS");
    command
}

fn run_with(stdin: &[u8], arguments: &[&str]) -> Ran {
    let mut child = program()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let stdin = stdin.to_vec();
    // The program may exit before reading all of it.
    let writer = std::thread::spawn(move || input.write_all(&stdin).is_ok());
    let output = child.wait_with_output().expect("the program ends");
    let _ = writer.join();
    Ran {
        code: output.status.code().expect("it exits normally"),
        out: String::from_utf8(output.stdout).expect("its output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("its output is UTF-8"),
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(b"", arguments)
}

/// The logs of the cases, by the names of their files and cases.
fn logs() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let suites = backchannel_cases::read_folder(&folder).expect("the cases can be read");
    let of = |suite: &backchannel_cases::Suite| -> Vec<(String, Vec<u8>)> {
        let named =
            |case: &backchannel_cases::Case| (format!("{}.{}", suite.stem(), case.slug()), case.logs[0].bytes.clone());
        suite.cases.iter().map(named).collect()
    };
    suites.iter().flat_map(of).collect()
}

fn case(name: &str) -> Vec<u8> {
    logs().into_iter().find(|(known, _)| known == name).expect("the case is there").1
}

/// The logs of the cases in one folder.
fn large_folder() -> Folder {
    let folder = Folder::new();
    for (name, bytes) in logs() {
        folder.file(&name, &bytes);
    }
    folder
}

/// A log with a finding of high severity, on the host ws01.
fn firing() -> Vec<u8> {
    case("remote_activation.mmc-is-activated-under-a-network-logon")
}

/// A log without a finding.
fn quiet() -> Vec<u8> {
    case("mmc20.the-user-opens-the-management-console")
}

/// A temporary folder, removed after the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("the file is written");
        path.display().to_string()
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }
}

/// The documents of a run, by type.
fn documents(out: &str, of: &str) -> Vec<Value> {
    let all = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    all.filter(|document| document["type"] == of).collect()
}

fn alarms(out: &str) -> Vec<String> {
    let findings = documents(out, "finding");
    let mut ids: Vec<String> = findings.iter().map(|finding| finding["id"].as_str().expect("an id").into()).collect();
    ids.sort();
    ids
}

#[test]
fn the_exit_status_depends_on_the_findings() {
    let folder = Folder::new();
    let (fires, quiet) = (folder.file("fires.log", &firing()), folder.file("quiet.log", &quiet()));
    let code = |arguments: &[&str]| run(&[&["replay"], arguments].concat()).code;
    assert_eq!(code(&[&quiet]), 0);
    assert_eq!(code(&[&fires]), 1);
    assert_eq!(code(&[&quiet, &fires]), 1);
    assert_eq!(code(&[&fires, "--fail-on", "high"]), 1);
    assert_eq!(code(&[&fires, "--fail-on", "critical"]), 0);
    assert_eq!(code(&[&fires, "--fail-on", "never"]), 0);
    // Options that limit the output do not change the exit status.
    let hidden = run(&["replay", &fires, "--min-severity", "critical", "--format", "jsonl"]);
    assert_eq!((hidden.code, documents(&hidden.out, "finding").len()), (1, 0));
    assert_eq!(code(&[&fires, "--fail-on", "dreadful"]), 2);
    assert_eq!(code(&[]), 2);
}

#[test]
fn a_skipped_record_is_reported_and_fails_a_strict_run() {
    let folder = Folder::new();
    let log = [quiet(), b"{\"EventID\": oops\n".to_vec(), quiet()].concat();
    let line = quiet().iter().filter(|byte| **byte == b'\n').count() + 1;
    let path = folder.file("a.log", &log);
    let ran = run(&["replay", &path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let entry = ran.err.lines().find(|entry| entry.contains(&format!("{path}:{line}: "))).expect("it is listed");
    assert!(entry.split(": ").nth(1).is_some_and(|reason| reason.len() > 5), "{entry}");
    assert!(ran.err.contains("skipped 1"), "{}", ran.err);
    let strict = run(&["replay", &path, "--strict"]);
    assert_eq!(strict.code, 2);
    assert!(strict.err.contains("--strict"), "{}", strict.err);
    assert_eq!(run(&["replay", &folder.file("b.log", &quiet()), "--strict"]).code, 0);
    let lines = run(&["replay", &path, "--format", "jsonl"]);
    let summary = &documents(&lines.out, "summary")[0];
    assert_eq!(summary["records"]["skipped"], 1);
    assert_eq!(summary["skipped"][0]["count"], 1);
}

#[test]
fn a_run_without_readable_input_fails() {
    let folder = Folder::new();
    let picture = folder.file("a.png", &[0x89, b'P', b'N', b'G', 0, 1, 2, 3]);
    let empty = folder.file("empty.log", b"");
    fs::create_dir(folder.0.path().join("folder")).expect("a folder");
    let (nothing, missing) = (format!("{}/folder", folder.path()), format!("{}/missing", folder.path()));
    for path in [&picture, &empty, &nothing, &missing, &"-".to_owned()] {
        let ran = run(&["replay", path]);
        assert_eq!(ran.code, 2, "{path}: {}", ran.out);
        assert!(ran.err.contains("nothing was readable"), "{path}: {}", ran.err);
    }
    let ran = run(&["replay", &picture, &missing]);
    assert!(ran.err.contains(&picture) && ran.err.contains(&missing), "{}", ran.err);
}

#[test]
fn an_error_in_the_settings_is_reported_with_line_and_column() {
    let folder = Folder::new();
    let log = folder.file("a.log", &firing());
    let good = folder.file(
        "good.toml",
        b"[[allow]]\nname = \"drill\"\nreason = \"an exercise\"\nowner = \"blue\"\nhosts = [\"ws01\"]\n",
    );
    let allowed = run(&["replay", &log, "--config", &good, "--format", "jsonl"]);
    assert_eq!(allowed.code, 0, "{}", allowed.err);
    let findings = documents(&allowed.out, "finding");
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding["suppressed"]["rule"] == "drill"));
    assert_eq!(run(&["settings", "check", &good]).code, 0);
    for (name, text, place) in [
        ("a.toml", "hash_key = 7\nadmin_hosts = [\"a\", 7]\n", ":2:21"),
        ("b.toml", "\n[analytics.IPC-DCOM-006]\nseverity = \"dreadful\"\n", ":3:12"),
        ("c.toml", "allow = [\n", ":1:10"),
        ("d.json", "{\n  \"admin_hosts\": 7\n}\n", ":2:18"),
        ("e.json", "{\n  \"admin_hosts\": ]\n}\n", ":2:18"),
    ] {
        let path = folder.file(name, text.as_bytes());
        for arguments in [&["settings", "check", &path][..], &["replay", &log, "--config", &path]] {
            let ran = run(arguments);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}: {}", ran.err);
            assert!(ran.err.contains(&format!("{path}{place}")), "{name}: {place} is not in {}", ran.err);
        }
    }
    let missing = format!("{}/missing.toml", folder.path());
    let ran = run(&["replay", &log, "--config", &missing]);
    assert!(ran.code == 2 && ran.err.contains(&missing), "{}", ran.err);
}

#[test]
fn an_invalid_baseline_is_rejected_with_its_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.baseline");
    fs::write(&path, "no baseline").unwrap();
    let file = path.to_str().unwrap();
    let report = folder.path().join("report.html");
    for arguments in [
        vec!["replay", "-", "--baseline", file],
        vec!["report", "--html", "-o", report.to_str().unwrap(), "-", "--baseline", file],
    ] {
        let ran = run_with(&firing(), &arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("fleet.baseline: the baseline cannot be used"), "{}", ran.err);
    }
}

#[test]
fn an_invalid_module_is_rejected() {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    // A function type, and an import `f` of that type.
    let imports = [EMPTY, b"\x07\x05\x01\x40\x00\x01\x00", b"\x0a\x06\x01\x00\x01f\x01\x00"].concat();
    let folder = Folder::new();
    let log = folder.file("a.log", &firing());
    for (name, bytes, why) in [
        ("random.wasm", &b"text"[..], "not a WebAssembly component"),
        ("core.wasm", b"\0asm\x01\0\0\0", "core WebAssembly module"),
        ("empty.wasm", EMPTY, "exports nothing"),
        ("imports.wasm", &imports, "it imports f"),
        ("cut.wasm", &backchannel_embedded::component()[..9000], "damaged"),
    ] {
        let module = folder.file(name, bytes);
        let ran = run(&["replay", &log, "--module", &module]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}");
        assert!(ran.err.contains(why) && ran.err.contains(name), "{name}: {}", ran.err);
        assert_eq!(run(&["module", "inspect", &module]).code, 2, "{name}");
    }
    let shipped = folder.file("shipped.wasm", backchannel_embedded::component());
    let inspected = run(&["module", "inspect", &shipped]);
    assert!(inspected.code == 0 && inspected.out.contains("imports   nothing"), "{}", inspected.out);
    assert_eq!(run(&["replay", &log, "--module", &shipped]).code, 1);
}

#[test]
fn the_embedded_modules_are_exported() {
    let folder = Folder::new();
    for (target, module) in
        [("component", backchannel_embedded::component()), ("fluent-bit", backchannel_embedded::fluent_bit())]
    {
        let file = format!("{}/{target}.wasm", folder.path());
        let ran = run(&["module", "export", "--target", target, "--output", &file]);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        assert!(fs::read(&file).expect("it is written") == module, "{target}");
        let nowhere = run(&["module", "export", "--target", target, "--output", &format!("{file}/x")]);
        assert!(nowhere.code == 2 && nowhere.err.contains(&file), "{}", nowhere.err);
    }
}

#[test]
fn batches_on_which_a_module_fails_are_lost_and_repeated_failures_end_the_run() {
    let folder = Folder::new();
    let lines: String = (1..=4).map(|n| format!("type=CWD msg=audit(1700000000.1:{n}): cwd=\"/\"\n")).collect();
    let log = folder.file("audit.log", lines.as_bytes());
    let evaluate = "detector@0.1.0#[method]detector.evaluate";
    for (does, why) in [(Does::Trap, "unreachable"), (Does::Loop, "longer than 1 s"), (Does::Grow, "64 MiB of memory")]
    {
        let changes = [Change { function: evaluate, when: Some((1, 2)), does }];
        let module = folder.file("hostile.wasm", &hostile::hostile(backchannel_embedded::component(), &changes));
        let limits = ["--batch-timeout", "1", "--memory-limit", "64", "--carrier", "records"];
        let once = run(&[&["replay", &log, "--module", &module, "--strict"][..], &limits].concat());
        assert!(once.code == 2 && once.err.contains(why), "{does:?}: {} {}", once.code, once.err);
        let often = run(&[&["replay", &log, "--module", &module, "--batch", "1"][..], &limits].concat());
        assert_eq!(often.code, 2, "{does:?}: {}", often.err);
        assert!(often.err.contains("several times in a row") && often.err.contains(why), "{does:?}: {}", often.err);
    }
}

#[test]
fn compressed_piped_and_nested_inputs_give_the_same_findings() {
    let folder = Folder::new();
    let log = firing();
    let expected = alarms(&run(&["replay", &folder.file("a.log", &log), "--format", "jsonl"]).out);
    assert!(!expected.is_empty());
    let members: [(&str, &[u8]); 2] = [("logs/a.log", &log), ("logs/readme.txt", b"text\n")];
    let mut inputs = vec![
        folder.file("a.gz", &gzip(&log)),
        folder.file("a.zst", &zstd(&log)),
        folder.file("a.zip", &zip(&members)),
        folder.file("a.tar", &tar(&members)),
        folder.file("a.tar.gz", &gzip(&tar(&members))),
    ];
    let deep = folder.0.path().join("deep/deeper");
    fs::create_dir_all(&deep).expect("folders");
    fs::write(deep.join("a.json"), &log).expect("the file is written");
    inputs.push(format!("{}/deep", folder.path()));
    for input in &inputs {
        let ran = run(&["replay", input, "--format", "jsonl"]);
        assert_eq!((ran.code, alarms(&ran.out)), (1, expected.clone()), "{input}: {}", ran.err);
    }
    for (what, stdin) in [("plain", log.clone()), ("gz", gzip(&log)), ("tar.gz", gzip(&tar(&members)))] {
        let ran = run_with(&stdin, &["replay", "-", "--format", "jsonl"]);
        assert_eq!((ran.code, alarms(&ran.out)), (1, expected.clone()), "{what}: {}", ran.err);
    }
    // All of them together contain the same log several times: no further findings.
    let ran = run(&["replay", &folder.path(), "--format", "jsonl"]);
    assert_eq!(alarms(&ran.out), expected);
}

#[test]
fn json_lines_have_all_fields_and_the_summary_is_the_last() {
    const FINDING: [&str; 19] = [
        "id",
        "analytic",
        "title",
        "severity",
        "confidence",
        "time",
        "host",
        "user",
        "client",
        "server",
        "channel",
        "techniques",
        "indicators",
        "reasons",
        "count",
        "text",
        "evidence",
        "incident",
        "suppressed",
    ];
    const INCIDENT: [&str; 18] = [
        "id",
        "revision",
        "supersedes",
        "severity",
        "tier",
        "reasons",
        "answers",
        "hosts",
        "users",
        "processes",
        "channels",
        "techniques",
        "first_seen",
        "last_seen",
        "findings",
        "level1",
        "level2",
        "containment",
    ];
    const SUMMARY: [&str; 9] =
        ["records", "skipped", "inactive", "evicted", "late", "clock_offsets", "hosts", "first_time", "last_time"];
    let folder = Folder::new();
    let path = folder.file("a.log", &firing());
    let ran = run(&["replay", &path, "--format", "jsonl"]);
    for (of, fields) in [("finding", &FINDING[..]), ("incident", &INCIDENT), ("summary", &SUMMARY)] {
        let found = documents(&ran.out, of);
        assert!(!found.is_empty(), "no {of}");
        for field in fields {
            assert!(found[0].get(field).is_some(), "{of} has no {field}: {}", found[0]);
        }
    }
    let last: Value = serde_json::from_str(ran.out.lines().last().expect("lines")).expect("JSON");
    assert_eq!((&last["type"], documents(&ran.out, "summary").len()), (&"summary".into(), 1));
    let finding = &documents(&ran.out, "finding")[0];
    let evidence = &finding["evidence"][0];
    assert_eq!((&evidence["source"], finding["host"].as_str()), (&path.as_str().into(), Some("ws01")));
    assert!(evidence["line"].as_u64().is_some_and(|line| line > 0) && evidence["record"].as_str().is_some());
    // Each alarm's incident is there, and names it.
    let incident = documents(&ran.out, "incident")
        .into_iter()
        .find(|incident| incident["id"] == finding["incident"])
        .expect("the finding's incident");
    assert!(incident["findings"].as_array().expect("a list").contains(&finding["id"]));
    assert_eq!(run(&["replay", &path, "--format", "jsonl"]).out, ran.out, "a second run gives other bytes");
}

#[test]
fn ocsf_is_a_detection_finding_for_each_finding_with_what_its_incident_adds() {
    let folder = Folder::new();
    let path = folder.file("a.log", &firing());
    let findings = documents(&run(&["replay", &path, "--format", "jsonl"]).out, "finding");
    let ran = run(&["replay", &path, "--format", "ocsf"]);
    let detections: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let uids = |list: &[Value], pointer: &str| -> Vec<Value> {
        list.iter().map(|one| one.pointer(pointer).cloned().unwrap_or_default()).collect()
    };
    assert_eq!((ran.code, detections.is_empty()), (1, false));
    assert_eq!(uids(&detections, "/metadata/uid"), uids(&findings, "/id"));
    assert_eq!(uids(&detections, "/metadata/correlation_uid"), uids(&findings, "/incident"));
    assert!(detections.iter().all(|one| one["class_uid"] == 2004 && one["remediation"]["desc"].is_string()));
}

#[test]
fn two_runs_over_a_large_folder_give_the_same_bytes() {
    let folder = large_folder();
    let folder = folder.path();
    let first = run(&["replay", &folder, "--format", "jsonl"]);
    assert!(first.out.len() > 500_000, "{} bytes, {}", first.out.len(), first.err);
    let second = run(&["replay", &folder, "--format", "jsonl", "--batch", "77"]);
    assert!(first.out == second.out && first.err == second.err, "two runs differ");
}

#[test]
fn a_closed_output_is_not_an_error() {
    let folder = large_folder();
    let folder = folder.path();
    for format in ["jsonl", "table"] {
        let mut child = program()
            .args(["replay", &folder, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut out = child.stdout.take().expect("a pipe");
        let mut first = [0; 10];
        out.read_exact(&mut first).expect("it prints something");
        drop(out);
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{format}: {:?} {err}", output.status);
        for word in ["panicked", "roken pipe", "os error"] {
            assert!(!err.contains(word), "{format}: {err}");
        }
    }
}

#[test]
fn the_help_shows_how_it_is_used() {
    let help = run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    for command in ["replay", "analytics", "settings", "module"] {
        assert!(help.out.contains(command), "{command} is missing in {}", help.out);
    }
    let replay = run(&["replay", "--help"]);
    assert!(replay.code == 0 && replay.out.contains("Examples:") && replay.out.contains("Exit status:"));
    assert!(replay.out.lines().filter(|line| line.starts_with("  backchannel replay ")).count() >= 3);
}

#[test]
fn the_default_screen_is_one_block_an_incident_and_detail_shows_the_rest() {
    let folder = Folder::new();
    let path = folder.file("a.log", &firing());
    let incidents = documents(&run(&["replay", &path, "--format", "jsonl"]).out, "incident");
    let screen = run(&["replay", &path]).out;
    assert_eq!(screen.matches("INCIDENT").count(), incidents.len(), "{screen}");
    assert!(screen.contains(&format!("{} incident", incidents.len())) && screen.contains("to Tier 2; "), "{screen}");
    assert!(screen.contains("Inactive: ") && screen.contains("because no baseline was given"), "{screen}");
    // No sentence stands there twice.
    let lines: Vec<&str> = screen.lines().filter(|line| line.len() > 50).collect();
    let different: std::collections::BTreeSet<&&str> = lines.iter().collect();
    assert_eq!(lines.len(), different.len(), "{screen}");
    assert!(!screen.contains("Timeline"), "{screen}");
    let detail = run(&["replay", &path, "--detail"]).out;
    assert!(detail.contains("Timeline") && detail.contains("Questions") && detail.len() > screen.len(), "{detail}");
    for columns in ["80", "120"] {
        let output = program().env("COLUMNS", columns).args(["replay", &path]).output().expect("it runs").stdout;
        let text = String::from_utf8(output).expect("UTF-8");
        let widest = text.lines().filter(|line| line.contains("  ")).map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= columns.parse().expect("a number")), "{columns}: {text}");
    }
}

#[test]
fn nothing_found_is_said() {
    let folder = Folder::new();
    let ran = run(&["replay", &folder.file("a.log", &quiet())]);
    assert!(ran.code == 0 && ran.out.starts_with("Nothing was found. "), "{}", ran.out);
}

#[test]
fn a_machine_and_a_moment_are_taken_as_they_are_printed() {
    let folder = Folder::new();
    let path = folder.file("a.log", &firing());
    let finding = &documents(&run(&["replay", &path, "--format", "jsonl"]).out, "finding")[0];
    let count = |arguments: &[&str]| {
        let fixed = ["replay", &path, "--format", "jsonl"];
        documents(&run(&[&fixed[..], arguments].concat()).out, "finding").len()
    };
    let all = count(&[]);
    let host = finding["evidence"][0]["host"].as_str().expect("a host");
    assert_eq!(count(&["--only-host", host]), all);
    assert_eq!(count(&["--only-host", &host.to_uppercase()]), all);
    let ran = run(&["replay", &path, "--only-host", "elsewhere"]);
    assert!(
        ran.err.contains("--only-host") && ran.err.contains("elsewhere") && ran.err.contains("ws01"),
        "{}",
        ran.err
    );
    let time = finding["time"].as_str().expect("a time");
    let printed = time[..19].replace('T', " ");
    assert!(count(&["--from", &printed, "--until", &printed]) > 0, "{printed}");
    assert_eq!(count(&["--until", "1999-01-01"]), 0);
    assert_eq!(run(&["replay", &path, "--from", "yesterday"]).code, 2);
}

/// The first character that controls a terminal or hides text.
fn steers(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// The log with a finding, with control characters in account and host, escaped and unescaped.
fn evil() -> Vec<u8> {
    let text = String::from_utf8(firing()).expect("text");
    let text = text
        .replace("alice", "al\\u001b[31mi\\u009b2Jc\\u202ee\u{202e}\u{9b}1m\\u0007\\b\\r\\n")
        .replace("ws01.corp", "ws01\\u001b]0;owned\\u0007.corp")
        .replace("mmc.exe -Embedding", "mmc.exe -Embedding \\u001b[8m\u{200f}");
    text.into_bytes()
}

#[test]
fn control_characters_of_a_log_do_not_reach_the_terminal() {
    let folder = Folder::new();
    let path = folder.file("a.log", &evil());
    for how in ["--verbose", "--detail"] {
        let screen = run(&["replay", &path, how, "--color", "never"]);
        assert!(screen.out.contains("\\u{1b}") && screen.code == 1, "{} {}", screen.out, screen.err);
        assert_eq!(steers(&screen.out), None, "{}", screen.out);
    }
    // In JSON lines, control characters are escaped, line breaks among them.
    let lines = run(&["replay", &path, "--format", "jsonl"]);
    assert!(!lines.out.chars().any(|c| c < ' ' && c != '\n'));
    assert!(!documents(&lines.out, "finding").is_empty());
    // Names in archives and the first bytes of unrecognised files are controlled by the attacker too.
    let archive = zip(&[("b\u{1b}[2J\u{202e}.log", b"{\"EventID\": \x1b[2J\n"), ("c\u{9b}.bin", b"\x1b]0;owned\x07")]);
    let archive = folder.file("b.zip", &[archive].concat());
    let skipped = run(&["replay", &archive, "--verbose"]);
    assert!(skipped.err.contains("b.zip"), "{}", skipped.err);
    assert_eq!((steers(&skipped.err), steers(&skipped.out)), (None, None), "{}", skipped.err);
    let settings = folder.file("evil.toml", "admin_hosts = [7, \"\u{202e}\"]\n# \u{9b}2J\n".as_bytes());
    let checked = run(&["settings", "check", &settings]);
    assert_eq!((checked.code, steers(&checked.err)), (2, None), "{}", checked.err);
}

#[test]
fn on_a_terminal_json_lines_are_fully_escaped() {
    let Ok(version) = Command::new("script").arg("--version").output() else {
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: a terminal is needed, and there is no `script`\n");
        return;
    };
    if !String::from_utf8_lossy(&version.stdout).contains("util-linux") {
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: this `script` is not the one of util-linux\n");
        return;
    }
    let folder = Folder::new();
    let path = folder.file("a.log", &evil());
    for format in ["jsonl", "table"] {
        let line = format!("'{}' replay '{path}' --format {format} --color never", env!("CARGO_BIN_EXE_backchannel"));
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
            .expect("script runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n");
        assert!(text.contains("mmc.exe was activated through DCOM"), "{text}");
        assert_eq!(steers(&text), None, "{format}: {text:?}");
    }
}

/// The program following an input that begins with a finding, its input and its output.
fn following() -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut child = program()
        .args(["replay", "-", "--follow", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(&firing()).expect("it reads");
    input.flush().expect("it reads");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    (child, input, out)
}

#[test]
fn while_following_a_finding_is_printed_before_the_input_ends() {
    let (mut child, input, out) = following();
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let first = lines.recv_timeout(Duration::from_secs(60));
    drop(input);
    let first: Value = serde_json::from_str(&first.expect("a finding before the end of the input")).expect("JSON");
    assert_eq!((&first["type"], &first["incident"]), (&"finding".into(), &Value::Null));
    let rest: Vec<String> = lines.iter().collect();
    assert!(rest.last().is_some_and(|line| line.contains("\"type\":\"summary\"")), "{rest:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_following_with_the_summary() {
    for signal in ["TERM", "INT"] {
        // The pipe stays open, so only the signal ends the input.
        let (mut child, _input, mut out) = following();
        let mut first = String::new();
        out.read_line(&mut first).expect("a finding");
        assert!(first.contains("\"type\":\"finding\""), "{first}");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().expect("kill runs").success());
        let rest: Vec<String> = out.lines().map_while(Result::ok).collect();
        assert!(rest.last().is_some_and(|line| line.contains("\"type\":\"summary\"")), "{signal}: {rest:?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(1), "{signal}");
    }
}

#[test]
fn a_report_contains_the_documents_of_the_json_lines() {
    let folder = Folder::new();
    let (log, report) = (folder.file("a.log", &firing()), format!("{}/report.html", folder.path()));
    let ran = run(&["report", "--html", "-o", &report, &log]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let text = fs::read_to_string(&report).expect("the report is written");
    assert_eq!(text, run(&["report", "--html", "-o", "-", &log]).out, "the same on standard output");
    let (_, data) = text.split_once("<script type=\"application/json\" id=\"data\">").expect("the data");
    let (data, _) = data.split_once("</script>").expect("the end of the data");
    let carried: Vec<Value> = serde_json::from_str(data).expect("JSON");
    let printed = run(&["replay", &log, "--format", "jsonl"]).out;
    let printed: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(carried, printed);
}

#[test]
fn no_report_is_written_without_readable_input() {
    let folder = Folder::new();
    let (log, report) = (folder.file("a.log", b"text\n"), format!("{}/report.html", folder.path()));
    let ran = run(&["report", "--html", "-o", &report, &log]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nothing was readable"), "{}", ran.err);
    assert!(!Path::new(&report).exists());
    assert_eq!(run(&["report", "-o", &report, &log]).code, 2, "--html is required");
}

#[test]
fn the_catalogue_is_printed() {
    let list = run(&["analytics", "--format", "jsonl"]);
    let count = documents(&list.out, "analytic").len();
    assert!(list.code == 0 && count > 50, "{count}");
    assert!(run(&["analytics"]).out.contains("IPC-DCOM-006"));
}
