//! # IPC-BASE-009: Unusual exchange right after a remote logon
//!
//! ## What it detects
//! An exchange that is not in the baseline, by a logon session that was opened from another machine less than five
//! minutes ago.
//!
//! ## Why it matters
//! An attacker who logs on with stolen credentials soon does what their owner never did.
//!
//! ## Telemetry
//! Security 4624 or auditd USER_LOGIN for the logon, any log with channels or process starts for the exchange, and a
//! baseline; inactive without one.
//!
//! ## False positives
//! Administrators who use a host for the first time: declare their hosts. Programs of Windows that set up a profile at
//! the first logon: low.
//!
//! ## References
//! Playbook L1b, Q2, Q4, E1, E4; ATT&CK T1559, T1078; DET0493 (AN1357, AN1358).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::context::explained;
use crate::memory::KnownLogon;
use crate::vocabulary::places;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-009",
    title: "Unusual exchange right after a remote logon",
    family: Family::Generic,
    techniques: &["T1559", "T1078"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ChannelCreate, ActivityKind::ProcessStart],
    telemetry: &[Source::Security, Source::Auditd],
    needs_baseline: true,
    // Maximum time since the logon.
    window: Some(Duration::from_secs(300)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    if !matches!(standing, Standing::NeverSeen | Standing::NewOnHost) {
        return None;
    }
    let client = context.subject();
    let logon = session(context, event).filter(|logon| logon.is_remote(&context.host.addresses))?;
    let soon = logon.note.time <= event.time && logon.note.time.within(context.window(), event.time);
    if !soon || predicates::is_service_principal(client.user) || explained::is_explained(context, event) {
        return None;
    }
    let from = &*logon.address;
    if context.tuning.is_admin_host(from) {
        return None;
    }
    let untrusted = predicates::is_untrusted(client);
    // Programs that Windows itself starts for a new session are of low severity.
    let of_windows = event.activity.kind() == ActivityKind::ProcessStart
        && predicates::is_windows_program_path(client.image)
        && !predicates::is_script_host(client)
        && !predicates::is_lolbin(client);
    let severity = match (untrusted, of_windows) {
        (true, _) => Severity::High,
        (false, false) => Severity::Medium,
        (false, true) => Severity::Low,
    };
    let did = match event.activity.kind() {
        ActivityKind::ProcessStart => format!("{} started {} for that account", context.parent().name(), client.name()),
        _ => format!("used {} {}", edge.mechanism.as_str(), edge.endpoint),
    };
    let text = format!(
        "{} logged on from {from} and soon after {did}, which the baseline does not know{}.",
        logon.user_name,
        if *standing == Standing::NewOnHost { " on this host" } else { "" },
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(!places::is_public(from), Reasons::LATERAL_MOVEMENT)
                .and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY)
                .and_if(logon.special, Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(edge.mechanism, edge.endpoint.clone())
        .from_machine(from)
        .because(&logon.note, format!("{} logged on (type {}) from {from}", logon.user_name, logon.kind));
    Some(evidence)
}

/// The logon of the event's process; on Unix its number is that of the audit session.
fn session<'c>(context: &Context<'c>, event: &ProcessEvent<'_>) -> Option<&'c KnownLogon> {
    let client = context.subject();
    match event.provenance.source {
        Source::Auditd => context.logon(u64::from(client.session?)),
        _ => context.logon_of(client),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const NOW: f64 = 6.0 * 86_400.0;

    fn usual(day: f64) -> Event {
        pipe_opened(day * 86_400.0, r"\app\orders").of(r"C:\Program Files\App\app.exe", 50).user("CORP", "alice")
    }

    fn odd(after: f64) -> Event {
        pipe_opened(NOW + after, r"\db\admin")
            .of(r"C:\Program Files\Tool\tool.exe", 60)
            .user("CORP", "alice")
            .logon_id(0x77)
    }

    #[test]
    fn a_new_exchange_right_after_a_remote_logon_fires() {
        let events = [logon(NOW, 10, 0x77, "alice", "10.0.0.99"), odd(60.0)];
        let found = check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons == Reasons::LATERAL_MOVEMENT));
    }

    #[test]
    fn an_unknown_program_raises_the_severity() {
        let program = odd(60.0).of(r"C:\Users\alice\t.exe", 61);
        let events = [logon(NOW, 3, 0x77, "alice", "10.0.0.99"), program];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_windows_program_started_for_the_session_is_low() {
        let broker = start(NOW + 60.0, r"C:\Windows\System32\RuntimeBroker.exe", "RuntimeBroker.exe -Embedding")
            .pid(62)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .logon_id(0x77);
        let events = [logon(NOW, 10, 0x77, "alice", "10.0.0.99"), broker];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn ten_minutes_later_and_after_a_local_logon_it_is_quiet() {
        let late = [logon(NOW, 10, 0x77, "alice", "10.0.0.99"), odd(600.0)];
        check_learned(&ANALYTIC, &learned(usual), &late, None);
        let here = [logon(NOW, 2, 0x77, "alice", ""), odd(60.0)];
        check_learned(&ANALYTIC, &learned(usual), &here, None);
    }

    #[test]
    fn an_exchange_in_the_baseline_is_quiet_after_a_logon_too() {
        let events = [logon(NOW, 10, 0x77, "alice", "10.0.0.99"), usual(6.0).logon_id(0x77)];
        check_learned(&ANALYTIC, &learned(usual), &events, None);
    }
}
