//! # IPC-RPC-006: Task scheduled from another machine
//!
//! ## What it detects
//! A call to the task scheduler that registers, runs or enables a task, or adds an `at` job, from another machine; on
//! the called machine also a task created right after its pipe was opened from another machine.
//!
//! ## Why it matters
//! A task runs any command under any account, SYSTEM included, and can persist.
//!
//! ## Telemetry
//! Zeek dce_rpc, RPC Firewall, RPC trace; Security 5145 with Security 4698.
//!
//! ## False positives
//! Management servers: declare them as admin hosts.
//!
//! ## References
//! ATT&CK T1559, T1053.005; DET0493 (AN1357). MS-TSCH.

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
    id: "IPC-RPC-006",
    title: "Task scheduled from another machine",
    family: Family::NetworkRpc,
    techniques: &["T1559", "T1053.005"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall, ActivityKind::ServiceChange],
    telemetry: &[Source::Zeek, Source::RpcFirewall, Source::RpcTrace, Source::Security],
    // Maximum time between call and task.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum time between the opening of the pipe and the logged task.
const PIPE: Duration = Duration::from_secs(10);

fn registers(interface: Interface, operation: &str) -> bool {
    match interface {
        Interface::Tasks => rpc::is_operation(operation, &["SchRpcRegisterTask"], &[1]),
        Interface::AtTasks => rpc::is_operation(operation, &["NetrJobAdd", "JobAdd"], &[0]),
        _ => false,
    }
}

fn runs(interface: Interface, operation: &str) -> bool {
    match interface {
        Interface::Tasks => rpc::is_operation(operation, &["SchRpcRun", "SchRpcEnableTask"], &[12, 19]),
        Interface::TaskAccounts => {
            rpc::is_operation(operation, &["SASetAccountInformation", "SASetNSAccountInformation"], &[0, 1])
        }
        _ => false,
    }
}

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if let Activity::ServiceChange(task) = &event.activity {
        if task.operation != ServiceOperation::TaskCreated {
            return None;
        }
        return made(context, event, task.name, task.command_line);
    }
    let call = RemoteCall::of(event)?;
    let (registered, ran) = (registers(call.interface, call.operation), runs(call.interface, call.operation));
    if !registered && !ran {
        return None;
    }
    let other = context.host.rpc_calls.near(call.peer, event.time, context.window()).find(|known| {
        known.inbound == call.inbound
            && if registered {
                runs(known.interface, &known.operation)
            } else {
                registers(known.interface, &known.operation)
            }
    });
    let (severity, confidence) = match other {
        Some(_) => (Severity::High, Confidence::High),
        None => (Severity::Medium, Confidence::Medium),
    };
    let what = if other.is_some() { "register a task and to run it" } else { "register, run or enable a task" };
    let text = format!("{} to {what} ({}).", call.who(context), call.operation);
    let evidence = call.evidence(context, severity, confidence, text);
    Some(match other {
        Some(known) => evidence.because(&known.note, format!("{} called {}", call.peer, known.operation)),
        None => evidence,
    })
}

/// A task created right after the scheduler's pipe was opened from another machine, or its interface called.
fn made(context: &Context<'_>, event: &ProcessEvent<'_>, name: &str, command: &str) -> Option<Evidence> {
    let own = &context.host.addresses;
    let pipe = context
        .host
        .remote_pipes
        .near(event.time, PIPE)
        .find(|open| is_any(&open.name, &["atsvc"]) && !own.is_own(&open.peer));
    let call = || {
        let mut calls = context.host.rpc_calls.any_near(event.time, context.window());
        calls.find(|known| known.inbound && registers(known.interface, &known.operation))
    };
    let (peer, note) = match pipe {
        Some(open) => (&open.peer, &open.note),
        None => call().map(|known| (&known.peer, known.note()))?,
    };
    let from_admin = context.tuning.may_call(peer);
    let severity = if from_admin { Severity::Low } else { Severity::High };
    let text = format!("{peer} made the scheduled task {name} on {}: {}", context.host.key, clip(command, 200));
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(!from_admin, Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::ABNORMAL_FLOW)
        .server(context.subject())
        .channel(Mechanism::RpcNamedPipe, r"\atsvc")
        .from_machine(&**peer)
        .because(note, format!("{peer} opened the task scheduler"));
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::ServiceChange;

    fn task(seconds: f64) -> Event {
        let change = ServiceChange {
            operation: ServiceOperation::TaskCreated,
            name: r"\XkzQ",
            command_line: "cmd.exe /C whoami",
            ..ServiceChange::default()
        };
        let mut event = event(seconds, Activity::ServiceChange(change));
        event.0.provenance.source = Source::Security;
        event
    }

    #[test]
    fn registering_and_running_are_high_and_one_is_medium() {
        let register = rpc_from(0.0, "10.0.0.9", "ITaskSchedulerService", "SchRpcRegisterTask");
        let run = rpc_from(1.0, "10.0.0.9", "86d35949-83c9-4044-b424-db363231fd0c", "12");
        check(&ANALYTIC, &[register, run], Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &[register], Some((Severity::Medium, Confidence::Medium)));
        let at = rpc_from(0.0, "10.0.0.9", "atsvc", "NetrJobAdd");
        check(&ANALYTIC, &[at], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_task_after_the_pipe_was_opened_is_high() {
        let events = [pipe_opened_from(0.0, r"\atsvc", "10.0.0.9", 3), task(1.0)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn local_tasks_and_queries_are_quiet() {
        check(&ANALYTIC, &[task(0.0)], None);
        check(&ANALYTIC, &[pipe_opened_from(0.0, r"\atsvc", "10.0.0.9", 3), task(300.0)], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "ITaskSchedulerService", "SchRpcEnumTasks")], None);
        check(&ANALYTIC, &[rpc_from(0.0, "10.0.0.9", "ITaskSchedulerService", "SchRpcRetrieveTask")], None);
    }
}
