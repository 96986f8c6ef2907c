//! # IPC-DCOM-009: MMC20.Application activated
//!
//! ## What it detects
//! `mmc.exe -Embedding` started by svchost without a console file: the automation object of the Microsoft Management
//! Console.
//!
//! ## Why it matters
//! Its `ExecuteShellCommand` runs any program; it is the oldest class used for DCOM lateral movement. Users open
//! consoles with a file, never this way.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 with command line; Security 4624, also if it arrives late, gives the source machine.
//!
//! ## False positives
//! Scripts that automate the console for their own user: low if the session or the logon is known to be local.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1218.014; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation;
use crate::text::contains;
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-009",
    title: "MMC20.Application activated",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1218.014"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity.kind() == ActivityKind::ProcessStart && !is_automation(context.subject()) {
        return None;
    }
    let one = activation::told(context).into_iter().find(|one| is_automation(one.process))?;
    let console = one.process;
    let remote = one.activation.is_remote();
    let local = console.session.is_some_and(|session| session > 0)
        || context.logon_of(console).is_some_and(|logon| matches!(logon.kind, 2 | 7 | 10 | 11));
    let (severity, confidence) = match (remote, local) {
        (true, _) => (Severity::High, Confidence::High),
        (false, true) => (Severity::Low, Confidence::Medium),
        (false, false) => (Severity::Medium, Confidence::Medium),
    };
    let whence = match (remote, local) {
        (true, _) => format!("from {}", one.activation.from()),
        (false, true) => "inside the user's own session".to_owned(),
        (false, false) => "and no record says from where".to_owned(),
    };
    let text = format!(
        "The management console's automation object (MMC20.Application) was activated for {} {whence}: it can run any \
         program.",
        console.account(),
    );
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::NONE.and_if(remote, Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT)))
        .indicators(Indicators::UNEXPECTED_USE)
        .server(console)
        .channel(if remote { Mechanism::Dcom } else { Mechanism::Com }, "MMC20.Application");
    if remote {
        evidence = one.prove(context, evidence.from_machine(&*one.activation.peer));
    }
    Some(evidence)
}

fn is_automation(process: Actor<'_>) -> bool {
    process.is(&["mmc.exe"]) && contains(process.command_line, "-Embedding") && !contains(process.command_line, ".msc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn mmc(command_line: &'static str) -> Event {
        start(1, r"C:\Windows\System32\mmc.exe", command_line)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
            .user("CORP", "alice")
            .logon_id(0x5f00d)
    }

    #[test]
    fn a_remote_activation_fires_high() {
        let events = [logon(0, 3, 0x5f00d, "alice", "10.0.0.9"), mmc("mmc.exe -Embedding")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        check(&ANALYTIC, &[mmc("mmc.exe -Embedding").session(0)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_renamed_console_is_still_the_console() {
        let renamed = start(1, r"C:\Windows\System32\console.exe", "console.exe -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
            .user("CORP", "alice")
            .session(0)
            .original_name("mmc.exe");
        check(&ANALYTIC, &[renamed], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_activation_inside_a_user_s_session_is_low() {
        check(&ANALYTIC, &[mmc("mmc.exe -Embedding").session(1)], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn a_late_logon_record_makes_an_unclear_activation_high() {
        let events = [mmc("mmc.exe -Embedding"), logon(2, 3, 0x5f00d, "alice", "10.0.0.9")];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert_eq!(findings.iter().map(|finding| finding.severity).min(), Some(Severity::Medium));
    }

    #[test]
    fn an_opened_console_is_quiet() {
        check(&ANALYTIC, &[mmc(r"mmc.exe C:\Windows\system32\services.msc").session(1)], None);
        let by_hand =
            start(0, r"C:\Windows\System32\mmc.exe", "mmc.exe -Embedding").by(r"C:\Windows\explorer.exe", "x");
        check(&ANALYTIC, &[by_hand], None);
    }
}
