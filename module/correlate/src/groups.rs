//! Which findings belong together: those that share a key within its time, and those that an edge between two
//! machines connects.
//!
//! A shared key joins for good. Edges are looked at anew each time: what is the best explanation of a visit now may not
//! be it any more when more is known, and an incident is the same however often it was asked for before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backchannel_events::{Finding, Observation, Reason, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::{Names, bare, channel};
use crate::movements::{ends, other};
use crate::patterns::{USED, is_coercion, is_entry};
use crate::roles::is_of_the_system;

/// An edge between machines joins findings at most this far apart.
const EDGE: Duration = Duration::from_secs(8 * 3_600);
/// After so many groups that are gone their keys are looked for.
const SWEEP_AT: usize = 1_024;
/// A service is installed this soon after the call that installs it.
const INSTALLED: Duration = Duration::from_secs(60);
/// Two logs of one machine tell the time of one act so far apart.
const CLOCKS: Duration = Duration::from_secs(5);
/// Two records of what one machine does to another are this close.
const ONE_ACT: Duration = Duration::from_secs(60);
/// The same visitor on several machines is one attack within this time.
const VISIT: Duration = Duration::from_secs(3_600);

/// Who reached for whom, (source host, target), when and under which account.
pub type Reached = BTreeMap<(String, String), BTreeSet<(Timestamp, String)>>;

/// Findings, by the group they are in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Finding id to group.
    of: BTreeMap<String, u64>,
    /// Group to its findings.
    members: BTreeMap<u64, BTreeSet<String>>,
    /// Key to the spans of time in which it was seen, each with its group.
    keys: BTreeMap<String, Vec<Span>>,
    /// Groups that are gone and may still have keys.
    gone: usize,
    next: u64,
}

/// A time in which a key was seen again and again without a gap longer than its horizon: whatever the order in which
/// findings arrive, the spans come out the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Span {
    from: Timestamp,
    to: Timestamp,
    group: u64,
}

impl Span {
    fn reaches(&self, time: Timestamp, horizon: Duration) -> bool {
        self.from - horizon <= time && time <= self.to + horizon
    }
}

/// How long a key joins: a process or a network logon as long as an attack lasts; a user's whole session, a channel
/// or a visitor only what is close together.
fn horizon(key: &str) -> Duration {
    match key.as_bytes().first() {
        Some(b'p' | b'l') => Duration::from_secs(24 * 3_600),
        Some(b's') => Duration::from_secs(15 * 60),
        // A service starts soon after it was installed.
        Some(b'i') => Duration::from_secs(5 * 60),
        _ => Duration::from_secs(3_600),
    }
}

impl Groups {
    /// Adds a finding, or what is new about one.
    pub fn add(&mut self, finding: &Finding) {
        let mut group = match self.of.get(&finding.id) {
            Some(group) => *group,
            None => {
                let group = self.next;
                self.next += 1;
                self.of.insert(finding.id.clone(), group);
                self.members.insert(group, BTreeSet::from([finding.id.clone()]));
                group
            }
        };
        let joins: Vec<String> =
            finding.joins.iter().map(|key| of_user(key, finding)).chain(records(finding)).collect();
        for key in &joins {
            let reached = self.keys.get(key).into_iter().flatten();
            let reached = reached.filter(|span| span.reaches(finding.time, horizon(key))).map(|span| span.group);
            for other in reached.collect::<Vec<u64>>() {
                if self.members.contains_key(&other) {
                    group = self.join(group, other);
                }
            }
        }
        for key in &joins {
            let spans = self.keys.entry(key.clone()).or_default();
            let mut span = Span { from: finding.time, to: finding.time, group };
            spans.retain(|other| {
                if !self.members.contains_key(&other.group) {
                    return false;
                }
                let joined = other.reaches(finding.time, horizon(key));
                if joined {
                    span.from = span.from.min(other.from);
                    span.to = span.to.max(other.to);
                }
                !joined
            });
            spans.push(span);
        }
    }

    /// Forgets a finding.
    pub fn forget(&mut self, id: &str) {
        if let Some(group) = self.of.remove(id)
            && let Some(members) = self.members.get_mut(&group)
        {
            members.remove(id);
            if members.is_empty() {
                self.members.remove(&group);
                self.gone += 1;
                self.sweep();
            }
        }
    }

    /// Forgets the keys of groups that are gone, now and then: every key is looked at.
    fn sweep(&mut self) {
        if self.gone < SWEEP_AT {
            return;
        }
        self.gone = 0;
        let members = &self.members;
        self.keys.retain(|_, spans| {
            spans.retain(|span| members.contains_key(&span.group));
            !spans.is_empty()
        });
    }

