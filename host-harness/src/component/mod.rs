//! The detection module in its sandbox: loading, limits, restart after a failure.
//!
//! The module imports nothing, so it is instantiated with an empty linker and has no access to the machine. It uses
//! only memory and time, and both have a [limit](Limits). A batch that makes it fail is reported and left out; the
//! module continues from its last snapshot.
//!
//! There is one file for each supported version of the contract: [`v0_1`]. All other code uses the types of [`types`].

mod baked;
mod correlator;
mod detector;
mod engine;
mod kept;
mod learner;
mod module;
#[cfg(test)]
mod tests;
mod types;
mod v0_1;

pub use baked::{Baked, BakedPart, Sections, sections};
pub use correlator::Correlator;
pub use detector::Detector;
pub use engine::{Engine, EngineOptions, Limits};
pub use learner::{Learner, merge_baselines, show_baseline};
pub use module::{ImportExport, Inspection, Module, inspect};
pub use types::{
    About, AnalyticEntry, Batch, Evaluation, FindingEnvelope, HostError, IncidentEnvelope, Loss, RawBatch,
    SettingMistake, SkippedRecord, Statistics,
};

/// The contract that this host supports.
pub const CONTRACT: &str = v0_1::CONTRACT;
