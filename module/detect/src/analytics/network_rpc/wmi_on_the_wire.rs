//! # IPC-RPC-008: WMI method run from another machine
//!
//! ## What it detects
//! ExecMethod or writes of classes and instances through WMI from another machine. Queries, which monitoring uses
//! continuously, are ignored.
//!
//! ## Why it matters
//! Win32_Process.Create is one ExecMethod call: a command on the other machine, without a file or a service.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Configuration managers run methods: declare them as admin hosts.
//!
//! ## References
//! ATT&CK T1559.001, T1047, T1021.003; DET0285 (AN0791), DET0493 (AN1357). MS-WMI.

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-008",
    title: "WMI method run from another machine",
    family: Family::NetworkRpc,
    techniques: &["T1559.001", "T1047", "T1021.003"],
    attack_analytics: &["AN0791", "AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    // Maximum time between the activation of WMI and its use.
    window: Some(Duration::from_secs(300)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if call.interface != Interface::WmiServices {
        return None;
    }
    let runs = rpc::is_operation(call.operation, &["ExecMethod", "ExecMethodAsync"], &[24, 25]);
    let writes = rpc::is_operation(
        call.operation,
        &["PutClass", "PutClassAsync", "PutInstance", "PutInstanceAsync"],
        &[8, 9, 14, 15],
    );
    if !runs && !writes {
        return None;
    }
    let activation = context
        .host
        .rpc_calls
        .near(call.peer, event.time, context.window())
        .find(|known| known.inbound == call.inbound && rpc::activates(known.interface, &known.operation));
    let what = if runs { "run a method" } else { "write a class or an instance" };
    let text =
        format!("{} to {what} through WMI ({}): processes are started this way.", call.who(context), call.operation);
    let evidence =
        call.evidence(context, Severity::High, Confidence::Medium, text).indicators(Indicators::ABNORMAL_FLOW);
    let strong = evidence.severity >= Severity::Medium;
    let evidence = evidence.reasons(Reasons::NONE.and_if(strong, Reasons::DCOM_EXPLOITATION));
    Some(match activation {
        Some(known) => evidence.because(&known.note, format!("{} activated WMI", call.peer)),
        None => evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_method_is_high_with_the_activation_as_evidence() {
        let events = [
            rpc_from(0.0, "10.0.0.9", "IRemoteSCMActivator", "RemoteCreateInstance"),
            rpc_from(1.0, "10.0.0.9", "IWbemServices", "ExecMethod"),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert_eq!(findings[0].evidence.len(), 2);
    }

    #[test]
    fn an_instance_written_by_number_is_high() {
        let call = rpc_from(0.0, "10.0.0.9", "9556dc99-828c-11cf-a37e-00aa003240c7", "14");
        check(&ANALYTIC, &[call], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn queries_and_logons_are_quiet() {
        for (interface, operation) in
            [("IWbemServices", "ExecQuery"), ("IWbemServices", "GetObject"), ("IWbemLevel1Login", "NTLMLogin")]
        {
            check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", interface, operation)], None);
        }
    }
}
