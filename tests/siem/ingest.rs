//! An interpreter for the subset of Elasticsearch and OpenSearch ingest pipelines that the examples use.

use serde_json::{Map, Value, json};

/// Runs a pipeline over a document.
pub fn run(pipeline: &Value, mut document: Value) -> Value {
    for processor in pipeline["processors"].as_array().expect("processors") {
        let (kind, how) = processor.as_object().and_then(|one| one.iter().next()).expect("a processor");
        if how["if"].as_str().is_none_or(|condition| holds(condition, &document)) {
            step(kind, how, &mut document, None);
        }
    }
    document
}

fn step(kind: &str, how: &Value, document: &mut Value, item: Option<&Value>) {
    let allowed: &[&str] = match kind {
        "set" => &["field", "value", "copy_from", "ignore_empty_value", "media_type", "if"],
        "date" => &["field", "formats", "target_field", "if"],
        "rename" => &["field", "target_field", "ignore_missing", "if"],
        "append" => &["field", "value", "allow_duplicates"],
        "foreach" => &["field", "ignore_missing", "processor", "if"],
        "dissect" => &["field", "pattern", "if"],
        other => panic!("processor {other}"),
    };
    for option in how.as_object().expect("options").keys() {
        assert!(allowed.contains(&option.as_str()), "{kind} has no option {option}");
    }
    let field = how["field"].as_str().expect("a field");
    match kind {
        "set" => {
            let value = match how["copy_from"].as_str() {
                Some(from) => at(document, from).cloned().unwrap_or(Value::Null),
                None => filled(&how["value"], document, item),
            };
            if value.is_null() || value == "" {
                assert_eq!(how["ignore_empty_value"], true, "{field} would be set to nothing");
            } else {
                put(document, field, value);
            }
        }
        "date" => {
            assert_eq!(how["formats"], json!(["ISO8601"]));
            let time = at(document, field).cloned().expect("a time");
            put(document, how["target_field"].as_str().expect("a target"), time);
        }
        "rename" => match take(document, field) {
            Some(value) => {
                let target = how["target_field"].as_str().expect("a target");
                assert!(at(document, target).is_none(), "{target} is there already");
                put(document, target, value);
            }
            None => assert_eq!(how["ignore_missing"], true, "{field} is missing"),
        },
        "append" => {
            let mut list = at(document, field).and_then(Value::as_array).cloned().unwrap_or_default();
            for value in how["value"].as_array().expect("values") {
                let value = filled(value, document, item);
                if how["allow_duplicates"] != false || !list.contains(&value) {
                    list.push(value);
                }
            }
            put(document, field, Value::Array(list));
        }
        "foreach" => {
            let (kind, inner) = how["processor"].as_object().and_then(|one| one.iter().next()).expect("a processor");
            for item in at(document, field).and_then(Value::as_array).cloned().unwrap_or_default() {
                step(kind, inner, document, Some(&item));
            }
        }
        _ => {
            assert_eq!(how["pattern"], "%{user.domain}\\%{user.name}", "the only pattern that is known here");
            let text = at(document, field).and_then(Value::as_str).expect("a text").to_owned();
            let (domain, name) = text.split_once('\\').expect("the pattern matches");
            put(document, "user.domain", json!(domain));
            put(document, "user.name", json!(name));
        }
    }
}

/// Whether a condition holds: clauses joined by `&&`.
fn holds(condition: &str, document: &Value) -> bool {
    condition.split(" && ").all(|clause| {
        let clause = clause.replace('?', "");
        let value = |path: &str| {
            let path = path.trim().strip_prefix("ctx.").unwrap_or_else(|| panic!("condition {condition}"));
            at(document, path).cloned().unwrap_or(Value::Null)
        };
        let text = |literal: &str| match literal.trim() {
            "null" => Value::Null,
            quoted => json!(quoted.trim_matches('\'').replace("\\\\", "\\")),
        };
        if let Some(path) = clause.strip_suffix(".size() > 0") {
            !value(path).as_array().expect("a list").is_empty()
        } else if let Some((path, literal)) =
            clause.strip_suffix(')').and_then(|clause| clause.split_once(".contains("))
        {
            value(path).as_str().expect("a text").contains(text(literal).as_str().expect("a text"))
        } else if let Some((path, literal)) = clause.split_once(" == ") {
            value(path) == text(literal)
        } else if let Some((path, literal)) = clause.split_once(" != ") {
            value(path) != text(literal)
        } else {
            panic!("condition {condition}")
        }
    })
}

/// A value with its templates expanded.
fn filled(value: &Value, document: &Value, item: Option<&Value>) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{{") {
        let (path, tail) = tail.split_once("}}}").expect("an end of the template");
        out.push_str(before);
        let found = match path.strip_prefix("_ingest.") {
            Some("timestamp") => Some(json!("2026-01-01T00:00:00.000Z")),
            Some(path) => at(item.expect("in a foreach"), path.strip_prefix("_value.").expect("the value")).cloned(),
            None => at(document, path).cloned(),
        };
        match found.unwrap_or(Value::Null) {
            Value::Null => {}
            Value::String(text) => out.push_str(&text),
            other => out.push_str(&other.to_string()),
        }
        rest = tail;
    }
    out.push_str(rest);
    Value::String(out)
}

/// The value at a dotted path; numbers are list indices.
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, part| match part.parse::<usize>() {
        Ok(place) => value.get(place),
        Err(_) => value.get(part),
    })
}

fn put(document: &mut Value, path: &str, value: Value) {
    let mut place = document;
    for part in path.split('.') {
        let members =
            place.as_object_mut().unwrap_or_else(|| panic!("{path} goes through something that is no object"));
        place = members.entry(part).or_insert_with(|| Value::Object(Map::new()));
    }
    *place = value;
}

fn take(document: &mut Value, path: &str) -> Option<Value> {
    let (parent, name) = path.rsplit_once('.').map_or(("", path), |(parent, name)| (parent, name));
    let parent = if parent.is_empty() { Some(document) } else { at_mut(document, parent) };
    parent.and_then(Value::as_object_mut).and_then(|members| members.remove(name))
}

fn at_mut<'a>(document: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').try_fold(document, |value, part| value.get_mut(part))
}
