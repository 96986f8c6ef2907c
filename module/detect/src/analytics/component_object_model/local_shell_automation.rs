//! # IPC-COM-028: A local process controls the shell through COM
//!
//! ## What it detects
//! (a) An Office program, a script host or an untrusted program looks up a class that makes another process run
//! commands (ShellWindows, ShellBrowserWindow, MMC20 ...): medium. (b) Within ten seconds the shell looks that class up
//! too and starts a script host, a LOLBin or an untrusted program: high. (c) Without object auditing: the shell starts
//! one of these on a user-writable file within 30 seconds of the opening of an Office document: medium.
//!
//! ## Why it matters
//! A macro that has the shell start its payload breaks the process tree between Office and the payload: the parent is
//! explorer, as if the user had started it.
//!
//! ## Telemetry
//! Sysmon 1, Security 4688. The look-ups of (a) and (b) are openings of `CLSID` and `AppID` keys: only a host that
//! provides typed events delivers them, because the Security log's handle records for registry keys are not read.
//!
//! ## False positives
//! Users who start scripts right after opening a document: (c) stays medium; allow by script and account.
//!
//! ## References
//! ATT&CK T1559.001, T1204.002; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RegistryOperation, Severity,
    Source,
};

use crate::context::com_registry::opened_class;
use crate::memory::recent::Noted;
use crate::text::{contains, starts_with};
use crate::vocabulary::{com, office};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

/// Maximum time between a document and the script that follows it.
const AFTER_DOCUMENT: Duration = Duration::from_secs(30);

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-028",
    title: "A local process controls the shell through COM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1204.002"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::Registry, ActivityKind::ProcessStart],
    telemetry: &[Source::Security, Source::Sysmon],
    // Maximum time between a look-up and the resulting child process.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::Registry(change) if change.operation == RegistryOperation::Open => looked_up(context, change.path),
        Activity::ProcessStart if context.parent().is(&["explorer.exe"]) => {
            let child = context.subject();
            if !(predicates::is_script_host(child) || predicates::is_lolbin(child) || predicates::is_untrusted(child)) {
                return None;
            }
            driven(context, child).or_else(|| after_document(context, child))
        }
        _ => None,
    }
}

/// (a): a suspect process looks up a class that makes other processes run commands.
fn looked_up(context: &Context<'_>, path: &str) -> Option<Evidence> {
    let class = opened_class(path)?;
    let client = context.subject();
    if !is_suspect(client) {
        return None;
    }
    let name = com::lateral_class(class).unwrap_or(class);
    let text = format!("{} looked up {name}, a COM class through which other processes run commands.", client.name());
    Some(
        Evidence::new(Severity::Medium, Confidence::Medium, text)
            .indicators(Indicators::UNEXPECTED_USE)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
            .client(client)
            .channel(Mechanism::Com, class.to_ascii_uppercase()),
    )
}

/// (b): the shell starts a child process after a suspect process looked up one of its classes.
fn driven(context: &Context<'_>, child: Actor<'_>) -> Option<Evidence> {
    let now = context.event().time;
    let lookups = &context.host.com.looked_up;
    let asked = lookups.near(now, context.window()).find(|lookup| {
        let client = Actor { image: &lookup.who.image, ..Actor::default() };
        is_suspect(client) && same_logon(lookup.who.logon_id, child.logon_id)
    })?;
    let answered = lookups
        .near(now, context.window())
        .find(|lookup| lookup.clsid == asked.clsid && is_shell(crate::text::base_name(&lookup.who.image)))?;
    let client = asked.who.process.and_then(|id| context.remembered(id)).unwrap_or_else(|| Actor {
        pid: asked.who.pid,
        image: &asked.who.image,
        logon_id: asked.who.logon_id,
        ..Actor::default()
    });
    let name = com::lateral_class(&asked.clsid).unwrap_or(&asked.clsid);
    let text = format!(
        "{} asked the shell through {name} to start {}: its real parent is hidden behind explorer.",
        client.name(),
        child.name(),
    );
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .indicators(Indicators::UNEXPECTED_USE)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(child), Reasons::UNKNOWN_BINARY))
            .client(client)
            .server(context.parent())
            .channel(Mechanism::Com, &*asked.clsid)
            .because(asked.note(), format!("{} looked up {name}", client.name()))
            .because(answered.note(), format!("the shell looked up {name}")),
    )
}

