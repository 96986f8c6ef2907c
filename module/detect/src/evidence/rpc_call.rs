//! A remote procedure call between two machines, whoever logged it: the called machine, the calling one, or the wire.
//! Used by the analytics on calls, so that all mean the same by it.

use backchannel_events::{Activity, Channel, Confidence, Indicators, ProcessEvent, Reasons, Severity};

use crate::memory::rpc_calls;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Context, Evidence};

/// A call of a known interface between two machines.
#[derive(Clone, Copy, Debug)]
pub struct RemoteCall<'a> {
    /// Interface.
    pub interface: Interface,
    /// Operation as logged: name or number.
    pub operation: &'a str,
    /// The other machine.
    pub peer: &'a str,
    /// Whether the other machine called this one, not this one the other.
    pub inbound: bool,
    channel: Channel<'a>,
}

impl<'a> RemoteCall<'a> {
    /// The call that the event is.
    pub fn of(event: &ProcessEvent<'a>) -> Option<Self> {
        let Activity::RpcCall(call) = &event.activity else { return None };
        let interface = rpc::interface(call.interface, call.operation)?;
        let (peer, inbound) = rpc_calls::peer(call)?;
        Some(Self { interface, operation: call.operation, peer, inbound, channel: call.channel })
    }

    /// Who called whom, as the beginning of a sentence: `10.0.0.9 called SRV01`.
    pub fn who(&self, context: &Context<'_>) -> String {
        let host = &*context.host.key;
        match (self.inbound, context.subject().name()) {
            (true, _) => format!("{} called {host}", self.peer),
            (false, "") => format!("{host} called {}", self.peer),
            (false, name) => format!("{name} on {host} called {}", self.peer),
        }
    }

    /// Evidence with both ends and the channel set, and the lateral movement that such a call is. From a machine that
    /// administrators work on it is low.
    pub fn evidence(
        &self,
        context: &Context<'_>,
        severity: Severity,
        confidence: Confidence,
        text: impl Into<String>,
    ) -> Evidence {
        let from_admin = match self.inbound {
            true => context.tuning.may_call(self.peer),
            false => context.tuning.may_call(&context.host.key),
        };
        let severity = if from_admin { severity.min(Severity::Low) } else { severity };
        let evidence = Evidence::new(severity, confidence, text)
            .reasons(Reasons::NONE.and_if(severity >= Severity::Medium, Reasons::LATERAL_MOVEMENT))
            .indicators(Indicators::UNEXPECTED_USE)
            .channel(self.channel.mechanism, self.channel.name)
            .remote(self.peer);
        if self.inbound { evidence.server(context.subject()) } else { evidence.client(context.subject()) }
    }
}
