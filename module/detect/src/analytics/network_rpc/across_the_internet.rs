//! # IPC-RPC-004: RPC between private and public addresses
//!
//! ## What it detects
//! A connection to port 135 or 593, or a remote procedure call, between a private and a public address, in either
//! direction, that was not refused.
//!
//! ## Why it matters
//! The endpoint mapper should not be reachable over the Internet: inbound it indicates an attack, outbound a relay or
//! credential theft.
//!
//! ## Telemetry
//! Zeek conn and dce_rpc, Sysmon 3, Security 5156.
//!
//! ## False positives
//! Partner networks with public addresses: allow by address.
//!
//! ## References
//! ATT&CK T1559.001, T1190, T1021.003; DET0493 (AN1357).

use std::net::IpAddr;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::addresses;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-004",
    title: "RPC between private and public addresses",
    family: Family::NetworkRpc,
    techniques: &["T1559.001", "T1190", "T1021.003"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::NetworkFlow, ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if matches!(event.outcome, Outcome::Failure | Outcome::Denied) {
        return None;
    }
    let (here, there, outbound) = match &event.activity {
        Activity::NetworkFlow(flow) => {
            let port = if flow.outbound { flow.remote.port } else { flow.local.port };
            if !matches!(port, 135 | 593) || flow.protocol.eq_ignore_ascii_case("udp") {
                return None;
            }
            (flow.local.address, flow.remote.address, flow.outbound)
        }
        Activity::RpcCall(call) if call.channel.remote => (call.server.address, call.client.address, false),
        _ => return None,
    };
    let far = addresses::parse(there)?;
    // A host whose own address is unknown is assumed to be internal.
    let near_is_public = addresses::parse(here).is_some_and(is_public);
    if is_public(far) == near_is_public {
        return None;
    }
    let direction = if outbound { "reached out to" } else { "was reached from" };
    let text = format!(
        "{} {direction} {there} by remote procedure call: one of the two is a public address.",
        context.host.key
    );
    let subject = context.subject();
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::RpcTcp, "135");
    Some(match outbound {
        true => evidence.client(subject).to_machine(there),
        false => evidence.server(subject).from_machine(there),
    })
}

/// Whether an address is routed on the Internet. Ranges: IANA's special-purpose registries.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                // Carrier-grade NAT (RFC 6598), benchmarking (RFC 2544), reserved.
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || a == 0
                || a >= 240)
        }
        // Global unicast is 2000::/3, without the range for documentation.
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            first & 0xe000 == 0x2000 && !(first == 0x2001 && second == 0x0db8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn inbound_and_outbound_connections_fire() {
        check(&ANALYTIC, &[flow_in(0.0, 135, "93.184.216.34", 4000)], Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &[flow_out(0.0, "93.184.216.34", 135)], Some((Severity::High, Confidence::High)));
        let call = rpc_from(0.0, "93.184.216.34", "epmapper", "ept_map");
        check(&ANALYTIC, &[call], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn internal_connections_and_other_ports_are_quiet() {
        check(&ANALYTIC, &[flow_in(0.0, 135, "172.16.4.4", 4000)], None);
        check(&ANALYTIC, &[flow_in(0.0, 135, "fe80::1", 4000)], None);
        check(&ANALYTIC, &[flow_out(0.0, "93.184.216.34", 443)], None);
    }

    #[test]
    fn a_refused_connection_is_quiet() {
        let mut flow = flow_in(0.0, 135, "93.184.216.34", 4000);
        flow.0.outcome = Outcome::Failure;
        check(&ANALYTIC, &[flow], None);
    }

    #[test]
    fn special_ranges_are_not_public() {
        for address in ["100.64.1.1", "169.254.169.254", "10.1.1.1", "::1", "fd00::1", "2001:db8::1"] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        assert!(is_public("2606:2800::1".parse().unwrap()));
    }
}