    /// The groups, each as the ids of its findings, those on different hosts joined: where a finding names the machine
    /// it came from or went to, and that machine has findings under the same account; and where one visitor appears on
    /// several machines.
    pub fn linked(
        &self,
        findings: &BTreeMap<String, Finding>,
        names: &Names,
        reached: &Reached,
    ) -> Vec<BTreeSet<String>> {
        let mut links = Links { of: &self.of, older: BTreeMap::new() };
        let others: BTreeMap<&String, (String, bool)> =
            findings.iter().filter_map(|(id, finding)| Some((id, other(finding, names)?))).collect();
        let other_end = |finding: &Finding| others.get(&finding.id);
        let mut lateral: Vec<&Finding> = findings
            .values()
            .filter(|finding| finding.severity >= Severity::Medium && finding.reasons.contains(Reason::LateralMovement))
            .collect();
        lateral.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        let mut by_host: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.values().filter(|finding| finding.severity >= Severity::Medium) {
            by_host.entry(&finding.host).or_default().push(finding);
        }
        let mut visitors: BTreeMap<(String, String), &Finding> = BTreeMap::new();
        for finding in &lateral {
            let Some((other, inbound)) = other_end(finding).cloned() else { continue };
            let there = by_host.get(other.as_str()).map(Vec::as_slice).unwrap_or_default();
            // The two ends of one call name each other, whatever account each side saw.
            let both_ends = |there: &&&Finding| {
                there.time.within(VISIT, finding.time)
                    && there.reasons.contains(Reason::LateralMovement)
                    && other_end(there).is_some_and(|(back, way)| *back == finding.host && *way != inbound)
            };
            let mutual: Vec<&&Finding> = there.iter().filter(both_ends).collect();
            if mutual.is_empty() {
                let same = |there: &&&Finding| {
                    there.time.within(EDGE, finding.time)
                        && names.is_same_account((&there.user, &there.host), (account(finding), &finding.host))
                };
                for there in there.iter().filter(same) {
                    links.join(&there.id, &finding.id);
                }
            } else {
                for there in mutual {
                    links.join(&there.id, &finding.id);
                }
            }
            // Compared with the visit before, not with the first: what arrives late then only ever adds.
            let visitor = (other, bare(names.account(&finding.user, &finding.host)).to_ascii_lowercase());
            if inbound
                && let Some(before) = visitors.insert(visitor, finding)
                && before.time.within(VISIT, finding.time)
            {
                links.join(&before.id, &finding.id);
            }
        }
        for (call, installed) in installations(findings, &by_host).into_iter().chain(services(findings)) {
            links.join(call, installed);
        }
        // What a script says that it does elsewhere, and where it went: the same machine acts, under the same account.
        for told in lateral.iter().filter(|told| told.origin.host == told.host && told.target.host.is_empty()) {
            let acts = |other: &&&Finding| {
                let from = ends(other, names).map(|(from, _)| from.host);
                from.as_deref() == Some(told.host.as_str())
                    && other.id != told.id
                    && other.time.within(ONE_ACT, told.time)
                    && names.is_same_account((&other.user, &other.host), (&told.user, &told.host))
            };
            for other in lateral.iter().filter(acts) {
                links.join(&other.id, &told.id);
            }
        }
        // A machine made to authenticate, and what was then done from the same source, or with its account.
        let coerced = findings.values().filter(|finding| is_coercion(finding) && finding.severity >= Severity::Medium);
        for coerced in coerced {
            let (source, account) = (other_end(coerced), format!("{}$", coerced.host));
            for entry in lateral.iter().filter(|entry| is_entry(entry)) {
                let same = (source.is_some() && other_end(entry) == source)
                    || bare(&entry.user).eq_ignore_ascii_case(&account);
                if same && entry.time >= coerced.time && entry.time.within(USED, coerced.time) {
                    links.join(&coerced.id, &entry.id);
                }
            }
        }
        // A machine that reached for another just before that one was entered.
        for finding in &lateral {
            let all = reached.iter().flat_map(|(way, times)| times.iter().map(move |(time, user)| (way, time, user)));
            for ((source, target), time, user) in all {
                if names.machine(target, source) != finding.host
                    || !time.within(VISIT, finding.time)
                    || !bare(user).eq_ignore_ascii_case(bare(&finding.user))
                {
                    continue;
                }
                for there in by_host.get(source.as_str()).into_iter().flatten() {
                    if there.time.within(EDGE, finding.time) {
                        links.join(&there.id, &finding.id);
                    }
                }
            }
        }
        let mut linked: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for (group, members) in &self.members {
            linked.entry(links.oldest(*group)).or_default().extend(members.iter().cloned());
        }
        linked.into_values().collect()
    }

