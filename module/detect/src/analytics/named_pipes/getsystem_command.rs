//! # IPC-PIPE-010: Service command that writes into a pipe
//!
//! ## What it detects
//! A service whose command echoes into `\\.\pipe\<name>` (or loads a library with `,a /p:<name>`, or runs from
//! `\\127.0.0.1\ADMIN$`), or a process that `services.exe` starts with such a command.
//!
//! ## Why it matters
//! This is the "getsystem" technique: an administrator creates a pipe, installs a service that writes to it as SYSTEM,
//! and impersonates that client. Legitimate services have no such command.
//!
//! ## Telemetry
//! System 7045, Security 4697, Sysmon 13 (`Services\*\ImagePath`), Sysmon 1 or Security 4688.
//!
//! ## False positives
//! None known.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1134.002, T1543.003; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::text::fold::fold;
use crate::text::{clip, contains, contains_any, find, starts_with};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-010",
    title: "Service command that writes into a pipe",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1134.002", "T1543.003"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ServiceChange, ActivityKind::Registry, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security, Source::System],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let started = matches!(event.activity, backchannel_events::Activity::ProcessStart);
    let (service, command) = if started {
        if !context.parent().is(&["services.exe"]) {
            return None;
        }
        ("", event.process.command_line)
    } else {
        predicates::service_command(&event.activity)?
    };
    let folded = fold(command);
    let form = form(&folded)?;
    let same = !service.is_empty() && form.pipe.eq_ignore_ascii_case(service);
    let confidence = if started || same { Confidence::Certain } else { Confidence::High };
    let what = if started {
        format!("The service manager started {} as a service", label(context.subject()))
    } else {
        format!("Service {service} was installed")
    };
    let text = format!("{what} that {}: {}. Its server takes SYSTEM's token.", form.does, clip(command, 200));
    let name = if form.pipe.is_empty() { String::new() } else { format!("\\{}", form.pipe) };
    let mut evidence = Evidence::new(Severity::Critical, confidence, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES)
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW));
    if !name.is_empty() {
        evidence = evidence.channel(Mechanism::NamedPipe, name.as_str());
    }
    evidence = evidence.client(context.subject());
    if let Some((maker, created)) = context.pipe_maker(&name) {
        evidence =
            evidence.server(maker).acted(maker).because(&created.note, format!("{} made pipe {name}", label(maker)));
    }
    Some(evidence)
}

/// What a command does with which pipe.
struct Form<'t> {
    does: &'static str,
    pipe: &'t str,
}

fn form(command: &str) -> Option<Form<'_>> {
    if let Some(at) = find(command, r"\\.\pipe\") {
        let before = command.get(..at)?;
        let writes = before.contains('>') && contains_any(before, &["echo", "type ", "copy "]);
        let pipe = word(command.get(at + r"\\.\pipe\".len()..)?);
        return writes.then_some(Form { does: "writes into a pipe", pipe });
    }
    if let Some(at) = find(command, ",a /p:")
        && contains(command, "rundll32")
    {
        return Some(Form {
            does: "loads a library that writes into a pipe",
            pipe: word(command.get(at + ",a /p:".len()..)?),
        });
    }
    let shares = [r"\\127.0.0.1\ADMIN$\", r"\\localhost\ADMIN$\", r"\\::1\ADMIN$\"];
    shares
        .iter()
        .any(|share| starts_with(command.trim_start(), share))
        .then_some(Form { does: "runs from this machine's own administrative share", pipe: "" })
}

fn word(text: &str) -> &str {
    text.split([' ', '&', '|', '>', '<']).next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SERVICES: &str = r"C:\Windows\System32\services.exe";

    #[test]
    fn a_service_that_echoes_into_a_pipe_of_its_own_name_is_certain() {
        let events = [
            pipe_created(0, r"\qwfgzb").of(r"C:\Users\bob\p.exe", 9),
            service_installed(1, "qwfgzb", r"cmd.exe /c echo qwfgzb > \\.\pipe\qwfgzb"),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
        assert_eq!(found[0].server.as_ref().unwrap().name, "p.exe");
    }

    #[test]
    fn the_registry_value_alone_is_enough_and_carets_do_not_hide_it() {
        let path = r"HKLM\System\CurrentControlSet\Services\abc\ImagePath";
        let events = [registry_set(0, path, r"%COMSPEC% /c ec^ho 1 ^> \\.\pi^pe\xyz").of(SERVICES, 4)];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn the_process_and_the_library_form_fire() {
        let line = r"rundll32.exe C:\Users\bob\AppData\Local\Temp\abc.dll,a /p:abc";
        let events = [start(0, r"C:\Windows\System32\rundll32.exe", line).by(SERVICES, SERVICES)];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::Certain)));
    }

    #[test]
    fn an_ordinary_service_and_a_user_s_echo_are_quiet() {
        let events = [
            service_installed(
                0,
                "docker",
                r#""C:\Program Files\Docker\dockerd.exe" -H npipe:////./pipe/docker_engine"#,
            ),
            service_installed(1, "agent", r"C:\Program Files\A\a.exe --pipe \\.\pipe\agent"),
            start(2, r"C:\Windows\System32\cmd.exe", r"cmd.exe /c echo 1 > \\.\pipe\x")
                .by(r"C:\Windows\explorer.exe", ""),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn another_value_of_a_service_s_key_is_quiet() {
        let path = r"HKLM\System\CurrentControlSet\Services\abc\Description";
        check(&ANALYTIC, &[registry_set(0, path, r"echo > \\.\pipe\xyz")], None);
    }
}
