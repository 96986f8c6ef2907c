//! What a host routes findings and incidents by, without reading their documents.

use backchannel_events::{Confidence, Severity, Timestamp};

/// A finding: what a host routes by, and its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingEnvelope {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Catalogue id of the analytic.
    pub analytic: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    pub time: Timestamp,
    /// Key of the host.
    pub host: String,
    /// Whether a rule of the site silenced it.
    pub suppressed: bool,
    /// The finding as one JSON object on one line, as the module wrote it.
    pub document: String,
}

/// An incident: what a host routes by, and its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentEnvelope {
    /// 16 hexadecimal digits: the id of its earliest finding.
    pub id: String,
    /// Counts its changes from 1.
    pub revision: u32,
    /// How bad it is.
    pub severity: Severity,
    /// 1: stays with level 1; 2: escalated.
    pub tier: u8,
    /// The incident as one JSON object on one line, as the module wrote it.
    pub document: String,
}
