//! Findings and incidents as documents: one JSON object on one line, the same bytes in every host.
//!
//! The names are a promise to scripts and SIEM rules: fields may be added, never renamed.

mod finding;

pub use finding::finding;
