//! [`Session`]: evaluates files together, from bytes to documents.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use backchannel_engine::{Analytic, Correlator, Engine, Output, SettingError, analytics};
use backchannel_events::Timestamp;
use backchannel_report::{ClockOffset, Collection, Needs, Records, Summary, inactive};
use backchannel_source::{Bytes, Filled, Options, Packed, RecordPlace, SkipDetail, Sources, Tally, UnpackLimits};

/// Number of skipped records that are kept with their details.
const SKIPS_KEPT: usize = 1_000;
/// Bytes kept in memory of an archive that is itself compressed, because its members are read in any order.
const UNPACKED: u64 = 512 << 20;

/// Options of a page: formats are detected, and temporary data is kept in memory.
fn options() -> Options {
    let unpack = UnpackLimits { spooled: UNPACKED, ..UnpackLimits::default() };
    Options { skips_kept: SKIPS_KEPT, unpack, ..Options::default() }
}

/// Finds the record at `place` in the file `name`, as [`backchannel_source::find_record`] does.
pub fn find_record(name: &str, bytes: Rc<dyn Bytes>, place: RecordPlace<'_>) -> Option<String> {
    backchannel_source::find_record(options(), name, bytes, place)
}

/// Files that are evaluated together.
pub struct Session {
    engine: Engine,
    correlator: Correlator,
    sources: Sources,
    /// Whether there is a baseline to compare with.
    baseline: bool,
}

/// Progress of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Total size of the files in bytes, as stored.
    pub size: u64,
    /// Bytes read.
    pub done: u64,
    /// Events evaluated.
    pub events: u64,
    /// Findings so far.
    pub findings: u64,
}

/// The result of a session: documents, each a JSON object on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Incidents: escalated ones first, then by severity, then by id.
    pub incidents: Vec<String>,
    /// Findings, by time and id.
    pub findings: Vec<String>,
    /// The summary.
    pub summary: String,
    /// The first records that were skipped.
    pub skips: Vec<SkipDetail>,
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
        f.debug_struct("Session").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a session. Without settings, the defaults apply.
    ///
    /// # Errors
    /// All errors in the settings.
    pub fn open(settings: Option<&str>) -> Result<Self, Vec<SettingError>> {
        Self::with_baseline(settings, None)
    }

    /// Opens a session with a baseline, as written by a learner.
    ///
    /// # Errors
    /// All errors in the settings, and a baseline that cannot be read.
    pub fn with_baseline(settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        let engine = Engine::open(settings, baseline)?;
        let correlator = Correlator::open(settings)?;
        Ok(Self { engine, correlator, sources: Sources::new(options()), baseline: baseline.is_some() })
    }

    /// Adds a file: a log, a compressed log, or an archive of logs. Evidence refers to it by `name`.
    pub fn push(&mut self, name: &str, bytes: Rc<dyn Bytes>) {
        self.sources.push(name, bytes);
    }

    /// Reads and evaluates all files. `progress` is called after every batch.
    pub fn finish(self, progress: &mut dyn FnMut(Progress)) -> Report {
        let Self { engine, correlator, sources, baseline } = self;
        let read = sources.progress();
        let mut merge = sources.events();
        let mut run =
            Run { engine, correlator, baseline, collection: Collection::default(), events: 0, extra: Vec::new() };
        let mut bytes = Vec::new();
        loop {
            match merge.fill(&mut bytes) {
                Filled::Batch(_) => match run.engine.packed(&bytes) {
                    Ok(output) => run.take(output),
                    // The batch was written by this program, so this should not happen; if it does, it is counted.
                    Err(error) => run.extra.push((1, failure("module-failed", format!("{error:?}")))),
                },
                Filled::Idle => {}
                Filled::End => break,
            }
            let findings = run.collection.findings() as u64;
            progress(Progress { size: read.size(), done: read.done(), events: run.events, findings });
        }
        let output = run.engine.flush();
        run.take(output);
        let seen = Seen::of(merge.packed());
        run.finish(merge.into_tally(), seen)
    }
}

