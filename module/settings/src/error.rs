//! [`SettingError`]: an error in the settings, with its place, the value and what is allowed.

use core::fmt;

/// An error in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingError {
    /// JSON Pointer (RFC 6901) to the value; empty: the document as a whole.
    pub pointer: String,
    /// Line, counted from 1, if the document is not JSON; else 0.
    pub line: u32,
    /// Column, counted from 1, if the document is not JSON; else 0.
    pub column: u32,
    /// The invalid value as JSON, cut to 200 bytes.
    pub value: String,
    /// What is allowed instead.
    pub allowed: String,
}

impl SettingError {
    /// An error at `pointer`, a JSON Pointer (RFC 6901) into the settings, where `value` was found.
    pub fn new(pointer: impl Into<String>, value: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), line: 0, column: 0, value: value.into(), allowed: allowed.into() }
    }

    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        Self {
            pointer: String::new(),
            line: u32::try_from(error.line()).unwrap_or(u32::MAX),
            column: u32::try_from(error.column()).unwrap_or(u32::MAX),
            value: String::new(),
            allowed: format!("a JSON document ({error})"),
        }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the settings" } else { &self.pointer };
        write!(f, "{place}: ")?;
        if !self.value.is_empty() {
            write!(f, "{} is not allowed here; ", self.value)?;
        }
        write!(f, "expected {}", self.allowed)
    }
}

impl std::error::Error for SettingError {}
