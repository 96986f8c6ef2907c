//! The SIEM rules of examples/siem, held against the documents that the program prints for the shipped sample: every
//! field that a mapping, pipeline or rule names is there, every field of ours is mapped, and each rule raises what it
//! should. Products that are not here (Elasticsearch, Splunk, …) are stood in for by small interpreters that know the
//! constructs these files use, and fail on any other.

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
