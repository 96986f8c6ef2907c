//! The library behind every host of the module: takes batches in any encoding, returns documents, and keeps the state.
//!
//! [`Engine`] is stage one, [`Correlator`] stage two, and [`Learner`] writes a baseline. The component, the filter for
//! Fluent Bit, the browser page and the native test driver are thin layers over these three, without conversions or
//! decisions of their own. This crate does no I/O.

mod baseline;
mod catalog;
mod correlator;
mod engine;
mod intake;
mod learner;
mod output;
mod site;
mod snapshot;
mod tuning;

pub use baseline::BaselineError;
pub use catalog::{CONTRACT, VERSION, analytics};
pub use correlator::Correlator;
pub use engine::Engine;
pub use intake::Raw;
pub use learner::Learner;
pub use output::{MAX_SKIPPED, Output, Skipped};
pub use site::Site;
pub use snapshot::SnapshotError;
pub use tuning::settings_schema;

pub use backchannel_decode::Format;
pub use backchannel_detect::{Analytic, Evicted, Stats, Status, Upkeep};
pub use backchannel_events::packed::PackedError;
pub use backchannel_report::{FindingEnvelope, IncidentEnvelope};
pub use backchannel_settings::SettingError;
