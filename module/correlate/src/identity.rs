//! Which names are one thing: machines, processes, accounts, channels. Text, movements, containment, joins and the
//! material for level 2 all resolve names here.
//!
//! Two names are one thing only where records say so. Where they do not, there are two.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Machine, Signal, SignalKind, host_label, parse_address};
use serde::{Deserialize, Serialize};

pub use accounts::{Accounts, bare, is_built_in, is_person};
pub use processes::{Processes, is_same_process};

mod accounts;
mod processes;

/// Longest name that NetBIOS has room for.
const NETBIOS: usize = 15;

/// The names and addresses of machines, and the ids of accounts, as records gave them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    /// Keys of hosts that have logs of their own.
    hosts: BTreeSet<String>,
    /// Address or other name, to the hosts that said it was theirs.
    own: BTreeMap<String, BTreeSet<String>>,
    /// Address, to the names that logons from there gave.
    told: BTreeMap<String, BTreeSet<String>>,
    /// Host and uid, or SID alone, to the account's name.
    accounts: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Names {
    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.hosts.len() + self.own.len() + self.told.len() + self.accounts.len()
    }

    /// Remembers a host that has logs. Where full names tell hosts apart, others may still say the short one.
    pub fn host(&mut self, host: &str) {
        if !host.is_empty() && !self.hosts.contains(host) {
            self.hosts.insert(host.to_owned());
            let short = host_label(host);
            if short != host {
                self.own.entry(short.to_owned()).or_default().insert(host.to_owned());
            }
        }
    }

    /// Remembers what a signal ties together.
    pub fn signal(&mut self, signal: Signal) {
        let Signal { host, kind, peer, user, .. } = signal;
        match kind {
            SignalKind::Address => {
                self.host(&host);
                add(self.own.entry(written(&peer)).or_default(), host);
            }
            SignalKind::PeerAddress => add(self.told.entry(written(&peer)).or_default(), written(&host)),
            SignalKind::Account => add(self.accounts.entry(account_key(&host, &peer)).or_default(), user),
            SignalKind::LogonFrom | SignalKind::ReachedFor => {}
        }
    }

    /// The machine that a record of `here` names so: its host key, or its name, or its address. Empty if `name` is.
    pub fn machine(&self, name: &str, here: &str) -> String {
        let name = written(name);
        if name.is_empty() || name == here || is_loopback(&name) {
            return if name.is_empty() { name } else { here.to_owned() };
        }
        if let Some(host) = self.own.get(&name).and_then(only).or_else(|| self.hosts.get(&name)) {
            return host.clone();
        }
        if parse_address(&name).is_some() {
            let told = self.told.get(&name).and_then(only);
            return told.map_or(name, |told| self.machine(told, here));
        }
        let label = host_label(&name);
        if let Some(host) = self.own.get(label).and_then(only).or_else(|| self.hosts.get(label)) {
            return host.clone();
        }
        // NetBIOS cuts names: the whole one is known if exactly one host's begins so.
        if label.len() == NETBIOS {
            let whole: BTreeSet<String> =
                self.hosts.iter().filter(|host| host_label(host).starts_with(label)).cloned().collect();
            if let Some(host) = only(&whole) {
                return host.clone();
            }
        }
        label.to_owned()
    }

    /// The machine with its address: the one that the record has, else the only one that is known.
    pub fn with_address(&self, name: &str, here: &str) -> Machine {
        let host = self.machine(name, here);
        let named = written(name);
        if parse_address(&named).is_some() && !is_loopback(&named) {
            return Machine { host, address: named };
        }
        let mine = |(address, hosts): (&String, &BTreeSet<String>)| {
            (parse_address(address).is_some() && only(hosts) == Some(&host)).then(|| address.clone())
        };
        let own: BTreeSet<String> = self.own.iter().filter_map(mine).collect();
        let address = only(&own).cloned().unwrap_or_default();
        Machine { host, address }
    }

    /// The account that an id stands for on a host, if a record gave both; else what was given.
    pub fn account<'n>(&'n self, account: &'n str, host: &str) -> &'n str {
        self.accounts.get(&account_key(host, account)).and_then(only).map_or(account, String::as_str)
    }

    /// Whether two findings of different hosts happened under one account, as far as both say.
    pub fn is_same_account(&self, (a, here): (&str, &str), (b, there): (&str, &str)) -> bool {
        let (a, b) = (self.account(a, here), self.account(b, there));
        a.is_empty() || b.is_empty() || bare(a).eq_ignore_ascii_case(bare(b))
    }
}

fn add(to: &mut BTreeSet<String>, name: String) {
    // More than two say no more than two do: it is not known which.
    if to.len() < 2 && !name.is_empty() {
        to.insert(name);
    }
}

