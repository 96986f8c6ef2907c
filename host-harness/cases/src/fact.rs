//! A fact: the expected value of one field of a document, and how a document differs from it.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::schema::{Kind, Object};

/// Byte range in the file, and the error there.
pub(crate) type Fault = (Range<usize>, String);

/// A fact with its span in the file.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// Byte range of the value in the file.
    span: Range<usize>,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Is(Value),
    Contains(String),
    AnyOf(Vec<Value>),
    /// Numbers compare by value, ranked words by rank, other strings (times) lexically.
    Bound {
        least: bool,
        value: Value,
        ranks: &'static [&'static str],
    },
    Includes(Vec<Fact>),
    Excludes(Vec<Fact>),
    Exactly(Vec<Fact>),
    Members(Vec<(String, Fact)>),
    /// Several operators on one field.
    All(Vec<Fact>),
}

/// How a document differs from a fact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// `channel.peer`.
    pub path: String,
    /// The expected value, in words.
    pub expected: String,
    /// The value in the document; null if there is none.
    pub found: Value,
    /// Byte range of the fact in the file.
    pub span: Range<usize>,
    /// TOML of the value in the document, if it can replace the fact.
    pub instead: Option<String>,
}

const OPERATORS: &str = "contains, any_of, at_least, at_most; for lists includes, excludes, exactly";

impl Fact {
    /// Reads the members of a table as facts about an object. `from` is where the TOML begins in the file.
    pub(crate) fn members(table: &DeTable<'_>, object: &Object, from: usize) -> Result<Vec<(String, Self)>, Fault> {
        let mut facts = Vec::new();
        for (name, value) in table.iter() {
            let name: &str = name.get_ref();
            let Some((_, kind)) = object.fields.iter().find(|(known, _)| *known == name) else {
                let names: Vec<&str> = object.fields.iter().map(|(name, _)| *name).collect();
                return Err((shifted(value, from), format!("`{name}` is not known: {}", names.join(", "))));
            };
            facts.push((name.to_owned(), Self::read(value, kind, from)?));
        }
        // In file order.
        facts.sort_by_key(|(_, fact)| fact.span.start);
        Ok(facts)
    }

    fn read(value: &Spanned<DeValue<'_>>, kind: &Kind, from: usize) -> Result<Self, Fault> {
        let span = shifted(value, from);
        let test = match (kind, value.get_ref()) {
            (Kind::Object(object), DeValue::Table(table)) => Test::Members(Self::members(table, object, from)?),
            (Kind::Object(object), DeValue::String(_)) if !object.by.is_empty() => {
                let by = Self { span: span.clone(), test: Test::Is(scalar(value, &Kind::Text, from)?) };
                Test::Members(vec![(object.by.to_owned(), by)])
            }
            (Kind::List(kind), DeValue::Array(items)) => Test::Includes(Self::items(items, kind, from)?),
            (_, DeValue::Table(table)) => Self::operators(table, kind, &span, from)?,
            (Kind::Object(_), _) => return Err((span, "expected a table of its members".to_owned())),
            (Kind::List(_), _) => return Err((span, "expected a list, or a table of operators".to_owned())),
            _ => Test::Is(scalar(value, kind, from)?),
        };
        Ok(Self { span, test })
    }

    fn items(items: &DeArray<'_>, kind: &Kind, from: usize) -> Result<Vec<Self>, Fault> {
        items.iter().map(|item| Self::read(item, kind, from)).collect()
    }

