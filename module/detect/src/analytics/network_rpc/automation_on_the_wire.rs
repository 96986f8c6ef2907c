//! # IPC-RPC-002: Activated object automated from another machine
//!
//! ## What it detects
//! Calls of IDispatch (GetIDsOfNames, Invoke) from a machine that activated a COM class here within the preceding
//! minute, or without an activation if none was recorded.
//!
//! ## Why it matters
//! WMI and management tools do not use IDispatch between machines; remote control of MMC, Excel, ShellWindows and
//! similar objects does, to run a command.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace.
//!
//! ## False positives
//! Business programs that automate Office on other machines: allow by pair.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0285 (AN0791), DET0493 (AN1357). MS-OAUT, MS-DCOM.

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::evidence::rpc_call::RemoteCall;
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-002",
    title: "Activated object automated from another machine",
    family: Family::NetworkRpc,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0791", "AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace],
    // Maximum time between an object's activation and its use.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let call = RemoteCall::of(event)?;
    if call.interface != Interface::Dispatch
        || !rpc::is_operation(call.operation, &["GetIDsOfNames", "Invoke"], &[5, 6])
    {
        return None;
    }
    let activation = context
        .host
        .rpc_calls
        .near(call.peer, event.time, context.window())
        .find(|known| known.inbound == call.inbound && rpc::activates(known.interface, &known.operation));
    let (severity, confidence, after) = match activation {
        Some(_) => (Severity::High, Confidence::High, "right after it activated a class there"),
        None => (Severity::Medium, Confidence::Medium, "though no activation was seen"),
    };
    let text = format!(
        "{} to run methods of an activated COM object (IDispatch), {after}: commands are run this way through MMC, \
         Excel and the shell's windows.",
        call.who(context),
    );
    let evidence = call.evidence(context, severity, confidence, text).indicators(Indicators::ABNORMAL_FLOW);
    let strong = evidence.severity >= Severity::Medium;
    let evidence = evidence.reasons(Reasons::NONE.and_if(strong, Reasons::DCOM_EXPLOITATION));
    Some(match activation {
        Some(known) => evidence.because(&known.note, format!("{} activated a COM class", call.peer)),
        None => evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DISPATCH: &str = "00020400-0000-0000-c000-000000000046";

    #[test]
    fn activation_and_automation_are_high() {
        let events = [
            rpc_from(0.0, "10.0.0.9", "IRemoteSCMActivator", "RemoteGetClassObject"),
            rpc_from(6.0, "10.0.0.9", DISPATCH, "5"),
            rpc_from(6.1, "10.0.0.9", DISPATCH, "6"),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert_eq!(findings[0].evidence.len(), 2);
    }

    #[test]
    fn automation_alone_is_medium() {
        check(
            &ANALYTIC,
            &[rpc_from(0.0, "10.0.0.9", "IDispatch", "Invoke")],
            Some((Severity::Medium, Confidence::Medium)),
        );
    }

    #[test]
    fn another_machine_s_activation_does_not_count() {
        let events = [
            rpc_from(0.0, "10.0.0.8", "IRemoteSCMActivator", "RemoteGetClassObject"),
            rpc_from(6.0, "10.0.0.9", DISPATCH, "6"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn wmi_and_type_information_are_quiet() {
        let events = [
            rpc_from(0.0, "10.0.0.9", "IRemoteSCMActivator", "RemoteCreateInstance"),
            rpc_from(1.0, "10.0.0.9", "IWbemServices", "ExecQuery"),
            rpc_from(1.0, "10.0.0.9", "IRemUnknown2", "RemQueryInterface"),
            rpc_from(1.0, "10.0.0.9", DISPATCH, "3"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