fn only(names: &BTreeSet<String>) -> Option<&String> {
    names.first().filter(|_| names.len() == 1)
}

/// A SID is one account everywhere, a uid one of its host.
fn account_key(host: &str, id: &str) -> (String, String) {
    let id = id.to_ascii_lowercase();
    (if id.starts_with("s-1-") { String::new() } else { host.to_owned() }, id)
}

/// A machine's name as it is compared: lower case, without the backslashes of a share, addresses in one form.
fn written(name: &str) -> String {
    let name = name.trim().trim_start_matches('\\').trim_end_matches('.');
    if let Some(address) = parse_address(name) {
        return address.to_string();
    }
    if name == "-" { String::new() } else { name.to_ascii_lowercase() }
}

fn is_loopback(name: &str) -> bool {
    let address = parse_address(name).is_some_and(|address| address.is_loopback() || address.is_unspecified());
    address || name == "localhost" || name == "localhost.localdomain"
}

/// Whether an address belongs to no private network: it is somewhere on the internet.
pub fn is_public(address: &str) -> bool {
    match parse_address(address) {
        Some(std::net::IpAddr::V4(ip)) => {
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast())
        }
        Some(std::net::IpAddr::V6(ip)) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
        None => false,
    }
}

/// A channel's name as it is compared: pipes without their prefix, folders by where they are.
pub fn channel(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("/var/run/") {
        return format!("/run/{rest}");
    }
    if name.starts_with('/') || name.starts_with('@') {
        return name.to_owned();
    }
    let lower = name.to_ascii_lowercase();
    let plain = lower.trim_start_matches(r"\\.").trim_start_matches('\\');
    plain.strip_prefix(r"pipe\").unwrap_or(plain).to_owned()
}

#[cfg(test)]
mod tests {
    use backchannel_events::Timestamp;

    use super::*;

    fn signal(kind: SignalKind, host: &str, peer: &str, user: &str) -> Signal {
        Signal { host: host.into(), kind, peer: peer.into(), user: user.into(), time: Timestamp::default() }
    }

    #[test]
    fn a_machine_is_one_under_all_its_names() {
        let mut names = Names::default();
        names.signal(signal(SignalKind::Address, "wkst-accounting-07", "10.7.0.4", ""));
        names.signal(signal(SignalKind::PeerAddress, "till3", "10.7.0.9", ""));
        for name in [
            "WKST-ACCOUNTING-07",
            "wkst-accounting-07.corp.example",
            "::ffff:10.7.0.4",
            r"\\WKST-ACCOUNTING",
            "10.7.0.4",
        ] {
            assert_eq!(names.machine(name, "db9"), "wkst-accounting-07", "{name}");
        }
        for own in ["::1", "127.0.0.1", "localhost", "DB9", "db9.corp.example"] {
            let mut names = names.clone();
            names.host("db9");
            assert_eq!(names.machine(own, "db9"), "db9", "{own}");
        }
        assert_eq!(names.machine("10.7.0.9", "db9"), "till3");
        assert_eq!(names.machine("10.7.0.77", "db9"), "10.7.0.77", "nobody said whose it is");
        assert_eq!(names.machine("-", "db9"), "");
        let machine = names.with_address("WKST-ACCOUNTING-07", "db9");
        assert_eq!(machine, Machine { host: "wkst-accounting-07".into(), address: "10.7.0.4".into() });
    }

    #[test]
    fn an_address_that_two_hosts_claim_is_neither() {
        let mut names = Names::default();
        names.signal(signal(SignalKind::Address, "kiosk1", "172.17.0.1", ""));
        names.signal(signal(SignalKind::Address, "kiosk2", "172.17.0.1", ""));
        assert_eq!(names.machine("172.17.0.1", "db9"), "172.17.0.1");
    }

    #[test]
    fn an_id_is_a_name_only_where_a_record_gave_both() {
        let mut names = Names::default();
        names.signal(signal(SignalKind::Account, "till3", "1011", "mira"));
        names.signal(signal(SignalKind::Account, "till3", "S-1-5-21-9-8-7-1105", r"SHOP\mira"));
        assert_eq!(names.account("1011", "till3"), "mira");
        assert_eq!(names.account("1011", "till4"), "1011", "uids are those of one host");
        assert_eq!(names.account("S-1-5-21-9-8-7-1105", "till4"), r"SHOP\mira");
    }

    #[test]
    fn a_channel_is_one_under_all_its_names() {
        assert_eq!(channel(r"\svcctl"), channel("SVCCTL"));
        assert_eq!(channel(r"\\.\pipe\x"), channel(r"\x"));
        assert_eq!(channel("/var/run/d.sock"), channel("/run/d.sock"));
        assert_ne!(channel("/run/D.sock"), channel("/run/d.sock"));
    }
}
