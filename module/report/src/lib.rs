//! Findings, incidents and summaries as documents: one JSON object on one line, the same bytes in every host; and the way
//! back, so that a host reads fields of a struct instead of looking them up.
//!
//! The names are a promise to scripts and SIEM rules: fields may be added, never renamed.
//!
//! - [`finding()`], [`incident()`], [`signal`], [`activity`]: what the module says, as documents.
//! - [`FindingDocument`], [`IncidentDocument`], [`Summary`]: the documents, to be written and read.
//! - [`Collection`]: the findings and incidents of a run, bounded, each in its latest state.
//! - [`Ocsf`]: findings as OCSF Detection Findings.

mod baseline;
mod collection;
mod correlation;
mod document;
mod envelope;
mod finding;
mod incident;
mod members;
mod ocsf;
mod summary;

pub use baseline::{Exchange, baseline, exchange};
pub use collection::{Collected, Collection, FINDINGS};
pub use correlation::{activity, read_activity, read_signal, signal};
pub use document::{AnswerDocument, Answers, Channel, Process, Record};
pub use envelope::{FindingEnvelope, IncidentEnvelope};
pub use finding::{FindingDocument, SuppressedBy, finding, read_finding};
pub use incident::{
    BurstDocument, IncidentDocument, Level1Document, Level2Document, MovementDocument, ProcessOnHost, ReasonDocument,
    StepDocument, incident,
};
pub use members::with_incident;
pub use ocsf::Ocsf;
pub use summary::{ClockOffset, Inactive, Needs, Records, Summary, inactive};
