//! Rules that every sentence of every document keeps. They look at the sentence around what it quotes from the log: a
//! command line may hold double blanks, brackets and half a quotation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use backchannel_report::{AnswerDocument, FindingDocument, Process, Record};
use regex::Regex;

use crate::documents::Documents;

/// A sentence that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// The field it stands in: `incident.reasons`.
    pub field: String,
    /// The sentence.
    pub sentence: String,
}

/// A shape that no sentence has.
struct Shape {
    rule: &'static str,
    pattern: Regex,
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape =
        |rule, pattern: &str| Shape { rule, pattern: Regex::new(pattern).expect("the patterns are well formed") };
    vec![
        shape("empty slot", r"\b(by|as|from|of|under|through)\s*(:(\s|$)|,|\.(\s|$)|;|\))"),
        shape("empty slot", r"\b(by|from|of|to|under|over|through)\s+(as|with|and|was|is|on)\b\s*[:,.;)]"),
        shape("empty slot", r":\s*:\s|^\s*:\s|:\s*$|\(\s*\)|\[\s*\]|''|,\s*,|;\s*;"),
        shape("empty slot", r"(\bfrom :0|\bport 0|\s:0)\b"),
        shape("a number where a name is known", r"\b(of|by|as|for|under|account) 0\b([\s,:;]|\.\s|$)"),
        shape("double space", r"\S {2,}\S"),
        shape("blank before a stop", r"\s[.,;](\s|$)"),
        shape("full stop inside a clause", r"[^.]\.\s*[:;,]\s|[^.]\.\.(\s|$)"),
        shape(
            "number run into a sentence",
            r"[^.!?…)\]\x22'\s]\s+\d+ further findings? belong|\bhttps?://\S*[^.\s]\s+\d+ further",
        ),
        shape("one and several", r"\b1 (further )?(findings|events|hosts|records|times|logons|processes)\b"),
        shape("several and one", r"\b([2-9]|\d{2,}) (further )?(finding|event|host|record|time|logon|process)\b"),
        shape("not filled in", r"\{\}|%s|\bNone\b|\bSome\(|undefined|\bnull\b"),
    ]
});

/// A secret on a command line that is shown: an option for it with a value that is not masked.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:/pass(?:word)?:|/u(?:ser)?:\S+\s.*/p:|--?pass(?:word)?[= ]|\b(?:password|passwd|pwd)=|-hashes\s+|\bcurl\b.*\s-u\s+\S+:)([^\s"';]+)"#,
    )
    .expect("the pattern is well formed")
});

/// All rules over all sentences.
pub fn broken(documents: &Documents) -> BTreeSet<Broken> {
    let mut check = Check { quoted: quoted(documents), broken: BTreeSet::new() };
    for finding in &documents.findings {
        check.finding(finding);
    }
    for incident in &documents.incidents {
        check.sentence("incident.text", &incident.text);
        incident.reasons.iter().for_each(|reason| check.sentence("incident.reasons", &reason.text));
        let answers = &incident.answers;
        for answer in [&answers.q1, &answers.q2, &answers.q3, &answers.q4] {
            check.answer("incident.answers", answer);
        }
        incident.patterns.iter().for_each(|text| check.sentence("incident.patterns", text));
        let level1 = &incident.level1;
        level1.anomalies.iter().for_each(|text| check.sentence("level1.anomalies", text));
        check.records("level1.user_activity", &level1.user_activity);
        check.records("level1.recent_changes", &level1.recent_changes);
        check.records("level1.timeline", &level1.timeline);
        let level2 = &incident.level2;
        for (field, texts) in [
            ("level2.ioc_matches", &level2.ioc_matches),
            ("level2.related_hosts", &level2.related_hosts),
            ("level2.connections", &level2.connections),
            ("level2.collect", &level2.collect),
        ] {
            texts.iter().for_each(|text| check.sentence(field, text));
        }
        level2
            .processes
            .iter()
            .filter_map(|one| one.why.as_ref())
            .for_each(|why| check.sentence("level2.processes", why));
        for step in &incident.containment {
            check.sentence("containment.target", &step.target);
            check.sentence("containment.why", &step.why);
            check.sentence("containment.breaks", &step.breaks);
        }
        check.counts("incident.text", &incident.text, incident.findings.len());
        for burst in level1.bursts.iter().filter(|burst| burst.distinct > burst.count) {
            check.add("counts disagree", "level1.bursts", &format!("{} of {} differ", burst.distinct, burst.count));
        }
    }
    check.names(documents);
    check.broken
}

