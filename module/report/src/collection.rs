//! [`Collection`]: the findings and incidents of a run, each in its latest state, within a limit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Confidence, Severity, Timestamp};
use serde::Deserialize;

use crate::{FindingEnvelope, IncidentEnvelope, with_incident};

/// Default maximum number of findings that are kept.
pub const FINDINGS: usize = 100_000;

/// The findings and incidents of a run, by id. Beyond the limit, the least severe findings are dropped first, and of
/// those the latest.
#[derive(Debug)]
pub struct Collection {
    findings: BTreeMap<String, FindingEnvelope>,
    /// The same findings, in the order in which they would be dropped.
    order: BTreeSet<(Severity, Reverse<Timestamp>, String)>,
    limit: usize,
    dropped: u64,
    incidents: BTreeMap<String, IncidentEnvelope>,
}

impl Default for Collection {
    fn default() -> Self {
        Self::with_room_for(FINDINGS)
    }
}

/// The contents of a collection.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Collected {
    /// Incidents: escalated ones first, then by severity, then by id.
    pub incidents: Vec<IncidentEnvelope>,
    /// Findings, by time and id. Their documents contain the id of their incident.
    pub findings: Vec<FindingEnvelope>,
    /// Number of findings that were dropped because of the limit.
    pub dropped: u64,
}

/// The part of an incident's document that is read.
#[derive(Deserialize)]
struct Ids {
    supersedes: Vec<String>,
    findings: Vec<String>,
}

impl Ids {
    fn of(incident: &IncidentEnvelope) -> Option<Self> {
        serde_json::from_str(&incident.document).ok()
    }
}

impl Collection {
    /// An empty collection with a limit of `findings`.
    pub fn with_room_for(findings: usize) -> Self {
        Self {
            findings: BTreeMap::new(),
            order: BTreeSet::new(),
            limit: findings,
            dropped: 0,
            incidents: BTreeMap::new(),
        }
    }

    /// Adds a finding, or its new state. A state that is less severe than the stored one is ignored, so that an update never
    /// lowers a finding, whatever the order in which states arrive.
    pub fn finding(&mut self, finding: FindingEnvelope) {
        let key = |finding: &FindingEnvelope| (finding.severity, Reverse(finding.time), finding.id.clone());
        if let Some(before) = self.findings.get(&finding.id) {
            if weight(&finding) < weight(before) {
                return;
            }
            self.order.remove(&key(before));
        }
        self.order.insert(key(&finding));
        self.findings.insert(finding.id.clone(), finding);
        if self.findings.len() > self.limit
            && let Some((_, _, id)) = self.order.pop_first()
        {
            self.findings.remove(&id);
            self.dropped += 1;
        }
    }

    /// Adds an incident, or its new state; incidents that were merged into it are removed.
    pub fn incident(&mut self, incident: IncidentEnvelope) {
        for superseded in Ids::of(&incident).into_iter().flat_map(|ids| ids.supersedes) {
            self.incidents.remove(&superseded);
        }
        self.incidents.insert(incident.id.clone(), incident);
    }

    /// Number of findings that are kept.
    pub fn findings(&self) -> usize {
        self.findings.len()
    }

    /// The contents, in order.
    pub fn finish(self) -> Collected {
        let mut incidents: Vec<_> = self.incidents.into_values().collect();
        incidents.sort_by(|a, b| (b.tier, b.severity, &a.id).cmp(&(a.tier, a.severity, &b.id)));
        let mut findings: Vec<_> = self.findings.into_values().collect();
        findings.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        name_incidents(&mut findings, &incidents);
        Collected { incidents, findings, dropped: self.dropped }
    }
}

/// Which of two states of a finding is the worse: the more severe one, then the surer one, then the more frequent one.
fn weight(finding: &FindingEnvelope) -> (Severity, Confidence, u32) {
    #[derive(Deserialize)]
    struct Count {
        count: u32,
    }
    let count = serde_json::from_str(&finding.document).map_or(0, |Count { count }| count);
    (finding.severity, finding.confidence, count)
}

/// Sets the incident of each finding's document, which is known only at the end.
fn name_incidents(findings: &mut [FindingEnvelope], incidents: &[IncidentEnvelope]) {
    let mut of: BTreeMap<String, &str> = BTreeMap::new();
    for incident in incidents {
        for finding in Ids::of(incident).into_iter().flat_map(|ids| ids.findings) {
            of.insert(finding, &incident.id);
        }
    }
    for finding in findings {
        if let Some(incident) = of.get(&finding.id)
            && let Ok(named) = with_incident(&finding.document, Some(incident))
        {
            finding.document = named;
        }
    }
}

