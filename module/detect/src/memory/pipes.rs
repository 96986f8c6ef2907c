//! Pipes recently opened through IPC$, and recently created anonymous pipes.

use serde::{Deserialize, Serialize};

use super::note::{Name, Note};
use super::processes::ProcessId;
use super::recent::Noted;

/// An opening of a pipe through IPC$, with the account: it has no process on this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoteOpen {
    /// Name without prefix, lower case.
    pub name: Name,
    /// Address of the client; empty if unknown.
    pub peer: Name,
    /// Account name.
    pub user_name: Name,
    /// SID of the account.
    pub user_id: Name,
    /// The record.
    pub note: Note,
}

/// An anonymous pipe that a process created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnonymousPipe {
    /// The process.
    pub process: ProcessId,
    /// The record.
    pub note: Note,
}

impl Noted for RemoteOpen {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Noted for AnonymousPipe {
    fn note(&self) -> &Note {
        &self.note
    }
}
