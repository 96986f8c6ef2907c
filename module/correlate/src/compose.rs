//! An incident, written from the findings of one group and the watched events around them.

use std::hash::Hasher;

use backchannel_events::{
    EscalationReason, Finding, HostParty, Incident, Level1, Mechanism, Object, Observation, Reason, Severity,
    Timestamp, WatchedEvent,
};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::identity::{Names, is_same_process};
use crate::movements::{self, began as first};
use crate::scene::{Scene, called, sentence, unique};
use crate::{answers, containment, level2, patterns, timeline};

/// Puts the findings of a group into their order: by time.
pub fn sort(findings: &mut [&Finding]) {
    findings.sort_by(|a, b| (first(a), &a.id).cmp(&(first(b), &b.id)));
}

/// The id of a group's incident, which its first finding gives.
pub fn id(findings: &[&Finding]) -> String {
    let earliest = findings.first().map_or("", |finding| &finding.id);
    let mut hasher = SipHasher13::new();
    hasher.write(b"incident");
    hasher.write(earliest.as_bytes());
    format!("{:016x}", hasher.finish128().h1)
}

/// The incident of a group whose findings are in their order, but for its id and what was told of it before.
pub fn incident(findings: &[&Finding], watched: &[&WatchedEvent], names: &Names) -> Incident {
    let scene = Scene::of(findings, watched, names);
    let patterns = patterns::of(&scene.weighty, names);
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or_default();
    let severity = if patterns.is_empty() { worst } else { Severity::Critical };
    let reasons = reasons(&scene, &patterns);
    let hosts = hosts(findings);
    let tier = if reasons.is_empty() { 1 } else { 2 };
    let first_seen = findings.iter().map(|finding| first(finding)).min().unwrap_or_default();
    let last_seen = findings.iter().map(|finding| last(finding)).max().unwrap_or_default();
    let (timeline, bursts) = timeline::of(&scene, first_seen, last_seen);
    let stopped = containment::to_stop(&scene, !reasons.is_empty());
    let mut processes: Vec<HostParty> = scene.processes.iter().cloned().collect();
    // The programs whose start a finding rests on, and the live ones that they started, take part too.
    let started = watched.iter().filter_map(|event| match &event.object {
        Object::Process { party, .. } if scene.is_evidence(event) => {
            Some(HostParty { host: event.host.clone(), party: party.clone() })
        }
        _ => None,
    });
    for process in stopped.iter().map(|(process, _)| process.clone()).chain(started) {
        let known = |other: &HostParty| other.host == process.host && is_same_process(&other.party, &process.party);
        if !processes.iter().any(known) {
            processes.push(process);
        }
    }
    let anomalies = scene.weighty.iter().map(|finding| format!("{}: {}", finding.host, finding.text));
    Incident {
        severity,
        tier,
        answers: answers::of(findings),
        users: scene.users(),
        processes,
        channels: scene.channels(),
        techniques: techniques(&scene),
        first_seen,
        last_seen,
        findings: findings.iter().map(|finding| finding.id.clone()).collect(),
        level1: Level1 {
            anomalies: unique(patterns.iter().cloned().chain(anomalies)),
            user_activity: timeline::logons(findings, watched),
            recent_changes: observations(findings.iter().flat_map(|finding| &finding.changes).cloned()),
            bursts,
            timeline,
        },
        level2: level2::of(&scene, &hosts),
        containment: containment::of(&scene, &reasons, &stopped),
        text: text(&scene, &reasons, &patterns, &hosts),
        hosts,
        patterns,
        reasons,
        movements: scene.movements,
        ..Incident::default()
    }
}

/// The hosts of the findings, each once, in their order.
fn hosts(findings: &[&Finding]) -> Vec<String> {
    unique(findings.iter().map(|finding| finding.host.clone()))
}

fn last(finding: &Finding) -> Timestamp {
    finding.evidence.last().map_or(finding.time, |observation| observation.time.max(finding.time))
}

fn observations(all: impl Iterator<Item = Observation>) -> Vec<Observation> {
    let mut all: Vec<Observation> = all.collect();
    all.sort_by(|a, b| (a.time, &a.provider, &a.text).cmp(&(b.time, &b.provider, &b.text)));
    all.dedup_by(|a, b| timeline::is_same_record(a, b));
    all
}

