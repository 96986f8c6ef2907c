//! The pipe for a SIEM that can only start a program: a log is followed, findings are printed immediately. The test
//! needs /proc, and is skipped elsewhere.

#![cfg(target_os = "linux")]

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::documents::{folder, lines, root};

/// A pipe of programs in a separate process group, so that all of it can be stopped, even when a test fails.
struct Group(std::process::Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Not every implementation of kill accepts `--` before a process group.
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM -{}", self.0.id())]).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The read position of the program that has `file` open; needs /proc.
fn read_up_to(file: &Path) -> Option<u64> {
    for process in fs::read_dir("/proc").ok()?.flatten() {
        for open in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            if fs::read_link(open.path()).is_ok_and(|target| target == file) {
                let info = process.path().join("fdinfo").join(open.file_name());
                let text = fs::read_to_string(info).ok()?;
                return text.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok());
            }
        }
    }
    None
}

fn wait_until_read(file: &Path, position: u64) {
    let start = Instant::now();
    while read_up_to(file).is_none_or(|at| at < position) {
        assert!(start.elapsed() < Duration::from_secs(60), "{} is not read up to {position}", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the add-on's script as Splunk does, on a log that is written while it runs and rotated in between.
#[test]
fn the_script_of_the_add_on_follows_a_log_over_a_rotation() {
    use std::os::unix::process::CommandExt;
    let place = tempfile::tempdir().expect("a folder");
    let log = place.path().canonicalize().expect("a folder").join("audit.log");
    let before = "type=OLD msg=audit(1.0:1): what was there before is not read\n";
    fs::write(&log, before).expect("it is written");
    let mut child = Command::new("sh")
        .arg(format!("{}/splunk/TA-backchannel/bin/follow.sh", folder()))
        .arg(env!("CARGO_BIN_EXE_backchannel"))
        .arg(&log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let _ended_with_the_test = Group(child);
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let sample = fs::read_to_string(format!("{}/examples/logs/web01.audit.log", root())).expect("the sample");
    let middle = sample[..sample.len() / 2].rfind('\n').expect("lines") + 1;
    let append = |text: &str| {
        let mut file = OpenOptions::new().append(true).create(true).open(&log).expect("the log");
        file.write_all(text.as_bytes()).expect("it is written");
    };
    wait_until_read(&log, before.len() as u64);
    append(&sample[..middle]);
    wait_until_read(&log, (before.len() + middle) as u64);
    fs::rename(&log, place.path().join("audit.log.1")).expect("rotated");
    append(&sample[middle..]);
    let batch: Vec<Value> = lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let on_web01 = |one: &&Value| one["type"] == "finding" && one["host"] == "web01";
    let mut missing: Vec<&str> = batch.iter().filter(on_web01).filter_map(|one| one["id"].as_str()).collect();
    assert!(!missing.is_empty());
    let mut escalated = false;
    while !missing.is_empty() || !escalated {
        let line =
            received.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{missing:?} did not come"));
        let document: Value = serde_json::from_str(&line).expect("JSON");
        missing.retain(|id| document["id"] != **id);
        escalated |= document["type"] == "incident" && document["tier"] == 2;
    }
}