    fn operators(table: &DeTable<'_>, kind: &Kind, span: &Range<usize>, from: usize) -> Result<Test, Fault> {
        let mut facts = Vec::new();
        for (name, value) in table.iter() {
            let place = shifted(value, from);
            let name: &str = name.get_ref();
            let list = || match value.get_ref() {
                DeValue::Array(items) => Ok(items),
                _ => Err((place.clone(), format!("`{name}` takes a list"))),
            };
            let test = match (name, kind) {
                ("contains", Kind::Text) => match scalar(value, kind, from)? {
                    Value::String(text) => Test::Contains(text),
                    _ => return Err((place, "`contains` takes a text".to_owned())),
                },
                ("any_of", Kind::Text | Kind::Number | Kind::Bool | Kind::Ranked(_)) => {
                    Test::AnyOf(list()?.iter().map(|item| scalar(item, kind, from)).collect::<Result<_, _>>()?)
                }
                ("at_least" | "at_most", Kind::Text | Kind::Number | Kind::Ranked(_)) => {
                    let ranks = if let Kind::Ranked(ranks) = kind { ranks } else { [].as_slice() };
                    Test::Bound { least: name == "at_least", value: scalar(value, kind, from)?, ranks }
                }
                ("includes", Kind::List(kind)) => Test::Includes(Self::items(list()?, kind, from)?),
                ("excludes", Kind::List(kind)) => Test::Excludes(Self::items(list()?, kind, from)?),
                ("exactly", Kind::List(kind)) => Test::Exactly(Self::items(list()?, kind, from)?),
                _ => return Err((place, format!("`{name}` does not apply to this field: {OPERATORS}"))),
            };
            facts.push(Self { span: place, test });
        }
        if facts.is_empty() {
            return Err((span.clone(), format!("an empty table states nothing: {OPERATORS}")));
        }
        Ok(Test::All(facts))
    }

    /// The differences of `found` at `path`; empty if the fact holds.
    pub(crate) fn differences(&self, found: &Value, path: &str) -> Vec<Difference> {
        match &self.test {
            Test::Members(members) => members_differ(members, found, path),
            Test::All(facts) => facts.iter().flat_map(|fact| fact.differences(found, path)).collect(),
            _ if self.holds(found) => Vec::new(),
            _ => vec![Difference {
                path: path.to_owned(),
                expected: self.words(),
                found: found.clone(),
                span: self.span.clone(),
                instead: self.instead(found),
            }],
        }
    }

    /// The string that it compares for equality, if it does.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.test {
            Test::Is(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    fn holds(&self, found: &Value) -> bool {
        let items = found.as_array().map_or(&[][..], Vec::as_slice);
        let some = |fact: &Self| items.iter().any(|item| fact.holds(item));
        match &self.test {
            Test::Is(value) => value == found,
            Test::Contains(part) => found.as_str().is_some_and(|text| text.contains(part.as_str())),
            Test::AnyOf(values) => values.contains(found),
            Test::Bound { least, value, ranks } => match (order(found, ranks), order(value, ranks)) {
                (Some(found), Some(value)) => found
                    .partial_cmp(&value)
                    .is_some_and(|order| order.is_eq() || if *least { order.is_gt() } else { order.is_lt() }),
                _ => false,
            },
            Test::Includes(facts) => facts.iter().all(some),
            Test::Excludes(facts) => !facts.iter().any(some),
            Test::Exactly(facts) => {
                facts.iter().all(some) && items.iter().all(|item| facts.iter().any(|fact| fact.holds(item)))
            }
            Test::Members(members) => members.iter().all(|(name, fact)| fact.holds(&found[name.as_str()])),
            Test::All(facts) => facts.iter().all(|fact| fact.holds(found)),
        }
    }

    /// The fact in words that follow "expected".
    pub(crate) fn words(&self) -> String {
        let list = |facts: &[Self]| facts.iter().map(Self::words).collect::<Vec<_>>().join(", ");
        match &self.test {
            Test::Is(value) => value.to_string(),
            Test::Contains(part) => {
                format!("a text that contains {}", shortened(&Value::from(part.as_str()).to_string()))
            }
            Test::AnyOf(values) => format!("one of {}", Value::from(values.clone())),
            Test::Bound { least: true, value, .. } => format!("at least {value}"),
            Test::Bound { value, .. } => format!("at most {value}"),
            Test::Includes(facts) => format!("a list that includes {}", list(facts)),
            Test::Excludes(facts) => format!("a list without {}", list(facts)),
            Test::Exactly(facts) => format!("exactly [{}]", list(facts)),
            Test::Members(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, fact)| format!("{name} = {}", fact.words())).collect();
                format!("{{ {} }}", members.join(", "))
            }
            Test::All(facts) => facts.iter().map(Self::words).collect::<Vec<_>>().join(" and "),
        }
    }

    /// TOML that would replace this fact for `found`.
    fn instead(&self, found: &Value) -> Option<String> {
        match (&self.test, found) {
            (Test::Is(_) | Test::Bound { .. }, Value::String(_) | Value::Bool(_) | Value::Number(_))
            | (Test::Contains(_), Value::String(_)) => written(found),
            (Test::Includes(_) | Test::Exactly(_), Value::Array(items)) => {
                let items = items.iter().map(written).collect::<Option<Vec<_>>>()?;
                Some(format!("[{}]", items.join(", ")))
            }
            _ => None,
        }
    }
}

