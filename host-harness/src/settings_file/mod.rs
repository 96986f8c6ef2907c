//! Settings files: reads TOML or JSON, converts it to the JSON document for the module, and maps JSON pointers of
//! reported errors back to file, line and column.

mod json;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::component::SettingMistake;

/// Maximum size of a settings file.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Syntax of a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    Toml,
    Json,
}

/// A parsed settings file.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
    text: String,
    json: String,
    syntax: Syntax,
}

/// An error in a settings file, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedMistake {
    /// The file.
    pub path: PathBuf,
    /// Line, counted from 1; 0 if the file could not be read.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Byte range of the error.
    pub span: Range<usize>,
    /// JSON Pointer to the value; empty: the whole file.
    pub pointer: String,
    /// What is wrong, and what is allowed.
    pub message: String,
}

impl fmt::Display for PlacedMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.pointer.is_empty() {
            write!(f, ": {}", self.pointer)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for PlacedMistake {}

impl SettingsFile {
    /// Reads a settings file: JSON if its name ends in `.json` or its text begins with a brace, otherwise TOML.
    ///
    /// # Errors
    /// The file cannot be read, or its syntax is invalid. Values are checked by [`check`](Self::check) and by the
    /// module.
    pub fn read(path: &Path) -> Result<Self, PlacedMistake> {
        Ok(Self::read_with_bytes(path)?.0)
    }

    /// Reads a settings file; returns its bytes too.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with_bytes(path: &Path) -> Result<(Self, Vec<u8>), PlacedMistake> {
        let of = std::fs::metadata(path).map_err(|error| unreadable(path, error.to_string()))?;
        if of.len() > LARGEST {
            return Err(unreadable(path, format!("larger than {} MiB", LARGEST >> 20)));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, error.to_string()))?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| unreadable(path, format!("not UTF-8 at byte {}", error.valid_up_to())))?;
        Ok((Self::parse(path, text.to_owned())?, bytes))
    }

    fn parse(path: &Path, text: String) -> Result<Self, PlacedMistake> {
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let named_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let named_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if named_json || (!named_toml && text.trim_start().starts_with('{')) {
            let file = Self { path: path.to_owned(), json: text.clone(), text, syntax: Syntax::Json };
            return match serde_json::from_str::<Value>(&file.text) {
                Ok(_) => Ok(file),
                Err(error) => {
                    let at = json::offset(&file.text, error.line(), error.column());
                    Err(file.at(at..at, String::new(), format!("not JSON: {error}")))
                }
            };
        }
        let mut file = Self { path: path.to_owned(), text, json: String::new(), syntax: Syntax::Toml };
        let parsed = match DeTable::parse(&file.text) {
            Ok(table) => Ok(to_json_table(table.get_ref()).to_string()),
            Err(error) => Err((error.span().unwrap_or(0..0), error.message().to_owned())),
        };
        match parsed {
            Ok(json) => {
                file.json = json;
                Ok(file)
            }
            Err((span, message)) => Err(file.at(span, String::new(), format!("not TOML: {message}"))),
        }
    }

    /// The settings as one JSON document.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks the settings without a module.
    ///
    /// # Errors
    /// All errors.
    pub fn check(&self) -> Result<(), Vec<PlacedMistake>> {
        let mistake = |error: backchannel_settings::SettingError| SettingMistake {
            pointer: error.pointer,
            line: error.line,
            column: error.column,
            value: error.value,
            allowed: error.allowed,
        };
        match backchannel_settings::parse(&self.json) {
            Ok(_) => Ok(()),
            Err(errors) => Err(errors.into_iter().map(|error| self.place(&mistake(error))).collect()),
        }
    }

    /// Finds the position of an error that a module reports.
    pub fn place(&self, mistake: &SettingMistake) -> PlacedMistake {
        let span = match self.syntax {
            Syntax::Json => json::locate(&self.text, &mistake.pointer),
            Syntax::Toml => DeTable::parse(&self.text).map_or(0..0, |table| locate_toml(&table, &mistake.pointer)),
        };
        let message = if mistake.value.is_empty() {
            format!("expected {}", mistake.allowed)
        } else {
            format!("{} is not allowed here; expected {}", mistake.value, mistake.allowed)
        };
        self.at(span, mistake.pointer.clone(), message)
    }

    fn at(&self, span: Range<usize>, pointer: String, message: String) -> PlacedMistake {
        let start = (0..=span.start.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        PlacedMistake {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: start..span.end.clamp(start, self.text.len()),
            pointer,
            message,
        }
    }
}

