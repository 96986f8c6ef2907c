//! # IPC-PIPE-017: Machine coerced to authenticate to another machine
//!
//! ## What it detects
//! (a) A pipe usable for authentication coercion opened with an anonymous logon; (b) an RPC call that makes the called
//! machine open a path chosen by the caller; (c) such a pipe opened from another machine, and within 15 seconds an
//! outbound connection of this machine to SMB, HTTP, WinRM or LDAP: to the caller (high), or to a third machine if the
//! pipe has few other uses.
//!
//! ## Why it matters
//! The coerced machine authenticates with its machine account, which the attacker relays to a domain controller or a
//! certificate authority.
//!
//! ## Telemetry
//! Security 5145, Sysmon 3 or Security 5156; Zeek `dce_rpc`, RPC Firewall.
//!
//! ## False positives
//! Print servers, DFS roots and shadow-copy backup: their calls and pipes are reported only together with the outbound
//! connection. Domain controllers open each other's `lsarpc`, `samr` and `netlogon` with machine accounts: not
//! reported.
//!
//! ## References
//! ATT&CK T1187, T1557.001, T1559; DET0493 (AN1357). MS-EFSR, MS-RPRN, MS-DFSNM, MS-FSRVP.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, NetworkFlow, ProcessEvent, Reasons, RpcCall, Severity,
    Source, User,
};

use crate::context::PipeUse;
use crate::memory::pipes::RemoteOpen;
use crate::memory::recent::Flow;
use crate::text::{is_any, starts_with};
use crate::vocabulary::pipes::remote;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-017",
    title: "Machine coerced to authenticate to another machine",
    family: Family::NamedPipes,
    techniques: &["T1187", "T1557.001", "T1559"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect, ActivityKind::RpcCall, ActivityKind::NetworkFlow],
    telemetry: &[Source::Security, Source::Zeek, Source::RpcFirewall],
    // From the opening to the outbound connection, in any order: flows are logged late.
    window: Some(Duration::from_secs(15)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Ports a coerced machine connects to.
const PORTS: [u16; 5] = [445, 80, 5985, 389, 139];
/// Programs that make a coerced connection; for SMB it is the kernel.
const COERCED: &[&str] = &["System", "svchost.exe", "lsass.exe", "spoolsv.exe", "dfssvc.exe", ""];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelConnect(_) => by_pipe(context, &context.pipe()?),
        Activity::RpcCall(call) => by_call(context, call),
        Activity::NetworkFlow(flow) => by_flow(context, flow),
        _ => None,
    }
}

fn by_pipe(context: &Context<'_>, pipe: &PipeUse<'_>) -> Option<Evidence> {
    let peer = pipe.channel.peer;
    if peer.is_empty() || context.host.addresses.is_own(peer) || !remote::is_coercible(pipe.name) {
        return None;
    }
    let user = context.subject().user;
    let flows = context.host.flows.near(context.event().time, context.window());
    let mut outbound = flows.filter(|flow| is_coerced(context, flow)).peekable();
    if !is_machine(context, user, pipe.name) && outbound.peek().is_some() {
        let outbound: Vec<&Flow> = outbound.collect();
        let back = outbound.iter().find(|flow| &*flow.remote == peer);
        let third = outbound.first().filter(|_| remote::is_made_for_coercion(pipe.name));
        if let Some(flow) = back.or(third) {
            let evidence = joined(pipe.name, peer, &flow.remote, flow.remote_port);
            return Some(evidence.because(&flow.note, format!("this machine connected to {}", flow.remote)));
        }
    }
    let anonymous = user.id == "S-1-5-7" || is_any(user.name, &["ANONYMOUS LOGON", "Guest"]);
    if anonymous && is_any(pipe.name, &["lsarpc", "efsrpc", "netdfs", "spoolss", "FssagentRpc"]) {
        let text = format!(
            "{peer} opened pipe {} without logging on: it can make this machine authenticate.",
            pipe.channel.name
        );
        return Some(finish(Evidence::new(Severity::Medium, Confidence::Medium, text), pipe.channel.name, peer));
    }
    None
}

fn by_call(context: &Context<'_>, call: &RpcCall<'_>) -> Option<Evidence> {
    let peer = call.client.address;
    if peer.is_empty() || !remote::is_coercing_call(call.interface, call.operation) {
        return None;
    }
    if context.host.addresses.is_own(peer) || context.tuning.may_call(peer) {
        return None;
    }
    let flows = context.host.flows.near(context.event().time, context.window());
    let back = flows.filter(|flow| is_coerced(context, flow)).find(|flow| &*flow.remote == peer);
    // Every print client subscribes to change notifications.
    if back.is_none() && starts_with(call.operation, "RpcRemoteFind") {
        return None;
    }
    let (severity, confidence) =
        if back.is_some() { (Severity::High, Confidence::High) } else { (Severity::Medium, Confidence::Medium) };
    let text = format!(
        "{peer} called {} of {}: it makes this machine authenticate to a path of the caller's choice.",
        call.operation, call.interface
    );
    let mut evidence = finish(Evidence::new(severity, confidence, text), call.interface, peer);
    if let Some(flow) = back {
        evidence = evidence.because(&flow.note, format!("this machine connected to {peer}"));
    }
    Some(evidence)
}

