//! # IPC-RPC-005: Service created or started from another machine
//!
//! ## What it detects
//! A call to the service control manager that creates, changes or starts a service, from another machine; on the called
//! machine also a service installed right after its pipe was opened from another machine. High if creation and start,
//! or call and installation, occur together.
//!
//! ## Why it matters
//! A service runs any command as SYSTEM: the oldest lateral movement technique, and still the most common.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace; Security 5145 with System 7045 or Security 4697.
//!
//! ## False positives
//! Deployment servers: declare them as admin hosts.
//!
//! ## References
//! ATT&CK T1559, T1569.002, T1543.003; DET0493 (AN1357). MS-SCMR.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, ServiceOperation, Severity,
    Source,
};

use crate::evidence::rpc_call::RemoteCall;
use crate::memory::recent::Noted;
use crate::text::{clip, is_any};
use crate::vocabulary::rpc::{self, Interface};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-RPC-005",
    title: "Service created or started from another machine",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1569.002", "T1543.003"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall, ActivityKind::ServiceChange],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace, Source::System, Source::Security],
    // Maximum time between related records.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum time between the opening of the pipe and the logged installation.
const PIPE: Duration = Duration::from_secs(10);

/// Operations that create or change a service, by name and number.
fn makes(operation: &str) -> bool {
    const NAMES: &[&str] = &[
        "CreateServiceW",
        "CreateServiceA",
        "CreateServiceWOW64A",
        "CreateServiceWOW64W",
        "CreateWowService",
        "ChangeServiceConfigW",
        "ChangeServiceConfigA",
        "ChangeServiceConfig2W",
        "ChangeServiceConfig2A",
    ];
    rpc::is_operation(operation, NAMES, &[11, 12, 23, 24, 36, 37, 44, 45, 60])
}

fn starts(operation: &str) -> bool {
    rpc::is_operation(operation, &["StartServiceW", "StartServiceA"], &[19, 31])
}

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if let Activity::ServiceChange(service) = &event.activity {
        if service.operation != ServiceOperation::Installed {
            return None;
        }
        return installed(context, event, service.name, service.command_line);
    }
    let call = RemoteCall::of(event)?;
    if call.interface != Interface::Services {
        return None;
    }
    let (made, started) = (makes(call.operation), starts(call.operation));
    if !made && !started {
        return None;
    }
    let other = context.host.rpc_calls.near(call.peer, event.time, context.window()).find(|known| {
        known.interface == Interface::Services
            && known.inbound == call.inbound
            && if made { starts(&known.operation) } else { makes(&known.operation) }
    });
    let severity = if other.is_some() { Severity::High } else { Severity::Medium };
    let text = match other {
        Some(_) => format!("{} to make a service and to start it: a command runs there as SYSTEM.", call.who(context)),
        None => format!("{} to make, change or start a service ({}).", call.who(context), call.operation),
    };
    let confidence = if other.is_some() { Confidence::High } else { Confidence::Medium };
    let evidence = call.evidence(context, severity, confidence, text);
    let strong = evidence.severity >= Severity::Medium;
    let evidence = evidence.reasons(Reasons::NONE.and_if(strong, Reasons::ADMINISTRATIVE_PRIVILEGES));
    Some(match other {
        Some(known) => evidence.because(&known.note, format!("{} called {}", call.peer, known.operation)),
        None => evidence,
    })
}

/// A service installed right after the manager's pipe was opened from another machine, or its interface called.
fn installed(context: &Context<'_>, event: &ProcessEvent<'_>, name: &str, command: &str) -> Option<Evidence> {
    let own = &context.host.addresses;
    let pipe = context
        .host
        .remote_pipes
        .near(event.time, PIPE)
        .find(|open| is_any(&open.name, &["svcctl", "ntsvcs"]) && !own.is_own(&open.peer));
    let call = || {
        context
            .host
            .rpc_calls
            .any_near(event.time, context.window())
            .find(|known| known.inbound && known.interface == Interface::Services && makes(&known.operation))
    };
    let (peer, note) = match pipe {
        Some(open) => (&open.peer, &open.note),
        None => call().map(|known| (&known.peer, known.note()))?,
    };
    let from_admin = context.tuning.may_call(peer);
    let severity = if from_admin { Severity::Low } else { Severity::High };
    let text = format!("{peer} installed the service {name} on {}: {}", context.host.key, clip(command, 200));
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(!from_admin, Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::LATERAL_MOVEMENT)))
        .indicators(Indicators::ABNORMAL_FLOW)
        .server(context.subject())
        .channel(Mechanism::RpcNamedPipe, r"\svcctl")
        .from_machine(&**peer)
        .because(note, format!("{peer} opened the service control manager"));
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn creation_and_start_are_high_in_either_order() {
        let make = rpc_from(0.0, "10.0.0.9", "svcctl", "CreateServiceW");
        let begin = rpc_from(1.0, "10.0.0.9", "svcctl", "RStartServiceW");
        check(&ANALYTIC, &[make, begin], Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &[begin, make], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn one_of_them_is_medium() {
        let call = rpc_from(0.0, "10.0.0.9", "367abb81-9844-35f1-ad32-98f038001003", "12");
        check(&ANALYTIC, &[call], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn an_installation_after_the_pipe_was_opened_is_high() {
        let events = [
            pipe_opened_from(0.0, r"\svcctl", "10.0.0.9", 3),
            service_installed(1.0, "XkzQ", r"%COMSPEC% /C echo dir"),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_local_installation_and_queries_are_quiet() {
        check(&ANALYTIC, &[service_installed(1.0, "updater", r"C:\Program Files\A\u.exe")], None);
        let events = [
            pipe_opened_from(0.0, r"\svcctl", "10.0.0.9", 3),
            service_installed(300.0, "updater", r"C:\Program Files\A\u.exe"),
        ];
        check(&ANALYTIC, &events, None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "svcctl", "OpenSCManagerW")], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "svcctl", "QueryServiceStatus")], None);
    }
}
