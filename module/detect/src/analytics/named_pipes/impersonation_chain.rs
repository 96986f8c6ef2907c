//! # IPC-PIPE-009: Pipe server gained SYSTEM from its client
//!
//! ## What it detects
//! A process that does not run as SYSTEM creates a pipe, SYSTEM opens it, and within 30 seconds the creator has a child
//! process that runs as SYSTEM.
//!
//! ## Why it matters
//! A pipe server may impersonate its client: if SYSTEM connects, the server gains SYSTEM. Names and tools vary, this
//! sequence does not.
//!
//! ## Telemetry
//! Sysmon 17, 18 and 1 (or Security 4688).
//!
//! ## False positives
//! None known: services delegate work to child processes, but never start them with a more privileged account than
//! their own.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1134.002; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source, Timestamp,
};

use crate::context::pipes::label;
use crate::memory::{ProcessId, Use};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-009",
    title: "Pipe server gained SYSTEM from its client",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1134.002"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart, ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    // From the pipe to the child.
    window: Some(Duration::from_secs(30)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity == Activity::ProcessStart {
        let (child, maker) = (context.subject(), context.parent());
        if !predicates::is_local_system(child) {
            return None;
        }
        let confidence = not_system(maker)?;
        let (name, created, opened) = lured(context, maker.known?.id, event.time)?;
        return Some(
            conclude(maker, child, opener(context, opened), name, confidence)
                .because(&created.note, format!("{} made pipe {name}", label(maker)))
                .because(&opened.note, format!("SYSTEM opened pipe {name}")),
        );
    }
    // Records of the same moment may arrive in any order: here the opening comes last.
    let pipe = context.pipe()?;
    if !pipe.channel.remote && !predicates::is_local_system(context.subject()) {
        return None;
    }
    let (maker, created) = context.pipe_maker(pipe.channel.name)?;
    let confidence = not_system(maker)?;
    let near = |time: Timestamp| time.within(context.window(), event.time);
    let child = context
        .host
        .processes
        .children(maker.known?.id)
        .find(|child| near(child.note.time) && predicates::is_local_system(Actor::remembered(child)))?;
    near(created.note.time).then(|| {
        let system = Actor::remembered(child);
        conclude(maker, system, context.subject(), pipe.channel.name, confidence)
            .because(&created.note, format!("{} made pipe {}", label(maker), pipe.channel.name))
            .because(&child.note, format!("{} was started as SYSTEM", label(system)))
    })
}

/// The confidence that a process does not run as SYSTEM; `None` if it does, or if its account is unknown.
fn not_system(actor: Actor<'_>) -> Option<Confidence> {
    if predicates::is_local_system(actor) {
        return None;
    }
    let known = !actor.user.name.is_empty() || !actor.user.id.is_empty() || actor.logon_id.is_some();
    if known {
        return Some(Confidence::Certain);
    }
    predicates::is_untrusted(actor).then_some(Confidence::High)
}

/// A pipe that the process created and SYSTEM opened within the window.
fn lured<'c>(context: &Context<'c>, maker: ProcessId, time: Timestamp) -> Option<(&'c str, &'c Use, &'c Use)> {
    context.host.channels.iter().find_map(|(name, known)| {
        let created = known.created.as_ref().filter(|created| created.process == Some(maker))?;
        let opened = known
            .opened
            .iter()
            .find(|one| one.note.time.within(context.window(), time) && is_by_system(context, one))?;
        (known.mechanism == Mechanism::NamedPipe && created.note.time.within(context.window(), time))
            .then_some((name, created, opened))
    })
}

fn is_by_system(context: &Context<'_>, one: &Use) -> bool {
    one.image.eq_ignore_ascii_case("System")
        || one.process.and_then(|id| context.remembered(id)).is_some_and(predicates::is_local_system)
}

fn opener<'c>(context: &Context<'c>, opened: &'c Use) -> Actor<'c> {
    let known = opened.process.and_then(|id| context.remembered(id));
    known.unwrap_or(Actor { image: &opened.image, ..Actor::default() })
}

fn conclude(maker: Actor<'_>, child: Actor<'_>, opener: Actor<'_>, name: &str, confidence: Confidence) -> Evidence {
    let account = maker.account();
    let as_whom = if account.is_empty() { String::new() } else { format!(", running as {account},") };
    let text = format!(
        "{}{as_whom} made pipe {name}, SYSTEM opened it, and {} then ran as SYSTEM under it: it took the client's token.",
        label(maker),
        label(child)
    );
    Evidence::new(Severity::Critical, confidence, text)
        .reasons(
            Reasons::ADMINISTRATIVE_PRIVILEGES.and_if(predicates::is_unknown_binary(maker), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(opener)
        .server(maker)
        .channel(Mechanism::NamedPipe, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const TOOL: &str = r"C:\inetpub\x.exe";

    fn tool(seconds: f64) -> Event {
        start(seconds, TOOL, "x.exe -c cmd").pid(80).user("NT AUTHORITY", "NETWORK SERVICE")
    }

    fn child(seconds: f64) -> Event {
        start(seconds, r"C:\Windows\System32\cmd.exe", "cmd.exe")
            .pid(81)
            .by(TOOL, "x.exe -c cmd")
            .parent_pid(80)
            .user("NT AUTHORITY", "SYSTEM")
    }

    #[test]
    fn a_pipe_opened_by_system_then_a_system_child_fires() {
        let events = [tool(0.0), pipe_created(1, r"\anyname").of(TOOL, 80), pipe_remote(2, r"\anyname"), child(3.0)];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
        assert_eq!(found[0].evidence.len(), 3);
    }

    #[test]
    fn the_opening_may_be_logged_last() {
        let events = [tool(0.0), pipe_created(1, r"\anyname").of(TOOL, 80), child(2.0), pipe_remote(2, r"\anyname")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
    }

    #[test]
    fn a_service_that_already_runs_as_system_is_quiet() {
        let mut service = tool(0.0);
        service.0.process.user.name = "SYSTEM";
        let events = [service, pipe_created(1, r"\anyname").of(TOOL, 80), pipe_remote(2, r"\anyname"), child(3.0)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_child_without_system_s_opening_or_long_after_it_is_quiet() {
        let unopened = [tool(0.0), pipe_created(1, r"\anyname").of(TOOL, 80), child(3.0)];
        check(&ANALYTIC, &unopened, None);
        let late = [tool(0.0), pipe_created(1, r"\anyname").of(TOOL, 80), pipe_remote(2, r"\anyname"), child(90.0)];
        check(&ANALYTIC, &late, None);
    }

    #[test]
    fn a_child_of_the_same_account_is_quiet() {
        let mut same = child(3.0);
        same.0.process.user.name = "NETWORK SERVICE";
        let events = [tool(0.0), pipe_created(1, r"\anyname").of(TOOL, 80), pipe_remote(2, r"\anyname"), same];
        check(&ANALYTIC, &events, None);
    }
}
