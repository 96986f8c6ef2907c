//! Random numbers from an own implementation of SplitMix64 (Steele, Lea, Flood 2014), so that a seed gives the same
//! logs with every version of every library, on every machine. The numbers need not be cryptographically secure.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream for this seed and further numbers (host, attack), independent of all others.
    pub(crate) fn new(seed: u64, path: &[u64]) -> Self {
        let mut random = Self(seed);
        for part in path {
            random.0 = random.next() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number under `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The bias of using the high half of the product is below 2^-32 for the bounds used here.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// True `percent` times in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, which must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A string of `length` characters of `alphabet`.
    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| *self.pick(&letters)).collect()
    }
}

/// Mixes a number so that each bit depends on all others.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A hash of a string (FNV-1a).
pub(crate) fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `bytes` bytes in hexadecimal, derived from a string: a placeholder for the digest of a file.
pub(crate) fn digest(text: &str, salt: u64, bytes: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut state = of_text(text) ^ mix(salt);
    let mut out = String::with_capacity(2 * bytes);
    for index in 0..bytes {
        if index % 8 == 0 {
            state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        }
        let byte = (state >> (8 * (index % 8))) as u8;
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = Random::new(7, &[1, 2]);
        let first: Vec<u64> = (0..3).map(|_| random.below(1000)).collect();
        let mut again = Random::new(7, &[1, 2]);
        assert_eq!(first, (0..3).map(|_| again.below(1000)).collect::<Vec<_>>());
        assert_ne!(Random::new(7, &[1, 2]).next(), Random::new(7, &[2, 1]).next());
    }

    #[test]
    fn a_range_includes_both_ends() {
        let mut random = Random::new(1, &[]);
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| random.between(-1, 2)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-1, 0, 1, 2]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_digest_is_derived_from_its_text() {
        assert_eq!(digest(r"C:\a.exe", 0, 32), digest(r"c:\A.EXE", 0, 32));
        assert_ne!(digest("a", 0, 32), digest("b", 0, 32));
        assert_eq!(digest("a", 0, 20).len(), 40);
    }
}
