//! The expectations of a case: findings and incidents with given facts, or their absence; and messages for failures.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::case::{line_of, string, table};
use crate::fact::{Difference, Fact, Fault, members_differ, shifted, shortened};
use crate::schema::{FINDING, INCIDENT, Object, SEVERITIES};

/// The expectations of a case. The default has none and always passes.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    path: PathBuf,
    findings: Vec<Expected>,
    incidents: Vec<Expected>,
    /// Analytics that must have no finding, with their lines.
    quiet: Vec<(String, usize)>,
    /// No finding of this severity or above, with its line.
    at_or_above: Option<(String, usize)>,
}

/// An expected finding or incident.
#[derive(Clone, Debug)]
struct Expected {
    facts: Vec<(String, Fact)>,
    /// The exact number of documents with these facts and its span; otherwise at least one is expected.
    matches: Option<(usize, Range<usize>)>,
    /// Lines of the facts, by their offset in the file.
    lines: Vec<(usize, usize)>,
    line: usize,
}

/// An expectation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The file.
    pub path: PathBuf,
    /// The line of the expectation, from 1.
    pub line: usize,
    /// The expected facts, the nearest document and its differences.
    pub message: String,
    /// The edits that would make the file match the result; empty if it cannot be expressed by editing values.
    pub edits: Vec<Edit>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

/// A replacement of a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Byte range in the file.
    pub span: Range<usize>,
    /// The new text.
    pub text: String,
}

/// The text with the edits applied; everything else, comments included, is unchanged.
pub fn rewrite(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    edits.dedup_by(|b, a| b.span.start < a.span.end);
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.clone(), &edit.text);
    }
    text
}

impl Expectations {
    /// Parses a block `expect`, which is `span` of a file's text.
    pub(crate) fn parse(path: &Path, text: &str, span: Range<usize>) -> Result<Self, Fault> {
        let from = span.start;
        let root = table(&text[span.clone()], from)?;
        let mut read = Self { path: path.to_owned(), ..Self::default() };
        for (name, value) in root.iter() {
            match &**name.get_ref() {
                "finding" => read.findings = Expected::list(value, &FINDING, text, from)?,
                "incident" => read.incidents = Expected::list(value, &INCIDENT, text, from)?,
                "quiet" => read.quiet(value, text, from)?,
                other => {
                    let known = "[[finding]], [[incident]], [quiet]";
                    return Err((shifted(name, from), format!("`{other}` is not known: {known}")));
                }
            }
        }
        if read.is_empty() { Err((span, "this expects nothing".to_owned())) } else { Ok(read) }
    }

    fn quiet(&mut self, value: &Spanned<DeValue<'_>>, text: &str, from: usize) -> Result<(), Fault> {
        let wrong = |value, what: &str| (shifted(value, from), what.to_owned());
        let table = value.get_ref().as_table().ok_or_else(|| wrong(value, "expected a table: [quiet]"))?;
        for (name, value) in table.iter() {
            let line = line_of(text, shifted(value, from).start);
            match &**name.get_ref() {
                "analytics" => {
                    let items =
                        value.get_ref().as_array().ok_or_else(|| wrong(value, "expected a list of analytics"))?;
                    for item in items.iter() {
                        self.quiet.push((string(item, from)?, line_of(text, shifted(item, from).start)));
                    }
                }
                "at_or_above" => {
                    let severity = string(value, from)?;
                    if !SEVERITIES.contains(&severity.as_str()) {
                        return Err(wrong(value, &format!("expected one of {}", SEVERITIES.join(", "))));
                    }
                    self.at_or_above = Some((severity, line));
                }
                other => {
                    let known = "analytics, at_or_above";
                    return Err((shifted(name, from), format!("`{other}` is not known: {known}")));
                }
            }
        }
        Ok(())
    }

