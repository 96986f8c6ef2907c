//! Real and realistic captures: the exact findings in each, compared with the labels of the captures.
//!
//! `BACKCHANNEL_CORPUS` names the folder; the captures are not part of this project. `corpus.toml` lists the expected
//! findings (medium and above) in each of them; `BLESS=1` rewrites it, and the difference must be reviewed. An optional
//! `labels.json` in the folder lists the attacks in each capture with their records; the findings are compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use backchannel_events::Severity;
use backchannel_host::replay::{ReplayOptions, Silent, replay};
use backchannel_host::source::{self, SourceOptions};
use backchannel_tests::component::module;
use backchannel_tests::root;
use serde::Deserialize;
use serde_json::Value;

/// `corpus.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectations {
    /// Findings on captures labelled as benign, each with the reason why it is correct.
    #[serde(default)]
    accepted: Vec<Accepted>,
    /// By capture: the value of `--host`, for records without a host.
    #[serde(default)]
    hosts: BTreeMap<String, String>,
    /// By capture: analytic and highest severity.
    #[serde(default)]
    expected: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    capture: String,
    analytic: String,
    reason: String,
}

/// `labels.json`.
#[derive(Debug, Deserialize)]
struct Labels {
    captures: Vec<Label>,
}

#[derive(Debug, Deserialize)]
struct Label {
    file: String,
    #[serde(default)]
    positive: bool,
    #[serde(default)]
    ambiguous: Option<bool>,
    #[serde(default)]
    expected: Option<Vec<Shown>>,
}

/// A labelled activity in a capture.
#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    analytic_hint: String,
    #[serde(default)]
    behaviour: Option<String>,
    #[serde(default)]
    ambiguous: Option<bool>,
    #[serde(default)]
    host: Value,
    #[serde(default)]
    evidence: Vec<Value>,
}

/// A finding of medium severity or above that is not suppressed.
struct Alarm {
    analytic: String,
    severity: Severity,
    host: String,
    text: String,
    evidence: Vec<Value>,
}

struct Capture {
    file: String,
    alarms: Vec<Alarm>,
    /// Whether any record of it could be read.
    readable: bool,
}

/// The folder of captures; prints a message if there is none.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("BACKCHANNEL_CORPUS").map(PathBuf::from);
    match folder {
        Some(folder) if folder.is_dir() => Some(folder),
        other => {
            let why = match other {
                Some(folder) => format!("{} is no folder", folder.display()),
                None => "BACKCHANNEL_CORPUS is not set".to_owned(),
            };
            // Written to the terminal directly: the output of passing tests is not shown.
            let _ = writeln!(std::io::stderr(), "\nSKIPPED: the captures were not looked at: {why}\n");
            None
        }
    }
}

fn expectations_file() -> PathBuf {
    root().join("tests/corpus.toml")
}

fn labels(folder: &Path) -> Option<Labels> {
    let text = fs::read_to_string(folder.join("labels.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("labels.json: {error}")))
}

fn look(folder: &Path, file: &str, host: Option<&String>) -> Capture {
    let options = SourceOptions { host: host.cloned(), ..SourceOptions::default() };
    let sources = source::open(&[folder.join(file)], options);
    let report = replay(module(), sources, &ReplayOptions::default(), &mut Silent)
        .unwrap_or_else(|error| panic!("{file}: {error:?}"));
    let alarms = report.findings.iter().filter(|finding| finding.severity >= Severity::Medium && !finding.suppressed);
    let alarms = alarms.map(|finding| {
        let document: Value = serde_json::from_str(&finding.document).expect("a document is JSON");
        Alarm {
            analytic: finding.analytic.clone(),
            severity: finding.severity,
            host: finding.host.clone(),
            text: document["text"].as_str().unwrap_or_default().to_owned(),
            evidence: document["evidence"].as_array().cloned().unwrap_or_default(),
        }
    });
    let readable = report.summary.records.evaluated + report.summary.records.unused > 0;
    Capture { file: file.to_owned(), alarms: alarms.collect(), readable }
}

/// Replays all captures in parallel, one per processor.
fn look_at_all(folder: &Path, files: Vec<String>, hosts: &BTreeMap<String, String>) -> Vec<Capture> {
    let (waiting, done) = (Mutex::new(files), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let file = waiting.lock().expect("no thread panics while holding the lock").pop();
                    let Some(file) = file else { return };
                    let capture = look(folder, &file, hosts.get(&file));
                    done.lock().expect("no thread panics while holding the lock").push(capture);
                }
            });
        }
    });
    let mut captures = done.into_inner().expect("no thread panics while holding the lock");
    captures.sort_by(|a, b| a.file.cmp(&b.file));
    captures
}

fn worst(alarms: &[Alarm]) -> BTreeMap<String, String> {
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for alarm in alarms {
        let known = worst.entry(&alarm.analytic).or_insert(alarm.severity);
        *known = (*known).max(alarm.severity);
    }
    worst.into_iter().map(|(analytic, severity)| (analytic.to_owned(), severity.as_str().to_owned())).collect()
}

