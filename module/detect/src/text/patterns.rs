//! A site's regular expressions, compiled once and matched together, in time linear in the length of the text.

use regex::bytes::{RegexSet, RegexSetBuilder};

/// Maximum size of all compiled patterns of one setting, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Regular expressions; case is ignored, and each may match anywhere unless it is anchored.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    set: Option<RegexSet>,
}

impl Patterns {
    /// Compiles patterns.
    ///
    /// # Errors
    /// The reason why they cannot be compiled.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let set = RegexSetBuilder::new(patterns).case_insensitive(true).unicode(false).size_limit(LARGEST).build();
        set.map(|set| Self { set: Some(set) }).map_err(|error| error.to_string())
    }

    /// The first pattern that matches.
    pub fn find(&self, text: &str) -> Option<&str> {
        let set = self.set.as_ref()?;
        let first = set.matches(text.as_bytes()).iter().next()?;
        set.patterns().get(first).map(String::as_str)
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        let texts = |patterns: &Self| patterns.set.as_ref().map(|set| set.patterns().to_vec());
        texts(self) == texts(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_is_returned_and_an_invalid_pattern_is_an_error() {
        let patterns = Patterns::new(&["^acme-[0-9]+$".into(), "ACME".into()]).unwrap();
        assert_eq!(patterns.find("ACME-12"), Some("^acme-[0-9]+$"));
        assert_eq!(patterns.find("an acme pipe"), Some("ACME"));
        assert_eq!(patterns.find("other"), None);
        assert!(Patterns::new(&["(".into()]).is_err());
    }
}
