//! What a finding alone can say to the playbook's four questions, from the memory of its host.

use std::time::Duration;

use backchannel_events::{
    Answer, Answers, Indicator, Observation, Party, ProcessEvent, Reason, Reasons, Severity, Source, Timestamp, Verdict,
};

use crate::Evidence;
use crate::baseline::{Maturity, Standing};
use crate::context::explained::{DAY, names_product};
use crate::context::{Context, exchange};
use crate::memory::recent::{Change, ChangeKind, Noted};
use crate::predicates::{is_system_path, is_windows_program_path};
use crate::text::{addresses, matches};
use crate::tunables::IndicatorKind;

/// Most changes attached to a finding.
const MOST_CHANGES: usize = 8;

/// The changes of software and rights in the day before the event.
pub fn changes(context: &Context<'_>, event: &ProcessEvent<'_>) -> Vec<Observation> {
    let host = context.host;
    let before = |time| time <= event.time + Duration::from_secs(2) && event.time.within(DAY, time);
    let mut changes: Vec<Observation> = host
        .changes
        .latest_first()
        .filter(|change| before(change.note().time))
        .map(|change| change.note.observation(sentence(change)))
        .chain(host.services.latest_first().filter(|service| before(service.note().time)).map(|service| {
            service.note.observation(format!("service {} was installed: {}", service.name, service.command_line))
        }))
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.time));
    changes.truncate(MOST_CHANGES);
    changes.reverse();
    changes
}

fn sentence(change: &Change) -> String {
    match change.kind {
        ChangeKind::Software => format!("{} was installed ({})", change.object, change.subject),
        ChangeKind::Account => format!("account {} was created", change.subject),
        // Not every record names the group.
        ChangeKind::Group if change.object.is_empty() => format!("{} was added to a group", change.subject),
        ChangeKind::Group => format!("{} was added to {}", change.subject, change.object),
        ChangeKind::Right => format!("{} was granted {}", change.subject, change.object),
        ChangeKind::Permission => format!("permissions of {} were widened", change.object),
        ChangeKind::Task => format!("task {} was created: {}", change.object, change.subject),
    }
}

/// The answers as far as one finding goes, in which `changes` are the changes of the day before.
pub fn answers(
    context: &Context<'_>,
    evidence: &Evidence,
    parties: &[&Party],
    severity: Severity,
    reasons: Reasons,
    matches: &[String],
    changes: &[Observation],
) -> Answers {
    Answers {
        q1: unfamiliar(parties, reasons, matches),
        q2: deviates(context, context.event()),
        q3: explained(context, parties, changes),
        q4: meant(evidence, severity),
    }
}

fn deviates(context: &Context<'_>, event: &ProcessEvent<'_>) -> Answer {
    let Some(baseline) = context.baseline else {
        return Answer::missing(
            "No baseline was given, so nothing can be said about deviations from it.",
            &["baseline"],
        );
    };
    let exchange = match context.exchange {
        Some((_, standing)) => Some(*standing),
        None => exchange::of_event(context, event)
            .map(|edge| baseline.standing(&edge, &context.host.key, context.tuning.maturity)),
    };
    let Some(standing) = exchange else {
        return Answer::missing("The event is no exchange between two processes that a baseline could know.", &[]);
    };
    match standing {
        Standing::Immature => {
            let Maturity { days, events } = context.tuning.maturity;
            Answer::missing(
                "The baseline has seen too little of this host to say.",
                &[&format!("baseline with at least {events} observations of this host on {days} days or more")],
            )
        }
        Standing::Usual => Answer::new(Verdict::No, "The baseline knows this exchange on this host."),
        Standing::NewOnHost => {
            Answer::new(Verdict::Yes, "The baseline knows this exchange on other hosts, not on this one.")
        }
        Standing::Rare => {
            Answer::new(Verdict::Yes, "The baseline has seen this exchange on two hosts at most, on few days.")
        }
        Standing::NeverSeen => Answer::new(Verdict::Yes, "The baseline has never seen this exchange."),
    }
}

