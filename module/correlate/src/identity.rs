//! Which names are one thing: machines, processes, accounts, channels. Text, movements, containment, joins and the
//! material for level 2 all resolve names here.
//!
//! Two names are one thing only where records say so. Where they do not, there are two.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{HostParty, Machine, Party, Signal, SignalKind, host_label, parse_address};
use serde::{Deserialize, Serialize};

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

/// An account without its domain, for comparing across hosts.
pub fn bare(user: &str) -> &str {
    let user = user.rsplit(['\\', '/']).next().unwrap_or(user);
    user.split_once('@').map_or(user, |(name, _)| name)
}

/// The domain of an account as NetBIOS has it, in lower case; empty where none is named.
fn domain(user: &str) -> String {
    let domain = match (user.split_once('\\'), user.split_once('@')) {
        (Some((domain, _)), _) => host_label(domain),
        (None, Some((_, domain))) => host_label(domain),
        (None, None) => "",
    };
    domain.to_ascii_lowercase()
}

/// Accounts as several records spell them, each once.
#[derive(Debug, Default)]
pub struct Accounts {
    known: Vec<String>,
}

impl Accounts {
    /// The accounts of these spellings. A bare name is the account of that name whose domain is known, if there is
    /// only one.
    pub fn of(spellings: impl Iterator<Item = String>) -> Self {
        let (mut qualified, mut others): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for spelling in spellings.filter(|spelling| !spelling.is_empty()) {
            if domain(&spelling).is_empty() { &mut others } else { &mut qualified }.push(spelling);
        }
        let mut known: Vec<String> = Vec::new();
        for spelling in qualified {
            let same = |other: &&mut String| {
                bare(other).eq_ignore_ascii_case(bare(&spelling)) && domain(other) == domain(&spelling)
            };
            match known.iter_mut().find(same) {
                Some(other) if !other.contains('\\') => *other = spelling,
                Some(_) => {}
                None => known.push(spelling),
            }
        }
        let mut accounts = Self { known };
        for spelling in others {
            if accounts.places(&spelling).next().is_none() {
                accounts.known.push(bare(&spelling).to_owned());
            }
        }
        accounts
    }

    /// The account as it is told everywhere in the incident.
    pub fn name(&self, spelling: &str) -> String {
        let mut places = self.places(spelling);
        match (places.next(), places.next()) {
            (Some(account), None) => account.to_owned(),
            _ => spelling.to_owned(),
        }
    }

    fn places<'a>(&'a self, spelling: &'a str) -> impl Iterator<Item = &'a str> {
        let domain_of = domain(spelling);
        self.known.iter().map(String::as_str).filter(move |known| {
            bare(known).eq_ignore_ascii_case(bare(spelling)) && (domain_of.is_empty() || domain(known) == domain_of)
        })
    }
}

/// Whether the account is a built-in one of the system: nobody's, and none to disable.
pub fn is_built_in(user: &str) -> bool {
    const NAMES: &[&str] = &[
        "system",
        "local system",
        "localsystem",
        "local service",
        "network service",
        "anonymous logon",
        "anonymous",
        "iusr",
        "window manager",
        "font driver host",
    ];
    const AUTHORITIES: &[&str] = &["window manager", "font driver host", "nt service", "iis apppool"];
    let name = bare(user);
    let domain = domain(user);
    let domain = domain.as_str();
    let upper = name.to_ascii_uppercase();
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        || AUTHORITIES.contains(&domain)
        || upper.starts_with("DWM-")
        || upper.starts_with("UMFD-")
        || (upper.starts_with("S-1-5-") && !upper.starts_with("S-1-5-21-"))
        || upper.starts_with("S-1-16-")
}

/// Whether a person or a service that people set up stands behind the account: one that can be disabled. The accounts
/// under which servers run as they are installed are none: without them, the server stops.
pub fn is_person(user: &str) -> bool {
    const SERVERS: &[&str] = &[
        "www-data",
        "apache",
        "nginx",
        "http",
        "postgres",
        "mysql",
        "redis",
        "mongodb",
        "nobody",
        "daemon",
        "bin",
        "sys",
        "mail",
        "messagebus",
        "dbus",
        "polkitd",
        "sshd",
        "syslog",
        "git",
        "tomcat",
        "memcache",
    ];
    let name = bare(user);
    !name.is_empty()
        && !SERVERS.contains(&name)
        && !name.starts_with("systemd-")
        && !name.ends_with('$')
        && name != "root"
        && !is_built_in(user)
        && name.parse::<u32>().map_or(true, |uid| (1_000..u32::MAX).contains(&uid))
}

/// Processes as several records describe them, each once and with all that any of them says.
#[derive(Debug, Default)]
pub struct Processes {
    all: Vec<HostParty>,
}

impl Processes {
    /// The processes of these descriptions, in their order.
    pub fn of<'p>(parties: impl Iterator<Item = (&'p str, &'p Party)>) -> Self {
        // Those with a pid first: one without is the same only if that leaves no choice.
        let (with, without): (Vec<_>, Vec<_>) = parties.partition(|(_, party)| party.pid.is_some());
        let mut all: Vec<HostParty> = Vec::new();
        for (host, party) in with.into_iter().chain(without) {
            let mut same = all.iter_mut().filter(|one| one.host == host && is_same_process(&one.party, party));
            match (same.next(), same.next()) {
                (Some(one), None) => complete(&mut one.party, party),
                (Some(one), Some(_)) if one.party.pid == party.pid => complete(&mut one.party, party),
                _ => all.push(HostParty { host: host.to_owned(), party: party.clone() }),
            }
        }
        Self { all }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HostParty> {
        self.all.iter()
    }

