//! Wazuh: the rules are well formed, and give each of our documents, shortened, the expected level.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use regex::Regex;
use serde_json::Value;

use crate::documents::{folder, lines, read};

#[derive(Default, Debug)]
struct Rule {
    id: u32,
    level: u32,
    parent: Option<u32>,
    fields: Vec<(String, Regex)>,
    mitre: Vec<String>,
    description: String,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.try_get_attribute(name).expect("attributes").unwrap_or_else(|| panic!("no attribute {name}"));
    found.value.into_owned()
}

fn rules() -> Vec<Rule> {
    let text = read(&format!("{}/wazuh/backchannel_rules.xml", folder()));
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let (mut all, mut path, mut field) = (Vec::<Rule>::new(), Vec::<String>::new(), String::new());
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if name == "rule" {
                    let number = |name: &str| attribute(&start, name).parse().expect("a number");
                    all.push(Rule { id: number("id"), level: number("level"), ..Rule::default() });
                } else if name == "field" {
                    assert_eq!(attribute(&start, "type"), "pcre2");
                    field = attribute(&start, "name");
                }
                path.push(name);
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text = text.to_string();
                let (Some(rule), [.., last]) = (all.last_mut(), path.as_slice()) else { continue };
                match last.as_str() {
                    "if_sid" => rule.parent = Some(text.parse().expect("a number")),
                    "field" => rule.fields.push((field.clone(), Regex::new(&text).expect("an expression"))),
                    "id" => rule.mitre.push(text),
                    "description" => rule.description.push_str(&text),
                    "decoded_as" => assert_eq!(text, "json"),
                    "group" | "options" | "rule" | "mitre" => {}
                    other => panic!("element {other}"),
                }
            }
            Event::Eof => return all,
            _ => {}
        }
    }
}

/// The fields of a document as Wazuh's JSON decoder extracts them: lists are one string, nulls the string "null".
fn decoded(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                decoded(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, value, into);
            }
        }
        Value::String(text) => drop(into.insert(name.to_owned(), text.clone())),
        other => drop(into.insert(name.to_owned(), other.to_string())),
    }
}

/// The final rule that matches a document.
fn ends_at<'a>(rules: &'a [Rule], fields: &BTreeMap<String, String>) -> Option<&'a Rule> {
    let mut last: Option<&Rule> = None;
    loop {
        let parent = last.map(|rule| rule.id);
        let mut children: Vec<&Rule> = rules.iter().filter(|rule| rule.parent == parent).collect();
        // Rules of level 0 are evaluated first, then by descending level.
        children.sort_by_key(|rule| (rule.level != 0, std::cmp::Reverse(rule.level)));
        let matches = |rule: &&&Rule| {
            rule.fields.iter().all(|(name, regex)| fields.get(name).is_some_and(|value| regex.is_match(value)))
        };
        match children.iter().find(matches) {
            Some(rule) => last = Some(rule),
            None => return last,
        }
    }
}

#[test]
fn rule_ids_are_in_our_range_and_parents_come_first() {
    let rules = rules();
    for (place, rule) in rules.iter().enumerate() {
        assert!((100_800..100_900).contains(&rule.id) && rule.level <= 15, "{rule:?}");
        assert!(rules[..place].iter().all(|before| before.id != rule.id), "{} comes twice", rule.id);
        let parent = rule.parent.is_none_or(|parent| rules[..place].iter().any(|before| before.id == parent));
        assert!(parent && !rule.fields.is_empty() && !rule.description.is_empty(), "{rule:?}");
        assert_eq!(rule.level > 0, !rule.mitre.is_empty(), "{rule:?}");
    }
}

/// Our documents after trim.jq; `None` if jq is not installed.
fn trimmed() -> Option<Vec<String>> {
    let filter = format!("{}/wazuh/trim.jq", folder());
    let child =
        Command::new("jq").args(["-c", "-f", &filter]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    Some(through(child))
}

fn through(mut child: std::process::Child) -> Vec<String> {
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(lines().join("\n").as_bytes()));
    let output = child.wait_with_output().expect("jq ends");
    writer.join().expect("it ends").expect("jq reads all");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn each_document_matches_the_rule_of_its_severity_technique_and_tier() {
    let Some(trimmed) = trimmed() else {
        eprintln!("SKIPPED: jq is not here");
        return;
    };
    let rules = rules();
    let place = Regex::new(r"\$\(([^)]+)\)").expect("an expression");
    let mut tiers = [0; 2];
    assert_eq!(trimmed.len(), lines().len() - 1, "all but the summary");
    for line in &trimmed {
        assert!(line.len() < 65_000, "Wazuh cuts lines of 65,536 bytes");
        let document: Value = serde_json::from_str(line).expect("JSON");
        let ours = &document["backchannel"];
        let mut fields = BTreeMap::new();
        decoded("", &document, &mut fields);
        assert!(fields.len() < 256, "Wazuh takes 256 fields");
        let rule = ends_at(&rules, &fields).expect("a rule");
        if ours["suppressed"] == "yes" {
            assert_eq!(rule.level, 0, "{line}");
            continue;
        }
        for found in place.captures_iter(&rule.description) {
            assert!(fields.contains_key(&found[1]), "rule {} names {}, which is not in {line}", rule.id, &found[1]);
        }
        let severity = ours["severity"].as_str().expect("a severity");
        if ours["type"] == "finding" {
            let level = BTreeMap::from([("critical", 14), ("high", 12), ("medium", 8), ("low", 5), ("info", 3)]);
            assert_eq!(rule.level, level[severity], "{line}");
            for id in &rule.mitre {
                let parent = ours["techniques"]
                    .as_array()
                    .expect("ids")
                    .iter()
                    .any(|one| one.as_str().is_some_and(|one| one == id || one.starts_with(&format!("{id}."))));
                assert!(parent, "rule {} says {id}, and it is {}", rule.id, ours["techniques"]);
            }
        } else {
            let tier = ours["tier"].as_u64().expect("a tier");
            tiers[usize::from(tier == 2)] += 1;
            assert!(if tier == 2 { rule.level >= 13 } else { (5..=10).contains(&rule.level) }, "{line}");
        }
    }
    assert!(tiers[1] > 0, "{tiers:?}");
}

#[test]
fn the_agent_s_configuration_is_well_formed() {
    let text = read(&format!("{}/wazuh/ossec.conf", folder()));
    let mut reader = Reader::from_str(&text);
    let mut names = Vec::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) => names.push(start.name().as_ref().to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    for name in ["ossec_config", "localfile", "log_format", "location", "wodle", "command", "interval"] {
        assert!(names.iter().any(|one| one == name), "{name}");
    }
}