/// How an object differs from facts about its members.
pub(crate) fn members_differ(members: &[(String, Fact)], found: &Value, path: &str) -> Vec<Difference> {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    members.iter().flat_map(|(name, fact)| fact.differences(&found[name.as_str()], &inside(name))).collect()
}

/// The span of a value in the file.
pub(crate) fn shifted<T>(value: &Spanned<T>, from: usize) -> Range<usize> {
    let span = value.span();
    span.start + from..span.end + from
}

/// Checks a scalar value against its kind.
fn scalar(value: &Spanned<DeValue<'_>>, kind: &Kind, from: usize) -> Result<Value, Fault> {
    let wrong = |what: &str| Err((shifted(value, from), format!("expected {what}")));
    match (kind, value.get_ref()) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::from(text.as_ref())),
        (Kind::Ranked(words), DeValue::String(text)) if words.contains(&text.as_ref()) => {
            Ok(Value::from(text.as_ref()))
        }
        (Kind::Bool, DeValue::Boolean(truth)) => Ok(Value::from(*truth)),
        (Kind::Number, DeValue::Integer(number)) => {
            match i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()) {
                Ok(number) => Ok(Value::from(number)),
                Err(_) => wrong("a number of 64 bits"),
            }
        }
        (Kind::Ranked(words), _) => wrong(&format!("one of {}", words.join(", "))),
        (Kind::Number, _) => wrong("a whole number"),
        (Kind::Bool, _) => wrong("true or false"),
        _ => wrong("a text in quotes"),
    }
}

/// The text, truncated if it is long.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

/// A JSON scalar as TOML.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(toml::Value::from(text.as_str()).to_string()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[derive(PartialEq, PartialOrd)]
enum Order<'a> {
    Rank(usize),
    Number(f64),
    Text(&'a str),
}

