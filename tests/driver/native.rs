//! The driver `native`: the engine linked into the test, no WebAssembly in between.

use std::fs;

use backchannel_decode::{Decoded, Decoder, Framed, Framer, Options};
use backchannel_engine::{Engine, Learner, Raw};
use backchannel_events::ProcessEvent;
use backchannel_normalize::{Normalizer, Place, wants};
use bumpalo::Bump;

use crate::case::Case;

/// Name under which the log enters: evidence names it.
pub const INPUT: &str = "input";

/// The findings of a case: each document as it was last, in the order in which they first came.
pub fn findings(case: &Case) -> Vec<String> {
    let mut engine = Engine::open(case.settings().as_deref(), baseline(case).as_deref()).expect("good settings");
    let data = fs::read(&case.input).expect("the log can be read");
    let mut output = engine.records(raw(case, &data)).findings;
    output.extend(engine.flush().findings);
    latest(output.into_iter().map(|finding| (finding.id, finding.document)))
}

/// The baseline that the case's past teaches, if it has one.
pub fn baseline(case: &Case) -> Option<Vec<u8>> {
    case.past.as_ref().map(|past| {
        let data = fs::read(past).expect("the past can be read");
        let mut learner = Learner::open(case.settings().as_deref()).expect("good settings");
        learner.records(raw(case, &data));
        learner.baseline()
    })
}

fn raw<'a>(case: &Case, data: &'a [u8]) -> Raw<'a> {
    Raw { input: INPUT, format: Some(case.format()), host: "", first_line: 1, time: None, data }
}

/// Of documents with the same id the last, at the place of the first.
pub fn latest(documents: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (id, document) in documents {
        match kept.iter_mut().find(|(known, _)| *known == id) {
            Some(entry) => entry.1 = document,
            None => kept.push((id, document)),
        }
    }
    kept.into_iter().map(|(_, document)| document).collect()
}

/// The events of a case, as JSON without what is empty.
pub fn events(case: &Case) -> Vec<String> {
    let data = fs::read(&case.input).expect("the log can be read");
    let format = case.format();
    let mut framer = Framer::of(format, format.framing());
    let mut decoder = Decoder::new(format, Options::default());
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut events = Vec::new();
    let mut sink =
        |event: &ProcessEvent<'_>| events.push(pruned(serde_json::to_value(event).expect("JSON")).to_string());
    let mut rest = data.as_slice();
    let mut take = |item: Framed<'_>| {
        let Framed::Frame(frame) = item else { panic!("{}: a record is broken", case.name()) };
        let decoded = decoder.decode(&frame, &arena, &wants);
        if let Decoded::Record(record) = decoded.unwrap_or_else(|skip| panic!("{}: {}", case.name(), skip.reason)) {
            let place = Place { input: INPUT, line: frame.line, default_host: "" };
            normalizer.accept(&record, place, &arena, &mut sink);
        }
    };
    while let Some(item) = framer.next(&mut rest) {
        take(item);
    }
    while let Some(item) = framer.finish() {
        take(item);
    }
    normalizer.flush(&arena, &mut sink);
    events
}

/// A value without what says nothing: empty text, null, unknown, empty objects and lists.
pub fn pruned(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "unknown",
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (key, pruned(value)))
                .filter(|(_, value)| !says_nothing(value))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(pruned).collect()),
        other => other,
    }
}
