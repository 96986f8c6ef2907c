//! A site's settings: one JSON document in, typed values out.
//!
//! Every mistake is reported, each with the place (a JSON Pointer), the value, and what is allowed there. An unknown
//! key is a mistake: a misspelt allow rule must not be silence. What is allowed is data (`plan`), from which the
//! messages and the JSON Schema both come.

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

/// What of the catalogue settings may name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Catalogue<'c> {
    /// Ids of all analytics; none: any text is taken for one.
    pub analytics: &'c [&'c str],
    /// Ids of those that join records within a time that a site may set; likewise.
    pub joining: &'c [&'c str],
    /// Thresholds that a site may set; likewise.
    pub thresholds: &'c [Threshold<'c>],
}

/// A threshold of an analytic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold<'c> {
    /// Id of the analytic.
    pub analytic: &'c str,
    /// Its name.
    pub name: &'c str,
    /// What it is if the site says nothing.
    pub default: u32,
    /// The least that is allowed.
    pub least: u32,
    /// The most that is allowed.
    pub most: u32,
    /// What is counted.
    pub about: &'c str,
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

/// Reads the settings without knowing the catalogue: ids are taken as they are.
///
/// # Errors
/// Every mistake in the document. A document that is no JSON gives one error with its line and column.
pub fn parse(json: &str) -> Result<Settings, Vec<SettingError>> {
    parse_for(json, &Catalogue::default())
}

/// Reads the settings for a catalogue.
///
/// # Errors
/// As [`parse`]; an id or a threshold that the catalogue does not have is a mistake too.
pub fn parse_for(json: &str, catalogue: &Catalogue<'_>) -> Result<Settings, Vec<SettingError>> {
    let value: Value = serde_json::from_str(json).map_err(|error| vec![SettingError::syntax(&error)])?;
    let mut checker = check::Checker { catalogue, errors: Vec::new() };
    checker.check(&plan::SETTINGS, &value, "");
    beyond_the_plan(&value, &mut checker);
    if !checker.errors.is_empty() {
        return Err(checker.errors);
    }
    // What follows the plan can be read; a test holds the two together.
    serde_json::from_value(value).map_err(|error| vec![SettingError::syntax(&error)])
}

/// What concerns two places at once: rules that share a name could not be told apart in reports, and a span that ends
/// before it begins is none.
fn beyond_the_plan(value: &Value, checker: &mut check::Checker<'_>) {
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
            checker.wrong(&at, &Value::from(end), format!("a moment after the start ({start})"));
        }
    }
}

#[cfg(test)]
mod tests;