/// What sentences quote from the log: command lines, the longest first.
fn quoted(documents: &Documents) -> Vec<String> {
    let mut quoted: BTreeSet<String> = BTreeSet::new();
    let mut of = |process: &Process| {
        for text in [&process.command_line, &process.path, &process.name] {
            if text.len() > 3 {
                quoted.insert(text.clone());
            }
        }
    };
    for finding in &documents.findings {
        finding.client.iter().chain(&finding.server).for_each(&mut of);
    }
    for incident in &documents.incidents {
        incident.processes.iter().chain(&incident.level2.processes).for_each(|one| of(&one.process));
    }
    let findings = documents.findings.iter().flat_map(|finding| &finding.evidence);
    let timelines = documents.incidents.iter().flat_map(|incident| {
        incident.level1.timeline.iter().chain(&incident.level1.user_activity).chain(&incident.level1.recent_changes)
    });
    for record in findings.chain(timelines) {
        if let (_, Some(tail)) = parts(&record.text)
            && tail.len() > 3
        {
            quoted.insert(tail.trim_end_matches('…').to_owned());
        }
    }
    let mut quoted: Vec<String> = quoted.into_iter().collect();
    quoted.sort_by_key(|text| std::cmp::Reverse(text.len()));
    quoted
}

/// What a record's sentence says itself, and what it quotes from the log: a command line, a value. That stands behind
/// the first colon, or behind `started`.
fn parts(text: &str) -> (&str, Option<&str>) {
    match (text.find(": "), text.find(" started ")) {
        (Some(colon), Some(started)) if started < colon => (&text[..started + 8], Some(&text[started + 9..])),
        (Some(colon), _) => (&text[..colon], Some(&text[colon + 2..])),
        (None, Some(started)) => (&text[..started + 8], Some(&text[started + 9..])),
        (None, None) => (text, None),
    }
}

struct Check {
    quoted: Vec<String>,
    broken: BTreeSet<Broken>,
}

impl Check {
    fn add(&mut self, rule: &'static str, field: &str, sentence: &str) {
        self.broken.insert(Broken { rule, field: field.to_owned(), sentence: sentence.to_owned() });
    }

    fn finding(&mut self, finding: &FindingDocument) {
        self.sentence("finding.title", &finding.title);
        self.sentence("finding.text", &finding.text);
        self.records("finding.evidence", &finding.evidence);
        self.records("finding.changes", &finding.changes);
        finding.logon.iter().for_each(|record| self.record("finding.logon", record));
        let answers = &finding.answers;
        for answer in [&answers.q1, &answers.q2, &answers.q3, &answers.q4] {
            self.answer("finding.answers", answer);
        }
    }

    fn answer(&mut self, field: &str, answer: &AnswerDocument) {
        self.sentence(field, &answer.text);
        self.records(field, &answer.evidence);
    }

    fn records(&mut self, field: &str, records: &[Record]) {
        records.iter().for_each(|record| self.record(field, record));
    }

    /// Of a record, what stands before the first colon is ours.
    fn record(&mut self, field: &str, record: &Record) {
        let whole = record.text.as_str();
        let (ours, log) = parts(whole);
        let around = self.around(ours);
        let around = if log.is_some() { format!("{around}: QUOTED") } else { around };
        self.shapes(field, &around, whole);
        if log.is_some_and(|log| log.trim().is_empty() || log.starts_with(':')) {
            self.add("empty slot", field, whole);
        }
        self.secrets(field, whole);
    }

    fn sentence(&mut self, field: &str, sentence: &str) {
        if sentence.is_empty() {
            // A field that may be empty is not a sentence with a hole.
            return;
        }
        let around = self.around(sentence);
        self.shapes(field, &around, sentence);
        for (rule, odd) in [
            (
                "unbalanced quotation marks",
                around.matches('"').count() % 2 == 1 || around.matches('`').count() % 2 == 1,
            ),
            ("unbalanced brackets", around.matches('(').count() != around.matches(')').count()),
        ] {
            if odd {
                self.add(rule, field, sentence);
            }
        }
        if self.cut(sentence) {
            self.add("cut without a mark", field, sentence);
        }
        self.secrets(field, sentence);
    }

    fn shapes(&mut self, field: &str, around: &str, sentence: &str) {
        for Shape { rule, pattern } in SHAPES.iter() {
            if pattern.is_match(around) {
                self.add(rule, field, sentence);
            }
        }
    }

    fn secrets(&mut self, field: &str, sentence: &str) {
        let shown = SECRET.captures_iter(sentence).filter_map(|found| found.get(1));
        let masked = |value: &str| value.starts_with(['*', '<', '[', '%', '$', '…', '•']);
        if shown.into_iter().any(|value| !masked(value.as_str())) {
            self.add("a secret is shown", field, sentence);
        }
    }

    /// The sentence with a placeholder for all that it quotes.
    fn around(&self, sentence: &str) -> String {
        // "where it came from" ends as a sentence may.
        let mut text = sentence.replace("came from", "came");
        for quoted in &self.quoted {
            if text.contains(quoted.as_str()) {
                text = text.replace(quoted.as_str(), "QUOTED");
            }
        }
        text
    }

