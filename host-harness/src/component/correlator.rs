//! Stage two for hosts: documents in, incidents out.

use super::{HostError, IncidentEnvelope, Limits, Module, v0_1};

/// A correlator in its sandbox.
pub struct Correlator {
    live: v0_1::Instance,
}

impl std::fmt::Debug for Correlator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Correlator").finish_non_exhaustive()
    }
}

impl Correlator {
    /// Opens a correlator. `settings` is one JSON document.
    ///
    /// # Errors
    /// Wrong settings, or a module that fails.
    pub fn open(module: &Module, limits: &Limits, settings: Option<&str>) -> Result<Self, HostError> {
        let mut live = module.instance(limits)?;
        live.open_correlator(settings).map_err(HostError::Lost)?.map_err(HostError::Settings)?;
        Ok(Self { live })
    }

    /// Takes the documents of findings, signals and activity. Returns how many could not be read.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn observe(&mut self, findings: &[String], signals: &[String], activity: &[String]) -> Result<u32, HostError> {
        self.live.correlate(findings, signals, activity).map_err(HostError::Lost)
    }

    /// Incidents that are new or have changed since the previous call.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn incidents(&mut self) -> Result<Vec<IncidentEnvelope>, HostError> {
        self.live.incidents().map_err(HostError::Lost)
    }

    /// All of the correlator's memory.
    ///
    /// # Errors
    /// [`HostError::Lost`] where the module fails.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, HostError> {
        self.live.correlator_snapshot().map_err(HostError::Lost)
    }

    /// Restores the memory from a snapshot.
    ///
    /// # Errors
    /// [`HostError::Snapshot`] where it has another layout or is damaged.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), HostError> {
        self.live.correlator_restore(snapshot).map_err(HostError::Lost)?.map_err(HostError::Snapshot)
    }
}
