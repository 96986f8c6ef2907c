//! From logs to findings: sources, batches, the module, and the account of it all.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Severity, Timestamp};

use crate::component::{
    AnalyticEntry, Batch, Correlator, Detector, Evaluation, FindingEnvelope, HostError, IncidentEnvelope, Limits,
    Module, SkippedRecord, Statistics,
};
use crate::source::{Filled, SkipDetail, Skips, Sources, Tally};
use crate::summary::{Asleep, ClockOffset, Summary};

/// How many findings are kept.
pub const FINDINGS: usize = 100_000;

/// In which form events enter the module. The findings are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// Packed rows.
    #[default]
    Packed,
    /// Typed events.
    Events,
    /// Raw records as bytes; inputs come one after the other.
    Records,
    /// Raw records as text; inputs come one after the other.
    Text,
}

/// How a replay runs.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// In which form events enter the module.
    pub carrier: Carrier,
    /// How many events, or records, a batch has at most.
    pub batch: usize,
    /// What the module may take.
    pub limits: Limits,
    /// The settings, as one JSON document.
    pub settings: Option<String>,
    /// A baseline to compare with, as a learner wrote it.
    pub baseline: Option<Vec<u8>>,
    /// Whether incidents are handed to the observer as soon as they change, and not only at the end.
    pub incidents_at_once: bool,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            carrier: Carrier::Packed,
            batch: 1024,
            limits: Limits::default(),
            settings: None,
            baseline: None,
            incidents_at_once: false,
        }
    }
}

/// Who wants to hear of it while it runs.
pub trait Observer {
    /// A finding was made, or has become worse.
    ///
    /// # Errors
    /// Ends the replay: nobody listens any more.
    fn finding(&mut self, finding: &FindingEnvelope) -> std::io::Result<()> {
        let _ = finding;
        Ok(())
    }

    /// An incident is new or has changed: only where [`ReplayOptions::incidents_at_once`] is set.
    ///
    /// # Errors
    /// Ends the replay: nobody listens any more.
    fn incident(&mut self, incident: &IncidentEnvelope) -> std::io::Result<()> {
        let _ = incident;
        Ok(())
    }

    /// Another batch is done.
    fn batch(&mut self) {}
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}

/// What a replay gave.
#[derive(Clone, Debug)]
pub struct Report {
    /// The incidents, each as it was last: escalated ones first, then the most severe, then the earliest.
    pub incidents: Vec<IncidentEnvelope>,
    /// The findings, each as it was last, by time and id.
    pub findings: Vec<FindingEnvelope>,
    /// The account.
    pub summary: Summary,
    /// What was not used, with details of the first.
    pub skips: Skips,
    /// What looks wrong in inputs that were read all the same.
    pub notes: Skips,
}

/// Why a replay ended before its end.
#[derive(Debug)]
pub enum ReplayError {
    /// The module cannot be used, or not any more.
    Host(HostError),
    /// Nobody listens any more.
    Observer(std::io::Error),
}

impl From<HostError> for ReplayError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// Replays `sources` through `module`.
///
/// # Errors
/// Wrong settings, a module that is lost, an observer that gave up.
pub fn replay(
    module: &Module,
    sources: Sources,
    options: &ReplayOptions,
    observer: &mut dyn Observer,
) -> Result<Report, ReplayError> {
    let catalogue = module.analytics(&options.limits)?;
    let detector = Detector::open(module, options.limits, options.settings.clone(), options.baseline.clone())?;
    let correlator = Correlator::open(module, &options.limits, options.settings.as_deref())?;
    let mut run = Run {
        detector,
        correlator,
        incidents: BTreeMap::new(),
        at_once: options.incidents_at_once,
        baseline: options.baseline.is_some() || module.describe(&options.limits)?.baked_baseline,
        observer,
        findings: Findings::default(),
        evaluated: 0,
        unused: 0,
        extra: Vec::new(),
    };
    let (tally, seen) = match options.carrier {
        Carrier::Packed | Carrier::Events => run.events(sources, options)?,
        Carrier::Records | Carrier::Text => run.records(sources, options)?,
    };
    run.finish(tally, seen, &catalogue)
}

/// What only the reader of events knows.
#[derive(Default)]
struct Seen {
    hosts: Option<u64>,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
    empty: Vec<String>,
}

struct Run<'o> {
    detector: Detector,
    correlator: Correlator,
    incidents: BTreeMap<String, IncidentEnvelope>,
    at_once: bool,
    /// Whether there is a baseline to compare with.
    baseline: bool,
    observer: &'o mut dyn Observer,
    findings: Findings,
    evaluated: u64,
    unused: u64,
    /// What the module did not use: how many, and one of them.
    extra: Vec<(u64, SkipDetail)>,
}

