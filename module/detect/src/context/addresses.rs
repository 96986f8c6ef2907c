//! Which network addresses are a host's own.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name};

/// Most own addresses remembered of one host.
const MOST: usize = 32;

/// The addresses a host is known to have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Addresses {
    own: BTreeSet<Name>,
}

impl Addresses {
    /// Whether `address` is loopback, unspecified, or known to be this host's.
    pub fn is_own(&self, address: &str) -> bool {
        is_loopback(address) || self.own.contains(address)
    }

    /// Whether any address is known to be this host's: without one, "not its own" means nothing.
    pub fn is_known(&self) -> bool {
        !self.own.is_empty()
    }

    /// Remembers that `address` is this host's.
    pub fn learn(&mut self, address: &str, names: &mut Interner) {
        if self.own.len() < MOST && !address.is_empty() && !is_loopback(address) && !self.own.contains(address) {
            self.own.insert(names.name(address));
        }
    }
}

/// Whether `address` is a loopback or unspecified address.
pub fn is_loopback(address: &str) -> bool {
    match parse(address) {
        Some(ip) => ip.is_loopback() || ip.is_unspecified(),
        None => address.eq_ignore_ascii_case("localhost"),
    }
}

/// An address as text, with `::ffff:` and a zone (`%4`) taken off.
pub fn parse(address: &str) -> Option<IpAddr> {
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    // Names of hosts come here too, for each event: most have a letter that no address has.
    if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
        return None;
    }
    let ip: IpAddr = address.parse().ok()?;
    Some(ip.to_canonical())
}
