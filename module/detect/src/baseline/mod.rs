//! The baseline: which processes usually communicate over which channels.
//!
//! A [`Baseline`] contains only values that merge in any order to the same bytes: sums, maxima, the latest days, the
//! smallest hashes of hosts. It is bounded by keeping the edges with the smallest key hash, which sets `saturated`.
//! Whether it is reliable is decided when it is used: a scope must be mature, and an edge that was part of a finding on
//! the day it was first seen counts as unknown.

mod class;
mod edge;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

pub use class::{path as path_class, socket as socket_class};
pub use edge::{Edge, UserKind};

/// Maximum number of edges.
const MOST_EDGES: usize = 65_536;
/// Maximum number of hosts whose maturity is stored.
const MOST_HOSTS: usize = 20_000;
/// Maximum number of days stored for an edge or a host: the latest.
const MOST_DAYS: usize = 31;
/// Maximum number of hosts stored for an edge: those with the smallest hashes.
const MOST_SKETCH: usize = 16;

/// A learned baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    edges: BTreeMap<(u64, u64), Known>,
    hosts: BTreeMap<u64, Scope>,
    /// Whether edges were dropped to stay within bounds: then an unknown edge is not evidence.
    pub saturated: bool,
}

/// The learned properties of an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The edge.
    pub edge: Edge,
    /// How often it was seen.
    pub count: u64,
    /// Days since 1970 on which it was seen, the latest 31.
    pub days: BTreeSet<u32>,
    /// The first day on which it was seen.
    pub first_day: u32,
    /// The first day on which it was part of a finding, if any.
    pub alarm_day: Option<u32>,
    /// Maximum number of sightings on one host within one minute.
    pub busiest_minute: u32,
    hosts: BTreeSet<u64>,
}

/// How much a baseline must have learned about a host before an exchange counts as new there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maturity {
    /// Days on which the host was seen.
    pub days: usize,
    /// Number of exchanges seen on the host.
    pub events: u64,
}

impl Default for Maturity {
    fn default() -> Self {
        Self { days: 3, events: 500 }
    }
}

/// How much was learned about a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Scope {
    days: BTreeSet<u32>,
    count: u64,
}

/// The status of an edge on a host according to the baseline, the most usual first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is usual on this host.
    Usual,
    /// Too little was learned to decide.
    Immature,
    /// It is usual on other hosts, and was never seen on this host.
    NewOnHost,
    /// It was seen, on two hosts or fewer and on fewer than three days.
    Rare,
    /// It was never seen on any host.
    NeverSeen,
}

impl Known {
    /// Lower bound of the number of hosts on which it was seen: exact up to 16.
    pub fn hosts_at_least(&self) -> usize {
        self.hosts.len()
    }

    /// Whether it was part of a finding on the day it was first seen, so that an attack may have been learned.
    pub fn is_poisoned(&self) -> bool {
        self.alarm_day.is_some_and(|day| day <= self.first_day)
    }

    fn seen_on(&self, host: u64) -> bool {
        self.hosts.len() >= MOST_SKETCH || self.hosts.contains(&host)
    }
}

impl Baseline {
    /// Adds one sighting.
    pub fn see(&mut self, edge: &Edge, host: &str, time: Timestamp, in_minute: u32, alarmed: bool) {
        let (key, host, day) = (edge.key(), hash(host), day(time));
        let scope = self.hosts.entry(host).or_default();
        scope.count += 1;
        keep_latest(&mut scope.days, day);
        while self.hosts.len() > MOST_HOSTS {
            self.hosts.pop_last();
        }
        let known = self.edges.entry(key).or_insert_with(|| Known {
            edge: edge.clone(),
            count: 0,
            days: BTreeSet::new(),
            first_day: day,
            alarm_day: None,
            busiest_minute: 0,
            hosts: BTreeSet::new(),
        });
        known.count += 1;
        known.first_day = known.first_day.min(day);
        keep_latest(&mut known.days, day);
        known.busiest_minute = known.busiest_minute.max(in_minute);
        keep_smallest(&mut known.hosts, host);
        if alarmed {
            known.alarm_day = Some(known.alarm_day.map_or(day, |earlier| earlier.min(day)));
        }
        self.bound();
    }