impl Run<'_> {
    fn events(&mut self, sources: Sources, options: &ReplayOptions) -> Result<(Tally, Seen), ReplayError> {
        let empty = sources.empty_inputs().to_vec();
        let mut merge = sources.events();
        merge.set_batch(options.batch);
        let mut bytes = Vec::new();
        loop {
            match merge.fill(&mut bytes) {
                Filled::Batch(events) => {
                    let bytes = std::mem::replace(&mut bytes, self.detector.buffer());
                    let batch =
                        if options.carrier == Carrier::Events { Batch::Events(bytes) } else { Batch::Packed(bytes) };
                    self.batch(batch, events as u64)?;
                }
                Filled::Idle => self.observer.batch(),
                Filled::End => break,
            }
        }
        let packed = merge.packed();
        let seen = Seen {
            hosts: Some(packed.hosts() as u64),
            first_time: packed.first_time(),
            last_time: packed.last_time(),
            empty,
        };
        Ok((merge.into_tally(), seen))
    }

    fn records(&mut self, sources: Sources, options: &ReplayOptions) -> Result<(Tally, Seen), ReplayError> {
        let empty = sources.empty_inputs().to_vec();
        let mut stream = sources.records();
        stream.set_batch(options.batch);
        while let Some(raw) = stream.next_batch() {
            let records = raw.data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            let batch = if options.carrier == Carrier::Text { Batch::Text(raw) } else { Batch::Records(raw) };
            self.batch(batch, records as u64)?;
        }
        Ok((stream.into_tally(), Seen { empty, ..Seen::default() }))
    }

    fn batch(&mut self, batch: Batch, size: u64) -> Result<(), ReplayError> {
        let evaluation = self.detector.evaluate(batch)?;
        self.take(evaluation, size)?;
        self.observer.batch();
        Ok(())
    }

    fn take(&mut self, evaluation: Evaluation, size: u64) -> Result<(), ReplayError> {
        if let Some(loss) = evaluation.loss {
            let reason = match size {
                0 => format!("the module failed on the end of the input: {}", loss.reason),
                _ => format!("the module failed on a batch of {size}: {}", loss.reason),
            };
            // How many events were pending at the end is not known; that some were lost is.
            self.extra.push((size.max(1), detail(String::new(), 0, "module-failed", reason)));
        }
        if !(evaluation.findings.is_empty() && evaluation.signals.is_empty() && evaluation.activity.is_empty()) {
            let documents: Vec<String> = evaluation.findings.iter().map(|finding| finding.document.clone()).collect();
            let unread = self.correlator.observe(&documents, &evaluation.signals, &evaluation.activity)?;
            if unread > 0 {
                let reason = "the correlator could not read what the detector wrote".to_owned();
                self.extra.push((unread.into(), detail(String::new(), 0, "not-correlated", reason)));
            }
        }
        let news = !evaluation.findings.is_empty();
        for finding in evaluation.findings {
            self.observer.finding(&finding).map_err(ReplayError::Observer)?;
            self.findings.add(finding);
        }
        if news && self.at_once {
            self.correlate()?;
        }
        let listed = evaluation.skipped.len() as u64;
        for SkippedRecord { input, line, reason } in evaluation.skipped {
            self.extra.push((1, detail(input, line, "in-module", reason)));
        }
        let more = evaluation.skipped_count.saturating_sub(listed);
        if more > 0 {
            self.extra.push((more, detail(String::new(), 0, "in-module", "beyond the module's list".into())));
        }
        self.evaluated += evaluation.evaluated;
        self.unused += evaluation.unused;
        Ok(())
    }

    /// Asks for incidents that are new or have changed, and forgets those that went up in others.
    fn correlate(&mut self) -> Result<(), ReplayError> {
        for incident in self.correlator.incidents()? {
            if self.at_once {
                self.observer.incident(&incident).map_err(ReplayError::Observer)?;
            }
            for gone in list(&incident.document, "supersedes") {
                self.incidents.remove(&gone);
            }
            self.incidents.insert(incident.id.clone(), incident);
        }
        Ok(())
    }

    fn finish(mut self, mut tally: Tally, seen: Seen, catalogue: &[AnalyticEntry]) -> Result<Report, ReplayError> {
        let evaluation = self.detector.flush()?;
        self.take(evaluation, 0)?;
        self.correlate()?;
        let stats = self.detector.stats()?;
        for (count, detail) in self.extra {
            tally.skips.add_many(count, detail);
        }
        let (mut findings, dropped) = self.findings.finish();
        let mut incidents: Vec<IncidentEnvelope> = self.incidents.into_values().collect();
        incidents.sort_by(|a, b| (b.tier, b.severity, &a.id).cmp(&(a.tier, a.severity, &b.id)));
        name_incidents(&mut findings, &incidents);
        let suppressed = findings.iter().filter(|finding| finding.suppressed).count() as u64;
        let summary = Summary {
            read: tally.read,
            evaluated: self.evaluated,
            unused: tally.unused + self.unused,
            skipped: tally.skips.total(),
            suppressed,
            skipped_by_reason: tally.skips.counts().clone(),
            asleep: asleep(catalogue, &stats, self.baseline),
            evicted: stats.evicted.iter().cloned().collect::<BTreeMap<_, _>>(),
            late: stats.late,
            clock_offsets: tally.clock_offsets.drain(..).map(offset).collect(),
            hosts: seen.hosts.unwrap_or(stats.hosts),
            sources: stats.sources.iter().cloned().collect::<BTreeSet<_>>(),
            first_time: seen.first_time,
            last_time: seen.last_time,
            findings: by_severity(&findings),
            findings_dropped: dropped,
            empty_inputs: seen.empty,
            notes: tally.notes.counts().clone(),
            expired_settings: stats.expired.clone(),
            unmatched_rules: stats.unmatched.clone(),
        };
        Ok(Report { incidents, findings, summary, skips: tally.skips, notes: tally.notes })
    }
}