fn by_flow(context: &Context<'_>, flow: &NetworkFlow<'_>) -> Option<Evidence> {
    let address = flow.remote.address;
    if !flow.outbound || !PORTS.contains(&flow.remote.port) || context.host.addresses.is_own(address) {
        return None;
    }
    if !is_any(context.subject().name(), COERCED) {
        return None;
    }
    let opens = context.host.remote_pipes.near(context.event().time, context.window());
    let counts = |open: &&RemoteOpen| {
        let user = User { id: &open.user_id, name: &open.user_name, ..User::default() };
        remote::is_coercible(&open.name)
            && !context.host.addresses.is_own(&open.peer)
            && !is_machine(context, user, &open.name)
            && (&*open.peer == address || remote::is_made_for_coercion(&open.name))
    };
    let open = opens.filter(counts).max_by_key(|open| (&*open.peer == address, open.note.time))?;
    let evidence = joined(&open.name, &open.peer, address, flow.remote.port);
    Some(evidence.because(&open.note, format!("{} opened pipe {}", open.peer, open.name)))
}

/// Whether a flow looks like the outbound connection of a coerced machine.
fn is_coerced(context: &Context<'_>, flow: &Flow) -> bool {
    flow.outbound
        && PORTS.contains(&flow.remote_port)
        && !context.host.addresses.is_own(&flow.remote)
        && is_any(crate::text::base_name(&flow.who.image), COERCED)
}

/// Whether the account that opened the pipe is a machine account in ordinary use: its own always, any at a domain
/// controller.
fn is_machine(context: &Context<'_>, user: User<'_>, pipe: &str) -> bool {
    let Some(name) = user.name.strip_suffix('$') else { return false };
    context.is_this_host(name) || !remote::is_made_for_coercion(pipe)
}

fn joined(pipe: &str, caller: &str, target: &str, port: u16) -> Evidence {
    let back = caller == target;
    let (severity, confidence) =
        if back { (Severity::High, Confidence::High) } else { (Severity::Medium, Confidence::Medium) };
    let text = if back {
        format!(
            "{caller} opened pipe {pipe}, and this machine connected back to it on port {port}: it was made to authenticate."
        )
    } else {
        format!(
            "{caller} opened pipe {pipe}, and this machine connected to {target} on port {port}: it may have been made to."
        )
    };
    finish(Evidence::new(severity, confidence, text), pipe, caller)
}

fn finish(evidence: Evidence, channel: &str, peer: &str) -> Evidence {
    evidence
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .channel(Mechanism::RpcNamedPipe, channel)
        .from_machine(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Endpoint;

    fn coerced(seconds: f64, remote: &'static str, port: u16) -> Event {
        flow_out(seconds, remote, port).of("System", 4)
    }

    fn opened(seconds: f64, pipe: &'static str, user: &'static str) -> Event {
        pipe_opened_from(seconds, pipe, "10.0.0.9", 0x12019f).user("CORP", user)
    }

    #[test]
    fn the_connection_back_to_the_caller_fires_in_either_order() {
        let there = [opened(0.0, r"\efsrpc", "alice"), coerced(2.0, "10.0.0.9", 445)];
        check(&ANALYTIC, &there, Some((Severity::High, Confidence::High)));
        let back = [coerced(0.0, "10.0.0.9", 80), opened(2.0, r"\lsarpc", "alice")];
        let found = check(&ANALYTIC, &back, Some((Severity::High, Confidence::High)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::DcomExploitation));
    }

    #[test]
    fn a_third_machine_is_medium_after_the_spooler_and_quiet_after_the_directory() {
        let third = [opened(0.0, r"\spoolss", "alice"), coerced(2.0, "10.0.0.66", 445)];
        check(&ANALYTIC, &third, Some((Severity::Medium, Confidence::Medium)));
        let directory = [opened(0.0, r"\samr", "alice"), coerced(2.0, "10.0.0.66", 445)];
        check(&ANALYTIC, &directory, None);
    }

    #[test]
    fn an_opening_without_logging_on_is_medium() {
        let events = [opened(0.0, r"\lsarpc", "ANONYMOUS LOGON")];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_coercing_call_is_medium_and_a_printer_s_client_quiet() {
        let call = |operation| {
            let client = Endpoint { address: "10.0.0.9", ..Endpoint::default() };
            let call = RpcCall { interface: "efsrpc", operation, client, ..RpcCall::default() };
            event(0, Activity::RpcCall(call))
        };
        check(&ANALYTIC, &[call("EfsRpcOpenFileRaw")], Some((Severity::Medium, Confidence::Medium)));
        check(&ANALYTIC, &[call("RpcRemoteFindFirstPrinterChangeNotificationEx")], None);
    }

    #[test]
    fn an_opening_alone_controllers_among_themselves_and_late_flows_are_quiet() {
        check(&ANALYTIC, &[opened(0.0, r"\spoolss", "alice")], None);
        let peers = [opened(0.0, r"\netlogon", "DC02$"), coerced(2.0, "10.0.0.9", 389)];
        check(&ANALYTIC, &peers, None);
        let late = [opened(0.0, r"\efsrpc", "alice"), coerced(60.0, "10.0.0.9", 445)];
        check(&ANALYTIC, &late, None);
    }
}
