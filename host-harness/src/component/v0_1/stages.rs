//! The contract's correlator and learner.

use wasmtime::component::ResourceAny;

use super::{Failed, Instance, evaluation, explain, lend, not_taken_up, setting_mistake, severity, wit};
use crate::component::{Batch, Evaluation, IncidentEnvelope, SettingMistake};

impl Instance {
    /// Opens the correlator. The inner error: the settings are wrong.
    pub(in crate::component) fn open_correlator(
        &mut self,
        settings: Option<&str>,
    ) -> Result<Result<(), Vec<SettingMistake>>, Failed> {
        self.start_call();
        let guest = self.bindings.backchannel_detection_correlator().correlator();
        let opened = guest.call_open(&mut self.store, settings);
        match opened.map_err(|error| explain(&error, &self.limits))? {
            Ok(correlator) => {
                self.correlator = Some(correlator);
                Ok(Ok(()))
            }
            Err(mistakes) => Ok(Err(mistakes.into_iter().map(setting_mistake).collect())),
        }
    }

    /// Passes documents to the correlator; returns how many it could not read.
    pub(in crate::component) fn correlate(
        &mut self,
        findings: &[String],
        signals: &[String],
        activity: &[String],
    ) -> Result<u32, Failed> {
        self.start_call();
        let correlator = opened(self.correlator, "correlator")?;
        let guest = self.bindings.backchannel_detection_correlator().correlator();
        let unread = guest.call_observe(&mut self.store, correlator, findings, signals, activity);
        unread.map_err(|error| explain(&error, &self.limits))
    }

    /// Incidents that are new or have changed.
    pub(in crate::component) fn incidents(&mut self) -> Result<Vec<IncidentEnvelope>, Failed> {
        self.start_call();
        let correlator = opened(self.correlator, "correlator")?;
        let guest = self.bindings.backchannel_detection_correlator().correlator();
        let incidents = guest.call_incidents(&mut self.store, correlator);
        let incident = |given: wit::Incident| IncidentEnvelope {
            id: given.id,
            revision: given.revision,
            severity: severity(given.severity),
            tier: given.tier,
            document: given.document,
        };
        Ok(incidents.map_err(|error| explain(&error, &self.limits))?.into_iter().map(incident).collect())
    }

    /// All of the correlator's memory.
    pub(in crate::component) fn correlator_snapshot(&mut self) -> Result<Vec<u8>, Failed> {
        self.start_call();
        let correlator = opened(self.correlator, "correlator")?;
        let guest = self.bindings.backchannel_detection_correlator().correlator();
        guest.call_snapshot(&mut self.store, correlator).map_err(|error| explain(&error, &self.limits))
    }

    /// Restores a snapshot of a correlator. The inner error: it cannot be restored.
    pub(in crate::component) fn correlator_restore(&mut self, snapshot: &[u8]) -> Result<Result<(), String>, Failed> {
        self.start_call();
        let correlator = opened(self.correlator, "correlator")?;
        let guest = self.bindings.backchannel_detection_correlator().correlator();
        let done = guest.call_restore(&mut self.store, correlator, snapshot);
        Ok(done.map_err(|error| explain(&error, &self.limits))?.map_err(not_taken_up))
    }

    /// Opens the learner. The inner error: the settings are wrong.
    pub(in crate::component) fn open_learner(
        &mut self,
        settings: Option<&str>,
    ) -> Result<Result<(), Vec<SettingMistake>>, Failed> {
        self.start_call();
        let guest = self.bindings.backchannel_detection_learner().learner();
        match guest.call_open(&mut self.store, settings).map_err(|error| explain(&error, &self.limits))? {
            Ok(learner) => {
                self.learner = Some(learner);
                Ok(Ok(()))
            }
            Err(mistakes) => Ok(Err(mistakes.into_iter().map(setting_mistake).collect())),
        }
    }

    /// Learns from a batch. The inner error: the batch is not well formed.
    pub(in crate::component) fn learn(&mut self, mut batch: Batch) -> Result<Result<Evaluation, String>, Failed> {
        let batch = match lend(&mut batch) {
            Ok(batch) => batch,
            Err(reason) => return Ok(Err(reason)),
        };
        self.start_call();
        let learner = opened(self.learner, "learner")?;
        let guest = self.bindings.backchannel_detection_learner().learner();
        match guest.call_observe(&mut self.store, learner, &batch).map_err(|error| explain(&error, &self.limits))? {
            Ok(given) => Ok(Ok(evaluation(given))),
            Err(error) => Ok(Err(format!("not well formed at byte {}: {}", error.offset, error.reason))),
        }
    }

    /// The baseline learned so far.
    pub(in crate::component) fn baseline(&mut self) -> Result<Vec<u8>, Failed> {
        self.start_call();
        let learner = opened(self.learner, "learner")?;
        let guest = self.bindings.backchannel_detection_learner().learner();
        guest.call_baseline(&mut self.store, learner).map_err(|error| explain(&error, &self.limits))
    }

    /// Merges baselines. The inner error: one cannot be used.
    pub(in crate::component) fn merge(&mut self, baselines: &[Vec<u8>]) -> Result<Result<Vec<u8>, String>, Failed> {
        self.start_call();
        let guest = self.bindings.backchannel_detection_learner().learner();
        let merged = guest.call_merge(&mut self.store, baselines);
        Ok(merged.map_err(|error| explain(&error, &self.limits))?.map_err(unusable))
    }

    /// A baseline as human-readable lines. The inner error: it cannot be used.
    pub(in crate::component) fn show(&mut self, baseline: &[u8]) -> Result<Result<Vec<String>, String>, Failed> {
        self.start_call();
        let guest = self.bindings.backchannel_detection_learner().learner();
        let shown = guest.call_show(&mut self.store, baseline);
        Ok(shown.map_err(|error| explain(&error, &self.limits))?.map_err(unusable))
    }
}

fn opened(resource: Option<ResourceAny>, what: &str) -> Result<ResourceAny, Failed> {
    resource.ok_or_else(|| format!("the {what} was not opened"))
}

fn unusable(error: wit::BaselineError) -> String {
    match error {
        wit::BaselineError::OtherLayout(layout) => format!("it has layout {layout}, which this module does not know"),
        wit::BaselineError::Damaged(reason) => format!("it is damaged: {reason}"),
    }
}
