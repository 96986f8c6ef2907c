//! An incident as one block that fits a screen: what happened, the decision, who and where, who acted on whom, the first
//! steps. Nothing is said twice in it; `--detail` shows all the rest.

use std::io::{self, Write};

use backchannel_host::report::{IncidentDocument, IncidentEnvelope, MovementDocument, ProcessOnHost, StepDocument};

use super::layout::{count, paragraph, some, span, width};
use super::{Paint, movements, plain};

/// Sentences of what happened.
const SENTENCES: usize = 2;
/// Movements drawn.
const MOVEMENTS: usize = 4;
/// Steps of containment shown.
const STEPS: usize = 5;
/// Machines, accounts and processes named.
const NAMES: usize = 5;

/// Writes the block of an incident, the `number`th of `total`.
pub(crate) fn block(
    out: &mut dyn Write,
    (number, total): (usize, usize),
    incident: &IncidentEnvelope,
    paint: &Paint,
) -> io::Result<()> {
    let document = IncidentDocument::read(&incident.document).unwrap_or_default();
    let width = width();
    let decision = if incident.tier == 2 { "escalate to Tier 2" } else { "stays with level 1" };
    let seen = span(document.first_seen, document.last_seen);
    writeln!(out, "━━ INCIDENT {number} of {total}  {}  {decision}", paint.upper(incident.severity))?;
    let mut said = Said::new(&document.movements);
    paragraph(out, "", &said.story(&plain(&document.text)), width)?;

    writeln!(out)?;
    let drawing = movements::drawing(&document.movements);
    for line in drawing.iter().take(MOVEMENTS) {
        paragraph(out, "  ", line, width)?;
    }
    if drawing.len() > MOVEMENTS {
        writeln!(out, "  and {} more", drawing.len() - MOVEMENTS)?;
    }
    if !drawing.is_empty() {
        writeln!(out)?;
    }
    field(out, "time (UTC)", &seen, width)?;
    field(out, "hosts", &some(&texts(&document.hosts), NAMES), width)?;
    field(out, "accounts", &some(&texts(&document.users), NAMES), width)?;
    field(out, "processes", &some(&processes(&document.processes), NAMES), width)?;
    field(out, "ATT&CK", &texts(&document.techniques).join(", "), width)?;
    for (at, reason) in document.reasons.iter().enumerate() {
        let text = format!("{} {}", plain(&reason.code), said.rest(&plain(&reason.text)));
        field(out, if at == 0 { "why Tier 2" } else { "" }, &text, width)?;
    }

    let mut steps: Vec<&StepDocument> = document.containment.iter().collect();
    steps.sort_by_key(|step| step.order);
    if !steps.is_empty() {
        writeln!(out, "\nFirst steps")?;
    }
    for (at, step) in steps.iter().take(STEPS).enumerate() {
        let why = said.rest(&plain(&step.why));
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let text = format!("{} {}{why}", plain(&step.action), plain(&step.target));
        paragraph(out, &format!("  {}. ", at + 1), &text, width)?;
    }
    let more = steps.len().saturating_sub(STEPS);
    let more = if more > 0 { format!("{}, ", count(more, "more step")) } else { String::new() };
    let members = match document.findings.len() {
        1 => "finding".to_owned(),
        members => count(members, "finding"),
    };
    writeln!(out)?;
    let text = format!(
        "--detail shows {more}the answers, the timeline and the {members} of incident {}.",
        plain(&incident.id)
    );
    paragraph(out, "", &text, width)?;
    writeln!(out)
}

/// What the block has said already.
#[derive(Debug, Default)]
struct Said {
    texts: Vec<String>,
    /// Names of both ends of the movements that are drawn.
    drawn: Vec<[String; 2]>,
}

impl Said {
    fn new(movements: &[MovementDocument]) -> Self {
        let name = |machine: [&String; 2]| {
            machine.into_iter().find(|name| !name.is_empty()).map(|name| name.to_lowercase()).unwrap_or_default()
        };
        let ends =
            |one: &MovementDocument| [name([&one.from.host, &one.from.address]), name([&one.to.host, &one.to.address])];
        Self { texts: Vec::new(), drawn: movements.iter().map(ends).collect() }
    }

    /// The first sentences of what happened.
    fn story(&mut self, text: &str) -> String {
        let story = sentences(text, SENTENCES);
        self.texts.push(story.to_lowercase());
        story
    }

    /// Whether a text was said in these words.
    fn has(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.texts.iter().any(|said| said.contains(&text))
    }

    /// Whether a part of a sentence was said, in words or by the drawing.
    fn knows(&self, part: &str) -> bool {
        let part = part.to_lowercase();
        let is_drawn = || {
            part.contains(" acted on ")
                && self.drawn.iter().any(|ends| ends.iter().all(|name| part.contains(name.as_str())))
        };
        self.has(&part) || is_drawn()
    }

    /// `text` without those of its parts behind a colon that were said before; nothing where all of it was.
    fn rest(&mut self, text: &str) -> String {
        let rest = text.trim_end_matches('.');
        if self.has(rest) {
            return String::new();
        }
        let (lead, tail) = rest.split_once(": ").map_or(("", rest), |(lead, tail)| (lead, tail));
        let unsaid = if self.has(tail) {
            String::new()
        } else {
            tail.split("; ").filter(|part| !self.knows(part)).collect::<Vec<_>>().join("; ")
        };
        self.texts.push(rest.to_lowercase());
        match (lead, unsaid.as_str()) {
            ("", unsaid) => unsaid.to_owned(),
            (lead, "") => lead.to_owned(),
            (lead, unsaid) => format!("{lead}: {unsaid}"),
        }
    }
}