fn unfamiliar(parties: &[&Party], reasons: Reasons, matches: &[String]) -> Answer {
    if let Some(known) = matches.first() {
        return Answer::new(Verdict::Yes, format!("A known bad indicator is involved: {known}."));
    }
    if let Some(party) = parties.iter().find(|party| party.untrusted) {
        return Answer::new(
            Verdict::Yes,
            format!("{} runs from a place that users can write to ({}).", party.name, party.path),
        );
    }
    let seen: Vec<&&Party> = parties.iter().filter(|party| !party.path.is_empty()).collect();
    if reasons.contains(Reason::UnknownBinary) {
        // The programs are known; what they were given to run is not.
        let text = match seen.first() {
            Some(party) => format!("{} is a known program that is put to an unfamiliar use here.", party.name),
            None => "What takes part is not known here.".to_owned(),
        };
        return Answer::new(Verdict::Yes, text);
    }
    if seen.is_empty() {
        let text = "No record names the program, so nothing can be said about it.";
        return Answer::missing(text, &["process starts (Sysmon 1, Security 4688, auditd execve)"]);
    }
    let protected = |party: &&&Party| is_windows_program_path(&party.path) || is_system_path(&party.path);
    let text = if seen.iter().all(protected) {
        "The programs lie where only administrators can write; whether they are familiar here is not known."
    } else {
        "Nothing speaks against the programs themselves; whether they are familiar here is not known."
    };
    Answer::missing(text, &["baseline", "file signatures"])
}

/// What would show a change on such a host, and by which name an analyst knows it.
const WINDOWS_CHANGES: [(Source, &str); 3] = [
    (Source::Security, "Windows Security log (accounts, groups, rights, tasks)"),
    (Source::System, "Windows System log (services)"),
    (Source::Application, "Windows Application log (MsiInstaller)"),
];
const UNIX_CHANGES: [(Source, &str); 1] = [(Source::Auditd, "Linux audit log (accounts, rights)")];

fn explained(context: &Context<'_>, parties: &[&Party], changes: &[Observation]) -> Answer {
    let host = context.host;
    let event = context.event();
    let explaining = host.changes.latest_first().filter(|change| change.kind == ChangeKind::Software).find(|change| {
        event.time.within(DAY, change.note.time)
            && parties.iter().any(|party| names_product(&party.path, &change.object) && !party.untrusted)
    });
    if let Some(change) = explaining {
        let mut answer = Answer::new(Verdict::Yes, format!("{} was installed within the day before.", change.object));
        answer.evidence.push(change.note.observation(sentence(change)));
        return answer;
    }
    // A change that stands beside the finding explains nothing by itself: it may be a part of the attack.
    if let Some(latest) = changes.last() {
        let others = match changes.len() - 1 {
            0 => String::new(),
            1 => " and one other change".to_owned(),
            more => format!(" and {more} other changes"),
        };
        let text = format!("Changed in the day before: {}{others}. No record says whether it was meant.", latest.text);
        let mut answer = Answer::missing(text, &["the site's record of planned changes"]);
        answer.evidence = changes.to_vec();
        return answer;
    }
    let unix = [Source::Auditd, Source::Syslog, Source::EndpointSecurity].iter().any(|&source| host.has_source(source));
    let needed: &[(Source, &str)] = if unix { &UNIX_CHANGES } else { &WINDOWS_CHANGES };
    let (mut missing, mut short) = (Vec::new(), None::<(Timestamp, &str, bool)>);
    for &(source, name) in needed {
        match host.covered(source) {
            None => missing.push(name.to_owned()),
            Some(cover) if cover.since + DAY > event.time => {
                missing.push(format!("{name} before {}", cover.since));
                if short.is_none_or(|(since, ..)| cover.since > since) {
                    short = Some((cover.since, name, cover.cleared));
                }
            }
            Some(_) => {}
        }
    }
    if missing.is_empty() {
        return Answer::new(Verdict::No, "No installation or change of rights in the day before explains it.");
    }
    let text = match short {
        Some((since, name, true)) => format!(
            "No change is recorded that explains it, but the {name} was cleared at {since}: what was there before is gone."
        ),
        Some((since, name, false)) => format!(
            "No change is recorded that explains it, but the {name} is known from {since} to {} only.",
            event.time
        ),
        None => "Not every log that would show changes of software and rights is there.".to_owned(),
    };
    Answer { text, missing, ..Answer::default() }
}

fn meant(evidence: &Evidence, severity: Severity) -> Answer {
    let crossing = evidence.indicators.contains(Indicator::AbnormalFlow) || !evidence.reasons.is_empty();
    if severity >= Severity::High && crossing {
        Answer::new(Verdict::No, format!("This is not how the two work together: {}", evidence.text))
    } else {
        Answer::missing("No list says whether this pair is meant to interact.", &["baseline", "expected pairs"])
    }
}