/// (c): the shell starts a user-writable script right after a document was opened.
fn after_document(context: &Context<'_>, child: Actor<'_>) -> Option<Evidence> {
    if !(predicates::is_script_host(child) || predicates::is_lolbin(child)) {
        return None;
    }
    let file = script_file(child.command_line)?;
    let now = context.event().time;
    let opened = context
        .host
        .processes
        .latest_first()
        .take_while(|process| process.note.time.within(Duration::from_secs(600), now))
        .filter(|process| process.start.is_some_and(|start| start <= now && start.within(AFTER_DOCUMENT, now)))
        .find(|process| {
            let actor = Actor::remembered(process);
            office::is_installed(actor)
                && office::document(actor.command_line).is_some()
                && same_logon(actor.logon_id, child.logon_id)
        })?;
    let editor = Actor::remembered(opened);
    let document = office::document(editor.command_line).unwrap_or("a document");
    let text = format!(
        "explorer started {} on {file} within seconds of {} opening {document}: the document may have asked for it.",
        child.name(),
        editor.name(),
    );
    Some(
        Evidence::new(Severity::Medium, Confidence::Low, text)
            .indicators(Indicators::UNEXPECTED_USE)
            .client(editor)
            .server(context.parent())
            .channel(Mechanism::Com, "shell")
            .because(&opened.note, format!("{} opened {document}", editor.name())),
    )
}

fn is_suspect(client: Actor<'_>) -> bool {
    predicates::is_office(client) || predicates::is_script_host(client) || predicates::is_untrusted(client)
}

fn is_shell(name: &str) -> bool {
    crate::text::is_any(name, &["explorer.exe", "svchost.exe"])
}

fn same_logon(one: Option<u64>, other: Option<u64>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// A user-writable file on an interpreter's command line.
fn script_file(line: &str) -> Option<&str> {
    line.split(['"', ' ', '\'', ',']).skip(1).find(|word| {
        word.contains('\\') && predicates::is_user_writable(word) && !starts_with(word, r"\\.\") && has_name(word)
    })
}

fn has_name(word: &str) -> bool {
    contains(crate::text::base_name(word), ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SHELL_WINDOWS: &str = r"HKLM\SOFTWARE\Classes\CLSID\{9BA05972-F6A8-11CF-A442-00A0C90A8F39}";
    const WORD: &str = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE";

    fn lookup(seconds: u32, path: &'static str) -> Event {
        let change = backchannel_events::RegistryChange { operation: RegistryOperation::Open, path, data: "" };
        event(seconds, Activity::Registry(change))
    }

    #[test]
    fn office_that_looks_for_shell_windows_is_medium() {
        let events = [lookup(0, SHELL_WINDOWS).of(WORD, 7)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn the_child_that_the_shell_then_starts_makes_it_high() {
        let events = [
            lookup(0, SHELL_WINDOWS).of(WORD, 7).logon_id(0x77),
            lookup(1, SHELL_WINDOWS).of(r"C:\Windows\explorer.exe", 3).logon_id(0x77),
            start(2, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x")
                .by(r"C:\Windows\explorer.exe", "explorer.exe")
                .logon_id(0x77),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings.iter().any(|finding| finding.evidence.len() == 3));
    }

    #[test]
    fn a_script_right_after_a_document_is_medium() {
        let events = [
            start(0, WORD, r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\a\inv.docm""#),
            start(12, r"C:\Windows\System32\wscript.exe", r#"wscript.exe "C:\Users\a\AppData\Roaming\x.vbs""#)
                .by(r"C:\Windows\explorer.exe", "explorer.exe"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Low)));
    }

    #[test]
    fn the_shell_s_own_look_ups_and_other_classes_are_quiet() {
        let other = r"HKLM\SOFTWARE\Classes\CLSID\{11111111-2222-3333-4444-555555555555}";
        let events = [
            lookup(0, SHELL_WINDOWS).of(r"C:\Windows\explorer.exe", 3),
            lookup(1, other).of(WORD, 7),
            start(2, r"C:\Windows\System32\cmd.exe", "cmd.exe").by(r"C:\Windows\explorer.exe", "explorer.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_script_a_minute_after_a_document_is_quiet() {
        let events = [
            start(0, WORD, r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\a\inv.docm""#),
            start(60, r"C:\Windows\System32\wscript.exe", r#"wscript.exe "C:\Users\a\x.vbs""#)
                .by(r"C:\Windows\explorer.exe", "explorer.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
