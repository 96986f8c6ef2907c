//! An edge: who talks to whom over what, with names that hold from host to host.

use std::hash::Hasher;

use backchannel_events::{Activity, Mechanism, ProcessEvent};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::class;
use crate::context::Context;
use crate::predicates;
use crate::vocabulary::pipes;

/// Who talks to whom over what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Class of the program that asks.
    pub client: String,
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Class of the channel's name.
    pub endpoint: String,
    /// Class of the program that is asked; empty if not known.
    pub server: String,
    /// Whom the client runs as.
    pub user: UserKind,
}

/// Kinds of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// Not known.
    Unknown,
    /// SYSTEM or root.
    System,
    /// Another account of the operating system or of a service.
    Service,
    /// A person.
    Person,
    /// A visitor over the network.
    Remote,
}

impl UserKind {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::System => "system",
            Self::Service => "service",
            Self::Person => "person",
            Self::Remote => "remote",
        }
    }

    fn of(context: &Context<'_>) -> Self {
        let actor = context.subject();
        let user = actor.user;
        if user.id.is_empty() && user.name.is_empty() {
            Self::Unknown
        } else if predicates::is_local_system(actor) || user.effective_id == "0" || user.id == "0" {
            Self::System
        } else if context.tuning.is_service(user) {
            Self::Service
        } else {
            Self::Person
        }
    }
}

impl Edge {
    /// The key it is held by, the same in every run and on every host: first who uses what, then who serves it and for
    /// whom.
    pub fn key(&self) -> (u64, u64) {
        (number(&[&self.client, self.mechanism.as_str(), &self.endpoint]), number(&[&self.server, self.user.as_str()]))
    }

    /// Whether both may be the same exchange: the server, and whom the client runs as, are not always known, because
    /// the record that tells may be older than the log.
    pub fn may_be(&self, other: &Self) -> bool {
        let server = self.server == other.server || self.server.is_empty() || other.server.is_empty();
        let user = self.user == other.user || self.user == UserKind::Unknown || other.user == UserKind::Unknown;
        server
            && user
            && self.client == other.client
            && self.mechanism == other.mechanism
            && self.endpoint == other.endpoint
    }
}

fn number(parts: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

/// Programs that start others on a client's behalf.
const BROKERS: &[&str] = &[
    "svchost.exe",
    "dllhost.exe",
    "wmiprvse.exe",
    "services.exe",
    "runtimebroker.exe",
    "sihost.exe",
    "dbus-daemon",
    "systemd",
    "polkitd",
    "launchd",
    "xpcproxy",
    "containerd-shim",
    "containerd-shim-runc-v2",
];

/// The edge of an event, if it has one.
pub fn of_event(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Edge> {
    let subject = context.subject();
    match &event.activity {
        Activity::ChannelConnect(channel) if channel.mechanism != Mechanism::AnonymousPipe => {
            let created = context.channel(channel.name).and_then(|known| known.created.as_ref());
            let remote = channel.remote || !channel.peer.is_empty();
            Some(Edge {
                client: if remote { String::new() } else { class::path(subject.image) },
                mechanism: channel.mechanism,
                endpoint: endpoint(channel.mechanism, channel.name),
                server: created.map_or_else(String::new, |one| class::path(&one.image)),
                user: if remote { UserKind::Remote } else { UserKind::of(context) },
            })
        }
        Activity::ChannelCreate(channel) if channel.mechanism != Mechanism::AnonymousPipe => Some(Edge {
            client: String::new(),
            mechanism: channel.mechanism,
            endpoint: endpoint(channel.mechanism, channel.name),
            server: class::path(subject.image),
            user: UserKind::of(context),
        }),
        Activity::ProcessStart if context.parent().is(BROKERS) => Some(Edge {
            client: class::path(subject.image),
            mechanism: Mechanism::Com,
            endpoint: "start".to_owned(),
            server: class::path(context.parent().image),
            user: UserKind::of(context),
        }),
        Activity::ComActivation(com) => Some(Edge {
            client: class::path(subject.image),
            mechanism: if com.remote { Mechanism::Dcom } else { Mechanism::Com },
            endpoint: com.clsid.to_ascii_uppercase(),
            server: String::new(),
            user: if com.remote && !com.outbound { UserKind::Remote } else { UserKind::of(context) },
        }),
        Activity::RpcCall(call) => Some(Edge {
            client: class::path(subject.image),
            mechanism: call.channel.mechanism,
            endpoint: format!("{} {}", call.interface, call.operation),
            server: String::new(),
            user: UserKind::of(context),
        }),
        _ => None,
    }
}

fn endpoint(mechanism: Mechanism, name: &str) -> String {
    match mechanism {
        Mechanism::NamedPipe | Mechanism::RpcNamedPipe => pipes::class(name),
        _ => class::socket(name),
    }
}
