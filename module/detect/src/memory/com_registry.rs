//! COM state of a host from the registry: which classes exist for the whole machine (with the built-in list of
//! `vocabulary/com_classes.rs`: the catalogue of classes), which registrations are suspicious, which handlers were
//! redirected, and which classes were looked up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{Noted, Recent, Who};
use super::share::Share;
use crate::text;

/// Maximum number of machine-wide classes stored.
const MOST_CLASSES: usize = 2_048;

/// The COM state of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComRegistry {
    machine: BTreeMap<Name, Name>,
    /// Suspicious registrations: shadowing the machine's own class, or with a server in an unusual location.
    pub suspicious: Recent<SuspiciousRegistration>,
    /// Handlers of files and protocols that were redirected for one user.
    pub handlers: Recent<RedirectedHandler>,
    /// Classes usable for remote execution that a process looked up (object access auditing).
    pub looked_up: Recent<LookedUp>,
    share: Share,
}

impl Default for ComRegistry {
    fn default() -> Self {
        Self {
            machine: BTreeMap::new(),
            suspicious: Recent::new(128),
            handlers: Recent::new(64),
            looked_up: Recent::new(64),
            share: Share::default(),
        }
    }
}

/// A suspicious registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspiciousRegistration {
    /// Class id, upper case.
    pub clsid: Name,
    /// The path of its server: lower case, no quotes, no arguments.
    pub server: Name,
    /// Whether it applies to one user only.
    pub per_user: bool,
    /// The process that wrote it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// A handler of a file type or protocol that was redirected for one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedirectedHandler {
    /// Type or protocol (`ms-settings`), or `environment` for the variables that scheduled tasks resolve.
    pub class: Name,
    /// What was written.
    pub command: Name,
    /// The process that wrote it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// The look-up of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookedUp {
    /// Class id, upper case.
    pub clsid: Name,
    /// The process that did it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

impl Noted for SuspiciousRegistration {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Noted for RedirectedHandler {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Noted for LookedUp {
    fn note(&self) -> &Note {
        &self.note
    }
}

/// What an event adds to the memory, decided before anything is stored.
pub enum Addition {
    /// A machine-wide server: class, path.
    Machine(String, String),
    /// A suspicious registration: class, path, whether it applies to one user only.
    Suspicious(String, String, bool),
    /// A redirected handler: class, command.
    Handler(String, String),
    /// A look-up: class.
    LookedUp(String),
}

impl ComRegistry {
    /// The server of a class for the whole machine, as its registration was logged: lower case.
    pub fn machine_server(&self, clsid: &str) -> Option<&str> {
        if self.machine.is_empty() {
            return None;
        }
        self.machine.get(clsid.to_ascii_uppercase().as_str()).map(|server| &**server)
    }

    /// The latest suspicious registration of the server at `path`.
    pub fn suspicious_server(&self, path: &str) -> Option<&SuspiciousRegistration> {
        self.suspicious.latest_first().find(|known| {
            if let Some(tail) = known.server.strip_prefix('%').and_then(|rest| rest.split_once('%')) {
                text::ends_with(path, tail.1) && tail.1.len() > 4
            } else {
                known.server.eq_ignore_ascii_case(path)
            }
        })
    }

    /// The latest suspicious registration of a class.
    pub fn suspicious_class(&self, clsid: &str) -> Option<&SuspiciousRegistration> {
        self.suspicious.latest_first().find(|known| known.clsid.eq_ignore_ascii_case(clsid))
    }

    /// Limits the table to a share from now on. Returns how many entries were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        let surplus = self.machine.len().saturating_sub(share.of(MOST_CLASSES));
        for _ in 0..surplus {
            self.machine.pop_last();
        }
        surplus as u64 + self.suspicious.fit(share) + self.handlers.fit(share) + self.looked_up.fit(share)
    }

    /// Stores the addition. Returns how many entries were evicted.
    pub fn remember(&mut self, addition: Addition, who: Who, note: Note, names: &mut Interner) -> u64 {
        match addition {
            Addition::Machine(clsid, server) => {
                if self.machine.len() >= self.share.of(MOST_CLASSES) && !self.machine.contains_key(clsid.as_str()) {
                    // The built-in list still applies; further classes are not stored.
                    return 1;
                }
                self.machine.insert(names.name(&clsid), names.name(&server));
                0
            }
            Addition::Suspicious(clsid, server, per_user) => {
                let (clsid, server) = (names.name(&clsid), names.name(&server));
                self.suspicious.push(SuspiciousRegistration { clsid, server, per_user, who, note })
            }
            Addition::Handler(class, command) => {
                let (class, command) = (names.name(&class), names.name(&command));
                self.handlers.push(RedirectedHandler { class, command, who, note })
            }
            Addition::LookedUp(clsid) => self.looked_up.push(LookedUp { clsid: names.name(&clsid), who, note }),
        }
    }
}
