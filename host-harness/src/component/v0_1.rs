//! The contract `backchannel:detection@0.1.0`: its bindings, and conversions between them and our own types.

use backchannel_events::{Confidence, Severity, Timestamp};
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, Trap};

use super::{
    About, AnalyticEntry, Batch, Evaluation, FindingEnvelope, Limits, SettingMistake, SkippedRecord, Statistics,
};

mod events;
mod stages;

mod bindings {
    #![allow(missing_docs, clippy::all)]
    wasmtime::component::bindgen!({ path: "../wit", world: "module" });
}

use bindings::exports::backchannel::detection::types as wit;

/// The contract.
pub(super) const CONTRACT: &str = "backchannel:detection@0.1.0";

/// A module whose exports were checked against the contract.
pub(super) type Pre = bindings::ModulePre<StoreLimits>;

/// Checks a component's exports against the contract.
pub(super) fn prepare(engine: &wasmtime::Engine, component: &Component) -> wasmtime::Result<Pre> {
    // An empty linker: a component with any import fails to instantiate.
    Pre::new(Linker::new(engine).instantiate_pre(component)?)
}

/// One instance, with its memory. It must not be used after a failed call.
pub(super) struct Instance {
    store: Store<StoreLimits>,
    bindings: bindings::Module,
    detector: Option<ResourceAny>,
    correlator: Option<ResourceAny>,
    learner: Option<ResourceAny>,
    limits: Limits,
}

/// Why a call failed, human-readable. The instance cannot be used any more.
type Failed = String;

impl Instance {
    pub(super) fn new(engine: &wasmtime::Engine, pre: &Pre, limits: &Limits) -> Result<Self, Failed> {
        let guard = StoreLimitsBuilder::new().memory_size(limits.memory).trap_on_grow_failure(true).build();
        let mut store = Store::new(engine, guard);
        store.limiter(|limits| limits);
        // A snapshot leaves in one piece and may be as large as the memory it was made from.
        store.set_hostcall_fuel(limits.memory);
        store.set_epoch_deadline(limits.ticks());
        let bindings = pre.instantiate(&mut store).map_err(|error| explain(&error, limits))?;
        Ok(Self { store, bindings, detector: None, correlator: None, learner: None, limits: *limits })
    }

    pub(super) fn describe(&mut self) -> Result<About, Failed> {
        let about = self.bindings.backchannel_detection_catalog().call_describe(&mut self.store);
        let about = about.map_err(|error| explain(&error, &self.limits))?;
        Ok(About {
            version: about.version,
            contract: about.contract,
            baked_settings: about.baked_settings,
            baked_baseline: about.baked_baseline,
        })
    }

    pub(super) fn analytics(&mut self) -> Result<Vec<AnalyticEntry>, Failed> {
        let list = self.bindings.backchannel_detection_catalog().call_analytics(&mut self.store);
        let list = list.map_err(|error| explain(&error, &self.limits))?;
        let entry = |analytic: bindings::exports::backchannel::detection::catalog::Analytic| AnalyticEntry {
            id: analytic.id,
            title: analytic.title,
            techniques: analytic.techniques,
            attack_analytics: analytic.attack_analytics,
            severity: severity(analytic.severity),
            telemetry: analytic.telemetry,
            experimental: analytic.experimental,
            baseline: analytic.baseline,
        };
        Ok(list.into_iter().map(entry).collect())
    }

    /// Opens the detector. The inner error: the settings are wrong.
    pub(super) fn open(
        &mut self,
        settings: Option<&str>,
        baseline: Option<&[u8]>,
    ) -> Result<Result<(), Vec<SettingMistake>>, Failed> {
        self.start_call();
        let guest = self.bindings.backchannel_detection_detector().detector();
        let opened = guest.call_open(&mut self.store, settings, baseline);
        match opened.map_err(|error| explain(&error, &self.limits))? {
            Ok(detector) => {
                self.detector = Some(detector);
                Ok(Ok(()))
            }
            Err(mistakes) => Ok(Err(mistakes.into_iter().map(setting_mistake).collect())),
        }
    }

    /// Evaluates a batch. The inner error: the batch is not well formed, and nothing was changed.
    pub(super) fn evaluate(&mut self, batch: &mut Batch) -> Result<Result<Evaluation, String>, Failed> {
        let detector = self.detector()?;
        let lent = match lend(batch) {
            Ok(lent) => lent,
            Err(reason) => return Ok(Err(reason)),
        };
        self.start_call();
        let guest = self.bindings.backchannel_detection_detector().detector();
        let answer = guest.call_evaluate(&mut self.store, detector, &lent);
        give_back(batch, lent);
        match answer.map_err(|error| explain(&error, &self.limits))? {
            Ok(given) => Ok(Ok(evaluation(given))),
            Err(error) => Ok(Err(format!("not well formed at byte {}: {}", error.offset, error.reason))),
        }
    }

    pub(super) fn flush(&mut self) -> Result<Evaluation, Failed> {
        self.start_call();
        let detector = self.detector()?;
        let guest = self.bindings.backchannel_detection_detector().detector();
        let given = guest.call_flush(&mut self.store, detector).map_err(|error| explain(&error, &self.limits))?;
        Ok(evaluation(given))
    }

    pub(super) fn snapshot(&mut self) -> Result<Vec<u8>, Failed> {
        self.start_call();
        let detector = self.detector()?;
        let guest = self.bindings.backchannel_detection_detector().detector();
        guest.call_snapshot(&mut self.store, detector).map_err(|error| explain(&error, &self.limits))
    }

