//! Tests of the parser, and of the agreement between parser, schema and types.

use backchannel_events::Severity;
use serde_json::{Map, Value, json};

use super::*;
use crate::plan::{Key, SETTINGS, Shape};

const CATALOGUE: Catalogue<'static> = Catalogue {
    analytics: &["IPC-A-001", "IPC-B-002"],
    joining: &["IPC-B-002"],
    thresholds: &[Threshold { analytic: "IPC-A-001", name: "targets", default: 5, min: 2, max: 60, unit: "machines" }],
};

fn errors(json: &str) -> Vec<(String, String)> {
    parse_for(json, &CATALOGUE).unwrap_err().into_iter().map(|error| (error.pointer, error.allowed)).collect()
}

#[test]
fn every_error_is_reported_with_its_place() {
    let errors = errors(
        r#"{"analytic": 1, "admin_hosts": "x", "iocs": [{"type": "hsh", "value": "a"}], "allow": [{"name": "n"}]}"#,
    );
    let places: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    let expected = ["/analytic", "/admin_hosts", "/iocs/0/type", "/allow/0/reason", "/allow/0/owner", "/allow/0"];
    assert_eq!(places, expected);
    assert!(errors[2].1.contains("hash, image, channel"), "{errors:?}");
}

#[test]
fn invalid_json_is_reported_with_line_and_column() {
    let error = &parse("{\n  \"allow\": [}").unwrap_err()[0];
    assert_eq!((error.line, error.column), (2, 13));
}

