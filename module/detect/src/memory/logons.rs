//! Logon sessions: type, origin and privileges of each.

use std::collections::BTreeMap;

use backchannel_events::{Logon, LogonOutcome, ProcessEvent, Timestamp};
use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::share::Share;

/// Maximum number of logon sessions stored for a host.
const MOST: usize = 4_096;

/// The stored state of one logon session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownLogon {
    /// Logon type: 2 interactive, 3 network, 4 batch, 5 service, 8 cleartext, 10 remote interactive; 0 unknown.
    pub kind: u32,
    /// Account name.
    pub user_name: Name,
    /// Domain.
    pub user_domain: Name,
    /// SID.
    pub user_id: Name,
    /// Address it came from; empty if local or unknown.
    pub address: Name,
    /// Name of the machine it came from.
    pub workstation: Name,
    /// Authentication package.
    pub package: Name,
    /// Whether it has an elevated token.
    pub elevated: Option<bool>,
    /// Whether it has special privileges (4672).
    pub special: bool,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// The record of its start, or the first that contains it.
    pub note: Note,
}

impl KnownLogon {
    /// Whether it came over the network from another machine: type 3, 8 or 10 with an address that is not this
    /// machine's own.
    pub fn is_remote(&self, own: &super::addresses::Addresses) -> bool {
        matches!(self.kind, 3 | 8 | 10) && !self.address.is_empty() && !own.is_own(&self.address)
    }
}

/// The logon sessions of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Logons {
    known: BTreeMap<u64, KnownLogon>,
    share: Share,
}

impl Logons {
    /// The session with that id.
    pub fn get(&self, id: u64) -> Option<&KnownLogon> {
        self.known.get(&id)
    }

    /// All sessions, in arbitrary order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &KnownLogon)> {
        self.known.iter().map(|(id, logon)| (*id, logon))
    }

    /// Limits the table to a share from now on. Returns how many sessions were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        share.cut(&mut self.known, MOST, age)
    }

    /// Stores a logon record. Returns how many sessions were evicted.
    pub fn remember(&mut self, logon: &Logon<'_>, event: &ProcessEvent<'_>, names: &mut Interner) -> u64 {
        let Some(id) = logon.id else { return 0 };
        match logon.outcome {
            LogonOutcome::Failure | LogonOutcome::ExplicitCredentials => return 0,
            LogonOutcome::End => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.end = Some(event.time);
                }
                return 0;
            }
            LogonOutcome::Start | LogonOutcome::SpecialPrivileges => {}
        }
        let evicted = self.share.make_room(&mut self.known, MOST, &id, age);
        let known = self.known.entry(id).or_insert_with(|| KnownLogon {
            kind: 0,
            user_name: names.name(logon.user.name),
            user_domain: names.name(logon.user.domain),
            user_id: names.name(logon.user.id),
            address: names.name(""),
            workstation: names.name(""),
            package: names.name(""),
            elevated: None,
            special: false,
            end: None,
            note: Note::of(event, names),
        });
        if logon.outcome == LogonOutcome::SpecialPrivileges {
            known.special = true;
        } else {
            known.kind = logon.kind;
            known.address = names.name(logon.source.address);
            known.workstation = names.name(logon.source.name);
            known.package = names.name(logon.package);
            known.elevated = logon.elevated.or(known.elevated);
            known.note = Note::of(event, names);
        }
        evicted
    }
}

/// The eviction order: ended sessions first, then the oldest.
fn age(known: &KnownLogon) -> (bool, Timestamp) {
    (known.end.is_none(), known.note.time)
}
