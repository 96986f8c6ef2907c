//! [`Share`]: how much of the memory one host may take, the less the more hosts there are.

use serde::{Deserialize, Serialize};

/// This many hosts have full tables.
const FULL: usize = 16;
/// No table is made smaller than this.
const LEAST: usize = 32;

/// A part of the memory: 1/n. It changes at powers of two, so that tables are rarely cut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(u32);

impl Default for Share {
    fn default() -> Self {
        Self(1)
    }
}

impl Share {
    /// What each of so many hosts gets.
    pub fn among(hosts: usize) -> Self {
        let parts = (hosts.div_ceil(FULL)).next_power_of_two();
        Self(u32::try_from(parts).unwrap_or(u32::MAX))
    }

    /// How many entries a table may have that has `full` where there is room for all.
    pub fn of(self, full: usize) -> usize {
        (full / self.0 as usize).max(full.min(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_hosts_have_all_and_many_share() {
        assert_eq!(Share::among(1), Share::default());
        assert_eq!(Share::among(16).of(4_096), 4_096);
        assert_eq!(Share::among(17).of(4_096), 2_048);
        assert_eq!(Share::among(1_000).of(4_096), 64);
        assert_eq!((Share::among(20_000).of(4_096), Share::among(20_000).of(16)), (32, 16));
    }
}
