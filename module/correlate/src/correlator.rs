//! [`Correlator`]: findings, watched events and signals in, incidents out.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Finding, Incident, Severity, Signal, SignalKind, Timestamp, WatchedEvent};
use serde::{Deserialize, Serialize};

use crate::compose;
use crate::groups::{Groups, Reached};
use crate::identity::Names;

/// Most findings remembered; the least severe go first, of these the oldest.
const MOST_FINDINGS: usize = 8_192;
/// Most watched events remembered of one incident.
const MOST_WATCHED: usize = 400;
/// Most addresses and reachings-out remembered.
const MOST_SIGNALS: usize = 50_000;

/// Most reachings-out remembered from one machine to one other: the latest.
const MOST_TIMES: usize = 32;

/// Joins findings into incidents.
#[derive(Debug, Default)]
pub struct Correlator {
    memory: Memory,
}

/// What a correlator remembers: all of its state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    findings: BTreeMap<String, Finding>,
    /// The same findings, the first to give way first.
    order: BTreeSet<(Severity, Timestamp, String)>,
    groups: Groups,
    watched: BTreeMap<String, Vec<WatchedEvent>>,
    names: Names,
    reached: Reached,
    told: BTreeMap<String, Told>,
    /// Findings forgotten to stay within bounds.
    pub evicted: u64,
}

/// What was last handed out of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    revision: u32,
    findings: BTreeSet<String>,
    counts: u64,
    watched: usize,
}

impl Correlator {
    /// A correlator that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a finding. A suppressed one joins nothing.
    pub fn finding(&mut self, finding: Finding) {
        if finding.suppressed.is_some() {
            return;
        }
        let memory = &mut self.memory;
        if memory.names.len() + memory.reached.len() < MOST_SIGNALS {
            memory.names.host(&finding.host);
        }
        memory.groups.add(&finding);
        let place = |finding: &Finding| (finding.severity, finding.time, finding.id.clone());
        let now = place(&finding);
        if let Some(before) = memory.findings.insert(finding.id.clone(), finding) {
            memory.order.remove(&place(&before));
        }
        memory.order.insert(now);
        if memory.findings.len() > MOST_FINDINGS
            && let Some((_, _, least)) = memory.order.pop_first()
        {
            memory.findings.remove(&least);
            memory.groups.forget(&least);
            memory.evicted += 1;
        }
    }

    /// Takes an event around something under watch.
    pub fn watched(&mut self, event: WatchedEvent) {
        for key in &event.joins {
            let events = self.memory.watched.entry(key.clone()).or_default();
            if events.len() < MOST_WATCHED && !events.iter().any(|known| known.observation == event.observation) {
                events.push(event.clone());
            }
        }
    }

    /// Takes an edge between machines.
    pub fn signal(&mut self, signal: Signal) {
        let memory = &mut self.memory;
        if memory.names.len() + memory.reached.len() >= MOST_SIGNALS {
            return;
        }
        match signal.kind {
            SignalKind::Address | SignalKind::PeerAddress | SignalKind::Account => memory.names.signal(signal),
            SignalKind::ReachedFor => {
                let times = memory.reached.entry((signal.host, signal.peer)).or_default();
                times.insert((signal.time, signal.user));
                while times.len() > MOST_TIMES {
                    times.pop_first();
                }
            }
            // A logon alone is no edge of an attack; findings carry theirs.
            SignalKind::LogonFrom => {}
        }
    }

    /// Incidents that are new or have changed since they were last asked for, worst first.
    ///
    /// However often it is asked, each incident comes to be the same in the end: one that was told with what now belongs
    /// to another is told again without it.
    pub fn incidents(&mut self) -> Vec<Incident> {
        let memory = &mut self.memory;
        let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
        for members in memory.groups.linked(&memory.findings, &memory.names, &memory.reached) {
            let mut findings: Vec<&Finding> = members.iter().filter_map(|id| memory.findings.get(id)).collect();
            if findings.iter().any(|finding| finding.severity >= Severity::Medium) {
                compose::sort(&mut findings);
                groups.insert(compose::id(&findings), Group { members, findings });
            }
        }
        let mut incidents = Vec::new();
        for (id, Group { members, findings }) in &groups {
            let watched = watched_of(&memory.watched, findings);
            let counts: u64 = findings.iter().map(|finding| u64::from(finding.count)).sum();
            let went_up = |other: &String, told: &Told| {
                !groups.contains_key(other) && told.findings.iter().any(|id| members.contains(id))
            };
            let supersedes: Vec<String> = memory
                .told
                .iter()
                .filter(|(other, told)| went_up(other, told))
                .map(|(other, _)| other.clone())
                .collect();
            // Its revision stays: it may come back.
            let gone = |id: &String| {
                let told = memory.told.get_mut(id)?;
                told.findings.clear();
                Some(told.revision)
            };
            let revision = supersedes.iter().filter_map(gone).max();
            let before = memory.told.get(id);
            let unchanged = before.is_some_and(|told| {
                told.findings == *members && told.counts == counts && told.watched == watched.len()
            });
            if unchanged && supersedes.is_empty() {
                continue;
            }
            let revision = before.map(|told| told.revision).max(revision).unwrap_or(0) + 1;
            let told = Told { revision, findings: members.clone(), counts, watched: watched.len() };
            memory.told.insert(id.clone(), told);
            let composed = compose::incident(findings, &watched, &memory.names);
            incidents.push(Incident { id: id.clone(), revision, supersedes, ..composed });
        }
        incidents
            .sort_by(|a, b| (b.tier, b.severity, a.first_seen, &a.id).cmp(&(a.tier, a.severity, b.first_seen, &b.id)));
        incidents
    }

    /// What is remembered, to be written down.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Takes up what another correlator remembered.
    pub fn restore(&mut self, memory: Memory) {
        self.memory = memory;
    }
}

/// Findings that belong together.
struct Group<'m> {
    members: BTreeSet<String>,
    /// In the order of time.
    findings: Vec<&'m Finding>,
}

/// The watched events that share a key with one of the findings, each once, in order.
fn watched_of<'m>(watched: &'m BTreeMap<String, Vec<WatchedEvent>>, findings: &[&Finding]) -> Vec<&'m WatchedEvent> {
    let own = findings.iter().map(|finding| format!("f:{}", finding.id));
    let keys: BTreeSet<String> = findings.iter().flat_map(|finding| finding.joins.iter().cloned()).chain(own).collect();
    let mut events: Vec<&WatchedEvent> = keys.iter().filter_map(|key| watched.get(key)).flatten().collect();
    events.sort_by(|a, b| order(a).cmp(&order(b)));
    events.dedup_by(|a, b| a.observation == b.observation);
    events
}

fn order(event: &WatchedEvent) -> (Timestamp, &str, &str, &str) {
    let seen = &event.observation;
    (seen.time, &event.host, &seen.provider, &seen.text)
}