    /// Whether there are no expectations.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.incidents.is_empty() && self.quiet.is_empty() && self.at_or_above.is_none()
    }

    /// Whether there are expectations on incidents: then the findings must be correlated before the check.
    pub fn wants_incidents(&self) -> bool {
        !self.incidents.is_empty()
    }

    /// The analytics expected to have a finding.
    pub fn firing(&self) -> Vec<&str> {
        let named = self.named();
        named.into_iter().filter(|(_, _, fires)| *fires).map(|(id, _, _)| id).collect()
    }

    /// The analytics that must have no finding.
    pub fn quiet_analytics(&self) -> Vec<&str> {
        let named = self.named();
        named.into_iter().filter(|(_, _, fires)| !fires).map(|(id, _, _)| id).collect()
    }

    /// The expected severities of findings, as written in the file.
    pub fn severities(&self) -> Vec<&str> {
        self.findings.iter().filter_map(|expected| expected.fact("severity").and_then(Fact::text)).collect()
    }

    /// A failure for every analytic that is not in `known`: an expectation on a misspelt id would never or always hold.
    pub fn unknown_analytics(&self, known: &[&str]) -> Vec<Failure> {
        let unknown = self.named().into_iter().filter(|(id, _, _)| !known.contains(id));
        unknown.map(|(id, line, _)| self.failure(line, format!("there is no analytic {id}"), Vec::new())).collect()
    }

    /// Id, line, and whether a finding is expected.
    fn named(&self) -> Vec<(&str, usize, bool)> {
        let expected = self.findings.iter().filter_map(|expected| {
            let id = expected.fact("analytic").and_then(Fact::text)?;
            Some((id, expected.line, expected.matches.as_ref().is_none_or(|(matches, _)| *matches > 0)))
        });
        expected.chain(self.quiet.iter().map(|(id, line)| (id.as_str(), *line, false))).collect()
    }

    /// Compares with the resulting documents: all findings and incidents, each in its latest state.
    pub fn check(&self, findings: &[Value], incidents: &[Value]) -> Vec<Failure> {
        let mut failures = Vec::new();
        for expected in &self.findings {
            // Suppressed findings are only compared if the expectation names `suppressed`.
            let suppressed = expected.fact("suppressed").is_some();
            let all = findings.iter().filter(|finding| finding["suppressed"].is_null() != suppressed);
            failures.extend(self.missing(expected, "finding", &all.collect::<Vec<_>>()));
        }
        for expected in &self.incidents {
            failures.extend(self.missing(expected, "incident", &incidents.iter().collect::<Vec<_>>()));
        }
        let open = || findings.iter().filter(|finding| finding["suppressed"].is_null());
        for (id, line) in &self.quiet {
            if let Some(finding) = open().find(|finding| finding["analytic"] == id.as_str()) {
                let message = format!("expected no finding of {id}; there is {}", shown(finding));
                failures.push(self.failure(*line, message, Vec::new()));
            }
        }
        if let Some((least, line)) = &self.at_or_above {
            let rank = |word: &str| SEVERITIES.iter().position(|known| *known == word);
            let above = |finding: &&Value| finding["severity"].as_str().and_then(rank) >= rank(least);
            if let Some(finding) = open().find(above) {
                let message = format!("expected no finding of severity {least} or above; there is {}", shown(finding));
                failures.push(self.failure(*line, message, Vec::new()));
            }
        }
        failures
    }

    fn failure(&self, line: usize, message: String, edits: Vec<Edit>) -> Failure {
        Failure { path: self.path.clone(), line, message, edits }
    }

    fn missing(&self, expected: &Expected, what: &str, documents: &[&Value]) -> Option<Failure> {
        let differences: Vec<(&Value, Vec<Difference>)> =
            documents.iter().map(|document| (*document, members_differ(&expected.facts, document, ""))).collect();
        let hits: Vec<&Value> =
            differences.iter().filter(|(_, d)| d.is_empty()).map(|(document, _)| *document).collect();
        match &expected.matches {
            None if !hits.is_empty() => return None,
            Some((matches, _)) if *matches == hits.len() => return None,
            Some((matches, span)) if !hits.is_empty() => {
                let list: String = hits.iter().map(|hit| format!("\n  {}", shown(hit))).collect();
                let message =
                    format!("expected exactly {matches} {what}s {}; there are {}:{list}", expected.words(), hits.len());
                let edit = Edit { span: span.clone(), text: hits.len().to_string() };
                return Some(self.failure(expected.line, message, if *matches == 0 { Vec::new() } else { vec![edit] }));
            }
            _ => {}
        }
        let message = format!("expected {} {what} {}", if what == "incident" { "an" } else { "a" }, expected.words());
        // A finding of another analytic is never reported as the nearest, whatever else agrees.
        let same = |(_, differences): &&(&Value, Vec<Difference>)| differences.iter().all(|d| d.path != "analytic");
        let Some((nearest, differences)) = differences.iter().filter(same).min_by_key(|(_, d)| d.len()) else {
            let found: String = documents.iter().map(|document| format!("\n  {}", shown(document))).collect();
            let none = if documents.is_empty() {
                format!("there is no {what} at all")
            } else {
                format!("there is only{found}")
            };
            return Some(self.failure(expected.line, format!("{message}; {none}"), Vec::new()));
        };
        let list: String =
            differences.iter().map(|difference| format!("\n  {}", expected.differs(difference))).collect();
        let edits = differences.iter().map(|d| Some(Edit { span: d.span.clone(), text: d.instead.clone()? }));
        let edits = edits.collect::<Option<Vec<_>>>().unwrap_or_default();
        let message = format!("{message}; the nearest {what} is {}, which differs in{list}", shown(nearest));
        Some(self.failure(expected.line, message, edits))
    }
}

