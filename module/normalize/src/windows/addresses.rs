//! The addresses of each host, learned from flows whose local side is certain.

use core::net::IpAddr;
use std::collections::BTreeMap;

use super::text;

/// Maximum number of hosts; further ones are not learned.
const HOSTS: usize = 4_096;
/// Maximum number of addresses of a host; a new one replaces the oldest.
const PER_HOST: usize = 16;

/// Addresses by host (lower-case first label of its name).
#[derive(Debug, Default)]
pub struct Addresses {
    hosts: BTreeMap<Box<str>, Vec<IpAddr>>,
    key: String,
}

impl Addresses {
    /// Stores `address` as one of `host`, if it is an address that a single machine can have.
    pub fn learn(&mut self, host: &str, address: &str) {
        let Some(ip) = text::ip(address).filter(is_own) else { return };
        self.set_key(host);
        let room = self.hosts.len() < HOSTS && !self.key.is_empty();
        match self.hosts.get_mut(self.key.as_str()) {
            Some(own) if own.contains(&ip) => {}
            Some(own) => {
                if own.len() >= PER_HOST {
                    own.remove(0);
                }
                own.push(ip);
            }
            None if room => {
                self.hosts.insert(self.key.as_str().into(), vec![ip]);
            }
            None => {}
        }
    }

    /// Whether `address` is known to belong to `host`.
    pub fn owns(&mut self, host: &str, address: &str) -> bool {
        let Some(ip) = text::ip(address) else { return false };
        self.set_key(host);
        self.hosts.get(self.key.as_str()).is_some_and(|own| own.contains(&ip))
    }

    fn set_key(&mut self, host: &str) {
        self.key.clear();
        let label = host.split('.').next().unwrap_or(host);
        self.key.extend(label.chars().map(|character| character.to_ascii_lowercase()));
    }
}

fn is_own(ip: &IpAddr) -> bool {
    !ip.is_loopback()
        && !ip.is_unspecified()
        && !ip.is_multicast()
        && match ip {
            IpAddr::V4(v4) => !v4.is_broadcast(),
            IpAddr::V6(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_the_hosts_first_label() {
        let mut addresses = Addresses::default();
        addresses.learn("WKS1.example.org", "10.0.0.1");
        assert!(addresses.owns("wks1", "10.0.0.1"));
        assert!(!addresses.owns("wks2", "10.0.0.1"));
        assert!(!addresses.owns("wks1", "10.0.0.2"));
    }

    #[test]
    fn addresses_that_no_machine_owns_are_not_learned() {
        let mut addresses = Addresses::default();
        for address in ["127.0.0.1", "0.0.0.0", "::", "::1", "224.0.0.252", "255.255.255.255", "host", ""] {
            addresses.learn("wks1", address);
            assert!(!addresses.owns("wks1", address), "{address}");
        }
    }

    #[test]
    fn the_state_is_bounded() {
        let mut addresses = Addresses::default();
        for i in 0..=255u8 {
            addresses.learn("wks1", &format!("10.0.0.{i}"));
        }
        assert!(!addresses.owns("wks1", "10.0.0.1"));
        assert!(addresses.owns("wks1", "10.0.0.255"));
        for i in 0..HOSTS + 5 {
            addresses.learn(&format!("h{i}"), "10.0.0.1");
        }
        assert_eq!(addresses.hosts.len(), HOSTS);
    }
}
