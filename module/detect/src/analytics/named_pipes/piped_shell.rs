//! # IPC-PIPE-024: Shell behind an untrusted program's anonymous pipes
//!
//! ## What it detects
//! A program in a user-writable location creates two anonymous pipes and within five seconds starts a shell without a
//! command of its own, so that the shell's input and output are redirected to the pipes.
//!
//! ## Why it matters
//! Implants provide interactive shells this way. So does any other program that runs a shell, so alone it is low and
//! never escalates; it adds weight to other findings on the same process.
//!
//! ## Telemetry
//! Sysmon 17 (`<Anonymous Pipe>`) and 1.
//!
//! ## False positives
//! Development tools installed in a user's folder.
//!
//! ## References
//! ATT&CK T1559, T1059; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Severity, Source, Timestamp,
};

use crate::context::pipes::label;
use crate::memory::pipes::AnonymousPipe;
use crate::memory::{KnownProcess, Note};
use crate::text::is_any;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-024",
    title: "Shell behind an untrusted program's anonymous pipes",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1059"],
    attack_analytics: &["AN1357"],
    severity: Severity::Low,
    on: &[ActivityKind::ProcessStart, ActivityKind::ChannelCreate],
    telemetry: &[Source::Sysmon],
    // From the pipes to the shell, in any order.
    window: Some(Duration::from_secs(5)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart => {
            let (shell, parent) = (context.subject(), context.parent());
            if !is_bare_shell(shell) || !predicates::is_untrusted(parent) {
                return None;
            }
            let pipes = pipes_of(context, parent.known?, event.time);
            (pipes.len() >= 2).then(|| conclude(parent, shell, &pipes))
        }
        Activity::ChannelCreate(channel) if channel.mechanism == Mechanism::AnonymousPipe => {
            let parent = context.subject();
            if !predicates::is_untrusted(parent) {
                return None;
            }
            let known = parent.known?;
            let pipes = pipes_of(context, known, event.time);
            let mut children = context.host.processes.children(known.id);
            let shell = children.find(|child| {
                child.note.time.within(context.window(), event.time) && is_bare_shell(Actor::remembered(child))
            })?;
            let evidence = conclude(parent, Actor::remembered(shell), &pipes);
            (!pipes.is_empty()).then(|| evidence.because(&shell.note, format!("{} was started", shell.name())))
        }
        _ => None,
    }
}

fn pipes_of<'c>(context: &Context<'c>, process: &KnownProcess, time: Timestamp) -> Vec<&'c Note> {
    let near = context.host.anonymous_pipes.near(time, context.window());
    near.filter(|pipe: &&AnonymousPipe| pipe.process == process.id).map(|pipe| &pipe.note).take(4).collect()
}

/// Whether a process is a shell that was given no command of its own.
fn is_bare_shell(actor: Actor<'_>) -> bool {
    let shells = ["cmd.exe", "powershell.exe", "pwsh.exe", "bash.exe", "sh.exe"];
    let command = ["/c", "/k", "-c", "-command", "-file", "-f", "-enc", "-e", "-encodedcommand", "-ec"];
    actor.is(&shells) && !actor.command_line.split_ascii_whitespace().any(|word| is_any(word, &command))
}

fn conclude(parent: Actor<'_>, shell: Actor<'_>, pipes: &[&Note]) -> Evidence {
    let text = format!("{} drives {} through anonymous pipes.", label(parent), label(shell));
    let evidence = Evidence::new(Severity::Low, Confidence::Low, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(shell)
        .channel(Mechanism::AnonymousPipe, "<Anonymous Pipe>");
    pipes
        .iter()
        .fold(evidence, |evidence, note| evidence.because(note, format!("{} made an anonymous pipe", label(parent))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const TOOL: &str = r"C:\Users\bob\t.exe";
    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    fn anonymous(seconds: f64, image: &'static str) -> Event {
        let channel = backchannel_events::Channel {
            mechanism: Mechanism::AnonymousPipe,
            name: "<Anonymous Pipe>",
            ..Default::default()
        };
        event(seconds, Activity::ChannelCreate(channel)).of(image, 30)
    }

    fn shell(seconds: f64, image: &'static str, line: &'static str) -> Event {
        start(seconds, CMD, line).pid(31).by(image, "t.exe").parent_pid(30)
    }

    #[test]
    fn two_pipes_and_a_bare_shell_fire_in_either_order() {
        let before = [anonymous(0.0, TOOL), anonymous(0.1, TOOL), shell(0.2, TOOL, "cmd.exe")];
        check(&ANALYTIC, &before, Some((Severity::Low, Confidence::Low)));
        let after = [anonymous(0.0, TOOL), shell(0.1, TOOL, "cmd.exe"), anonymous(0.2, TOOL)];
        let found = check(&ANALYTIC, &after, Some((Severity::Low, Confidence::Low)));
        assert!(found[0].reasons.is_empty());
    }

    #[test]
    fn a_shell_with_a_command_and_a_single_pipe_are_quiet() {
        let command = [anonymous(0.0, TOOL), anonymous(0.1, TOOL), shell(0.2, TOOL, "cmd.exe /c dir")];
        check(&ANALYTIC, &command, None);
        let single = [anonymous(0.0, TOOL), shell(0.2, TOOL, "cmd.exe")];
        check(&ANALYTIC, &single, None);
    }

    #[test]
    fn an_installed_program_is_quiet() {
        let image = r"C:\Program Files\Git\git.exe";
        let events = [anonymous(0.0, image), anonymous(0.1, image), shell(0.2, image, "cmd.exe")];
        check(&ANALYTIC, &events, None);
    }
}
