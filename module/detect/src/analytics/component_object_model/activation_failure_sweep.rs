//! # IPC-DCOM-003: Sweep of failed DCOM activations
//!
//! ## What it detects
//! One local program that failed to reach COM on five or more machines within ten minutes, or one machine that was
//! refused three or more classes here within five minutes.
//!
//! ## Why it matters
//! Tools that try DCOM on many machines, or one class after another until access is granted, leave this trace. The
//! third form, one source refused on many hosts, needs the records of several hosts and is detected by the correlator.
//!
//! ## Telemetry
//! System log, DistributedCOM 10028, 10009, 10006, 10016 and related errors.
//!
//! ## False positives
//! Vulnerability scanners and inventory (admin hosts are not reported); the power failure of a whole site makes every
//! agent fail at once.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1018, T1046; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::memory::{Note, Tally};
use crate::text::{contains, lower};
use crate::{Analytic, Context, Evidence, Family, Threshold};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-003",
    title: "Sweep of failed DCOM activations",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1018", "T1046"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ComActivation],
    telemetry: &[Source::DistributedCom],
    thresholds: &[TARGETS, CLASSES],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Number of machines that one program failed to reach for a sweep.
const TARGETS: Threshold = Threshold {
    name: "targets",
    default: 5,
    least: 2,
    most: 64,
    about: "machines that one program fails to reach within ten minutes",
};
/// Time within which targets are counted.
const TARGETS_WITHIN: Duration = Duration::from_secs(600);
/// Number of classes refused to one caller for a sweep.
const CLASSES: Threshold = Threshold {
    name: "classes",
    default: 3,
    about: "classes that one machine is refused within five minutes",
    ..TARGETS
};
/// Time within which classes are counted.
const CLASSES_WITHIN: Duration = Duration::from_secs(300);
/// Maximum number of targets or classes listed in a finding.
const NAMED: usize = 8;

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ComActivation(com) = &event.activity else { return None };
    if !com.remote || com.peer.is_empty() || contains(com.peer, "LRPC") {
        return None;
    }
    let (mut actor, mut what) = (String::new(), String::new());
    let (tally, actor, what, window, many) = if com.outbound {
        let image = lower(event.process.image, &mut actor);
        (Tally::DcomTargetsByRequester, image, lower(com.peer, &mut what), TARGETS_WITHIN, &TARGETS)
    } else {
        let peer = lower(com.peer, &mut actor);
        (Tally::DcomClassesByPeer, peer, lower(com.clsid, &mut what), CLASSES_WITHIN, &CLASSES)
    };
    if what.is_empty() || context.tuning.may_call(com.peer) && !com.outbound {
        return None;
    }
    let mut earlier = context.host.tallies.distinct(tally, actor, event.time, window);
    earlier.retain(|(known, _)| !known.is_empty() && *known != what);
    if earlier.len() + 1 < context.threshold(many) as usize {
        return None;
    }
    let names: Vec<&str> = earlier.iter().map(|(name, _)| *name).chain([what]).take(NAMED).collect();
    let names = names.join(", ");
    let (count, minutes) = (earlier.len() + 1, window.as_secs() / 60);
    let evidence = if com.outbound {
        let requester = context.subject();
        let who = if requester.image.is_empty() { "A program" } else { requester.name() };
        let text = format!(
            "{who} failed to activate COM classes on {count} machines within {minutes} minutes ({names}): it sweeps \
             the network."
        );
        sweep(text, &earlier, "activation failed on")
            .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
            .client(requester)
            .channel(Mechanism::Dcom, "")
    } else {
        let text = format!(
            "{} was refused {count} COM classes within {minutes} minutes ({names}): it tries one after the other.",
            com.peer
        );
        let elsewhere = !context.host.addresses.is_own(com.peer);
        sweep(text, &earlier, "refused class")
            .reasons(Reasons::DCOM_EXPLOITATION.and_if(elsewhere, Reasons::LATERAL_MOVEMENT))
            .channel(Mechanism::Dcom, "")
            .to_machine(com.peer)
    };
    Some(evidence)
}

fn sweep(text: String, earlier: &[(&str, &Note)], what: &str) -> Evidence {
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::DCOM_EVENT));
    earlier.iter().take(NAMED).fold(evidence, |evidence, (name, note)| evidence.because(note, format!("{what} {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    const REFUSED: [&str; 3] = [
        "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}",
        "{9BA05972-F6A8-11CF-A442-00A0C90A8F39}",
        "{00024500-0000-0000-C000-000000000046}",
    ];
    const MACHINES: [&str; 5] = ["ws02", "ws03", "ws04", "ws05", "ws06"];
    const TOOL: &str = r"C:\Program Files\Tool\tool.exe";

    fn sweep_of(targets: &[&'static str], apart: f64) -> Vec<Event> {
        let failed =
            |(i, &target): (usize, &&'static str)| com_unreachable(i as f64 * apart, REFUSED[0], target).of(TOOL, 7400);
        targets.iter().enumerate().map(failed).collect()
    }

    #[test]
    fn five_machines_in_ten_minutes_fire() {
        let findings = check(&ANALYTIC, &sweep_of(&MACHINES, 60.0), Some((Severity::High, Confidence::High)));
        assert!(findings[0].text.contains("5 machines") && findings[0].text.contains("ws02"));
        assert_eq!(findings[0].evidence.len(), 5);
    }

    #[test]
    fn four_machines_or_the_same_one_again_are_quiet() {
        check(&ANALYTIC, &sweep_of(&["ws02", "ws03", "ws04", "ws05", "ws05"], 60.0), None);
    }

    #[test]
    fn five_machines_in_an_hour_are_quiet() {
        check(&ANALYTIC, &sweep_of(&MACHINES, 700.0), None);
    }

    #[test]
    fn three_classes_from_one_machine_fire() {
        let events: Vec<Event> =
            REFUSED.iter().enumerate().map(|(i, class)| com_refused(i as f64, class, "10.0.0.9")).collect();
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        let tuning = Tunables { admin_hosts: vec!["10.0.0.9".into()], ..Tunables::default() };
        check_tuned(&ANALYTIC, &events, tuning, None);
    }

    #[test]
    fn three_classes_from_three_machines_are_quiet() {
        let peers = ["10.0.0.7", "10.0.0.8", "10.0.0.9"];
        let events: Vec<Event> = REFUSED
            .iter()
            .zip(peers)
            .enumerate()
            .map(|(i, (class, peer))| com_refused(i as f64, class, peer))
            .collect();
        check(&ANALYTIC, &events, None);
    }
}
