//! Recent procedure calls between machines: notable calls individually, others as counts per minute.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::{ProcessEvent, RpcCall, Timestamp};
use serde::{Deserialize, Serialize};

use super::note::{Interner, Name, Note};
use super::recent::{Noted, Recent};
use super::share::Share;

/// Maximum number of calls stored for a host.
const MOST: usize = 256;
/// Maximum number of pairs of peer and interface counted at a time.
const MOST_PAIRS: usize = 256;
/// Length of a counting interval, in nanoseconds.
const MINUTE: i64 = 60 * Timestamp::SECOND;

/// A security-relevant interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Interface {
    /// Activation of COM classes, new and old.
    Activation,
    /// Resolution of COM objects.
    ObjectExporter,
    /// Automation of an activated object.
    Dispatch,
    /// WMI: its logon.
    WmiLogin,
    /// WMI: its services.
    WmiServices,
    /// Services.
    Services,
    /// Scheduled tasks.
    Tasks,
    /// Scheduled tasks of the old kind (`at`).
    AtTasks,
    /// Accounts of scheduled tasks.
    TaskAccounts,
    /// Registry.
    Registry,
    /// Encrypting file system.
    Efs,
    /// Printing.
    Printing,
    /// Distributed file system, namespaces.
    Dfs,
    /// Shadow copies of file servers.
    ShadowCopy,
    /// Event log, old.
    EventLog,
    /// Event log, new.
    EventLog6,
    /// Accounts of the domain or machine.
    Sam,
    /// Shares and sessions.
    Server,
    /// Users of a workstation.
    Workstation,
    /// Directory replication.
    Replication,
}

/// One notable call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownCall {
    /// Interface.
    pub interface: Interface,
    /// Operation as logged.
    pub operation: Name,
    /// The other machine's address or name.
    pub peer: Name,
    /// Whether the other machine called this one.
    pub inbound: bool,
    /// The record.
    pub note: Note,
}

impl Noted for KnownCall {
    fn note(&self) -> &Note {
        &self.note
    }
}

/// The calls of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RpcCalls {
    recent: Recent<KnownCall>,
    counts: BTreeMap<(Name, Interface), Count>,
    share: Share,
}

impl Default for RpcCalls {
    fn default() -> Self {
        Self { recent: Recent::new(MOST), counts: BTreeMap::new(), share: Share::default() }
    }
}

/// Calls within one minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Count {
    minute: i64,
    calls: u32,
    first: Note,
}

impl RpcCalls {
    /// Notable calls with that peer at most `window` from `time`, latest first.
    pub fn near<'m>(&'m self, peer: &'m str, time: Timestamp, window: Duration) -> impl Iterator<Item = &'m KnownCall> {
        self.recent.near(time, window).filter(move |call| &*call.peer == peer)
    }

    /// Notable calls with any peer at most `window` from `time`, latest first.
    pub fn any_near(&self, time: Timestamp, window: Duration) -> impl Iterator<Item = &KnownCall> {
        self.recent.near(time, window)
    }

    /// How often that peer called the interface within the minute of `time`, and the first of those records.
    pub fn count(&self, peer: &str, interface: Interface, time: Timestamp) -> Option<(u32, &Note)> {
        let count = self.counts.get(&(Name::from(peer), interface))?;
        (count.minute == time.0.div_euclid(MINUTE)).then_some((count.calls, &count.first))
    }

    /// Stores a call of a known interface. Returns how many entries were evicted.
    pub fn remember(
        &mut self,
        interface: Interface,
        call: &RpcCall<'_>,
        event: &ProcessEvent<'_>,
        names: &mut Interner,
    ) -> u64 {
        let Some((peer, inbound)) = peer(call) else { return 0 };
        let peer = names.name(peer);
        if matches!(interface, Interface::Sam | Interface::Server | Interface::Workstation) {
            return if inbound { self.count_one(peer, interface, event, names) } else { 0 };
        }
        let operation = names.name(call.operation);
        self.recent.push(KnownCall { interface, operation, peer, inbound, note: Note::of(event, names) })
    }

    /// Limits the table to a share from now on. Returns how many calls and counts were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        self.recent.fit(share) + share.cut(&mut self.counts, MOST_PAIRS, age)
    }

    fn count_one(&mut self, peer: Name, interface: Interface, event: &ProcessEvent<'_>, names: &mut Interner) -> u64 {
        let minute = event.time.0.div_euclid(MINUTE);
        let key = (peer, interface);
        let evicted = self.share.make_room(&mut self.counts, MOST_PAIRS, &key, age);
        match self.counts.get_mut(&key) {
            Some(count) if count.minute == minute => count.calls = count.calls.saturating_add(1),
            _ => {
                self.counts.insert(key, Count { minute, calls: 1, first: Note::of(event, names) });
            }
        }
        evicted
    }
}

/// The eviction order: the count of the earliest minute first.
fn age(count: &Count) -> i64 {
    count.minute
}

/// The other machine of a call, and whether it called this one; `None` if the call is local or contains no peer.
pub fn peer<'a>(call: &RpcCall<'a>) -> Option<(&'a str, bool)> {
    if !call.channel.remote {
        return None;
    }
    let of = |endpoint: &backchannel_events::Endpoint<'a>| {
        if endpoint.address.is_empty() { endpoint.name } else { endpoint.address }
    };
    match (of(&call.client), of(&call.server)) {
        ("", "") => (!call.channel.peer.is_empty()).then_some((call.channel.peer, true)),
        ("", server) => Some((server, false)),
        (client, server) => (client != server).then_some((client, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backchannel_events::{Channel, Endpoint};

    #[test]
    fn a_caller_without_a_client_called_out() {
        let channel = Channel { remote: true, ..Channel::default() };
        let far = Endpoint { address: "10.0.0.9", ..Endpoint::default() };
        assert_eq!(peer(&RpcCall { channel, client: far, ..RpcCall::default() }), Some(("10.0.0.9", true)));
        assert_eq!(peer(&RpcCall { channel, server: far, ..RpcCall::default() }), Some(("10.0.0.9", false)));
        assert_eq!(peer(&RpcCall { server: far, ..RpcCall::default() }), None);
    }
}