    /// Merges another baseline into this one: the result is the same in any order.
    pub fn merge(&mut self, other: &Self) {
        self.saturated |= other.saturated;
        for (host, theirs) in &other.hosts {
            let ours = self.hosts.entry(*host).or_default();
            ours.count = ours.count.saturating_add(theirs.count);
            for day in &theirs.days {
                keep_latest(&mut ours.days, *day);
            }
        }
        while self.hosts.len() > MOST_HOSTS {
            self.hosts.pop_last();
        }
        for (key, theirs) in &other.edges {
            let Some(ours) = self.edges.get_mut(key) else {
                self.edges.insert(*key, theirs.clone());
                continue;
            };
            ours.count = ours.count.saturating_add(theirs.count);
            ours.first_day = ours.first_day.min(theirs.first_day);
            ours.busiest_minute = ours.busiest_minute.max(theirs.busiest_minute);
            ours.alarm_day = match (ours.alarm_day, theirs.alarm_day) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            for day in &theirs.days {
                keep_latest(&mut ours.days, *day);
            }
            for host in &theirs.hosts {
                keep_smallest(&mut ours.hosts, *host);
            }
        }
        self.bound();
    }

    /// All edges, by their text.
    pub fn edges(&self) -> Vec<&Known> {
        let mut edges: Vec<&Known> = self.edges.values().collect();
        edges.sort_by(|a, b| a.edge.cmp(&b.edge));
        edges
    }

    /// The number of hosts seen, and how many of them are mature by the default settings.
    pub fn hosts(&self) -> (usize, usize) {
        let wanted = Maturity::default();
        (self.hosts.len(), self.hosts.values().filter(|scope| scope.is_mature(wanted)).count())
    }

    /// The status of an edge on a host. If the server or the account is unknown in the event or in the baseline, all edges
    /// that may be the same are compared, and the most usual one decides.
    pub fn standing(&self, edge: &Edge, host: &str, wanted: Maturity) -> Standing {
        let key = hash(host);
        let mature = self.hosts.get(&key).is_some_and(|scope| scope.is_mature(wanted));
        let known = self.like(edge).filter(|known| !known.is_poisoned());
        let standing = |known: &Known| match known.hosts.len() > 2 {
            _ if known.seen_on(key) && known.days.len() >= wanted.days => Standing::Usual,
            true if known.seen_on(key) => Standing::Usual,
            // On a host that is not mature nothing counts as new, even if others are mature.
            _ if !mature => Standing::Immature,
            true => Standing::NewOnHost,
            false => Standing::Rare,
        };
        match known.map(standing).min() {
            Some(standing) => standing,
            None if mature && !self.saturated => Standing::NeverSeen,
            None => Standing::Immature,
        }
    }

    /// Maximum number of sightings of an edge on one host within one minute; `None` if it was never seen.
    pub fn busiest_minute(&self, edge: &Edge) -> Option<u32> {
        self.like(edge).map(|known| known.busiest_minute).max()
    }

    /// The known edges that may be the same as an edge.
    fn like(&self, edge: &Edge) -> impl Iterator<Item = &Known> {
        let (channel, _) = edge.key();
        let known = self.edges.range((channel, 0)..=(channel, u64::MAX)).map(|(_, known)| known);
        known.filter(|known| known.edge.may_be(edge))
    }

    /// Whether the two processes were seen together over any channel.
    pub fn knows_pair(&self, edge: &Edge) -> bool {
        self.edges
            .values()
            .any(|known| known.edge.client == edge.client && known.edge.server == edge.server && !known.is_poisoned())
    }

    fn bound(&mut self) {
        while self.edges.len() > MOST_EDGES {
            self.edges.pop_last();
            self.saturated = true;
        }
    }
}

impl Scope {
    fn is_mature(&self, wanted: Maturity) -> bool {
        self.days.len() >= wanted.days && self.count >= wanted.events
    }
}

fn day(time: Timestamp) -> u32 {
    u32::try_from(time.0.div_euclid(86_400 * Timestamp::SECOND)).unwrap_or(0)
}

fn keep_latest(days: &mut BTreeSet<u32>, day: u32) {
    days.insert(day);
    while days.len() > MOST_DAYS {
        days.pop_first();
    }
}

