//! # IPC-PIPE-012: Random-looking pipe of an untrusted program
//!
//! ## What it detects
//! A pipe whose name looks randomly generated (by the character model in the vocabulary), created by a program in a
//! user-writable location: medium; high if it was opened over SMB or if its creator has a shell as child process.
//!
//! ## Why it matters
//! Tools without a default pipe name generate one.
//!
//! ## Telemetry
//! Sysmon 17 and 18, Security 5145 on IPC$, Sysmon 1.
//!
//! ## False positives
//! Names that are only a GUID, and names that contain their creator, are not reported. Installers in a user's folder
//! may be.
//!
//! ## References
//! ATT&CK T1559, T1071, T1001; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::pipes::label;
use crate::vocabulary::pipes::{self, imitations, owners, random, tools};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-012",
    title: "Random-looking pipe of an untrusted program",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1071", "T1001"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // From the pipe to the shell.
    window: Some(Duration::from_secs(300)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity == Activity::ProcessStart {
        return by_shell(context);
    }
    let pipe = context.pipe()?;
    if !pipe.creation && !pipe.channel.remote {
        return None;
    }
    if !random::is_random(pipe.name) || owners::of(pipe.name).is_some() || is_named(pipe.name) {
        return None;
    }
    let (_, server) = context.pipe_ends(&pipe);
    let untrusted = predicates::is_untrusted(server);
    if !untrusted && (pipe.creation || !server.is_unknown()) {
        return None;
    }
    let (severity, confidence) =
        if pipe.creation { (Severity::Medium, Confidence::Low) } else { (Severity::High, Confidence::Medium) };
    let text = if pipe.creation {
        format!("{} made pipe {}: the name looks random.", label(server), pipe.channel.name)
    } else {
        format!("Pipe {} of {} was opened over SMB: the name looks random.", pipe.channel.name, label(server))
    };
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .server(server)
        .channel(Mechanism::NamedPipe, pipe.channel.name)
        .smb_client(context, &pipe);
    if !pipe.creation
        && let Some((maker, created)) = context.pipe_maker(pipe.channel.name)
    {
        evidence = evidence.because(&created.note, format!("{} made the pipe", label(maker)));
    }
    Some(evidence)
}

/// Whether another analytic reports the tool or the imitated name.
fn is_named(name: &str) -> bool {
    let name = pipes::bare(name);
    tools::c2(name).is_some() || tools::executor(name).is_some() || imitations::is_strict(name)
}

/// A shell started by the creator of a random pipe.
fn by_shell(context: &Context<'_>) -> Option<Evidence> {
    let (child, parent) = (context.subject(), context.parent());
    if !predicates::is_script_host(child) || !predicates::is_untrusted(parent) {
        return None;
    }
    let id = parent.known?.id;
    let time = context.event().time;
    let (name, created) = context.host.channels.iter().find_map(|(name, known)| {
        let created = known.created.as_ref().filter(|created| created.process == Some(id))?;
        let counts = known.mechanism == Mechanism::NamedPipe && created.note.time.within(context.window(), time);
        (counts && random::is_random(name) && !is_named(name)).then_some((name, created))
    })?;
    let text = format!("{} made pipe {name}, whose name looks random, and started {}.", label(parent), label(child));
    Some(
        Evidence::new(Severity::High, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(parent), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .server(parent)
            .channel(Mechanism::NamedPipe, name)
            .because(&created.note, format!("{} made the pipe", label(parent))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const TOOL: &str = r"C:\Users\bob\t.exe";

    #[test]
    fn a_random_name_by_a_program_in_a_user_s_folder_is_medium() {
        check(&ANALYTIC, &[pipe_created(0, r"\xqzvkjwp").of(TOOL, 30)], Some((Severity::Medium, Confidence::Low)));
    }

    #[test]
    fn opened_over_smb_or_with_a_shell_it_is_high() {
        check(
            &ANALYTIC,
            &[pipe_created(0, r"\xqzvkjwp").of(TOOL, 30), pipe_remote(5, r"\xqzvkjwp")],
            Some((Severity::High, Confidence::Medium)),
        );
        let events = [
            start(0, TOOL, "t.exe").pid(30),
            pipe_created(1, r"\xqzvkjwp").of(TOOL, 30),
            start(9, r"C:\Windows\System32\cmd.exe", "cmd").pid(31).by(TOOL, "t.exe").parent_pid(30),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_product_s_random_name_and_chosen_names_are_quiet() {
        let events = [
            pipe_created(0, r"\xqzvkjwp").of(r"C:\Program Files\A\a.exe", 30),
            pipe_remote(1, r"\xqzvkjwp"),
            pipe_created(2, r"\UpdateServicePipe").of(TOOL, 31),
            pipe_created(3, r"\0c5de65b-4f6e-4b4c-8d0f-111122223333").of(TOOL, 31),
            pipe_remote(4, r"\spoolss"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_shell_without_a_random_pipe_is_quiet() {
        let events = [
            start(0, TOOL, "t.exe").pid(30),
            pipe_created(1, r"\UpdateServicePipe").of(TOOL, 30),
            start(9, r"C:\Windows\System32\cmd.exe", "cmd").pid(31).by(TOOL, "t.exe").parent_pid(30),
        ];
        check(&ANALYTIC, &events, None);
    }
}
