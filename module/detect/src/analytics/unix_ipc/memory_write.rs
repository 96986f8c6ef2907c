//! # IPC-LNX-008: Memory of another process written
//!
//! ## What it detects
//! A write to another process's memory or registers (ptrace POKE or SETREGS, process_vm_writev, `/proc/PID/mem`) by a
//! program that is not a debugger and did not start the target; `dd` onto a process's memory.
//!
//! ## Why it matters
//! The written code runs as the target process, with its user and its connections, and is logged under its name.
//!
//! ## Telemetry
//! auditd ptrace, process_vm_writev, openat, execve.
//!
//! ## False positives
//! Runtimes that write to their own child processes (Wine, gVisor, GPU libraries) are excluded.
//!
//! ## References
//! ATT&CK T1559, T1055.009; DET0493 (AN1358).

use backchannel_events::{
    AccessKind, Activity, ActivityKind, Confidence, FileOperation, Indicators, Mechanism, Outcome, ProcessEvent,
    Reasons, Severity, Source,
};

use crate::text::{clip, contains};
use crate::vocabulary::debuggers;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-008",
    title: "Memory of another process written",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1055.009"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessAccess, ActivityKind::File, ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let writer = context.subject();
    let (target, pid, how) = match &event.activity {
        Activity::ProcessAccess(access) if access.kind == AccessKind::WriteMemory => {
            let how = if access.mask.is_some() { "as a tracer" } else { "directly" };
            (context.actor(&access.target), access.target.pid?, how)
        }
        Activity::File(file) if file.operation == FileOperation::Write => {
            let pid = memory_of(file.path)?;
            (known(context, event, pid), pid, "through its memory file")
        }
        Activity::ProcessStart if writer.is(&["dd"]) && contains(writer.command_line, "of=/proc/") => {
            let at = writer.command_line.find("of=/proc/")? + "of=".len();
            let path = writer.command_line.get(at..)?.split_whitespace().next()?;
            let pid = memory_of(path.trim_matches(['\'', '"']))?;
            (known(context, event, pid), pid, "with dd")
        }
        _ => return None,
    };
    let own = writer.pid == Some(pid);
    let child = target
        .known
        .and_then(|known| known.parent)
        .is_some_and(|parent| writer.known.is_some_and(|known| known.id == parent));
    if own || child || debuggers::is_debugger(writer) || debuggers::is_runtime(writer) {
        return None;
    }
    let name = if target.name().is_empty() { target.original_name } else { target.name() };
    let (from, to) = (writer.user.acting_id(), target.user.acting_id());
    let crosses = !from.is_empty() && !to.is_empty() && from != to;
    let severity = match event.outcome {
        Outcome::Denied | Outcome::Failure => Severity::Medium,
        _ => Severity::High,
    };
    let text = format!(
        "{} of {} wrote into the memory of {} (pid {pid}) {how}{}: {}",
        writer.name(),
        writer.account(),
        if name.is_empty() { "another process" } else { name },
        if crosses { ", which is another user's" } else { "" },
        clip(writer.command_line, 160),
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(crosses || predicates::is_privileged(writer), Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(writer), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(writer)
        .server(target)
        .channel(Mechanism::ProcessMemory, name);
    Some(evidence)
}

/// The process id in the path of a memory file.
fn memory_of(path: &str) -> Option<u32> {
    path.strip_prefix("/proc/")?.strip_suffix("/mem")?.split('/').next()?.parse().ok()
}

fn known<'c>(context: &Context<'c>, event: &ProcessEvent<'_>, pid: u32) -> Actor<'c> {
    context
        .host
        .processes
        .find("", Some(pid), event.time)
        .map_or(Actor { pid: Some(pid), ..Actor::default() }, Actor::remembered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::FileChange;

    #[test]
    fn an_unknown_tool_s_poke_is_high() {
        let poke = reached(0.0, AccessKind::WriteMemory, 50, "worker", "994").of("/home/u/bin/upd", 60);
        let findings = check(&ANALYTIC, &[poke.uids("0", "0", "1000")], Some((Severity::High, Confidence::Medium)));
        assert!(findings[0].text.contains("another user's"), "{}", findings[0].text);
    }

    #[test]
    fn memory_files_and_dd_count_too() {
        let file = FileChange { operation: FileOperation::Write, path: "/proc/50/mem", ..FileChange::default() };
        let write = event(0.0, Activity::File(file)).of("/usr/bin/python3.11", 60).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[write], Some((Severity::High, Confidence::Medium)));
        let dd = start(0.0, "/usr/bin/dd", "dd if=/tmp/s of=/proc/50/mem bs=1 seek=4096 conv=notrunc").pid(60);
        check(&ANALYTIC, &[dd.uids("1000", "1000", "1000")], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn debuggers_the_own_process_and_own_children_are_quiet() {
        let gdb = reached(0.0, AccessKind::WriteMemory, 50, "app", "1000").of("/usr/bin/gdb", 60);
        check(&ANALYTIC, &[gdb.uids("1000", "1000", "1000")], None);
        let file = FileChange { operation: FileOperation::Write, path: "/proc/60/mem", ..FileChange::default() };
        let own = event(0.0, Activity::File(file)).of("/usr/bin/jvm", 60).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[own], None);
        let events = [
            start(0.0, "/usr/bin/sandbox", "sandbox").pid(60).uids("1000", "1000", "1000"),
            start(1.0, "/usr/bin/guest", "guest").pid(50).parent_pid(60).uids("1000", "1000", "1000"),
            reached(2.0, AccessKind::WriteMemory, 50, "guest", "1000")
                .of("/usr/bin/sandbox", 60)
                .uids("1000", "1000", "1000"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn reading_is_quiet() {
        let peek = reached(0.0, AccessKind::ReadMemory, 50, "app", "1000").of("/home/u/bin/upd", 60);
        check(&ANALYTIC, &[peek.uids("1000", "1000", "1000")], None);
    }
}
