//! The site's settings for detection, typed: adapters fill them from the settings file.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::{Confidence, Severity, Timestamp, User};

use crate::actor::{Actor, account};
use crate::baseline::Maturity;
use crate::predicates;
use crate::text::{self, Patterns, label, matches};

/// The settings of a site, with the default for a site without settings. `*` in names, paths, hosts and accounts matches
/// anything, unless a field says otherwise; case is ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tunables {
    /// Per analytic id.
    pub analytics: BTreeMap<String, AnalyticTuning>,
    /// Thresholds: per analytic id, then per name of the threshold.
    pub thresholds: BTreeMap<String, BTreeMap<String, u32>>,
    /// TimeWindow, in seconds, for every analytic that joins records.
    pub window: Option<u32>,
    /// TimeWindow, in seconds, per analytic id.
    pub windows: BTreeMap<String, u32>,
    /// How hosts are distinguished.
    pub host_key: HostKey,
    /// Hosts (by their key; without `*`) and addresses from which administrators work.
    pub admin_hosts: Vec<String>,
    /// Accounts administrators use, `DOMAIN\name` or a bare name; without `*`.
    pub admin_accounts: Vec<String>,
    /// RemoteHostList: hosts (by their key; without `*`) and addresses expected to call others.
    pub remote_hosts: Vec<String>,
    /// Domain controllers and other hosts of the highest tier, by host key; without `*`.
    pub critical_hosts: Vec<String>,
    /// UserContext: accounts whose processes count as privileged.
    pub privileged_accounts: Vec<String>,
    /// UserContext: accounts of services.
    pub service_accounts: Vec<String>,
    /// Programs that count as privileged under any account.
    pub high_privilege_processes: Vec<String>,
    /// PipeNamePattern: names of pipes to watch.
    pub watched_pipes: Patterns,
    /// SuspiciousDLLList: modules whose load is reported.
    pub suspicious_modules: Vec<String>,
    /// UnsignedBinaryAlertLevel: minimum severity of a finding with an unsigned program at one end.
    pub unsigned_level: Option<Severity>,
    /// Indicators of compromise of the site.
    pub indicators: Vec<Indicator>,
    /// Allow rules of the site.
    pub allow: Vec<AllowRule>,
    /// Expected activity at the site.
    pub expected: Expected,
    /// How much a baseline must have learned about a host.
    pub maturity: Maturity,
    /// Key for hashing data that attackers control.
    pub hash_key: u64,
    /// Whether passwords and tokens stay readable in texts.
    pub show_secrets: bool,
}

/// Expected activity at a site: findings about it are suppressed, with the name of the setting as reason.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// AllowedParentChildPairs: parent and child.
    pub pairs: Vec<(String, String)>,
    /// PipeNamePattern: the site's own pipes.
    pub pipes: Patterns,
    /// SocketPathBaseline: UNIX sockets.
    pub sockets: Vec<String>,
    /// FIFOAccessPatterns: programs that use FIFOs.
    pub fifo_programs: Vec<String>,
    /// COMObjectAllowList: CLSIDs and ProgIDs; without `*`.
    pub com_objects: Vec<String>,
    /// AllowedXPCClients: programs that use XPC services.
    pub xpc_clients: Vec<String>,
    /// Remote management tools.
    pub remote_management: Vec<String>,
    /// Times of planned work.
    pub maintenance: Vec<Maintenance>,
}

/// How hosts are distinguished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostKey {
    /// The first label of the name.
    #[default]
    Label,
    /// The full name.
    Full,
}

impl HostKey {
    /// Writes the key of the host of that name: in lower case; an address is not shortened.
    pub fn write(self, name: &str, key: &mut String) {
        key.clear();
        let part = match self {
            Self::Label => label(name),
            Self::Full => name.trim_end_matches('.'),
        };
        key.push_str(text::clip(part, 255));
        key.make_ascii_lowercase();
    }
}

/// A threshold of an analytic, with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Its name among the analytic's thresholds.
    pub name: &'static str,
    /// The value if the site sets none.
    pub default: u32,
    /// The minimum that a site may set.
    pub least: u32,
    /// The maximum that a site may set.
    pub most: u32,
    /// What is counted.
    pub about: &'static str,
}

/// A maintenance window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Its name.
    pub name: String,
    /// The planned work.
    pub reason: String,
    /// Host keys; empty: all.
    pub hosts: Vec<String>,
    /// Its time.
    pub when: When,
}

/// The time of a maintenance window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once, both included.
    Once(Timestamp, Timestamp),
    /// Daily, from one minute of the day in UTC until before another; over midnight if the latter is smaller.
    Daily(u16, u16),
}

impl When {
    /// Whether `time` is in it.
    pub fn holds(self, time: Timestamp) -> bool {
        match self {
            Self::Once(start, end) => (start..=end).contains(&time),
            Self::Daily(from, to) => {
                let minute = time.0.div_euclid(60 * Timestamp::SECOND).rem_euclid(24 * 60);
                let (from, to) = (i64::from(from), i64::from(to));
                if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
            }
        }
    }
}

impl Tunables {
    /// Whether `host` or `address` is one from which administrators work.
    pub fn is_admin_host(&self, name: &str) -> bool {
        is_host(&self.admin_hosts, name)
    }

    /// Whether `host` or `address` is expected to call other machines: an administrator's, or one of RemoteHostList.
    pub fn may_call(&self, name: &str) -> bool {
        self.is_admin_host(name) || is_host(&self.remote_hosts, name)
    }

