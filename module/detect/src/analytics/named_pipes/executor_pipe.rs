//! # IPC-PIPE-004: Remote execution tool used
//!
//! ## What it detects
//! A trace of PsExec, PAExec, CSExec, RemCom, winexe, smbexec or a similar tool under its default name: its pipe, the
//! installation of its service, the service's process, the file it drops, or the client's command line.
//!
//! ## Why it matters
//! These tools run a command on another machine as SYSTEM and transfer its input and output over named pipes.
//! Administrators use them too, so the account and the source machine decide the severity.
//!
//! ## Telemetry
//! Sysmon 1, 11, 13 (`Services\*\ImagePath`), 17 and 18; Security 4688, 4697 and 5145; System 7045; Zeek `smb_files`.
//!
//! ## False positives
//! Authorised administration: declare admin hosts and accounts, which lowers the severity. Where a site has declared
//! them, use by anyone else is high.
//!
//! ## References
//! ATT&CK T1559, T1021.002, T1569.002; DET0493 (AN1357).

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileOperation, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::pipes::label;
use crate::vocabulary::pipes::{self, tools};
use crate::{Analytic, Context, Evidence, Family, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-004",
    title: "Remote execution tool used",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1021.002", "T1569.002"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[
        ActivityKind::ChannelCreate,
        ActivityKind::ChannelConnect,
        ActivityKind::ServiceChange,
        ActivityKind::Registry,
        ActivityKind::ProcessStart,
        ActivityKind::File,
    ],
    telemetry: &[Source::Sysmon, Source::Security, Source::System, Source::Zeek],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Programs on the client's side, and the arguments that identify a renamed one.
const CLIENTS: &[&str] =
    &["psexec.exe", "psexec64.exe", "psexec.c", "paexec.exe", "csexec.exe", "remcom.exe", "winexe.exe", "xcmd.exe"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelCreate(_) | Activity::ChannelConnect(_) => by_pipe(context),
        Activity::ProcessStart => by_start(context),
        Activity::File(file) => {
            if file.operation == FileOperation::Delete || !text::ends_with(file.path, ".exe") {
                return None;
            }
            let tool = tools::executor_service(stem(file.path))?;
            let over_smb = !file.peer.is_empty() || context.subject().name().eq_ignore_ascii_case("System");
            let remote = !file.peer.is_empty() && !context.host.addresses.is_own(file.peer);
            let text = format!("The service of {} was written to {}.", tool.family, file.path);
            over_smb.then(|| conclude(context, text, file.peer, remote).client(context.subject()))
        }
        activity => {
            let (name, command) = predicates::service_command(activity)?;
            let tool = tools::executor_service(name).or_else(|| tools::executor_service(stem(program(command))))?;
            let text = format!("Service {name} of {} was installed: {}.", tool.family, text::clip(command, 200));
            Some(conclude(context, text, "", false).client(context.subject()))
        }
    }
}

fn by_pipe(context: &Context<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let tool = tools::executor(pipe.name)?;
    let (client, server) = context.pipe_ends(&pipe);
    let act = match (pipe.creation, pipe.channel.remote) {
        (true, _) => format!("{} created", label(server)),
        (false, true) => "A client on the network opened".to_owned(),
        (false, false) => format!("{} opened", label(client)),
    };
    let from = context.smb_client(pipe.channel);
    // The three streams carry the client's machine in their names.
    let stream = pipes::stream(pipe.name).map_or("", |stream| stream.host);
    let elsewhere = !stream.is_empty() && !context.is_this_host(stream);
    let peer = from.map_or(if elsewhere { stream } else { "" }, |from| from.address);
    let remote = !peer.is_empty();
    let text =
        format!("{act} pipe {}, through which {} runs commands for another machine.", pipe.channel.name, tool.family);
    let mut evidence = conclude(context, text, peer, remote).pipe(context, &pipe);
    if pipe.channel.remote || remote {
        evidence = evidence.from_machine(peer);
    }
    if let Some(note) = from.and_then(|from| from.note) {
        evidence = evidence.because(note, format!("{peer} came in over SMB at that time"));
    }
    Some(evidence)
}

