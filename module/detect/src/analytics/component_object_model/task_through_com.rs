//! # IPC-COM-019: Scheduled task created through the Task Scheduler's COM interface
//!
//! ## What it detects
//! An Office program, script host or untrusted program loads the Task Scheduler's COM client: low. A task registered
//! within 30 seconds of the load: high. A connection of the same process to another machine's endpoint mapper and then
//! to a high port within five seconds, which indicates a task on that machine: high.
//!
//! ## Why it matters
//! Tasks created through COM leave no `schtasks` command line.
//!
//! ## Telemetry
//! Sysmon 7 (`taskschd.dll`), 13 (`TaskCache`), 3; Security 4698.
//!
//! ## False positives
//! Installers, updaters and applications that users install for themselves are not reported; the load alone is never
//! above low.
//!
//! ## References
//! ATT&CK T1053.005, T1559.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, NetworkFlow, ProcessEvent, Reasons, RegistryOperation,
    ServiceOperation, Severity, Source,
};

use crate::context::com_server;
use crate::memory::{KnownProcess, Note, ProcessId};
use crate::text::{base_name, contains, ends_with};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

/// Maximum time between load and registration.
const REGISTERED: Duration = Duration::from_secs(30);
/// Maximum time between the connections to the endpoint mapper and the high port.
const CONNECTED: Duration = Duration::from_secs(5);
const CLASS: &str = "Schedule.Service";

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-019",
    title: "Scheduled task created through the Task Scheduler's COM interface",
    family: Family::ComponentObjectModel,
    techniques: &["T1053.005", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::Low,
    on: &[ActivityKind::ModuleLoad, ActivityKind::Registry, ActivityKind::ServiceChange, ActivityKind::NetworkFlow],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ModuleLoad(module) if base_name(module.path).eq_ignore_ascii_case("taskschd.dll") => {
            let client = context.subject();
            if !is_suspect(client) {
                return None;
            }
            let text = format!("{} loaded the Task Scheduler's COM client.", client.name());
            Some(
                Evidence::new(Severity::Low, Confidence::Medium, text)
                    .indicators(Indicators::UNEXPECTED_USE)
                    .client(client)
                    .channel(Mechanism::Com, CLASS),
            )
        }
        Activity::Registry(change)
            if change.operation == RegistryOperation::SetValue
                && ends_with(change.path, r"\Actions")
                && contains(change.path, r"\TaskCache\Tasks\") =>
        {
            registered(context, event, "a task")
        }
        Activity::ServiceChange(change) if change.operation == ServiceOperation::TaskCreated => {
            registered(context, event, change.name)
        }
        Activity::NetworkFlow(flow) if flow.outbound => elsewhere(context, event, flow),
        _ => None,
    }
}

/// A task was registered: finds the client that loaded the scheduler's COM library.
fn registered(context: &Context<'_>, event: &ProcessEvent<'_>, task: &str) -> Option<Evidence> {
    let stated = event.process.pid.filter(|_| matches!(event.activity, Activity::ServiceChange(_)));
    let (client, note) = context.host.processes.latest_first().find_map(|process| {
        let note = scheduler_client(process, event, REGISTERED)?;
        let actor = Actor::remembered(process);
        let named = stated.is_none() || stated == actor.pid;
        (named && is_suspect(actor)).then_some((actor, note))
    })?;
    let text = format!("{} registered {task} with the Task Scheduler through COM.", client.name());
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(client)
            .channel(Mechanism::Com, CLASS)
            .because(note, format!("{} loaded the Task Scheduler's COM client", client.name())),
    )
}

/// A process that loaded the scheduler's COM library connects to another machine.
fn elsewhere(context: &Context<'_>, event: &ProcessEvent<'_>, flow: &NetworkFlow<'_>) -> Option<Evidence> {
    if flow.remote.port != 135 && flow.remote.port < 49_152 {
        return None;
    }
    let client = context.subject();
    let known = client.known?;
    let note = scheduler_client(known, event, REGISTERED)?;
    if !is_suspect(client) || context.host.addresses.is_own(flow.remote.address) {
        return None;
    }
    let wants_mapper = flow.remote.port != 135;
    let other = context.host.flows.near(event.time, CONNECTED).find(|other| {
        other.outbound
            && other.who.process == Some(id(known))
            && *other.remote == *flow.remote.address
            && if wants_mapper { other.remote_port == 135 } else { other.remote_port >= 49_152 }
    })?;
    let text = format!(
        "{} loaded the Task Scheduler's COM client and then reached {}: it very likely registers a task there.",
        client.name(),
        flow.remote.address,
    );
    Some(
        Evidence::new(Severity::High, Confidence::Medium, text)
            .reasons(Reasons::LATERAL_MOVEMENT.and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(client)
            .channel(Mechanism::Dcom, CLASS)
            .to_machine(flow.remote.address)
            .because(note, format!("{} loaded the Task Scheduler's COM client", client.name()))
            .because(&other.note, format!("{} connected to port {}", client.name(), other.remote_port)),
    )
}

fn id(known: &KnownProcess) -> ProcessId {
    known.id
}

/// The record of a process loading the scheduler's COM library near the event.
fn scheduler_client<'c>(process: &'c KnownProcess, event: &ProcessEvent<'_>, window: Duration) -> Option<&'c Note> {
    let (_, note) = process
        .modules
        .iter()
        .find(|(module, note)| base_name(module) == "taskschd.dll" && note.time.within(window, event.time))?;
    Some(note)
}

/// Office, interpreters, and programs in user-writable locations, except applications that users install for themselves.
fn is_suspect(actor: Actor<'_>) -> bool {
    predicates::is_office(actor)
        || predicates::is_script_host(actor)
        || (predicates::is_untrusted(actor) && com_server::product_folder(actor.image).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
    const CLIENT: &str = r"C:\Windows\System32\taskschd.dll";
    const ACTIONS: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tasks\{11111111-2222-3333-4444-555555555555}\Actions";

    #[test]
    fn the_client_alone_is_low() {
        check(&ANALYTIC, &[loaded(0, CLIENT).of(POWERSHELL, 4)], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn a_task_that_follows_is_high() {
        let events = [
            loaded(0, CLIENT).of(POWERSHELL, 4),
            registry_set(5, ACTIONS, "Binary Data").of(r"C:\Windows\System32\svchost.exe", 2),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_connection_to_another_machine_is_a_task_there() {
        let flow = |port| {
            Activity::NetworkFlow(NetworkFlow {
                remote: backchannel_events::Endpoint { address: "10.0.0.77", port, name: "" },
                outbound: true,
                ..NetworkFlow::default()
            })
        };
        let events = [
            loaded(0, CLIENT).of(POWERSHELL, 4),
            event(1, flow(135)).of(POWERSHELL, 4),
            event(2, flow(49_670)).of(POWERSHELL, 4),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(findings.iter().any(|f| f.reasons.contains(backchannel_events::Reason::LateralMovement)));
    }

    #[test]
    fn services_and_installed_applications_are_quiet() {
        let events = [
            loaded(0, CLIENT).of(r"C:\Windows\System32\sppsvc.exe", 4),
            loaded(1, CLIENT).of(r"C:\Users\a\AppData\Local\Microsoft\OneDrive\OneDrive.exe", 5),
            registry_set(5, ACTIONS, "Binary Data").of(r"C:\Windows\System32\svchost.exe", 2),
        ];
        check(&ANALYTIC, &events, None);
    }
}
