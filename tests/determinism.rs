//! The same logs give the same findings: in repeated runs, split into other files, in another order, in other shards,
//! after a restart.
//!
//! The logs are those of the cases, each with its own host, so that they can be combined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use backchannel_engine::{Engine, FindingEnvelope, Output};
use backchannel_events::packed::Batch as Rows;
use backchannel_events::{Severity, Timestamp};
use backchannel_host::Format;
use backchannel_host::component::{Batch, Detector, Limits};
use backchannel_host::replay::{ReplayOptions, Report, Silent, replay};
use backchannel_host::source::{self, Filled, SourceOptions};
use backchannel_tests::case;
use backchannel_tests::component::module;
use backchannel_tests::{native, sources};

/// A case's log on its own host.
struct Scene {
    name: String,
    host: String,
    text: String,
    format: Format,
    /// Whether its host was made unique.
    alone: bool,
    fires: bool,
}

/// The cases whose records all name a host that no other case uses.
fn scenes() -> Vec<Scene> {
    all_scenes().into_iter().filter(|scene| scene.alone).collect()
}

/// The cases that need neither settings nor a baseline.
fn all_scenes() -> Vec<Scene> {
    let cases = case::all();
    let plain =
        cases.iter().filter(|case| case.is_plain()).filter_map(|case| Some((case, case.text()?, case.format()?)));
    plain
        .enumerate()
        .map(|(number, (case, text, format))| {
            let host = format!("desk{number:04}");
            let text = text.replace("ws01", &host).replace("WS01", &host.to_uppercase()).replace("mac1", &host);
            // Hosts in network logs are addresses, which many cases share; records without a host share one too.
            let alone = text.contains(&host) && !matches!(format, Format::ZeekJson | Format::ZeekTsv);
            Scene { name: case.name.clone(), host, text, format, alone, fires: case.fires() }
        })
        .collect()
}

impl Scene {
    fn lines(&self) -> Vec<&str> {
        self.text.lines().filter(|line| !line.trim().is_empty()).collect()
    }
}

/// Scenes in which every line is a record with its own time.
fn timed(scenes: &[Scene]) -> Vec<(&Scene, Vec<(Timestamp, &str)>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = Vec::new();
    for scene in scenes.iter().filter(|scene| scene.format == Format::WindowsJson) {
        let path = folder.path().join("log");
        std::fs::write(&path, &scene.text).expect("the log is written");
        let times: BTreeMap<u64, Timestamp> = events(&path).iter().map(|(_, line, time)| (*line, *time)).collect();
        let lines: Vec<(Timestamp, &str)> =
            scene.text.lines().zip(1..).filter_map(|(text, line)| Some((*times.get(&line)?, text))).collect();
        if lines.len() == scene.lines().len() {
            found.push((scene, lines));
        }
    }
    found
}

/// The events of a file, each packed alone, with line and time.
fn events(path: &Path) -> Vec<(Vec<u8>, u64, Timestamp)> {
    let mut merge = source::open(&[path.to_owned()], SourceOptions::default()).events();
    merge.set_batch(1);
    let (mut found, mut bytes) = (Vec::new(), Vec::new());
    while let Filled::Batch(_) = merge.fill(&mut bytes) {
        let rows = Rows::parse(&bytes).expect("what the harness packs is well formed");
        let event = rows.iter().next().expect("one event");
        found.push((bytes.clone(), event.provenance.line, event.time));
    }
    found
}

fn latest(findings: impl IntoIterator<Item = FindingEnvelope>) -> Vec<String> {
    let mut documents = native::latest(findings.into_iter().map(|finding| (finding.id, finding.document)));
    documents.sort();
    documents
}

/// Findings of medium severity or above: analytic and host, with the highest severity.
fn alarms(findings: impl IntoIterator<Item = FindingEnvelope>) -> BTreeMap<(String, String), Severity> {
    let mut worst = BTreeMap::new();
    for finding in findings {
        if finding.severity >= Severity::Medium && !finding.suppressed {
            let known = worst.entry((finding.analytic, finding.host)).or_insert(finding.severity);
            *known = finding.severity.max(*known);
        }
    }
    worst
}

