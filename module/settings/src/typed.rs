//! What a document that follows the plan means: the typed settings.

use std::collections::BTreeMap;

use backchannel_events::{Confidence, Severity, Timestamp};
use serde::{Deserialize, Deserializer, de::Error};

use crate::check;

/// What a site wants. The default is what a site gets that says nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Changes to single analytics, by catalogue id.
    pub analytics: BTreeMap<String, AnalyticSetting>,
    /// How much is too much: by catalogue id, then by name of the threshold.
    pub thresholds: BTreeMap<String, BTreeMap<String, u32>>,
    /// Hosts and addresses from which administrators work.
    pub admin_hosts: Vec<String>,
    /// Accounts administrators use.
    pub admin_accounts: Vec<String>,
    /// Role of a host, by host name.
    pub host_roles: BTreeMap<String, HostRole>,
    /// What tells hosts apart.
    pub host_key: HostKey,
    /// Programs that count as privileged whatever account they run under.
    pub high_privilege_processes: Vec<String>,
    /// Programs of the remote management tools that the site uses.
    pub sanctioned_rmm: Vec<String>,
    /// Times of planned work.
    pub maintenance_windows: Vec<MaintenanceWindow>,
    /// Indicators of compromise.
    pub iocs: Vec<Ioc>,
    /// What the site knows and allows.
    pub allow: Vec<AllowRule>,
    /// How much must have been learned of a host.
    pub baseline: MaturitySetting,
    /// Key for hashing what attackers can choose.
    pub hash_key: u64,
    /// Whether passwords and tokens on command lines stay readable in findings and incidents.
    pub show_secrets: bool,
    /// Names of pipes, as regular expressions.
    #[serde(rename = "PipeNamePattern", deserialize_with = "pipes")]
    pub pipe_name_pattern: PipeNamePattern,
    /// Expected lineage.
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
    /// Least severity of a finding with an unsigned program at one end.
    #[serde(rename = "UnsignedBinaryAlertLevel", deserialize_with = "some_severity")]
    pub unsigned_binary_alert_level: Option<Severity>,
    /// Hosts and addresses expected to call others.
    #[serde(rename = "RemoteHostList")]
    pub remote_host_list: Vec<String>,
    /// What the site knows of its accounts.
    #[serde(rename = "UserContext")]
    pub user_context: UserContext,
    /// Modules whose load is reported.
    #[serde(rename = "SuspiciousDLLList")]
    pub suspicious_dll_list: Vec<String>,
}

/// How much a baseline must have learned of a host before it says that something is new there; `None`: as shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaturitySetting {
    /// Days on which it was seen.
    pub mature_days: Option<u32>,
    /// Exchanges seen.
    pub mature_events: Option<u32>,
}

/// What a site changes about one analytic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalyticSetting {
    /// On or off; `None`: as shipped.
    pub enabled: Option<bool>,
    /// The severity to report instead.
    #[serde(deserialize_with = "some_severity")]
    pub severity: Option<Severity>,
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum HostRole {
    Workstation,
    Server,
    DomainController,
    Admin,
}

/// What tells hosts apart.
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
pub struct Ioc {
    /// What is compared.
    #[serde(rename = "type")]
    pub kind: IocKind,
    /// The value; `*` in names and paths stands for anything.
    pub value: String,
    /// The list it is from.
    #[serde(default)]
    pub list: String,
    /// Severity of a match; critical if not given.
    #[serde(default = "critical", deserialize_with = "severity")]
    pub severity: Severity,
    /// Confidence of a match; high if not given.
    #[serde(default = "high", deserialize_with = "confidence")]
    pub confidence: Confidence,
    /// Not used for events after this.
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

/// Something the site knows and allows: every condition given must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowRule {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Event time after which it no longer holds.
    #[serde(deserialize_with = "last")]
    pub expires: Option<Timestamp>,
    /// Analytic ids.
    pub analytics: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Executables: paths or base names, `*` for anything.
    pub images: Vec<String>,
    /// Hashes of executables.
    pub hashes: Vec<String>,
    /// Channels: names, `*` for anything.
    pub channels: Vec<String>,
}

/// A time of planned work: from `start` to `end`, or every day.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// Its name.
    pub name: String,
    /// What is done.
    pub reason: String,
    /// Hosts it is for, `*` for anything; empty: all.
    pub hosts: Vec<String>,
    /// Beginning.
    #[serde(deserialize_with = "first")]
    pub start: Option<Timestamp>,
    /// End.
    #[serde(deserialize_with = "last")]
    pub end: Option<Timestamp>,
    /// Minutes of the day in UTC, from and to; over midnight where the second is smaller.
    #[serde(deserialize_with = "span_of_day")]
    pub daily: Option<(u16, u16)>,
}

/// Names of pipes of the environment, as regular expressions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipeNamePattern {
    /// To watch.
    pub anomalous: Vec<String>,
    /// The site's own.
    pub legitimate: Vec<String>,
}

/// A parent and a child of it; names or paths, `*` for anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Pair {
    pub parent: String,
    pub child: String,
}

/// Seconds within which two records count as one behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TimeWindow {
    /// For every analytic that joins records.
    All(u32),
    /// By analytic.
    ByAnalytic(BTreeMap<String, u32>),
}

/// What the site knows of its accounts; `*` for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserContext {
    /// Their processes count as privileged.
    pub privileged: Vec<String>,
    /// They are services, not persons.
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