impl Expected {
    fn list(value: &Spanned<DeValue<'_>>, object: &Object, text: &str, from: usize) -> Result<Vec<Self>, Fault> {
        let wrong = |value| (shifted(value, from), "expected a table in double brackets: [[finding]]".to_owned());
        let items = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        items
            .iter()
            .map(|item| Self::read(item.get_ref().as_table().ok_or_else(|| wrong(item))?, item, object, text, from))
            .collect()
    }

    fn read(
        facts: &DeTable<'_>,
        place: &Spanned<DeValue<'_>>,
        object: &Object,
        text: &str,
        from: usize,
    ) -> Result<Self, Fault> {
        let mut facts = facts.clone();
        let span = shifted(place, from);
        let matches = match facts.remove("matches") {
            None => None,
            Some(value) => {
                let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
                let place = shifted(&value, from);
                Some((number.ok_or_else(|| (place.clone(), "expected a number of documents".to_owned()))?, place))
            }
        };
        if facts.is_empty() && matches.is_none() {
            return Err((span, "this states no fact".to_owned()));
        }
        let line = line_of(text, span.start);
        let lines =
            facts.iter().map(|(_, value)| shifted(value, from).start).map(|at| (at, line_of(text, at))).collect();
        Ok(Self { facts: Fact::members(&facts, object, from)?, matches, lines, line })
    }

    fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, fact)| fact)
    }

    fn words(&self) -> String {
        let facts: Vec<String> = self.facts.iter().map(|(name, fact)| format!("{name}: {}", fact.words())).collect();
        if facts.is_empty() { "of any kind".to_owned() } else { format!("with {}", facts.join(", ")) }
    }

    /// `severity: "high" instead of "medium" (line 7)`.
    fn differs(&self, difference: &Difference) -> String {
        let found =
            if difference.found.is_null() { "nothing".to_owned() } else { shortened(&difference.found.to_string()) };
        let line =
            self.lines.iter().filter(|(at, _)| *at <= difference.span.start).max().map_or(self.line, |(_, line)| *line);
        format!("{}: {found} instead of {} (line {line})", difference.path, difference.expected)
    }
}

