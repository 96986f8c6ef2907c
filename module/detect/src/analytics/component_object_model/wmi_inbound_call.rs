//! # IPC-WMI-003: WMI called from another machine starts a program
//!
//! ## What it detects
//! A connection from another machine to the endpoint mapper or to a dynamic port of WMI's processes, and within twenty
//! seconds, in either order, a child process of the WMI provider host under a user account without a local session.
//!
//! ## Why it matters
//! It identifies the source machine where logons are not recorded.
//!
//! ## Telemetry
//! Sysmon 3 or Security 5156, with Sysmon 1 or Security 4688.
//!
//! ## False positives
//! As for IPC-WMI-001. A child process in a user's own session was requested on this machine and is not reported.
//!
//! ## References
//! ATT&CK T1559.001, T1047, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source, User,
};

use crate::context::inbound::DYNAMIC;
use crate::memory::Broker;
use crate::text::{base_name, is_any};
use crate::vocabulary::wmi;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-WMI-003",
    title: "WMI called from another machine starts a program",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1047", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between call and process start.
    window: Some(Duration::from_secs(20)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Number of the latest processes that are compared with a flow.
const LATEST: usize = 256;

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart => {
            let (child, provider) = (context.subject(), context.parent());
            if !provider.is(&["wmiprvse.exe"]) || !is_foreign(context, child) {
                return None;
            }
            let own = &context.host.addresses;
            let mut flows = context.host.flows.near(event.time, context.window());
            let flow = flows.find(|flow| {
                !flow.outbound
                    && !flow.remote.is_empty()
                    && !own.is_own(&flow.remote)
                    && is_wmi_port(&flow.who.image, flow.local_port)
            })?;
            let name = base_name(&flow.who.image);
            let evidence = conclude(context, provider, child, &flow.remote);
            let text = format!("{name} was reached on port {} from {}", flow.local_port, flow.remote);
            Some(evidence.because(&flow.note, text))
        }
        Activity::NetworkFlow(flow) => {
            let own = &context.host.addresses;
            let from_elsewhere = !flow.outbound && !flow.remote.address.is_empty() && !own.is_own(flow.remote.address);
            if !from_elsewhere || !is_wmi_port(context.subject().image, flow.local.port) {
                return None;
            }
            let latest = context.host.processes.latest_first().take(LATEST);
            let known = latest
                .filter(|known| known.activation.as_ref().is_some_and(|one| one.broker == Broker::WmiProvider))
                .filter(|known| known.start.is_some_and(|start| start.within(context.window(), event.time)))
                .find(|known| is_foreign(context, Actor::remembered(known)))?;
            let child = Actor::remembered(known);
            let provider = context.parent_of(child).unwrap_or_default();
            let evidence = conclude(context, provider, child, flow.remote.address);
            Some(evidence.because(&known.note, format!("WMI started {}", child.command_line)))
        }
        _ => None,
    }
}

fn is_wmi_port(image: &str, port: u16) -> bool {
    let name = base_name(image);
    is_any(name, &["svchost.exe"]) && (port == 135 || port >= DYNAMIC)
        || is_any(name, &["wmiprvse.exe"]) && port >= DYNAMIC
}

/// Whether the child process runs under a user account without a local session.
fn is_foreign(context: &Context<'_>, child: Actor<'_>) -> bool {
    let local = child.session.is_some_and(|session| session > 0)
        || context.logon_of(child).is_some_and(|logon| matches!(logon.kind, 2 | 4 | 5 | 7 | 10 | 11));
    child.user != User::default()
        && !predicates::is_service_principal(child.user)
        && !local
        && !wmi::is_provider_helper(child)
}

fn conclude(context: &Context<'_>, provider: Actor<'_>, child: Actor<'_>, peer: &str) -> Evidence {
    let unknown = predicates::is_unknown_binary(child);
    let text = format!(
        "{peer} called RPC on this machine and WMI started {} for {} in the same moment: remote execution through WMI.",
        child.name(),
        child.account(),
    );
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::LATERAL_MOVEMENT.and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .made_run(provider, child)
        .channel(Mechanism::Wmi, "Win32_Process")
        .from_machine(peer);
    match context.logon_of(child) {
        Some(logon) => evidence.because(&logon.note, format!("{} logged on from {}", child.account(), logon.address)),
        None => evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn child(seconds: f64) -> Event {
        start(seconds, r"C:\Windows\System32\cmd.exe", "cmd.exe /c whoami")
            .pid(70)
            .by(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "wmiprvse.exe -secured -Embedding")
            .user("CORP", "alice")
    }

    fn call(seconds: f64, port: u16) -> Event {
        flow_in(seconds, port, "10.0.0.9", 40_100).of(r"C:\Windows\System32\svchost.exe", 60)
    }

    const FIRES: Option<(Severity, Confidence)> = Some((Severity::High, Confidence::High));

    #[test]
    fn a_call_and_a_child_fire_in_either_order() {
        let findings = check(&ANALYTIC, &[call(0.0, 135), child(2.0)], FIRES);
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("10.0.0.9"));
        check(&ANALYTIC, &[child(2.0), call(5.0, 49_667)], FIRES);
    }

    #[test]
    fn a_child_in_a_user_s_session_or_of_the_system_is_quiet() {
        check(&ANALYTIC, &[call(0.0, 135), child(2.0).session(1)], None);
        check(&ANALYTIC, &[call(0.0, 135), child(2.0).user("NT AUTHORITY", "SYSTEM")], None);
    }

    #[test]
    fn a_call_long_ago_or_to_another_service_is_quiet() {
        check(&ANALYTIC, &[call(0.0, 135), child(60.0)], None);
        check(&ANALYTIC, &[call(0.0, 445), child(2.0)], None);
    }
}
