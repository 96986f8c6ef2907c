//! What happened, in order: the records that findings rest on, and what is watched around them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backchannel_events::{ActivityKind, Burst, Finding, Observation, TimelineEntry, Timestamp, WatchedEvent};

use crate::scene::{Scene, cut};

/// Most lines of a timeline.
const MOST: usize = 200;
/// Longest text of a line, in characters.
const LONGEST: usize = 400;
/// Context is shown this long before the first and after the last record of a finding.
const AROUND: Duration = Duration::from_secs(15 * 60);
/// Events crowd if more than this many fall into a minute.
const CROWD: usize = 8;
/// More than so many events of one kind by one process are one line.
const REPEATS: usize = 3;

/// The timeline, and the minutes in which much happened. What findings rest on is there whatever else there is; of the
/// context, what one process did again and again is one line with its number.
pub fn of(scene: &Scene<'_>, from: Timestamp, to: Timestamp) -> (Vec<TimelineEntry>, Vec<Burst>) {
    let mut entries: Vec<TimelineEntry> = Vec::new();
    for finding in scene.findings {
        for observation in &finding.evidence {
            if !entries.iter().any(|entry| is_same_record(&entry.observation, observation)) {
                entries.push(TimelineEntry { observation: observation.clone(), finding: finding.id.clone() });
            }
        }
    }
    let (from, to) = (from - AROUND, to + AROUND);
    let mut context: Vec<&WatchedEvent> = Vec::new();
    for event in scene.watched.iter().filter(|event| event.observation.time >= from && event.observation.time <= to) {
        let known = |seen: &Observation| is_same_record(seen, &event.observation);
        if !entries.iter().any(|entry| known(&entry.observation))
            && !context.iter().any(|other| known(&other.observation))
        {
            context.push(event);
        }
    }
    let mut all: Vec<&Observation> =
        entries.iter().map(|entry| &entry.observation).chain(context.iter().map(|event| &event.observation)).collect();
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    let bursts = bursts(&all);
    sort(&mut entries);
    entries.truncate(MOST);
    let mut around = folded(&context);
    around.truncate(MOST - entries.len());
    entries.extend(around);
    sort(&mut entries);
    for entry in &mut entries {
        entry.observation.text = cut(&entry.observation.text, LONGEST);
    }
    (entries, bursts)
}

/// The logons of the findings and around them: each record once.
pub fn logons(findings: &[&Finding], watched: &[&WatchedEvent]) -> Vec<Observation> {
    let around = watched.iter().filter(|event| event.kind == ActivityKind::Logon).map(|event| &event.observation);
    let mut logons: Vec<Observation> = Vec::new();
    for logon in findings.iter().filter_map(|finding| finding.logon.as_ref()).chain(around) {
        if !logons.iter().any(|known| is_same_record(known, logon)) {
            logons.push(logon.clone());
        }
    }
    logons.sort_by(|a, b| order(a).cmp(&order(b)));
    logons
}

fn sort(entries: &mut [TimelineEntry]) {
    entries.sort_by(|a, b| order(&a.observation).cmp(&order(&b.observation)));
}

fn order(seen: &Observation) -> (Timestamp, &str, &str, &str, &str) {
    (seen.time, &seen.host, &seen.provider, &seen.record, &seen.text)
}

/// Context with repeats folded into their first, which says how many more there are and until when.
fn folded(context: &[&WatchedEvent]) -> Vec<TimelineEntry> {
    let kind = |event: &WatchedEvent| {
        let repeats =
            !matches!(event.kind, ActivityKind::ProcessStart | ActivityKind::ProcessEnd | ActivityKind::Logon);
        repeats.then(|| (event.host.clone(), event.kind, event.observation.event_id, event.joins.clone()))
    };
    let mut of_kind: BTreeMap<_, Vec<&WatchedEvent>> = BTreeMap::new();
    for event in context {
        if let Some(kind) = kind(event) {
            of_kind.entry(kind).or_default().push(event);
        }
    }
    let mut entries = Vec::new();
    for event in context {
        let alike = kind(event).and_then(|kind| of_kind.get(&kind)).filter(|alike| alike.len() > REPEATS);
        let mut observation = event.observation.clone();
        if let Some(alike) = alike {
            let (Some(first), Some(last)) = (alike.first(), alike.last()) else { continue };
            if first.observation != event.observation {
                continue;
            }
            let text = cut(&observation.text, LONGEST / 2);
            observation.text = format!("{text} (and {} more like it until {})", alike.len() - 1, last.observation.time);
        }
        entries.push(TimelineEntry { observation, finding: String::new() });
    }
    entries
}

/// Whether two observations are of one record.
pub fn is_same_record(a: &Observation, b: &Observation) -> bool {
    a.time == b.time
        && a.event_id == b.event_id
        && a.record == b.record
        && a.provider == b.provider
        && a.line == b.line
        && (!a.record.is_empty() || a.line > 0 || a.text == b.text)
}

/// Minutes into which many events fall.
fn bursts(all: &[&Observation]) -> Vec<Burst> {
    let mut bursts: Vec<Burst> = Vec::new();
    let mut minute: Vec<&Observation> = Vec::new();
    let mut close = |minute: &mut Vec<&Observation>| {
        if let (Some(start), Some(end)) = (minute.first(), minute.last())
            && minute.len() > CROWD
        {
            let distinct: BTreeSet<&str> = minute.iter().map(|observation| observation.text.as_str()).collect();
            bursts.push(Burst {
                start: start.time,
                end: end.time,
                count: u32::try_from(minute.len()).unwrap_or(u32::MAX),
                distinct: u32::try_from(distinct.len()).unwrap_or(u32::MAX),
            });
        }
        minute.clear();
    };
    for seen in all {
        if minute.first().is_some_and(|first| !first.time.within(Duration::from_secs(60), seen.time)) {
            close(&mut minute);
        }
        minute.push(seen);
    }
    close(&mut minute);
    bursts
}