/// Matches of the site's indicators of compromise against what a finding names.
pub fn ioc_matches(context: &Context<'_>, evidence: &Evidence, parties: &[&Party]) -> Vec<String> {
    let now = context.event().time;
    let channel = evidence.channel.as_ref();
    let hit = |kind: IndicatorKind, value: &str| match kind {
        IndicatorKind::Hash => parties
            .iter()
            .flat_map(|party| &party.hashes)
            .any(|hash| hash.split_once('=').is_some_and(|(_, digest)| digest.eq_ignore_ascii_case(value))),
        IndicatorKind::Image => parties.iter().any(|party| matches(value, &party.path) || matches(value, &party.name)),
        IndicatorKind::Channel | IndicatorKind::Clsid => channel.is_some_and(|channel| {
            matches(value, &channel.name) || matches(value, channel.name.trim_start_matches('\\'))
        }),
        IndicatorKind::Address => channel.is_some_and(|channel| addresses::is_within(&channel.peer, value)),
    };
    let indicators = context.tuning.indicators.iter();
    let valid = indicators.filter(|indicator| indicator.expires.is_none_or(|end| now <= end));
    valid
        .filter(|indicator| hit(indicator.kind, &indicator.value))
        .map(|indicator| format!("{}: {}", indicator.list, indicator.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use crate::{Detector, Tunables};

    const HOUR: f64 = 3_600.0;

    /// The third answer of a finding at the second hour of the second day, after what `logs` says was seen before.
    fn third(logs: &[Event]) -> Answer {
        let mut detector = Detector::new(Tunables::default());
        let mut answer = None;
        let finding = pipe_opened_from(26.0 * HOUR, r"\PSEXESVC", "10.9.9.9", 0x12019f).user("CORP", "ops");
        for event in logs.iter().chain([&finding]) {
            detector.evaluate(event, &mut |finding: &backchannel_events::Finding| {
                answer = Some(finding.answers.q3.clone());
            });
        }
        answer.unwrap()
    }

    /// A record that says nothing, from a source.
    fn seen(hour: f64, source: Source) -> Event {
        let mut event = event(hour * HOUR, backchannel_events::Activity::ProcessEnd);
        event.0.provenance.source = source;
        event
    }

    const LOGS: [Source; 3] = [Source::Security, Source::System, Source::Application];

    #[test]
    fn no_rests_on_every_log_of_changes_for_a_whole_day() {
        let whole = LOGS.map(|source| seen(0.0, source));
        assert_eq!(third(&whole).value, Verdict::No);
        for (nth, name) in ["Security log", "System log", "Application log"].into_iter().enumerate() {
            let mut less = whole.to_vec();
            less.remove(nth);
            let answer = third(&less);
            assert_eq!(answer.value, Verdict::Unknown);
            assert!(answer.missing.iter().any(|missing| missing.contains(name)), "{answer:?}");
        }
    }

    #[test]
    fn logs_of_hours_and_a_cleared_log_answer_nothing() {
        let answer = third(&LOGS.map(|source| seen(20.0, source)));
        assert_eq!((answer.value, answer.missing.len()), (Verdict::Unknown, 3));
        assert!(answer.text.contains("2023-11-15T18:13:20"), "{}", answer.text);
        let mut logs = LOGS.map(|source| seen(0.0, source)).to_vec();
        let cleared =
            backchannel_events::Telemetry { state: backchannel_events::TelemetryState::Cleared, details: "System" };
        let mut clearing = event(25.0 * HOUR, backchannel_events::Activity::Telemetry(cleared));
        clearing.0.provenance.source = Source::System;
        logs.push(clearing);
        let answer = third(&logs);
        assert_eq!(answer.value, Verdict::Unknown);
        assert!(answer.text.contains("was cleared"), "{}", answer.text);
    }

    #[test]
    fn a_service_that_was_installed_is_named_and_explains_nothing() {
        let mut logs = LOGS.map(|source| seen(0.0, source)).to_vec();
        logs.push(service_installed(25.0 * HOUR, "qwfgzb", r"C:\Windows\qwfgzb.exe"));
        let answer = third(&logs);
        assert_eq!(answer.value, Verdict::Unknown);
        assert!(answer.text.contains("service qwfgzb was installed") && !answer.missing.is_empty(), "{answer:?}");
    }
}