/// The first `most` sentences about what happened; those about the decision, the movements and the number of findings
/// stand elsewhere.
/// A sentence ends with a full stop before a blank and a capital letter or a digit.
fn sentences(text: &str, most: usize) -> String {
    let starts = |rest: &str| rest.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit());
    let mut all = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(". ").filter(|(at, _)| starts(&text[at + 2..])) {
        all.push(&text[from..=at]);
        from = at + 2;
    }
    all.push(&text[from..]);
    let elsewhere = |sentence: &&str| {
        let leads = ["It goes to Tier", "It stays with level", "Between machines:"];
        leads.iter().any(|lead| sentence.starts_with(lead)) || counts(sentence)
    };
    let story: Vec<&str> = all.into_iter().filter(|sentence| !elsewhere(sentence)).take(most).collect();
    story.join(" ")
}

/// Whether a sentence only says how many findings there are: `4 further findings belong to it.`
fn counts(sentence: &str) -> bool {
    let number = sentence.split(' ').next().unwrap_or_default();
    (number == "One" || number.parse::<u32>().is_ok()) && sentence.contains(" further finding")
}

fn texts(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| plain(text)).collect()
}

/// Names and pids, with the machine where there are several.
fn processes(list: &[ProcessOnHost]) -> Vec<String> {
    let several = list.iter().any(|one| one.host != list[0].host);
    let named = list.iter().filter(|one| !one.process.name.is_empty());
    let name = |one: &ProcessOnHost| {
        let pid = one.process.pid.map_or_else(String::new, |pid| format!(" ({pid})"));
        let host = if several { format!(" on {}", plain(&one.host)) } else { String::new() };
        format!("{}{pid}{host}", plain(&one.process.name))
    };
    named.map(name).collect()
}

fn field(out: &mut dyn Write, name: &str, value: &str, width: usize) -> io::Result<()> {
    if value.is_empty() { Ok(()) } else { paragraph(out, &format!("  {name:<11} "), value, width) }
}

#[cfg(test)]
mod tests {
    use backchannel_host::report::ReasonDocument;

    use super::*;
    use crate::cli::Colour;

    #[test]
    fn a_story_has_two_sentences_and_paths_do_not_end_one() {
        let text =
            r"On ws01: a.exe wrote C:\a. exe and left. Its server takes a token. 4 further findings belong to it.";
        assert_eq!(sentences(text, 2), r"On ws01: a.exe wrote C:\a. exe and left. Its server takes a token.");
        assert_eq!(sentences("One only", 2), "One only");
        assert_eq!(sentences("On ws01: it ran. It goes to Tier 2 (E1).", 2), "On ws01: it ran.");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let mut said = Said::default();
        said.story("On ws01: cmd.exe ran.");
        assert_eq!(said.rest("signs of E1: cmd.exe ran."), "signs of E1");
        assert_eq!(said.rest("signs of E2: mmc.exe was called."), "signs of E2: mmc.exe was called");
        assert_eq!(said.rest("signs of E4: mmc.exe was called."), "signs of E4");
        assert_eq!(said.rest("mmc.exe was called"), "");
        let mut movement = MovementDocument::default();
        movement.from.host = "ws02".into();
        movement.to.address = "10.0.0.1".into();
        let mut said = Said::new(&[movement]);
        let step = "ws02 (10.0.0.2) acted on ws01 (10.0.0.1) over DCOM; reset the password";
        assert_eq!(said.rest(step), "reset the password");
        assert_eq!(said.rest("signs of E4: ws02 acted on 10.0.0.1 over RPC."), "signs of E4");
    }

    #[test]
    fn a_block_has_each_reason_once_and_five_steps_at_most_and_fits_its_width() {
        let sentence = "mmc.exe was called from 10.0.0.1 and cmd.exe started in the same moment";
        let reason = |code: &str, head: &str| ReasonDocument {
            code: code.into(),
            text: format!("{head}: {sentence}."),
            findings: vec!["0a".into()],
        };
        let step = |order: u32| StepDocument {
            action: "isolate".into(),
            target: format!("ws{order}"),
            order,
            why: sentence.into(),
            breaks: String::new(),
        };
        let document = IncidentDocument {
            text: format!("On ws01: {sentence}. It goes to Tier 2 (E2, E4). More."),
            reasons: vec![reason("E2", "signs of a broker"), reason("E4", "signs of movement")],
            containment: (1..=7).map(step).collect(),
            findings: vec!["0a".into()],
            ..IncidentDocument::default()
        };
        let envelope = IncidentEnvelope {
            id: "0a".into(),
            revision: 1,
            severity: backchannel_host::Severity::High,
            tier: 2,
            document: serde_json::to_string(&document).unwrap(),
        };
        let mut out = Vec::new();
        block(&mut out, (1, 1), &envelope, &Paint::choose(Colour::Never)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(flat.matches(sentence).count(), 1, "{text}");
        assert!(flat.contains("why Tier 2 E2 signs of a broker E4 signs of movement First steps"), "{text}");
        assert!(flat.contains("5. isolate ws5 --detail shows 2 more steps, the answers"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= width()), "{text}");
    }
}
