//! # IPC-PIPE-003: Pipe name does not match its creator
//!
//! ## What it detects
//! Some pipe names contain the process that created them (`PSHost.<ticks>.<pid>...<process>`,
//! `Winsock2\CatalogChangeListener-<pid>`, `mojo.<pid>...`, `crashpad_<pid>_...`, `dotnet-diagnostic-<pid>`). Reported
//! when the creator is another process or another program.
//!
//! ## Why it matters
//! These names are so common that analysts ignore them, which is why implants imitate them. The comparison needs no
//! list of known bad names.
//!
//! ## Telemetry
//! Sysmon 17, with the table of running processes.
//!
//! ## False positives
//! Browsers create pipes on behalf of a child or parent process of the same program: not reported. Reused process ids
//! are recognised with the process table.
//!
//! ## References
//! ATT&CK T1559, T1036, T1071; DET0493 (AN1357). PowerShell and Chromium sources for the shapes.

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::text::{directory, ends_with};
use crate::vocabulary::pipes::{self, Claim, Described};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-003",
    title: "Pipe name does not match its creator",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1036", "T1071"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelCreate],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let claim = pipes::claim(pipe.name)?;
    let maker = context.subject();
    let pid = maker.pid?;
    if claim.family == Described::TerminalServices
        || maker.image.is_empty()
        || maker.image.eq_ignore_ascii_case("System")
    {
        return None;
    }
    let lie = if claim.pid != pid && !is_kin(context, maker, &claim) {
        format!("it names process {} as its maker", claim.pid)
    } else if !claim.process.is_empty() && !is_called(claim.process, maker) {
        format!("it names {} as its maker", claim.process)
    } else {
        return None;
    };
    let untrusted = predicates::is_untrusted(maker);
    let severity = if untrusted { Severity::Critical } else { Severity::High };
    let text = format!(
        "{} made pipe {}, but {lie}: the name was copied to pass for another's.",
        label(maker),
        pipe.channel.name
    );
    Some(
        Evidence::new(severity, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(maker), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .server(maker)
            .channel(Mechanism::NamedPipe, pipe.channel.name),
    )
}

/// Whether the process in the name runs the same program as the creator, so that one created the pipe for the other.
/// Only browsers and similar programs do that. If the process in the name is unknown, an installed program is accepted,
/// and the parent process is compared as well.
fn is_kin(context: &Context<'_>, maker: Actor<'_>, claim: &Claim<'_>) -> bool {
    let shared = matches!(claim.family, Described::Mojo | Described::ChromeSync | Described::Crashpad);
    if !shared {
        return false;
    }
    let parent = context.parent();
    let known = context.host.processes.find("", Some(claim.pid), context.event().time).map(Actor::remembered);
    let claimed = if parent.pid == Some(claim.pid) { Some(parent) } else { known };
    match claimed {
        Some(other) if !other.image.is_empty() => {
            other.name().eq_ignore_ascii_case(maker.name())
                || directory(other.image).eq_ignore_ascii_case(directory(maker.image))
        }
        _ => {
            let lolbin = predicates::is_script_host(maker) || predicates::is_lolbin(maker);
            !lolbin && crate::text::contains(maker.image, r"\Program Files")
        }
    }
}

/// Whether a PowerShell host pipe's last part is the creator's name. Application domains may contain dots.
fn is_called(claimed: &str, maker: Actor<'_>) -> bool {
    let stem = maker.name().rsplit_once('.').map_or(maker.name(), |(stem, _)| stem);
    claimed.eq_ignore_ascii_case(stem)
        || claimed.eq_ignore_ascii_case(maker.name())
        || (ends_with(claimed, stem)
            && claimed.len().checked_sub(stem.len() + 1).and_then(|at| claimed.as_bytes().get(at)) == Some(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

    #[test]
    fn a_winsock_name_with_another_pid_fires() {
        let events =
            [pipe_created(0, r"\Winsock2\CatalogChangeListener-37c-0").of(r"C:\Windows\System32\svchost.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_untrusted_program_with_a_browser_s_pipe_name_is_critical() {
        let events = [pipe_created(0, r"\mojo.5688.8052.1894572").of(r"C:\Users\bob\b.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_shell_s_name_on_another_program_fires() {
        let events =
            [pipe_created(0, r"\PSHost.132.30.DefaultAppDomain.powershell").of(r"C:\Windows\System32\calc.exe", 30)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn names_that_match_their_creator_are_quiet() {
        let events = [
            pipe_created(0, r"\Winsock2\CatalogChangeListener-1e-0").of(r"C:\Windows\System32\svchost.exe", 30),
            pipe_created(1, r"\PSHost.132.31.DefaultAppDomain.powershell").of(SHELL, 31),
            pipe_created(2, r"\PSHost.132.32.root.web-1.w3wp").of(r"C:\Windows\System32\inetsrv\w3wp.exe", 32),
            pipe_created(3, r"\mojo.33.8052.1894572").of(r"C:\Users\bob\AppData\Local\T\Teams.exe", 33),
            pipe_created(4, r"\TSVCPIPE-9bd6a68e-9f9b-4a8d-9bd4-1ba4e3d0a5f3")
                .of(r"C:\Windows\System32\svchost.exe", 34),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_browser_that_creates_a_pipe_for_a_related_process_is_quiet() {
        let image = r"C:\Users\bob\AppData\Local\B\browser.exe";
        let events = [
            start(0, image, "browser.exe").pid(40),
            start(1, image, "browser.exe --type=utility").pid(41).by(image, "browser.exe").parent_pid(40),
            pipe_created(2, r"\mojo.40.8052.1894572").of(image, 41),
            pipe_created(3, r"\LOCAL\crashpad_777_ABCDEF").of(r"C:\Program Files\B\browser.exe", 50),
        ];
        check(&ANALYTIC, &events, None);
    }
}
