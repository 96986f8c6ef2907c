//! The sample logs of `examples/logs` are the output of the simulator: `BLESS=1` rewrites them.

use backchannel_simulate::{Attack, Attacks, Options, WindowsShape, run_mixed};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A morning of two workstations and a web server, on which three attacks happen.
fn options() -> Options {
    Options {
        seed: 7,
        start_ns: 1_772_528_400_000_000_000, // 2026-03-03T09:00:00Z
        days: 0,
        hours: 2,
        windows_hosts: 2,
        linux_hosts: 1,
        events_per_host_per_day: 180,
        attacks: Attacks(BTreeSet::from([Attack::Mmc20, Attack::GetSystem, Attack::FifoShell])),
        ..Options::default()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// The samples by name, and their labels.
fn simulate() -> (BTreeMap<String, Vec<u8>>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let shape = |host: &str| if host.starts_with("ws01") { WindowsShape::Evtx } else { WindowsShape::Winlogbeat };
    run_mixed(&options(), folder.path(), &shape).unwrap();
    let mut files = contents(folder.path());
    let truth = files.remove("truth.json").unwrap();
    (files, truth)
}

#[test]
fn the_samples_are_the_output_of_the_simulator() {
    let (files, truth) = simulate();
    // The labels are outside the folder of the logs, so that the folder can be replayed as it is.
    let (logs, labels) = (root().join("logs"), root().join("truth.json"));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(&logs).unwrap();
        for name in contents(&logs).into_keys() {
            fs::remove_file(logs.join(name)).unwrap();
        }
        files.iter().for_each(|(name, bytes)| fs::write(logs.join(name), bytes).unwrap());
        fs::write(&labels, &truth).unwrap();
    }
    let shipped = contents(&logs);
    assert_eq!(
        shipped.keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>(),
        "run `BLESS=1 cargo test -p backchannel-simulate --test samples`"
    );
    for (name, bytes) in &files {
        assert!(
            shipped[name] == *bytes,
            "{name} differs: run `BLESS=1 cargo test -p backchannel-simulate --test samples`"
        );
    }
    assert!(fs::read(&labels).unwrap() == truth, "truth.json differs: run the same with BLESS=1");
}

#[test]
fn the_samples_are_small_and_contain_all_attacks() {
    let (files, truth) = simulate();
    let size: usize = files.values().map(Vec::len).sum();
    assert!(size < 400_000, "{size} bytes");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["web01.audit.log", "ws01.evtx", "ws02.winlogbeat.jsonl"]);
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    let attacks: BTreeMap<&str, &serde_json::Value> =
        truth["attacks"].as_array().unwrap().iter().map(|attack| (attack["name"].as_str().unwrap(), attack)).collect();
    assert_eq!(attacks.len(), 3);
    assert_eq!(attacks["dcom-mmc20"]["host"], "ws01.corp.example");
    assert_eq!(attacks["dcom-mmc20"]["source"], "ws02.corp.example");
    assert_eq!(attacks["getsystem-pipe"]["host"], "ws01.corp.example");
    assert_eq!(attacks["fifo-reverse-shell"]["host"], "web01");
}
