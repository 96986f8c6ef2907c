//! # IPC-BASE-018: Telemetry tampered with
//!
//! ## What it detects
//! The logs that this software reads are cleared or stopped, or their rules are removed: high within fifteen minutes
//! after a finding about inter-process communication on the same host; otherwise low, because it only means that IPC
//! may go unrecorded.
//!
//! ## Why it matters
//! Earlier activity is lost and later activity is not recorded: "no anomaly" on such a host means "not known".
//!
//! ## Telemetry
//! Sysmon 4 and 16; Security 1102 and System 104; auditd CONFIG_CHANGE and DAEMON records; process starts for the
//! command.
//!
//! ## False positives
//! Shutdowns, rule updates by `augenrules`, images that are cleaned before use.
//!
//! ## References
//! Playbook LOG-1 to LOG-4, E1; ATT&CK T1559, T1562.001, T1562.006, T1070.001; DET0493 (AN1357, AN1358).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Process, ProcessEvent, Reasons, Severity, Source, TelemetryState,
};

use crate::text::contains_any;
use crate::vocabulary::telemetry;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-018",
    title: "Telemetry tampered with",
    family: Family::Generic,
    techniques: &["T1559", "T1562.001", "T1562.006", "T1070.001"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::Telemetry],
    telemetry: &[Source::Sysmon, Source::Security, Source::System, Source::Auditd],
    // Maximum time between the command and its effect.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum number of processes searched for the command.
const MOST: usize = 256;
/// Logs from which channels, processes or logons are read.
const LOGS: &[&str] = &["Security", "System", "Sysmon", "PowerShell", "WMI-Activity", "Application", "RPC"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::Telemetry(change) = &event.activity else { return None };
    let unix = event.provenance.source == Source::Auditd;
    if change.state == TelemetryState::Started
        || (change.state == TelemetryState::Cleared && !contains_any(change.details, LOGS))
    {
        return None;
    }
    let command = command(context, event);
    let person = unix && is_person(&event.process);
    // Every update removes the rules one by one: only the command distinguishes it from tampering.
    if unix && change.state == TelemetryState::Changed && command.is_none() {
        return None;
    }
    let alarmed = context.host.watch.is_on(event.time);
    // A shutdown after a finding is ordinary: a command, a logged-on person or a cleared log is required.
    let on_purpose = command.is_some() || person || change.state == TelemetryState::Cleared;
    let severity = if alarmed && on_purpose { Severity::High } else { Severity::Low };
    let what = match change.state {
        TelemetryState::Cleared => format!("The log {} was cleared", change.details),
        TelemetryState::Stopped => "Logging was stopped".to_owned(),
        TelemetryState::Changed | TelemetryState::Started => {
            format!("The rules of logging were changed ({})", change.details)
        }
    };
    let client = command.map_or_else(|| context.subject(), |(actor, _)| actor);
    let how = match command {
        Some((actor, did)) => format!(" by {} of {}, which {did}", actor.name(), actor.account()),
        None if person => format!(" by somebody who logged on as {}", event.process.user.audit_id),
        None if client.account().is_empty() => String::new(),
        None => format!(" by {}", client.account()),
    };
    let after = if severity > Severity::Low { ", soon after an alarm here" } else { "" };
    let text = format!("{what}{how}{after}: what happens between processes on this host may go unseen.");
    let serious = severity >= Severity::Medium;
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(serious, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(serious && predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY),
        )
        .indicators(if serious { Indicators::UNEXPECTED_USE } else { Indicators::NONE })
        .client(client);
    if let Some(known) = command.and_then(|(actor, _)| actor.known) {
        evidence = evidence.because(&known.note, format!("{} ran: {}", known.name(), known.command_line));
    }
    Some(evidence)
}

/// Whether a person's login session caused it: the system's own scripts have root's login uid as well.
fn is_person(process: &Process<'_>) -> bool {
    let login = process.user.audit_id.parse::<u32>();
    login.is_ok_and(|uid| uid != u32::MAX && (uid != 0 || process.session.is_some()))
}

/// The command that caused it, and its effect.
fn command<'c>(context: &Context<'c>, event: &ProcessEvent<'_>) -> Option<(Actor<'c>, &'static str)> {
    let lately = context.host.processes.latest_first().take(MOST);
    lately.filter(|known| known.note.time.within(context.window(), event.time)).find_map(|known| {
        let actor = Actor::remembered(known);
        let did = telemetry::blinds(&known.image, &known.command_line)?;
        // An update of the rules empties them first.
        let update = context.parent_of(actor).is_some_and(|parent| parent.is(&["augenrules", "systemd"]));
        (!update).then_some((actor, did))
    })
}

#[cfg(test)]
mod tests {
    use backchannel_events::Telemetry;

    use super::*;
    use crate::testing::*;

    fn changed(seconds: f64, state: TelemetryState, details: &'static str) -> Event {
        event(seconds, Activity::Telemetry(Telemetry { state, details }))
    }

    fn alarm() -> Event {
        start(0, r"C:\Windows\System32\cmd.exe", r"cmd.exe /c echo abcdef > \\.\pipe\abcdef")
            .pid(40)
            .by(r"C:\Windows\System32\services.exe", "services.exe")
            .user("NT AUTHORITY", "SYSTEM")
    }

    fn clears(seconds: f64) -> [Event; 2] {
        [
            start(seconds, r"C:\Windows\System32\wevtutil.exe", "wevtutil cl Security").pid(50).user("CORP", "eve"),
            changed(seconds + 1.0, TelemetryState::Cleared, "Security"),
        ]
    }

    #[test]
    fn a_log_cleared_soon_after_a_finding_fires() {
        let [clears, cleared] = clears(300.0);
        let found = check(&ANALYTIC, &[alarm(), clears, cleared], Some((Severity::High, Confidence::Medium)));
        assert!(
            found
                .iter()
                .all(|finding| finding.reasons == Reasons::ADMINISTRATIVE_PRIVILEGES && finding.evidence.len() == 2)
        );
    }

    #[test]
    fn a_log_cleared_by_itself_is_low() {
        let found = check(&ANALYTIC, &clears(300.0), Some((Severity::Low, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons == Reasons::NONE && finding.evidence.len() == 2));
        let [clears, cleared] = clears(3_600.0);
        check(&ANALYTIC, &[alarm(), clears, cleared], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn a_person_who_stops_the_audit_and_a_shutdown_are_low() {
        let off = changed(5.0, TelemetryState::Stopped, "op=set audit_enabled=0").uids("0", "0", "1001");
        check(&ANALYTIC, &[off], Some((Severity::Low, Confidence::Medium)));
        let shutdown = changed(5.0, TelemetryState::Stopped, "Stopped");
        check(&ANALYTIC, &[alarm(), shutdown], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn an_update_of_the_rules_a_start_and_another_log_are_quiet() {
        let events = [
            start(0, "/usr/sbin/augenrules", "augenrules --load").pid(40).uids("0", "0", "1001"),
            start(1, "/usr/sbin/auditctl", "auditctl -D").pid(41).parent_pid(40).uids("0", "0", "1001"),
            changed(2.0, TelemetryState::Changed, "op=remove_rule list=4").uids("0", "0", "1001"),
            changed(3.0, TelemetryState::Started, "op=set audit_enabled=1").uids("0", "0", "1001"),
            changed(4.0, TelemetryState::Cleared, "Setup"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
