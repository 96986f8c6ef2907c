//! Accounts as records spell them, and which of them somebody stands behind.

use backchannel_events::host_label;

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

/// Whether the account is written with the short name of its domain, as most records have it.
fn is_short(user: &str) -> bool {
    user.split_once('\\').is_some_and(|(domain, _)| !domain.contains('.'))
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
                Some(other) if is_short(&spelling) && !is_short(other) => *other = spelling,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_one_where_only_one_can_be_meant() {
        let of = |names: &[&str]| Accounts::of(names.iter().map(|&name| name.to_owned()));
        let one = of(&["mira", r"SHOP\mira", "mira@shop.example", r"SHOP.EXAMPLE\Mira"]);
        assert_eq!(one.known, [r"SHOP\mira"]);
        assert_eq!((one.name("MIRA").as_str(), one.name("mira@shop.example").as_str()), (r"SHOP\mira", r"SHOP\mira"));
        assert_eq!(of(&[r"SHOP.EXAMPLE\mira", r"SHOP\mira"]).known, [r"SHOP\mira"]);
        let two = of(&["mira", r"SHOP\mira", r"DEPOT\mira"]);
        assert_eq!(two.known.len(), 2);
        assert_eq!(two.name("mira"), "mira", "it may be either");
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
}
