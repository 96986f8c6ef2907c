//! Documents of findings, incidents and summaries: one JSON object on one line, with the same bytes from every host;
//! and types to parse them.
//!
//! Scripts and SIEM rules depend on the names: fields may be added, never renamed.
//!
//! - [`finding()`], [`incident()`], [`signal`], [`activity`]: the documents that the module returns.
//! - [`FindingDocument`], [`IncidentDocument`], [`Summary`]: the documents as types, for writing and parsing.
//! - [`Collection`]: the findings and incidents of a run, within a limit, each in its latest state.
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
