//! The exchange that an event is, as a baseline knows it: who talks to whom over what.

use backchannel_events::{Activity, Mechanism, ProcessEvent};

use super::Context;
use crate::baseline::{Edge, UserKind, path_class, socket_class};
use crate::predicates;
use crate::vocabulary::pipes;

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
                client: if remote { String::new() } else { path_class(subject.image) },
                mechanism: channel.mechanism,
                endpoint: endpoint(channel.mechanism, channel.name),
                server: created.map_or_else(String::new, |one| path_class(&one.image)),
                user: if remote { UserKind::Remote } else { user_kind(context) },
            })
        }
        Activity::ChannelCreate(channel) if channel.mechanism != Mechanism::AnonymousPipe => Some(Edge {
            client: String::new(),
            mechanism: channel.mechanism,
            endpoint: endpoint(channel.mechanism, channel.name),
            server: path_class(subject.image),
            user: user_kind(context),
        }),
        Activity::ProcessStart if context.parent().is(BROKERS) => Some(Edge {
            client: path_class(subject.image),
            mechanism: Mechanism::Com,
            endpoint: "start".to_owned(),
            server: path_class(context.parent().image),
            user: user_kind(context),
        }),
        Activity::ComActivation(com) => Some(Edge {
            client: path_class(subject.image),
            mechanism: if com.remote { Mechanism::Dcom } else { Mechanism::Com },
            endpoint: com.clsid.to_ascii_uppercase(),
            server: String::new(),
            user: if com.remote && !com.outbound { UserKind::Remote } else { user_kind(context) },
        }),
        Activity::RpcCall(call) => Some(Edge {
            client: path_class(subject.image),
            mechanism: call.channel.mechanism,
            endpoint: format!("{} {}", call.interface, call.operation),
            server: String::new(),
            user: user_kind(context),
        }),
        _ => None,
    }
}

fn endpoint(mechanism: Mechanism, name: &str) -> String {
    match mechanism {
        Mechanism::NamedPipe | Mechanism::RpcNamedPipe => pipes::class(name),
        _ => socket_class(name),
    }
}

/// Whom the event's process runs as.
fn user_kind(context: &Context<'_>) -> UserKind {
    let actor = context.subject();
    let user = actor.user;
    if user.id.is_empty() && user.name.is_empty() {
        UserKind::Unknown
    } else if predicates::is_local_system(actor) || user.effective_id == "0" || user.id == "0" {
        UserKind::System
    } else if context.tuning.is_service(user) {
        UserKind::Service
    } else {
        UserKind::Person
    }
}
