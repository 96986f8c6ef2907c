//! # IPC-MAC-002: XPC service not used by the program before
//!
//! ## What it detects
//! A program other than Apple's that connects to a service of the system domain, where the baseline does not contain
//! this combination on this host, and on at most two other hosts.
//!
//! ## Why it matters
//! Applications use the same few services every day; a new one indicates new code or a new program.
//!
//! ## Telemetry
//! Endpoint Security xpc_connect (eslogger), and a baseline; inactive without one.
//!
//! ## False positives
//! Updates that bring new features: a software installation within the preceding day explains the finding.
//!
//! ## References
//! Playbook KI-1, KI-3, Q2, Q4, E1; ATT&CK T1559.003; DET0493 (AN1359).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::baseline::Standing;
use crate::context::explained;
use crate::vocabulary::macos;
use crate::{Analytic, Context, Evidence, Family, Status, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-MAC-002",
    title: "XPC service not used by the program before",
    family: Family::XpcServices,
    techniques: &["T1559.003"],
    attack_analytics: &["AN1359"],
    severity: Severity::Low,
    status: Status::Experimental,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::EndpointSecurity],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (_, standing) = context.exchange?;
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    if channel.mechanism != Mechanism::Xpc
        || channel.owner != "0"
        || !matches!(standing, Standing::NeverSeen | Standing::Rare)
    {
        return None;
    }
    let client = context.subject();
    let system = client.signer == "Apple" || macos::is_of_the_system(client.image);
    if system || macos::is_public(channel.name) || explained::is_explained(context, event) {
        return None;
    }
    let sensitive = macos::is_sensitive(channel.name);
    let severity = if sensitive { Severity::Medium } else { Severity::Low };
    let text = format!(
        "{} connected to the XPC service {}, which it was never seen to ask{}.",
        client.name(),
        channel.name,
        if sensitive { "; the service decides about rights or installations" } else { "" }
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE.and_if(sensitive || predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(Mechanism::Xpc, channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use backchannel_events::SignatureStatus;

    use super::*;
    use crate::testing::*;

    fn asked(day: f64, service: &'static str) -> Event {
        xpc_connected(day * 86_400.0, service, true)
            .of("/Applications/App.app/Contents/MacOS/App", 400)
            .signed(SignatureStatus::Trusted, "TEAMA12345")
    }

    fn usual(day: f64) -> Event {
        asked(day, "org.example.app.helper")
    }

    #[test]
    fn a_service_not_used_before_fires_low() {
        let odd = asked(6.0, "com.other.daemon");
        check_learned(&ANALYTIC, &learned(usual), &[odd], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn a_service_for_authorisation_fires() {
        let odd = asked(6.0, "com.apple.authd");
        let found = check_learned(&ANALYTIC, &learned(usual), &[odd], Some((Severity::Low, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.text.contains("decides about rights")));
    }

    #[test]
    fn services_in_the_baseline_and_common_ones_are_quiet() {
        let events = [usual(6.0), asked(6.0, "com.apple.lsd.mapdb")];
        check_learned(&ANALYTIC, &learned(usual), &events, None);
    }

    #[test]
    fn without_a_baseline_it_is_inactive() {
        check(&ANALYTIC, &[asked(6.0, "com.other.daemon")], None);
    }
}
