//! Microsoft-Windows-RPC: the trace of the RPC runtime.

use backchannel_events::{Activity, Channel, Endpoint, Mechanism, Outcome, Process, RpcCall};

use super::view::View;
use super::{Content, text};

/// Event ids that are used: 5 a call by a client, 6 a call to a server.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 5 | 6)
}

/// Converts a record of the RPC trace.
pub fn read<'a>(view: &View<'a>) -> Option<Content<'a>> {
    let address = text::address(view.text("NetworkAddress").trim_matches('\0'));
    let endpoint = view.text("Endpoint");
    let mechanism = match view.text("Protocol") {
        "1" | "ncacn_ip_tcp" => Mechanism::RpcTcp,
        "2" | "ncacn_np" => Mechanism::RpcNamedPipe,
        "3" | "ncalrpc" => Mechanism::RpcLocal,
        _ => Mechanism::Unknown,
    };
    let away = !address.is_empty() && !text::is_loopback(address) && !text::same_host(address, view.host);
    let other = if text::ip(address).is_some() {
        Endpoint { address, ..Endpoint::default() }
    } else {
        Endpoint { name: address, ..Endpoint::default() }
    };
    let mut call = RpcCall {
        channel: Channel {
            mechanism,
            name: match mechanism {
                Mechanism::RpcNamedPipe => text::pipe(endpoint, view.arena).1,
                _ => endpoint,
            },
            remote: mechanism != Mechanism::RpcLocal && away,
            peer: address,
            ..Channel::default()
        },
        interface: lower_guid(view, view.either("InterfaceUuid", "InterfaceUUID")),
        operation: view.text("ProcNum"),
        authentication_level: view.small("AuthenticationLevel"),
        ..RpcCall::default()
    };
    // A client's record has the server; a server's record has the address of the caller, if any.
    if view.event_id() == 5 {
        call.server = other;
        if mechanism == Mechanism::RpcTcp {
            call.server.port = endpoint.parse().unwrap_or(0);
        }
    } else {
        call.client = other;
    }
    let process = Process { pid: view.small("ExecutionProcessID"), user: view.header_user(), ..Process::default() };
    Some(Content { process, activity: Activity::RpcCall(call), outcome: Outcome::Unknown })
}

fn lower_guid<'a>(view: &View<'a>, value: &'a str) -> &'a str {
    let bare = value.trim_matches(['{', '}']);
    if bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = view.arena.alloc_str(bare);
        lower.make_ascii_lowercase();
        return lower;
    }
    bare
}
