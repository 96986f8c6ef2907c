//! Passwords and tokens are masked in everything that leaves the detector, unless the site wants to see them.

use backchannel_events::{Answer, Finding, Observation, WatchedEvent};

use crate::text::secrets::mask;

/// Masks the secrets in a finding's texts and command lines.
pub fn finding(finding: &mut Finding) {
    mask(&mut finding.text);
    for party in finding.client.iter_mut().chain(&mut finding.server) {
        mask(&mut party.command_line);
    }
    observations(&mut finding.evidence);
    observations(&mut finding.changes);
    finding.logon.iter_mut().for_each(observation);
    let answers = &mut finding.answers;
    [&mut answers.q1, &mut answers.q2, &mut answers.q3, &mut answers.q4].into_iter().for_each(answer);
}

/// Masks the secrets in an event around what is under watch.
pub fn watched(event: &mut WatchedEvent) {
    observation(&mut event.observation);
}

fn answer(answer: &mut Answer) {
    mask(&mut answer.text);
    observations(&mut answer.evidence);
}

fn observations(all: &mut [Observation]) {
    all.iter_mut().for_each(observation);
}

fn observation(one: &mut Observation) {
    mask(&mut one.text);
}
