//! The typed settings that a valid document is deserialised to.

use std::collections::BTreeMap;

use backchannel_events::{Confidence, Severity, Timestamp};
use serde::{Deserialize, Deserializer, de::Error};

use crate::check;

/// The settings of a site. The default is that of a site without settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Overrides of single analytics, by catalogue id.
    pub analytics: BTreeMap<String, AnalyticSetting>,
    /// Thresholds, by catalogue id, then by name.
    pub thresholds: BTreeMap<String, BTreeMap<String, u32>>,
    /// Hosts and addresses from which administrators work.
    pub admin_hosts: Vec<String>,
    /// Accounts administrators use.
    pub admin_accounts: Vec<String>,
    /// Role of a host, by host name.
    pub host_roles: BTreeMap<String, HostRole>,
    /// Which part of a host's name identifies it.
    pub host_key: HostKey,
    /// Programs that count as privileged whatever account they run under.
    pub high_privilege_processes: Vec<String>,
    /// Programs of the remote management tools that the site uses.
    pub sanctioned_rmm: Vec<String>,
    /// Times of planned work.
    pub maintenance_windows: Vec<MaintenanceWindow>,
    /// Indicators of compromise.
    pub iocs: Vec<Ioc>,
    /// Allow rules.
    pub allow: Vec<AllowRule>,
    /// When a baseline counts as mature.
    pub baseline: MaturitySetting,
    /// Key for hashing values that an attacker can choose, against crafted collisions.
    pub hash_key: u64,
    /// Whether passwords and tokens on command lines stay readable in findings and incidents.
    pub show_secrets: bool,
    /// Regular expressions for names of pipes.
    #[serde(rename = "PipeNamePattern", deserialize_with = "pipes")]
    pub pipe_name_pattern: PipeNamePattern,
    /// Expected parent and child processes.
    #[serde(rename = "AllowedParentChildPairs")]
    pub allowed_parent_child_pairs: Vec<Pair>,
    /// Expected UNIX sockets.
    #[serde(rename = "SocketPathBaseline")]
    pub socket_path_baseline: Vec<String>,
    /// Programs expected to use FIFOs.
    #[serde(rename = "FIFOAccessPatterns")]
    pub fifo_access_patterns: Vec<String>,
    /// Expected COM classes: CLSIDs or ProgIDs.
    #[serde(rename = "COMObjectAllowList")]
    pub com_object_allow_list: Vec<String>,
    /// Programs expected to use XPC services.
    #[serde(rename = "AllowedXPCClients")]
    pub allowed_xpc_clients: Vec<String>,
    /// Seconds within which two records count as one behaviour.
    #[serde(rename = "TimeWindow")]
    pub time_window: Option<TimeWindow>,
    /// Minimum severity of a finding with an unsigned program at one end.
    #[serde(rename = "UnsignedBinaryAlertLevel", deserialize_with = "some_severity")]
    pub unsigned_binary_alert_level: Option<Severity>,
    /// Hosts and addresses that are expected to call others.
    #[serde(rename = "RemoteHostList")]
    pub remote_host_list: Vec<String>,
    /// Roles of accounts.
    #[serde(rename = "UserContext")]
    pub user_context: UserContext,
    /// Modules whose load is reported.
    #[serde(rename = "SuspiciousDLLList")]
    pub suspicious_dll_list: Vec<String>,
}

/// How much a baseline must have learned about a host before it reports deviations; `None`: the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MaturitySetting {
    /// Days on which the host was seen.
    pub mature_days: Option<u32>,
    /// Exchanges of the host that were seen.
    pub mature_events: Option<u32>,
}

/// Overrides of one analytic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AnalyticSetting {
    /// Whether it is enabled; `None`: the default.
    pub enabled: Option<bool>,
    /// Severity to report instead.
    #[serde(deserialize_with = "some_severity")]
    pub severity: Option<Severity>,
}

/// Role of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum HostRole {
    Workstation,
    Server,
    DomainController,
    Admin,
}

/// Which part of a host's name identifies it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostKey {
    /// The first label of the name.
    #[default]
    Label,
    /// The full name.
    Fqdn,
}