/// The techniques that the findings show. One that works between machines needs two of them, one of DDE needs DDE.
fn techniques(scene: &Scene<'_>) -> Vec<String> {
    let dde = |finding: &Finding| finding.channel.as_ref().is_some_and(|channel| channel.mechanism == Mechanism::Dde);
    let shown = |finding: &Finding, technique: &str| match technique {
        "T1559.002" => dde(finding),
        _ if technique.starts_with("T1021") => {
            finding.severity < Severity::Medium || movements::ends(finding, scene.names).is_some()
        }
        _ => true,
    };
    let of = |finding: &&Finding| -> Vec<String> {
        finding.techniques.iter().filter(|technique| shown(finding, technique)).cloned().collect()
    };
    let mut techniques = unique(scene.findings.iter().flat_map(of));
    if techniques.iter().all(|technique| !technique.starts_with("T1559")) {
        techniques.push("T1559".to_owned());
    }
    techniques
}

fn reasons(scene: &Scene<'_>, patterns: &[String]) -> Vec<EscalationReason> {
    let ordered = scene.worst_first();
    Reason::ALL
        .into_iter()
        .filter_map(|reason| {
            let mut carrying: Vec<&Finding> =
                ordered.iter().copied().filter(|finding| finding.reasons.contains(reason)).collect();
            let worst = *carrying.first()?;
            carrying.sort_by(|a, b| (first(a), &a.id).cmp(&(first(b), &b.id)));
            Some(EscalationReason {
                reason,
                text: why(scene, reason, worst, patterns),
                findings: carrying.iter().map(|finding| finding.id.clone()).collect(),
            })
        })
        .collect()
}

/// Why a reason holds: what of its worst finding makes it hold, and not the finding again.
fn why(scene: &Scene<'_>, reason: Reason, worst: &Finding, patterns: &[String]) -> String {
    let parties = || worst.client.iter().chain(&worst.server);
    match reason {
        Reason::AdministrativePrivileges => {
            let what = "a process with administrative privileges takes part in anomalous IPC";
            match parties().find(|party| party.privileged) {
                Some(party) => {
                    let account = scene.account(&party.user, &worst.host);
                    let account = if account.is_empty() { String::new() } else { format!(" as {account}") };
                    sentence(&format!("{what}: {} on {}{account}", called(party), worst.host))
                }
                None => sentence(&format!("{what}: {} on {}", worst.title, worst.host)),
            }
        }
        Reason::DcomExploitation => {
            let broker = "signs of an exploited COM, DCOM or other IPC broker";
            sentence(&format!("{broker}: {} on {}", worst.title, worst.host))
        }
        Reason::UnknownBinary => {
            let what = "an unknown or malicious binary uses an IPC channel";
            match parties().find(|party| party.untrusted && !party.path.is_empty()) {
                Some(party) => sentence(&format!("{what}: {} on {}", party.path, worst.host)),
                None => sentence(&format!("{what}: {} on {}", worst.title, worst.host)),
            }
        }
        Reason::LateralMovement => {
            let what = "signs of lateral movement through IPC";
            let moved: Vec<String> = scene.movements.iter().map(movements::sentence).collect();
            let mut text = match moved.as_slice() {
                [] => sentence(&format!("{what}: {}", worst.text)),
                [..] if moved.len() <= MOST_TOLD => sentence(&format!("{what}: {}", moved.join("; "))),
                _ => {
                    let told = moved.iter().take(MOST_TOLD).cloned().collect::<Vec<String>>().join("; ");
                    format!("{what}: {told}; {} further movements are listed.", moved.len() - MOST_TOLD)
                }
            };
            for pattern in patterns {
                text.push_str(&format!(" {}", sentence(pattern)));
            }
            text
        }
    }
}

/// Most movements told in a sentence.
const MOST_TOLD: usize = 4;

/// What happened, in a paragraph: the worst finding first, then who acted on whom, how many others, then the decision.
fn text(scene: &Scene<'_>, reasons: &[EscalationReason], patterns: &[String], hosts: &[String]) -> String {
    let ordered = scene.worst_first();
    let Some(worst) = ordered.first() else { return String::new() };
    let moved = match scene.movements.as_slice() {
        [] => String::new(),
        [one] => format!(" Between machines: {}.", movements::sentence(one)),
        [one, rest @ ..] => {
            let more = if rest.len() == 1 { "movement is" } else { "movements are" };
            format!(" Between machines: {}; {} further {more} listed.", movements::sentence(one), rest.len())
        }
    };
    let others = match scene.findings.len() - 1 {
        0 => String::new(),
        1 => " One further finding belongs to it.".to_owned(),
        more => format!(" {more} further findings belong to it."),
    };
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.reason.code()).collect();
    let decision = if codes.is_empty() {
        " It stays with level 1: none of the playbook's reasons to escalate holds.".to_owned()
    } else {
        format!(" It goes to Tier 2 ({}).", codes.join(", "))
    };
    let shape: String = patterns.iter().map(|pattern| format!(" {}", sentence(pattern))).collect();
    format!("On {}: {}{moved}{others}{shape}{decision}", hosts.join(", "), sentence(&worst.text))
}
