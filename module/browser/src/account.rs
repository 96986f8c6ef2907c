//! The account of a run: what was read, what was used, what was not, and why. Its document is the harness's summary.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_engine::{Analytic, Engine, analytics};
use backchannel_events::{Severity, Timestamp};
use backchannel_normalize::{Accepted, ClockOffset};
use serde::Serialize;

/// How many skipped records are kept with their details.
const SKIPS_KEPT: usize = 1_000;

/// One record, or one input, that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skip {
    /// File, or member of an archive.
    pub input: String,
    /// Line, counted from 1; 0 where the input has no lines or the input as a whole is meant.
    pub line: u64,
    /// The record's own id, where the input has no lines.
    pub record: String,
    /// A word to count by.
    pub code: String,
    /// What was expected, and what was there.
    pub reason: String,
}

/// What was read, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) read: u64,
    pub(crate) unused: u64,
    skipped: BTreeMap<String, u64>,
    notes: BTreeMap<String, u64>,
    details: Vec<Skip>,
    pub(crate) clock_offsets: Vec<ClockOffset>,
    pub(crate) empty: Vec<String>,
}

impl Tally {
    pub(crate) fn accepted(&mut self, accepted: Accepted) {
        self.unused += u64::from(accepted == Accepted::NotUsed);
    }

    /// Counts `count` of one kind as skipped, with one detail for all.
    pub(crate) fn skip(&mut self, count: u64, skip: Skip) {
        add(&mut self.skipped, count, &skip.code);
        if count > 0 && self.details.len() < SKIPS_KEPT {
            self.details.push(skip);
        }
    }

    /// An input, or the rest of it, cannot be used.
    pub(crate) fn problem(&mut self, input: &str, line: u64, code: &str, reason: String) {
        let skip = Skip { input: input.to_owned(), line, record: String::new(), code: code.to_owned(), reason };
        self.skip(1, skip);
    }

    /// Counts what looks wrong in an input that is read all the same.
    pub(crate) fn note(&mut self, count: u64, code: &str) {
        add(&mut self.notes, count, code);
    }

    /// Events that fit into no batch.
    pub(crate) fn too_large(&mut self, count: u64) {
        add(&mut self.skipped, count, "event-too-large");
    }

    pub(crate) fn into_details(self) -> Vec<Skip> {
        self.details
    }
}

fn add(counts: &mut BTreeMap<String, u64>, count: u64, code: &str) {
    if count > 0 {
        *counts.entry(code.to_owned()).or_default() += count;
    }
}

/// What only the reader of events knows.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) hosts: u64,
    pub(crate) first_time: Option<Timestamp>,
    pub(crate) last_time: Option<Timestamp>,
}

/// What evaluation counted.
#[derive(Debug, Default)]
pub(crate) struct Evaluated {
    pub(crate) events: u64,
    pub(crate) suppressed: u64,
    pub(crate) findings: BTreeMap<Severity, u64>,
    pub(crate) findings_dropped: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    records: Records,
    skipped: Vec<Counted<'a>>,
    asleep: Vec<Asleep>,
    evicted: BTreeMap<&'static str, u64>,
    late: u64,
    clock_offsets: Vec<Offset<'a>>,
    hosts: u64,
    sources: BTreeSet<&'static str>,
    first_time: Option<String>,
    last_time: Option<String>,
    findings: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    findings_dropped: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    empty_inputs: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Counted<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expired_settings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmatched_rules: Vec<String>,
}

#[derive(Serialize)]
struct Records {
    read: u64,
    evaluated: u64,
    unused: u64,
    skipped: u64,
    suppressed: u64,
}

#[derive(Serialize)]
struct Counted<'a> {
    reason: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct Asleep {
    analytic: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct Offset<'a> {
    source: &'a str,
    host: &'a str,
    seconds: i64,
    samples: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The summary's document.
pub(crate) fn document(tally: &Tally, seen: &Seen, evaluated: &Evaluated, engine: &Engine) -> String {
    let (stats, upkeep) = (engine.stats(), engine.upkeep());
    let sources: BTreeSet<&'static str> = engine.sources().into_iter().map(|source| source.as_str()).collect();
    let document = Document {
        r#type: "summary",
        records: Records {
            read: tally.read,
            evaluated: evaluated.events,
            unused: tally.unused,
            skipped: tally.skipped.values().sum(),
            suppressed: evaluated.suppressed,
        },
        skipped: by_reason(&tally.skipped),
        asleep: asleep(&sources),
        evicted: BTreeMap::from([
            ("hosts", stats.evicted.hosts),
            ("processes", stats.evicted.processes),
            ("logons", stats.evicted.logons),
            ("channels", stats.evicted.channels),
            ("other", stats.evicted.other),
        ]),
        late: stats.late,
        clock_offsets: tally
            .clock_offsets
            .iter()
            .map(|ClockOffset { input, host, seconds, samples, .. }| Offset {
                source: input,
                host,
                seconds: *seconds,
                samples: *samples,
            })
            .collect(),
        hosts: seen.hosts,
        sources,
        first_time: seen.first_time.map(|time| time.to_string()),
        last_time: seen.last_time.map(|time| time.to_string()),
        findings: Severity::ALL
            .iter()
            .map(|severity| (severity.as_str(), evaluated.findings.get(severity).copied().unwrap_or_default()))
            .collect(),
        findings_dropped: evaluated.findings_dropped,
        empty_inputs: &tally.empty,
        notes: by_reason(&tally.notes),
        expired_settings: upkeep.expired,
        unmatched_rules: upkeep.unmatched,
    };
    // Numbers and text cannot fail to serialise.
    serde_json::to_string(&document).unwrap_or_default()
}

fn by_reason(counts: &BTreeMap<String, u64>) -> Vec<Counted<'_>> {
    counts.iter().map(|(reason, count)| Counted { reason, count: *count }).collect()
}

/// Analytics whose logs, or whose baseline (a page has none), were not there.
fn asleep(sources: &BTreeSet<&'static str>) -> Vec<Asleep> {
    let entry = |analytic: &&'static Analytic| {
        let telemetry: Vec<&str> = analytic.telemetry.iter().map(|source| source.as_str()).collect();
        if analytic.needs_baseline {
            return Some(Asleep { analytic: analytic.id, reason: "no baseline was given".to_owned() });
        }
        let missing = !telemetry.is_empty() && !telemetry.iter().any(|needed| sources.contains(needed));
        let reason = || format!("these logs have no {}", telemetry.join(" or "));
        missing.then(|| Asleep { analytic: analytic.id, reason: reason() })
    };
    analytics().iter().filter_map(entry).collect()
}
