//! The fields by which a host routes findings and incidents without parsing their documents.

use backchannel_events::{Confidence, Severity, Timestamp};

/// A finding: the fields for routing, and the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingEnvelope {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Catalogue id of the analytic.
    pub analytic: String,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    pub time: Timestamp,
    /// Host key: the first label of the host's name, in lower case.
    pub host: String,
    /// Whether a rule of the site suppressed it.
    pub suppressed: bool,
    /// The finding as one JSON object on one line, as written by the module.
    pub document: String,
}

/// An incident: the fields for routing, and the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentEnvelope {
    /// 16 hexadecimal digits: the id of its earliest finding.
    pub id: String,
    /// Revision, counted from 1; increases with every change.
    pub revision: u32,
    /// Severity.
    pub severity: Severity,
    /// Tier that handles it: 1, or 2 if it is escalated.
    pub tier: u8,
    /// The incident as one JSON object on one line, as written by the module.
    pub document: String,
}