    /// Whether the host with that key is of the highest tier.
    pub fn is_critical_host(&self, key: &str) -> bool {
        is_host(&self.critical_hosts, key)
    }

    /// Whether `user` (`DOMAIN\name` or a bare name) is an account administrators use.
    pub fn is_admin_account(&self, user: &str) -> bool {
        let bare = text::base_name(user);
        !bare.is_empty()
            && self.admin_accounts.iter().any(|a| a.eq_ignore_ascii_case(user) || a.eq_ignore_ascii_case(bare))
    }

    /// Whether the account is the operating system's, a service's, or one that the site lists as a service.
    pub fn is_service(&self, user: User<'_>) -> bool {
        predicates::is_service_principal(user)
            || (!self.service_accounts.is_empty() && is_account(&self.service_accounts, user))
    }

    /// Whether the site counts the process as privileged, whatever its token.
    pub fn is_privileged(&self, actor: Actor<'_>) -> bool {
        (!self.privileged_accounts.is_empty() && is_account(&self.privileged_accounts, actor.user))
            || self.high_privilege_processes.iter().any(|program| is_program(program, actor.image))
    }

    /// The window within which the analytic of that id joins records at this site; `shipped` is its declared window.
    pub fn window(&self, analytic: &str, shipped: Duration) -> Duration {
        let given = self.windows.get(analytic).copied().or(self.window);
        given.map_or(shipped, |seconds| Duration::from_secs(u64::from(seconds)))
    }

    /// The value of a threshold of the analytic of that id at this site.
    pub fn threshold(&self, analytic: &str, threshold: &Threshold) -> u32 {
        let given = || self.thresholds.get(analytic)?.get(threshold.name).copied();
        given().unwrap_or(threshold.default)
    }
}

/// Whether `name` is one of the hosts: by the full name, or by the first label if the site lists only that.
fn is_host(hosts: &[String], name: &str) -> bool {
    !name.is_empty()
        && hosts.iter().any(|host| {
            host.eq_ignore_ascii_case(name) || (!host.contains('.') && host.eq_ignore_ascii_case(label(name)))
        })
}

/// Whether the account, with its domain or without, is one of the patterns.
fn is_account(patterns: &[String], user: User<'_>) -> bool {
    let full = account(user);
    !full.is_empty()
        && patterns.iter().any(|pattern| {
            matches(pattern, &full)
                || (!user.name.is_empty() && matches(pattern, user.name))
                || (!user.id.is_empty() && matches(pattern, user.id))
        })
}

/// Whether an executable is the program: by its path, or by its base name.
pub fn is_program(pattern: &str, path: &str) -> bool {
    !path.is_empty() && (matches(pattern, path) || matches(pattern, text::base_name(path)))
}

/// The settings of a site for one analytic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnalyticTuning {
    /// Enabled or disabled; `None` keeps the default.
    pub enabled: Option<bool>,
    /// The severity to report instead.
    pub severity: Option<Severity>,
}

/// One indicator of compromise.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// The property that is compared.
    pub kind: IndicatorKind,
    /// The value; case is ignored. `*` in names matches anything.
    pub value: String,
    /// The list that contains it.
    pub list: String,
    /// Severity of a match.
    pub severity: Severity,
    /// Confidence of a match.
    pub confidence: Confidence,
    /// Not used for events after this.
    pub expires: Option<Timestamp>,
}

/// The property with which an indicator of compromise is compared.
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

/// An allow rule of the site. Every given condition must match; at least one must be given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllowRule {
    /// Its name.
    pub name: String,
    /// The reason.
    pub reason: String,
    /// Its owner.
    pub owner: String,
    /// Event time after which it has expired.
    pub expires: Option<Timestamp>,
    /// Analytic ids it applies to; empty: all.
    pub analytics: Vec<String>,
    /// Host keys.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Paths or base names of either process.
    pub images: Vec<String>,
    /// Hashes of either process; without `*`.
    pub hashes: Vec<String>,
    /// Channel names.
    pub channels: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daily_window_may_go_over_midnight() {
        let at = |hour: u32, minute: u32| Timestamp::from_civil(2027, 3, 1, hour, minute, 0, 0).unwrap();
        let night = When::Daily(22 * 60, 4 * 60);
        assert_eq!(
            [at(22, 0), at(3, 59), at(4, 0), at(12, 0)].map(|time| night.holds(time)),
            [true, true, false, false]
        );
        let noon = When::Daily(12 * 60, 13 * 60);
        assert_eq!([at(12, 0), at(12, 59), at(13, 0)].map(|time| noon.holds(time)), [true, true, false]);
    }

    #[test]
    fn a_host_is_matched_by_its_label_if_only_that_is_listed() {
        let tuning = Tunables { remote_hosts: vec!["scan01".into(), "b.corp.example".into()], ..Tunables::default() };
        let calls = ["SCAN01.corp.example", "scan01", "b.corp.example", "b.other.example", "b", ""];
        assert_eq!(calls.map(|name| tuning.may_call(name)), [true, true, true, false, false, false]);
    }

    #[test]
    fn a_window_is_the_analytic_s_then_the_general_one_then_the_default() {
        let window = |tuning: &Tunables| tuning.window("IPC-A-001", Duration::from_secs(5)).as_secs();
        let mut tuning = Tunables::default();
        assert_eq!(window(&tuning), 5);
        tuning.window = Some(30);
        assert_eq!(window(&tuning), 30);
        tuning.windows.insert("IPC-A-001".into(), 60);
        assert_eq!(window(&tuning), 60);
    }
}
