//! The envelope of a snapshot: kind, layout and checksum, followed by the state.
//!
//! `BCSN`, kind (1 byte), layout (4), hash of the settings (8), length of the module's version (1) and the version,
//! hash of the state (8), the state. Numbers are little-endian. The state is the postcard encoding of the detector's
//! own types, so any change to those requires a new [`LAYOUT`].

use core::fmt;
use core::hash::Hasher;

use serde::Serialize;
use serde::de::DeserializeOwned;
use siphasher::sip::SipHasher13;

use crate::catalog::VERSION;

/// Version of the layout of the state.
pub(crate) const LAYOUT: u32 = 6;

const MAGIC: [u8; 4] = *b"BCSN";

/// Which object's state a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Detector = 1,
    Correlator = 2,
}

/// A snapshot that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// It has another layout; the value is the version of that layout.
    OtherLayout(u32),
    /// It is damaged, or not a snapshot of this kind; the value is what was expected.
    Damaged(&'static str),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLayout(layout) => {
                write!(f, "the snapshot has layout {layout}, this module reads layout {LAYOUT}")
            }
            Self::Damaged(expected) => write!(f, "the snapshot is damaged: expected {expected}"),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Serialises a snapshot.
pub(crate) fn write(kind: Kind, settings: u64, memory: &impl Serialize) -> Vec<u8> {
    // The size is computed first: a vector that grows holds the state twice while it does.
    let size = postcard::experimental::serialized_size(memory).unwrap_or(0);
    let mut out = Vec::with_capacity(size + 64);
    out.extend_from_slice(&MAGIC);
    out.push(kind as u8);
    out.extend_from_slice(&LAYOUT.to_le_bytes());
    out.extend_from_slice(&settings.to_le_bytes());
    let version = VERSION.as_bytes();
    out.push(u8::try_from(version.len()).unwrap_or(0));
    out.extend(version.iter().take(255));
    let at = out.len();
    out.extend_from_slice(&[0; 8]);
    // Serialising into a vector fails only for types that postcard cannot represent. The state is then empty, which
    // `read` rejects.
    let mut out = postcard::to_extend(memory, out).unwrap_or_default();
    if let Some((head, memory)) = out.split_at_mut_checked(at + 8)
        && let Some(place) = head.get_mut(at..)
    {
        place.copy_from_slice(&hash(memory).to_le_bytes());
    }
    out
}

/// Deserialises a snapshot. Other settings, or another version of the module, are not an error.
pub(crate) fn read<T: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<T, SnapshotError> {
    let damaged = SnapshotError::Damaged;
    let (magic, bytes) = bytes.split_first_chunk::<4>().ok_or(damaged("the letters BCSN"))?;
    if *magic != MAGIC {
        return Err(damaged("the letters BCSN"));
    }
    let (&[of], bytes) = bytes.split_first_chunk::<1>().ok_or(damaged("the kind of snapshot"))?;
    let (layout, bytes) = bytes.split_first_chunk::<4>().ok_or(damaged("the number of the layout"))?;
    let layout = u32::from_le_bytes(*layout);
    if layout != LAYOUT {
        return Err(SnapshotError::OtherLayout(layout));
    }
    if of != kind as u8 {
        return Err(damaged(match kind {
            Kind::Detector => "the state of a detector",
            Kind::Correlator => "the state of a correlator",
        }));
    }
    let (_settings, bytes) = bytes.split_first_chunk::<8>().ok_or(damaged("the hash of the settings"))?;
    let (&[length], bytes) = bytes.split_first_chunk::<1>().ok_or(damaged("the version of the module"))?;
    let (_version, bytes) = bytes.split_at_checked(usize::from(length)).ok_or(damaged("the version of the module"))?;
    let (stated, memory) = bytes.split_first_chunk::<8>().ok_or(damaged("the hash of the state"))?;
    if u64::from_le_bytes(*stated) != hash(memory) {
        return Err(damaged("a state that matches its hash"));
    }
    match postcard::take_from_bytes(memory) {
        Ok((memory, [])) => Ok(memory),
        Ok(_) => Err(damaged("no data after the state")),
        Err(_) => Err(damaged("a state of this layout")),
    }
}

/// A hash that is equal on all platforms.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_round_trips_and_a_change_of_any_byte_is_detected() {
        let memory = ("text".to_owned(), vec![1_u64, 2, 3]);
        let bytes = write(Kind::Detector, 7, &memory);
        assert_eq!(read::<(String, Vec<u64>)>(Kind::Detector, &bytes).unwrap(), memory);
        // The hash of the settings and the module's version may differ: the state is valid with other settings.
        let free: Vec<usize> = (9..17).chain(18..18 + VERSION.len()).collect();
        for at in (0..bytes.len()).filter(|at| !free.contains(at)) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read::<(String, Vec<u64>)>(Kind::Detector, &changed).is_err(), "{at}");
        }
        for end in 0..bytes.len() {
            assert!(read::<(String, Vec<u64>)>(Kind::Detector, &bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn another_layout_and_another_kind_are_different_errors() {
        let mut bytes = write(Kind::Correlator, 0, &1_u8);
        assert_eq!(read::<u8>(Kind::Detector, &bytes), Err(SnapshotError::Damaged("the state of a detector")));
        bytes[5] = 9;
        assert_eq!(read::<u8>(Kind::Correlator, &bytes), Err(SnapshotError::OtherLayout(9)));
    }
}
