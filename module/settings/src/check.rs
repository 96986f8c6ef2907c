//! Validates a document against the plan and collects every violation.

use backchannel_events::Timestamp;
use serde_json::{Map, Value};

use crate::plan::{Field, Key, Shape};
use crate::{Catalogue, SettingError, form};

/// Maximum length of a pattern, in bytes.
const MAX_PATTERN: usize = 512;
/// Maximum length of a text that is compared with the allowed words, in bytes.
const MAX_WORD: usize = 64;
/// Maximum size of a compiled pattern, in bytes.
const PATTERN_SIZE: usize = 256 * 1024;

/// All errors of a document, in the order of the plan.
pub(crate) struct Checker<'c> {
    pub catalogue: &'c Catalogue<'c>,
    pub errors: Vec<SettingError>,
}

impl Checker<'_> {
    /// Adds an error.
    pub fn wrong(&mut self, at: &str, value: &Value, allowed: impl Into<String>) {
        let mut shown = value.to_string();
        shown.truncate(shown.floor_char_boundary(200));
        self.errors.push(SettingError::new(at, shown, allowed));
    }

    /// Validates a value against its shape.
    pub fn check(&mut self, shape: &Shape, value: &Value, at: &str) {
        match shape {
            Shape::List(least, item) => self.list(*least, item, value, at),
            Shape::Map(key, item) => self.map(*key, item, value, at),
            Shape::Thresholds => self.thresholds(value, at),
            Shape::Object(fields, groups) => self.object(fields, groups, value, at),
            Shape::Either(object, other) => {
                if value.is_object() {
                    self.check(object, value, at);
                } else if matches!(other, Shape::List(..)) && value.is_array() {
                    self.check(other, value, at);
                } else if !self.holds(other, value) {
                    self.wrong(at, value, format!("{}, or {}", self.expected(other), self.expected(object)));
                }
            }
            Shape::Pattern => self.pattern(value, at),
            Shape::Tagged(fields, tag, key, kinds) => {
                self.object(fields, &[], value, at);
                let word = value.get(tag).and_then(Value::as_str);
                let kind = kinds.iter().find(|(name, _)| word == Some(*name));
                // What is no text at all was found already.
                if let (Some((_, shape)), Some(value)) = (kind, value.get(key).filter(|value| is_text(value))) {
                    self.check(shape, value, &join(at, key));
                }
            }
            simple => {
                if !self.holds(simple, value) {
                    let near = match simple {
                        Shape::Analytic => did_you_mean(value.as_str(), self.catalogue.analytics.iter().copied()),
                        Shape::Word(words) => did_you_mean(value.as_str(), words.iter().copied()),
                        _ => String::new(),
                    };
                    self.wrong(at, value, self.expected(simple) + &near);
                }
            }
        }
    }

    /// Whether a scalar value matches its shape.
    fn holds(&self, shape: &Shape, value: &Value) -> bool {
        let text = value.as_str();
        match shape {
            Shape::Text => text.is_some_and(|text| !text.is_empty()),
            Shape::Word(words) => text.is_some_and(|text| words.contains(&text)),
            Shape::Flag => value.is_boolean(),
            Shape::Number(least, most) => value.as_u64().is_some_and(|number| (*least..=*most).contains(&number)),
            Shape::Moment => text.and_then(last_moment).is_some(),
            Shape::Daily => text.and_then(daily).is_some(),
            Shape::Hash => text.is_some_and(form::is_hash),
            Shape::Clsid => text.is_some_and(form::is_clsid),
            Shape::ComClass => text.is_some_and(form::is_com_class),
            Shape::Address => text.is_some_and(form::is_address),
            Shape::Machine => text.is_some_and(form::is_machine),
            Shape::Analytic => text.is_some_and(|id| !id.is_empty() && self.catalogue.has(id)),
            _ => false,
        }
    }

    /// Describes the values that a shape allows.
    fn expected(&self, shape: &Shape) -> String {
        match shape {
            Shape::Text => "text that is not empty".into(),
            Shape::Word(words) => format!("one of {}", words.join(", ")),
            Shape::Flag => "true or false".into(),
            Shape::Number(least, most) => format!("a whole number from {least} to {most}"),
            Shape::Moment => "a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z".into(),
            Shape::Daily => "a span of the day in UTC such as 22:00-04:30".into(),
            Shape::Pattern => "a regular expression".into(),
            Shape::Hash => "a hash of 32, 40 or 64 hexadecimal digits (MD5, SHA-1, SHA-256)".into(),
            Shape::Clsid => "a class id such as {9BA05972-F6A8-11CF-A442-00A0C90A8F39}".into(),
            Shape::ComClass => "a class id such as {9BA05972-F6A8-11CF-A442-00A0C90A8F39}, or a program id".into(),
            Shape::Address => "an address, a block such as 10.1.0.0/16, or a machine's name".into(),
            Shape::Machine => "a machine's name, or one address".into(),
            Shape::Tagged(fields, ..) => format!("an object with the keys {}", keys(fields)),
            Shape::Analytic => "the id of an analytic of the catalogue".into(),
            Shape::List(0, _) => "a list".into(),
            Shape::List(least, _) => format!("a list of at least {least}"),
            Shape::Map(Key::Any, _) => "an object".into(),
            Shape::Map(..) | Shape::Thresholds => "an object with ids of analytics as keys".into(),
            Shape::Object(fields, _) => format!("an object with the keys {}", keys(fields)),
            Shape::Either(object, other) => format!("{}, or {}", self.expected(other), self.expected(object)),
        }
    }

    fn list(&mut self, least: usize, item: &Shape, value: &Value, at: &str) {
        let shape = || if least == 0 { "a list".to_owned() } else { format!("a list of at least {least}") };
        let Some(values) = value.as_array() else { return self.wrong(at, value, shape()) };
        if values.len() < least {
            self.wrong(at, value, shape());
        }
        for (nth, value) in values.iter().enumerate() {
            self.check(item, value, &format!("{at}/{nth}"));
        }
    }

    fn map(&mut self, key: Key, item: &Shape, value: &Value, at: &str) {
        let Some(fields) = value.as_object() else {
            let shape = if matches!(key, Key::Any) { "an object" } else { "an object with ids of analytics as keys" };
            return self.wrong(at, value, shape);
        };
        for (name, value) in fields {
            let at = join(at, name);
            let catalogue = self.catalogue;
            match key {
                Key::Analytic if !catalogue.has(name) => {
                    let near = did_you_mean(Some(name), catalogue.analytics.iter().copied());
                    let allowed = format!("the id of an analytic of the catalogue{near}");
                    self.wrong(&at, &Value::from(name.as_str()), allowed);
                }
                Key::Joining if !catalogue.joins(name) => {
                    let all = catalogue.joining.join(", ");
                    let near = did_you_mean(catalogue.unknown(name), catalogue.joining.iter().copied());
                    let allowed = format!("the id of an analytic that joins records within a time: {all}{near}");
                    self.wrong(&at, &Value::from(name.as_str()), allowed);
                }
                _ => self.check(item, value, &at),
            }
        }
    }

    fn thresholds(&mut self, value: &Value, at: &str) {
        let Some(fields) = value.as_object() else {
            return self.wrong(at, value, "an object with ids of analytics as keys");
        };
        let known = self.catalogue.thresholds;
        for (id, value) in fields {
            let at = join(at, id);
            let names: Vec<&str> = known.iter().filter(|one| one.analytic == id).map(|one| one.name).collect();
            if names.is_empty() && !known.is_empty() {
                let all: Vec<String> = known.iter().map(|one| format!("{}.{}", one.analytic, one.name)).collect();
                let near = did_you_mean(self.catalogue.unknown(id), known.iter().map(|one| one.analytic));
                let allowed = format!("the id of an analytic that has thresholds: {}{near}", all.join(", "));
                self.wrong(&at, &Value::from(id.as_str()), allowed);
                continue;
            }
            let Some(named) = value.as_object() else {
                self.wrong(&at, value, format!("an object with the thresholds {}", names.join(", ")));
                continue;
            };
            for (name, value) in named {
                let at = join(&at, name);
                let bounds = match known.iter().find(|one| one.analytic == id && one.name == name) {
                    Some(one) => Shape::Number(u64::from(one.min), u64::from(one.max)),
                    None if known.is_empty() => Shape::Number(1, u64::from(u32::MAX)),
                    None => {
                        let near = did_you_mean(Some(name), names.iter().copied());
                        self.wrong(&at, value, format!("one of the thresholds {}{near}", names.join(", ")));
                        continue;
                    }
                };
                self.check(&bounds, value, &at);
            }
        }
    }

    fn object(&mut self, fields: &[Field], groups: &[&[&str]], value: &Value, at: &str) {
        let Some(object) = value.as_object() else {
            return self.wrong(at, value, format!("an object with the keys {}", keys(fields)));
        };
        for (key, value) in object {
            if !fields.iter().any(|field| field.key == key) {
                let near = did_you_mean(Some(key), fields.iter().map(|field| field.key));
                self.wrong(&join(at, key), value, format!("one of the keys {}{near}", keys(fields)));
            }
        }
        for field in fields {
            let at = join(at, field.key);
            match object.get(field.key) {
                Some(value) => self.check(&field.shape, value, &at),
                None if field.required => {
                    let allowed = format!("{} (the key is missing)", self.expected(&field.shape));
                    self.wrong(&at, &Value::Null, allowed);
                }
                None => {}
            }
        }
        if !groups.is_empty() && !groups.iter().any(|group| has_all(object, group)) {
            let ways: Vec<String> = groups.iter().map(|group| group.join(" and ")).collect();
            self.wrong(at, value, format!("at least one of: {}", ways.join(", ")));
        }
    }

    fn pattern(&mut self, value: &Value, at: &str) {
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            return self.wrong(at, value, "a regular expression");
        };
        if text.len() > MAX_PATTERN {
            return self.wrong(at, value, format!("a regular expression of at most {MAX_PATTERN} bytes"));
        }
        // Compiled with the same options as in the detector.
        let built = regex::bytes::RegexBuilder::new(text)
            .case_insensitive(true)
            .unicode(false)
            .size_limit(PATTERN_SIZE)
            .build();
        if let Err(error) = built {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.wrong(at, value, format!("a regular expression: {why}"));
        }
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// The word that was probably meant, as the end of what is allowed; empty where none is near.
fn did_you_mean<'w>(given: Option<&str>, words: impl Iterator<Item = &'w str>) -> String {
    let Some(given) = given.filter(|given| given.len() <= MAX_WORD) else { return String::new() };
    let given = given.to_ascii_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&given, &word.to_ascii_lowercase());
    let nearest = words.map(|word| (distance(word), word)).min();
    match nearest {
        Some((distance, word)) if distance <= (word.len() / 4).clamp(1, 3) => format!("; did you mean {word}?"),
        _ => String::new(),
    }
}

fn keys(fields: &[Field]) -> String {
    fields.iter().map(|field| field.key).collect::<Vec<_>>().join(", ")
}

fn has_all(object: &Map<String, Value>, keys: &[&str]) -> bool {
    keys.iter().all(|key| object.contains_key(*key))
}

pub(crate) fn join(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Parses a time, or a date as its first second.
pub(crate) fn first_moment(text: &str) -> Option<Timestamp> {
    Timestamp::from_rfc_3339(text).or_else(|| Timestamp::from_rfc_3339(&format!("{text}T00:00:00Z")))
}

/// Parses a time, or a date as its last second.
pub(crate) fn last_moment(text: &str) -> Option<Timestamp> {
    Timestamp::from_rfc_3339(text).or_else(|| Timestamp::from_rfc_3339(&format!("{text}T23:59:59Z")))
}

/// Parses `HH:MM-HH:MM` as minutes of the day.
pub(crate) fn daily(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str, below: u16| {
            let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>().ok().filter(|number| digits && *number < below)
        };
        Some(number(hours, 24)? * 60 + number(minutes, 60)?)
    };
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}
