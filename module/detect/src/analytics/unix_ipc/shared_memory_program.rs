//! # IPC-LNX-010: Program run from shared memory
//!
//! ## What it detects
//! A program started from /dev/shm or from a file that exists in memory only (memfd).
//!
//! ## Why it matters
//! A program in shared memory leaves no file on disk and disappears at a restart.
//!
//! ## Telemetry
//! auditd execve and execveat.
//!
//! ## False positives
//! Container runtimes that protect themselves by starting from an in-memory copy of themselves are excluded.
//!
//! ## References
//! ATT&CK T1559, T1620; DET0493 (AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{clip, contains_any};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-010",
    title: "Program run from shared memory",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1620"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let started = context.subject();
    let shared = started.image.starts_with("/dev/shm/");
    let memory = started.image.starts_with("/memfd:");
    // runc and crun start from an in-memory copy of themselves before they enter a container.
    if !shared && !memory || contains_any(started.image, &["/memfd:runc", "/memfd:crun"]) {
        return None;
    }
    let place = if shared { "the shared memory folder" } else { "memory, without a file on disk" };
    let text = format!(
        "{} started a program from {place}: {} ({})",
        started.account(),
        started.image,
        clip(started.command_line, 160),
    );
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::UNKNOWN_BINARY.and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(context.parent())
        .server(started)
        .channel(Mechanism::SharedMemory, started.image);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(image: &'static str) -> [Event; 1] {
        [start(0.0, image, "x").pid(7).uids("1000", "1000", "1000")]
    }

    #[test]
    fn shared_memory_and_memory_files_fire() {
        check(&ANALYTIC, &run("/dev/shm/.cookie"), Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &run("/memfd:kworker (deleted)"), Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn runtimes_and_other_places_are_quiet() {
        check(&ANALYTIC, &run("/memfd:runc_cloned:/proc/self/exe (deleted)"), None);
        check(&ANALYTIC, &run("/tmp/build/a.out"), None);
        check(&ANALYTIC, &run("/usr/bin/python3.11"), None);
    }
}
