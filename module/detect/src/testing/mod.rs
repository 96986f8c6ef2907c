//! For the tests of this crate: events, `check`, and tests that need every module.

mod events;
mod site;

use backchannel_events::{Confidence, Finding, Severity};

pub use events::*;

use crate::{Analytic, Detector, Tunables};

/// Runs the events through a detector and compares the most severe finding of `analytic` with the expected one.
/// Returns its findings for a closer look.
#[track_caller]
pub fn check(analytic: &Analytic, events: &[Event], expected: Option<(Severity, Confidence)>) -> Vec<Finding> {
    check_tuned(analytic, events, Tunables::default(), expected)
}

/// As [`check`], with a site's settings.
#[track_caller]
pub fn check_tuned(
    analytic: &Analytic,
    events: &[Event],
    tuning: Tunables,
    expected: Option<(Severity, Confidence)>,
) -> Vec<Finding> {
    run(Detector::new(tuning), analytic, events, expected)
}

#[track_caller]
fn run(
    mut detector: Detector,
    analytic: &Analytic,
    events: &[Event],
    expected: Option<(Severity, Confidence)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for event in events {
        detector.evaluate(event, &mut |finding: &Finding| findings.push(finding.clone()));
    }
    detector.flush(&mut |finding: &Finding| findings.push(finding.clone()));
    findings.retain(|finding| finding.analytic == analytic.id);
    let worst = findings.iter().map(|finding| (finding.severity, finding.confidence)).max();
    assert_eq!(worst, expected, "{}: {findings:#?}", analytic.id);
    findings
}

/// As [`check`], with an experimental analytic that the site enabled.
#[track_caller]
pub fn check_on(analytic: &Analytic, events: &[Event], expected: Option<(Severity, Confidence)>) -> Vec<Finding> {
    check_tuned(analytic, events, turned_on(analytic), expected)
}

/// Settings of a site that enabled an experimental analytic.
pub fn turned_on(analytic: &Analytic) -> Tunables {
    let on = crate::AnalyticTuning { enabled: Some(true), severity: None };
    Tunables { analytics: [(analytic.id.to_owned(), on)].into(), ..Tunables::default() }
}

/// Events from which a baseline is learned: the event of `usual`, 120 times a day for five days.
pub fn learned(usual: fn(f64) -> Event) -> Vec<Event> {
    (0..600).map(|n| usual(f64::from(n) / 120.0)).collect()
}

/// As [`check`], with a baseline learned from other events.
#[track_caller]
pub fn check_learned(
    analytic: &Analytic,
    past: &[Event],
    events: &[Event],
    expected: Option<(Severity, Confidence)>,
) -> Vec<Finding> {
    check_learned_tuned(analytic, past, events, Tunables::default(), expected)
}

/// As [`check_learned`], with a site's settings for both.
#[track_caller]
pub fn check_learned_tuned(
    analytic: &Analytic,
    past: &[Event],
    events: &[Event],
    tuning: Tunables,
    expected: Option<(Severity, Confidence)>,
) -> Vec<Finding> {
    let mut learner = crate::Learner::new(tuning.clone());
    for event in past {
        learner.observe(event);
    }
    let mut detector = Detector::new(tuning);
    detector.set_baseline(learner.baseline().clone());
    run(detector, analytic, events, expected)
}
