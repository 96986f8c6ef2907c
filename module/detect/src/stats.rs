//! Statistics of a detector, for its operators.

use std::collections::BTreeMap;

use backchannel_events::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Tunables;
use crate::memory::Evicted;
use crate::tunables::AllowRule;

/// Maximum number of entries in a list of [`Upkeep`].
const MOST: usize = 200;

/// Settings of the site that need maintenance: expired rules and indicators, rules that matched nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Allow rules and indicators of compromise that had expired at the time of the newest event, as text.
    pub expired: Vec<String>,
    /// Names of the active allow rules that suppressed nothing.
    pub unmatched: Vec<String>,
}

impl Upkeep {
    pub(crate) fn of(tuning: &Tunables, silenced: &BTreeMap<String, u64>, newest: Option<Timestamp>) -> Self {
        let past = |end: Option<Timestamp>| end.filter(|end| newest.is_some_and(|newest| newest > *end));
        let rules = tuning.allow.iter().filter_map(|rule| {
            past(rule.expires).map(|end| format!("allow rule {} of {} expired {end}", rule.name, rule.owner))
        });
        let indicators = tuning.indicators.iter().filter_map(|one| {
            past(one.expires).map(|end| format!("indicator {} of {} expired {end}", one.value, one.list))
        });
        let mut expired: Vec<String> = rules.chain(indicators).collect();
        if expired.len() > MOST {
            let more = expired.len() - MOST;
            expired.truncate(MOST);
            expired.push(format!("and {more} more"));
        }
        let idle = |rule: &&AllowRule| past(rule.expires).is_none() && !silenced.contains_key(&rule.name);
        let unmatched = tuning.allow.iter().filter(idle).take(MOST).map(|rule| rule.name.clone()).collect();
        Self { expired, unmatched }
    }
}

/// Counters of a detector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Events evaluated.
    pub events: u64,
    /// Findings, without repeats.
    pub findings: u64,
    /// Repeats added to an earlier finding.
    pub repeats: u64,
    /// Findings suppressed by the site's rules.
    pub suppressed: u64,
    /// Events older than the newest event of their host by more than two minutes.
    pub late: u64,
    /// Hosts in memory.
    pub hosts: u64,
    /// Entries evicted to stay within bounds.
    pub evicted: Evicted,
}
