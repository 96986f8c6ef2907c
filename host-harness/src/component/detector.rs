//! A detector that survives failures of its module: a fresh instance is restored from the last snapshot, the batches
//! since then are evaluated again, and the batch that caused the failure is left out.

use super::kept::Kept;
use super::{Batch, Evaluation, HostError, Limits, Loss, Module, Statistics, v0_1};

/// Number of consecutive failures after which [`HostError::Lost`] is returned.
const FAILURES: u32 = 3;

/// An open detector.
pub struct Detector {
    module: Module,
    limits: Limits,
    settings: Option<String>,
    baseline: Option<Vec<u8>>,
    live: v0_1::Instance,
    /// The snapshot to restore after a failure; `None`: the state after opening.
    snapshot: Option<Kept>,
    /// The batches evaluated since that snapshot.
    since: Vec<Batch>,
    since_events: u64,
    since_bytes: usize,
    /// Buffers of batches that are no longer needed.
    spare: Vec<Vec<u8>>,
    failures: u32,
    /// Number of consecutive failures to take a snapshot.
    snapshot_failures: u32,
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector")
            .field("limits", &self.limits)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

impl Detector {
    /// Opens a detector. `settings` is one JSON document, `baseline` what a learner wrote.
    ///
    /// # Errors
    /// Wrong settings, or a module that fails.
    pub fn open(
        module: &Module,
        limits: Limits,
        settings: Option<String>,
        baseline: Option<Vec<u8>>,
    ) -> Result<Self, HostError> {
        let live = opened(module, &limits, settings.as_deref(), baseline.as_deref())?;
        Ok(Self {
            module: module.clone(),
            limits,
            settings,
            baseline,
            live,
            snapshot: None,
            since: Vec::new(),
            since_events: 0,
            since_bytes: 0,
            spare: Vec::new(),
            failures: 0,
            snapshot_failures: 0,
        })
    }

    /// Evaluates a batch. If the module fails on it, [`Evaluation::loss`] has the reason, and the detector continues
    /// without it.
    ///
    /// # Errors
    /// [`HostError::Lost`] where it failed three times in a row.
    pub fn evaluate(&mut self, mut batch: Batch) -> Result<Evaluation, HostError> {
        match self.live.evaluate(&mut batch) {
            Ok(Ok(evaluation)) => {
                self.failures = 0;
                self.since_events += evaluation.evaluated;
                self.since_bytes += batch.size();
                self.since.push(batch);
                if self.since_events >= self.limits.snapshot_events || self.since_bytes >= self.limits.snapshot_bytes {
                    self.checkpoint()?;
                }
                Ok(evaluation)
            }
            Ok(Err(reason)) => Ok(Evaluation { loss: Some(Loss { reason }), ..Evaluation::default() }),
            Err(reason) => {
                self.recover(&reason)?;
                Ok(Evaluation { loss: Some(Loss { reason }), ..Evaluation::default() })
            }
        }
    }

    /// A buffer for a packed batch: reused from an earlier batch if possible, to avoid an allocation per batch.
    pub fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Ends the input: completes pending records.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn flush(&mut self) -> Result<Evaluation, HostError> {
        match self.live.flush() {
            Ok(evaluation) => Ok(evaluation),
            Err(reason) => {
                self.recover(&reason)?;
                Ok(Evaluation { loss: Some(Loss { reason }), ..Evaluation::default() })
            }
        }
    }

    /// All of the detector's memory.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, HostError> {
        match self.live.snapshot() {
            Ok(bytes) => Ok(bytes),
            Err(reason) => {
                self.recover(&reason)?;
                self.live.snapshot().map_err(HostError::Lost)
            }
        }
    }

    /// Restores the memory from a snapshot.
    ///
    /// # Errors
    /// [`HostError::Snapshot`] where it has another layout or is damaged.
    pub fn restore(&mut self, snapshot: Vec<u8>) -> Result<(), HostError> {
        self.live.restore(&snapshot).map_err(HostError::Lost)?.map_err(HostError::Snapshot)?;
        self.start_over_from(snapshot);
        Ok(())
    }

    /// Counters since it was opened or restored.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn stats(&mut self) -> Result<Statistics, HostError> {
        self.live.stats().map_err(HostError::Lost)
    }

    /// Takes a snapshot for recovery.
    fn checkpoint(&mut self) -> Result<(), HostError> {
        match self.live.snapshot() {
            Ok(snapshot) => {
                self.start_over_from(snapshot);
                Ok(())
            }
            // The evaluation succeeded and only the snapshot failed, so the next attempt comes half a period later. If
            // no snapshot can be taken at all, the batches kept for recovery would grow without bound.
            Err(reason) => {
                self.snapshot_failures += 1;
                if self.snapshot_failures >= FAILURES {
                    return Err(HostError::Lost(reason));
                }
                self.recover(&reason)?;
                self.since_events /= 2;
                self.since_bytes /= 2;
                Ok(())
            }
        }
    }

    fn start_over_from(&mut self, snapshot: Vec<u8>) {
        self.snapshot = Some(Kept::new(snapshot));
        self.snapshot_failures = 0;
        self.spare.extend(self.since.drain(..).filter_map(|batch| match batch {
            Batch::Packed(bytes) => Some(bytes),
            Batch::Events(_) | Batch::Records(_) | Batch::Text(_) => None,
        }));
        self.since_events = 0;
        self.since_bytes = 0;
    }

    /// A fresh instance with the memory that the failed one had before the failing call.
    fn recover(&mut self, reason: &str) -> Result<(), HostError> {
        let mut reason = reason.to_owned();
        loop {
            self.failures += 1;
            if self.failures >= FAILURES {
                return Err(HostError::Lost(reason));
            }
            match self.relive() {
                Ok(live) => {
                    self.live = live;
                    return Ok(());
                }
                Err(HostError::Lost(again)) => reason = again,
                Err(other) => return Err(other),
            }
        }
    }

    fn relive(&mut self) -> Result<v0_1::Instance, HostError> {
        let mut live = opened(&self.module, &self.limits, self.settings.as_deref(), self.baseline.as_deref())?;
        if let Some(snapshot) = &self.snapshot {
            let snapshot = snapshot.bytes().map_err(HostError::Lost)?;
            live.restore(&snapshot).map_err(HostError::Lost)?.map_err(HostError::Snapshot)?;
        }
        for batch in &mut self.since {
            // Its findings were already returned the first time.
            live.evaluate(batch).map_err(HostError::Lost)?.map_err(HostError::Lost)?;
        }
        Ok(live)
    }
}

fn opened(
    module: &Module,
    limits: &Limits,
    settings: Option<&str>,
    baseline: Option<&[u8]>,
) -> Result<v0_1::Instance, HostError> {
    let mut live = module.instance(limits)?;
    live.open(settings, baseline).map_err(HostError::Lost)?.map_err(HostError::Settings)?;
    Ok(live)
}
