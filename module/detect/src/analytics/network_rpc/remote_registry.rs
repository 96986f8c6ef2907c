//! # IPC-RPC-007: Registry written or saved from another machine
//!
//! ## What it detects
//! A call of the remote registry that creates, sets, deletes, loads, replaces or saves a key. Opening and reading are
//! ignored.
//!
//! ## Why it matters
//! Saved hives contain the machine's password hashes; a value written remotely can start a program at the next logon.
//!
//! ## Telemetry
//! Zeek dce_rpc (which leaves out most reads), RPC Firewall, RPC trace.
//!
//! ## False positives
//! Management servers that set values: declare them as admin hosts.
//!
//! ## References
//! ATT&CK T1559, T1112, T1003.002; DET0493 (AN1357). MS-RRP.

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-007",
    title: "Registry written or saved from another machine",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1112", "T1003.002"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if call.interface != Interface::Registry {
        return None;
    }
    let saves = rpc::is_operation(call.operation, &["BaseRegSaveKey", "BaseRegSaveKeyEx"], &[20, 31]);
    let writes = rpc::is_operation(
        call.operation,
        &[
            "BaseRegCreateKey",
            "BaseRegDeleteKey",
            "BaseRegDeleteValue",
            "BaseRegLoadKey",
            "BaseRegReplaceKey",
            "BaseRegRestoreKey",
            "BaseRegSetKeySecurity",
            "BaseRegSetValue",
            "BaseRegUnLoadKey",
            "BaseRegDeleteKeyEx",
        ],
        &[6, 7, 8, 13, 18, 19, 21, 22, 23, 35],
    );
    if !saves && !writes {
        return None;
    }
    // Some tools use the create operation only to open a key.
    let opens = rpc::is_operation(call.operation, &["BaseRegCreateKey"], &[6]);
    let severity = if opens { Severity::Medium } else { Severity::High };
    let what = if saves { "save a part of its registry, which may hold its passwords" } else { "change its registry" };
    let text = format!("{} to {what} ({}).", call.who(context), call.operation);
    let evidence = call.evidence(context, severity, Confidence::High, text).indicators(Indicators::ABNORMAL_FLOW);
    let strong = evidence.severity >= Severity::High;
    Some(evidence.reasons(Reasons::NONE.and_if(strong, Reasons::ADMINISTRATIVE_PRIVILEGES)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn writing_and_saving_are_high() {
        for operation in ["BaseRegSetValue", "BaseRegSaveKey", "22", "31"] {
            let call = rpc_from(0.0, "10.0.0.9", "winreg", operation);
            check(&ANALYTIC, &[call], Some((Severity::High, Confidence::High)));
        }
    }

    #[test]
    fn creating_a_key_is_medium() {
        let call = rpc_from(0.0, "10.0.0.9", "338cd001-2244-31f1-aaaa-900038001003", "6");
        check(&ANALYTIC, &[call], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn reading_is_quiet() {
        for operation in ["OpenLocalMachine", "BaseRegQueryValue", "BaseRegEnumKey", "15", "17"] {
            check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "winreg", operation)], None);
        }
    }
}
