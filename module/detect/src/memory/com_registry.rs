//! What the registry says about COM on a host: which classes exist for the whole machine (with the built-in list of
//! `vocabulary/com_classes.rs`: the catalogue of classes), which registrations deserve doubt, which handlers were
//! bent, and which classes were looked up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{Noted, Recent, Who};
use super::share::Share;
use crate::text;

/// Most classes of the machine remembered.
const MOST_CLASSES: usize = 2_048;

/// The COM part of a host's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComRegistry {
    machine: BTreeMap<Name, Name>,
    /// Registrations that deserve doubt: in the user's part before the machine's own, or of a server in an odd place.
    pub doubtful: Recent<Doubtful>,
    /// Handlers of files and protocols that were bent for one user.
    pub handlers: Recent<BentHandler>,
    /// Classes usable for remote execution that a process looked up (object access auditing).
    pub looked_up: Recent<LookedUp>,
    share: Share,
}

impl Default for ComRegistry {
    fn default() -> Self {
        Self {
            machine: BTreeMap::new(),
            doubtful: Recent::new(128),
            handlers: Recent::new(64),
            looked_up: Recent::new(64),
            share: Share::default(),
        }
    }
}

/// A registration that deserves doubt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doubtful {
    /// Class id, upper case.
    pub clsid: Name,
    /// Where its server lies: lower case, no quotes, no arguments.
    pub server: Name,
    /// Whether it is one user's.
    pub per_user: bool,
    /// Who wrote it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// A handler of a file type or protocol that was bent for one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BentHandler {
    /// Type or protocol (`ms-settings`), or `environment` for the variables that scheduled tasks resolve.
    pub class: Name,
    /// What was written.
    pub command: Name,
    /// Who wrote it.
    pub who: Who,
    /// The record.
    pub note: Note,
}

/// The look-up of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookedUp {
    /// Class id, upper case.
    pub clsid: Name,
    /// By whom.
    pub who: Who,
    /// The record.
    pub note: Note,
}

impl Noted for Doubtful {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Noted for BentHandler {
    fn note(&self) -> &Note {
        &self.note
    }
}

impl Noted for LookedUp {
    fn note(&self) -> &Note {
        &self.note
    }
}

/// What an event adds to the memory, decided before anything is remembered.
pub enum Addition {
    /// A machine-wide server: class, path.
    Machine(String, String),
    /// A registration that deserves doubt: class, path, whether it is one user's.
    Doubtful(String, String, bool),
    /// A bent handler: class, command.
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

    /// The doubtful registration of the server at `path`, latest first.
    pub fn doubtful_server(&self, path: &str) -> Option<&Doubtful> {
        self.doubtful.latest_first().find(|known| {
            if let Some(tail) = known.server.strip_prefix('%').and_then(|rest| rest.split_once('%')) {
                text::ends_with(path, tail.1) && tail.1.len() > 4
            } else {
                known.server.eq_ignore_ascii_case(path)
            }
        })
    }

    /// The doubtful registration of a class, latest first.
    pub fn doubtful_class(&self, clsid: &str) -> Option<&Doubtful> {
        self.doubtful.latest_first().find(|known| known.clsid.eq_ignore_ascii_case(clsid))
    }

    /// Takes no more than a share from now on. Returns how many entries were forgotten for it.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        let surplus = self.machine.len().saturating_sub(share.of(MOST_CLASSES));
        for _ in 0..surplus {
            self.machine.pop_last();
        }
        surplus as u64 + self.doubtful.fit(share) + self.handlers.fit(share) + self.looked_up.fit(share)
    }

    /// Remembers. Returns how many entries were forgotten to make room.
    pub fn remember(&mut self, addition: Addition, who: Who, note: Note, names: &mut Interner) -> u64 {
        match addition {
            Addition::Machine(clsid, server) => {
                if self.machine.len() >= self.share.of(MOST_CLASSES) && !self.machine.contains_key(clsid.as_str()) {
                    // The built-in list still holds; what an installer adds beyond this is not learned.
                    return 1;
                }
                self.machine.insert(names.name(&clsid), names.name(&server));
                0
            }
            Addition::Doubtful(clsid, server, per_user) => {
                let (clsid, server) = (names.name(&clsid), names.name(&server));
                self.doubtful.push(Doubtful { clsid, server, per_user, who, note })
            }
            Addition::Handler(class, command) => {
                let (class, command) = (names.name(&class), names.name(&command));
                self.handlers.push(BentHandler { class, command, who, note })
            }
            Addition::LookedUp(clsid) => self.looked_up.push(LookedUp { clsid: names.name(&clsid), who, note }),
        }
    }
}