fn by_start(context: &Context<'_>) -> Option<Evidence> {
    let started = context.subject();
    let service =
        tools::executor_service(stem(started.image)).or_else(|| tools::executor_service(stem(started.original_name)));
    if let Some(tool) = service
        && context.parent().is(&["services.exe"])
    {
        let text = format!("{}, the service of {}, was started to run a command.", label(started), tool.family);
        return Some(conclude(context, text, "", false).server(started));
    }
    if !started.is(CLIENTS) {
        return None;
    }
    let target = unc_host(started.command_line)?;
    let own = context.is_this_host(target) || context.host.addresses.is_own(target);
    let text = format!(
        "{} was started to run a command on {target}: {}.",
        label(started),
        text::clip(started.command_line, 200)
    );
    let mut evidence = conclude(context, text, "", !own).client(started);
    if !own {
        evidence = evidence.channel(Mechanism::NamedPipe, "").to_machine(target);
    }
    Some(evidence)
}

fn conclude(context: &Context<'_>, text: String, peer: &str, remote: bool) -> Evidence {
    let tuning = context.tuning;
    let declared = !tuning.admin_hosts.is_empty() || !tuning.admin_accounts.is_empty();
    let known = tuning.may_call(peer)
        || tuning.may_call(&context.host.key)
        || tuning.is_admin_account(&context.subject().account());
    let severity = if declared && !known { Severity::High } else { Severity::Medium };
    Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(remote, Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
}

/// The base name of a program without its extension.
fn stem(path: &str) -> &str {
    let name = text::base_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The program of a command line.
fn program(command: &str) -> &str {
    let command = command.trim_start();
    match command.strip_prefix('"') {
        Some(rest) => rest.split_once('"').map_or(rest, |(program, _)| program),
        None => command.split_ascii_whitespace().next().unwrap_or(""),
    }
}

/// The machine named as `\\host` in a command line.
fn unc_host(command_line: &str) -> Option<&str> {
    let mut words = command_line.split_ascii_whitespace().skip(1);
    let word = words.find(|word| word.starts_with(r"\\"))?.trim_start_matches('\\');
    let host = word.split(['\\', ',', '"']).next()?;
    (!host.is_empty() && host != "." && host != "?").then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    #[test]
    fn the_pipe_of_an_executor_opened_from_another_machine_fires() {
        let events = [pipe_opened_from(0, r"\PSEXESVC", "10.0.0.9", 0x12019f).user("CORP", "alice")];
        let found = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::LateralMovement));
    }

    #[test]
    fn a_flow_at_the_same_time_names_the_client() {
        let events = [
            flow_in(0, 445, "10.0.0.9", 50000),
            pipe_created(1, r"\PSEXESVC").of(r"C:\Windows\PSEXESVC.exe", 4752),
            pipe_remote(2, r"\PSEXESVC"),
        ];
        let found = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
        assert!(found.iter().any(|f| f.channel.as_ref().is_some_and(|c| c.peer == "10.0.0.9")));
    }

    #[test]
    fn a_stream_names_the_client_s_machine() {
        let events = [pipe_created(0, r"\PSEXESVC-WS-07-4242-stdin").of(r"C:\Windows\PSEXESVC.exe", 4752)];
        let found = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
        assert_eq!(found[0].channel.as_ref().unwrap().peer, "WS-07");
        assert!(found[0].reasons.contains(backchannel_events::Reason::LateralMovement));
        let local = [pipe_created(0, r"\PSEXESVC-WS01-4242-stdin").of(r"C:\Windows\PSEXESVC.exe", 4752)];
        let found = check(&ANALYTIC, &local, Some((Severity::Medium, Confidence::High)));
        assert!(found[0].reasons.is_empty());
    }

    #[test]
    fn its_service_fires_by_name_and_by_binary() {
        check(
            &ANALYTIC,
            &[service_installed(0, "backup", r"C:\Windows\RemComSvc.exe")],
            Some((Severity::Medium, Confidence::High)),
        );
        let renamed = [start(0, r"C:\Windows\updsvc.exe", r"C:\Windows\updsvc.exe")
            .original_name("psexesvc.exe")
            .by(r"C:\Windows\System32\services.exe", "services.exe")];
        check(&ANALYTIC, &renamed, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_client_that_is_not_a_declared_administrator_is_high() {
        let tuning = Tunables { admin_accounts: vec!["adm-carol".into()], ..Tunables::default() };
        let events = [pipe_opened_from(0, r"\PSEXESVC", "10.0.0.9", 0x12019f).user("CORP", "alice")];
        check_tuned(&ANALYTIC, &events, tuning, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_client_that_names_no_machine_is_quiet() {
        let events = [start(0, r"C:\tools\PsExec64.exe", "PsExec64.exe -i -s cmd.exe")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_build_s_stdin_pipe_is_quiet() {
        let events = [
            pipe_created(0, r"\build-stdin").of(r"C:\Program Files\CI\agent.exe", 12),
            service_installed(1, "RemoteRegistryHelper", r"C:\Program Files\V\svc.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
