//! The account of a run: what was read, what was used, what was not, and why.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Severity, Timestamp};
use serde::Serialize;

/// The account of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Records read, those that were skipped included.
    pub read: u64,
    /// Events evaluated.
    pub evaluated: u64,
    /// Records that are in order but carry nothing that is used.
    pub unused: u64,
    /// Records, and whole inputs, that could not be used.
    pub skipped: u64,
    /// Findings that a rule of the site silenced.
    pub suppressed: u64,
    /// What was skipped, by reason.
    pub skipped_by_reason: BTreeMap<String, u64>,
    /// Analytics that could not find anything.
    pub asleep: Vec<Asleep>,
    /// What the module forgot to stay within its bounds, by table.
    pub evicted: BTreeMap<String, u64>,
    /// Events that came more than two minutes late.
    pub late: u64,
    /// Sources whose clock is off.
    pub clock_offsets: Vec<ClockOffset>,
    /// Hosts seen.
    pub hosts: u64,
    /// Kinds of log seen.
    pub sources: BTreeSet<String>,
    /// Time of the oldest event.
    pub first_time: Option<Timestamp>,
    /// Time of the newest event.
    pub last_time: Option<Timestamp>,
    /// Findings that are not suppressed, by severity.
    pub findings: BTreeMap<Severity, u64>,
    /// Findings that were not kept because there were too many.
    pub findings_dropped: u64,
    /// Inputs that hold nothing.
    pub empty_inputs: Vec<String>,
    /// What looks wrong in inputs that were read all the same, by reason.
    pub notes: BTreeMap<String, u64>,
    /// Allow rules and indicators of compromise of the site that had expired at the time of the newest event, in words.
    pub expired_settings: Vec<String>,
    /// Names of the site's allow rules that hold still and silenced nothing.
    pub unmatched_rules: Vec<String>,
}

/// An analytic that could not find anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asleep {
    /// Its catalogue id.
    pub analytic: String,
    /// Why.
    pub reason: String,
}

/// A source whose clock is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClockOffset {
    /// File or input.
    pub source: String,
    /// Host as logged.
    pub host: String,
    /// Seconds that were added to its times.
    pub seconds: i64,
    /// How many records said so.
    pub samples: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    records: Records,
    skipped: Vec<Skipped<'a>>,
    asleep: &'a [Asleep],
    evicted: &'a BTreeMap<String, u64>,
    late: u64,
    clock_offsets: &'a [ClockOffset],
    hosts: u64,
    sources: &'a BTreeSet<String>,
    first_time: Option<String>,
    last_time: Option<String>,
    findings: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    findings_dropped: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    empty_inputs: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Skipped<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    expired_settings: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unmatched_rules: &'a [String],
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
struct Skipped<'a> {
    reason: &'a str,
    count: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn by_reason(counts: &BTreeMap<String, u64>) -> Vec<Skipped<'_>> {
    counts.iter().map(|(reason, count)| Skipped { reason, count: *count }).collect()
}

impl Summary {
    /// Its document: one JSON object without a line end.
    pub fn document(&self) -> String {
        let document = Document {
            r#type: "summary",
            records: Records {
                read: self.read,
                evaluated: self.evaluated,
                unused: self.unused,
                skipped: self.skipped,
                suppressed: self.suppressed,
            },
            skipped: by_reason(&self.skipped_by_reason),
            asleep: &self.asleep,
            evicted: &self.evicted,
            late: self.late,
            clock_offsets: &self.clock_offsets,
            hosts: self.hosts,
            sources: &self.sources,
            first_time: self.first_time.map(|time| time.to_string()),
            last_time: self.last_time.map(|time| time.to_string()),
            findings: self.findings.iter().map(|(severity, count)| (severity.as_str(), *count)).collect(),
            findings_dropped: self.findings_dropped,
            empty_inputs: &self.empty_inputs,
            notes: by_reason(&self.notes),
            expired_settings: &self.expired_settings,
            unmatched_rules: &self.unmatched_rules,
        };
        // Numbers and text cannot fail to serialise.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Findings at or above `severity` that are not suppressed.
    pub fn findings_from(&self, severity: Severity) -> u64 {
        self.findings.range(severity..).map(|(_, count)| count).sum()
    }
}
