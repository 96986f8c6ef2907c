//! # IPC-ELEV-009: Auto-elevating program redirected through the registry
//!
//! ## What it detects
//! A handler that auto-elevating programs of Windows open (`ms-settings`, `mscfile` ...) written to the user's part of
//! the registry, or the environment variable that a scheduled task with highest rights resolves: medium. Within ten
//! minutes, one of these programs starts a program that is not part of its usual work: critical.
//!
//! ## Why it matters
//! These programs get administrative rights without a prompt and run the command found in the user's registry.
//!
//! ## Telemetry
//! Sysmon 13 or Security 4657, and Sysmon 1 or Security 4688.
//!
//! ## False positives
//! None known for `ms-settings` and `mscfile`. Other handlers are reported only if a script host, a registry editor or
//! an untrusted program writes them; packaged applications' own registrations are not reported.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001, T1546.015; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, RegistryOperation,
    Severity, Source,
};

use crate::context::{com_handlers, com_server};
use crate::text::{clip, contains, is_any};
use crate::vocabulary::elevation;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-009",
    title: "Auto-elevating program redirected through the registry",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001", "T1546.015"],
    attack_analytics: &["AN0628"],
    severity: Severity::Critical,
    on: &[ActivityKind::Registry, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between the write of a handler and its use.
    window: Some(Duration::from_secs(600)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::Registry(change) if change.operation == RegistryOperation::SetValue => {
            bent(context, change.path, change.data)
        }
        Activity::ProcessStart => steered(context, event),
        _ => None,
    }
}

fn bent(context: &Context<'_>, path: &str, data: &str) -> Option<Evidence> {
    let (class, command) = com_handlers::bent(path, data)?;
    let writer = context.subject();
    let strict = is_any(class, &["environment", "control.exe"]) || elevation::steered_handler(class)?;
    let suspect = com_server::writes_for_others(writer) || predicates::is_untrusted(writer) || writer.name().is_empty();
    let by_windows = writer.is(&["svchost.exe", "sihost.exe", "backgroundtaskhost.exe", "runtimebroker.exe"]);
    if by_windows || !(strict || suspect) {
        return None;
    }
    let who = if writer.name().is_empty() { "A process" } else { writer.name() };
    let what = if class == "environment" { "a variable of Windows' own folder" } else { class };
    let text = if matches!(command, "" | "(Empty)") {
        format!(
            "{who} emptied the handler of {what} for this user: programs of Windows that elevate themselves obey it."
        )
    } else {
        let command = clip(command, 200);
        format!(
            "{who} bent {what} for this user to \"{command}\": programs of Windows that elevate themselves obey it."
        )
    };
    let evidence =
        Evidence::new(Severity::Medium, Confidence::High, text).indicators(Indicators::UNEXPECTED_USE).client(writer);
    Some(bypass(evidence, class))
}

fn steered(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (child, parent) = (context.subject(), context.parent());
    let by_task = contains(child.command_line, r"\system32\cleanmgr.exe") && !child.is(&["cleanmgr.exe"]);
    if !by_task && !obeys(parent) {
        return None;
    }
    if elevation::is_normal_child(parent.name(), child.name())
        || matches!(child.integrity, Integrity::Untrusted | Integrity::Low | Integrity::Medium)
    {
        return None;
    }
    let handler = context
        .host
        .com
        .handlers
        .near(event.time, context.window())
        .filter(|handler| handler.note.time <= event.time)
        .find(|handler| (&*handler.class == "environment") == by_task)?;
    let writer = handler.who.process.and_then(|id| context.remembered(id)).unwrap_or_else(|| Actor {
        pid: handler.who.pid,
        image: &handler.who.image,
        ..Actor::default()
    });
    let by = if by_task { "A scheduled task" } else { parent.name() };
    let text = format!(
        "{by} started {} with administrative rights because {} had been bent for this user: nobody was asked.",
        child.name(),
        handler.class,
    );
    let evidence = Evidence::new(Severity::Critical, Confidence::High, text)
        .reasons(
            Reasons::ADMINISTRATIVE_PRIVILEGES
                .and_if(is_com(&handler.class), Reasons::DCOM_EXPLOITATION)
                .and_if(predicates::is_unknown_binary(child), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(writer)
        .server(child)
        .because(&handler.note, format!("{} was bent to \"{}\"", handler.class, handler.command));
    Some(bypass(evidence, &handler.class))
}

/// Whether what was bent is a handler that the shell opens through COM: a variable and a program's path are not.
fn is_com(class: &str) -> bool {
    !is_any(class, &["environment", "control.exe"])
}

/// The channel and the techniques of what was bent.
fn bypass(evidence: Evidence, class: &str) -> Evidence {
    if is_com(class) { evidence.channel(Mechanism::Com, class) } else { evidence.techniques(&["T1548.002"]) }
}

/// Whether the program auto-elevates and runs the command in the user's registry.
fn obeys(parent: Actor<'_>) -> bool {
    let names = [
        "fodhelper.exe",
        "computerdefaults.exe",
        "sdclt.exe",
        "control.exe",
        "eventvwr.exe",
        "compmgmtlauncher.exe",
        "slui.exe",
        "changepk.exe",
        "wsreset.exe",
        "cleanmgr.exe",
    ];
    is_any(parent.name(), &names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SETTINGS: &str = r"HKU\S-1-5-21-1_Classes\ms-settings\shell\open\command\(Default)";
    const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

    #[test]
    fn the_handler_alone_is_medium() {
        let events = [registry_set(0, SETTINGS, "cmd.exe /c x").of(POWERSHELL, 4)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn the_child_of_an_auto_elevating_program_is_critical() {
        let events = [
            registry_set(0, SETTINGS, "cmd.exe /c x").of(POWERSHELL, 4),
            start(5, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x")
                .by(r"C:\Windows\System32\fodhelper.exe", "fodhelper.exe")
                .integrity(Integrity::High),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert!(
            findings
                .iter()
                .any(|finding| finding.reasons == Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
        );
    }

    #[test]
    fn a_variable_that_a_task_resolves_fires() {
        let events = [
            registry_set(0, r"HKU\S-1-5-21-1\Environment\windir", "cmd.exe /c x &").of(POWERSHELL, 4),
            start(5, r"C:\Windows\System32\cmd.exe", r"cmd.exe /c x &\system32\cleanmgr.exe /autoclean /d C:")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k netsvcs -s Schedule")
                .integrity(Integrity::High),
        ];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn the_event_viewer_s_console_is_quiet() {
        let events = [start(0, r"C:\Windows\System32\mmc.exe", "mmc.exe eventvwr.msc")
            .by(r"C:\Windows\System32\eventvwr.exe", "eventvwr.exe")
            .integrity(Integrity::High)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn registrations_by_windows_and_by_installed_programs_are_quiet() {
        let events = [
            registry_set(0, SETTINGS, "x").of(r"C:\Windows\System32\svchost.exe", 4),
            registry_set(1, r"HKU\S-1-5-21-1_Classes\Folder\shell\vendor\command\(Default)", "vendor.exe")
                .of(r"C:\Program Files\Vendor\vendor.exe", 5),
            registry_set(2, r"HKU\S-1-5-21-1_Classes\txtfile\shell\open\command\(Default)", "x").of(POWERSHELL, 6),
        ];
        check(&ANALYTIC, &events, None);
    }
}
