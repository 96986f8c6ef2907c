//! All of an incident (`--detail`): what happened, the decision, the four answers, what happened when, what to do.

use std::io::{self, Write};

use backchannel_host::report::{IncidentDocument, IncidentEnvelope, ProcessOnHost, Record, StepDocument};

use super::layout::{moment, paragraph, width};
use super::{Paint, cut, plain};

/// Lines of the timeline shown; the rest is in the JSON lines.
const TIMELINE: usize = 25;
/// Entries of each other list shown.
const ENTRIES: usize = 8;

/// Writes the page of an incident, the `number`th.
pub(crate) fn page(out: &mut dyn Write, number: usize, incident: &IncidentEnvelope, paint: &Paint) -> io::Result<()> {
    let document = IncidentDocument::read(&incident.document).unwrap_or_default();
    let texts = |texts: &[String]| -> Vec<String> { texts.iter().map(|text| plain(text)).collect() };
    let width = width();

    let decision = if incident.tier == 2 { "escalate to Tier 2" } else { "stays with level 1" };
    writeln!(out, "{} INCIDENT {number}  {}  {decision}", "━".repeat(2), paint.upper(incident.severity),)?;
    paragraph(out, "", &plain(&document.text), width)?;
    writeln!(out)?;
    field(out, "id", &format!("{} (revision {})", plain(&incident.id), incident.revision))?;
    field(out, "hosts", &texts(&document.hosts).join(", "))?;
    field(out, "accounts", &texts(&document.users).join(", "))?;
    field(out, "ATT&CK", &texts(&document.techniques).join(", "))?;
    field(out, "time (UTC)", &format!("{} to {}", moment(document.first_seen), moment(document.last_seen)))?;

    if !document.reasons.is_empty() {
        writeln!(out, "\nWhy Tier 2")?;
        for reason in &document.reasons {
            paragraph(out, &format!("  {}  ", plain(&reason.code)), &plain(&reason.text), width)?;
        }
    }

    writeln!(out, "\nQuestions")?;
    for (answer, question) in [
        (&document.answers.q1, "Unusual or unfamiliar processes?"),
        (&document.answers.q2, "Deviates from the baseline?"),
        (&document.answers.q3, "Explained by a recent change?"),
        (&document.answers.q4, "Meant to interact?"),
    ] {
        let missing = texts(&answer.missing);
        let wanting = if missing.is_empty() { String::new() } else { format!(" Missing: {}.", missing.join(", ")) };
        writeln!(out, "  {question:<34} {}", answer.value.as_str())?;
        paragraph(out, "      ", &format!("{}{wanting}", plain(&answer.text)), width)?;
    }

    let level1 = &document.level1;
    list(out, "Logons and user activity", &records(&level1.user_activity), width)?;
    list(out, "Recent changes", &records(&level1.recent_changes), width)?;

    let timeline = records(&level1.timeline);
    writeln!(out, "\nTimeline")?;
    for line in timeline.iter().take(TIMELINE) {
        paragraph(out, "  ", line, width)?;
    }
    if timeline.len() > TIMELINE {
        writeln!(out, "  ... {} more in --format jsonl", timeline.len() - TIMELINE)?;
    }
    for burst in &level1.bursts {
        let (start, end) = (moment(burst.start), moment(burst.end));
        writeln!(out, "  burst: {} events, {} different, {start} to {end}", burst.count, burst.distinct)?;
    }

    let level2 = &document.level2;
    let dossier = |one: &ProcessOnHost| {
        let ancestors = texts(&one.process.ancestors).join(" < ");
        let from = if ancestors.is_empty() { String::new() } else { format!(" < {ancestors}") };
        let pid = one.process.pid.map_or_else(String::new, |pid| format!(" ({pid})"));
        let why = plain(one.why.as_deref().unwrap_or_default());
        format!("{}: {}{pid}{from}: {why}", plain(&one.host), plain(&one.process.path))
    };
    let dossiers: Vec<String> = level2.processes.iter().map(dossier).collect();
    list(out, "For level 2: processes", &dossiers, width)?;
    list(out, "For level 2: hashes", &texts(&level2.hashes), width)?;
    list(out, "For level 2: known bad", &texts(&level2.ioc_matches), width)?;
    list(out, "For level 2: other machines", &texts(&level2.related_hosts), width)?;
    list(out, "For level 2: connections", &texts(&level2.connections), width)?;
    list(out, "For level 2: collect", &texts(&level2.collect), width)?;

    let step = |step: &StepDocument| {
        let (action, target) = (plain(&step.action), plain(&step.target));
        format!("{}. {action} {target} (why: {}; breaks: {})", step.order, plain(&step.why), plain(&step.breaks))
    };
    let steps: Vec<String> = document.containment.iter().map(step).collect();
    list(out, "Containment, in this order", &steps, width)?;
    writeln!(out)
}

fn field(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    if value.is_empty() { Ok(()) } else { writeln!(out, "  {name:<11} {value}") }
}

fn list(out: &mut dyn Write, title: &str, entries: &[String], width: usize) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for entry in entries.iter().take(ENTRIES) {
        paragraph(out, "  ", entry, width)?;
    }
    if entries.len() > ENTRIES {
        writeln!(out, "  ... {} more in --format jsonl", entries.len() - ENTRIES)?;
    }
    Ok(())
}

/// `time host what`, one line a record; what belongs to a finding is marked.
fn records(records: &[Record]) -> Vec<String> {
    let line = |record: &Record| {
        let mark = if record.finding.is_some() { "*" } else { " " };
        let host = record.host.split('.').next().unwrap_or_default();
        format!("{}{mark} {}  {}", moment(record.time), plain(host), cut(&plain(&record.text), 260))
    };
    records.iter().map(line).collect()
}