/// The texts of a list in a document.
fn list(document: &str, name: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let texts = value[name].as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Writes into each finding's document which incident it belongs to: known only now. A document holds that field as
/// null once; in a text it would have its quotes escaped.
fn name_incidents(findings: &mut [FindingEnvelope], incidents: &[IncidentEnvelope]) {
    let mut of: BTreeMap<String, &str> = BTreeMap::new();
    for incident in incidents {
        for finding in list(&incident.document, "findings") {
            of.insert(finding, &incident.id);
        }
    }
    for finding in findings {
        if let Some(incident) = of.get(&finding.id) {
            let named = format!("\"incident\":\"{incident}\"");
            finding.document = finding.document.replacen("\"incident\":null", &named, 1);
        }
    }
}

fn offset(found: backchannel_normalize::ClockOffset) -> ClockOffset {
    ClockOffset { source: found.input, host: found.host, seconds: found.seconds, samples: found.samples }
}

fn detail(input: String, line: u64, code: &str, reason: String) -> SkipDetail {
    SkipDetail { input, line, record: String::new(), code: code.to_owned(), reason }
}

fn by_severity(findings: &[FindingEnvelope]) -> BTreeMap<Severity, u64> {
    let mut counts: BTreeMap<Severity, u64> = Severity::ALL.iter().map(|severity| (*severity, 0)).collect();
    for finding in findings.iter().filter(|finding| !finding.suppressed) {
        *counts.entry(finding.severity).or_default() += 1;
    }
    counts
}

/// Analytics whose logs, or whose baseline, were not there.
fn asleep(catalogue: &[AnalyticEntry], stats: &Statistics, baseline: bool) -> Vec<Asleep> {
    let missing = |analytic: &&AnalyticEntry| {
        !analytic.telemetry.is_empty() && !analytic.telemetry.iter().any(|needed| stats.sources.contains(needed))
    };
    let unlearned = |analytic: &&AnalyticEntry| analytic.baseline && !baseline;
    let entry = |analytic: &AnalyticEntry| Asleep {
        analytic: analytic.id.clone(),
        reason: if unlearned(&analytic) {
            "no baseline was given".to_owned()
        } else {
            format!("these logs have no {}", analytic.telemetry.join(" or "))
        },
    };
    catalogue.iter().filter(|analytic| unlearned(analytic) || missing(analytic)).map(entry).collect()
}

/// Findings by id, the latest document of each. Where there are too many, the least severe and youngest give way.
#[derive(Default)]
struct Findings {
    by_id: BTreeMap<String, FindingEnvelope>,
    /// The same findings, the first to give way first.
    order: BTreeSet<(Severity, std::cmp::Reverse<Timestamp>, String)>,
    dropped: u64,
}

impl Findings {
    fn add(&mut self, finding: FindingEnvelope) {
        let key = |finding: &FindingEnvelope| (finding.severity, std::cmp::Reverse(finding.time), finding.id.clone());
        self.order.insert(key(&finding));
        if let Some(before) = self.by_id.insert(finding.id.clone(), finding) {
            let old = key(&before);
            if self.by_id.get(&before.id).is_some_and(|now| key(now) != old) {
                self.order.remove(&old);
            }
        }
        if self.by_id.len() > FINDINGS
            && let Some((_, _, id)) = self.order.pop_first()
        {
            self.by_id.remove(&id);
            self.dropped += 1;
        }
    }

    fn finish(self) -> (Vec<FindingEnvelope>, u64) {
        let mut findings: Vec<_> = self.by_id.into_values().collect();
        findings.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        (findings, self.dropped)
    }
}
