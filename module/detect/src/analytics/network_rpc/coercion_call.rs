//! # IPC-RPC-009: RPC call that coerces authentication
//!
//! ## What it detects
//! An operation of the encrypting file system, the print spooler, DFS, the shadow copy agent or the event log that
//! takes a path on a machine chosen by the caller, called from another machine.
//!
//! ## Why it matters
//! The called machine authenticates to that path with its machine account; the caller relays the authentication to a
//! certificate or directory server and can then act as that machine.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Print servers notify their clients (medium). Backup of file servers uses the shadow copy agent: allow by pair.
//!
//! ## References
//! ATT&CK T1559, T1187; DET0493 (AN1357). MS-EFSR, MS-RPRN, MS-DFSNM, MS-FSRVP, MS-EVEN.

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-009",
    title: "RPC call that coerces authentication",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1187"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    let sure = rpc::coerces(call.interface, call.operation)?;
    let (severity, confidence) =
        if sure { (Severity::High, Confidence::High) } else { (Severity::Medium, Confidence::Medium) };
    let text = format!(
        "{} with an operation of {} ({}) that makes it log on to a machine of the caller's choice.",
        call.who(context),
        call.interface.what(),
        call.operation,
    );
    let evidence = call.evidence(context, severity, confidence, text).indicators(Indicators::ABNORMAL_FLOW);
    let strong = evidence.severity >= Severity::Medium;
    Some(evidence.reasons(Reasons::NONE.and_if(strong, Reasons::DCOM_EXPLOITATION)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn the_encrypting_file_system_is_high_by_interface_name_or_uuid() {
        for (interface, operation) in
            [("lsarpc", "EfsRpcOpenFileRaw"), ("df1941c5-fe89-4e79-bf10-463657acf44d", "4"), ("efsrpc", "unknown")]
        {
            let call = rpc_from(0.0, "10.0.0.9", interface, operation);
            check(&ANALYTIC, &[call], Some((Severity::High, Confidence::High)));
        }
    }

    #[test]
    fn the_spooler_s_notification_is_medium() {
        for operation in ["RpcRemoteFindFirstPrinterChangeNotificationEx", "65"] {
            let call = rpc_from(0.0, "10.0.0.9", "spoolss", operation);
            check(&ANALYTIC, &[call], Some((Severity::Medium, Confidence::Medium)));
        }
    }

    #[test]
    fn printing_and_names_are_quiet() {
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "spoolss", "RpcEnumPrinters")], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "lsarpc", "LsarOpenPolicy2")], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "netdfs", "NetrDfsGetInfo")], None);
    }
}
