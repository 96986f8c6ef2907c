//! # IPC-BASE-012: Unusual child of an IPC broker
//!
//! ## What it detects
//! A program started by a broker (DcomLaunch's svchost, dllhost, WmiPrvSE, services, RuntimeBroker, dbus-daemon,
//! systemd, launchd ...) for the first time on this host according to the baseline.
//!
//! ## Why it matters
//! Brokers start programs on behalf of clients of COM, WMI, D-Bus or the service manager; the set of these programs is
//! small and stable.
//!
//! ## Telemetry
//! Process starts (Sysmon 1, Security 4688, auditd execve, Endpoint Security exec), and a baseline; inactive without
//! one.
//!
//! ## False positives
//! Updates and new packaged applications: a software installation within the preceding day explains the finding.
//!
//! ## References
//! Playbook L1a, KI-1, Q4, E3; ATT&CK T1559, T1569; DET0493 (AN1357, AN1358, AN1359).

use backchannel_events::{Activity, ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::context::explained;
use crate::text::clip;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-012",
    title: "Unusual child of an IPC broker",
    family: Family::Generic,
    techniques: &["T1559", "T1569"],
    attack_analytics: &["AN1357", "AN1358", "AN1359"],
    severity: Severity::Low,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security, Source::Auditd, Source::EndpointSecurity],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    if !matches!(event.activity, Activity::ProcessStart)
        || !matches!(standing, Standing::NeverSeen | Standing::NewOnHost)
        || explained::is_explained(context, event)
    {
        return None;
    }
    let (broker, child) = (context.parent(), context.subject());
    let untrusted = predicates::is_untrusted(child);
    let severity = match (untrusted, predicates::is_script_host(child)) {
        (true, _) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Low,
    };
    let text = format!(
        "{} started {}, which the baseline has never seen it do{}: {}.",
        broker.name(),
        child.name(),
        if *standing == Standing::NewOnHost { " on this host" } else { "" },
        clip(child.command_line, 200),
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(child), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(broker)
        .server(child)
        .channel(edge.mechanism, "");
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const NOW: f64 = 6.0 * 86_400.0;
    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";

    fn child(seconds: f64, image: &'static str) -> Event {
        start(seconds, image, image).pid(60).by(SVCHOST, "svchost.exe -k DcomLaunch -p").user("CORP", "alice")
    }

    fn usual(day: f64) -> Event {
        child(day * 86_400.0, r"C:\Windows\System32\RuntimeBroker.exe")
    }

    #[test]
    fn a_program_in_a_user_s_folder_fires() {
        let events = [child(NOW, r"C:\Users\alice\AppData\Local\Temp\u.exe")];
        let found = check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::High, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons == Reasons::UNKNOWN_BINARY));
    }

    #[test]
    fn a_script_host_fires() {
        let events = [child(NOW, r"C:\Windows\System32\cscript.exe")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn an_installed_program_is_low_and_one_in_the_baseline_quiet() {
        let events = [child(NOW, r"C:\Program Files\New\new.exe")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Low, Confidence::Medium)));
        check_learned(&ANALYTIC, &learned(usual), &[usual(6.0)], None);
    }

    #[test]
    fn a_child_of_no_broker_is_quiet() {
        let shell = start(NOW, r"C:\Users\alice\u.exe", "u.exe").pid(60).by(r"C:\Windows\explorer.exe", "explorer.exe");
        check_learned(&ANALYTIC, &learned(usual), &[shell], None);
    }
}
