//! A baseline as lines of JSON for a reader.

use backchannel_events::Mechanism;
use serde::Serialize;

/// An exchange that a baseline knows.
#[derive(Debug, Serialize)]
pub struct Exchange<'a> {
    /// Class of the program that asks.
    pub client: &'a str,
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Class of the channel's name.
    pub endpoint: &'a str,
    /// Class of the program that is asked; empty if not known.
    pub server: &'a str,
    /// Whom the client runs as: `system`, `service`, `person`, `remote`, `unknown`.
    pub user: &'a str,
    /// How often it was seen.
    pub count: u64,
    /// On how many days, of the latest 31.
    pub days: usize,
    /// On how many hosts, at least: exact below 16.
    pub hosts: usize,
    /// Most sightings on one host within one minute.
    pub busiest_minute: u32,
    /// Whether an alarm came with it on its first day: then it counts as unknown.
    pub alarmed: bool,
}

/// The line of an exchange.
pub fn exchange(exchange: &Exchange<'_>) -> String {
    serde_json::to_string(exchange).unwrap_or_default()
}

/// The line of the baseline as a whole: how many exchanges and hosts it holds, how many hosts were seen long enough,
/// and whether exchanges were left out to stay within bounds.
pub fn baseline(exchanges: usize, hosts: usize, mature_hosts: usize, saturated: bool) -> String {
    serde_json::json!({
        "exchanges": exchanges, "hosts": hosts, "mature_hosts": mature_hosts, "saturated": saturated
    })
    .to_string()
}
