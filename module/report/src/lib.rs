//! Findings and incidents as documents: one JSON object on one line, the same bytes in every host.
//!
//! The names are a promise to scripts and SIEM rules: fields may be added, never renamed.

mod baseline;
mod document;
mod finding;
mod incident;

pub use baseline::{Exchange, baseline, exchange};
pub use finding::{finding, read_finding};
pub use incident::{activity, incident, read_activity, read_signal, signal};
