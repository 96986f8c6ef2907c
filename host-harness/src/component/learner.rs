//! Learning a baseline, and merging and showing baselines, for hosts.

use super::{Batch, Evaluation, HostError, Limits, Module, v0_1};

/// A learner in its sandbox.
pub struct Learner {
    live: v0_1::Instance,
}

impl std::fmt::Debug for Learner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learner").finish_non_exhaustive()
    }
}

impl Learner {
    /// Opens a learner. `settings` is one JSON document.
    ///
    /// # Errors
    /// Wrong settings, or a module that fails.
    pub fn open(module: &Module, limits: &Limits, settings: Option<&str>) -> Result<Self, HostError> {
        let mut live = module.instance(limits)?;
        live.open_learner(settings).map_err(HostError::Lost)?.map_err(HostError::Settings)?;
        Ok(Self { live })
    }

    /// Learns from a batch.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails: what was learned so far cannot be trusted.
    pub fn observe(&mut self, batch: Batch) -> Result<Evaluation, HostError> {
        self.live.learn(batch).map_err(HostError::Lost)?.map_err(HostError::Lost)
    }

    /// The baseline learned so far.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn baseline(&mut self) -> Result<Vec<u8>, HostError> {
        self.live.baseline().map_err(HostError::Lost)
    }
}

/// Merges baselines. The order does not affect the result.
///
/// # Errors
/// [`HostError::Baseline`] where one cannot be used.
pub fn merge_baselines(module: &Module, limits: &Limits, baselines: &[Vec<u8>]) -> Result<Vec<u8>, HostError> {
    module.instance(limits)?.merge(baselines).map_err(HostError::Lost)?.map_err(HostError::Baseline)
}

/// A baseline as sorted, human-readable lines: a description, then one line per exchange.
///
/// # Errors
/// [`HostError::Baseline`] where it cannot be used.
pub fn show_baseline(module: &Module, limits: &Limits, baseline: &[u8]) -> Result<Vec<String>, HostError> {
    module.instance(limits)?.show(baseline).map_err(HostError::Lost)?.map_err(HostError::Baseline)
}
