//! # IPC-DCOM-008: COM server reached from another machine starts a program
//!
//! ## What it detects
//! A connection from another machine to a dynamic port of a COM server (or of any process started with `-Embedding`),
//! and within ten seconds, in either order, a program started by this server. Explorer, which runs without an
//! activation, is covered by IPC-DCOM-010; the WMI provider host by IPC-WMI-003.
//!
//! ## Why it matters
//! It shows remote execution through COM where no logon records are collected: the call and what it ran.
//!
//! ## Telemetry
//! Sysmon 3 or Security 5156, with Sysmon 1 or Security 4688. Flow records may come before or after the process start.
//!
//! ## False positives
//! Crash reporters and other ordinary child processes are excluded. Only the local port has to be dynamic, because
//! callers other than Windows use lower source ports.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::inbound;
use crate::vocabulary::com;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-008",
    title: "COM server reached from another machine starts a program",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between flow and process start.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let own = &context.host.addresses;
    match &event.activity {
        Activity::NetworkFlow(flow) if inbound::is_dynamic(flow, own) => {
            let server = context.subject();
            if !is_server(server) {
                return None;
            }
            let known = server.known?.id;
            let child = inbound::children(context, known, event.time, context.window())
                .map(Actor::remembered)
                .find(|child| !com::is_routine_child(*child))?;
            let evidence = conclude(server, child, flow.remote.address, flow.local.port);
            Some(evidence.because(&child.known?.note, format!("{} started {}", server.name(), child.command_line)))
        }
        Activity::ProcessStart => {
            let child = context.subject();
            if com::is_routine_child(child) {
                return None;
            }
            let server = context.parent();
            let known = server.known.filter(|_| is_server(server))?.id;
            let mut flows = inbound::near(context, event.time, context.window());
            let flow = flows.find(|flow| flow.who.process == Some(known))?;
            let text = format!("{} was reached on port {} from {}", server.name(), flow.local_port, flow.remote);
            Some(conclude(server, child, &flow.remote, flow.local_port).because(&flow.note, text))
        }
        _ => None,
    }
}

fn is_server(actor: Actor<'_>) -> bool {
    !actor.is(&["explorer.exe", "wmiprvse.exe", "svchost.exe"])
        && !com::is_remote_shell(actor)
        && (com::is_lateral_server(actor) || predicates::is_com_server_command(actor.command_line))
}

fn conclude(server: Actor<'_>, child: Actor<'_>, peer: &str, port: u16) -> Evidence {
    let unknown = predicates::is_unknown_binary(child);
    let dangerous = unknown || predicates::is_script_host(child);
    let severity = if dangerous { Severity::Critical } else { Severity::High };
    let text = format!(
        "{} was called from {peer} on dynamic port {port} and {} started in the same moment: remote execution through \
         a COM server.",
        server.name(),
        child.name(),
    );
    Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT).and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .made_run(server, child)
        .channel(Mechanism::Dcom, com::class_of(server))
        .from_machine(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const MMC: &str = r"C:\Windows\System32\mmc.exe";
    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    fn mmc() -> Event {
        start(0, MMC, "mmc.exe -Embedding").pid(600).by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
    }

    fn command(seconds: f64) -> Event {
        start(seconds, CMD, "cmd.exe /c whoami").pid(601).parent_pid(600)
    }

    fn call(seconds: f64, port: u16, from: &'static str) -> Event {
        flow_in(seconds, port, from, 33_474).of(MMC, 600)
    }

    #[test]
    fn a_call_and_a_command_fire_in_either_order() {
        let expected = Some((Severity::Critical, Confidence::High));
        check(&ANALYTIC, &[mmc(), call(2.0, 49_163, "10.0.0.9"), command(3.0)], expected);
        check(&ANALYTIC, &[mmc(), command(3.0), call(5.0, 49_163, "10.0.0.9")], expected);
    }

    #[test]
    fn an_ordinary_program_fires_high() {
        let tool = start(3.0, r"C:\Program Files\Tool\tool.exe", "tool.exe").pid(601).parent_pid(600);
        check(&ANALYTIC, &[mmc(), call(2.0, 49_163, "10.0.0.9"), tool], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_old_call_a_fixed_port_and_a_local_caller_are_quiet() {
        check(&ANALYTIC, &[mmc(), call(2.0, 49_163, "10.0.0.9"), command(60.0)], None);
        check(&ANALYTIC, &[mmc(), call(2.0, 8_080, "10.0.0.9"), command(3.0)], None);
        check(&ANALYTIC, &[mmc(), call(2.0, 49_163, "127.0.0.1"), command(3.0)], None);
    }

    #[test]
    fn a_crash_reporter_and_a_program_that_is_no_com_server_are_quiet() {
        let reporter = start(3.0, r"C:\Windows\System32\WerFault.exe", "WerFault.exe").pid(601).parent_pid(600);
        check(&ANALYTIC, &[mmc(), call(2.0, 49_163, "10.0.0.9"), reporter], None);
        let server = r"C:\Program Files\Web\httpd.exe";
        let events = [
            start(0, server, "httpd.exe").pid(600),
            flow_in(2, 50_000, "10.0.0.9", 33_474).of(server, 600),
            command(3.0),
        ];
        check(&ANALYTIC, &events, None);
    }
}
