//! Checks the SIEM rules of examples/siem against the documents that the program prints for the sample: every field
//! that a mapping, pipeline or rule names exists, every field of the documents is mapped, and each rule raises the
//! expected alerts. The products themselves (Elasticsearch, Splunk, …) are replaced by small interpreters that support
//! the constructs in these files, and fail on any other.

mod documents;
mod elastic;
mod ingest;
mod opensearch;
mod pipe;
mod query;
mod sentinel;
mod sigma;
mod splunk;
mod wazuh;

use documents::{files, folder, read};

#[test]
fn every_json_file_is_json() {
    let mut seen = 0;
    for path in files(&folder(), &[".json", ".ndjson"]) {
        let text = read(&path);
        let parts: Vec<&str> = if path.ends_with(".ndjson") { text.lines().collect() } else { vec![&text] };
        for part in parts {
            let parsed = serde_json::from_str::<serde_json::Value>(part);
            assert!(parsed.is_ok(), "{path}: {parsed:?}");
        }
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn every_file_is_named_in_the_page() {
    let page = read(&format!("{}/README.md", folder()));
    for path in files(&folder(), &[""]) {
        let name = path.rsplit('/').next().expect("a name");
        assert!(page.contains(name) || name == "README.md", "examples/siem/README.md does not name {path}");
    }
}
