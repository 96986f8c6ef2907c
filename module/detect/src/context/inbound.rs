//! Flows into this machine's dynamic ports from others: how a remote caller reaches a COM object that is already
//! activated. A derived view of the remembered flows; it holds nothing itself.

use std::time::Duration;

use backchannel_events::{NetworkFlow, Timestamp};

use super::Context;
use crate::memory::addresses::Addresses;
use crate::memory::recent::Flow;
use crate::memory::{KnownProcess, ProcessId};

/// Lowest dynamic port of Windows since Vista. Only the local side is asked: callers that are not Windows come from
/// 32768 upwards.
pub const DYNAMIC: u16 = 49_152;

/// Whether the flow comes from another machine into a dynamic port.
pub fn is_dynamic(flow: &NetworkFlow<'_>, own: &Addresses) -> bool {
    !flow.outbound
        && flow.local.port >= DYNAMIC
        && !flow.remote.address.is_empty()
        && flow.remote.address != flow.local.address
        && !own.is_own(flow.remote.address)
        && !flow.protocol.eq_ignore_ascii_case("udp")
}

/// As [`is_dynamic`], of a remembered flow.
pub fn was_dynamic(flow: &Flow, own: &Addresses) -> bool {
    !flow.outbound && flow.local_port >= DYNAMIC && !flow.remote.is_empty() && !own.is_own(&flow.remote)
}

/// Remembered flows from other machines into dynamic ports at most `window` from `time`, latest first.
pub fn near<'c>(context: &Context<'c>, time: Timestamp, window: Duration) -> impl Iterator<Item = &'c Flow> {
    let own = &context.host.addresses;
    context.host.flows.near(time, window).filter(move |flow| was_dynamic(flow, own))
}

/// The children of `parent` that started at most `window` from `time`, earliest first.
pub fn children<'c>(
    context: &Context<'c>,
    parent: ProcessId,
    time: Timestamp,
    window: Duration,
) -> impl Iterator<Item = &'c KnownProcess> {
    let children = context.host.processes.children(parent);
    children.filter(move |known| known.start.is_some_and(|start| start.within(window, time)))
}
