//! The simulated records are plausible (parents exist, sessions have logons, ids increase) and reproducible, in every
//! format.

use backchannel_simulate::{Attack, Attacks, Body, Fleet, Kind, LinuxShape, Options, Record, Value, WindowsShape, run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn week() -> Options {
    Options {
        days: 3,
        windows_hosts: 8,
        linux_hosts: 3,
        events_per_host_per_day: 1500,
        repeat: 2,
        ..Options::default()
    }
}

fn field<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    let Body::Windows(event) = &record.body else { return None };
    event.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
}

fn text(record: &Record, name: &str) -> String {
    field(record, name).unwrap_or_else(|| panic!("no field {name} in {record:?}")).to_string()
}

/// Provider (the first letter of its channel's name) and id.
fn id(record: &Record) -> (&'static str, u16) {
    match &record.body {
        Body::Windows(event) => (event.provider.name, event.event_id),
        Body::Audit { .. } => ("audit", 0),
    }
}

const SYSMON: &str = "Microsoft-Windows-Sysmon";
const SECURITY: &str = "Microsoft-Windows-Security-Auditing";

#[test]
fn time_never_goes_back_and_record_ids_grow_by_one() {
    let mut last = i64::MIN;
    let mut ids: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    let options = week();
    for record in Fleet::new(&options) {
        assert!(record.time_ns >= last);
        assert!((options.start_ns..options.end_ns()).contains(&record.time_ns));
        last = record.time_ns;
        let (key, number) = match &record.body {
            Body::Windows(event) => ((record.host, event.provider.channel), event.record_id),
            Body::Audit { serial, .. } => ((record.host, "audit"), *serial),
        };
        if let Some(before) = ids.insert(key, number) {
            assert_eq!(number, before + 1, "{key:?}");
        }
    }
    assert!(ids.len() > 11 * 2);
}

#[test]
fn every_process_has_a_parent_that_runs_and_every_number_one_owner() {
    // By host: process GUID to (pid, image), of processes that run.
    let mut running: BTreeMap<usize, BTreeMap<String, (String, String)>> = BTreeMap::new();
    let mut ended: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut starts = 0;
    for record in Fleet::new(&week()).filter(|record| id(record).0 == SYSMON) {
        let of_host = running.entry(record.host).or_default();
        match id(&record).1 {
            1 => {
                starts += 1;
                let (parent, image) = (text(&record, "ParentProcessGuid"), text(&record, "ParentImage"));
                if image == "System" {
                    of_host.insert(parent.clone(), ("4".to_owned(), image.clone()));
                }
                let gone = ended.get(&record.host).is_some_and(|ended| ended.contains(&parent));
                assert!(!gone, "the parent has ended: {record:?}");
                let known = of_host.get(&parent).unwrap_or_else(|| panic!("the parent never started: {record:?}"));
                assert_eq!(known, &(text(&record, "ParentProcessId"), image));
                let pid = text(&record, "ProcessId");
                let twice = of_host.values().find(|(other, _)| *other == pid);
                assert!(twice.is_none(), "{pid} is taken by {twice:?}");
                of_host.insert(text(&record, "ProcessGuid"), (pid, text(&record, "Image")));
            }
            5 => {
                let guid = text(&record, "ProcessGuid");
                assert!(of_host.remove(&guid).is_some(), "ended without a start: {record:?}");
                ended.entry(record.host).or_default().insert(guid);
            }
            // Flows are written late: their process may have ended.
            3 => {}
            11 | 13 | 17 | 18 | 22 => {
                let guid = text(&record, "ProcessGuid");
                let known = of_host.get(&guid).unwrap_or_else(|| panic!("of no running process: {record:?}"));
                assert_eq!(known, &(text(&record, "ProcessId"), text(&record, "Image")));
            }
            _ => {}
        }
    }
    assert!(starts > 1000, "{starts}");
}

