//! The session of the page against the harness: the same files, packed in any way, give the same documents, the account
//! included. What the page itself does in a real browser is in `browser.rs`.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use backchannel_browser::{Place, Session, raw};
use backchannel_host::replay::{ReplayOptions, Silent, replay};
use backchannel_host::source::{SourceOptions, Sources};
use backchannel_tests::archives::{gzip, tar, zip, zstd};
use backchannel_tests::{component, fixtures, root};

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// What the page says of `files`, as JSON lines.
fn page(files: &Files) -> String {
    let mut session = Session::open(None).expect("the defaults are good settings");
    for (name, bytes) in files {
        session.push(name, Rc::new(bytes.clone()));
    }
    session.finish(&mut |_| {}).lines()
}

/// What the harness says of `files`, as JSON lines.
fn harness(files: &Files) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        fs::write(path, bytes).expect("the file is written");
    }
    let sources = Sources::open(&paths, SourceOptions::default());
    let report = replay(component::module(), sources, &ReplayOptions::default(), &mut Silent).expect("it ends well");
    let mut text = String::new();
    let documents = report.incidents.iter().map(|incident| &incident.document);
    for document in documents.chain(report.findings.iter().map(|finding| &finding.document)) {
        text += &format!("{document}\n");
    }
    text += &format!("{}\n", report.summary.document());
    // The page knows names and no folders.
    text.replace(&format!("{}/", folder.path().display()), "")
}

fn same(files: &Files) -> String {
    let (page, harness) = (page(files), harness(files));
    for (at, (ours, theirs)) in page.lines().zip(harness.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", at + 1);
    }
    assert_eq!(page, harness);
    page
}

fn sample() -> Files {
    let folder = root().join("examples/logs");
    ["web01.audit.log", "ws01.evtx", "ws02.winlogbeat.jsonl"]
        .iter()
        .map(|name| ((*name).to_owned(), fs::read(folder.join(name)).expect("the sample is there")))
        .collect()
}

#[test]
fn the_sample_gives_the_documents_of_the_harness_in_whatever_order_it_is_dropped() {
    let mut files = sample();
    let text = same(&files);
    assert_eq!(text.lines().filter(|line| line.starts_with("{\"type\":\"incident\"")).count(), 3, "{text}");
    files.reverse();
    assert_eq!(page(&files), text);
}

#[test]
fn packed_files_give_the_documents_of_the_harness() {
    let files = sample();
    let members: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let inner = zip(&members);
    for (name, bytes) in [
        ("logs.zip", inner.clone()),
        ("logs.tar", tar(&members)),
        ("logs.tar.gz", gzip(&tar(&members))),
        ("logs.tar.zst", zstd(&tar(&members))),
        ("zip-in-zip.zip", zip(&[("inner.zip", &inner), ("alone.evtx", &files[1].1)])),
        ("ws01.evtx.gz", gzip(&files[1].1)),
        ("twice.gz.gz", gzip(&gzip(&files[2].1))),
    ] {
        let text = same(&vec![(name.to_owned(), bytes)]);
        assert!(text.contains("\"type\":\"incident\""), "{name}: {text}");
    }
}

#[test]
fn every_format_gives_the_documents_of_the_harness() {
    let files: Files = fixtures::logs().into_iter().map(|log| (log.name, log.bytes)).collect();
    for file in &files {
        same(&vec![file.clone()]);
    }
    same(&files);
}

#[test]
fn the_raw_record_behind_evidence_is_found_again() {
    let files = sample();
    let members: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let archive = ("logs.zip".to_owned(), zip(&members));
    let mut found = 0;
    for (name, bytes) in files.iter().chain([&archive]) {
        let text = page(&vec![(name.clone(), bytes.clone())]);
        for line in text.lines() {
            let document: serde_json::Value = serde_json::from_str(line).expect("JSON");
            for record in document["evidence"].as_array().into_iter().flatten() {
                let place = Place {
                    source: record["source"].as_str().expect("a source"),
                    line: record["line"].as_u64().unwrap_or_default(),
                    record: record["record"].as_str().unwrap_or_default(),
                    provider: record["provider"].as_str().unwrap_or_default(),
                    event_id: record["event_id"].as_u64().unwrap_or_default() as u32,
                };
                let shown = raw(name, Rc::new(bytes.clone()), place).unwrap_or_else(|| panic!("{record} in {name}"));
                assert!(shown.contains(place.record), "{record} in {shown}");
                found += 1;
            }
        }
    }
    assert!(found > 40, "{found}");
    let nowhere = Place { source: "ws01.evtx", record: "1", ..Place::default() };
    assert_eq!(raw("ws01.evtx", Rc::new(files[1].1.clone()), nowhere), None);
}

#[test]
fn damaged_files_are_counted_as_the_harness_counts_them() {
    let files = sample();
    let log = &files[1].1;
    let mut scribbled = log.clone();
    for at in (8_192..scribbled.len()).step_by(3_001) {
        scribbled[at] ^= 0xa5;
    }
    let (packed, archive) = (gzip(&files[2].1), zip(&[("a.evtx", log)]));
    for (name, bytes) in [
        ("cut.evtx", log[..log.len() * 2 / 3].to_vec()),
        ("scribbled.evtx", scribbled),
        ("cut.jsonl.gz", packed[..packed.len() / 2].to_vec()),
        ("cut.zip", archive[..archive.len() / 2].to_vec()),
        ("empty.log", Vec::new()),
        ("noise.bin", (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("broken.jsonl", b"{\"EventID\":1,\n{\"not\": closed\n\"\n".to_vec()),
    ] {
        same(&vec![(name.to_owned(), bytes)]);
    }
}
