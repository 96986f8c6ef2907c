//! # IPC-DCOM-004: Weakly authenticated DCOM activation
//!
//! ## What it detects
//! DistributedCOM 10036: another machine requested an activation below the packet-integrity level and was refused.
//! 10037 and 10038: a local program makes such requests; reported if that program is a script host or unknown,
//! otherwise noted at info as a program that needs an update.
//!
//! ## Why it matters
//! Since the hardening of 2021 the clients of Windows do not make such requests; relay tools and old exploitation
//! libraries do.
//!
//! ## Telemetry
//! System log, DistributedCOM 10036 to 10038.
//!
//! ## False positives
//! Old OPC and backup clients and appliances: a patching task instead of an alert; allow by channel or host.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1557.001; DET0224 (AN0628), DET0285 (AN0791). Microsoft KB5004442.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, ComActivation, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::memory::Tally;
use crate::text::lower;
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family, Status, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-004",
    title: "Weakly authenticated DCOM activation",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1557.001"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::Medium,
    // 10036 to 10038 are documented, but were not in any available log.
    status: Status::Experimental,
    on: &[ActivityKind::ComActivation],
    telemetry: &[Source::DistributedCom],
    // Earlier refusals of the same machine are considered for this long.
    window: Some(Duration::from_secs(900)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ComActivation(com) = &event.activity else { return None };
    match event.provenance.event_id {
        10_036 => requested_by_another_machine(context, event, com),
        10_037 | 10_038 => Some(asked_here(context, com)),
        _ => None,
    }
}

fn requested_by_another_machine(
    context: &Context<'_>,
    event: &ProcessEvent<'_>,
    com: &ComActivation<'_>,
) -> Option<Evidence> {
    if com.peer.is_empty() || context.host.addresses.is_own(com.peer) {
        return None;
    }
    let mut buffer = String::new();
    let peer = lower(com.peer, &mut buffer);
    let refused = context.host.tallies.distinct(Tally::DcomClassesByPeer, peer, event.time, context.window());
    let refused = refused.into_iter().find(|(class, _)| !class.is_empty());
    let served = context.host.processes.latest_first().find(|known| {
        known.start.is_some_and(|start| start.within(context.window(), event.time))
            && known
                .activation
                .as_ref()
                .is_some_and(|activation| activation.is_remote() && &*activation.peer == com.peer)
    });
    let severity = if refused.is_some() || served.is_some() { Severity::High } else { Severity::Medium };
    let who = context.subject().account();
    let text = format!(
        "{} at {} asked for a DCOM activation without packet integrity, as relay tools do, and was refused.",
        if who.is_empty() { "Somebody" } else { &who },
        com.peer,
    );
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE.and_if(severity >= Severity::High, Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT)),
        )
        .indicators(Indicators::DCOM_EVENT)
        .channel(Mechanism::Dcom, com.clsid)
        .from_machine(com.peer);
    if let Some((class, note)) = refused {
        evidence = evidence.because(note, format!("{} was refused class {class}", com.peer));
    }
    if let Some(known) = served {
        evidence = evidence.because(&known.note, format!("{} was activated from {}", known.name(), com.peer));
    }
    Some(evidence)
}

fn asked_here(context: &Context<'_>, com: &ComActivation<'_>) -> Evidence {
    let client = context.subject();
    let unknown = predicates::is_unknown_binary(client);
    let odd = unknown || predicates::is_script_host(client);
    let (severity, why) = if odd {
        (Severity::Medium, "a program that should not do so at all")
    } else {
        (Severity::Info, "it needs an update")
    };
    let who = if client.name().is_empty() { "A program" } else { client.name() };
    let text = format!(
        "{who} asks for COM class {} on {} without packet integrity: {why}.",
        com::describe(com.clsid),
        if com.peer.is_empty() { "another machine" } else { com.peer },
    );
    Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(odd, Reasons::DCOM_EXPLOITATION).and_if(unknown, Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::DCOM_EVENT)
        .client(client)
        .channel(Mechanism::Dcom, com.clsid)
        .to_machine(com.peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use crate::{AnalyticTuning, Tunables};

    fn switched_on() -> Tunables {
        let mut tuning = Tunables::default();
        let on = AnalyticTuning { enabled: Some(true), ..AnalyticTuning::default() };
        tuning.analytics.insert(ANALYTIC.id.to_owned(), on);
        tuning
    }

    fn weak(seconds: f64) -> Event {
        distributed_com(seconds, ComActivation { remote: true, peer: "10.0.0.9", ..ComActivation::default() }, 10_036)
    }

    fn asks(image: &'static str) -> Event {
        let com = ComActivation { remote: true, outbound: true, peer: "srv1", ..ComActivation::default() };
        distributed_com(0, com, 10_037).of(image, 70)
    }

    #[test]
    fn a_refused_remote_request_fires_and_is_higher_with_another_refusal() {
        check_tuned(&ANALYTIC, &[weak(0.0)], switched_on(), Some((Severity::Medium, Confidence::Medium)));
        let refusal = com_refused(0, "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}", "10.0.0.9");
        check_tuned(&ANALYTIC, &[refusal, weak(60.0)], switched_on(), Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_unknown_client_fires_and_an_old_one_is_noted() {
        let unknown = asks(r"C:\Users\alice\relay.exe");
        check_tuned(&ANALYTIC, &[unknown], switched_on(), Some((Severity::Medium, Confidence::Medium)));
        let old = asks(r"C:\Program Files\Opc\client.exe");
        check_tuned(&ANALYTIC, &[old], switched_on(), Some((Severity::Info, Confidence::Medium)));
    }

    #[test]
    fn it_is_low_until_the_site_enables_it() {
        let findings = check(&ANALYTIC, &[weak(0.0)], Some((Severity::Low, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
    }

    #[test]
    fn a_local_request_and_other_records_are_quiet() {
        let local = distributed_com(0, ComActivation::default(), 10_036);
        check_tuned(&ANALYTIC, &[local], switched_on(), None);
        let other = com_refused(0, "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}", "10.0.0.9");
        check_tuned(&ANALYTIC, &[other], switched_on(), None);
    }
}