fn write(folder: &Path, name: &str, lines: &[&str]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("it is written");
    path
}

fn replayed(paths: &[PathBuf]) -> Vec<FindingEnvelope> {
    sources::replay(paths, SourceOptions::default(), 1024).findings
}

/// A folder with a file for each scene.
fn folder_of(scenes: &[Scene]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |scene: &Scene| write(folder.path(), &format!("{}.log", scene.host), &scene.lines());
    let paths = scenes.iter().map(write).collect();
    (folder, paths)
}

/// A reproducible shuffle.
fn shuffled<T>(mut list: Vec<T>, seed: u64) -> Vec<T> {
    let mut random = Random(seed);
    for at in (1..list.len()).rev() {
        list.swap(at, random.below(at as u64 + 1) as usize);
    }
    list
}

struct Random(u64);

impl Random {
    /// A number below `limit` (splitmix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn whole(paths: &[PathBuf], batch: usize) -> Report {
    let options = ReplayOptions { batch, ..ReplayOptions::default() };
    replay(module(), source::open(paths, SourceOptions::default()), &options, &mut Silent).expect("it ends well")
}

/// The complete output of a replay.
fn output(report: &Report) -> String {
    let documents = report.incidents.iter().map(|incident| &incident.document);
    let documents = documents.chain(report.findings.iter().map(|finding| &finding.document));
    documents.map(|document| format!("{document}\n")).collect::<String>() + &report.summary.document()
}

#[test]
fn two_replays_give_the_same_bytes_for_any_batch_size() {
    let (folder, _) = folder_of(&scenes());
    let folder = [folder.path().to_owned()];
    let first = whole(&folder, 1024);
    assert!(first.findings.len() > 200 && !first.incidents.is_empty(), "{} findings", first.findings.len());
    let expected = output(&first);
    for batch in [1024, 7] {
        let again = output(&whole(&folder, batch));
        let differs = expected.lines().zip(again.lines()).find(|(before, now)| before != now);
        assert!(expected == again, "batches of {batch}: {differs:?}");
    }
}

#[test]
fn the_order_of_inputs_does_not_matter() {
    // Many of them share a host and a time.
    let (_folder, paths) = folder_of(&all_scenes());
    let sorted = |report: &Report| output(report).lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let expected = sorted(&whole(&paths, 1024));
    for seed in 1..=2 {
        let now = sorted(&whole(&shuffled(paths.clone(), seed), 1024));
        let (less, more) = (expected.difference(&now).next(), now.difference(&expected).next());
        assert!(expected == now, "order {seed}:\n  before {less:?}\n  now    {more:?}");
    }
}

