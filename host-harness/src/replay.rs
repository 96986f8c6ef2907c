//! Replays logs: reads batches from sources, evaluates them with the module, and collects results and counters.

use std::collections::BTreeSet;

use backchannel_events::Timestamp;
pub use backchannel_report::Summary;
use backchannel_report::{ClockOffset, Collection, Needs, Records, inactive};

use crate::component::{
    AnalyticEntry, Batch, Correlator, Detector, Evaluation, FindingEnvelope, HostError, IncidentEnvelope, Limits,
    Module, SkippedRecord,
};
use crate::source::{Filled, SkipDetail, Skips, Sources, Tally};

/// Encoding in which events are passed to the module. The findings are the same.
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

/// Options of a replay.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Encoding in which events are passed to the module.
    pub carrier: Carrier,
    /// Maximum number of events, or records, per batch.
    pub batch: usize,
    /// Limits of the module.
    pub limits: Limits,
    /// The settings, as one JSON document.
    pub settings: Option<String>,
    /// A baseline to compare with, as a learner wrote it.
    pub baseline: Option<Vec<u8>>,
    /// Whether incidents are passed to the observer as soon as they change, and not only at the end.
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

/// Receives results while the replay runs.
pub trait Observer {
    /// A finding is new or has changed.
    ///
    /// # Errors
    /// An error ends the replay, for example when the output is closed.
    fn finding(&mut self, finding: &FindingEnvelope) -> std::io::Result<()> {
        let _ = finding;
        Ok(())
    }

    /// An incident is new or has changed: only where [`ReplayOptions::incidents_at_once`] is set.
    ///
    /// # Errors
    /// An error ends the replay, for example when the output is closed.
    fn incident(&mut self, incident: &IncidentEnvelope) -> std::io::Result<()> {
        let _ = incident;
        Ok(())
    }

    /// A batch was evaluated, or the input is idle.
    fn batch(&mut self) {}
}

/// An observer that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Report {
    /// The incidents in their latest revision: escalated ones first, then the most severe, then the earliest.
    pub incidents: Vec<IncidentEnvelope>,
    /// The findings in their latest state, by time and id.
    pub findings: Vec<FindingEnvelope>,
    /// The summary.
    pub summary: Summary,
    /// Skipped records, with details of the first ones.
    pub skips: Skips,
    /// Notes on anomalies in inputs that were nevertheless read.
    pub notes: Skips,
}

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    /// The module cannot be used, or no longer be used.
    Host(HostError),
    /// The observer failed.
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
/// Invalid settings, a module that failed too often, or an error of the observer.
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
        collection: Collection::default(),
        at_once: options.incidents_at_once,
        baseline: options.baseline.is_some() || module.describe(&options.limits)?.baked_baseline,
        observer,
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

/// Facts about the events, known only if the host decodes them.
#[derive(Default)]
struct Seen {
    hosts: Option<u64>,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
}

struct Run<'o> {
    detector: Detector,
    correlator: Correlator,
    collection: Collection,
    at_once: bool,
    /// Whether there is a baseline to compare with.
    baseline: bool,
    observer: &'o mut dyn Observer,
    evaluated: u64,
    unused: u64,
    /// Records that the module did not use: their number and one of them as an example.
    extra: Vec<(u64, SkipDetail)>,
}

impl Run<'_> {
    fn events(&mut self, sources: Sources, options: &ReplayOptions) -> Result<(Tally, Seen), ReplayError> {
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
        let seen =
            Seen { hosts: Some(packed.hosts() as u64), first_time: packed.first_time(), last_time: packed.last_time() };
        Ok((merge.into_tally(), seen))
    }

    fn records(&mut self, sources: Sources, options: &ReplayOptions) -> Result<(Tally, Seen), ReplayError> {
        let mut stream = sources.records();
        stream.set_batch(options.batch);
        while let Some(raw) = stream.next_batch() {
            let records = raw.data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            let batch = if options.carrier == Carrier::Text { Batch::Text(raw) } else { Batch::Records(raw) };
            self.batch(batch, records as u64)?;
        }
        Ok((stream.into_tally(), Seen::default()))
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
            // The number of events pending at the end is not known; at least one was lost.
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
            self.collection.finding(finding);
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

    /// Collects the incidents that are new or have changed.
    fn correlate(&mut self) -> Result<(), ReplayError> {
        for incident in self.correlator.incidents()? {
            if self.at_once {
                self.observer.incident(&incident).map_err(ReplayError::Observer)?;
            }
            self.collection.incident(incident);
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
        let collected = self.collection.finish();
        let sources: BTreeSet<String> = stats.sources.into_iter().collect();
        let summary = Summary {
            records: Records {
                read: tally.read,
                evaluated: self.evaluated,
                unused: tally.unused + self.unused,
                skipped: tally.skips.total(),
                suppressed: collected.suppressed(),
            },
            skipped: tally.skips.counts().clone(),
            inactive: inactive(catalogue.iter().map(needs), &sources, self.baseline),
            evicted: stats.evicted.into_iter().collect(),
            late: stats.late,
            clock_offsets: tally
                .clock_offsets
                .into_iter()
                .map(|of| ClockOffset { source: of.input, host: of.host, seconds: of.seconds, samples: of.samples })
                .collect(),
            hosts: seen.hosts.unwrap_or(stats.hosts),
            sources,
            first_time: seen.first_time,
            last_time: seen.last_time,
            findings: collected.by_severity(),
            findings_dropped: collected.dropped,
            empty_inputs: tally.empty_inputs,
            notes: tally.notes.counts().clone(),
            expired_settings: stats.expired,
            unmatched_rules: stats.unmatched,
        };
        Ok(Report {
            incidents: collected.incidents,
            findings: collected.findings,
            summary,
            skips: tally.skips,
            notes: tally.notes,
        })
    }
}

fn needs(analytic: &AnalyticEntry) -> Needs<'_> {
    Needs {
        analytic: &analytic.id,
        telemetry: analytic.telemetry.iter().map(String::as_str).collect(),
        baseline: analytic.baseline,
    }
}

fn detail(input: String, line: u64, code: &str, reason: String) -> SkipDetail {
    SkipDetail { input, line, record: String::new(), code: code.to_owned(), reason }
}
