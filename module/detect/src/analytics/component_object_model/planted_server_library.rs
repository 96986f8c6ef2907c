//! # IPC-DCOM-016: Library planted beside a COM server
//!
//! ## What it detects
//! `iertutil.dll` written to Internet Explorer's folder, or `wbemcomn.dll` to WMI's, by another machine (over a share,
//! or by the kernel on its behalf); the library loaded from there by the COM server; Internet Explorer activated as a
//! COM server after such a write. Covers IPC-DCOM-017.
//!
//! ## Why it matters
//! Neither library belongs in these folders, so the server loads the planted one instead of Windows' own. Copying the
//! file and activating the class give code execution on another machine, without a service or a task.
//!
//! ## Telemetry
//! Security 5145; Sysmon 11 (written by the kernel), 7, 1.
//!
//! ## False positives
//! None known: Windows servicing writes as TrustedInstaller, never over a share, and a signed library is not reported.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1021.002, T1574; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileChange, FileOperation, Indicators, Mechanism, ProcessEvent, Reasons,
    Severity, SignatureStatus, Source,
};

use crate::memory::recent::FileWritten;
use crate::text::{contains, ends_with};
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-016",
    title: "Library planted beside a COM server",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1021.002", "T1574"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::File, ActivityKind::ModuleLoad, ActivityKind::ProcessStart],
    telemetry: &[Source::Security, Source::Sysmon],
    // Maximum time between write and activation.
    window: Some(Duration::from_secs(900)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// A folder in which a library is planted.
struct Trap {
    /// The end of its path.
    path: &'static str,
    /// The COM servers that load it.
    servers: &'static [&'static str],
    /// The class by which they are activated.
    class: &'static str,
    /// Whether a COM start of the server is significant; WMI's server starts all the time.
    start_tells: bool,
}

const TRAPS: [Trap; 2] = [
    Trap {
        path: r"\Internet Explorer\iertutil.dll",
        servers: &["iexplore.exe", "ielowutil.exe"],
        class: "InternetExplorer.Application",
        start_tells: true,
    },
    Trap { path: r"\wbem\wbemcomn.dll", servers: &["wmiprvse.exe"], class: "WMI", start_tells: false },
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::File(file) => {
            let trap = TRAPS.iter().find(|trap| ends_with(file.path, trap.path))?;
            written(context, event, file, trap)
        }
        Activity::ModuleLoad(module) => {
            let trap = TRAPS.iter().find(|trap| ends_with(module.path, trap.path))?;
            let server = context.subject();
            if !server.is(trap.servers) || module.signature.status == SignatureStatus::Trusted {
                return None;
            }
            let text = format!("{} loaded {}, where that library does not belong", server.name(), module.path);
            Some(sprung(context, trap, server, &text))
        }
        Activity::ProcessStart => {
            let server = context.subject();
            let trap = TRAPS.iter().find(|trap| trap.start_tells && server.is(trap.servers))?;
            if !contains(server.command_line, "-Embedding") {
                return None;
            }
            planted(context, trap)?;
            let text =
                format!("{} was activated after {} had been planted in its folder", server.name(), library(trap));
            Some(sprung(context, trap, server, &text))
        }
        _ => None,
    }
}

fn written(context: &Context<'_>, event: &ProcessEvent<'_>, file: &FileChange<'_>, trap: &Trap) -> Option<Evidence> {
    let user = context.subject().user;
    let over_share = !file.share.is_empty() || !file.peer.is_empty();
    let by_kernel = is_kernel(context.subject());
    let change = !matches!(file.operation, FileOperation::Delete | FileOperation::Open) || over_share;
    if !(over_share || by_kernel) || !change || file.operation == FileOperation::Delete || user.name.ends_with('$') {
        return None;
    }
    let from = if file.peer.is_empty() { "another machine" } else { file.peer };
    let text = format!(
        "{} was written from {from}: it does not belong there, and {} will load it when {} is activated.",
        file.path,
        trap.servers.first().copied().unwrap_or_default(),
        trap.class,
    );
    // A server that had already started, because its record came first.
    let server = context.host.processes.latest_first().map(Actor::remembered).find(|server| {
        let started = server.known.and_then(|known| known.start);
        trap.start_tells
            && server.is(trap.servers)
            && contains(server.command_line, "-Embedding")
            && started.is_some_and(|start| start >= event.time && start.within(context.window(), event.time))
    });
    let severity = if server.is_some() { Severity::Critical } else { Severity::High };
    let confidence = if server.is_some() { Confidence::Certain } else { Confidence::High };
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::UNKNOWN_BINARY).and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Dcom, trap.class)
        .from_machine(file.peer);
    if let Some(server) = server {
        evidence = evidence.server(server);
        if let Some(known) = server.known {
            evidence = evidence.because(&known.note, format!("{} was activated", server.name()));
        }
    }
    Some(evidence)
}

