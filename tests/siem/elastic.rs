//! Elastic: the output of the pipeline matches the mapping, and the rules raise the expected alerts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::documents::{any_knows, documents, fits, flat, folder, json_file, leaves, of, read};
use crate::{ingest, query};

fn ingested() -> Vec<Value> {
    let pipeline = json_file("elastic/ingest-pipeline.json");
    documents().into_iter().map(|document| ingest::run(&pipeline, json!({ "backchannel": document }))).collect()
}

fn mapping() -> Value {
    json_file("elastic/component-template.json")["template"]["mappings"].clone()
}

fn rules() -> Vec<Value> {
    let text = read(&format!("{}/elastic/rules.ndjson", folder()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_output_of_the_pipeline_matches_the_mapping() {
    let mapping = mapping();
    for document in ingested() {
        for (name, value) in document.as_object().expect("an object") {
            if name != "_id" {
                fits(name, value, &mapping["properties"][name]);
            }
        }
    }
}

#[test]
fn every_field_of_the_mapping_is_in_a_document() {
    let all = ingested();
    let all: Vec<&Value> = all.iter().collect();
    for name in leaves("", &mapping()) {
        let only_on_errors = name == "error.message";
        assert!(any_knows(&all, &name) || only_on_errors, "{name} is mapped, and no document has it");
    }
}

#[test]
fn every_document_has_a_time_and_a_unique_id() {
    let all = ingested();
    let kept: Vec<&Value> = all.iter().filter(|document| document["event"]["kind"] == "alert").collect();
    let ids: BTreeSet<&str> = kept.iter().filter_map(|document| document["_id"].as_str()).collect();
    assert_eq!(ids.len(), kept.len());
    assert!(ids.iter().all(|id| id.len() <= 512), "_id has 512 bytes at most");
    assert!(all.iter().all(|document| document["@timestamp"].is_string()));
}

#[test]
fn severity_user_process_and_record_reach_their_ecs_fields() {
    let all = ingested();
    let findings: Vec<&Value> = all.iter().filter(|document| document["backchannel"]["type"] == "finding").collect();
    for finding in &findings {
        let ours = &finding["backchannel"];
        let number = match ours["severity"].as_str() {
            Some("critical") => 99,
            Some("high") => 73,
            Some("medium") => 47,
            Some("low") => 21,
            _ => 1,
        };
        assert_eq!((&finding["event"]["severity"], &finding["event"]["risk_score"]), (&json!(number), &json!(number)));
        assert_eq!(finding["host"]["name"], ours["host"]);
        assert_eq!(finding["threat"]["technique"]["id"], ours["techniques"]);
        assert_eq!(finding["rule"]["id"], ours["analytic"]);
        assert_eq!(finding["log"]["file"]["path"], ours["evidence"][0]["source"]);
        assert_eq!(finding["event"]["code"], json!(ours["evidence"][0]["event_id"].to_string()));
        let actor = if ours["client"].is_null() { &ours["server"] } else { &ours["client"] };
        assert_eq!(finding["process"]["name"].as_str().unwrap_or(""), actor["name"].as_str().unwrap_or(""), "{actor}");
    }
    assert!(findings.iter().any(|finding| finding["user"]["domain"] == "CORP"));
}

#[test]
fn the_rules_raise_each_incident_once_and_the_severe_findings() {
    let all = ingested();
    let raised = |rule: &Value| -> Vec<&Value> {
        let query = rule["query"].as_str().expect("a query");
        all.iter().filter(|document| query::matches(query, &flat(document))).collect()
    };
    let rules = rules();
    let [two, one, findings] = rules.as_slice() else { panic!("three rules") };
    let originals = documents();
    let incidents = of(&originals, "incident");
    let count = |tier: u64| incidents.iter().filter(|incident| incident["tier"] == tier).count();
    assert!(raised(two).len() == count(2) && raised(one).len() == count(1) && count(1) > 0 && count(2) > 0);
    assert!(raised(two).iter().all(|document| document["backchannel"]["tier"] == 2));
    let severe = of(&originals, "finding").into_iter().filter(|finding| {
        finding["suppressed"].is_null() && (finding["severity"] == "high" || finding["severity"] == "critical")
    });
    assert_eq!(raised(findings).len(), severe.count());
}

#[test]
fn the_rules_name_fields_that_are_mapped_and_read_the_data_stream() {
    let mapping = mapping();
    let known: BTreeSet<String> = leaves("", &mapping).into_iter().collect();
    let template = json_file("elastic/index-template.json");
    let mut ids = BTreeSet::new();
    for rule in rules() {
        let mut names = query::names(rule["query"].as_str().expect("a query"));
        let text = |value: &Value| value.as_str().expect("a field").to_owned();
        for list in ["severity_mapping", "risk_score_mapping"] {
            names.extend(rule[list].as_array().expect("a list").iter().map(|one| text(&one["field"])));
        }
        for list in [&rule["investigation_fields"]["field_names"], &rule["alert_suppression"]["group_by"]] {
            names.extend(list.as_array().expect("a list").iter().map(text));
        }
        names.push(text(&rule["timestamp_override"]));
        names.extend(rule.get("rule_name_override").map(text));
        for name in names {
            assert!(known.contains(&name), "{}: {name} is not mapped", rule["name"]);
        }
        assert_eq!(rule["index"], template["index_patterns"]);
        assert!(rule["threat"][0]["technique"][0]["id"] == "T1559" && ids.insert(rule["rule_id"].to_string()));
    }
    assert_eq!(template["composed_of"], json!(["backchannel-alert@mappings"]));
    let load = read(&format!("{}/elastic/load.sh", folder()));
    assert!(load.contains("_component_template/backchannel-alert@mappings"));
    let pipeline = template["template"]["settings"]["index"]["default_pipeline"].as_str().expect("a pipeline");
    assert!(load.contains(&format!("_ingest/pipeline/{pipeline} ")));
}
