//! Every record that supports a finding of the sample is found again in its file.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::rc::Rc;

use backchannel_browser::{RecordPlace, Session, find_record};
use backchannel_report::FindingDocument;

/// A ZIP archive of members, by name.
fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn the_raw_record_behind_evidence_is_found_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/logs");
    let names = ["web01.audit.log", "ws01.evtx", "ws02.winlogbeat.jsonl"];
    let mut files: Vec<(String, Vec<u8>)> =
        names.iter().map(|name| ((*name).to_owned(), fs::read(folder.join(name)).unwrap())).collect();
    files.push(("logs.zip".to_owned(), zip(&files)));
    let mut found = 0;
    for (name, bytes) in &files {
        let mut session = Session::open(None).unwrap();
        session.push(name, Rc::new(bytes.clone()));
        for document in session.finish(&mut |_| {}).findings {
            for record in FindingDocument::read(&document).unwrap().evidence {
                let place = RecordPlace {
                    source: &record.source,
                    line: record.line.unwrap_or_default(),
                    record: &record.record,
                    provider: &record.provider,
                    event_id: record.event_id,
                };
                let shown = find_record(name, Rc::new(bytes.clone()), place);
                let shown = shown.unwrap_or_else(|| panic!("{record:?} in {name}"));
                assert!(shown.contains(place.record), "{record:?} in {shown}");
                found += 1;
            }
        }
    }
    assert!(found > 40, "{found}");
    let nowhere = RecordPlace { source: "ws01.evtx", record: "1", ..RecordPlace::default() };
    assert_eq!(find_record("ws01.evtx", Rc::new(files[1].1.clone()), nowhere), None);
}
