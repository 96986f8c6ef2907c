//! Sigma: the rules name fields of our documents; sigma-cli, if installed, checks and converts them.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::documents::{any_knows, documents, files, flat, folder, lines, of, read};
use crate::query;

fn rules() -> Vec<String> {
    files(&format!("{}/sigma/rules", folder()), &[".yml"])
}

/// The fields that the selections of a rule name: the keys two levels below `detection`.
fn selected(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        inside = (inside && indent > 0) || line == "detection:";
        if inside && indent == 8 && !line.trim_start().starts_with('-') {
            let key = line.trim_start().split([':', '|']).next().unwrap_or_default();
            fields.push(key.to_owned());
        }
    }
    fields
}

#[test]
fn the_rules_name_fields_of_our_documents() {
    let all = documents();
    for path in rules() {
        for part in read(&path).split("\n---\n") {
            let fields = selected(part);
            assert!(!fields.is_empty() || part.contains("\ncorrelation:\n"), "{path} selects nothing");
            let kind = if part.contains("service: incident") { "incident" } else { "finding" };
            for field in fields {
                assert!(any_knows(&of(&all, kind), &field), "{path}: no {kind} has {field}");
            }
        }
    }
}

#[test]
fn the_techniques_of_the_rules_are_in_our_documents() {
    let printed: BTreeSet<String> = lines()
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .flat_map(|document| document["techniques"].as_array().cloned().unwrap_or_default())
        .filter_map(|id| id.as_str().map(|id| format!("attack.{}", id.to_lowercase())))
        .collect();
    for path in rules() {
        let text = read(&path);
        let tags = text.lines().filter_map(|line| line.trim().strip_prefix("- attack.t"));
        let tags: Vec<String> = tags.map(|tag| format!("attack.t{tag}")).collect();
        assert!(!tags.is_empty() && tags.iter().all(|tag| printed.contains(tag)), "{path}: {tags:?}");
    }
}

/// Whether it succeeded, its standard output and its standard error.
fn sigma(arguments: &[&str]) -> Option<(bool, String, String)> {
    let program = std::env::var("SIGMA").unwrap_or_else(|_| "sigma".to_owned());
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((output.status.success(), text(&output.stdout), text(&output.stderr)))
}

#[test]
fn sigma_cli_accepts_and_converts_the_rules() {
    let (rules, here) = (format!("{}/sigma/rules", folder()), format!("{}/sigma", folder()));
    let config = format!("{here}/check.yml");
    let check = ["check", "--fail-on-error", "--fail-on-issues", "--validation-config", &config, &rules];
    let Some((ok, text, error)) = sigma(&check) else {
        eprintln!("SKIPPED: sigma (PyPI sigma-cli) is not here");
        return;
    };
    assert!(ok && text.contains("0 errors, 0 condition errors and 0 issues"), "{text}{error}");
    let (elastic, splunk) = (format!("{here}/pipelines/elastic.yml"), format!("{here}/pipelines/splunk.yml"));
    let all = documents();
    let targets = sigma(&["list", "targets"]).expect("it ran before").1;
    for (target, pipeline) in [("lucene", Some(&elastic)), ("opensearch_lucene", None), ("splunk", Some(&splunk))] {
        if !targets.contains(&format!(" {target} ")) {
            eprintln!("SKIPPED: sigma-cli has no backend {target}");
            continue;
        }
        for tier in [1, 2] {
            let rule = format!("{rules}/backchannel_incident_tier_{tier}.yml");
            let mut arguments = vec!["convert", "-t", target];
            match pipeline {
                Some(pipeline) => arguments.extend(["-p", pipeline]),
                None => arguments.push("--without-pipeline"),
            }
            arguments.push(&rule);
            let (ok, text, error) = sigma(&arguments).expect("it ran before");
            let query = text.lines().rfind(|line| !line.is_empty()).unwrap_or_default().to_owned();
            assert!(ok, "{text}{error}");
            if target == "splunk" {
                let where_it_lies = "index=\"backchannel\" sourcetype=\"backchannel:incident\"";
                let wanted = format!("{where_it_lies} document_type=\"incident\" tier={tier}");
                assert!(query.starts_with(&wanted), "{query}");
                continue;
            }
            let found = all.iter().filter(|document| {
                let below = serde_json::json!({ "backchannel": document, "event": { "module": "backchannel" } });
                query::matches(&query, &flat(if pipeline.is_some() { &below } else { document }))
            });
            let wanted = of(&all, "incident").into_iter().filter(|incident| incident["tier"] == tier);
            assert_eq!(found.count(), wanted.count(), "{query}");
        }
    }
}