    /// Puts two groups together; the older number stays.
    fn join(&mut self, a: u64, b: u64) -> u64 {
        let (stays, goes) = (a.min(b), a.max(b));
        if stays == goes {
            return stays;
        }
        let moved = self.members.remove(&goes).unwrap_or_default();
        for id in &moved {
            self.of.insert(id.clone(), stays);
        }
        self.members.entry(stays).or_default().extend(moved);
        for span in self.keys.values_mut().flatten().filter(|span| span.group == goes) {
            span.group = stays;
        }
        stays
    }
}

/// Groups joined by edges.
struct Links<'g> {
    /// Finding id to group.
    of: &'g BTreeMap<String, u64>,
    /// Group to an older one that it is joined to.
    older: BTreeMap<u64, u64>,
}

impl Links<'_> {
    fn join(&mut self, a: &str, b: &str) {
        let (Some(a), Some(b)) = (self.of.get(a), self.of.get(b)) else { return };
        let (a, b) = (self.oldest(*a), self.oldest(*b));
        if a != b {
            self.older.insert(a.max(b), a.min(b));
        }
    }

    /// The oldest group that this one is joined to.
    fn oldest(&self, mut group: u64) -> u64 {
        while let Some(older) = self.older.get(&group) {
            group = *older;
        }
        group
    }
}

/// The account that a finding used on the other machine, or was used here from there.
fn account(finding: &Finding) -> &str {
    if finding.target.account.is_empty() || finding.target.host == finding.host {
        &finding.user
    } else {
        &finding.target.account
    }
}

/// The socket of a service of the system is everybody's: it joins what one account did there.
fn of_user(key: &str, finding: &Finding) -> String {
    let path = key.strip_prefix("c:").and_then(|rest| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = channel(path);
    if path.starts_with("/run/") {
        format!("c:{}/{path}#{}", finding.host, bare(&finding.user).to_ascii_lowercase())
    } else {
        key.to_owned()
    }
}

/// Keys of the records that a finding rests on: findings that rest on one record are one act.
fn records(finding: &Finding) -> impl Iterator<Item = String> {
    let key = |seen: &Observation| {
        let place = if seen.record.is_empty() { &seen.text } else { &seen.record };
        (!place.is_empty())
            .then(|| format!("r:{}/{}/{}/{}/{place}", finding.host, seen.provider, seen.event_id, seen.time.0))
    };
    finding.evidence.iter().filter_map(key).collect::<Vec<String>>().into_iter()
}

/// A call to the service manager from elsewhere, and the service that was installed right after it: each installation
/// with the latest call before it.
fn installations<'f>(
    findings: &'f BTreeMap<String, Finding>,
    by_host: &BTreeMap<&str, Vec<&'f Finding>>,
) -> Vec<(&'f str, &'f str)> {
    let calls =
        |finding: &Finding| finding.channel.as_ref().is_some_and(|used| used.remote && channel(&used.name) == "svcctl");
    let installed = |finding: &Finding| {
        let record = finding.evidence.iter().find(|seen| matches!(seen.event_id, 7045 | 4697));
        record.map(|record| record.time)
    };
    let mut pairs = Vec::new();
    for finding in findings.values() {
        let Some(time) = installed(finding) else { continue };
        let here = by_host.get(finding.host.as_str()).into_iter().flatten();
        let before = here
            .filter(|call| call.id != finding.id && calls(call))
            .filter(|call| call.time <= time + CLOCKS && call.time.within(INSTALLED, time))
            .max_by_key(|call| (call.time, &call.id));
        pairs.extend(before.map(|call| (call.id.as_str(), finding.id.as_str())));
    }
    pairs
}

/// A service that was installed, and what its program then did: findings that name the program, unless it is one of the
/// system's own.
fn services(findings: &BTreeMap<String, Finding>) -> Vec<(&str, &str)> {
    let mut by_program: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.values() {
        for party in finding.client.iter().chain(&finding.server).filter(|party| !is_of_the_system(&party.path)) {
            let key = format!("i:{}/{}", finding.host, party.name.to_ascii_lowercase());
            by_program.entry(key).or_default().push(finding);
        }
    }
    let mut pairs = Vec::new();
    for finding in findings.values() {
        for key in finding.joins.iter().filter(|key| key.starts_with("i:")) {
            let of_program = by_program.get(key).into_iter().flatten();
            let soon = of_program.filter(|other| other.time.within(horizon(key), finding.time));
            pairs.extend(soon.map(|other| (finding.id.as_str(), other.id.as_str())));
        }
    }
    pairs
}
