//! [`Share`]: the part of the memory that one host may use, which shrinks with the number of hosts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Up to this many hosts have full tables.
const FULL: usize = 16;
/// Minimum size of a table, in entries.
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
    /// The share of each host for this number of hosts.
    pub fn among(hosts: usize) -> Self {
        let parts = (hosts.div_ceil(FULL)).next_power_of_two();
        Self(u32::try_from(parts).unwrap_or(u32::MAX))
    }

    /// The maximum number of entries of a table that has `full` entries without a share.
    pub fn of(self, full: usize) -> usize {
        (full / self.0 as usize).max(full.min(LEAST))
    }

    /// Makes room for `key` in a table of `full` entries: if it is full, an eighth is evicted, the oldest by `age`.
    /// Returns how many.
    pub fn make_room<K: Ord + Clone, V, T: Ord>(
        self,
        table: &mut BTreeMap<K, V>,
        full: usize,
        key: &K,
        age: impl Fn(&V) -> T,
    ) -> u64 {
        let most = self.of(full);
        if table.len() < most || table.contains_key(key) { 0 } else { forget(table, most / 8, age) }
    }

    /// Reduces a table of `full` entries to this share. Returns how many were evicted, the oldest by `age`.
    pub fn cut<K: Ord + Clone, V, T: Ord>(self, table: &mut BTreeMap<K, V>, full: usize, age: impl Fn(&V) -> T) -> u64 {
        forget(table, table.len().saturating_sub(self.of(full)), age)
    }
}

fn forget<K: Ord + Clone, V, T: Ord>(table: &mut BTreeMap<K, V>, count: usize, age: impl Fn(&V) -> T) -> u64 {
    let victims = oldest(table.iter().map(|(key, value)| (age(value), key.clone())), count);
    victims.iter().filter(|key| table.remove(*key).is_some()).count() as u64
}

/// The keys of the `count` oldest of a table's entries, given with their times in any order.
pub fn oldest<T: Ord, K: Ord>(entries: impl Iterator<Item = (T, K)>, count: usize) -> Vec<K> {
    let Some(last) = count.checked_sub(1) else { return Vec::new() };
    let mut all: Vec<(T, K)> = entries.collect();
    if last < all.len() {
        all.select_nth_unstable(last);
    }
    all.truncate(count);
    all.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_found_in_any_order() {
        let entries = [(3, 'c'), (1, 'a'), (2, 'b'), (1, 'z')];
        let mut found = oldest(entries.into_iter(), 3);
        found.sort_unstable();
        assert_eq!(found, ['a', 'b', 'z']);
        assert_eq!((oldest(entries.into_iter(), 0).len(), oldest(entries.into_iter(), 9).len()), (0, 4));
    }

    #[test]
    fn few_hosts_have_full_tables_and_many_share() {
        assert_eq!(Share::among(1), Share::default());
        assert_eq!(Share::among(16).of(4_096), 4_096);
        assert_eq!(Share::among(17).of(4_096), 2_048);
        assert_eq!(Share::among(1_000).of(4_096), 64);
        assert_eq!((Share::among(20_000).of(4_096), Share::among(20_000).of(16)), (32, 16));
    }
}