fn order<'a>(value: &'a Value, ranks: &[&str]) -> Option<Order<'a>> {
    match value {
        Value::Number(number) => number.as_f64().map(Order::Number),
        Value::String(text) if !ranks.is_empty() => ranks.iter().position(|word| word == text).map(Order::Rank),
        Value::String(text) => Some(Order::Text(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::{FINDING, INCIDENT};

    fn read(text: &str, object: &Object) -> Result<Vec<(String, Fact)>, Fault> {
        Fact::members(DeTable::parse(text).expect("TOML").get_ref(), object, 0)
    }

    fn differ(text: &str, object: &Object, document: &Value) -> Vec<String> {
        let differences = members_differ(&read(text, object).unwrap(), document, "");
        differences.into_iter().map(|d| format!("{}: {} / {}", d.path, d.expected, d.found)).collect()
    }

    #[test]
    fn facts_about_a_finding_hold_or_report_differences() {
        let finding = json!({
            "analytic": "IPC-1", "severity": "high", "count": 3, "text": "a.exe opened b.", "reasons": ["E2", "E4"],
            "client": {"name": "a.exe", "pid": 7, "untrusted": true}, "server": null, "time": "2026-03-03T10:21:36.870Z",
        });
        for holds in [
            "",
            "analytic = 'IPC-1'\nseverity = 'high'",
            "severity.at_least = 'medium'\ncount = { at_least = 2, at_most = 3 }",
            "text.contains = 'opened'\nreasons = ['E4']\nreasons.excludes = ['E1']".split_once("\nreasons.").unwrap().0,
            "reasons = { includes = ['E4'], excludes = ['E1'] }",
            "reasons.exactly = ['E4', 'E2']",
            "client = 'a.exe'",
            "client = { pid = 7, untrusted = true, name.contains = 'exe' }",
            "severity.any_of = ['high', 'critical']\ntime.at_most = '2026-03-04'",
        ] {
            assert_eq!(differ(holds, &FINDING, &finding), [""; 0], "{holds}");
        }
        for (text, message) in [
            ("severity = 'medium'", "severity: \"medium\" / \"high\""),
            ("severity.at_least = 'critical'", "severity: at least \"critical\" / \"high\""),
            ("count.at_most = 2", "count: at most 2 / 3"),
            ("reasons = ['E1']", "reasons: a list that includes \"E1\" / [\"E2\",\"E4\"]"),
            ("reasons.excludes = ['E2']", "reasons: a list without \"E2\" / [\"E2\",\"E4\"]"),
            ("reasons.exactly = ['E2']", "reasons: exactly [\"E2\"] / [\"E2\",\"E4\"]"),
            ("client = 'b.exe'", "client.name: \"b.exe\" / \"a.exe\""),
            ("server.name = 'b.exe'", "server.name: \"b.exe\" / null"),
            ("text.contains = 'closed'", "text: a text that contains \"closed\" / \"a.exe opened b.\""),
        ] {
            assert_eq!(differ(text, &FINDING, &finding), [message]);
        }
    }

    #[test]
    fn facts_about_an_incident_apply_to_its_lists() {
        let incident = json!({
            "tier": 2, "reasons": [{"code": "E1", "text": "x", "findings": []}], "hosts": ["ws01"],
            "answers": {"q3": {"value": "no", "missing": ["baseline"]}},
            "containment": [{"action": "isolate", "target": "ws01", "order": 1}],
            "level2": {"collect": ["memory of mmc.exe"]},
        });
        let text = "tier = 2\nreasons = ['E1']\nhosts = ['ws01']\nanswers.q3 = 'no'\nlevel2.collect = ['memory of mmc.exe']\n\
                    containment = { includes = [{ action = 'isolate', target = 'ws01' }], excludes = ['disable-account'] }";
        assert_eq!(differ(text, &INCIDENT, &incident), [""; 0]);
        assert_eq!(differ("answers.q3 = 'yes'", &INCIDENT, &incident), ["answers.q3.value: \"yes\" / \"no\""]);
        let [wrong] = differ("containment.excludes = ['isolate']", &INCIDENT, &incident).try_into().unwrap();
        assert!(wrong.starts_with("containment: a list without { action = \"isolate\" } / [{"), "{wrong}");
    }

    #[test]
    fn unknown_fields_and_operators_are_reported_with_their_position() {
        for (text, part) in [
            ("sevrity = 'high'", "`sevrity` is not known: type, id, analytic"),
            ("severity = 'hgih'", "one of info, low"),
            ("client.nam = 'a'", "`nam` is not known: host, name"),
            ("count = '3'", "whole number"),
            ("analytic = 3", "text in quotes"),
            ("text.contain = 'x'", "`contain` does not apply"),
            ("reasons = 'E1'", "list"),
            ("reasons.contains = 'E1'", "includes"),
            ("channel.remote = 'yes'", "true or false"),
            ("time = 2026-03-03T10:00:00Z", "text in quotes"),
            ("text = {}", "states nothing"),
        ] {
            let (span, reason) = read(text, &FINDING).unwrap_err();
            assert!(reason.contains(part) && text.get(span).is_some(), "{text}: {reason}");
        }
    }

    #[test]
    fn replacements_are_valid_toml_in_the_same_place() {
        let text = "severity = 'low' # why\ntext.contains = 'x'\nreasons = ['E1']";
        let finding = json!({"severity": "high", "text": r"C:\a 'b'", "reasons": ["E2"]});
        let mut now = text.to_owned();
        let facts = read(text, &FINDING).unwrap();
        let mut differences = members_differ(&facts, &finding, "");
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.span.start));
        for difference in differences {
            now.replace_range(difference.span, &difference.instead.unwrap());
        }
        assert!(now.starts_with("severity = \"high\" # why\n"), "{now}");
        let facts = read(&now, &FINDING).unwrap();
        assert_eq!(members_differ(&facts, &finding, ""), []);
    }
}
