//! The documents of the sample, and helpers to inspect documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

/// The root of the project.
pub fn root() -> String {
    format!("{}/../..", env!("CARGO_MANIFEST_DIR"))
}

/// The folder `examples/siem`.
pub fn folder() -> String {
    format!("{}/examples/siem", root())
}

/// A file's text.
pub fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A JSON file.
pub fn json_file(name: &str) -> Value {
    let path = format!("{}/{name}", folder());
    serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder whose name has one of the endings, sorted.
pub fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(folder)).expect("a folder").flatten() {
        let path = entry.path().display().to_string();
        if entry.path().is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The output of the program for the sample, with an allow rule for one analytic, so that there are suppressed
/// findings.
pub fn lines() -> &'static [String] {
    static LINES: OnceLock<Vec<String>> = OnceLock::new();
    LINES.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = folder.path().join("site.toml");
        let allow = "[[allow]]\nname = \"test\"\nreason = \"a reason\"\nowner = \"us\"\nanalytics = [\"IPC-UX-013\"]\n";
        fs::write(&settings, format!("{allow}expires = 2030-01-01\n")).expect("it is written");
        let output = Command::new(env!("CARGO_BIN_EXE_backchannel"))
            .current_dir(root())
            .args(["replay", "examples/logs", "--format", "jsonl", "--fail-on", "never", "--config"])
            .arg(&settings)
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
    })
}

/// The same, parsed, with an additional tier 1 incident, of which the sample has none.
pub fn documents() -> Vec<Value> {
    let mut all: Vec<Value> = lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut quiet = of(&all, "incident").first().map(|one| (*one).clone()).expect("an incident");
    quiet["tier"] = json!(1);
    quiet["id"] = json!("00000000000000aa");
    quiet["severity"] = json!("medium");
    all.push(quiet);
    assert!(of(&all, "finding").iter().any(|finding| !finding["suppressed"].is_null()), "one is suppressed");
    assert!(of(&all, "finding").iter().any(|finding| finding["severity"] == "high"), "one is of high severity");
    assert_eq!(of(&all, "summary").len(), 1);
    all
}

/// Documents of a type.
pub fn of<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|document| document["type"] == kind).collect()
}

/// Whether a document has a field, searching lists too. True below an empty list or a null, where it cannot be decided.
pub fn knows(document: &Value, path: &[&str]) -> bool {
    match (document, path) {
        (_, []) | (Value::Null, _) => true,
        (Value::Array(list), _) => list.is_empty() || list.iter().any(|one| knows(one, path)),
        (Value::Object(members), [first, rest @ ..]) => members.get(*first).is_some_and(|value| knows(value, rest)),
        _ => false,
    }
}

/// Whether any of the documents has the field.
pub fn any_knows(documents: &[&Value], path: &str) -> bool {
    let path: Vec<&str> = path.split('.').collect();
    documents.iter().any(|document| knows(document, &path))
}

/// The fields of a document with dotted names; nulls are left out.
pub fn flat(document: &Value) -> BTreeMap<String, Vec<Value>> {
    fn walk(name: &str, value: &Value, into: &mut BTreeMap<String, Vec<Value>>) {
        match value {
            Value::Null => {}
            Value::Array(list) => list.iter().for_each(|one| walk(name, one, into)),
            Value::Object(members) => {
                for (key, value) in members {
                    let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    walk(&name, value, into);
                }
            }
            other => into.entry(name.to_owned()).or_default().push(other.clone()),
        }
    }
    let mut fields = BTreeMap::new();
    walk("", document, &mut fields);
    fields
}

/// Asserts that a value matches a node of a mapping.
pub fn fits(name: &str, value: &Value, node: &Value) {
    let time = |text: &str| text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    match value {
        Value::Null => return,
        Value::Array(list) => return list.iter().for_each(|one| fits(name, one, node)),
        _ => {}
    }
    assert!(!node.is_null(), "{name} is not mapped");
    if node["enabled"] == false || node["type"] == "flattened" {
        return;
    }
    if let Some(properties) = node.get("properties") {
        let members = value.as_object().unwrap_or_else(|| panic!("{name} is mapped as an object, and is {value}"));
        for (key, value) in members {
            fits(&format!("{name}.{key}"), value, &properties[key]);
        }
        return;
    }
    let kind = node["type"].as_str().unwrap_or_else(|| panic!("{name} has no type"));
    let right = match kind {
        "keyword" | "text" | "match_only_text" | "wildcard" => value.is_string(),
        "long" => value.is_i64(),
        "byte" => value.as_i64().is_some_and(|number| i8::try_from(number).is_ok()),
        "float" => value.is_number(),
        "boolean" => value.is_boolean(),
        "date" => value.as_str().is_some_and(time),
        other => panic!("{name}: mapping type {other}"),
    };
    assert!(right, "{name} is mapped as {kind}, and is {value}");
}

/// The names of all leaves of a mapping.
pub fn leaves(name: &str, node: &Value) -> Vec<String> {
    match node.get("properties").and_then(Value::as_object) {
        Some(properties) => properties
            .iter()
            .flat_map(|(key, node)| leaves(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, node))
            .collect(),
        None => vec![name.to_owned()],
    }
}
