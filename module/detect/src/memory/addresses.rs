//! Which network addresses are a host's own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name};
use crate::text::addresses::is_loopback;

/// Maximum number of own addresses stored for a host.
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

    /// Whether any address is known to be this host's: without one, [`is_own`](Self::is_own) is not meaningful.
    pub fn is_known(&self) -> bool {
        !self.own.is_empty()
    }

    /// Stores that `address` is this host's.
    pub fn learn(&mut self, address: &str, names: &mut Interner) {
        if self.own.len() < MOST && !address.is_empty() && !is_loopback(address) && !self.own.contains(address) {
            self.own.insert(names.name(address));
        }
    }
}
