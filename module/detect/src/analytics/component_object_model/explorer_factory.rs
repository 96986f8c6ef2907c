//! # IPC-COM-023: Explorer's factory process starts a script host
//!
//! ## What it detects
//! An explorer process that COM started to serve a class (`/factory,{...} -Embedding`), other than the two that serve
//! separate folder windows, starts a script host or LOLBin; high if it was activated from another machine.
//!
//! ## Why it matters
//! Programs started by files and remote callers through the shell become children of this process, which hides the
//! process that requested them.
//!
//! ## Telemetry
//! Sysmon 1; Security 4688, where the parent's command line comes from its own start record.
//!
//! ## False positives
//! Double clicks in folder windows that run in a separate process: their factories are excluded.
//!
//! ## References
//! ATT&CK T1559.001, T1566; DET0224 (AN0628).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{contains, find, guid, is_any};
use crate::{Analytic, Context, Evidence, Family, predicates};

/// Factories of separate folder windows.
const WINDOWS: [&str; 2] = ["{5BD95610-9434-43C2-886C-57852CC8A120}", "{CEFF45EE-C862-41DE-AEE2-A022C81EDA92}"];

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-023",
    title: "Explorer's factory process starts a script host",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1566"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let factory = context.parent();
    if !factory.is(&["explorer.exe"]) || !contains(factory.command_line, "-Embedding") {
        return None;
    }
    let child = context.subject();
    if !(predicates::is_script_host(child) || predicates::is_lolbin(child)) {
        return None;
    }
    let at = find(factory.command_line, "/factory,")?;
    let class = guid(factory.command_line.get(at..)?)?;
    if is_any(class, &WINDOWS) {
        return None;
    }
    let activation = context.activation_of(factory).filter(|activation| activation.is_remote());
    let severity = if activation.is_some() { Severity::High } else { Severity::Medium };
    let text = format!(
        "An explorer that serves COM class {class} started {}: this hides which process requested it.",
        child.name()
    );
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(activation.is_some(), Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT)))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(child)
        .server(factory)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    if let Some(activation) = activation {
        evidence = evidence.from_machine(&*activation.peer);
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXPLORER: &str = r"C:\Windows\explorer.exe";
    const FACTORY: &str = r"C:\Windows\explorer.exe /factory,{75DFF2B7-6936-4C06-A8BB-676A7B00B24B} -Embedding";
    const SEPARATE: &str = r"C:\Windows\explorer.exe /factory,{CEFF45EE-C862-41DE-AEE2-A022C81EDA92} -Embedding";

    #[test]
    fn a_script_from_a_factory_fires() {
        let events = [start(0, r"C:\Windows\System32\wscript.exe", "wscript.exe a.vbs").by(EXPLORER, FACTORY)];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_factory_activated_from_another_machine_is_high() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            start(1, EXPLORER, FACTORY)
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
                .user("CORP", "alice")
                .logon_id(0x5f00d)
                .pid(9),
            start(2, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x").by(EXPLORER, FACTORY).parent_pid(9),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn separate_folder_windows_are_quiet() {
        let events = [start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe").by(EXPLORER, SEPARATE)];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn an_ordinary_program_is_quiet() {
        let events = [start(0, r"C:\Program Files\A\a.exe", "a.exe").by(EXPLORER, FACTORY)];
        check(&ANALYTIC, &events, None);
    }
}
