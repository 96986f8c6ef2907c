//! The driver `native`: the engine linked into the test, without WebAssembly.

use backchannel_cases::Log;
use backchannel_decode::{Decoded, Decoder, Format, Framed, Framer, Options};
use backchannel_engine::{Correlator, Engine, Learner, Output, Raw};
use backchannel_events::ProcessEvent;
use backchannel_events::packed::Batch as Rows;
use backchannel_host::source::{self, Filled, SourceOptions};
use backchannel_normalize::{Normalizer, Place, wants};
use bumpalo::Bump;

use crate::case::{Case, Files};

/// The results of a case.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings: each document in its latest state, in the order of first occurrence.
    pub findings: Vec<String>,
    /// The incidents.
    pub incidents: Vec<String>,
}

/// Evaluates a case.
pub fn outcome(case: &Case) -> Outcome {
    let mut engine = Engine::open(case.settings.as_deref(), baseline(case).as_deref()).expect("good settings");
    let mut correlator = Correlator::open(case.settings.as_deref()).expect("good settings");
    let (mut findings, mut unread) = (Vec::new(), 0);
    let mut take = |output: Output, files: Option<&Files>| {
        let named = |document: String| files.map_or(document.clone(), |files| files.unnamed(&document));
        let of = output.findings.into_iter().map(|finding| (finding.id, named(finding.document)));
        let of: Vec<(String, String)> = of.collect();
        let documents: Vec<String> = of.iter().map(|(_, document)| document.clone()).collect();
        let signals: Vec<String> = output.signals.into_iter().map(named).collect();
        let activity: Vec<String> = output.activity.into_iter().map(named).collect();
        unread += correlator.observe(&documents, &signals, &activity);
        findings.extend(of);
    };
    if case.text().is_some() {
        take(engine.records(raw(&case.logs[0])), None);
        take(engine.flush(), None);
    } else {
        let files = Files::of(&case.logs);
        each_batch(&files, |bytes| {
            take(engine.packed(bytes).expect("what the harness packs is well formed"), Some(&files))
        });
        take(engine.flush(), Some(&files));
    }
    assert_eq!(unread, 0, "{}: the correlator reads what the engine writes", case.name);
    let incidents = correlator.incidents().into_iter().map(|incident| (incident.id, incident.document));
    Outcome { findings: latest(findings.into_iter()), incidents: latest(incidents) }
}

/// The findings of a case: each document in its latest state, in the order of first occurrence.
pub fn findings(case: &Case) -> Vec<String> {
    outcome(case).findings
}

/// The baseline learned from the case's past logs, if it has any.
pub fn baseline(case: &Case) -> Option<Vec<u8>> {
    if case.past.is_empty() {
        return None;
    }
    let mut learner = Learner::open(case.settings.as_deref()).expect("good settings");
    each_batch(&Files::of(&case.past), |bytes| {
        learner.packed(bytes).expect("what the harness packs is well formed");
    });
    Some(learner.baseline())
}

fn raw(log: &Log) -> Raw<'_> {
    let format = log.format.as_deref().map(|name| Format::from_name(name).expect("a format of that name"));
    Raw { input: &log.name, format, host: "", first_line: 1, time: None, data: &log.bytes }
}

/// The packed batches that the harness reads from files.
fn each_batch(files: &Files, mut take: impl FnMut(&[u8])) {
    let mut merge = source::open(&files.paths, SourceOptions::default()).events();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match merge.fill(&mut bytes) {
            Filled::Batch(_) => take(&bytes),
            Filled::Idle => {}
            Filled::End => break,
        }
    }
}

/// The last of all documents with the same id, at the position of the first.
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

/// The events of a case, as JSON without empty fields. No record may be skipped.
pub fn events(case: &Case) -> Vec<serde_json::Value> {
    let mut events = Vec::new();
    let mut sink = |event: &ProcessEvent<'_>| events.push(pruned(serde_json::to_value(event).expect("JSON")));
    let (Some(text), Some(format)) = (case.text(), case.format()) else {
        let files = Files::of(&case.logs);
        each_batch(&files, |bytes| {
            let rows = Rows::parse(bytes).expect("what the harness packs is well formed");
            rows.iter().for_each(|event| sink(&event));
        });
        let input = |event: &mut serde_json::Value| event["provenance"]["input"] = case.logs[0].name.as_str().into();
        events.iter_mut().for_each(input);
        return events;
    };
    let mut framer = Framer::of(format, format.framing());
    let mut decoder = Decoder::new(format, Options::default());
    let mut normalizer = Normalizer::new();
    let arena = Bump::new();
    let mut rest = text.as_bytes();
    let mut take = |item: Framed<'_>| {
        let Framed::Frame(frame) = item else { panic!("{}: a record is broken", case.name) };
        let decoded = decoder.decode(&frame, &arena, &wants);
        if let Decoded::Record(record) = decoded.unwrap_or_else(|skip| panic!("{}: {}", case.name, skip.reason)) {
            let place = Place { input: &case.logs[0].name, line: frame.line, default_host: "" };
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
fn pruned(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let is_unused = |value: &Value| match value {
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
                .filter(|(_, value)| !is_unused(value))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(pruned).collect()),
        other => other,
    }
}