fn sprung(context: &Context<'_>, trap: &Trap, server: Actor<'_>, text: &str) -> Evidence {
    let file = planted(context, trap);
    let (severity, confidence) =
        if file.is_some() { (Severity::Critical, Confidence::Certain) } else { (Severity::High, Confidence::High) };
    let text = format!("{text}: code was made to run through {}.", trap.class);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION.and(Reasons::UNKNOWN_BINARY).and_if(file.is_some(), Reasons::LATERAL_MOVEMENT),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .server(server)
        .channel(Mechanism::Dcom, trap.class);
    match file {
        Some(file) => {
            let from = if file.peer.is_empty() { "another machine" } else { &file.peer };
            evidence.from_machine(&*file.peer).because(&file.note, format!("{} was written from {from}", file.path))
        }
        None => evidence,
    }
}

/// The write of the planted library by another machine within the window.
fn planted<'c>(context: &Context<'c>, trap: &Trap) -> Option<&'c FileWritten> {
    let mut files = context.host.files.near(context.event().time, context.window());
    files.find(|file| {
        ends_with(&file.path, trap.path)
            && (!file.peer.is_empty() || file.who.pid == Some(4) || &*file.who.image == "System")
    })
}

fn library(trap: &Trap) -> &'static str {
    crate::text::base_name(trap.path)
}

fn is_kernel(actor: Actor<'_>) -> bool {
    actor.pid == Some(4) || actor.image.eq_ignore_ascii_case("System")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const IE: &str = r"C:\Program Files\Internet Explorer\iexplore.exe";
    const PLANTED: &str = r"C:\Program Files\Internet Explorer\iertutil.dll";

    fn activated(seconds: f64) -> Event {
        start(seconds, IE, r#""C:\Program Files\Internet Explorer\iexplore.exe" -Embedding"#).pid(90)
    }

    #[test]
    fn a_write_over_a_share_or_by_the_kernel_fires() {
        let shared = file_written_from(0, r"\\ws01\C$\Program Files\Internet Explorer\iertutil.dll", "10.0.0.9");
        let findings = check(&ANALYTIC, &[shared.user("CORP", "alice")], Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("10.0.0.9"));
        let kernel = file_created(0, r"C:\Windows\System32\wbem\wbemcomn.dll").of("System", 4);
        check(&ANALYTIC, &[kernel], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_activation_or_a_load_after_the_write_is_critical() {
        let write = file_created(0, PLANTED).of("System", 4);
        let load = loaded(61, PLANTED).of(IE, 90);
        let expected = Some((Severity::Critical, Confidence::Certain));
        check(&ANALYTIC, &[write, activated(60.0)], expected);
        check(&ANALYTIC, &[write, load], expected);
        check(&ANALYTIC, &[activated(60.0), write], expected);
    }

    #[test]
    fn a_load_alone_fires_high() {
        check(&ANALYTIC, &[loaded(0, PLANTED).of(IE, 90)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn servicing_machine_accounts_and_windows_own_library_are_quiet() {
        let events = [
            file_created(0, PLANTED).of(r"C:\Windows\WinSxS\poqexec.exe", 300),
            file_written_from(1, r"\\ws01\C$\Program Files\Internet Explorer\iertutil.dll", "10.0.0.9")
                .user("CORP", "SRV$"),
            loaded(2, r"C:\Windows\System32\iertutil.dll").of(IE, 90),
            activated(3.0),
        ];
        check(&ANALYTIC, &events[..3], None);
        check(&ANALYTIC, &[activated(0.0)], None);
        let provider = r"C:\Windows\System32\wbem\WmiPrvSE.exe";
        check(&ANALYTIC, &[loaded(0, r"C:\Windows\System32\wbemcomn.dll").of(provider, 91)], None);
    }
}
