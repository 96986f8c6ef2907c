//! OpenSearch: the output of the pipeline matches the mapping, and the monitor raises the expected alerts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::documents::{any_knows, documents, fits, flat, json_file, leaves, of};
use crate::{ingest, query};

fn ingested() -> Vec<Value> {
    let pipeline = json_file("opensearch/ingest-pipeline.json");
    documents().into_iter().map(|document| ingest::run(&pipeline, document)).collect()
}

#[test]
fn the_output_of_the_pipeline_matches_the_mapping_and_uses_all_of_it() {
    let mapping = json_file("opensearch/index-template.json")["template"]["mappings"].clone();
    let all = ingested();
    for document in &all {
        for (name, value) in document.as_object().expect("an object") {
            if name != "_id" {
                fits(name, value, &mapping["properties"][name]);
            }
        }
        assert!(document["@timestamp"].is_string());
    }
    let all: Vec<&Value> = all.iter().collect();
    for name in leaves("", &mapping) {
        assert!(any_knows(&all, &name), "{name} is mapped, and no document has it");
    }
}

#[test]
fn the_monitor_raises_each_incident_once_and_the_severe_findings() {
    let monitor = json_file("opensearch/monitor.json");
    let mapping = json_file("opensearch/index-template.json")["template"]["mappings"].clone();
    let known: BTreeSet<String> = leaves("", &mapping).into_iter().collect();
    let all = ingested();
    let queries = monitor["inputs"][0]["doc_level_input"]["queries"].as_array().expect("queries");
    let raised = |name: &str| -> usize {
        let query = queries.iter().find(|query| query["name"] == name).expect("a query of that name");
        let query = query["query"].as_str().expect("a query");
        for name in query::names(query) {
            assert!(known.contains(&name), "{name} is not mapped");
        }
        all.iter().filter(|document| query::matches(query, &flat(document))).count()
    };
    let originals = documents();
    let tier = |tier: u64| of(&originals, "incident").iter().filter(|incident| incident["tier"] == tier).count();
    let findings = |severity: &str| {
        let of_it = |one: &&&Value| one["severity"] == severity && one["suppressed"].is_null();
        of(&originals, "finding").iter().filter(of_it).count()
    };
    assert_eq!((raised("tier2"), raised("tier1")), (tier(2), tier(1)));
    assert_eq!((raised("finding_critical"), raised("finding_high")), (findings("critical"), findings("high")));
    let mut asked = BTreeSet::new();
    for trigger in monitor["triggers"].as_array().expect("triggers") {
        let trigger = &trigger["document_level_trigger"];
        let source = trigger["condition"]["script"]["source"].as_str().expect("a condition");
        let name = source.strip_prefix("query[name=").and_then(|rest| rest.strip_suffix(']')).expect("a query's name");
        assert!(queries.iter().any(|query| query["name"] == name), "{name}");
        asked.insert(name.to_owned());
    }
    assert_eq!(asked.len(), queries.len(), "every query has a trigger");
}
