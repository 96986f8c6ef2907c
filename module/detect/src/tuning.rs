//! What a site can change about detection, already typed: adapters fill it from the site's settings.

use std::collections::BTreeMap;

use backchannel_events::{Confidence, Severity, Timestamp};

/// A site's wishes. The default is what an unknown site gets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// Per analytic id.
    pub analytics: BTreeMap<String, AnalyticTuning>,
    /// Hosts (key: lower-case first label) and addresses from which administrators work.
    pub admin_hosts: Vec<String>,
    /// Accounts administrators use, `DOMAIN\name` or a bare name.
    pub admin_accounts: Vec<String>,
    /// Domain controllers and other hosts of the highest tier, by host key.
    pub critical_hosts: Vec<String>,
    /// Indicators of compromise of the site.
    pub indicators: Vec<Indicator>,
    /// What the site knows and allows.
    pub allow: Vec<AllowRule>,
    /// Key for hashing what attackers can choose.
    pub hash_key: u64,
}

impl Tuning {
    /// Whether `host` or `address` is one from which administrators work.
    pub fn is_admin_host(&self, name: &str) -> bool {
        !name.is_empty() && self.admin_hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }

    /// Whether `user` (`DOMAIN\name` or a bare name) is an account administrators use.
    pub fn is_admin_account(&self, user: &str) -> bool {
        let bare = crate::text::base_name(user);
        !bare.is_empty()
            && self.admin_accounts.iter().any(|a| a.eq_ignore_ascii_case(user) || a.eq_ignore_ascii_case(bare))
    }
}

/// What a site changes about one analytic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnalyticTuning {
    /// Switched on or off; `None` leaves it as shipped.
    pub enabled: Option<bool>,
    /// The severity to report instead.
    pub severity: Option<Severity>,
}

/// One indicator of compromise.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// What is compared.
    pub kind: IndicatorKind,
    /// The value; case does not matter. `*` at the start or end of names stands for anything.
    pub value: String,
    /// The list it came from.
    pub list: String,
    /// Severity of a match.
    pub severity: Severity,
    /// Confidence of a match.
    pub confidence: Confidence,
    /// Not used for events after this.
    pub expires: Option<Timestamp>,
}

/// What an indicator of compromise is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndicatorKind {
    /// A hash of an executable or module: MD5, SHA-1, SHA-256 or IMPHASH.
    Hash,
    /// Base name or path of an executable.
    Image,
    /// Name of a pipe, socket or FIFO.
    Channel,
    /// COM class id.
    Clsid,
    /// Network address.
    Address,
}

/// Something the site knows and allows. Every condition given must hold; one at least must be given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllowRule {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Event time after which it no longer holds.
    pub expires: Option<Timestamp>,
    /// Analytic ids it holds for; empty: all.
    pub analytics: Vec<String>,
    /// Host keys.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Paths or base names of either process, `*` at the ends.
    pub images: Vec<String>,
    /// Hashes of either process.
    pub hashes: Vec<String>,
    /// Channel names, `*` at the ends.
    pub channels: Vec<String>,
}