/// A one-line description of a document.
fn shown(document: &Value) -> String {
    let text = |name: &str| document[name].as_str().unwrap_or_default();
    let id = if text("analytic").is_empty() { text("id") } else { text("analytic") };
    let (time, host) = match document["hosts"].as_array() {
        Some(hosts) => (text("first_seen"), hosts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        None => (text("time"), text("host").to_owned()),
    };
    format!("{id} ({}, {host}, {time}: {})", text("severity"), shortened(text("text")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Expectations {
        Expectations::parse(Path::new("a.case.md"), text, 0..text.len()).unwrap()
    }

    fn finding(analytic: &str, severity: &str, host: &str) -> Value {
        json!({
            "type": "finding", "id": "00ff", "analytic": analytic, "severity": severity, "confidence": "high", "host": host,
            "time": "2026-03-03T10:21:36.870Z", "text": "a.exe opened b.", "reasons": ["E2"], "suppressed": null,
        })
    }

    fn check(text: &str, findings: &[Value]) -> Vec<String> {
        parse(text).check(findings, &[]).iter().map(Failure::to_string).collect()
    }

    #[test]
    fn a_missing_finding_is_compared_with_the_nearest_one() {
        let text = "[[finding]]\nanalytic = 'IPC-1'\nseverity = 'medium'\nhost = 'ws01'\n";
        let found =
            [finding("IPC-2", "medium", "ws01"), finding("IPC-1", "low", "ws02"), finding("IPC-1", "high", "ws01")];
        assert_eq!(
            check(text, &found),
            [
                "a.case.md:1: expected a finding with analytic: \"IPC-1\", severity: \"medium\", host: \"ws01\"; the nearest \
              finding is IPC-1 (high, ws01, 2026-03-03T10:21:36.870Z: a.exe opened b.), which differs in\n  \
              severity: \"high\" instead of \"medium\" (line 3)"
            ]
        );
        assert_eq!(check(&text.replace("medium", "low").replace("ws01", "ws02"), &found), [""; 0]);
        let [only] = check(text, &found[..1]).try_into().unwrap();
        assert!(
            only.ends_with("; there is only\n  IPC-2 (medium, ws01, 2026-03-03T10:21:36.870Z: a.exe opened b.)"),
            "{only}"
        );
        let [none] = check(text, &[]).try_into().unwrap();
        assert!(none.ends_with("; there is no finding at all"), "{none}");
    }

    #[test]
    fn the_number_of_matches_is_exact() {
        let found = [finding("IPC-1", "high", "ws01"), finding("IPC-1", "high", "ws02")];
        for (matches, wrong) in [(2, 0), (1, 1), (3, 1), (0, 1)] {
            let text = format!("[[finding]]\nanalytic = 'IPC-1'\nmatches = {matches}\n");
            assert_eq!(check(&text, &found).len(), wrong, "{matches}");
        }
        assert_eq!(check("[[finding]]\nmatches = 0", &[]), [""; 0]);
        assert_eq!(check("[[finding]]\nmatches = 0", &found).len(), 1);
        assert_eq!(check("[[finding]]\nhost = 'ws03'\nmatches = 0", &found), [""; 0]);
    }

    #[test]
    fn quiet_applies_to_analytics_or_from_a_severity_on() {
        let mut found = [finding("IPC-1", "medium", "ws01")];
        assert_eq!(check("quiet.analytics = ['IPC-2', 'IPC-3']\nquiet.at_or_above = 'high'", &found), [""; 0]);
        let [one] = check("[quiet]\nanalytics = [\n'IPC-2',\n'IPC-1']", &found).try_into().unwrap();
        assert!(one.starts_with("a.case.md:4: expected no finding of IPC-1; there is IPC-1 (medium"), "{one}");
        let [one] = check("quiet.at_or_above = 'medium'", &found).try_into().unwrap();
        assert!(one.starts_with("a.case.md:1: expected no finding of severity medium or above; there is"), "{one}");
        found[0]["suppressed"] = json!({"rule": "r", "reason": "x"});
        assert_eq!(check("quiet.at_or_above = 'info'\n[[finding]]\nsuppressed = 'r'", &found), [""; 0]);
        assert_eq!(check("[[finding]]\nanalytic = 'IPC-1'", &found).len(), 1, "suppressed findings do not count");
    }

    #[test]
    fn incidents_are_compared_too() {
        let incident = json!({
            "type": "incident", "id": "0a", "severity": "critical", "tier": 2, "text": "t", "hosts": ["ws01"],
            "first_seen": "2026-03-03T10:21:36.870Z", "reasons": [{"code": "E2"}], "answers": {"q1": {"value": "yes"}},
            "containment": [{"action": "isolate", "target": "ws01"}],
        });
        let expect = parse(
            "[[incident]]\ntier = 1\nreasons = ['E2']\nanswers = { q1 = 'yes' }\ncontainment.excludes = ['reset-krbtgt']\n",
        );
        assert!(expect.wants_incidents());
        let [failure] = expect.check(&[], std::slice::from_ref(&incident)).try_into().unwrap();
        assert!(failure.message.contains("the nearest incident is 0a (critical, ws01, "), "{failure}");
        assert!(failure.message.ends_with("differs in\n  tier: 2 instead of 1 (line 2)"), "{failure}");
        assert_eq!(expect.check(&[], &[]).len(), 1);
    }

    #[test]
    fn edits_update_the_expectations_and_keep_the_rest() {
        let text = "# why\n[[finding]]\nanalytic = 'IPC-1'\nseverity = 'medium'   # by the table\nreasons = ['E1']\n";
        let found = [finding("IPC-1", "high", "ws01")];
        let failures = parse(text).check(&found, &[]);
        let now = rewrite(text, &failures[0].edits);
        assert_eq!(
            now,
            "# why\n[[finding]]\nanalytic = 'IPC-1'\nseverity = \"high\"   # by the table\nreasons = [\"E2\"]\n"
        );
        assert_eq!(parse(&now).check(&found, &[]), []);
        assert_eq!(parse("quiet.analytics = ['IPC-1']").check(&found, &[])[0].edits, []);
    }

    #[test]
    fn analytics_are_listed_by_expectation_and_unknown_ones_reported() {
        let expect = parse(
            "quiet.analytics = ['IPC-1']\n[[finding]]\nanalytic = 'IPC-2'\nseverity = 'high'\n[[finding]]\nanalytic = 'IPC-3'\nmatches = 0\n",
        );
        assert_eq!((expect.firing(), expect.quiet_analytics()), (vec!["IPC-2"], vec!["IPC-3", "IPC-1"]));
        assert_eq!(expect.severities(), ["high"]);
        let unknown: Vec<String> =
            expect.unknown_analytics(&["IPC-1", "IPC-2"]).iter().map(Failure::to_string).collect();
        assert_eq!(unknown, ["a.case.md:5: there is no analytic IPC-3"]);
    }
}
