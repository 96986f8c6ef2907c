//! What an evaluation gives: findings with their documents, and what a correlator needs.

use backchannel_detect::Sink;
use backchannel_events::{Finding, Signal, WatchedEvent};
use backchannel_report::FindingEnvelope;

/// The most records that are listed as skipped in one output; the rest is counted.
pub const MOST_SKIPPED: usize = 1_000;

/// What an evaluation gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Findings, in the order of the events that completed them. One that was handed over before comes again, under
    /// the same id, when it has become worse or its count has doubled.
    pub findings: Vec<FindingEnvelope>,
    /// Edges between machines, for a correlator: documents.
    pub signals: Vec<String>,
    /// Events around what is under watch, for a correlator: documents.
    pub activity: Vec<String>,
    /// Records that gave no event because something is wrong with them, at most [`MOST_SKIPPED`].
    pub skipped: Vec<Skipped>,
    /// How many of those there were.
    pub skipped_count: u64,
    /// How many events were evaluated.
    pub evaluated: u64,
    /// How many records were in order but carry nothing of use.
    pub unused: u64,
}

/// A record that gave no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Name of the input.
    pub input: String,
    /// Line, counted from 1; 0 where the input has none.
    pub line: u64,
    /// What was expected, and what was there instead.
    pub reason: String,
}

impl Output {
    /// Lists a record as skipped, or only counts it where the list is long enough.
    pub(crate) fn skip(&mut self, input: &str, line: u64, reason: impl ToString) {
        self.skipped_count += 1;
        if self.skipped.len() < MOST_SKIPPED {
            self.skipped.push(Skipped { input: input.to_owned(), line, reason: reason.to_string() });
        }
    }
}

/// A detector's sayings, written down as documents.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    findings: Vec<FindingEnvelope>,
    signals: Vec<String>,
    activity: Vec<String>,
}

impl Collected {
    /// Puts them into the output of the same call.
    pub fn into_output(self, mut output: Output) -> Output {
        output.findings = self.findings;
        output.signals = self.signals;
        output.activity = self.activity;
        output
    }
}

impl Sink for Collected {
    fn finding(&mut self, finding: &Finding) {
        self.findings.push(FindingEnvelope {
            id: finding.id.clone(),
            analytic: finding.analytic.clone(),
            severity: finding.severity,
            confidence: finding.confidence,
            time: finding.time,
            host: finding.host.clone(),
            suppressed: finding.suppressed.is_some(),
            document: backchannel_report::finding(finding),
        });
    }

    fn watched(&mut self, event: WatchedEvent) {
        self.activity.push(backchannel_report::activity(&event));
    }

    fn signal(&mut self, signal: Signal) {
        self.signals.push(backchannel_report::signal(&signal));
    }
}
