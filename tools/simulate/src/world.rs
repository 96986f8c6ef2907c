//! The simulated company: its hosts, addresses and people, derived from the options and constant over time.

use crate::options::Options;
use crate::random::Random;
use std::sync::Arc;

/// The role of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    DomainController,
    FileServer,
    Database,
    /// An administrator's workstation.
    Admin,
    Workstation,
    Web,
    Developer,
    Build,
}

impl Role {
    pub(crate) fn is_linux(self) -> bool {
        matches!(self, Role::Web | Role::Developer | Role::Build)
    }

    pub(crate) fn has_owner(self) -> bool {
        matches!(self, Role::Admin | Role::Workstation)
    }
}

/// A host.
#[derive(Debug)]
pub(crate) struct Host {
    /// Fully qualified on Windows, bare on Linux.
    pub name: Arc<str>,
    /// Upper case, without domain: the workstation name in Windows logs.
    pub short: Arc<str>,
    pub address: Arc<str>,
    pub role: Role,
    /// The person who works on it; an administrator on servers.
    pub owner: usize,
    /// Whether Sysmon is installed. Otherwise process starts are audited in the Security log.
    pub sysmon: bool,
}

/// A person with an account.
#[derive(Debug)]
pub(crate) struct Person {
    pub name: Arc<str>,
    pub sid: Arc<str>,
    pub uid: u32,
}

/// The company.
#[derive(Debug)]
pub(crate) struct World {
    pub seed: u64,
    pub start: i64,
    pub end: i64,
    pub events_per_day: u32,
    pub domain: &'static str,
    pub domain_sid: String,
    pub hosts: Vec<Host>,
    pub people: Vec<Person>,
}

/// Number of administrators, who are the first people.
pub(crate) const ADMINS: usize = 2;

const FIRST: [&str; 24] = [
    "alva", "bruno", "carla", "dmitri", "elif", "farid", "greta", "hugo", "ines", "jonas", "kaia", "liam", "mara",
    "nils", "oona", "pavel", "quinn", "rosa", "samir", "tilda", "uri", "vera", "willem", "yara",
];
const LAST: [&str; 17] = [
    "adler", "brandt", "costa", "duval", "ekman", "fontana", "greco", "holm", "ivers", "jansen", "kovac", "lind",
    "moreau", "novak", "okafor", "petrov", "quist",
];

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        let mut random = Random::new(options.seed, &[0]);
        let domain_sid = format!(
            "S-1-5-21-{}-{}-{}",
            random.between(1 << 30, (1 << 31) - 1),
            random.between(1 << 30, (1 << 31) - 1),
            random.between(1 << 30, (1 << 31) - 1)
        );
        let windows = options.windows_hosts as usize;
        let mut hosts: Vec<Host> = Vec::new();
        let servers: &[(&str, Role)] = if windows >= 4 {
            &[("dc01", Role::DomainController), ("fs01", Role::FileServer), ("sql01", Role::Database)]
        } else {
            &[]
        };
        let mut workstations = 0;
        let mut owner = ADMINS;
        for index in 0..windows {
            let (name, role) = match servers.get(index) {
                Some((name, role)) => ((*name).to_owned(), *role),
                None if index == servers.len() && windows >= 3 => ("adm01".to_owned(), Role::Admin),
                None => {
                    workstations += 1;
                    (format!("ws{workstations:02}"), Role::Workstation)
                }
            };
            let owned_by = match role {
                Role::Workstation => {
                    owner += 1;
                    owner - 1
                }
                _ => index % ADMINS,
            };
            hosts.push(Host {
                short: name.to_uppercase().into(),
                name: format!("{name}.corp.example").into(),
                address: address(10, 20, index).into(),
                role,
                owner: owned_by,
                // One workstation in five has no Sysmon yet.
                sysmon: role != Role::Workstation || workstations % 5 != 4,
            });
        }
        for index in 0..options.linux_hosts as usize {
            let (name, role) = match index % 3 {
                0 => ("web", Role::Web),
                1 => ("dev", Role::Developer),
                _ => ("build", Role::Build),
            };
            let name = format!("{name}{:02}", index / 3 + 1);
            hosts.push(Host {
                short: name.as_str().into(),
                name: name.into(),
                address: address(10, 60, index).into(),
                role,
                owner: index % (owner + 1),
                sysmon: false,
            });
        }
        let people = (0..owner.max(ADMINS + 2))
            .map(|index| {
                // 24 and 17 have no common divisor, so that the first 408 pairs differ.
                let again = index / (FIRST.len() * LAST.len());
                let tail = if again == 0 { String::new() } else { (again + 1).to_string() };
                let admin = if index < ADMINS { "adm." } else { "" };
                Person {
                    name: format!("{admin}{}.{}{tail}", FIRST[index % FIRST.len()], LAST[index % LAST.len()]).into(),
                    sid: format!("{domain_sid}-{}", 1104 + index * 3).into(),
                    uid: 1001 + index as u32,
                }
            })
            .collect::<Vec<_>>();
        for host in &mut hosts {
            host.owner = host.owner.min(people.len() - 1);
        }
        World {
            seed: options.seed,
            start: options.start_ns,
            end: options.end_ns(),
            events_per_day: options.events_per_host_per_day,
            domain: "CORP",
            domain_sid,
            hosts,
            people,
        }
    }

    /// A stream of random numbers of a host.
    pub(crate) fn random(&self, host: usize, purpose: u64) -> Random {
        Random::new(self.seed, &[1 + host as u64, purpose])
    }

    /// A Windows host of this role, if there is one.
    pub(crate) fn with_role(&self, role: Role) -> Option<usize> {
        self.hosts.iter().position(|host| host.role == role)
    }
}

fn address(first: u8, second: u8, index: usize) -> String {
    format!("{first}.{}.{}.{}", usize::from(second) + index / (240 * 250), index / 240 % 250, 10 + index % 240)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_addresses_are_unique() {
        let options = Options { windows_hosts: 700, linux_hosts: 300, ..Options::default() };
        let world = World::new(&options);
        assert_eq!(world.hosts.len(), 1000);
        let distinct = |of: fn(&Host) -> &str| world.hosts.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(distinct(|host| &host.name), 1000);
        assert_eq!(distinct(|host| &host.address), 1000);
        let people: BTreeSet<&str> = world.people.iter().map(|person| &*person.name).collect();
        assert_eq!(people.len(), world.people.len());
    }

    #[test]
    fn a_single_host_is_a_workstation() {
        let world = World::new(&Options { windows_hosts: 1, linux_hosts: 0, ..Options::default() });
        assert_eq!(&*world.hosts[0].name, "ws01.corp.example");
        assert_eq!(world.hosts[0].role, Role::Workstation);
    }
}
