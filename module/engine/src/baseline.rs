//! The bytes of a baseline: `BCBL`, the version of the layout, then the learned data.

use core::fmt;

use backchannel_detect::Baseline;
use backchannel_settings::SettingError;

/// Version of the layout.
const LAYOUT: u32 = 2;

const MAGIC: [u8; 4] = *b"BCBL";

/// A baseline that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineError {
    /// It has another layout; the value is the version of that layout.
    OtherLayout(u32),
    /// It is damaged, or not a baseline; the value is what was expected.
    Damaged(&'static str),
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLayout(layout) => {
                write!(f, "the baseline has layout {layout}, this module reads layout {LAYOUT}")
            }
            Self::Damaged(expected) => write!(f, "the baseline is damaged: expected {expected}"),
        }
    }
}

impl std::error::Error for BaselineError {}

/// Serialises a baseline; equal baselines give equal bytes.
pub(crate) fn write(baseline: &Baseline) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&LAYOUT.to_le_bytes());
    // Serialising into a growing vector fails only for types that postcard cannot represent.
    out.extend(postcard::to_allocvec(baseline).unwrap_or_default());
    out
}

/// Deserialises a baseline.
pub(crate) fn read(bytes: &[u8]) -> Result<Baseline, BaselineError> {
    let (magic, bytes) = bytes.split_first_chunk::<4>().ok_or(BaselineError::Damaged("the letters BCBL"))?;
    if *magic != MAGIC {
        return Err(BaselineError::Damaged("the letters BCBL"));
    }
    let (layout, bytes) = bytes.split_first_chunk::<4>().ok_or(BaselineError::Damaged("the number of the layout"))?;
    let layout = u32::from_le_bytes(*layout);
    if layout != LAYOUT {
        return Err(BaselineError::OtherLayout(layout));
    }
    match postcard::take_from_bytes(bytes) {
        Ok((baseline, [])) => Ok(baseline),
        Ok(_) => Err(BaselineError::Damaged("no data after the baseline")),
        Err(_) => Err(BaselineError::Damaged("a baseline of this layout")),
    }
}

/// Converts to an error of the settings, which are opened together with the baseline. It has no place in their
/// document.
pub(crate) fn setting_error(error: &BaselineError) -> SettingError {
    SettingError::new("", "", format!("a baseline that a learner of this module wrote ({error})"))
}
