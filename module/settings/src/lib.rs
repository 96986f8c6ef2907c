//! The settings of a site: parses one JSON document into typed values.
//!
//! Every error is reported, each with its place (a JSON Pointer), the value, and what is allowed there. Unknown keys
//! are errors, because a misspelt allow rule must not be ignored silently. The allowed values are data (`plan`), from
//! which both the error texts and the JSON Schema are derived.

mod check;
mod error;
mod form;
mod plan;
mod schema;
mod typed;

use serde_json::Value;

pub use error::SettingError;
pub use schema::schema;
pub use typed::{
    AllowRule, AnalyticSetting, HostKey, HostRole, Ioc, IocKind, MaintenanceWindow, Pair, PipeNamePattern, Settings,
    TimeWindow, UserContext,
};

/// Names from the catalogue that settings can refer to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Catalogue<'c> {
    /// Ids of all analytics; if empty, ids are not checked.
    pub analytics: &'c [&'c str],
    /// Ids of the analytics whose time window a site can set; if empty, ids are not checked.
    pub joining: &'c [&'c str],
    /// Thresholds that a site can set; if empty, names are not checked.
    pub thresholds: &'c [Threshold<'c>],
}

/// A threshold of an analytic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold<'c> {
    /// Id of the analytic.
    pub analytic: &'c str,
    /// Its name.
    pub name: &'c str,
    /// Default value.
    pub default: u32,
    /// Minimum.
    pub min: u32,
    /// Maximum.
    pub max: u32,
    /// Unit: what is counted.
    pub unit: &'c str,
}

impl Catalogue<'_> {
    fn has(&self, id: &str) -> bool {
        self.analytics.is_empty() || self.analytics.contains(&id)
    }

    /// An id that no analytic has: one that is misspelt, rather than one that does not fit.
    fn unknown<'n>(&self, id: &'n str) -> Option<&'n str> {
        (!self.analytics.contains(&id)).then_some(id)
    }

    fn joins(&self, id: &str) -> bool {
        self.joining.is_empty() || self.joining.contains(&id)
    }
}

/// Parses settings without a catalogue: ids of analytics are not checked.
///
/// # Errors
/// All errors in the document. If it is not JSON: one error with line and column.
pub fn parse(json: &str) -> Result<Settings, Vec<SettingError>> {
    parse_for(json, &Catalogue::default())
}

/// Reads the settings for a catalogue.
///
/// # Errors
/// As [`parse`]; ids and thresholds that are not in the catalogue are errors as well.
pub fn parse_for(json: &str, catalogue: &Catalogue<'_>) -> Result<Settings, Vec<SettingError>> {
    let value: Value = serde_json::from_str(json).map_err(|error| vec![SettingError::syntax(&error)])?;
    let mut checker = check::Checker { catalogue, errors: Vec::new() };
    checker.check(&plan::SETTINGS, &value, "");
    check_relations(&value, &mut checker);
    if !checker.errors.is_empty() {
        return Err(checker.errors);
    }
    // A document that passes validation can be deserialised; a test verifies that plan and types agree.
    serde_json::from_value(value).map_err(|error| vec![SettingError::syntax(&error)])
}

/// Checks that involve two values: rule names must be unique, because reports refer to them, and a time span must not
/// end before it starts.
fn check_relations(value: &Value, checker: &mut check::Checker<'_>) {
    let list = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
    let mut names: Vec<&str> = Vec::new();
    for (nth, rule) in list("allow") {
        let Some(name) = rule.get("name").and_then(Value::as_str) else { continue };
        if names.contains(&name) {
            checker.wrong(&format!("/allow/{nth}/name"), &Value::from(name), "a name that no other rule has");
        }
        names.push(name);
    }
    for (nth, window) in list("maintenance_windows") {
        let text = |key: &str| window.get(key).and_then(Value::as_str);
        if let (Some(start), Some(end)) = (text("start"), text("end"))
            && let (Some(first), Some(last)) = (check::first_moment(start), check::last_moment(end))
            && last <= first
        {
            let at = format!("/maintenance_windows/{nth}/end");
            checker.wrong(&at, &Value::from(end), format!("a time after the start ({start})"));
        }
    }
}

#[cfg(test)]
mod tests;
