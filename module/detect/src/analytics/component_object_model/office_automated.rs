//! # IPC-COM-017: Script host or untrusted program starts Office through COM
//!
//! ## What it detects
//! Outlook, Excel or Word started by DcomLaunch as a COM server, within a minute of the start of a script host or
//! untrusted program in the same session that is still running.
//!
//! ## Why it matters
//! Through Outlook's objects a script reads and sends the user's mail; through Excel's and Word's it runs macros, under
//! the user's account and in Microsoft's program.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688.
//!
//! ## False positives
//! Add-ins of business software, mail-merge tools: allow by client. Office activated from another machine is
//! IPC-DCOM-011.
//!
//! ## References
//! ATT&CK T1559.001, T1114.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::{activation, com_server};
use crate::text::{contains_any, is_any};
use crate::vocabulary::{com, programs};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-017",
    title: "Script host or untrusted program starts Office through COM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1114.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // The client starts at most this long before.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let server = context.subject();
    if !server.is(&["outlook.exe", "excel.exe", "winword.exe"])
        || !contains_any(server.command_line, &["-Embedding", "/Embedding", "/automation"])
        || activation::of_start(context)?.is_remote()
    {
        return None;
    }
    let client = client(context, event, server)?;
    let text = format!(
        "{} was started through COM seconds after {} in the same session: the latter can now use the user's {}.",
        server.name(),
        client.name(),
        if server.is(&["outlook.exe"]) { "mail" } else { "documents and macros" },
    );
    let mut evidence = Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .server(server)
        .channel(Mechanism::Com, com::class_of(server));
    if let Some(known) = client.known {
        evidence = evidence.because(&known.note, format!("{} ran in that session", client.name()));
    }
    Some(evidence)
}

/// The likely client; no record contains it.
fn client<'c>(context: &Context<'c>, event: &ProcessEvent<'_>, server: Actor<'_>) -> Option<Actor<'c>> {
    let recent = context.host.processes.latest_first();
    recent
        .take_while(|process| process.note.time.within(context.window() * 4, event.time))
        .filter(|process| {
            process.end.is_none()
                && process.integrity != Integrity::System
                && process.start.is_some_and(|start| start <= event.time && start.within(context.window(), event.time))
        })
        .map(Actor::remembered)
        .find(|actor| same_session(*actor, server) && may_ask(*actor))
}

fn same_session(one: Actor<'_>, other: Actor<'_>) -> bool {
    match (one.session, other.session) {
        (Some(one), Some(other)) => one == other,
        _ => !one.user.name.is_empty() && one.user.name.eq_ignore_ascii_case(other.user.name),
    }
}

/// Interpreters that can use COM, and programs in user-writable locations, except applications that users install for
/// themselves.
fn may_ask(actor: Actor<'_>) -> bool {
    let speaks = programs::is_script_host(actor.name())
        && !is_any(actor.name(), &["cmd.exe", "bash.exe", "wsl.exe", "node.exe"]);
    speaks || (predicates::is_untrusted(actor) && com_server::product_folder(actor.image).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const OUTLOOK: &str = r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE";
    const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";

    fn outlook(seconds: u32) -> Event {
        start(seconds, OUTLOOK, r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE" -Embedding"#)
            .by(SVCHOST, "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .session(1)
            .pid(9)
    }

    #[test]
    fn outlook_after_a_script_fires() {
        let events = [start(0, POWERSHELL, "powershell.exe -File x.ps1").session(1).pid(5), outlook(8)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn an_untrusted_program_is_a_reason_to_escalate() {
        let events = [start(0, r"C:\Users\a\Downloads\x.exe", "x.exe").session(1).pid(5), outlook(8)];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn outlook_without_a_script_is_quiet() {
        let other = start(0, POWERSHELL, "powershell.exe").session(0).pid(5).user("NT AUTHORITY", "SYSTEM");
        check(&ANALYTIC, &[other, outlook(8)], None);
        check(&ANALYTIC, &[start(0, POWERSHELL, "powershell.exe").session(1).pid(5), outlook(90)], None);
    }

    #[test]
    fn outlook_that_the_user_opens_is_quiet() {
        let events = [
            start(0, POWERSHELL, "powershell.exe").session(1).pid(5),
            start(3, OUTLOOK, "OUTLOOK.EXE").by(r"C:\Windows\explorer.exe", "explorer.exe").session(1).pid(9),
        ];
        check(&ANALYTIC, &events, None);
    }
}
