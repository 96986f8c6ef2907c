//! # IPC-RPC-013: Directory replicated to an unexpected machine
//!
//! ## What it detects
//! A machine that requests directory replication from a domain controller (DRSGetNCChanges) in the way tools do: names
//! looked up or controllers enumerated in the minute before. Without that it is low, because domain controllers
//! replicate continuously.
//!
//! ## Why it matters
//! Replication gives the password hashes of every account of the domain (DCSync).
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Domain controllers and directory synchronisation products: declare them as admin hosts; they are then low.
//!
//! ## References
//! ATT&CK T1559, T1003.006; DET0493 (AN1357). MS-DRSR.

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-013",
    title: "Directory replicated to an unexpected machine",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1003.006"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    // Maximum time between a tool's name look-ups and its replication.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if call.interface != Interface::Replication || !rpc::is_operation(call.operation, &["DRSGetNCChanges"], &[3]) {
        return None;
    }
    let looked_up = context.host.rpc_calls.near(call.peer, event.time, context.window()).find(|known| {
        known.interface == Interface::Replication
            && known.inbound == call.inbound
            && rpc::is_operation(&known.operation, &["DRSCrackNames", "DRSDomainControllerInfo"], &[12, 16])
    });
    let (severity, confidence) = match looked_up {
        Some(_) => (Severity::Critical, Confidence::High),
        None => (Severity::Low, Confidence::Medium),
    };
    let how = if looked_up.is_some() { ", right after it looked up names as tools do" } else { "" };
    let text = format!("{} to replicate the directory{how}: passwords of the domain go with it.", call.who(context));
    let evidence = call.evidence(context, severity, confidence, text).indicators(Indicators::ABNORMAL_FLOW);
    let strong = evidence.severity >= Severity::Medium;
    let evidence = evidence.reasons(Reasons::NONE.and_if(strong, Reasons::ADMINISTRATIVE_PRIVILEGES));
    Some(match looked_up {
        Some(known) => evidence.because(&known.note, format!("{} called {}", call.peer, known.operation)),
        None => evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn name_look_ups_and_replication_are_critical() {
        let events = [
            rpc_from(0.0, "10.0.0.9", "drsuapi", "DRSBind"),
            rpc_from(0.1, "10.0.0.9", "drsuapi", "DRSCrackNames"),
            rpc_from(0.2, "10.0.0.9", "drsuapi", "DRSGetNCChanges"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn operation_numbers_fire_too() {
        let uuid = "e3514235-4b06-11d1-ab04-00c04fc2dcd2";
        let events = [rpc_from(0.0, "10.0.0.9", uuid, "16"), rpc_from(0.1, "10.0.0.9", uuid, "3")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn replication_alone_is_low() {
        let call = rpc_from(0.0, "10.0.0.9", "drsuapi", "DRSGetNCChanges");
        check(&ANALYTIC, &[call], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn name_look_ups_alone_are_quiet() {
        let events =
            [rpc_from(0.0, "10.0.0.9", "drsuapi", "DRSBind"), rpc_from(0.1, "10.0.0.9", "drsuapi", "DRSCrackNames")];
        check(&ANALYTIC, &events, None);
    }
}