fn bless(expectations: &Expectations, captures: &[Capture]) {
    let mut text = String::from(
        "# What is found in each capture of the corpus: analytics and their worst severity, medium and above.\n\
         # Written by `BLESS=1 cargo test --release -p backchannel-tests --test corpus`; [[accepted]] and [hosts] are by hand.\n",
    );
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    for Accepted { capture, analytic, reason } in &expectations.accepted {
        let (capture, analytic, reason) = (quoted(capture), quoted(analytic), quoted(reason));
        let _ = write!(text, "\n[[accepted]]\ncapture = {capture}\nanalytic = {analytic}\nreason = {reason}\n");
    }
    if !expectations.hosts.is_empty() {
        let _ = writeln!(text, "\n# Captures whose records name no host.\n[hosts]");
        for (capture, host) in &expectations.hosts {
            let _ = writeln!(text, "{} = {}", quoted(capture), quoted(host));
        }
    }
    for capture in captures {
        let _ = writeln!(text, "\n[expected.{}]", quoted(&capture.file));
        for (analytic, severity) in worst(&capture.alarms) {
            let _ = writeln!(text, "{analytic} = {}", quoted(&severity));
        }
    }
    fs::write(expectations_file(), text).expect("the expectations are written");
}

/// The key of a host: the first label of its name, in lower case.
fn key(host: &str) -> String {
    host.to_lowercase().split('.').next().unwrap_or_default().to_owned()
}

fn hosts(of: &Value) -> BTreeSet<String> {
    match of {
        Value::String(host) => [key(host)].into(),
        Value::Array(hosts) => hosts.iter().filter_map(Value::as_str).map(key).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether evidence of a finding is the record of a label: by its id, its serial, its line, or, if those are not known,
/// by event id and second.
fn is_record(evidence: &Value, label: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let same = |a: &Value, b: &Value| !text(b).is_empty() && text(a) == text(b);
    let second = |value: &Value| value.as_str().and_then(|time| time.get(..19)).map(str::to_owned);
    same(&evidence["record"], &label["record_id"])
        || same(&evidence["record"], &label["serial"])
        || same(&evidence["line"], &label["line"])
        || (evidence["event_id"] == label["event_id"]
            && second(&label["time"]).is_some_and(|time| second(&evidence["time"]) == Some(time)))
}

/// Missing and unexpected findings, by the labels.
fn measure(labels: &Labels, captures: &[Capture], accepted: &[Accepted]) -> (usize, Vec<String>) {
    let (mut required, mut wrong) = (0, Vec::new());
    for label in &labels.captures {
        let Some(capture) = captures.iter().find(|capture| capture.file == label.file) else { continue };
        let ambiguous = label.ambiguous == Some(true);
        if label.positive && !ambiguous {
            for shown in label.expected.iter().flatten().filter(|shown| shown.ambiguous != Some(true)) {
                required += 1;
                let on = hosts(&shown.host);
                let found = capture.alarms.iter().any(|alarm| {
                    (on.is_empty() || on.contains(&alarm.host))
                        && alarm.evidence.iter().any(|one| shown.evidence.iter().any(|label| is_record(one, label)))
                });
                if !found {
                    let what = shown.behaviour.as_deref().unwrap_or_default();
                    wrong.push(format!("{}: not found: {} {what} on {on:?}", label.file, shown.analytic_hint));
                }
            }
        }
        if !label.positive && !ambiguous {
            for alarm in &capture.alarms {
                let known = accepted.iter().any(|one| one.capture == label.file && one.analytic == alarm.analytic);
                if !known {
                    wrong.push(format!(
                        "{}: benign, but {} is {}: {}",
                        label.file,
                        alarm.analytic,
                        alarm.severity.as_str(),
                        alarm.text
                    ));
                }
            }
        }
    }
    (required, wrong)
}

#[test]
fn each_capture_gives_the_expected_findings_and_they_agree_with_its_labels() {
    let Some(folder) = corpus() else { return };
    let blessing = std::env::var_os("BLESS").is_some();
    let expectations: Expectations = match fs::read_to_string(expectations_file()) {
        Ok(text) => toml::from_str(&text).unwrap_or_else(|error| panic!("corpus.toml: {error}")),
        Err(_) if blessing => Expectations::default(),
        Err(error) => panic!("corpus.toml: {error}"),
    };
    let labels = labels(&folder);
    let named = labels.iter().flat_map(|labels| &labels.captures).map(|label| label.file.clone());
    let files: BTreeSet<String> = expectations.expected.keys().cloned().chain(named).collect();
    let (present, missing): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| folder.join(file).is_file());
    let captures = look_at_all(&folder, present, &expectations.hosts);
    let mut wrong: Vec<String> = missing.iter().map(|file| format!("{file}: is not there")).collect();
    if blessing {
        bless(&expectations, &captures);
    }
    let nothing = BTreeMap::new();
    for capture in &captures {
        if !capture.readable {
            wrong.push(format!("{}: nothing of it could be read", capture.file));
        }
        if blessing {
            continue;
        }
        let Some(expected) = expectations.expected.get(&capture.file) else {
            wrong.push(format!("{}: is not in corpus.toml", capture.file));
            continue;
        };
        let found = worst(&capture.alarms);
        for analytic in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
            let of = |map: &BTreeMap<String, String>| map.get(analytic).cloned().unwrap_or_else(|| "nothing".into());
            let (expected, found) = (of(expected), of(&found));
            if expected != found {
                wrong.push(format!("{}: {analytic}: expected {expected}, found {found}", capture.file));
            }
        }
    }
    for Accepted { capture, analytic, reason } in &expectations.accepted {
        let of = captures.iter().find(|one| one.file == *capture).map_or(nothing.clone(), |one| worst(&one.alarms));
        if !of.contains_key(analytic) || reason.trim().is_empty() {
            wrong.push(format!("{capture}: {analytic} is accepted, but not found, or without a reason"));
        }
    }
    if let Some(labels) = labels {
        let (required, more) = measure(&labels, &captures, &expectations.accepted);
        let _ = writeln!(
            std::io::stderr(),
            "{} captures, {required} things to be found, {} labels not met",
            captures.len(),
            more.len()
        );
        wrong.extend(more);
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