#[test]
fn an_allow_rule_without_a_condition_is_an_error() {
    let errors = errors(r#"{"allow": [{"name": "n", "reason": "r", "owner": "o"}]}"#);
    assert_eq!(errors[0].0, "/allow/0");
    assert!(errors[0].1.contains("analytics, hosts"), "{errors:?}");
}

#[test]
fn missing_keys_have_their_defaults() {
    assert_eq!(parse("{}").unwrap(), Settings::default());
    let settings = parse(r#"{"analytics": {"IPC-DCOM-006": {"severity": "low"}}}"#).unwrap();
    let setting = settings.analytics["IPC-DCOM-006"];
    assert_eq!((setting.enabled, setting.severity), (None, Some(Severity::Low)));
}

#[test]
fn an_expiry_is_a_date_or_a_moment() {
    let rule = |expires: &str| {
        format!(
            r#"{{"allow": [{{"name": "n", "reason": "r", "owner": "o", "hosts": ["h"], "expires": "{expires}"}}]}}"#
        )
    };
    assert_eq!(parse(&rule("2027-01-31")).unwrap().allow[0].expires.unwrap().to_string(), "2027-01-31T23:59:59.000Z");
    assert!(parse(&rule("2027-01-31T12:00:00Z")).is_ok());
    assert_eq!(errors(&rule("soon"))[0].0, "/allow/0/expires");
}

#[test]
fn an_invalid_pattern_is_reported_with_the_reason() {
    let errors = errors(r#"{"PipeNamePattern": ["^ok$", "a(b"], "TimeWindow": 0}"#);
    assert_eq!(errors[0].0, "/PipeNamePattern/1");
    assert!(errors[0].1.contains("unclosed group"), "{errors:?}");
    assert_eq!(
        errors[1],
        (
            "/TimeWindow".to_owned(),
            "a whole number from 1 to 3600, or an object with ids of analytics as keys".to_owned()
        )
    );
    let huge = format!(r#"{{"PipeNamePattern": {{"legitimate": ["(a{{1000}}){{1000}}", {:?}]}}}}"#, "x".repeat(600));
    let places: Vec<String> = self::errors(&huge).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(places, ["/PipeNamePattern/legitimate/0", "/PipeNamePattern/legitimate/1"]);
}

#[test]
fn an_unknown_id_is_an_error_that_lists_the_known_ones() {
    let errors = errors(
        r#"{"analytics": {"IPC/X": {}}, "thresholds": {"IPC-B-002": {"a": 1}, "IPC-A-001": {"target": 3, "targets": 1}},
            "TimeWindow": {"IPC-A-001": 5}}"#,
    );
    let expected = [
        ("/analytics/IPC~1X", "the id of an analytic of the catalogue"),
        ("/thresholds/IPC-A-001/target", "one of the thresholds targets; did you mean targets?"),
        ("/thresholds/IPC-A-001/targets", "a whole number from 2 to 60"),
        ("/thresholds/IPC-B-002", "the id of an analytic that has thresholds: IPC-A-001.targets"),
        ("/TimeWindow/IPC-A-001", "the id of an analytic that joins records within a time: IPC-B-002"),
    ];
    let mut sorted: Vec<(&str, &str)> = errors.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    sorted[1..4].sort_unstable();
    assert_eq!(sorted, expected);
}

#[test]
fn what_was_probably_meant_is_said() {
    let errors = errors(
        r#"{"analytics": {"IPC-A-01": {"enabled": false}}, "TimeWindw": 3,
            "iocs": [{"type": "adress", "value": "a"}],
            "allow": [{"name": "n", "reason": "r", "owner": "o", "analytics": ["IPC-B-022", "ZZZ"]}]}"#,
    );
    let said = |pointer: &str| {
        let (_, allowed) = errors.iter().find(|(place, _)| place == pointer).unwrap();
        allowed.split("; did you mean ").nth(1).map(str::to_owned)
    };
    assert_eq!(said("/TimeWindw").as_deref(), Some("TimeWindow?"));
    assert_eq!(said("/analytics/IPC-A-01").as_deref(), Some("IPC-A-001?"));
    assert_eq!(said("/iocs/0/type").as_deref(), Some("address?"));
    assert_eq!(said("/allow/0/analytics/0").as_deref(), Some("IPC-B-002?"));
    assert_eq!(said("/allow/0/analytics/1"), None);
}

#[test]
fn values_of_a_wrong_form_are_mistakes_at_their_place() {
    let errors = errors(
        r#"{"admin_hosts": ["adm01", "10.1.0.0/16", "10.1.0.500"], "COMObjectAllowList": ["Acme.Ledger", "{9BA05972}"],
            "iocs": [{"type": "hash", "value": "abc"}, {"type": "clsid", "value": "MMC20"},
                     {"type": "address", "value": "198.51.100.0/33"}, {"type": "address", "value": "198.51.100.0/24"}],
            "allow": [{"name": "n", "reason": "r", "owner": "o", "hashes": ["xyz"]}]}"#,
    );
    let places: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    let expected = [
        "/admin_hosts/1",
        "/admin_hosts/2",
        "/iocs/0/value",
        "/iocs/1/value",
        "/iocs/2/value",
        "/allow/0/hashes/0",
        "/COMObjectAllowList/1",
    ];
    assert_eq!(places, expected);
}

#[test]
fn duplicate_rule_names_and_inverted_spans_are_errors() {
    let rule = r#"{"name": "n", "reason": "r", "owner": "o", "hosts": ["h"]}"#;
    let window = r#"{"name": "n", "reason": "r", "start": "2027-01-02", "end": "2027-01-01"}"#;
    let half = r#"{"name": "n", "reason": "r", "start": "2027-01-02", "hosts": []}"#;
    let day = r#"{"name": "n", "reason": "r", "daily": "24:00-01:00"}"#;
    let errors = errors(&format!(r#"{{"allow": [{rule}, {rule}], "maintenance_windows": [{window}, {half}, {day}]}}"#));
    let places: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    let expected = [
        "/maintenance_windows/1/hosts",
        "/maintenance_windows/1",
        "/maintenance_windows/2/daily",
        "/allow/1/name",
        "/maintenance_windows/0/end",
    ];
    assert_eq!(places, expected);
}

/// A value of a shape in which every key of the plan occurs.
fn full(shape: &Shape) -> Value {
    match shape {
        Shape::Text => "x".into(),
        Shape::Word(words) => words[words.len() - 1].into(),
        Shape::Flag => true.into(),
        Shape::Number(least, _) => (*least).into(),
        Shape::Moment => "2027-01-31".into(),
        Shape::Daily => "22:00-04:30".into(),
        Shape::Pattern => "^x$".into(),
        Shape::Hash => "d41d8cd98f00b204e9800998ecf8427e".into(),
        Shape::Clsid | Shape::ComClass => "{9BA05972-F6A8-11CF-A442-00A0C90A8F39}".into(),
        Shape::Address | Shape::Machine => "198.51.100.7".into(),
        Shape::Tagged(fields, tag, key, kinds) => {
            let (word, shape) = &kinds[0];
            let mut value: Map<String, Value> =
                fields.iter().map(|field| (field.key.to_owned(), full(&field.shape))).collect();
            value.insert((*tag).to_owned(), (*word).into());
            value.insert((*key).to_owned(), full(shape));
            Value::Object(value)
        }
        Shape::Analytic => "IPC-A-001".into(),
        Shape::List(_, item) => json!([full(item)]),
        Shape::Map(Key::Joining, item) => json!({"IPC-B-002": full(item)}),
        Shape::Map(_, item) => json!({"IPC-A-001": full(item)}),
        Shape::Thresholds => json!({"IPC-A-001": {"targets": 7}}),
        Shape::Object(fields, _) => {
            Value::Object(fields.iter().map(|field| (field.key.to_owned(), full(&field.shape))).collect())
        }
        Shape::Either(object, _) => full(object),
    }
}

/// All documents that differ from `value` in one place: a value of another type, an added key, a missing key, an empty
/// list.
fn spoilt(value: &Value) -> Vec<Value> {
    let mut all = vec![Value::Null, json!(-1), json!(""), json!("?"), json!([]), json!({}), json!(true)];
    match value {
        Value::Object(object) => {
            let with = |change: &dyn Fn(&mut Map<String, Value>)| {
                let mut object = object.clone();
                change(&mut object);
                Value::Object(object)
            };
            all.push(with(&|object| drop(object.insert("unknown".into(), json!(1)))));
            for (key, inner) in object {
                all.push(with(&|object| drop(object.remove(key))));
                for bad in spoilt(inner) {
                    all.push(with(&|object| drop(object.insert(key.clone(), bad.clone()))));
                }
            }
        }
        Value::Array(items) => {
            for bad in items.iter().flat_map(spoilt) {
                all.push(json!([bad]));
            }
        }
        _ => {}
    }
    all
}

/// A validator for the subset of JSON Schema that the settings' schema uses.
fn valid(schema: &Value, root: &Value, value: &Value) -> bool {
    let schema = match schema["$ref"].as_str() {
        Some(name) => &root["$defs"][name.rsplit('/').next().unwrap()],
        None => schema,
    };
    let kind = match schema["type"].as_str() {
        None => true,
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{other}"),
    };
    if !kind {
        return false;
    }
    let in_enum = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    let length = value.as_str().is_none_or(|text| {
        text.len() as u64 >= schema["minLength"].as_u64().unwrap_or(0)
            && schema["maxLength"].as_u64().is_none_or(|most| text.len() as u64 <= most)
            && schema["pattern"]
                .as_str()
                .is_none_or(|pattern| regex::bytes::Regex::new(pattern).unwrap().is_match(text.as_bytes()))
            && (schema["format"] != "regex" || regex::bytes::Regex::new(text).is_ok())
    });
    let number = value.as_i64().is_none_or(|number| {
        schema["minimum"].as_i64().is_none_or(|least| number >= least)
            && schema["maximum"].as_i64().is_none_or(|most| number <= most)
    });
    let items = value.as_array().is_none_or(|items| {
        items.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0)
            && items.iter().all(|item| schema["items"].is_null() || valid(&schema["items"], root, item))
    });
    let object = value.as_object().is_none_or(|object| {
        let known = |key: &str| schema["properties"].get(key);
        let names = object
            .keys()
            .all(|key| schema["propertyNames"].is_null() || valid(&schema["propertyNames"], root, &json!(key)));
        let required = schema["required"].as_array().into_iter().flatten();
        names
            && required.into_iter().all(|key| object.contains_key(key.as_str().unwrap()))
            && object.iter().all(|(key, value)| match (known(key), &schema["additionalProperties"]) {
                (Some(inner), _) => valid(inner, root, value),
                (None, Value::Bool(allowed)) => *allowed,
                (None, Value::Null) => true,
                (None, inner) => valid(inner, root, value),
            })
    });
    let any = schema["anyOf"].as_array().is_none_or(|ways| ways.iter().any(|way| valid(way, root, value)));
    in_enum && length && number && items && object && any
}

#[test]
fn parser_schema_and_types_agree_on_thousands_of_documents() {
    let schema: Value = serde_json::from_str(&schema(&CATALOGUE)).unwrap();
    let full = full(&SETTINGS);
    let mut documents = spoilt(&full);
    documents.push(full);
    documents.push(json!({"PipeNamePattern": ["^a"], "TimeWindow": 30}));
    documents.push(json!({"PipeNamePattern": ["("]}));
    documents.push(json!({"TimeWindow": 3601}));
    let (mut good, mut bad) = (0, 0);
    for document in &documents {
        let read = parse_for(&document.to_string(), &CATALOGUE);
        assert_eq!(read.is_ok(), valid(&schema, &schema, document), "{document}: {read:?}");
        match read {
            Ok(_) => good += 1,
            Err(errors) => {
                assert!(errors.iter().all(|error| error.line == 0 && !error.allowed.is_empty()), "{errors:?}");
                bad += 1;
            }
        }
    }
    assert!(good > 30 && bad > 300, "{good} {bad}");
}

#[test]
fn every_key_of_the_plan_changes_the_typed_settings() {
    // A key that is in the types but not in the plan could never be set: every key alone must change the result.
    let Value::Object(full) = full(&SETTINGS) else { panic!() };
    for (key, value) in full {
        let mut one = json!({});
        one[&key] = if key == "hash_key" { json!(7) } else { value };
        let read = parse_for(&one.to_string(), &CATALOGUE).unwrap();
        assert_ne!(read, Settings::default(), "{key}");
    }
}

fn json_of(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())
        }
        other => serde_json::to_value(other).unwrap(),
    }
}

#[test]
fn the_example_is_valid_and_uses_every_setting() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site.toml");
    let value: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let value = json_of(&toml::Value::Table(value));
    parse(&value.to_string()).unwrap();
    let Shape::Object(fields, _) = SETTINGS else { panic!() };
    for field in fields {
        assert!(value.get(field.key).is_some(), "{} is not in examples/site.toml", field.key);
    }
}
