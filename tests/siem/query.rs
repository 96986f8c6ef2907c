//! An interpreter for the subset of Kibana's and Lucene's query languages that the rules use: `field : value`,
//! `field >= number`, `field : *`, `_exists_:field`, and, or, not, brackets.

use std::collections::BTreeMap;

use serde_json::Value;

/// Whether a document, as dotted fields, matches.
pub fn matches(query: &str, fields: &BTreeMap<String, Vec<Value>>) -> bool {
    let tokens = tokens(query);
    let mut at = 0;
    let result = either(&tokens, &mut at, fields);
    assert_eq!(at, tokens.len(), "{query} is not understood from {:?} on", tokens.get(at));
    result
}

/// The fields that a query names.
pub fn names(query: &str) -> Vec<String> {
    let tokens = tokens(query);
    let mut names = Vec::new();
    for pair in tokens.windows(3) {
        if matches!(pair[1].as_str(), ":" | ">=") {
            names.push(if pair[0] == "_exists_" { pair[2].clone() } else { pair[0].clone() });
        }
    }
    names
}

fn tokens(query: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | ':' => 1,
            '>' => 2,
            '"' => rest[1..].find('"').expect("an end of the quotes") + 2,
            _ => rest.find(|c: char| c.is_whitespace() || "():>\"".contains(c)).unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

fn word<'a>(tokens: &'a [String], at: &mut usize) -> &'a str {
    *at += 1;
    tokens.get(*at - 1).unwrap_or_else(|| panic!("{tokens:?} ends too early"))
}

fn next_is(tokens: &[String], at: &mut usize, wanted: &str) -> bool {
    let is = tokens.get(*at).is_some_and(|token| token.eq_ignore_ascii_case(wanted));
    *at += usize::from(is);
    is
}

fn either(tokens: &[String], at: &mut usize, fields: &BTreeMap<String, Vec<Value>>) -> bool {
    let mut result = both(tokens, at, fields);
    while next_is(tokens, at, "or") {
        result |= both(tokens, at, fields);
    }
    result
}

fn both(tokens: &[String], at: &mut usize, fields: &BTreeMap<String, Vec<Value>>) -> bool {
    let mut result = one(tokens, at, fields);
    while next_is(tokens, at, "and") {
        result &= one(tokens, at, fields);
    }
    result
}

fn one(tokens: &[String], at: &mut usize, fields: &BTreeMap<String, Vec<Value>>) -> bool {
    if next_is(tokens, at, "not") {
        return !one(tokens, at, fields);
    }
    if next_is(tokens, at, "(") {
        let result = either(tokens, at, fields);
        assert!(next_is(tokens, at, ")"), "{tokens:?} lacks a bracket");
        return result;
    }
    let (field, operator, value) = (word(tokens, at), word(tokens, at), word(tokens, at).trim_matches('"'));
    let there = |field: &str| fields.get(field).map(Vec::as_slice).unwrap_or_default();
    match (field, operator, value) {
        ("_exists_", ":", value) => !there(value).is_empty(),
        (field, ":", "*") => !there(field).is_empty(),
        (field, ":", value) => there(field).iter().any(|found| match found.as_str() {
            Some(text) => text == value,
            None => value.parse::<Value>().is_ok_and(|value| value == *found),
        }),
        (field, ">=", value) => {
            let least: f64 = value.parse().expect("a number");
            there(field).iter().any(|found| found.as_f64().is_some_and(|number| number >= least))
        }
        _ => panic!("{tokens:?}: {operator} is not known"),
    }
}
