//! Tables for people.

use std::io::{self, IsTerminal, Write};

use backchannel_host::Severity;
use backchannel_host::component::AnalyticEntry;
use backchannel_host::report::{
    FindingDocument, FindingEnvelope, IncidentDocument, IncidentEnvelope, Process, Summary,
};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, ContentArrangement, Table};

use super::layout::{count, moment, second};
use super::{Paint, cut, plain};

/// Width where it is not known: output that goes to a file.
const WIDTH: u16 = 140;
/// How much of a text is shown; the rest is in the JSON lines.
const LONGEST: usize = 600;

/// Writes findings, in the order they come.
pub(crate) fn findings(out: &mut dyn Write, list: &[&FindingEnvelope], paint: &Paint) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    let mut table = new_table(paint);
    table.set_header(["severity", "time (UTC)", "host", "analytic", "what happened"]);
    for finding in list {
        let shown = Story::of(finding);
        table.add_row([
            paint.severity(finding.severity, finding.severity.as_str()),
            Cell::new(second(finding.time)),
            Cell::new(plain(&finding.host)),
            Cell::new(plain(&finding.analytic)),
            Cell::new(shown.lines()),
        ]);
    }
    writeln!(out, "{table}")
}

/// Writes one finding as one line.
pub(crate) fn line(out: &mut dyn Write, finding: &FindingEnvelope, paint: &Paint) -> io::Result<()> {
    let shown = Story::of(finding);
    writeln!(
        out,
        "{} {} {} {} {}",
        second(finding.time),
        paint.word(finding.severity),
        plain(&finding.host),
        plain(&finding.analytic),
        shown.lines().replace('\n', " | ")
    )
}

/// Writes an incident that is new or has changed as one line.
pub(crate) fn incident_line(out: &mut dyn Write, incident: &IncidentEnvelope, paint: &Paint) -> io::Result<()> {
    let document = IncidentDocument::read(&incident.document).unwrap_or_default();
    writeln!(
        out,
        "incident {} revision {} {} tier {}: {}",
        plain(&incident.id),
        incident.revision,
        paint.word(incident.severity),
        incident.tier,
        cut(&plain(&document.text), LONGEST)
    )
}

/// How many analytics were inactive, and what was missing.
pub(crate) fn inactive(summary: &Summary) -> Option<String> {
    let baseline = summary.inactive.iter().filter(|one| one.lacks_baseline()).count();
    let logs = summary.inactive.len() - baseline;
    let mut parts = Vec::new();
    if logs > 0 {
        parts.push(format!("{logs} because their logs are not here"));
    }
    if baseline > 0 {
        parts.push(format!("{baseline} because no baseline was given"));
    }
    let all = count(summary.inactive.len(), "analytic");
    (!parts.is_empty()).then(|| format!("Inactive: {all}, {}.", parts.join(", ")))
}

/// Writes what casts doubt on a run.
pub(crate) fn warnings(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    for offset in &summary.clock_offsets {
        let (source, host) = (plain(&offset.source), plain(&offset.host));
        writeln!(out, "clock     {source} ({host}): {:+} s applied, its times are not UTC", offset.seconds)?;
    }
    if summary.late > 0 {
        writeln!(out, "late      {} events came more than two minutes out of order", summary.late)?;
    }
    let evicted: Vec<String> = summary
        .evicted
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(table, count)| format!("{table} {count}"))
        .collect();
    if !evicted.is_empty() {
        writeln!(out, "forgotten {} (bounds of memory)", plain(&evicted.join(", ")))?;
    }
    for expired in &summary.expired_settings {
        writeln!(out, "expired   {}", plain(expired))?;
    }
    if !summary.unmatched_rules.is_empty() {
        writeln!(out, "idle      allow rules that silenced nothing: {}", plain(&summary.unmatched_rules.join(", ")))?;
    }
    for empty in &summary.empty_inputs {
        writeln!(out, "empty     {}", plain(empty))?;
    }
    Ok(())
}

/// Writes the analytics that could find nothing, each with the reason.
pub(crate) fn inactive_list(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    for inactive in &summary.inactive {
        writeln!(out, "  {}: {}", plain(&inactive.analytic), plain(&inactive.reason))?;
    }
    Ok(())
}

/// Writes the account of a run in full.
pub(crate) fn summary(out: &mut dyn Write, summary: &Summary, paint: &Paint) -> io::Result<()> {
    let counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .filter_map(|severity| {
            let count = summary.findings.get(severity).copied().unwrap_or_default();
            (count > 0).then(|| format!("{count} {}", paint.word(*severity)))
        })
        .collect();
    let found = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    write!(out, "findings  {found}")?;
    if summary.records.suppressed > 0 {
        write!(out, "; {} suppressed by the site's rules", summary.records.suppressed)?;
    }
    if summary.findings_dropped > 0 {
        write!(out, "; {} more were not kept", summary.findings_dropped)?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "records   {} read, {} events evaluated, {} of no use, {} skipped",
        summary.records.read, summary.records.evaluated, summary.records.unused, summary.records.skipped
    )?;
    if let (Some(first), Some(last)) = (summary.first_time, summary.last_time) {
        writeln!(out, "time      {} to {}", moment(first), moment(last))?;
    }
    let sources: Vec<&str> = summary.sources.iter().map(String::as_str).collect();
    writeln!(out, "hosts     {}; logs: {}", summary.hosts, plain(&sources.join(", ")))?;
    if let Some(text) = inactive(summary) {
        writeln!(out, "{text}")?;
    }
    warnings(out, summary)
}

