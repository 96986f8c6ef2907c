//! Splunk: the add-on's files can be parsed, their expressions match our documents, and the fields of searches are
//! extracted.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::documents::{any_knows, documents, files, folder, lines, of, read};

type Conf = BTreeMap<String, BTreeMap<String, String>>;

/// A .conf file: stanzas of settings; `\` at the end of a line continues it.
fn conf(name: &str) -> Conf {
    let path = format!("{}/splunk/TA-backchannel/default/{name}.conf", folder());
    let text = read(&path).replace("\\\n", "");
    let mut all = Conf::new();
    let mut stanza = String::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            stanza = name.to_owned();
            assert!(all.insert(stanza.clone(), BTreeMap::new()).is_none(), "{path}: [{stanza}] comes twice");
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{path}: {line}"));
            let settings = all.get_mut(&stanza).unwrap_or_else(|| panic!("{path}: {line} is before the first stanza"));
            let before = settings.insert(key.trim().to_owned(), value.trim().to_owned());
            assert!(before.is_none(), "{path}: {key} comes twice in [{stanza}]");
        }
    }
    all
}

#[test]
fn each_line_gets_the_sourcetype_of_its_kind_its_time_and_its_host() {
    let (props, transforms) = (conf("props"), conf("transforms"));
    let input = &props["backchannel:json"];
    let prefix = Regex::new(&input["TIME_PREFIX"]).expect("an expression");
    let regex = |name: &str| Regex::new(&transforms[name]["REGEX"]).expect("an expression");
    for line in lines() {
        let document: Value = serde_json::from_str(line).expect("JSON");
        let kind = document["type"].as_str().expect("a type");
        let names = input["TRANSFORMS-backchannel_kind"].split(',').map(str::trim);
        let named: Vec<String> = names
            .filter(|name| transforms[*name]["DEST_KEY"] == "MetaData:Sourcetype" && regex(name).is_match(line))
            .map(|name| transforms[name]["FORMAT"].clone())
            .collect();
        assert_eq!(named, [format!("sourcetype::backchannel:{kind}")]);
        let time = match kind {
            "finding" => &document["time"],
            "incident" => &document["last_seen"],
            _ => &document["last_time"],
        };
        let end = prefix.find(line).unwrap_or_else(|| panic!("no time in {line}")).end();
        assert!(line[end..].starts_with(time.as_str().expect("a time")), "{kind}: {}", &line[end..end + 40]);
        assert!(line.len() < input["TRUNCATE"].parse().expect("a number"));
        let host = regex("backchannel_host").captures(line).map(|found| found[1].to_owned());
        assert_eq!(host.as_deref(), document["host"].as_str());
    }
}

#[test]
fn extracted_fields_are_in_the_documents() {
    let props = conf("props");
    let all = documents();
    let path = Regex::new(r#"spath\(_raw, "([^"]+)"\)"#).expect("an expression");
    for kind in ["finding", "incident"] {
        let documents = of(&all, kind);
        for (name, value) in &props[&format!("backchannel:{kind}")] {
            for found in path.captures_iter(value) {
                let field = found[1].replace("{}", "");
                assert!(any_knows(&documents, &field), "{kind}: {name} takes {field}, which no document has");
                let list = documents.iter().any(|one| one[field.split('.').next().unwrap_or("")].is_array());
                assert!(!list || found[1].contains("{}"), "{kind}: {name}: {field} is in a list");
            }
        }
        for field in ["app", "type", "id", "signature", "signature_id", "description", "severity", "dest", "user"] {
            let name = format!("EVAL-{field}");
            assert!(props[&format!("backchannel:{kind}")].contains_key(&name), "the Alerts data model wants {field}");
        }
    }
}

#[test]
fn searches_name_existing_fields_and_macros() {
    let (props, macros, searches) = (conf("props"), conf("macros"), conf("savedsearches"));
    let used = Regex::new(r"`([a-z_]+)(?:\(([^)]*)\))?`").expect("an expression");
    let compared = Regex::new(r"where ([a-z_]+)[>=]").expect("an expression");
    let token = Regex::new(r"\$([a-z_]+)\$").expect("an expression");
    let exists = |text: &str| {
        for found in used.captures_iter(text) {
            let name = if found.get(2).is_some() { format!("{}(1)", &found[1]) } else { found[1].to_owned() };
            assert!(macros.contains_key(&name), "no macro {name}, used in {text}");
        }
    };
    macros.values().for_each(|settings| exists(&settings["definition"]));
    assert_eq!(searches.len(), 3);
    for (name, settings) in &searches {
        let search = &settings["search"];
        exists(search);
        let kind = if search.contains("`backchannel_incidents`") { "incident" } else { "finding" };
        let stanza = &props[&format!("backchannel:{kind}")];
        let mut known: BTreeSet<&str> = stanza.keys().filter_map(|key| key.strip_prefix("EVAL-")).collect();
        known.extend(["_time", "annotations.mitre_attack", "info_min_time", "info_max_time"]);
        let table = search.split("| table ").nth(1).expect("a table");
        let table: Vec<&str> = table.split(',').map(str::trim).collect();
        let compared = compared.captures_iter(search).map(|found| found.get(1).expect("a field").as_str());
        for field in table.iter().copied().chain(compared) {
            assert!(known.contains(field), "{name}: no field {field} for a {kind}");
        }
        for key in ["action.notable.param.rule_title", "action.notable.param.drilldown_searches"] {
            for found in token.captures_iter(&settings[key]) {
                let field = found.get(1).expect("a field").as_str();
                assert!(table.contains(&field) || field.starts_with("info_"), "{name}: ${field}$ is not in its table");
            }
        }
        for key in ["annotations", "drilldown_searches", "_risk"] {
            let (_, text) = settings.iter().find(|(name, _)| name.ends_with(key)).expect("a setting");
            let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {key}: {error}"));
            for one in value.as_array().into_iter().flatten() {
                exists(one["search"].as_str().unwrap_or(""));
                let risk = one["risk_object_field"].as_str();
                assert!(risk.is_none_or(|field| table.contains(&field)), "{name}: {one}");
            }
        }
        assert_eq!(settings["disabled"], "1");
    }
}

#[test]
fn the_files_are_consistent() {
    let (props, events, tags) = (conf("props"), conf("eventtypes"), conf("tags"));
    for (name, settings) in &events {
        let sourcetype = settings["search"].split('"').nth(1).expect("a sourcetype");
        assert!(props.contains_key(sourcetype), "{name}");
        assert_eq!(tags[&format!("eventtype={name}")]["alert"], "enabled");
    }
    for (name, settings) in conf("inputs") {
        assert!(props.contains_key(&settings["sourcetype"]) && settings["disabled"] == "1", "{name}");
    }
    let app = conf("app");
    assert_eq!(
        (&app["package"]["id"], &app["id"]["name"]),
        (&"TA-backchannel".to_owned(), &"TA-backchannel".to_owned())
    );
    assert_eq!(app["launcher"]["version"], app["id"]["version"]);
    assert_eq!(files(&format!("{}/splunk", folder()), &["follow.sh", "default.meta"]).len(), 2);
}
