//! # IPC-UX-017: Commands passed through a FIFO across accounts
//!
//! ## What it detects
//! One account opens a FIFO that a process of another account reads, and within seconds that process, or a child of it,
//! starts a shell or an interpreter.
//!
//! ## Why it matters
//! What is written to the FIFO is executed with the other account's privileges: a command channel or a privilege
//! escalation.
//!
//! ## Telemetry
//! auditd openat of FIFOs (`-F filetype=fifo`) and execve.
//!
//! ## False positives
//! Control FIFOs of init systems; log pipes run no shell.
//!
//! ## References
//! ATT&CK T1559, T1059.004; DET0493 (AN1358).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::memory::Use;
use crate::vocabulary::programs;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-017",
    title: "Commands passed through a FIFO across accounts",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1059.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    // A command runs within this time of being written.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let started = context.subject();
    let runner = started.user.acting_id();
    if runner.is_empty() || !programs::is_script_host(started.name()) {
        return None;
    }
    // The process that reads the FIFO is the one that started this, or an ancestor of it.
    let parent = context.parent().known?;
    let readers = [Some(parent.id), parent.parent];
    let (name, task) = context.host.channels.iter().filter(|(_, known)| known.mechanism == Mechanism::Fifo).find_map(
        |(name, known)| {
            let reads = |one: &Use| one.process.is_some() && readers.contains(&one.process) && *one.user_id == *runner;
            let served = known.opened.iter().any(reads) || known.created.as_ref().is_some_and(reads);
            let task = known.opened.iter().rev().find(|one| {
                *one.user_id != *runner && !one.user_id.is_empty() && one.note.time.within(context.window(), event.time)
            })?;
            served.then_some((name, task))
        },
    )?;
    let writer = task.process.and_then(|id| context.remembered(id)).unwrap_or_default();
    let severity = if is_service(writer) { Severity::High } else { Severity::Medium };
    let text = format!(
        "Account {} opened the FIFO {name}, and the process of {} that serves it started {}: {}",
        task.user_id,
        started.account(),
        started.name(),
        crate::text::clip(started.command_line, 160),
    );
    let up = predicates::is_privileged(started) && !predicates::is_privileged(writer);
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(up, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(writer), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(writer)
        .server(started)
        .channel(Mechanism::Fifo, name)
        .because(&task.note, format!("account {} opened {name}", task.user_id));
    Some(evidence)
}

fn is_service(actor: Actor<'_>) -> bool {
    actor.user.acting_id().parse::<u32>().is_ok_and(|uid| (1..1_000).contains(&uid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Activity;

    fn opens(seconds: f64, pid: u32, image: &'static str, uid: &'static str) -> Event {
        let channel =
            backchannel_events::Channel { mechanism: Mechanism::Fifo, name: "/run/maint/in", ..Default::default() };
        event(seconds, Activity::ChannelConnect(channel)).of(image, pid).uids(uid, uid, "")
    }

    fn runs(seconds: f64, uid: &'static str) -> Event {
        start(seconds, "/usr/bin/bash", "bash -c id").pid(51).parent_pid(50).uids(uid, uid, "")
    }

    #[test]
    fn a_web_account_that_sends_a_command_to_a_helper_fires() {
        let events =
            [opens(0.0, 50, "/usr/bin/bash", "992"), opens(20.0, 60, "/usr/bin/dash", "990"), runs(20.5, "992")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn one_account_at_both_ends_is_quiet() {
        let events =
            [opens(0.0, 50, "/usr/bin/bash", "992"), opens(20.0, 60, "/usr/bin/dash", "992"), runs(20.5, "992")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_shell_long_after_the_writing_is_quiet() {
        let events =
            [opens(0.0, 50, "/usr/bin/bash", "992"), opens(20.0, 60, "/usr/bin/dash", "990"), runs(90.0, "992")];
        check(&ANALYTIC, &events, None);
    }
}
