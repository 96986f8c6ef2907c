//! # IPC-RPC-001: COM activation between machines
//!
//! ## What it detects
//! A call that activates a COM class on another machine: RemoteCreateInstance, RemoteGetClassObject, RemoteActivation.
//! Object resolution and ServerAlive calls are ignored.
//!
//! ## Why it matters
//! It is the first step of lateral movement through DCOM, recorded on the network, where agents on either machine
//! cannot be disabled.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Management and backup servers activate WMI continuously: declare them as admin hosts, or learn a baseline.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0285 (AN0791), DET0493 (AN1357). MS-DCOM.

use backchannel_events::{ActivityKind, Confidence, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-001",
    title: "COM activation between machines",
    family: Family::NetworkRpc,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0791", "AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if !rpc::activates(call.interface, call.operation) {
        return None;
    }
    let text = format!(
        "{} to activate a COM class ({}): the first step of lateral movement through DCOM.",
        call.who(context),
        call.operation
    );
    let evidence = call.evidence(context, Severity::Medium, Confidence::Medium, text);
    let strong = evidence.severity >= Severity::Medium;
    Some(evidence.reasons(Reasons::NONE.and_if(strong, Reasons::DCOM_EXPLOITATION)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    #[test]
    fn names_and_numbers_of_both_interfaces_fire() {
        for (interface, operation) in [
            ("IRemoteSCMActivator", "RemoteCreateInstance"),
            ("ISystemActivator", "RemoteGetClassObject"),
            ("000001a0-0000-0000-c000-000000000046", "4"),
            ("IActivation", "RemoteActivation"),
        ] {
            let call = rpc_from(0.0, "10.0.0.9", interface, operation);
            let findings = check(&ANALYTIC, &[call], Some((Severity::Medium, Confidence::Medium)));
            let channel = findings[0].channel.as_ref().unwrap();
            assert!(channel.remote && channel.peer == "10.0.0.9");
        }
    }

    #[test]
    fn resolving_and_probing_are_quiet() {
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "IObjectExporter", "ServerAlive2")], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "epmapper", "ept_map")], None);
    }

    #[test]
    fn an_administrators_host_is_low() {
        let tuning = Tunables { admin_hosts: vec!["10.0.0.9".to_owned()], ..Tunables::default() };
        let call = rpc_from(0.0, "10.0.0.9", "IRemoteSCMActivator", "RemoteCreateInstance");
        check_tuned(&ANALYTIC, &[call], tuning, Some((Severity::Low, Confidence::Medium)));
    }
}