/// An indicator of compromise.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ioc {
    /// What the value is compared with.
    #[serde(rename = "type")]
    pub kind: IocKind,
    /// The value; `*` in names and paths matches any text.
    pub value: String,
    /// Name of the list it comes from.
    #[serde(default)]
    pub list: String,
    /// Severity of a match; critical by default.
    #[serde(default = "critical", deserialize_with = "severity")]
    pub severity: Severity,
    /// Confidence of a match; high by default.
    #[serde(default = "high", deserialize_with = "confidence")]
    pub confidence: Confidence,
    /// Event time after which it is not used.
    #[serde(default, deserialize_with = "last")]
    pub expires: Option<Timestamp>,
}

/// What an indicator of compromise is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum IocKind {
    Hash,
    Image,
    Channel,
    Clsid,
    Address,
}

/// An allow rule: a finding that meets all of its conditions is suppressed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AllowRule {
    /// Its name.
    pub name: String,
    /// Why the rule exists.
    pub reason: String,
    /// Person or team responsible for it.
    pub owner: String,
    /// Event time after which it no longer applies.
    #[serde(deserialize_with = "last")]
    pub expires: Option<Timestamp>,
    /// Analytic ids.
    pub analytics: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Executables: paths or base names, `*` matches any text.
    pub images: Vec<String>,
    /// Hashes of executables.
    pub hashes: Vec<String>,
    /// Channels: names, `*` matches any text.
    pub channels: Vec<String>,
}

/// Planned maintenance: from `start` to `end`, or every day.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MaintenanceWindow {
    /// Its name.
    pub name: String,
    /// The planned work.
    pub reason: String,
    /// Hosts it applies to, `*` matches any text; empty: all.
    pub hosts: Vec<String>,
    /// Start.
    #[serde(deserialize_with = "first")]
    pub start: Option<Timestamp>,
    /// End.
    #[serde(deserialize_with = "last")]
    pub end: Option<Timestamp>,
    /// Minutes of the day in UTC, from and to; past midnight if the second is smaller.
    #[serde(deserialize_with = "span_of_day")]
    pub daily: Option<(u16, u16)>,
}

/// Regular expressions for names of pipes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PipeNamePattern {
    /// Names to report.
    pub anomalous: Vec<String>,
    /// Names that the site uses.
    pub legitimate: Vec<String>,
}

/// A parent process and its child; names or paths, `*` matches any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
#[non_exhaustive]
pub struct Pair {
    pub parent: String,
    pub child: String,
}

/// Seconds within which two records count as one behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TimeWindow {
    /// For every analytic with a time window.
    All(u32),
    /// By analytic.
    ByAnalytic(BTreeMap<String, u32>),
}

/// Roles of accounts; `*` matches any text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UserContext {
    /// Accounts whose processes count as privileged.
    pub privileged: Vec<String>,
    /// Service accounts.
    pub service: Vec<String>,
}

fn critical() -> Severity {
    Severity::Critical
}

fn high() -> Confidence {
    Confidence::High
}

fn read<'de, D: Deserializer<'de>, T>(from: D, meaning: impl Fn(&str) -> Option<T>) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    meaning(&text).ok_or_else(|| D::Error::custom("another text"))
}

fn severity<'de, D: Deserializer<'de>>(from: D) -> Result<Severity, D::Error> {
    read(from, |text| Severity::ALL.into_iter().find(|severity| severity.as_str() == text))
}

fn some_severity<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Severity>, D::Error> {
    severity(from).map(Some)
}

fn confidence<'de, D: Deserializer<'de>>(from: D) -> Result<Confidence, D::Error> {
    let all = [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Certain];
    read(from, |text| all.into_iter().find(|confidence| confidence.as_str() == text))
}

fn first<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    read(from, check::first_moment).map(Some)
}

fn last<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    read(from, check::last_moment).map(Some)
}

fn span_of_day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(u16, u16)>, D::Error> {
    read(from, check::daily).map(Some)
}

fn pipes<'de, D: Deserializer<'de>>(from: D) -> Result<PipeNamePattern, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Anomalous(Vec<String>),
        Both(PipeNamePattern),
    }
    Ok(match Given::deserialize(from)? {
        Given::Anomalous(anomalous) => PipeNamePattern { anomalous, legitimate: Vec::new() },
        Given::Both(both) => both,
    })
}