#[test]
fn every_logon_id_has_a_logon() {
    let mut open: BTreeSet<(usize, String)> = BTreeSet::new();
    let mut checked = 0;
    for record in Fleet::new(&week()) {
        let mut check = |name: &str| {
            let logon = text(&record, name);
            let built_in = ["0x0", "0x3e7", "0x3e5", "0x3e4"].contains(&logon.as_str());
            assert!(built_in || open.contains(&(record.host, logon.clone())), "{logon}: {record:?}");
            checked += 1;
        };
        match id(&record) {
            (SYSMON, 1) => check("LogonId"),
            (SECURITY, 4688) => ["SubjectLogonId", "TargetLogonId"].into_iter().for_each(&mut check),
            (SECURITY, 5145 | 4672 | 4689) => check("SubjectLogonId"),
            (SECURITY, 4634) => check("TargetLogonId"),
            (SECURITY, 4624) => {
                open.insert((record.host, text(&record, "TargetLogonId")));
            }
            _ => {}
        }
    }
    assert!(checked > 1000);
}

#[test]
fn a_host_without_sysmon_audits_process_starts_with_known_parents() {
    let mut pids: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut seen = 0;
    for record in Fleet::new(&week()).filter(|record| id(record) == (SECURITY, 4688)) {
        let of_host = pids.entry(record.host).or_insert_with(|| BTreeSet::from(["0x4".to_owned()]));
        assert!(of_host.contains(&text(&record, "ProcessId")), "{record:?}");
        of_host.insert(text(&record, "NewProcessId"));
        seen += 1;
    }
    assert!(seen > 1000 && pids.len() == 4, "{seen} on {} hosts", pids.len());
}

#[test]
fn nights_and_weekends_are_quiet() {
    // 2026-03-02 is a Monday.
    let options = Options { days: 7, attacks: Attacks::none(), ..week() };
    let fleet = Fleet::new(&options);
    let desks: Vec<bool> = (0..fleet.hosts()).map(|host| fleet.host_name(host).starts_with("ws")).collect();
    let mut by_day = [0_u64; 7];
    let mut by_hour = [0_u64; 24];
    for record in fleet.filter(|record| desks[record.host]) {
        let seconds = (record.time_ns - options.start_ns) / 1_000_000_000;
        by_day[seconds as usize / 86_400] += 1;
        by_hour[seconds as usize / 3600 % 24] += 1;
    }
    assert!(by_day[1] > 5 * by_day[5], "{by_day:?}");
    assert!(by_hour[10] > 8 * by_hour[3], "{by_hour:?}");
    // Approximately the requested number.
    let a_day = by_day[1] / desks.iter().filter(|desk| **desk).count() as u64;
    assert!((900..=2400).contains(&a_day), "{a_day} a host and day");
}

