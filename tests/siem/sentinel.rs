//! Microsoft Sentinel: the stream has a column for every field of our documents, and the queries are valid according to
//! the Kusto language service.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::documents::{documents, folder, json_file};

fn resources(template: &Value, kind: &str) -> Vec<Value> {
    let all = template["resources"].as_array().expect("resources");
    all.iter().filter(|one| one["type"].as_str().is_some_and(|name| name.ends_with(kind))).cloned().collect()
}

#[test]
fn the_stream_has_a_column_of_the_right_type_for_every_field() {
    let template = json_file("sentinel/azuredeploy.json");
    let rule = &resources(&template, "/dataCollectionRules")[0]["properties"];
    let columns = rule["streamDeclarations"]["Custom-Backchannel"]["columns"].as_array().expect("columns");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let columns: BTreeMap<String, String> =
        columns.iter().map(|column| (text(&column["name"]), text(&column["type"]))).collect();
    let mut unused: Vec<&String> = columns.keys().collect();
    for document in documents().iter().filter(|document| document["type"] != "summary") {
        for (name, value) in document.as_object().expect("an object") {
            let kind = columns.get(name).unwrap_or_else(|| panic!("{name} is not in the stream"));
            unused.retain(|one| *one != name);
            let right = match kind.as_str() {
                "string" => value.is_string(),
                "datetime" => value.as_str().is_some_and(|text| text.ends_with('Z')),
                "int" => value.is_i64(),
                "dynamic" => value.is_array() || value.is_object(),
                other => panic!("{name}: {other}"),
            };
            assert!(right || value.is_null(), "{name} is declared as {kind}, and is {value}");
        }
    }
    assert!(unused.is_empty(), "no document has {unused:?}");
    let transform = rule["dataFlows"][0]["transformKql"].as_str().expect("a query");
    for name in columns.keys() {
        assert!(
            transform.contains(&format!("['{name}']")) || transform.contains(&format!("({name}")),
            "{name} is lost"
        );
    }
}

#[test]
fn each_rule_has_severity_techniques_and_a_reference_to_the_record() {
    let template = json_file("sentinel/azuredeploy.json");
    let alerts = resources(&template, "/alertRules");
    assert_eq!(alerts.len(), 3);
    for alert in alerts {
        let rule = &alert["properties"];
        assert!(rule["techniques"] == serde_json::json!(["T1559"]) && rule["enabled"] == false);
        assert_eq!(rule["alertDetailsOverride"]["alertSeverityColumnName"], "AlertSeverity");
        let details = rule["customDetails"].as_object().expect("details");
        assert!(details.len() <= 20, "20 custom details at most");
        assert!(
            ["BackchannelId", "Records", "RecordSources", "Techniques"].iter().all(|key| details.contains_key(*key))
        );
        for format in ["alertDisplayNameFormat", "alertDescriptionFormat"] {
            let format = rule["alertDetailsOverride"][format].as_str().expect("a format");
            assert!(format.matches("{{").count() <= 3, "three columns at most in {format}");
        }
    }
}

#[test]
fn the_queries_parse_and_bind() {
    let check = format!("{}/sentinel/check.js", folder());
    let Ok(output) = Command::new("node").arg(&check).output() else {
        eprintln!("SKIPPED: node is not here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    if text.starts_with("SKIPPED") {
        eprintln!("{text}");
    }
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
