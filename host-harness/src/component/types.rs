//! Input and output types of the module, independent of the version of the contract.

use std::fmt;

use backchannel_events::Severity;
pub use backchannel_report::{FindingEnvelope, IncidentEnvelope};
pub use backchannel_source::RawBatch;

/// A batch of events or records. All four encodings give the same findings.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Packed rows, as `backchannel_events::packed` writes them: the fastest encoding.
    Packed(Vec<u8>),
    /// The same bytes, passed as typed events: slower, but readable at the interface.
    Events(Vec<u8>),
    /// Raw records as bytes.
    Records(RawBatch),
    /// Raw records as text.
    Text(RawBatch),
}

impl Batch {
    /// Size in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Packed(bytes) | Self::Events(bytes) => bytes.len(),
            Self::Records(raw) | Self::Text(raw) => raw.data.len(),
        }
    }
}

/// The result of evaluating a batch.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Findings, in the order of the events that completed them; a finding may be updated under the same id.
    pub findings: Vec<FindingEnvelope>,
    /// Host-to-host edges for a correlator: JSON documents.
    pub signals: Vec<String>,
    /// Compact events around watched entities, for a correlator: JSON documents.
    pub activity: Vec<String>,
    /// Records that were not evaluated, at most 1,000.
    pub skipped: Vec<SkippedRecord>,
    /// Number of records that were not evaluated because of errors in them.
    pub skipped_count: u64,
    /// Number of evaluated events.
    pub evaluated: u64,
    /// Number of records that are not relevant to detection.
    pub unused: u64,
    /// Set if the module failed on this batch: nothing of it was evaluated.
    pub loss: Option<Loss>,
}

/// A batch the module failed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The reason, human-readable.
    pub reason: String,
}

/// A record that was not evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRecord {
    /// Name of the input.
    pub input: String,
    /// Line, counted from 1; 0 if the input has none.
    pub line: u64,
    /// The reason.
    pub reason: String,
}

/// Counters of a detector since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Events evaluated.
    pub events: u64,
    /// Findings made, repeats not counted.
    pub findings: u64,
    /// Repeats folded into an earlier finding.
    pub repeats: u64,
    /// Findings suppressed by the site's rules.
    pub suppressed: u64,
    /// Events more than two minutes older than the newest of their host.
    pub late: u64,
    /// Hosts in memory now.
    pub hosts: u64,
    /// Entries evicted to stay within bounds, by table.
    pub evicted: Vec<(String, u64)>,
    /// Kinds of log that were seen.
    pub sources: Vec<String>,
    /// Allow rules and indicators of compromise of the site that had expired at the time of the newest event, in words.
    pub expired: Vec<String>,
    /// Names of the site's active allow rules that matched nothing.
    pub unmatched: Vec<String>,
}

/// One analytic of the module's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyticEntry {
    /// Catalogue id.
    pub id: String,
    /// Title.
    pub title: String,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// ATT&CK analytics it implements.
    pub attack_analytics: Vec<String>,
    /// Severity it usually reports.
    pub severity: Severity,
    /// Logs of which one is enough for it.
    pub telemetry: Vec<String>,
    /// It was never tested with a real log of its telemetry.
    pub experimental: bool,
    /// It compares with a baseline, and is inactive without one.
    pub baseline: bool,
}

/// A module's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its version.
    pub version: String,
    /// The contract it implements.
    pub contract: String,
    /// Whether settings were baked into it.
    pub baked_settings: bool,
    /// Whether a baseline was baked into it.
    pub baked_baseline: bool,
}

/// A mistake in the settings, as the module reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingMistake {
    /// JSON Pointer (RFC 6901) to the value; empty: the document.
    pub pointer: String,
    /// Line, if the document is not JSON; otherwise 0.
    pub line: u32,
    /// Column likewise.
    pub column: u32,
    /// The wrong value, as JSON.
    pub value: String,
    /// What is allowed instead.
    pub allowed: String,
}

/// Why the module cannot be used, or no longer be used.
#[derive(Debug)]
pub enum HostError {
    /// It is not a module for this host; the text says what it is instead, and what is expected.
    Refused(String),
    /// The settings are invalid.
    Settings(Vec<SettingMistake>),
    /// It failed several times in a row; the text is the reason of the last failure.
    Lost(String),
    /// A snapshot cannot be restored.
    Snapshot(String),
    /// A baseline cannot be used.
    Baseline(String),
    /// The engine could not be created.
    Engine(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) => write!(f, "the module was rejected: {text}"),
            Self::Settings(mistakes) => write!(f, "{} mistake(s) in the settings", mistakes.len()),
            Self::Lost(text) => write!(f, "the module failed several times in a row: {text}"),
            Self::Snapshot(text) => write!(f, "the snapshot cannot be restored: {text}"),
            Self::Baseline(text) => write!(f, "the baseline cannot be used: {text}"),
            Self::Engine(text) => write!(f, "the WebAssembly engine cannot be created: {text}"),
        }
    }
}

impl std::error::Error for HostError {}
