//! # IPC-BASE-001: Exchange not in the baseline
//!
//! ## What it detects
//! Two processes that communicate over a channel although the site's baseline, learned over enough days of this host or
//! of the fleet, does not contain the pair, or contains it only with other channels (IPC-BASE-003). Programs started by
//! a broker are covered by IPC-BASE-012.
//!
//! ## Why it matters
//! It is the playbook's second question: does the pattern deviate from normal behaviour here?
//!
//! ## Telemetry
//! Any log with channels (Sysmon 17 and 18, Security 5145, auditd, Zeek and others), and a baseline; inactive without
//! one.
//!
//! ## False positives
//! New software and updates: a software installation within the preceding day explains the finding, which stays at
//! info.
//!
//! ## References
//! Playbook KI-1, Q2, Q4; ATT&CK T1559; DET0493 (AN1357, AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::context::explained;
use crate::{Analytic, Context, Evidence, Family, UserKind, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-001",
    title: "Exchange not in the baseline",
    family: Family::Generic,
    techniques: &["T1559"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Medium,
    on: &[
        ActivityKind::ChannelConnect,
        ActivityKind::ChannelCreate,
        ActivityKind::ComActivation,
        ActivityKind::RpcCall,
    ],
    telemetry: &[Source::Sysmon, Source::Security, Source::Auditd, Source::Zeek],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    if !matches!(standing, Standing::NeverSeen | Standing::NewOnHost) {
        return None;
    }
    let client = context.subject();
    let untrusted = predicates::is_untrusted(client);
    let remote = edge.user == UserKind::Remote;
    let crossing = edge.user == UserKind::Person && predicates::is_system_class(&edge.server);
    let mut weight = 2 * u8::from(untrusted) + u8::from(remote) + u8::from(crossing);
    let known_pair = context.baseline.is_some_and(|baseline| !edge.server.is_empty() && baseline.knows_pair(edge));
    if known_pair || *standing == Standing::NewOnHost {
        weight = weight.saturating_sub(1);
    }
    let mut severity = match weight {
        0 => Severity::Low,
        1 => Severity::Medium,
        2 => Severity::High,
        _ => Severity::Critical,
    };
    if explained::is_explained(context, event) {
        severity = Severity::Info;
    }
    let never = match (known_pair, standing) {
        (true, _) => "knows the two, but not over this channel",
        (_, Standing::NewOnHost) => "knows it from other hosts, not from this one",
        _ => "has never seen it",
    };
    let who = if remote { "another machine" } else { client.name() };
    let text = format!("{who} uses {} {}: the baseline {never}.", edge.mechanism.as_str(), edge.endpoint);
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

    #[test]
    fn an_unknown_program_in_a_user_s_folder_on_a_known_host_fires() {
        let odd = pipe_opened(6.0 * 86_400.0, r"\app\orders").of(r"C:\Users\alice\x.exe", 60).user("CORP", "alice");
        check_learned(&ANALYTIC, &learned(usual), &[odd], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_exchange_in_the_baseline_is_quiet() {
        check_learned(&ANALYTIC, &learned(usual), &[usual(6.0)], None);
    }

    #[test]
    fn a_host_without_a_baseline_is_quiet() {
        let elsewhere = pipe_opened(6.0 * 86_400.0, r"\app\orders").of(r"C:\Users\alice\x.exe", 60).on("ws77");
        check_learned(&ANALYTIC, &learned(usual), &[elsewhere], None);
    }

    #[test]
    fn without_a_baseline_it_is_inactive() {
        check(&ANALYTIC, &[pipe_opened(0, r"\app\orders").of(r"C:\Users\alice\x.exe", 60)], None);
    }
}
