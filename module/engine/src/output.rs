//! [`Output`]: the result of an evaluation.

use backchannel_detect::Sink;
use backchannel_events::{Finding, Signal, WatchedEvent};
use backchannel_report::FindingEnvelope;

/// Maximum number of skipped records that are listed in one output; all are counted.
pub const MAX_SKIPPED: usize = 1_000;

/// The result of an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Findings, in the order of the events that completed them. A finding that was returned before is returned again,
    /// with the same id, when its severity has increased or its count has doubled.
    pub findings: Vec<FindingEnvelope>,
    /// Relations between hosts, for a correlator: JSON documents.
    pub signals: Vec<String>,
    /// Events of watched processes, channels and sessions, for a correlator: JSON documents.
    pub activity: Vec<String>,
    /// Records that could not be read, at most [`MAX_SKIPPED`].
    pub skipped: Vec<Skipped>,
    /// Number of records that could not be read.
    pub skipped_count: u64,
    /// Number of events evaluated.
    pub evaluated: u64,
    /// Number of valid records that were ignored, because no analytic reads their type or event id.
    pub unused: u64,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Name of the input.
    pub input: String,
    /// Line, counted from 1; 0 where the input has none.
    pub line: u64,
    /// What was expected, and what was found.
    pub reason: String,
}

impl Output {
    /// Counts a skipped record, and lists it unless the list is full.
    pub(crate) fn skip(&mut self, input: &str, line: u64, reason: impl ToString) {
        self.skipped_count += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(Skipped { input: input.to_owned(), line, reason: reason.to_string() });
        }
    }
}

/// Collects what a detector returns, as documents.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    findings: Vec<FindingEnvelope>,
    signals: Vec<String>,
    activity: Vec<String>,
}

impl Collected {
    /// Moves the documents into the output of the same call.
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