    /// Whether a command line begins in the sentence and ends before its end, without a mark.
    fn cut(&self, sentence: &str) -> bool {
        const BEGIN: usize = 40;
        let begin = |text: &str| text.char_indices().nth(BEGIN).map(|(at, _)| text[..at].to_owned());
        let mut places: BTreeMap<usize, bool> = BTreeMap::new();
        for (quoted, begin) in self.quoted.iter().filter_map(|quoted| Some((quoted, begin(quoted)?))) {
            for (at, _) in sentence.match_indices(begin.as_str()) {
                let rest = &sentence[at..];
                let same = rest.chars().zip(quoted.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
                let next = rest[same.sum::<usize>()..].chars().next();
                let whole = rest.starts_with(quoted.as_str()) || next.is_some_and(|c| "…*<[".contains(c));
                *places.entry(at).or_default() |= whole;
            }
        }
        places.values().any(|whole| !whole)
    }

    /// `4 further findings belong to it` of an incident with five.
    fn counts(&mut self, field: &str, text: &str, findings: usize) {
        static FURTHER: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\b(One|\d+) (?:further|more|other) findings?\b").expect("well formed"));
        for found in FURTHER.captures_iter(text) {
            let said = if &found[1] == "One" { Some(1) } else { found[1].parse::<usize>().ok() };
            if said.is_some_and(|said| said + 1 != findings) {
                self.add("counts disagree", field, &format!("{} of {findings} findings: {text}", &found[0]));
            }
        }
    }

    /// An account is named where its number stands for it elsewhere: the same process runs under both.
    fn names<'d>(&mut self, documents: &'d Documents) {
        let mut users: BTreeMap<(&'d str, u32, &'d str), BTreeSet<&'d str>> = BTreeMap::new();
        let mut add = |host: &'d str, process: &'d Process| {
            let Process { pid: Some(pid), name, user, .. } = process else { return };
            if !user.is_empty() {
                users.entry((host, *pid, name)).or_default().insert(user);
            }
        };
        for finding in &documents.findings {
            finding.client.iter().chain(&finding.server).for_each(|one| add(finding.host.as_str(), one));
        }
        for incident in &documents.incidents {
            incident.processes.iter().chain(&incident.level2.processes).for_each(|one| add(&one.host, &one.process));
        }
        let number = |user: &&str| user.chars().all(|c| c.is_ascii_digit());
        let two = users.values().filter(|users| users.iter().any(number) && !users.iter().all(number));
        let two: BTreeSet<String> = two.map(|users| users.iter().copied().collect::<Vec<_>>().join(" and ")).collect();
        for names in two {
            self.add("a number where a name is known", "user", &names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(sentence: &str) -> Vec<&'static str> {
        let mut check = Check { quoted: vec!["sh -c  echo ()".into()], broken: BTreeSet::new() };
        check.sentence("text", sentence);
        check.broken.into_iter().map(|one| one.rule).collect()
    }

    #[test]
    fn sentences_with_holes_are_found() {
        for (sentence, rule) in [
            ("cmd.exe was started by  as : x y", "empty slot"),
            ("It was reached from :0", "empty slot"),
            ("Programs involved: : 9F64", "empty slot"),
            ("It was made by.", "empty slot"),
            ("It runs () here", "empty slot"),
            ("Two  blanks", "double space"),
            ("It ended .", "blank before a stop"),
            ("It called X.: then it ran", "full stop inside a clause"),
            ("It loads http://localho 16 further findings belong to it", "number run into a sentence"),
            ("There are 1 findings", "one and several"),
            ("There are 12 finding", "several and one"),
            ("It said \"hello and left", "unbalanced quotation marks"),
            ("It ran (twice", "unbalanced brackets"),
            ("net use x /user:a /password:Winter1!", "a secret is shown"),
        ] {
            assert!(rules(sentence).contains(&rule), "{sentence}: {:?}", rules(sentence));
        }
    }

    #[test]
    fn good_sentences_break_nothing() {
        for sentence in [
            "On ws01: mmc.exe (1400), a COM server that CORP\\anna activated from 10.0.0.1, started cmd.exe: it ran.",
            "It ran sh -c  echo () as root. 4 further findings belong to it. It goes to Tier 2 (E1, E2).",
            "It was reached on port 50043 from 10.20.0.11:54211, and 1 time from [::1]:80.",
            "The password is set: net use x /password:*** /user:a",
        ] {
            assert_eq!(rules(sentence), [""; 0], "{sentence}");
        }
    }

    #[test]
    fn a_command_line_that_is_cut_has_a_mark() {
        let long = format!("powershell -enc {}", "QUJD".repeat(20));
        let cut = |sentence: &str| Check { quoted: vec![long.clone()], broken: BTreeSet::new() }.cut(sentence);
        assert!(cut(&format!("It ran {} and more", &long[..60])));
        assert!(!cut(&format!("It ran {}… and more", &long[..60])) && !cut(&format!("It ran {long} and more")));
    }
}