#[test]
fn every_attack_leaves_records_on_its_hosts() {
    let fleet = Fleet::new(&week());
    let episodes = fleet.episodes().to_vec();
    let mut on: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); episodes.len()];
    let mut first = vec![i64::MAX; episodes.len()];
    for record in fleet {
        if let Some(episode) = record.episode {
            on[episode].insert(record.host);
            first[episode] = first[episode].min(record.time_ns);
        }
    }
    for attack in Attack::ALL {
        assert_eq!(episodes.iter().filter(|episode| episode.kind == Kind::Attack(*attack)).count(), 2);
    }
    for ((episode, hosts), first) in episodes.iter().zip(on).zip(first) {
        let mut expected = BTreeSet::from([episode.target]);
        expected.extend(episode.source);
        assert_eq!(hosts, expected, "{}", episode.kind.name());
        assert!((first - episode.start_ns).abs() < 31_000_000_000, "{}", episode.kind.name());
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn small(shape: WindowsShape) -> Options {
    Options {
        windows_shape: shape,
        linux_shape: LinuxShape::Auditd,
        windows_hosts: 5,
        linux_hosts: 1,
        events_per_host_per_day: 500,
        ..Options::default()
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let write = |options: &Options| {
        let folder = tempfile::tempdir().unwrap();
        run(options, folder.path()).unwrap();
        files(folder.path())
    };
    let options = small(WindowsShape::Evtx);
    let once = write(&options);
    assert_eq!(once.len(), 7);
    assert!(once == write(&options));
    let other = write(&Options { seed: 2, ..options });
    assert!(once.iter().all(|(name, bytes)| other[name] != *bytes));
}

#[test]
fn evtx_files_are_read_by_the_evtx_crate() {
    let folder = tempfile::tempdir().unwrap();
    let options = small(WindowsShape::Evtx);
    let report = run(&options, folder.path()).unwrap();
    let mut read: BTreeMap<String, u64> = BTreeMap::new();
    for name in report.files.iter().filter(|name| name.ends_with(".evtx")) {
        let settings = evtx::ParserSettings::new().validate_checksums(true).num_threads(1);
        let mut parser = evtx::EvtxParser::from_path(folder.path().join(name)).unwrap().with_configuration(settings);
        for record in parser.records_json_value() {
            let event = record.unwrap().data["Event"].take();
            let computer = event["System"]["Computer"].as_str().unwrap();
            assert!(name.starts_with(computer.split('.').next().unwrap()));
            assert!(event["EventData"].is_object(), "{event}");
            *read.entry(computer.to_owned()).or_default() += 1;
        }
    }
    let mut made: BTreeMap<String, u64> = BTreeMap::new();
    for record in Fleet::new(&options).filter(|record| matches!(record.body, Body::Windows(_))) {
        *made.entry(record.host_name.to_string()).or_default() += 1;
    }
    assert_eq!(read, made);
}

#[test]
fn json_formats_are_valid_and_have_the_same_values() {
    let shapes = [
        WindowsShape::EvtxJson,
        WindowsShape::Winlogbeat,
        WindowsShape::Nxlog,
        WindowsShape::FluentBit,
        WindowsShape::Xml,
    ];
    let mut counts = BTreeSet::new();
    for shape in shapes {
        let folder = tempfile::tempdir().unwrap();
        let report = run(&Options { merged: true, ..small(shape) }, folder.path()).unwrap();
        assert_eq!(report.files.len(), 2);
        let log = std::fs::read_to_string(folder.path().join(&report.files[1])).unwrap();
        counts.insert(log.lines().count());
        for line in log.lines() {
            if shape == WindowsShape::Xml {
                assert!(line.starts_with("<Event ") && line.ends_with("</Event>"), "{line}");
                continue;
            }
            let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            match shape {
                WindowsShape::EvtxJson => assert!(event["Event"]["System"]["EventRecordID"].is_u64()),
                WindowsShape::Winlogbeat => assert!(event["winlog"]["event_data"].is_object()),
                WindowsShape::Nxlog => assert!(event["EventID"].is_u64() && event["Hostname"].is_string()),
                _ => assert!(event["StringInserts"].is_array() && event["ProviderName"].is_string()),
            }
        }
    }
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn laurel_writes_one_object_per_event() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { windows_hosts: 0, linux_shape: LinuxShape::Laurel, ..small(WindowsShape::Evtx) };
    let report = run(&options, folder.path()).unwrap();
    assert_eq!(report.files, ["web01.laurel.jsonl"]);
    let log = std::fs::read_to_string(folder.path().join("web01.laurel.jsonl")).unwrap();
    assert_eq!(log.lines().count() as u64, report.records);
    let events: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let commands = || events.iter().filter_map(|event| event["EXECVE"]["ARGV"].as_array());
    assert!(commands().any(|words| words[0] == "mkfifo"));
    assert!(
        events.iter().any(|event| event["SOCKADDR"][0]["saddr"].as_str().is_some_and(|a| a.contains("docker.sock")))
    );
}

#[test]
fn a_large_fleet_is_generated_lazily() {
    // A year of 400 hosts has hundreds of millions of records; the first ones are available immediately.
    let options = Options { days: 365, windows_hosts: 350, linux_hosts: 50, ..Options::default() };
    let first = Fleet::new(&options).take(40_000).collect::<Vec<_>>();
    assert_eq!(first.len(), 40_000);
    assert!(first.iter().map(|record| record.host).collect::<BTreeSet<_>>().len() > 300);
}

#[test]
fn the_labels_refer_to_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { merged: true, ..small(WindowsShape::Winlogbeat) };
    let report = run(&options, folder.path()).unwrap();
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    assert_eq!(truth["records"], report.records);
    assert_eq!(truth["attacks"].as_array().unwrap().len(), report.attacks);
    let mut pointed = 0;
    for attack in truth["attacks"].as_array().unwrap() {
        for record in attack["records"].as_array().unwrap() {
            let file = std::fs::read_to_string(folder.path().join(record["file"].as_str().unwrap())).unwrap();
            let line = file.lines().nth(record["line"].as_u64().unwrap() as usize - 1).unwrap();
            if record["channel"] == "audit" {
                assert!(line.contains(&format!(":{}):", record["record"])), "{line}");
            } else {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(event["winlog"]["record_id"], record["record"]);
                assert_eq!(event["host"]["name"], record["host"]);
            }
            pointed += 1;
        }
    }
    assert!(pointed > 100, "{pointed}");
}
