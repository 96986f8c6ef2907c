//! The default screen: a block an incident, the findings that belong to none, and the closing lines.

use std::collections::BTreeSet;
use std::io::{self, Write};

use backchannel_host::replay::Report;
use backchannel_host::report::{FindingDocument, FindingEnvelope, IncidentDocument, IncidentEnvelope, Summary};

use super::layout::{count, paragraph, second, span, thousands, width};
use super::{Paint, incident, plain, table};

/// Findings listed that belong to no incident.
const ALONE: usize = 10;

/// Writes the default screen: a block an incident, the findings that belong to none, and what was found in all.
pub(crate) fn print(
    out: &mut dyn Write,
    report: &Report,
    incidents: &[&IncidentEnvelope],
    findings: Vec<&FindingEnvelope>,
    paint: &Paint,
) -> io::Result<()> {
    let members: BTreeSet<String> = incidents
        .iter()
        .flat_map(|incident| IncidentDocument::read(&incident.document).unwrap_or_default().findings)
        .collect();
    for (at, one) in incidents.iter().enumerate() {
        incident::block(out, (at + 1, incidents.len()), one, paint)?;
    }
    let silenced = |finding: &&FindingEnvelope| finding.suppressed;
    let shown = Shown {
        incidents,
        all_incidents: report.incidents.len(),
        findings: findings.iter().filter(|finding| !silenced(finding)).count(),
        all_findings: report.findings.iter().filter(|finding| !finding.suppressed).count(),
    };
    let others: Vec<&FindingEnvelope> =
        findings.into_iter().filter(|finding| !silenced(finding) && !members.contains(&finding.id)).collect();
    alone(out, &others, paint)?;
    closing(out, shown, &report.summary)
}

/// Writes findings that belong to no incident, a line each.
fn alone(out: &mut dyn Write, list: &[&FindingEnvelope], paint: &Paint) -> io::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    // Findings that would be the same line are one.
    let mut lines: Vec<(String, String, usize)> = Vec::new();
    for finding in list {
        let title = FindingDocument::read(&finding.document).unwrap_or_default().title;
        let (word, host, analytic) = (paint.word(finding.severity), plain(&finding.host), plain(&finding.analytic));
        let text = format!("{word} {host}: {} ({analytic})", plain(&title));
        match lines.iter_mut().find(|(_, known, _)| *known == text) {
            Some((_, _, times)) => *times += 1,
            None => lines.push((second(finding.time), text, 1)),
        }
    }
    writeln!(out, "Findings in no incident")?;
    for (time, text, times) in lines.iter().take(ALONE) {
        let times = if *times > 1 { format!(", {times} times") } else { String::new() };
        paragraph(out, &format!("  {time}  "), &format!("{text}{times}"), width())?;
    }
    if lines.len() > ALONE {
        writeln!(out, "  and {} more: --detail shows them", lines.len() - ALONE)?;
    }
    writeln!(out)
}

/// What is shown of what was found.
#[derive(Clone, Copy, Debug)]
struct Shown<'a> {
    /// The incidents.
    incidents: &'a [&'a IncidentEnvelope],
    /// How many there are, those that are not shown included.
    all_incidents: usize,
    /// The findings that no rule silenced.
    findings: usize,
    /// How many there are, those that are not shown included.
    all_findings: usize,
}

/// Writes the closing lines of the default screen: what was found, in what, and what could not be found.
fn closing(out: &mut dyn Write, shown: Shown<'_>, summary: &Summary) -> io::Result<()> {
    let width = width();
    let read = |more: &str| {
        let span = match (summary.first_time, summary.last_time) {
            (Some(first), Some(last)) => format!(", {} UTC", span(first, last)),
            _ => String::new(),
        };
        let hosts = count(summary.hosts as usize, "host");
        format!("{} of {hosts} read{more}{span}", count(summary.records.read as usize, "record"))
    };
    let skipped = match summary.records.skipped {
        0 => String::new(),
        skipped => format!(", {} of them skipped", thousands(skipped)),
    };
    if shown.all_incidents == 0 && shown.all_findings == 0 {
        paragraph(out, "", &format!("Nothing was found. {}.", read(&skipped)), width)?;
    } else {
        let of = |part: usize, all: usize, what: &str| {
            if part == all { count(all, what) } else { format!("{part} of {}", count(all, what)) }
        };
        let escalated = shown.incidents.iter().filter(|incident| incident.tier == 2).count();
        let incidents = of(shown.incidents.len(), shown.all_incidents, "incident");
        let findings = of(shown.findings, shown.all_findings, "finding");
        let tier = if shown.incidents.is_empty() { String::new() } else { format!(", {escalated} to Tier 2") };
        writeln!(out, "{incidents}{tier}; {findings}")?;
        paragraph(out, "", &format!("{}.", read(&skipped)), width)?;
    }
    if summary.records.suppressed > 0 {
        let silenced = count(summary.records.suppressed as usize, "finding");
        writeln!(out, "{silenced} silenced by the site's rules.")?;
    }
    if summary.findings_dropped > 0 {
        writeln!(out, "{} not kept: there were too many.", count(summary.findings_dropped as usize, "more finding"))?;
    }
    if let Some(text) = table::inactive(summary) {
        paragraph(out, "", &format!("{text} --verbose lists them."), width)?;
    }
    table::warnings(out, summary)
}
