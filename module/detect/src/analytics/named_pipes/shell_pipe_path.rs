//! # IPC-PIPE-011: Command line that names a pipe
//!
//! ## What it detects
//! A command line that contains the path of a pipe: redirection into a pipe, a DLL copied into a pipe, a
//! pipe on another machine, a browser controlled over a debugging pipe, or (low) any mention by a shell or an untrusted
//! program. Processes started by `services.exe` are IPC-PIPE-010.
//!
//! ## Why it matters
//! Shells rarely use pipes by name. Redirection feeds a waiting server; a remote path sends commands to another
//! machine; a debugging pipe gives access to a browser's cookies.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688 with command lines.
//!
//! ## False positives
//! Developer tools that take a pipe as argument; browser automation (medium). Container engines and pipes whose names
//! contain their creator are excluded.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1059; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::text::fold::fold;
use crate::text::{clip, contains, contains_any, find, is_any, matches};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-011",
    title: "Command line that names a pipe",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1059"],
    attack_analytics: &["AN1357"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Pipes that developer tools commonly have on their command lines.
const ORDINARY: &[&str] =
    &["docker_engine*", "docker*", "podman-*", "containerd-*", "mojo.*", "crashpad_*", "LOCAL\\*"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let line = event.process.command_line;
    if !contains(line, "pipe") && !line.contains(['^', '`']) {
        return None;
    }
    let folded = fold(line);
    let started = context.subject();
    if contains(&folded, "--remote-debugging-pipe") && !contains(&folded, "--type=") {
        let text = format!(
            "{} runs a browser that is controlled over its debugging pipe: {}.",
            label(context.parent()),
            clip(line, 200)
        );
        return Some(
            Evidence::new(Severity::Medium, Confidence::Medium, text)
                .indicators(Indicators::UNEXPECTED_USE)
                .client(context.parent())
                .server(started),
        );
    }
    let named = pipe_path(&folded)?;
    if context.parent().is(&["services.exe"]) {
        return None;
    }
    let shell = predicates::is_script_host(started);
    let redirected =
        named.before.trim_end().ends_with('>') && contains_any(named.before, &["echo", "type ", "copy ", "cat "]);
    let library = redirected && contains(named.before, ".dll");
    let elsewhere = !named.host.is_empty()
        && !is_any(named.host, &[".", "?", "localhost"])
        && !context.is_this_host(named.host)
        && !context.host.addresses.is_own(named.host);
    let (severity, does) = if library {
        (Severity::High, "copies a library through a pipe to have a clean one")
    } else if redirected {
        (Severity::High, "writes into a pipe")
    } else if elsewhere && (shell || predicates::is_untrusted(started)) {
        (Severity::High, "uses a pipe on another machine")
    } else if shell || predicates::is_untrusted(started) {
        if ORDINARY.iter().any(|ordinary| matches(ordinary, named.pipe)) {
            return None;
        }
        (Severity::Low, "names a pipe")
    } else {
        return None;
    };
    let text = format!("{} {does}: {}.", label(started), clip(line, 200));
    let reasons = Reasons::NONE
        .and_if(redirected && predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(elsewhere && severity == Severity::High, Reasons::LATERAL_MOVEMENT);
    let name = format!("\\{}", named.pipe);
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(reasons)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(started)
        .channel(Mechanism::NamedPipe, name.as_str());
    if elsewhere {
        evidence = evidence.to_machine(named.host);
    } else if let Some((maker, created)) = context.pipe_maker(&name) {
        evidence = evidence.server(maker).because(&created.note, format!("{} made the pipe", label(maker)));
    }
    Some(evidence)
}

/// A pipe's path in a command line.
struct Named<'t> {
    before: &'t str,
    host: &'t str,
    pipe: &'t str,
}

/// The first path of a pipe: `\\<host>\pipe\<name>` with `.` and `?` for this machine, or `\Device\NamedPipe\<name>`.
fn pipe_path(line: &str) -> Option<Named<'_>> {
    let end = |rest: &str| rest.find([' ', ',', ';', ')', '&', '|', '<', '>']).unwrap_or(rest.len());
    if let Some(at) = find(line, r"\Device\NamedPipe\") {
        let rest = line.get(at + r"\Device\NamedPipe\".len()..)?;
        return Some(Named { before: line.get(..at)?, host: "", pipe: rest.get(..end(rest))? });
    }
    let at = find(line, r"\pipe\")?;
    let front = line.get(..at)?;
    let slashes = front.rfind(r"\\")?;
    let host = front.get(slashes + 2..)?;
    if host.is_empty() || host.contains([' ', '\\', '/', '=', ':']) && !host.contains("::") {
        return None;
    }
    let rest = line.get(at + r"\pipe\".len()..)?;
    Some(Named { before: line.get(..slashes)?, host, pipe: rest.get(..end(rest))? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Reason;

    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    #[test]
    fn a_redirection_into_a_pipe_fires() {
        let events = [start(0, CMD, r#"cmd /c "echo go > \\.\pipe\abc""#)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_pipe_on_another_machine_is_lateral() {
        let shell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let events = [start(0, shell, r"powershell -c Connect \\srv09\pipe\abc")];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(found[0].reasons.contains(Reason::LateralMovement));
        assert_eq!(found[0].channel.as_ref().unwrap().peer, "srv09");
    }

    #[test]
    fn a_debugging_pipe_is_medium_and_a_reference_low() {
        let browser = r"C:\Program Files\Google\Chrome\Application\chrome.exe";
        check(
            &ANALYTIC,
            &[start(0, browser, "chrome.exe --headless --remote-debugging-pipe")],
            Some((Severity::Medium, Confidence::Medium)),
        );
        check(
            &ANALYTIC,
            &[start(0, r"C:\Users\bob\a.exe", r"a.exe --server \\.\pipe\abc")],
            Some((Severity::Low, Confidence::Medium)),
        );
    }

    #[test]
    fn processes_of_the_service_manager_are_left_to_another_analytic() {
        let events = [start(0, CMD, r"cmd /c echo x > \\.\pipe\x").by(r"C:\Windows\System32\services.exe", "")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn tools_that_name_a_container_engine_and_products_are_quiet() {
        let events = [
            start(0, CMD, r"cmd /c set DOCKER_HOST=npipe:\\.\pipe\docker_engine"),
            start(1, r"C:\Program Files\A\a.exe", r"a.exe --pipe \\.\pipe\abc"),
            start(2, CMD, r"cmd /c dir C:\work\pipe\x"),
            start(3, r"C:\Program Files\Chrome\chrome.exe", "chrome.exe --type=renderer --remote-debugging-pipe"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