    /// Restores a snapshot. The inner error: it cannot be restored.
    pub(super) fn restore(&mut self, snapshot: &[u8]) -> Result<Result<(), String>, Failed> {
        self.start_call();
        let detector = self.detector()?;
        let guest = self.bindings.backchannel_detection_detector().detector();
        let done = guest.call_restore(&mut self.store, detector, snapshot);
        Ok(done.map_err(|error| explain(&error, &self.limits))?.map_err(not_taken_up))
    }

    pub(super) fn stats(&mut self) -> Result<Statistics, Failed> {
        self.start_call();
        let detector = self.detector()?;
        let guest = self.bindings.backchannel_detection_detector().detector();
        let stats = guest.call_stats(&mut self.store, detector).map_err(|error| explain(&error, &self.limits))?;
        Ok(Statistics {
            events: stats.events,
            findings: stats.findings,
            repeats: stats.repeats,
            suppressed: stats.suppressed,
            late: stats.late,
            hosts: stats.hosts,
            evicted: stats.evicted,
            sources: stats.sources,
            expired: stats.expired,
            unmatched: stats.unmatched,
        })
    }

    fn start_call(&mut self) {
        self.store.set_epoch_deadline(self.limits.ticks());
    }

    fn detector(&self) -> Result<ResourceAny, Failed> {
        self.detector.ok_or_else(|| "the detector was not opened".to_owned())
    }
}

fn not_taken_up(error: wit::SnapshotError) -> String {
    match error {
        wit::SnapshotError::OtherLayout(layout) => format!("it has layout {layout}, which this module does not know"),
        wit::SnapshotError::Damaged(reason) => format!("it is damaged: {reason}"),
    }
}

fn explain(error: &wasmtime::Error, limits: &Limits) -> Failed {
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::Interrupt) {
        return format!("it took longer than {} s", limits.batch_time.as_secs_f64());
    }
    let text = format!("{error:#}");
    if text.contains("growing memory") {
        return format!("it needed more than {} MiB of memory", limits.memory / (1024 * 1024));
    }
    match trap {
        Some(trap) => trap.to_string(),
        // The first line is the cause; a back trace of the guest follows.
        None => text.lines().next().unwrap_or_default().to_owned(),
    }
}

/// Converts a batch to the contract's type. Packed rows are moved, not copied: see [`give_back`].
fn lend(batch: &mut Batch) -> Result<wit::Batch, String> {
    Ok(match batch {
        Batch::Packed(bytes) => wit::Batch::Packed(std::mem::take(bytes)),
        Batch::Events(bytes) => {
            let rows = backchannel_events::packed::Batch::parse(bytes).map_err(|error| error.to_string())?;
            wit::Batch::Events(rows.iter().map(|event| events::event(&event)).collect())
        }
        Batch::Records(raw) => wit::Batch::Records(wit::Raw {
            input: raw.input.clone(),
            format: raw.format.as_str().to_owned(),
            host: raw.host.clone(),
            first_line: raw.first_line,
            data: raw.data.clone(),
        }),
        Batch::Text(raw) => wit::Batch::Text(wit::RawText {
            input: raw.input.clone(),
            format: raw.format.as_str().to_owned(),
            host: raw.host.clone(),
            first_line: raw.first_line,
            data: String::from_utf8_lossy(&raw.data).into_owned(),
        }),
    })
}

/// Restores to a batch what [`lend`] moved out of it.
fn give_back(batch: &mut Batch, lent: wit::Batch) {
    if let (Batch::Packed(bytes), wit::Batch::Packed(lent)) = (batch, lent) {
        *bytes = lent;
    }
}

fn evaluation(given: wit::Evaluation) -> Evaluation {
    Evaluation {
        findings: given.findings.into_iter().map(finding).collect(),
        signals: given.signals,
        activity: given.activity,
        skipped: given.skipped.into_iter().map(skipped).collect(),
        skipped_count: given.skipped_count,
        evaluated: given.evaluated,
        unused: given.unused,
        loss: None,
    }
}

fn finding(given: wit::Finding) -> FindingEnvelope {
    FindingEnvelope {
        id: given.id,
        analytic: given.analytic,
        severity: severity(given.severity),
        confidence: match given.confidence {
            wit::Confidence::Low => Confidence::Low,
            wit::Confidence::Medium => Confidence::Medium,
            wit::Confidence::High => Confidence::High,
            wit::Confidence::Certain => Confidence::Certain,
        },
        time: Timestamp(given.time),
        host: given.host,
        suppressed: given.suppressed,
        document: given.document,
    }
}

fn skipped(given: wit::Skipped) -> SkippedRecord {
    SkippedRecord { input: given.input, line: given.line, reason: given.reason }
}

fn severity(given: wit::Severity) -> Severity {
    match given {
        wit::Severity::Info => Severity::Info,
        wit::Severity::Low => Severity::Low,
        wit::Severity::Medium => Severity::Medium,
        wit::Severity::High => Severity::High,
        wit::Severity::Critical => Severity::Critical,
    }
}

fn setting_mistake(given: wit::SettingError) -> SettingMistake {
    SettingMistake {
        pointer: given.pointer,
        line: given.line,
        column: given.column,
        value: given.value,
        allowed: given.allowed,
    }
}
