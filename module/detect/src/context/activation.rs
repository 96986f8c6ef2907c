//! How a process came to be: started by a COM or WMI broker, on behalf of whom.
//!
//! A derived fact, remembered with the process, so that an analytic can ask "was this process activated from
//! another host?" without knowing the analytic that found it.

use serde::{Deserialize, Serialize};

use super::{Actor, Context, Name};
use crate::predicates;
use crate::text;

/// A process that a broker started on somebody's behalf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Which broker.
    pub broker: Broker,
    /// On behalf of whom.
    pub origin: Origin,
    /// Address of the other machine; empty if not known.
    pub peer: Name,
}

/// The processes that start others on a client's behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Broker {
    /// svchost with the DcomLaunch service: COM servers.
    DcomLaunch,
    /// WmiPrvSE: `Win32_Process.Create` and the like.
    WmiProvider,
}

/// On whose behalf a broker started a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Under a network logon from another machine: proven.
    NetworkLogon,
    /// A user's token in session 0, where no user sits: another machine, very likely.
    SessionZero,
    /// Nothing points to another machine.
    Local,
}

impl Activation {
    /// Whether another machine asked for it.
    pub fn is_remote(&self) -> bool {
        self.origin != Origin::Local
    }

    /// Whether a logon record proves it.
    pub fn is_proven(&self) -> bool {
        self.origin == Origin::NetworkLogon
    }
}

/// How the process that starts in `context`'s event came to be, if a broker started it.
pub fn of_start(context: &Context<'_>) -> Option<Activation> {
    let (started, parent) = (context.subject(), context.parent());
    let broker = broker(started, parent)?;
    let (origin, peer) = origin(context, started);
    Some(Activation { broker, origin, peer: peer.into() })
}

fn broker(started: Actor<'_>, parent: Actor<'_>) -> Option<Broker> {
    if parent.is(&["wmiprvse.exe"]) && !started.is(&["wmiprvse.exe"]) {
        Some(Broker::WmiProvider)
    } else if predicates::started_by_dcom_launch(started, parent) {
        Some(Broker::DcomLaunch)
    } else {
        None
    }
}

/// On whose behalf `started` runs, and from which address.
pub fn origin<'c>(context: &Context<'c>, started: Actor<'c>) -> (Origin, &'c str) {
    if predicates::is_service_principal(started.user) {
        return (Origin::Local, "");
    }
    if let Some(logon) = started.logon_id.and_then(|id| context.logon(id)) {
        if logon.is_remote(&context.host.addresses) && logon.kind != 10 {
            return (Origin::NetworkLogon, &logon.address);
        }
        if logon.kind != 0 && logon.kind != 3 {
            return (Origin::Local, "");
        }
    }
    let known_user = !started.user.name.is_empty() || text::starts_with(started.user.id, "S-1-5-21-");
    if started.session == Some(0) && known_user { (Origin::SessionZero, "") } else { (Origin::Local, "") }
}
