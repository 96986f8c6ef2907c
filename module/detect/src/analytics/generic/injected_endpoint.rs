//! # IPC-BASE-016: Injected process uses a channel
//!
//! ## What it detects
//! A process into which another one started a thread, wrote memory or replaced the image, and which within five minutes
//! creates or opens a channel that the baseline does not contain for it, or, without a baseline, one that it had not
//! used before.
//!
//! ## Why it matters
//! Code injected into a legitimate process communicates under that process's name: with its operator over a pipe, or
//! with a service that trusts the host process.
//!
//! ## Telemetry
//! Sysmon 8 and 25, auditd ptrace, Endpoint Security remote_thread_create for the injection; Sysmon 17 and 18,
//! auditd, Endpoint Security for the channel.
//!
//! ## False positives
//! The session and window manager, virtual machine tools and consent inject by design and are excluded, as are security
//! products and other installed programs.
//!
//! ## References
//! Playbook KI-1, KI-3, E1; ATT&CK T1559, T1055; DET0493 (AN1357, AN1358, AN1359).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::baseline::Standing;
use crate::memory::KnownProcess;
use crate::memory::injections::{How, Injection};
use crate::text::directory;
use crate::vocabulary::pipes::{self, owners};
use crate::vocabulary::{debuggers, hubs, sockets};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-016",
    title: "Injected process uses a channel",
    family: Family::Generic,
    techniques: &["T1559", "T1055"],
    attack_analytics: &["AN1357", "AN1358", "AN1359"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ChannelCreate],
    telemetry: &[Source::Sysmon, Source::Auditd, Source::EndpointSecurity],
    // Maximum time between the injection and the use of the channel.
    window: Some(Duration::from_secs(300)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Programs that inject into others by design.
const BY_TRADE: &[&str] = &[
    "csrss.exe",
    "dwm.exe",
    "wininit.exe",
    "winlogon.exe",
    "smss.exe",
    "lsass.exe",
    "services.exe",
    "consent.exe",
    "werfault.exe",
    "wermgr.exe",
    "vmtoolsd.exe",
    "vboxtray.exe",
    "vboxservice.exe",
    "system",
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (Activity::ChannelConnect(channel) | Activity::ChannelCreate(channel)) = &event.activity else { return None };
    let target = context.subject();
    let known = target.known?;
    let injection = context.host.injections.latest_first().find(|one| {
        one.target == known.id && one.note.time <= event.time && one.note.time.within(context.window(), event.time)
    })?;
    if is_common(channel) || !is_new(context, channel, known, injection) {
        return None;
    }
    let source = injection.source.and_then(|id| context.remembered(id)).or_else(|| context.parent_of(target))?;
    if !is_suspect(source, target, injection.how) {
        return None;
    }
    let did = injection.how.as_str();
    let text = format!(
        "{} {did} {}, which then used {} {}: the injected code may be the one that talks.",
        source.name(),
        target.name(),
        channel.mechanism.as_str(),
        channel.name,
    );
    let privileged = predicates::is_privileged(target) || predicates::is_privileged(source);
    let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(source), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(source)
        .server(target)
        .channel(channel.mechanism, channel.name)
        .because(&injection.note, format!("{} {did} {}", source.name(), target.name()));
    Some(evidence)
}

/// Whether the use of the channel is not significant.
fn is_common(channel: &Channel<'_>) -> bool {
    if channel.name.is_empty() || channel.remote || hubs::is_shared(channel.name) {
        return true;
    }
    match channel.mechanism {
        Mechanism::AnonymousPipe => true,
        Mechanism::NamedPipe => owners::is_universal(pipes::bare(channel.name)),
        Mechanism::UnixSocket | Mechanism::UnixAbstract => {
            sockets::is_universal(channel.name) || sockets::is_desktop(channel.name)
        }
        _ => false,
    }
}

/// Whether the channel is new for the process: not in the baseline, or, without one, not in its recorded activity.
fn is_new(context: &Context<'_>, channel: &Channel<'_>, known: &KnownProcess, injection: &Injection) -> bool {
    match context.exchange {
        Some((_, Standing::Usual)) => false,
        Some((_, Standing::NeverSeen | Standing::NewOnHost | Standing::Rare)) => true,
        Some((_, Standing::Immature)) | None => !context.channel(channel.name).is_some_and(|seen| {
            let before =
                |one: &crate::memory::Use| one.process == Some(known.id) && one.note.time < injection.note.time;
            seen.created.as_ref().is_some_and(before) || seen.opened.iter().any(before)
        }),
    }
}

/// Whether `source` has no legitimate reason to inject into `target`.
fn is_suspect(source: Actor<'_>, target: Actor<'_>, how: How) -> bool {
    if source.is(BY_TRADE) || debuggers::is_debugger(source) || debuggers::is_runtime(source) {
        return false;
    }
    let same = source.name().eq_ignore_ascii_case(target.name())
        || (!directory(source.image).is_empty()
            && !predicates::is_system_path(source.image)
            && directory(source.image).eq_ignore_ascii_case(directory(target.image)));
    if same {
        return false;
    }
    let lolbin = predicates::is_script_host(source) || predicates::is_lolbin(source);
    // On Unix, attaching or writing by a program that is not a debugger is suspicious enough.
    predicates::is_untrusted(source) || lolbin || (source.image.starts_with('/') && matches!(how, How::Write))
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Access, AccessKind, Process};

    use super::*;
    use crate::testing::*;

    const NOTEPAD: &str = r"C:\Windows\System32\notepad.exe";

    fn thread(seconds: f64, source: &'static str) -> Event {
        let target = Process { pid: Some(90), image: NOTEPAD, ..Process::default() };
        let access = Access { kind: AccessKind::RemoteThread, target, ..Access::default() };
        event(seconds, Activity::ProcessAccess(access)).of(source, 80)
    }

    fn uses(seconds: f64, pipe: &'static str) -> Event {
        pipe_created(seconds, pipe).of(NOTEPAD, 90).user("CORP", "a")
    }

    #[test]
    fn a_thread_from_a_user_s_program_and_then_a_pipe_fires() {
        let events = [thread(0.0, r"C:\Users\a\x.exe"), uses(20.0, r"\k9f3")];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons.contains(backchannel_events::Reason::UnknownBinary)));
    }

    #[test]
    fn a_thread_from_a_script_host_and_then_an_opening_fires() {
        let powershell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let opened = pipe_opened(20.0, r"\vendor\control").of(NOTEPAD, 90);
        check(&ANALYTIC, &[thread(0.0, powershell), opened], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn programs_that_inject_by_design_and_installed_ones_are_quiet() {
        for source in [r"C:\Windows\System32\csrss.exe", r"C:\Program Files\EDR\agent.exe"] {
            check(&ANALYTIC, &[thread(0.0, source), uses(20.0, r"\k9f3")], None);
        }
    }

    #[test]
    fn a_channel_used_before_and_a_common_one_are_quiet() {
        let x = r"C:\Users\a\x.exe";
        check(&ANALYTIC, &[uses(0.0, r"\k9f3"), thread(5.0, x), uses(20.0, r"\k9f3")], None);
        check(&ANALYTIC, &[thread(5.0, x), pipe_opened(20.0, r"\wkssvc").of(NOTEPAD, 90)], None);
    }

    #[test]
    fn ten_minutes_later_it_is_quiet() {
        check(&ANALYTIC, &[thread(0.0, r"C:\Users\a\x.exe"), uses(600.0, r"\k9f3")], None);
    }
}