#[test]
fn a_log_split_into_two_files_gives_the_same_findings() {
    let all = scenes();
    let (mut tried, mut wrong) = (0, Vec::new());
    for (scene, lines) in timed(&all) {
        // Events of the same time have no defined order between files.
        if lines.len() < 2 || !lines.is_sorted_by(|a, b| a.0 < b.0) {
            continue;
        }
        tried += 1;
        let folder = tempfile::tempdir().expect("a folder");
        let one = write(folder.path(), "one.log", &scene.lines());
        let half = |rest: usize| -> Vec<&str> { scene.lines().into_iter().skip(rest).step_by(2).collect() };
        let (a, b) = (write(folder.path(), "a.log", &half(0)), write(folder.path(), "b.log", &half(1)));
        let ids = |findings: Vec<FindingEnvelope>| {
            let ids: BTreeSet<String> = findings.iter().map(|finding| finding.id.clone()).collect();
            (ids, alarms(findings))
        };
        let expected = ids(replayed(&[one]));
        for paths in [[a.clone(), b.clone()], [b, a]] {
            let now = ids(replayed(&paths));
            if now != expected {
                wrong.push(format!("{}: {expected:?} in one, {now:?} in two", scene.name));
            }
        }
    }
    assert!(tried > 100, "only {tried} cases were fit for it");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Cases whose findings depend on the order of events within two seconds: the analytic checks on one of the events
/// only, or the order is part of the pattern. A case that passes must be removed from the list.
const ORDERED: [&str; 13] = [
    "generic/unknown_endpoint/another-machine-opens-the-pipe-of-a-program-in-a-public-folder",
    "generic/masqueraded_endpoint/a-renamed-rundll32-opens-a-pipe",
    "component_object_model/remote_server_child/mmc-starts-a-shell-and-the-record-of-the-network-logon-comes-after-it",
    "component_object_model/remote_server_child/mmc-activated-from-another-machine-starts-a-program-that-starts-another",
    "component_object_model/shell_windows/explorer-s-factory-started-through-dcom-starts-a-shell",
    "component_object_model/elevated_class_child/the-surrogate-s-command-line-is-known-only-from-the-record-of-its-start",
    "component_object_model/elevation_without_consent/an-elevated-class-starts-a-shell-after-a-prompt-that-was-too-short-to-be-answered",
    "named_pipes/executor_out_of_place/the-service-manager-starts-the-psexec-service-from-a-user-s-folder",
    "named_pipes/executor_out_of_place/a-shell-starts-remcom-s-program-which-makes-its-pipe",
    "named_pipes/smuggled_path/a-pipe-is-made-whose-name-smuggles-a-second-path-to-the-spooler",
    "named_pipes/impersonation_chain/system-s-opening-of-the-pipe-is-logged-last",
    "named_pipes/loopback_token/the-kernel-opens-a-pipe-with-a-random-name-right-after-a-logon-of-this-machine-to-itself",
    "network_rpc/remote_service/a-service-is-installed-after-its-manager-s-pipe-was-opened-from-another-machine",
];

#[test]
fn events_reordered_by_two_seconds_or_duplicated_give_the_same_alarms() {
    let all = scenes();
    let (mut tried, mut ordered, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (scene, lines) in timed(&all) {
        if !scene.fires || lines.len() < 2 {
            continue;
        }
        tried += 1;
        let folder = tempfile::tempdir().expect("a folder");
        let log = |name: &str, lines: &[&str]| write(folder.path(), name, lines);
        let expected = alarms(replayed(&[log("log", &scene.lines())]));
        let mut now = Vec::new();
        for seed in 0..4 {
            let mut random = Random(seed);
            let slack = 2 * Timestamp::SECOND as u64 + 1;
            let mut late: Vec<(i64, &str)> =
                lines.iter().map(|(time, line)| (time.0 + random.below(slack) as i64, *line)).collect();
            late.sort_by_key(|(time, _)| *time);
            let late: Vec<&str> = late.into_iter().map(|(_, line)| line).collect();
            now.push(("shuffled", alarms(replayed(&[log("log", &late)]))));
        }
        let each_twice: Vec<&str> = scene.lines().into_iter().flat_map(|line| [line, line]).collect();
        now.push(("each twice", alarms(replayed(&[log("log", &each_twice)]))));
        let in_two_files = [log("a.log", &scene.lines()), log("b.log", &scene.lines())];
        now.push(("in two files", alarms(replayed(&in_two_files))));
        for (how, now) in now.into_iter().filter(|(_, now)| *now != expected) {
            ordered.insert(scene.name.as_str());
            if !ORDERED.contains(&scene.name.as_str()) {
                wrong.push(format!("{}, {how}: {expected:?}, now {now:?}", scene.name));
            }
        }
    }
    let holds = ORDERED.iter().filter(|name| !ordered.contains(*name));
    wrong.extend(holds.map(|name| format!("{name} holds in any order, and is to be taken off the list")));
    assert!(tried > 60, "only {tried} cases were fit for it");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn restoring_a_snapshot_in_the_middle_does_not_change_the_findings() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut cuts, mut wrong) = (0, Vec::new());
    for scene in scenes().iter().filter(|scene| scene.fires) {
        let events = events(&write(folder.path(), "log", &scene.lines()));
        let give = |engine: &mut Engine, events: &[(Vec<u8>, u64, Timestamp)]| -> Vec<FindingEnvelope> {
            let each = |(bytes, _, _): &(Vec<u8>, u64, Timestamp)| engine.packed(bytes).expect("well formed").findings;
            events.iter().flat_map(each).collect()
        };
        let mut engine = Engine::open(None, None).expect("good settings");
        let mut expected = give(&mut engine, &events);
        expected.extend(engine.flush().findings);
        let expected = latest(expected);
        for cut in 0..=events.len() {
            cuts += 1;
            let mut before = Engine::open(None, None).expect("good settings");
            let mut findings = give(&mut before, &events[..cut]);
            let mut after = Engine::open(None, None).expect("good settings");
            after.restore(&before.snapshot()).expect("its own snapshot is taken up");
            assert!(after.snapshot() == before.snapshot(), "{}: what is restored is something else", scene.name);
            findings.extend(give(&mut after, &events[cut..]));
            findings.extend(after.flush().findings);
            if latest(findings) != expected {
                wrong.push(format!("{} at event {cut} of {}", scene.name, events.len()));
            }
        }
    }
    assert!(cuts > 400, "only {cuts} cuts");
    assert!(wrong.is_empty(), "{} of {cuts}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_module_continues_from_a_snapshot_of_another_instance() {
    let (_folder, paths) = folder_of(&scenes());
    let mut merge = source::open(&paths, SourceOptions::default()).events();
    merge.set_batch(200);
    let (mut batches, mut bytes) = (Vec::new(), Vec::new());
    while let Filled::Batch(_) = merge.fill(&mut bytes) {
        batches.push(bytes.clone());
    }
    let run = |restarts: bool| {
        let mut detector = Detector::open(module(), Limits::default(), None, None).expect("it opens");
        let mut findings = Vec::new();
        for batch in &batches {
            findings.extend(detector.evaluate(Batch::Packed(batch.clone())).expect("it goes on").findings);
            if restarts {
                let snapshot = detector.snapshot().expect("it has a memory");
                detector = Detector::open(module(), Limits::default(), None, None).expect("it opens");
                detector.restore(snapshot).expect("its own snapshot is taken up");
            }
        }
        findings.extend(detector.flush().expect("it goes on").findings);
        (findings, detector.snapshot().expect("it has a memory"))
    };
    assert!(batches.len() > 3);
    let (straight, restarted) = (run(false), run(true));
    assert_eq!(straight.0, restarted.0);
    assert!(straight.1 == restarted.1, "the memories differ at the end");
}

#[test]
fn shards_of_hosts_give_the_same_findings_as_one_detector() {
    let scenes = scenes();
    let (_folder, paths) = folder_of(&scenes);
    // All hosts in one stream, by time.
    let mut merge = source::open(&paths, SourceOptions::default()).events();
    merge.set_batch(1);
    let mut one = Engine::open(None, None).expect("good settings");
    let mut shards: Vec<Engine> = (0..5).map(|_| Engine::open(None, None).expect("good settings")).collect();
    let (mut together, mut apart, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let take = |into: &mut Vec<FindingEnvelope>, output: Output| into.extend(output.findings);
    while let Filled::Batch(_) = merge.fill(&mut bytes) {
        let host = Rows::parse(&bytes).expect("well formed").iter().next().expect("one event").host.to_owned();
        let shard = host.bytes().map(usize::from).sum::<usize>() % shards.len();
        take(&mut together, one.packed(&bytes).expect("well formed"));
        take(&mut apart, shards[shard].packed(&bytes).expect("well formed"));
    }
    take(&mut together, one.flush());
    for shard in &mut shards {
        take(&mut apart, shard.flush());
    }
    let (together, apart) = (latest(together), latest(apart));
    assert!(together.len() > 200, "{}", together.len());
    let differs = together.iter().zip(&apart).find(|(a, b)| a != b);
    assert!(together == apart, "{} together, {} apart: {differs:?}", together.len(), apart.len());
}
