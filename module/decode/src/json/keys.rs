//! Preselects the possible shapes of an object by the names of its members, in one pass over them, independent of the
//! number of shapes.

use super::{Members, Section};

/// The keys at the top level of an object, each as one of 128 bits. Keys may share a bit, so a match must be verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys(u128);

impl Keys {
    /// Whether the object has one key of each group. The keys are collected on first use.
    #[inline]
    pub fn fit(collected: &mut Option<Self>, members: &Members<'_>, groups: &[&[&str]]) -> bool {
        if groups.is_empty() {
            return true;
        }
        let keys = collected.get_or_insert_with(|| Self::of(members)).0;
        groups.iter().all(|group| group.iter().any(|key| keys & bit(key) != 0))
            && groups.iter().all(|group| group.iter().any(|key| members.has(key)))
    }

    fn of(members: &Members<'_>) -> Self {
        let top = members.all.iter().filter(|member| member.section == Section::Top);
        Self(top.fold(0, |keys, member| keys | bit(member.key)))
    }
}

/// The bit of a key: from its length and its first and last bytes.
const fn bit(key: &str) -> u128 {
    let bytes = key.as_bytes();
    match bytes {
        [] => 1,
        [first, .., last] => 1 << ((bytes.len() * 37 + *first as usize * 7 + *last as usize * 13) % 128),
        [only] => 1 << (*only as usize % 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Collector, Cursor};
    use bumpalo::Bump;

    #[test]
    fn an_object_passes_if_it_has_a_key_of_each_group() {
        let arena = Bump::new();
        let mut collector = Collector::new(&arena, true, &|_, _| true);
        let text = r#"{"ts":1,"uid":"C","nested":{"inner":1},"":0,"x":1}"#;
        collector.object(&mut Cursor::new(text), Section::Top, 0).unwrap();
        let mut keys = None;
        let mut fit = |groups: &[&[&str]]| Keys::fit(&mut keys, &collector.members, groups);
        for groups in [&[&["ts"][..]][..], &[&["time", "ts"], &["uid"]], &[], &[&[""], &["x"]]] {
            assert!(fit(groups), "{groups:?}");
        }
        for groups in [&[&["inner"][..]][..], &[&["ts"], &["id", "fuid"]], &[&["time"]], &[&[]]] {
            assert!(!fit(groups), "{groups:?}");
        }
    }

    #[test]
    fn keys_are_spread_over_the_bits() {
        let keys = ["ts", "uid", "ID", "event", "process", "event_type", "activity", "time", "MESSAGE", "ident", "msg"];
        let bits = keys.iter().fold(0, |bits, key| bits | bit(key));
        assert!(bits.count_ones() as usize >= keys.len() - 1, "{}", bits.count_ones());
    }
}