/// An error for a file that could not be read.
fn unreadable(path: &Path, message: String) -> PlacedMistake {
    PlacedMistake { path: path.to_owned(), line: 0, column: 0, span: 0..0, pointer: String::new(), message }
}

/// The tokens of a JSON Pointer.
fn tokens(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

fn to_json_table(table: &DeTable<'_>) -> Value {
    Value::Object(table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref()))).collect())
}

fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            // A number too large for JSON's integers is also too large for the settings: it is passed on as a string,
            // and the error that is reported shows it.
            let text = number.as_str();
            i64::from_str_radix(text, number.radix())
                .map(Value::from)
                .or_else(|_| u64::from_str_radix(text, number.radix()).map(Value::from))
                .unwrap_or_else(|_| Value::String(number.to_string()))
        }
        DeValue::Float(number) => {
            number.as_str().parse::<f64>().map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(list) => Value::Array(list.iter().map(|item| to_json(item.get_ref())).collect()),
        DeValue::Table(table) => to_json_table(table),
    }
}

/// The span of a pointer's value; if there is none, that of the parent that would contain it.
fn locate_toml(table: &Spanned<DeTable<'_>>, pointer: &str) -> Range<usize> {
    let mut span = 0..0;
    let mut here: Option<&DeValue<'_>> = None;
    for token in tokens(pointer) {
        let next = match here {
            None => table.get_ref().get_key_value(token.as_str()).map(|(key, value)| (Some(key.span()), value)),
            Some(DeValue::Table(table)) => {
                table.get_key_value(token.as_str()).map(|(key, value)| (Some(key.span()), value))
            }
            Some(DeValue::Array(list)) => {
                token.parse().ok().and_then(|index: usize| list.get(index)).map(|value| (None, value))
            }
            Some(_) => None,
        };
        let Some((key, value)) = next else { break };
        // The span of a table with its own headers is not useful; the span of its key is.
        span = match (value.get_ref(), key) {
            (DeValue::Table(_), Some(key)) => key,
            _ => value.span(),
        };
        here = Some(value.get_ref());
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(pointer: &str) -> SettingMistake {
        SettingMistake { pointer: pointer.into(), line: 0, column: 0, value: "1".into(), allowed: "a list".into() }
    }

    fn place(name: &str, text: &str, pointer: &str) -> (usize, usize) {
        let file = SettingsFile::parse(Path::new(name), text.to_owned()).unwrap();
        let placed = file.place(&mistake(pointer));
        (placed.line, placed.column)
    }

    #[test]
    fn toml_becomes_the_json_document() {
        let text = "admin_hosts = [\"j1\"]\nhash_key = 0x10\n[[allow]]\nname = 'a'\nexpires = 2030-01-01T00:00:00Z\n";
        let file = SettingsFile::parse(Path::new("s.toml"), text.into()).unwrap();
        let value: Value = serde_json::from_str(file.json()).unwrap();
        assert_eq!(value["hash_key"], 16);
        assert_eq!(value["allow"][0]["expires"], "2030-01-01T00:00:00Z");
    }

    #[test]
    fn a_pointer_maps_to_line_and_column() {
        let toml = "# ä\nadmin_hosts = 1\n\n[[allow]]\nname = 'a'\n\n[[allow]]\nname = 'é'\nowner = 3\n[analytics.\"A-1\"]\nseverity = 'x'\n";
        assert_eq!(place("s.toml", toml, "/admin_hosts"), (2, 15));
        assert_eq!(place("s.toml", toml, "/allow/1/owner"), (9, 9));
        assert_eq!(place("s.toml", toml, "/analytics/A-1/severity"), (11, 12));
        assert_eq!(place("s.toml", toml, "/allow/1/missing").0, 7);
        let json = "{\n  \"admin_hosts\": [\"a\", 1],\n  \"a/b\": {\"~\": true}\n}";
        assert_eq!(place("s.json", json, "/admin_hosts/1"), (2, 24));
        assert_eq!(place("s.json", json, "/a~1b/~0"), (3, 16));
        assert_eq!(place("s.json", json, "/a~1b/none"), (3, 10));
        assert_eq!(place("s.json", json, ""), (1, 1));
    }

    #[test]
    fn syntax_errors_have_a_position() {
        let toml = SettingsFile::parse(Path::new("s.toml"), "a = 1\nb = = 2\n".into()).unwrap_err();
        assert_eq!(toml.line, 2);
        let json = SettingsFile::parse(Path::new("s.json"), "{\n \"a\": }".into()).unwrap_err();
        assert_eq!(json.line, 2);
        assert!(json.to_string().starts_with("s.json:2:"));
    }
}
