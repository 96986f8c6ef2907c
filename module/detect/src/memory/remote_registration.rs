//! COM registrations that the remote registry service wrote for another machine.

use serde::{Deserialize, Serialize};

use super::note::{Name, Note};
use super::recent::Noted;

/// A registry value about a COM class that was written for another machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoteRegistration {
    /// Key and value.
    pub path: Name,
    /// The data written, lower case.
    pub server: Name,
    /// Address of the other machine; empty if not known.
    pub peer: Name,
    /// The record.
    pub note: Note,
}

impl Noted for RemoteRegistration {
    fn note(&self) -> &Note {
        &self.note
    }
}
