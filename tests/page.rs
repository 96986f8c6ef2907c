//! Compares the session of the page with the harness: the same files give the same documents, the summary included.
//! Both read with `module/source` and write with `module/report`; they differ in where bytes come from, where archives
//! are unpacked to, whether the engine is linked or sandboxed, and how the summary is filled. Tests of the page in a
//! real browser are in `browser.rs`.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use backchannel_browser::Session;
use backchannel_host::replay::{ReplayOptions, Silent, replay};
use backchannel_host::source::{self, SourceOptions};
use backchannel_tests::archives::{gzip, tar, zip};
use backchannel_tests::{component, fixtures, root};

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// The documents of the page for `files`, as JSON lines.
fn page(files: &Files) -> String {
    let mut session = Session::open(None).expect("the defaults are good settings");
    for (name, bytes) in files {
        session.push(name, Rc::new(bytes.clone()));
    }
    session.finish(&mut |_| {}).lines()
}

/// The documents of the harness for `files`, as JSON lines.
fn harness(files: &Files) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        fs::write(path, bytes).expect("the file is written");
    }
    let sources = source::open(&paths, SourceOptions::default());
    let report = replay(component::module(), sources, &ReplayOptions::default(), &mut Silent).expect("it ends well");
    let mut text = String::new();
    let documents = report.incidents.iter().map(|incident| &incident.document);
    for document in documents.chain(report.findings.iter().map(|finding| &finding.document)) {
        text += &format!("{document}\n");
    }
    text += &format!("{}\n", report.summary.document());
    // The page has file names without folders.
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
fn the_sample_gives_the_documents_of_the_harness_in_any_order_of_files() {
    let mut files = sample();
    let text = same(&files);
    assert_eq!(text.lines().filter(|line| line.starts_with("{\"type\":\"incident\"")).count(), 3, "{text}");
    files.reverse();
    assert_eq!(page(&files), text);
}

#[test]
fn archives_unpacked_in_memory_give_the_same_documents_as_temporary_files() {
    let files = sample();
    let members: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let inner = zip(&members);
    for (name, bytes) in [
        ("logs.tar.gz", gzip(&tar(&members))),
        ("zip-in-zip.zip", zip(&[("inner.zip", &inner), ("alone.evtx", &files[1].1)])),
    ] {
        let text = same(&vec![(name.to_owned(), bytes)]);
        assert!(text.contains("\"type\":\"incident\""), "{name}: {text}");
    }
}

#[test]
fn every_format_gives_the_documents_of_the_harness() {
    same(&fixtures::logs().into_iter().map(|log| (log.name, log.bytes)).collect());
}

#[test]
fn skipped_records_are_counted_as_in_the_harness() {
    let files = sample();
    let log = &files[1].1;
    let packed = gzip(&files[2].1);
    let damaged: Files = [
        ("cut.evtx", log[..log.len() * 2 / 3].to_vec()),
        ("cut.jsonl.gz", packed[..packed.len() / 2].to_vec()),
        ("empty.log", Vec::new()),
        ("noise.bin", (0..5_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
        ("broken.jsonl", b"{\"EventID\":1,\n{\"not\": closed\n\"\n".to_vec()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into();
    let text = same(&damaged);
    assert!(text.contains("unknown-format") && text.contains("\"empty_inputs\":[\"empty.log\"]"), "{text}");
}