/// Parts of the summary that only the reader knows.
struct Seen {
    hosts: u64,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
}

impl Seen {
    fn of(packed: &Packed) -> Self {
        Self { hosts: packed.hosts() as u64, first_time: packed.first_time(), last_time: packed.last_time() }
    }
}

struct Run {
    engine: Engine,
    correlator: Correlator,
    baseline: bool,
    collection: Collection,
    events: u64,
    /// Adds records that the module skipped: their number, and one of them.
    extra: Vec<(u64, SkipDetail)>,
}

impl Run {
    fn take(&mut self, output: Output) {
        let documents: Vec<&String> = output.findings.iter().map(|finding| &finding.document).collect();
        let (signals, activity): (Vec<&String>, Vec<&String>) =
            (output.signals.iter().collect(), output.activity.iter().collect());
        let unread = self.correlator.observe(&documents, &signals, &activity);
        if unread > 0 {
            let reason = "the correlator could not read what the detector wrote".to_owned();
            self.extra.push((unread.into(), failure("not-correlated", reason)));
        }
        output.findings.into_iter().for_each(|finding| self.collection.finding(finding));
        self.events += output.evaluated;
    }

    fn finish(mut self, mut tally: Tally, seen: Seen) -> Report {
        self.correlator.incidents().into_iter().for_each(|incident| self.collection.incident(incident));
        let collected = self.collection.finish();
        for (count, detail) in self.extra {
            tally.skips.add_many(count, detail);
        }
        let (stats, upkeep) = (self.engine.stats(), self.engine.upkeep());
        let sources: BTreeSet<String> =
            self.engine.sources().into_iter().map(|source| source.as_str().to_owned()).collect();
        let evicted = [
            ("hosts", stats.evicted.hosts),
            ("processes", stats.evicted.processes),
            ("logons", stats.evicted.logons),
            ("channels", stats.evicted.channels),
            ("other", stats.evicted.other),
        ];
        let summary = Summary {
            records: Records {
                read: tally.read,
                evaluated: self.events,
                unused: tally.unused,
                skipped: tally.skips.total(),
                suppressed: collected.suppressed(),
            },
            skipped: tally.skips.counts().clone(),
            inactive: inactive(analytics().iter().map(|analytic| needs(analytic)), &sources, self.baseline),
            evicted: evicted.map(|(table, count)| (table.to_owned(), count)).into_iter().collect::<BTreeMap<_, _>>(),
            late: stats.late,
            clock_offsets: tally
                .clock_offsets
                .into_iter()
                .map(|of| ClockOffset { source: of.input, host: of.host, seconds: of.seconds, samples: of.samples })
                .collect(),
            hosts: seen.hosts,
            sources,
            first_time: seen.first_time,
            last_time: seen.last_time,
            findings: collected.by_severity(),
            findings_dropped: collected.dropped,
            empty_inputs: tally.empty_inputs,
            notes: tally.notes.counts().clone(),
            expired_settings: upkeep.expired,
            unmatched_rules: upkeep.unmatched,
        };
        Report {
            summary: summary.document(),
            incidents: collected.incidents.into_iter().map(|incident| incident.document).collect(),
            findings: collected.findings.into_iter().map(|finding| finding.document).collect(),
            skips: tally.skips.details().to_vec(),
        }
    }
}

fn needs(analytic: &Analytic) -> Needs<'_> {
    Needs {
        analytic: analytic.id,
        telemetry: analytic.telemetry.iter().map(|source| source.as_str()).collect(),
        baseline: analytic.needs_baseline,
    }
}

fn failure(code: &str, reason: String) -> SkipDetail {
    SkipDetail { input: String::new(), line: 0, record: String::new(), code: code.to_owned(), reason }
}