fn keep_smallest(hosts: &mut BTreeSet<u64>, host: u64) {
    hosts.insert(host);
    while hosts.len() > MOST_SKETCH {
        hosts.pop_last();
    }
}

/// A hash that is the same on every machine, because baselines are exchanged between machines.
fn hash(text: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use backchannel_events::Mechanism;

    use super::*;

    fn edge(client: &str) -> Edge {
        Edge {
            client: client.to_owned(),
            mechanism: Mechanism::NamedPipe,
            endpoint: "app".to_owned(),
            server: r"\program files\app\srv.exe".to_owned(),
            user: UserKind::Person,
        }
    }

    /// With the default maturity.
    fn standing(baseline: &Baseline, edge: &Edge, host: &str) -> Standing {
        baseline.standing(edge, host, Maturity::default())
    }

    fn on_day(day: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + day * 86_400, 0)
    }

    fn week(host: &str) -> Baseline {
        let mut baseline = Baseline::default();
        for day in 0..5 {
            for _ in 0..120 {
                baseline.see(&edge("a"), host, on_day(day), 1, false);
            }
        }
        baseline
    }

    #[test]
    fn merging_gives_the_same_result_in_any_order() {
        let (a, b, c) = (week("h1"), week("h2"), week("h3"));
        let merged = |parts: [&Baseline; 3]| {
            let mut all = Baseline::default();
            parts.iter().for_each(|part| all.merge(part));
            all
        };
        assert_eq!(merged([&a, &b, &c]), merged([&c, &a, &b]));
    }

    #[test]
    fn an_unknown_edge_is_new_only_on_a_mature_host() {
        let baseline = week("h1");
        assert_eq!(standing(&baseline, &edge("a"), "h1"), Standing::Usual);
        assert_eq!(standing(&baseline, &edge("b"), "h1"), Standing::NeverSeen);
        assert_eq!(standing(&baseline, &edge("b"), "h2"), Standing::Immature);
    }

    #[test]
    fn an_unknown_server_matches_any_and_a_known_one_only_itself() {
        let baseline = week("h1");
        let served_by = |server: &str| Edge { server: server.to_owned(), ..edge("a") };
        assert_eq!(standing(&baseline, &served_by(""), "h1"), Standing::Usual);
        assert_eq!(standing(&baseline, &served_by(r"\users\{user}\squatter.exe"), "h1"), Standing::NeverSeen);
        let unknown = Edge { user: UserKind::Unknown, ..edge("a") };
        assert_eq!(standing(&baseline, &unknown, "h1"), Standing::Usual);
        assert_eq!(standing(&baseline, &Edge { user: UserKind::Remote, ..edge("a") }, "h1"), Standing::NeverSeen);
    }

    #[test]
    fn nothing_is_new_on_a_host_that_is_not_mature() {
        let mut baseline = week("h1");
        for host in ["h2", "h3", "h4"] {
            baseline.see(&edge("b"), host, on_day(1), 1, false);
        }
        assert_eq!(standing(&baseline, &edge("b"), "h1"), Standing::NewOnHost);
        assert_eq!(standing(&baseline, &edge("b"), "h2"), Standing::Usual);
        assert_eq!(standing(&baseline, &edge("b"), "h5"), Standing::Immature);
    }

    #[test]
    fn a_site_can_require_less_maturity() {
        let baseline = week("h1");
        let strict = Maturity { days: 7, events: 500 };
        assert_eq!(baseline.standing(&edge("b"), "h1", strict), Standing::Immature);
        let mut day = Baseline::default();
        (0..60).for_each(|_| day.see(&edge("a"), "h1", on_day(0), 1, false));
        let content = Maturity { days: 1, events: 50 };
        assert_eq!(day.standing(&edge("a"), "h1", content), Standing::Usual);
        assert_eq!(day.standing(&edge("b"), "h1", content), Standing::NeverSeen);
        assert_eq!(standing(&day, &edge("b"), "h1"), Standing::Immature);
    }

    #[test]
    fn an_edge_of_a_finding_is_not_learned() {
        let mut baseline = week("h1");
        for day in 1..5 {
            baseline.see(&edge("evil"), "h1", on_day(day), 1, day == 1);
        }
        assert_eq!(standing(&baseline, &edge("evil"), "h1"), Standing::NeverSeen);
    }
}
