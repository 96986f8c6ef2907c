//! # IPC-RPC-012: Burst of account enumeration calls
//!
//! ## What it detects
//! Two hundred or more calls of the account database within a minute from one machine; also enumeration of sessions or
//! logged-on users, which is low by itself.
//!
//! ## Why it matters
//! Before lateral movement, attackers enumerate accounts and the machines that they are logged on to. A burst from one
//! machine is caused by a tool, not a person.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Identity products and domain controllers: declare them as admin hosts.
//!
//! ## References
//! ATT&CK T1559, T1087, T1069; DET0493 (AN1357). MS-SAMR, MS-SRVS, MS-WKST.

use backchannel_events::{ActivityKind, Confidence, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family, Threshold};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-012",
    title: "Burst of account enumeration calls",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1087", "T1069"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    thresholds: &[BURST],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Calls within a minute that make a burst.
const BURST: Threshold = Threshold {
    name: "calls",
    default: 200,
    least: 10,
    most: 100_000,
    about: "calls of the account database from one machine within a minute",
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if !call.inbound {
        return None;
    }
    match call.interface {
        Interface::Sam => {
            let (calls, first) = context.host.rpc_calls.count(call.peer, Interface::Sam, event.time)?;
            // Reported once, at the call that reaches the threshold.
            let burst = context.threshold(&BURST);
            if calls + 1 != burst {
                return None;
            }
            let text = format!("{}'s account database {burst} times within a minute.", call.who(context));
            let evidence = call.evidence(context, Severity::Medium, Confidence::Medium, text);
            let evidence = Evidence { reasons: Reasons::NONE, ..evidence };
            Some(evidence.because(first, "the first of these calls"))
        }
        Interface::Server if rpc::is_operation(call.operation, &["NetrSessionEnum", "NetSessEnum"], &[12]) => {
            let text = format!("{} to ask who has sessions on it.", call.who(context));
            Some(call.evidence(context, Severity::Low, Confidence::Medium, text))
        }
        Interface::Workstation
            if rpc::is_operation(call.operation, &["NetrWkstaUserEnum", "NetWkstaUserEnum"], &[2]) =>
        {
            let text = format!("{} to ask who is logged on there.", call.who(context));
            Some(call.evidence(context, Severity::Low, Confidence::Medium, text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn asks(count: u32, apart: f64) -> Vec<Event> {
        // The test clock starts 20 s into a minute.
        (0..count).map(|n| rpc_from(f64::from(n) * apart, "10.0.0.9", "samr", "SamrOpenUser")).collect()
    }

    #[test]
    fn a_burst_is_medium_and_reported_once() {
        let findings = check(&ANALYTIC, &asks(300, 0.1), Some((Severity::Medium, Confidence::Medium)));
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn enumeration_of_logged_on_users_is_low() {
        let call = rpc_from(0.0, "10.0.0.9", "wkssvc", "NetrWkstaUserEnum");
        check(&ANALYTIC, &[call], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn ordinary_look_ups_are_quiet() {
        check(&ANALYTIC, &asks(150, 0.1), None);
        check(&ANALYTIC, &asks(400, 1.0), None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "srvsvc", "NetrShareEnum")], None);
    }
}
