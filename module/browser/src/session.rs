//! [`Session`]: the files of one look, from bytes to documents.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use backchannel_engine::{Correlator, Engine, Output, Rendered, RenderedIncident, SettingError};
use backchannel_events::{Severity, Timestamp};

use crate::account::{self, Evaluated, Skip, Tally};
use crate::bytes::Bytes;
use crate::merge::Merge;
use crate::open::{Input, open};

/// How many findings are kept.
const FINDINGS: usize = 100_000;

/// Files that are looked at together.
pub struct Session {
    engine: Engine,
    correlator: Correlator,
    inputs: Vec<Input>,
    tally: Tally,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes there are, as they lie in the files.
    pub size: u64,
    /// Bytes that were read.
    pub done: u64,
    /// Events that were evaluated.
    pub events: u64,
    /// Findings so far.
    pub findings: u64,
}

/// What a session found: documents, each a JSON object on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The incidents: escalated ones first, then the most severe, then by id.
    pub incidents: Vec<String>,
    /// The findings, by time and id.
    pub findings: Vec<String>,
    /// The account.
    pub summary: String,
    /// The first records that were not used.
    pub skips: Vec<Skip>,
}

impl Report {
    /// The documents as JSON lines: incidents, findings, summary.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for document in self.incidents.iter().chain(&self.findings).chain([&self.summary]) {
            text.push_str(document);
            text.push('\n');
        }
        text
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("inputs", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a session that has seen nothing. No settings are the defaults.
    ///
    /// # Errors
    /// Every mistake in the settings.
    pub fn open(settings: Option<&str>) -> Result<Self, Vec<SettingError>> {
        Self::with_baseline(settings, None)
    }

    /// Opens a session with a baseline to compare with, as a learner wrote it.
    ///
    /// # Errors
    /// Every mistake in the settings, and a baseline that cannot be used.
    pub fn with_baseline(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        let engine = Engine::open(settings, baseline)?;
        let correlator = Correlator::open(settings)?;
        Ok(Self { engine, correlator, inputs: Vec::new(), tally: Tally::default() })
    }

    /// Adds a file: a log, a compressed one, or an archive of them. Evidence will name it `name`.
    pub fn push(&mut self, name: &str, bytes: Rc<dyn Bytes>) {
        open(name, bytes, &mut self.inputs, &mut self.tally);
    }

    /// Reads all files and says what is in them. `progress` hears of it after every batch.
    pub fn finish(self, progress: &mut dyn FnMut(Progress)) -> Report {
        let Self { engine, correlator, inputs, mut tally } = self;
        let size = inputs.iter().map(Input::size).sum();
        let done = Rc::new(Cell::new(0));
        let mut merge = Merge::new(inputs, &mut tally, &done);
        let mut run = Run { engine, correlator, findings: Findings::default(), events: 0 };
        let mut bytes = Vec::new();
        while merge.fill(&mut bytes, &mut tally) {
            match run.engine.packed(&bytes) {
                Ok(output) => run.take(output, &mut tally),
                // We wrote the batch ourselves: this does not happen, and if it did it would not go unseen.
                Err(error) => tally.problem("", 0, "module-failed", format!("{error:?}")),
            }
            let findings = run.findings.by_id.len() as u64;
            progress(Progress { size, done: done.get(), events: run.events, findings });
        }
        let output = run.engine.flush();
        run.take(output, &mut tally);
        let seen = merge.finish(&mut tally);
        run.finish(tally, &seen)
    }
}

struct Run {
    engine: Engine,
    correlator: Correlator,
    findings: Findings,
    events: u64,
}

impl Run {
    fn take(&mut self, output: Output, tally: &mut Tally) {
        let documents: Vec<&String> = output.findings.iter().map(|finding| &finding.document).collect();
        let (signals, activity): (Vec<&String>, Vec<&String>) =
            (output.signals.iter().collect(), output.activity.iter().collect());
        let unread = self.correlator.observe(&documents, &signals, &activity);
        if unread > 0 {
            let reason = "the correlator could not read what the detector wrote".to_owned();
            (0..unread).for_each(|_| tally.problem("", 0, "not-correlated", reason.clone()));
        }
        for finding in output.findings {
            self.findings.add(finding);
        }
        self.events += output.evaluated;
    }

    fn finish(mut self, tally: Tally, seen: &account::Seen) -> Report {
        let mut incidents: Vec<RenderedIncident> = self.correlator.incidents();
        incidents.sort_by(|a, b| (b.tier, b.severity, &a.id).cmp(&(a.tier, a.severity, &b.id)));
        let (mut findings, dropped) = self.findings.finish();
        name_incidents(&mut findings, &incidents);
        let mut evaluated = Evaluated { events: self.events, findings_dropped: dropped, ..Evaluated::default() };
        for finding in &findings {
            if finding.suppressed {
                evaluated.suppressed += 1;
            } else {
                *evaluated.findings.entry(finding.severity).or_default() += 1;
            }
        }
        Report {
            summary: account::document(&tally, seen, &evaluated, &self.engine),
            incidents: incidents.into_iter().map(|incident| incident.document).collect(),
            findings: findings.into_iter().map(|finding| finding.document).collect(),
            skips: tally.into_details(),
        }
    }
}

/// Writes into each finding's document which incident it belongs to: known only now. A document holds that field as
/// null once; in a text it would have its quotes escaped.
fn name_incidents(findings: &mut [Rendered], incidents: &[RenderedIncident]) {
    let mut of: BTreeMap<String, &str> = BTreeMap::new();
    for incident in incidents {
        let value: serde_json::Value = serde_json::from_str(&incident.document).unwrap_or_default();
        for finding in value["findings"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
            of.insert(finding.to_owned(), &incident.id);
        }
    }
    for finding in findings {
        if let Some(incident) = of.get(&finding.id) {
            let named = format!("\"incident\":\"{incident}\"");
            finding.document = finding.document.replacen("\"incident\":null", &named, 1);
        }
    }
}

/// Findings by id, the latest document of each. Where there are too many, the least severe and youngest give way.
#[derive(Default)]
struct Findings {
    by_id: BTreeMap<String, Rendered>,
    /// The same findings, the first to give way first.
    order: BTreeSet<(Severity, Reverse<Timestamp>, String)>,
    dropped: u64,
}

impl Findings {
    fn add(&mut self, finding: Rendered) {
        let key = |finding: &Rendered| (finding.severity, Reverse(finding.time), finding.id.clone());
        if let Some(before) = self.by_id.get(&finding.id) {
            self.order.remove(&key(before));
        }
        self.order.insert(key(&finding));
        self.by_id.insert(finding.id.clone(), finding);
        if self.by_id.len() > FINDINGS
            && let Some((_, _, id)) = self.order.pop_first()
        {
            self.by_id.remove(&id);
            self.dropped += 1;
        }
    }

    fn finish(self) -> (Vec<Rendered>, u64) {
        let mut findings: Vec<_> = self.by_id.into_values().collect();
        findings.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        (findings, self.dropped)
    }
}
