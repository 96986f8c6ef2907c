//! Reading a JSON value by a plan, and writing down everything that does not follow it.

use std::collections::BTreeMap;

use backchannel_events::Timestamp;
use serde_json::{Map, Value};

use crate::SettingError;

/// Collects mistakes while a document is read.
#[derive(Debug, Default)]
pub struct Reader {
    errors: Vec<SettingError>,
}

/// An object of the document, with its place.
#[derive(Clone, Debug)]
pub struct Object<'v> {
    at: String,
    fields: &'v Map<String, Value>,
}

impl Reader {
    /// The mistakes found.
    pub fn into_errors(self) -> Vec<SettingError> {
        self.errors
    }

    /// Writes down a mistake.
    pub fn wrong(&mut self, at: &str, value: &Value, allowed: &str) {
        let mut shown = value.to_string();
        shown.truncate(shown.floor_char_boundary(200));
        let pointer = at.to_owned();
        self.errors.push(SettingError { pointer, line: 0, column: 0, value: shown, allowed: allowed.to_owned() });
    }

    /// An object that has no other keys than `keys`.
    pub fn object<'v>(&mut self, value: &'v Value, at: &str, keys: &[&str]) -> Option<Object<'v>> {
        let Some(fields) = value.as_object() else {
            self.wrong(at, value, &format!("an object with the keys {}", keys.join(", ")));
            return None;
        };
        for (key, value) in fields {
            if !keys.contains(&key.as_str()) {
                self.wrong(&join(at, key), value, &format!("one of the keys {}", keys.join(", ")));
            }
        }
        Some(Object { at: at.to_owned(), fields })
    }

    /// One of a set of words.
    pub fn word<T: Copy>(&mut self, value: &Value, at: &str, words: &[(&str, T)]) -> Option<T> {
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(at, value, &format!("one of {}", all.join(", ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn text(&mut self, value: &Value, at: &str) -> Option<String> {
        match value.as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => {
                self.wrong(at, value, "text that is not empty");
                None
            }
        }
    }
}

impl Object<'_> {
    fn get(&self, key: &str) -> Option<(&Value, String)> {
        self.fields.get(key).map(|value| (value, join(&self.at, key)))
    }

    /// Text, if the key is there.
    pub fn text(&self, key: &str, reader: &mut Reader) -> Option<String> {
        let (value, at) = self.get(key)?;
        reader.text(value, &at)
    }

    /// Text that must be there.
    pub fn required_text(&self, key: &str, reader: &mut Reader) -> Option<String> {
        self.require(key, "text that is not empty", reader)?;
        self.text(key, reader)
    }

    /// A list of texts; one text alone is a mistake, not a list.
    pub fn texts(&self, key: &str, reader: &mut Reader) -> Vec<String> {
        self.list(key, reader, |value, at, reader| reader.text(value, at))
    }

    /// A list.
    pub fn list<T>(
        &self,
        key: &str,
        reader: &mut Reader,
        each: impl Fn(&Value, &str, &mut Reader) -> Option<T>,
    ) -> Vec<T> {
        let Some((value, at)) = self.get(key) else { return Vec::new() };
        let Some(values) = value.as_array() else {
            reader.wrong(&at, value, "a list");
            return Vec::new();
        };
        values.iter().enumerate().filter_map(|(i, value)| each(value, &format!("{at}/{i}"), reader)).collect()
    }

    /// An object with keys of the site's own.
    pub fn map<T>(
        &self,
        key: &str,
        reader: &mut Reader,
        each: impl Fn(&Value, &str, &mut Reader) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let Some((value, at)) = self.get(key) else { return BTreeMap::new() };
        let Some(fields) = value.as_object() else {
            reader.wrong(&at, value, "an object");
            return BTreeMap::new();
        };
        fields.iter().filter_map(|(name, value)| Some((name.clone(), each(value, &join(&at, name), reader)?))).collect()
    }

    /// True or false, if the key is there.
    pub fn flag(&self, key: &str, reader: &mut Reader) -> Option<bool> {
        let (value, at) = self.get(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            reader.wrong(&at, value, "true or false");
        }
        flag
    }

    /// A whole number, if the key is there.
    pub fn number(&self, key: &str, reader: &mut Reader) -> Option<u64> {
        let (value, at) = self.get(key)?;
        let number = value.as_u64();
        if number.is_none() {
            reader.wrong(&at, value, "a whole number from 0 to 18446744073709551615");
        }
        number
    }

    /// One of a set of words, if the key is there.
    pub fn word<T: Copy>(&self, key: &str, reader: &mut Reader, words: &[(&str, T)]) -> Option<T> {
        let (value, at) = self.get(key)?;
        reader.word(value, &at, words)
    }

    /// One of a set of words; the key must be there.
    pub fn required_word<T: Copy>(&self, key: &str, reader: &mut Reader, words: &[(&str, T)]) -> Option<T> {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.require(key, &format!("one of {}", all.join(", ")), reader)?;
        self.word(key, reader, words)
    }

    /// A date (its last second) or an RFC 3339 moment in UTC, if the key is there.
    pub fn time(&self, key: &str, reader: &mut Reader) -> Option<Timestamp> {
        let (value, at) = self.get(key)?;
        let time = value.as_str().and_then(moment);
        if time.is_none() {
            reader.wrong(&at, value, "a date such as 2027-01-31 or a moment such as 2027-01-31T12:00:00Z");
        }
        time
    }

    fn require(&self, key: &str, allowed: &str, reader: &mut Reader) -> Option<()> {
        if self.fields.contains_key(key) {
            return Some(());
        }
        reader.wrong(&join(&self.at, key), &Value::Null, &format!("{allowed} (the key is missing)"));
        None
    }
}

fn join(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A date, meaning its last second, or a moment.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::from_rfc_3339(text).or_else(|| Timestamp::from_rfc_3339(&format!("{text}T23:59:59Z")))
}
