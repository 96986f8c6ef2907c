//! # IPC-DCOM-027: DcomLaunch starts a process that is not a COM server
//!
//! ## What it detects
//! A child process of the DcomLaunch service that is a script host, a LOLBin or an unknown program, and whose command
//! line does not have the form of a COM server start.
//!
//! ## Why it matters
//! DcomLaunch starts the program registered for a class. A shell without COM arguments there means that a class was
//! redirected, or that the service was used for parent process spoofing.
//!
//! ## Telemetry
//! Sysmon 1: the parent's command line distinguishes DcomLaunch from other services. Process starts in the Security log
//! do not contain it.
//!
//! ## False positives
//! Packaged applications, the shell's own `SHCreateLocalServerRunDll`, and the file pickers of Windows are excluded.
//! Whether an image is registered for any class is not checked, because logs contain no inventory of COM.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::contains;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-027",
    title: "DcomLaunch starts a process that is not a COM server",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (started, parent) = (context.subject(), context.parent());
    if !contains(parent.command_line, "DcomLaunch") || !parent.is(&["svchost.exe"]) || started.command_line.is_empty() {
        return None;
    }
    let unknown = predicates::is_unknown_binary(started);
    let fitting = unknown || predicates::is_script_host(started) || predicates::is_lolbin(started);
    if !fitting || predicates::is_com_server_command(started.command_line) || is_shell_s_own(started) {
        return None;
    }
    let text = format!(
        "The COM launcher started {} for {} without the arguments of a COM server: a class was redirected to it, or \
         the launcher was borrowed as its parent.",
        started.name(),
        started.account(),
    );
    let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(started)
        .channel(Mechanism::Com, "");
    Some(evidence)
}

/// Programs that Windows itself starts this way.
fn is_shell_s_own(started: Actor<'_>) -> bool {
    contains(started.command_line, "SHCreateLocalServerRunDll")
        || contains(started.image, r"\WindowsApps\")
        || started.is(&["consent.exe", "openwith.exe", "control.exe", "wsmprovhost.exe"])
        || contains(started.command_line, "shell32.dll,")
        || contains(started.command_line, "-ToastActivated")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";

    fn started(image: &'static str, line: &'static str) -> Event {
        start(0, image, line).by(SVCHOST, "svchost.exe -k DcomLaunch -p").user("CORP", "alice").session(1)
    }

    #[test]
    fn a_bare_shell_or_an_unknown_program_fires() {
        let expected = Some((Severity::High, Confidence::Medium));
        check(&ANALYTIC, &[started(r"C:\Windows\System32\cmd.exe", "cmd.exe /c calc")], expected);
        check(&ANALYTIC, &[started(r"C:\Users\Public\a.exe", "a.exe")], expected);
    }

    #[test]
    fn com_servers_and_the_shell_s_own_are_quiet() {
        let events = [
            started(
                r"C:\Windows\System32\dllhost.exe",
                "dllhost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
            ),
            started(r"C:\Users\alice\AppData\Local\Microsoft\OneDrive\FileCoAuth.exe", "FileCoAuth.exe -Embedding"),
            started(
                r"C:\Windows\System32\rundll32.exe",
                "rundll32.exe shell32.dll,SHCreateLocalServerRunDll {9BA05972-F6A8-11CF-A442-00A0C90A8F39} -Embedding",
            ),
            started(r"C:\Program Files\WindowsApps\App_1\app.exe", "app.exe"),
            started(r"C:\Windows\System32\slui.exe", "slui.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn children_of_other_services_are_quiet() {
        let other = start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x")
            .by(SVCHOST, "svchost.exe -k netsvcs -p -s Schedule");
        check(&ANALYTIC, &[other], None);
    }
}
