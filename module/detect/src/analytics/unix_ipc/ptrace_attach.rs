//! # IPC-LNX-007: Running process attached with ptrace
//!
//! ## What it detects
//! A ptrace attach to a running process that the tracer did not start, where the target holds credentials; where the
//! tracer is not a debugger, runtime or security agent; or where a debugger's command line makes the target execute
//! code, a service account runs the debugger, or the target belongs to another user (root with a login or a terminal is
//! excluded).
//!
//! ## Why it matters
//! The tracer can read the target's secrets and run code as the target, over its connections.
//!
//! ## Telemetry
//! auditd ptrace (ATTACH, SEIZE) with OBJ_PID. The start of a debugger alone is not reported; its execve provides the
//! arguments.
//!
//! ## False positives
//! Developers who attach gdb or lldb to their own processes, and administrators who do so as root with a login: low;
//! with other tracers: not reported.
//!
//! ## References
//! ATT&CK T1559, T1055.008; DET0493 (AN1358).

use backchannel_events::{
    AccessKind, Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::text::clip;
use crate::vocabulary::{debuggers, unix_paths};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-007",
    title: "Running process attached with ptrace",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1055.008"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessAccess],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ProcessAccess(access) = &event.activity else { return None };
    if access.kind != AccessKind::Attach || event.provenance.source != Source::Auditd {
        return None;
    }
    let tracer = context.subject();
    let target = context.actor(&access.target);
    if debuggers::is_runtime(tracer) || is_child(context, tracer, target) {
        return None;
    }
    let (severity, why) = grade(tracer, target)?;
    let severity = match event.outcome {
        Outcome::Denied | Outcome::Failure => severity.lowered(),
        _ => severity,
    };
    let name = if target.name().is_empty() { target.original_name } else { target.name() };
    let text = format!(
        "{} of {} attached to {} (pid {}) of {}: {why}.",
        tracer.name(),
        tracer.account(),
        if name.is_empty() { "a process" } else { name },
        target.pid.unwrap_or(0),
        if target.account().is_empty() { "an unknown account".to_owned() } else { target.account() },
    );
    let up = predicates::is_privileged(tracer) || crosses(tracer, target);
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(
            Reasons::NONE
                .and_if(up, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(tracer), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(tracer)
        .server(target)
        .channel(Mechanism::ProcessMemory, name);
    if let Some(start) = tracer.known.filter(|known| known.start.is_some()) {
        let said = format!("{} was started: {}", start.name(), clip(&start.command_line, 200));
        evidence = evidence.because(&start.note, said);
    }
    Some(evidence)
}

fn grade(tracer: Actor<'_>, target: Actor<'_>) -> Option<(Severity, String)> {
    let crosses = crosses(tracer, target);
    let credentials = debuggers::holds_credentials(target);
    let debugger = debuggers::is_debugger(tracer);
    if credentials {
        return Some((Severity::High, "it holds credentials or everybody's sessions".to_owned()));
    }
    if !debugger {
        let severity = if crosses { Severity::High } else { Severity::Medium };
        let odd = unix_paths::odd_place(tracer.image).map_or_else(String::new, |odd| format!(" and runs {odd}"));
        let whose = if crosses { ", and the process is another user's" } else { "" };
        return Some((severity, format!("it is no debugger{odd}{whose}")));
    }
    if debuggers::runs_code_in_target(tracer.command_line) {
        return Some((Severity::High, "it makes the process run code".to_owned()));
    }
    let root = tracer.user.acting_id() == "0";
    if crosses && !root {
        return Some((Severity::High, "the process is another user's".to_owned()));
    }
    if predicates::is_daemon_account(tracer) {
        return Some((Severity::Medium, "a service's account that no login stands behind does not debug".to_owned()));
    }
    if root && crosses && !predicates::has_terminal(tracer) && tracer.user.audit_id.is_empty() {
        return Some((Severity::Medium, "root without a login traces another user's process".to_owned()));
    }
    // strace on the user's own process is ordinary development work.
    tracer.is(&["gdb", "lldb"]).then(|| (Severity::Low, "a debugger, by somebody who may".to_owned()))
}

/// Whether target and tracer run as different users.
fn crosses(tracer: Actor<'_>, target: Actor<'_>) -> bool {
    let (from, to) = (tracer.user.acting_id(), target.user.acting_id());
    !from.is_empty() && !to.is_empty() && from != to
}

/// Whether the tracer started the target.
fn is_child(context: &Context<'_>, tracer: Actor<'_>, target: Actor<'_>) -> bool {
    let parent = target.known.and_then(|known| known.parent);
    let started = parent.is_some() && parent == tracer.known.map(|known| known.id);
    started || (tracer.pid == target.pid && context.subject().pid.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn attach(comm: &'static str, uid: &'static str) -> Event {
        reached(10.0, AccessKind::Attach, 50, comm, uid)
    }

    fn tracer(image: &'static str, command: &'static str, uid: &'static str, login: &'static str) -> Event {
        start(9.0, image, command).pid(60).uids(uid, uid, login)
    }

    #[test]
    fn a_program_that_is_no_debugger_is_medium_and_across_users_high() {
        let own = attach("sleep", "1000").of("/home/u/bin/upd", 60).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[own], Some((Severity::Medium, Confidence::High)));
        let other = attach("worker", "994").of("/home/u/bin/upd", 60).uids("0", "0", "1000");
        check(&ANALYTIC, &[other], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_debugger_that_makes_its_target_run_code_is_high() {
        let events = [
            tracer("/usr/bin/gdb", "gdb -q -p 50 -batch -ex 'call (int)system(\"id\")'", "994", ""),
            attach("queue", "994").of("/usr/bin/gdb", 60).uids("994", "994", ""),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_key_agent_as_target_is_higher() {
        let events = [attach("ssh-agent", "1000").of("/usr/bin/gdb", 60).uids("0", "0", "1001")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_developer_is_low_and_tracing_an_own_process_is_quiet() {
        let gdb = attach("app", "1000").of("/usr/bin/gdb", 60).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[gdb], Some((Severity::Low, Confidence::High)));
        let strace = attach("app", "1000").of("/usr/bin/strace", 60).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[strace], None);
    }

    #[test]
    fn own_children_and_runtimes_are_quiet() {
        let events = [
            tracer("/opt/build/harness", "harness", "1000", "1000"),
            start(9.5, "/opt/build/test", "test").pid(50).parent_pid(60).uids("1000", "1000", "1000"),
            attach("test", "1000").of("/opt/build/harness", 60).uids("1000", "1000", "1000"),
        ];
        check(&ANALYTIC, &events, None);
        let crash = attach("app", "1000").of("/usr/lib/systemd/systemd-coredump", 60).uids("0", "0", "");
        check(&ANALYTIC, &[crash], None);
    }
}
