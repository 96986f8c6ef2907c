//! [`Site`]: settings and baseline, parsed once for any number of detectors.

use std::sync::Arc;

use backchannel_detect::{Baseline, Tunables};
use backchannel_settings::SettingError;

use crate::{baseline, snapshot, tuning};

/// Parsed settings and baseline of a site. The default has neither.
#[derive(Clone, Debug)]
pub struct Site {
    pub(crate) tuning: Tunables,
    pub(crate) baseline: Option<Arc<Baseline>>,
    /// Hash of the settings' text, for snapshots.
    pub(crate) hash: u64,
    settings: bool,
}

impl Default for Site {
    fn default() -> Self {
        Self { tuning: Tunables::default(), baseline: None, hash: snapshot::hash(b""), settings: false }
    }
}

impl Site {
    /// This site with the given settings or baseline replaced; `None` keeps what it has.
    ///
    /// # Errors
    /// All errors in the settings, and a baseline that cannot be read.
    pub fn with(&self, settings: Option<&str>, baseline: Option<&[u8]>) -> Result<Self, Vec<SettingError>> {
        let tuning = settings.map(tuning::read).transpose();
        let baseline = baseline.map(baseline::read).transpose().map_err(|error| baseline::setting_error(&error));
        let (tuning, baseline) = match (tuning, baseline) {
            (Ok(tuning), Ok(baseline)) => (tuning, baseline),
            (tuning, baseline) => {
                return Err(tuning.err().unwrap_or_default().into_iter().chain(baseline.err()).collect());
            }
        };
        Ok(Self {
            tuning: tuning.unwrap_or_else(|| self.tuning.clone()),
            baseline: baseline.map(Arc::new).or_else(|| self.baseline.clone()),
            hash: settings.map_or(self.hash, |text| snapshot::hash(text.as_bytes())),
            settings: self.settings || settings.is_some(),
        })
    }

    /// Whether it has settings.
    pub fn has_settings(&self) -> bool {
        self.settings
    }

    /// Whether it has a baseline.
    pub fn has_baseline(&self) -> bool {
        self.baseline.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Learner};

    fn learned() -> Vec<u8> {
        Learner::open(None).unwrap().baseline()
    }

    #[test]
    fn arguments_replace_their_part_and_keep_the_other() {
        let first = Site::default().with(Some(r#"{"hash_key":1}"#), Some(&learned())).unwrap();
        assert!(first.has_settings() && first.has_baseline());
        let same = first.with(None, None).unwrap();
        assert_eq!((same.tuning.hash_key, same.hash), (1, first.hash));
        let other = first.with(Some(r#"{"hash_key":2}"#), None).unwrap();
        assert_eq!(other.tuning.hash_key, 2);
        assert!(other.has_baseline() && other.hash != first.hash);
    }

    #[test]
    fn opening_with_a_site_equals_opening_with_its_texts() {
        let (settings, baseline) = (r#"{"hash_key":9}"#, learned());
        let site = Site::default().with(Some(settings), Some(&baseline)).unwrap();
        let opened = Engine::open(Some(settings), Some(&baseline)).unwrap();
        assert_eq!(Engine::of(&site).snapshot(), opened.snapshot());
        assert_ne!(Engine::of(&Site::default()).snapshot(), opened.snapshot());
    }

    #[test]
    fn errors_of_settings_and_baseline_are_reported_together() {
        let errors = Site::default().with(Some(r#"{"typo":1}"#), Some(b"not a baseline")).unwrap_err();
        assert_eq!(errors.len(), 2);
    }
}