/// Writes the catalogue.
pub(crate) fn analytics(out: &mut dyn Write, list: &[AnalyticEntry], paint: &Paint) -> io::Result<()> {
    let mut table = new_table(paint);
    table.set_header(["id", "severity", "technique", "needs one of", "title"]);
    for analytic in list {
        let title =
            if analytic.experimental { format!("{} (experimental)", analytic.title) } else { analytic.title.clone() };
        table.add_row([
            Cell::new(plain(&analytic.id)),
            paint.severity(analytic.severity, analytic.severity.as_str()),
            Cell::new(plain(analytic.techniques.first().map_or("", String::as_str))),
            Cell::new(plain(&analytic.telemetry.join(", "))),
            Cell::new(plain(&title)),
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(out, "{} analytics", list.len())
}

fn new_table(paint: &Paint) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.filter(|width: &u16| *width > 0);
    if !io::stdout().is_terminal() {
        table.set_width(columns.unwrap_or(WIDTH).max(40));
    }
    if paint.has_colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
        // Without a terminal the table does not ask for the width; with one it does, and we must not lose it.
        if io::stdout().is_terminal() {
            table.set_width(Table::new().width().or(columns).unwrap_or(WIDTH));
        }
    }
    // A terminal that does not know its size says 0, and every cell would be a letter wide.
    if table.width().is_some_and(|width| width == 0) {
        table.set_width(columns.unwrap_or(WIDTH));
    }
    table
}

/// What the table needs of a finding's document.
struct Story {
    title: String,
    text: String,
    parties: String,
    count: u32,
    suppressed: String,
}

impl Story {
    fn of(finding: &FindingEnvelope) -> Self {
        let document = FindingDocument::read(&finding.document).unwrap_or_default();
        let party = |process: &Process| match process.pid {
            Some(pid) => format!("{} ({pid})", process.name),
            None => process.name.clone(),
        };
        let ends = document.client.iter().chain(&document.server).filter(|process| !process.name.is_empty());
        let mut parties = ends.map(party).collect::<Vec<_>>().join(" → ");
        let channel = document.channel.map(|channel| channel.name).unwrap_or_default();
        if !channel.is_empty() && !parties.is_empty() {
            parties.push_str(&format!(" over {channel}"));
        }
        if !document.user.is_empty() {
            parties.push_str(&format!("{}as {}", if parties.is_empty() { "" } else { " " }, document.user));
        }
        Self {
            title: document.title,
            text: document.text,
            parties,
            count: document.count,
            suppressed: document.suppressed.map(|by| by.rule).unwrap_or_default(),
        }
    }

    /// Title, sentence and parties, a line each.
    fn lines(&self) -> String {
        let mut title = self.title.clone();
        if self.count > 1 {
            title.push_str(&format!(" (×{})", self.count));
        }
        if !self.suppressed.is_empty() {
            title.push_str(&format!(" [suppressed: {}]", self.suppressed));
        }
        let lines = [title.as_str(), self.text.as_str(), self.parties.as_str()];
        let lines: Vec<String> =
            lines.iter().filter(|line| !line.is_empty()).map(|line| cut(&plain(line), LONGEST)).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use backchannel_host::Timestamp;
    use backchannel_host::report::Channel;

    use super::*;
    use crate::cli::Colour;

    fn finding(text: &str) -> FindingEnvelope {
        FindingEnvelope {
            id: "00".into(),
            analytic: "IPC-DCOM-006".into(),
            severity: Severity::High,
            confidence: backchannel_host::Confidence::High,
            time: Timestamp::from_unix(1_700_000_000, 0),
            host: "j1".into(),
            suppressed: false,
            document: serde_json::to_string(&FindingDocument {
                title: "T".into(),
                text: text.into(),
                count: 3,
                user: "CORP\\eve".into(),
                client: Some(Process { name: "a.exe".into(), pid: Some(7), ..Process::default() }),
                server: Some(Process { name: "b.exe".into(), ..Process::default() }),
                channel: Some(Channel { name: "\\pipe\\x".into(), ..Channel::default() }),
                ..FindingDocument::default()
            })
            .unwrap(),
        }
    }

    #[test]
    fn a_finding_shows_who_talked_to_whom_over_what() {
        let mut out = Vec::new();
        line(&mut out, &finding("S"), &Paint::choose(Colour::Never)).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2023-11-14 22:13:20 high j1 IPC-DCOM-006 T (×3) | S | a.exe (7) → b.exe over \\pipe\\x as CORP\\eve\n"
        );
    }

    #[test]
    fn no_escape_of_a_log_reaches_the_table() {
        let mut out = Vec::new();
        findings(&mut out, &[&finding("x\u{1b}]0;evil\u{7}y")], &Paint::choose(Colour::Never)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}"));
    }
}
