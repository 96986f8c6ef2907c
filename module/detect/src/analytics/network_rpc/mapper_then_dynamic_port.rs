//! # IPC-RPC-003: Endpoint mapper, then a dynamic port
//!
//! ## What it detects
//! One machine that connects to another's port 135 and, within half a minute, to one of its dynamic ports: a remote
//! procedure call between machines that are not servers. Reported for the called machine as low, because flows alone do
//! not show the called operation. Reported for the calling machine as medium if a script host calls, high if an unknown
//! program does.
//!
//! ## Why it matters
//! DCOM and WMI calls have this pattern; workstations have little reason to call each other.
//!
//! ## Telemetry
//! Sysmon 3, Security 5156, Zeek conn.
//!
//! ## False positives
//! Domain controllers and servers are called this way by every machine: a machine that serves Kerberos or LDAP is
//! excluded.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::inbound::DYNAMIC;
use crate::memory::recent::{Flow, Noted};
use crate::text::addresses;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-003",
    title: "Endpoint mapper, then a dynamic port",
    family: Family::NetworkRpc,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security, Source::Zeek],
    // Maximum time between the two flows.
    window: Some(Duration::from_secs(30)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Ports of Kerberos, LDAP and the global catalogue: a machine that serves them is a domain controller.
const DIRECTORY: &[u16] = &[88, 389, 464, 636, 3268, 3269];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::NetworkFlow(flow) = &event.activity else { return None };
    let port = if flow.outbound { flow.remote.port } else { flow.local.port };
    let peer = flow.remote.address;
    if port != 135 && port < DYNAMIC || peer.is_empty() || flow.protocol.eq_ignore_ascii_case("udp") {
        return None;
    }
    let own = &context.host.addresses;
    if own.is_own(peer) || peer == flow.local.address || addresses::is_loopback(peer) {
        return None;
    }
    let served = |known: &&Flow| if flow.outbound { known.remote_port } else { known.local_port };
    let pair = |known: &&Flow| *known.remote == *peer && known.outbound == flow.outbound;
    let wanted = |known: &&Flow| if port == 135 { served(known) >= DYNAMIC } else { served(known) == 135 };
    let other = context.host.flows.near(event.time, context.window()).find(|known| pair(known) && wanted(known))?;
    let initiator = match flow.outbound {
        false => None,
        true => Some(context.subject()).filter(|who| !who.is_unknown()),
    };
    let directory = if flow.outbound {
        // The other side is a domain controller if this machine requests tickets from it.
        context.host.flows.latest_first().any(|known| pair(&known) && DIRECTORY.contains(&known.remote_port))
    } else {
        context.host.flows.latest_first().any(|known| !known.outbound && DIRECTORY.contains(&known.local_port))
    };
    if directory {
        return None;
    }
    let (severity, how) = match initiator {
        Some(who) if predicates::is_unknown_binary(who) => {
            (Severity::High, format!("{} runs from where users write", who.name()))
        }
        Some(who) if predicates::is_script_host(who) => {
            (Severity::Medium, format!("the script host {} calls", who.name()))
        }
        // Other programs of this machine call servers continuously.
        Some(_) => return None,
        None if flow.outbound => return None,
        None => (Severity::Low, "flows alone do not say what was called".to_owned()),
    };
    let here = &*context.host.key;
    let (from, to) = if flow.outbound { (here, peer) } else { (peer, here) };
    let text = format!("{from} reached the endpoint mapper of {to} and then one of its dynamic ports ({how}).");
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(severity >= Severity::Medium, Reasons::LATERAL_MOVEMENT)
                .and_if(initiator.is_some_and(predicates::is_unknown_binary), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::RpcTcp, "135")
        .because(other.note(), format!("flow between {from} and port {} of {to}", served(&other)));
    Some(match flow.outbound {
        true => evidence.client(context.subject()).to_machine(peer),
        false => evidence.server(context.subject()).from_machine(peer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn out(seconds: f64, image: &'static str, port: u16) -> Event {
        flow_out(seconds, "10.0.0.9", port).of(image, 7)
    }

    #[test]
    fn a_script_host_that_calls_another_machine_is_medium_and_an_unknown_program_high() {
        let script = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let events = [out(0.0, script, 135), out(0.5, script, 49_700)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        let unknown = r"C:\Users\u\Downloads\x.exe";
        let events = [out(0.5, unknown, 49_700), out(0.0, unknown, 135)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn the_called_machine_is_low() {
        let events = [flow_in(0.0, 135, "10.0.0.9", 50_000), flow_in(1.0, 49_700, "10.0.0.9", 50_001)];
        check(&ANALYTIC, &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn a_domain_controller_is_quiet() {
        let events = [
            flow_in(0.0, 88, "10.0.0.9", 49_999),
            flow_in(1.0, 135, "10.0.0.9", 50_000),
            flow_in(2.0, 49_700, "10.0.0.9", 50_001),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn two_machines_and_a_late_flow_are_quiet() {
        check(&ANALYTIC, &[flow_in(0.0, 135, "10.0.0.8", 1), flow_in(1.0, 49_700, "10.0.0.9", 2)], None);
        check(&ANALYTIC, &[flow_in(0.0, 135, "10.0.0.9", 1), flow_in(90.0, 49_700, "10.0.0.9", 2)], None);
    }
}
