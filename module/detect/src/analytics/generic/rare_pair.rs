//! # IPC-BASE-002: Exchange that is rare in the fleet
//!
//! ## What it detects
//! Two processes that communicate over a channel on at most two hosts and on fewer than three days, in a fleet with a
//! sufficiently complete baseline.
//!
//! ## Why it matters
//! An organisation's own software is seen on many machines and many days; an attacker's is not.
//!
//! ## Telemetry
//! Any log with channels (Sysmon 18, Security 5145, auditd, Zeek and others), and a baseline; inactive without one.
//!
//! ## False positives
//! Single-purpose servers, and software in its first week: low severity, raised only for programs in user-writable
//! locations.
//!
//! ## References
//! Playbook Q2, Q4, KI-1; ATT&CK T1559; DET0493 (AN1357, AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-002",
    title: "Exchange that is rare in the fleet",
    family: Family::Generic,
    techniques: &["T1559"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ComActivation, ActivityKind::RpcCall],
    telemetry: &[Source::Sysmon, Source::Security, Source::Auditd, Source::Zeek],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    if *standing != Standing::Rare {
        return None;
    }
    let client = context.subject();
    let untrusted = predicates::is_untrusted(client);
    let severity = if untrusted { Severity::Medium } else { Severity::Low };
    let text = format!(
        "{} uses {} {}, which the baseline has seen on two hosts at most and on few days.",
        client.name(),
        edge.mechanism.as_str(),
        edge.endpoint,
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(edge.mechanism, edge.endpoint.clone());
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn usual(day: f64) -> Event {
        pipe_opened(day * 86_400.0, r"\app\orders").of(r"C:\Program Files\App\app.exe", 50).user("CORP", "alice")
    }

    fn twice() -> Vec<Event> {
        let odd = |day: f64| {
            pipe_opened(day * 86_400.0, r"\app\orders").of(r"C:\Users\alice\x.exe", 60).user("CORP", "alice")
        };
        let mut events = learned(usual);
        events.push(odd(4.9));
        events.push(odd(4.95));
        events
    }

    #[test]
    fn an_exchange_seen_on_one_day_only_fires() {
        let again = pipe_opened(6.0 * 86_400.0, r"\app\orders").of(r"C:\Users\alice\x.exe", 60).user("CORP", "alice");
        check_learned(&ANALYTIC, &twice(), &[again], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_common_exchange_is_quiet() {
        check_learned(&ANALYTIC, &twice(), &[usual(6.0)], None);
    }
}
