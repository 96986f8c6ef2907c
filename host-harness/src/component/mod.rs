//! The detection module in its sandbox: loaded, limited, restarted when it is lost.
//!
//! The module imports nothing, so it is instantiated with an empty linker and can touch nothing of this machine. What
//! it may take is memory and time, and both have a [limit](Limits). A batch that makes it fail is reported and left
//! out; the module goes on from its last snapshot.
//!
//! One file a supported version of the contract: [`v0_1`]. Everything else speaks the types of [`types`].

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

/// The contract this host speaks.
pub const CONTRACT: &str = v0_1::CONTRACT;
