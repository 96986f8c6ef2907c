//! A baseline as readable lines of JSON.

use backchannel_events::Mechanism;
use serde::Serialize;

/// An exchange in a baseline.
#[derive(Debug, Serialize)]
pub struct Exchange<'a> {
    /// Class of the client program.
    pub client: &'a str,
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Class of the channel's name.
    pub endpoint: &'a str,
    /// Class of the server program; empty if not known.
    pub server: &'a str,
    /// Kind of account of the client: `system`, `service`, `person`, `remote`, `unknown`.
    pub user: &'a str,
    /// Number of occurrences.
    pub count: u64,
    /// Number of days on which it occurred, of the latest 31.
    pub days: usize,
    /// Number of hosts on which it occurred, a lower bound: exact below 16.
    pub hosts: usize,
    /// Maximum number of occurrences on one host within one minute.
    pub busiest_minute: u32,
    /// Whether an alarm accompanied it on its first day. It then counts as unknown.
    pub alarmed: bool,
}

/// Writes an exchange as one line.
pub fn exchange(exchange: &Exchange<'_>) -> String {
    serde_json::to_string(exchange).unwrap_or_default()
}

/// The line of the whole baseline: numbers of exchanges and hosts, number of hosts that were observed long enough, and
/// whether exchanges were omitted to stay within the limits.
pub fn baseline(exchanges: usize, hosts: usize, mature_hosts: usize, saturated: bool) -> String {
    serde_json::json!({
        "exchanges": exchanges, "hosts": hosts, "mature_hosts": mature_hosts, "saturated": saturated
    })
    .to_string()
}
