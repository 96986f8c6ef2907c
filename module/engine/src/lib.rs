//! What every host of the module shares: a batch in any carrier in, documents out, state kept between.
//!
//! [`Engine`] is stage one, [`Correlator`] stage two, [`Learner`] writes a baseline. The component, a shipper's filter,
//! the page and the native test driver are thin layers over these three; none of them converts or decides anything
//! that is not decided here. Nothing here does I/O.

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
pub use output::{MOST_SKIPPED, Output, Skipped};
pub use site::Site;
pub use snapshot::SnapshotError;
pub use tuning::settings_schema;

pub use backchannel_decode::Format;
pub use backchannel_detect::{Analytic, Evicted, Stats, Status, Upkeep};
pub use backchannel_events::packed::PackedError;
pub use backchannel_report::{FindingEnvelope, IncidentEnvelope};
pub use backchannel_settings::SettingError;