impl Collected {
    /// Number of findings that a rule of the site suppressed.
    pub fn suppressed(&self) -> u64 {
        self.findings.iter().filter(|finding| finding.suppressed).count() as u64
    }

    /// Number of findings that are not suppressed, by severity.
    pub fn by_severity(&self) -> BTreeMap<Severity, u64> {
        let mut counts: BTreeMap<Severity, u64> = Severity::ALL.iter().map(|severity| (*severity, 0)).collect();
        for finding in self.findings.iter().filter(|finding| !finding.suppressed) {
            *counts.entry(finding.severity).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Finding, Incident};

    use super::*;

    fn finding(id: &str, severity: Severity, second: i64) -> FindingEnvelope {
        let time = Timestamp::from_unix(second, 0);
        FindingEnvelope {
            id: id.into(),
            analytic: String::new(),
            severity,
            confidence: Default::default(),
            time,
            host: String::new(),
            suppressed: false,
            document: crate::finding(&Finding { id: id.into(), severity, time, ..Finding::default() }),
        }
    }

    fn incident(id: &str, tier: u8, findings: &[&str], supersedes: &[&str]) -> IncidentEnvelope {
        let texts = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect();
        let incident = Incident { findings: texts(findings), supersedes: texts(supersedes), ..Incident::default() };
        let document = crate::incident(&incident);
        IncidentEnvelope { id: id.into(), revision: 1, severity: Severity::High, tier, document }
    }

    fn ids(collected: &Collected) -> Vec<&str> {
        collected.findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    #[test]
    fn the_least_severe_and_of_those_the_newest_are_dropped() {
        let mut collection = Collection::with_room_for(2);
        collection.finding(finding("a", Severity::Low, 1));
        collection.finding(finding("b", Severity::Low, 2));
        collection.finding(finding("c", Severity::High, 3));
        let collected = collection.finish();
        assert_eq!((ids(&collected), collected.dropped), (vec!["a", "c"], 1));
    }

    #[test]
    fn a_repeated_finding_is_kept_once_in_its_latest_state() {
        let mut collection = Collection::with_room_for(2);
        collection.finding(finding("a", Severity::Low, 1));
        collection.finding(finding("a", Severity::Low, 1));
        collection.finding(finding("a", Severity::Critical, 1));
        collection.finding(finding("b", Severity::Low, 2));
        collection.finding(finding("c", Severity::Low, 3));
        let collected = collection.finish();
        assert_eq!((ids(&collected), collected.dropped), (vec!["a", "b"], 1));
        assert_eq!(collected.by_severity()[&Severity::Critical], 1);
    }

    #[test]
    fn an_update_never_makes_a_finding_milder() {
        let mut collection = Collection::default();
        let counted = |severity, count| {
            let mut envelope = finding("a", severity, 1);
            let whole = Finding { id: "a".into(), severity, count, ..Finding::default() };
            envelope.document = crate::finding(&whole);
            envelope
        };
        collection.finding(counted(Severity::Critical, 4));
        collection.finding(counted(Severity::Low, 1));
        collection.finding(counted(Severity::Critical, 2));
        let collected = collection.finish();
        assert_eq!(collected.by_severity()[&Severity::Critical], 1);
        assert!(collected.findings[0].document.contains(r#""count":4"#), "{}", collected.findings[0].document);
    }

    #[test]
    fn findings_have_the_id_of_their_incident_and_merged_incidents_are_removed() {
        let mut collection = Collection::default();
        collection.finding(finding("a", Severity::Low, 1));
        collection.finding(finding("b", Severity::Low, 2));
        collection.incident(incident("i1", 2, &["a"], &[]));
        collection.incident(incident("i2", 1, &[], &[]));
        collection.incident(incident("i3", 1, &["a"], &["i1"]));
        let collected = collection.finish();
        let order: Vec<&str> = collected.incidents.iter().map(|incident| incident.id.as_str()).collect();
        assert_eq!(order, ["i2", "i3"]);
        assert!(collected.findings[0].document.contains(r#""incident":"i3""#));
        assert!(collected.findings[1].document.contains(r#""incident":null"#));
    }
}