    /// The process that a record of the host describes so, with all that is known of it.
    pub fn find(&self, host: &str, party: &Party) -> Option<&HostParty> {
        self.all.iter().find(|one| one.host == host && is_same_process(&one.party, party))
    }
}

/// Whether two descriptions from one host are of one process: the name and the pid, or the identifier of the source.
/// Records write paths in several ways, so that their folders do not count.
pub fn is_same_process(a: &Party, b: &Party) -> bool {
    if !a.entity.is_empty() && !b.entity.is_empty() {
        return a.entity.eq_ignore_ascii_case(&b.entity);
    }
    let named = a.name.eq_ignore_ascii_case(&b.name);
    match (a.pid, b.pid) {
        (Some(a), Some(b)) => a == b && named,
        _ => {
            let is_bare = |path: &str| !path.contains(['\\', '/']);
            let path = |path: &str| without_volume(path).to_ascii_lowercase();
            named && (is_bare(&a.path) || is_bare(&b.path) || path(&a.path) == path(&b.path))
        }
    }
}

/// A path without its drive or device, which records write in several ways.
fn without_volume(path: &str) -> &str {
    let device = path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(r"\device\"));
    match path.get(8..).filter(|_| device).and_then(|rest| rest.find('\\').and_then(|at| rest.get(at..))) {
        Some(rest) => rest,
        None => path.split_once(':').map_or(path, |(_, rest)| rest),
    }
}

fn complete(known: &mut Party, other: &Party) {
    let better = |known: &mut String, other: &String| {
        if known.is_empty() {
            known.clone_from(other);
        }
    };
    let is_drive = |path: &str| path.get(1..2) == Some(":");
    if known.path.len() <= known.name.len() || !is_drive(&known.path) && is_drive(&other.path) {
        if other.path.len() > other.name.len() {
            known.path.clone_from(&other.path);
        }
    }
    better(&mut known.entity, &other.entity);
    better(&mut known.user, &other.user);
    if known.command_line.len() < other.command_line.len() {
        known.command_line.clone_from(&other.command_line);
    }
    known.pid = known.pid.or(other.pid);
    known.integrity = known.integrity.max(other.integrity);
    if known.hashes.is_empty() {
        known.hashes.clone_from(&other.hashes);
    }
    if known.ancestors.len() < other.ancestors.len() {
        known.ancestors.clone_from(&other.ancestors);
    }
    known.untrusted |= other.untrusted;
    known.privileged |= other.privileged;
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
    fn accounts_are_one_where_only_one_can_be_meant() {
        let of = |names: &[&str]| Accounts::of(names.iter().map(|&name| name.to_owned()));
        let one = of(&["mira", r"SHOP\mira", "mira@shop.example", r"SHOP.EXAMPLE\Mira"]);
        assert_eq!(one.known, [r"SHOP\mira"]);
        assert_eq!((one.name("MIRA").as_str(), one.name("mira@shop.example").as_str()), (r"SHOP\mira", r"SHOP\mira"));
        let two = of(&["mira", r"SHOP\mira", r"DEPOT\mira"]);
        assert_eq!(two.known.len(), 2);
        assert_eq!(two.name("mira"), "mira", "it may be either");
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
    fn nobody_stands_behind_machines_and_services() {
        for name in [
            r"SHOP\TILL3$",
            "S-1-5-18",
            r"NT AUTHORITY\SYSTEM",
            "DWM-2",
            r"NT SERVICE\spooler",
            "root",
            "33",
            "S-1-5-80-1-2",
        ] {
            assert!(!is_person(name), "{name}");
        }
        for name in [r"SHOP\mira", "1011", "S-1-5-21-9-8-7-1105", "svc-backup"] {
            assert!(is_person(name), "{name}");
        }
    }

    #[test]
    fn one_process_of_two_logs_is_one() {
        let party = |path: &str, pid: Option<u32>, entity: &str| Party {
            name: path.rsplit('\\').next().unwrap_or(path).into(),
            path: path.into(),
            pid,
            entity: entity.into(),
            ..Party::default()
        };
        let sysmon = party(r"C:\Tools\Relay.exe", Some(70), "{a}");
        let security = party(r"c:\tools\relay.exe", Some(70), "");
        let nameless = party("relay.exe", None, "");
        let merged = |parties: &[&Party]| Processes::of(parties.iter().map(|&party| ("till3", party))).all.len();
        assert_eq!(merged(&[&nameless, &security, &sysmon]), 1);
        let device = party(r"\device\harddiskvolume2\tools\relay.exe", Some(70), "");
        let no_pid = party(r"C:\Tools\Relay.exe", None, "{a}");
        assert_eq!(merged(&[&device, &no_pid]), 1);
        let other = party(r"C:\Tools\Relay.exe", Some(71), "{b}");
        assert_eq!(merged(&[&sysmon, &other, &nameless]), 3, "which of the two is meant is not known");
        assert_eq!(merged(&[&sysmon, &party(r"C:\Tools\Relay.exe", Some(70), "{c}")]), 2, "the pid came back");
    }

    #[test]
    fn a_channel_is_one_under_all_its_names() {
        assert_eq!(channel(r"\svcctl"), channel("SVCCTL"));
        assert_eq!(channel(r"\\.\pipe\x"), channel(r"\x"));
        assert_eq!(channel("/var/run/d.sock"), channel("/run/d.sock"));
        assert_ne!(channel("/run/D.sock"), channel("/run/d.sock"));
    }
}
