//! A site's settings: one JSON document in, typed values out.
//!
//! Every mistake is reported, each with the place (a JSON Pointer), the value, and what is allowed there. An unknown
//! key is a mistake: a misspelt allow rule must not be silence.

mod error;
mod reader;

use std::collections::BTreeMap;

use backchannel_events::{Confidence, Severity, Timestamp};

pub use error::SettingError;

use reader::{Object, Reader};

/// What a site wants. The default is what a site gets that says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Changes to single analytics, by catalogue id.
    pub analytics: BTreeMap<String, AnalyticSetting>,
    /// Hosts and addresses from which administrators work.
    pub admin_hosts: Vec<String>,
    /// Accounts administrators use.
    pub admin_accounts: Vec<String>,
    /// Role of a host, by host name: `workstation`, `server`, `domain_controller`, `admin`.
    pub host_roles: BTreeMap<String, HostRole>,
    /// Indicators of compromise.
    pub iocs: Vec<Ioc>,
    /// What the site knows and allows.
    pub allow: Vec<AllowRule>,
    /// Key for hashing what attackers can choose.
    pub hash_key: u64,
}

/// What a site changes about one analytic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnalyticSetting {
    /// On or off; `None`: as shipped.
    pub enabled: Option<bool>,
    /// The severity to report instead.
    pub severity: Option<Severity>,
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HostRole {
    Workstation,
    Server,
    DomainController,
    Admin,
}

/// An indicator of compromise.
#[derive(Clone, Debug, PartialEq)]
pub struct Ioc {
    /// What is compared.
    pub kind: IocKind,
    /// The value; `*` at the ends of names and paths stands for anything.
    pub value: String,
    /// The list it is from.
    pub list: String,
    /// Severity of a match; critical if not given.
    pub severity: Severity,
    /// Confidence of a match; high if not given.
    pub confidence: Confidence,
    /// Not used for events after this.
    pub expires: Option<Timestamp>,
}

/// What an indicator of compromise is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IocKind {
    Hash,
    Image,
    Channel,
    Clsid,
    Address,
}

/// Something the site knows and allows: every condition given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllowRule {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Event time after which it no longer holds.
    pub expires: Option<Timestamp>,
    /// Analytic ids.
    pub analytics: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Executables: paths or base names, `*` at the ends.
    pub images: Vec<String>,
    /// Hashes of executables.
    pub hashes: Vec<String>,
    /// Channels: names, `*` at the ends.
    pub channels: Vec<String>,
}

/// Reads the settings.
///
/// # Errors
/// Every mistake in the document. A document that is no JSON gives one error with its line and column.
pub fn parse(json: &str) -> Result<Settings, Vec<SettingError>> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| vec![SettingError::syntax(&error)])?;
    let mut reader = Reader::default();
    let settings = settings(&value, &mut reader);
    let errors = reader.into_errors();
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

fn settings(value: &serde_json::Value, reader: &mut Reader) -> Settings {
    const KEYS: [&str; 7] = ["analytics", "admin_hosts", "admin_accounts", "host_roles", "iocs", "allow", "hash_key"];
    let Some(object) = reader.object(value, "", &KEYS) else { return Settings::default() };
    Settings {
        analytics: object.map("analytics", reader, analytic),
        admin_hosts: object.texts("admin_hosts", reader),
        admin_accounts: object.texts("admin_accounts", reader),
        host_roles: object.map("host_roles", reader, |value, at, reader| {
            const ROLES: [(&str, HostRole); 4] = [
                ("workstation", HostRole::Workstation),
                ("server", HostRole::Server),
                ("domain_controller", HostRole::DomainController),
                ("admin", HostRole::Admin),
            ];
            reader.word(value, at, &ROLES)
        }),
        iocs: object.list("iocs", reader, ioc),
        allow: object.list("allow", reader, allow),
        hash_key: object.number("hash_key", reader).unwrap_or_default(),
    }
}

fn severities() -> [(&'static str, Severity); 5] {
    Severity::ALL.map(|severity| (severity.as_str(), severity))
}

fn analytic(value: &serde_json::Value, at: &str, reader: &mut Reader) -> Option<AnalyticSetting> {
    let object = reader.object(value, at, &["enabled", "severity"])?;
    Some(AnalyticSetting {
        enabled: object.flag("enabled", reader),
        severity: object.word("severity", reader, &severities()),
    })
}

fn ioc(value: &serde_json::Value, at: &str, reader: &mut Reader) -> Option<Ioc> {
    const KINDS: [(&str, IocKind); 5] = [
        ("hash", IocKind::Hash),
        ("image", IocKind::Image),
        ("channel", IocKind::Channel),
        ("clsid", IocKind::Clsid),
        ("address", IocKind::Address),
    ];
    const CONFIDENCES: [(&str, Confidence); 4] = [
        ("low", Confidence::Low),
        ("medium", Confidence::Medium),
        ("high", Confidence::High),
        ("certain", Confidence::Certain),
    ];
    let object = reader.object(value, at, &["type", "value", "list", "severity", "confidence", "expires"])?;
    Some(Ioc {
        kind: object.required_word("type", reader, &KINDS)?,
        value: object.required_text("value", reader)?,
        list: object.text("list", reader).unwrap_or_default(),
        severity: object.word("severity", reader, &severities()).unwrap_or(Severity::Critical),
        confidence: object.word("confidence", reader, &CONFIDENCES).unwrap_or(Confidence::High),
        expires: object.time("expires", reader),
    })
}

fn allow(value: &serde_json::Value, at: &str, reader: &mut Reader) -> Option<AllowRule> {
    const CONDITIONS: [&str; 6] = ["analytics", "hosts", "users", "images", "hashes", "channels"];
    const KEYS: [&str; 10] =
        ["name", "reason", "owner", "expires", "analytics", "hosts", "users", "images", "hashes", "channels"];
    let object: Object<'_> = reader.object(value, at, &KEYS)?;
    let rule = AllowRule {
        name: object.required_text("name", reader)?,
        reason: object.required_text("reason", reader)?,
        owner: object.required_text("owner", reader)?,
        expires: object.time("expires", reader),
        analytics: object.texts("analytics", reader),
        hosts: object.texts("hosts", reader),
        users: object.texts("users", reader),
        images: object.texts("images", reader),
        hashes: object.texts("hashes", reader),
        channels: object.texts("channels", reader),
    };
    let lists = [&rule.analytics, &rule.hosts, &rule.users, &rule.images, &rule.hashes, &rule.channels];
    if lists.iter().all(|list| list.is_empty()) {
        reader.wrong(at, value, &format!("at least one condition: {}", CONDITIONS.join(", ")));
        return None;
    }
    Some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(json: &str) -> Vec<(String, String)> {
        parse(json).unwrap_err().into_iter().map(|error| (error.pointer, error.allowed)).collect()
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let errors = errors(
            r#"{"analytic": 1, "admin_hosts": "x", "iocs": [{"type": "hsh", "value": "a"}], "allow": [{"name": "n"}]}"#,
        );
        let places: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(places, ["/analytic", "/admin_hosts", "/iocs/0/type", "/allow/0/reason"]);
        assert!(errors[2].1.contains("hash, image, channel"), "{errors:?}");
    }

    #[test]
    fn a_document_that_is_no_json_names_line_and_column() {
        let error = &parse("{\n  \"allow\": [}").unwrap_err()[0];
        assert_eq!((error.line, error.column), (2, 13));
    }

    #[test]
    fn an_allow_rule_without_a_condition_is_refused() {
        let errors = errors(r#"{"allow": [{"name": "n", "reason": "r", "owner": "o"}]}"#);
        assert_eq!(errors[0].0, "/allow/0");
    }

    #[test]
    fn what_is_not_said_stays_as_shipped() {
        assert_eq!(parse("{}").unwrap(), Settings::default());
        let settings = parse(r#"{"analytics": {"IPC-DCOM-006": {"severity": "low"}}}"#).unwrap();
        let setting = settings.analytics["IPC-DCOM-006"];
        assert_eq!((setting.enabled, setting.severity), (None, Some(Severity::Low)));
    }

    #[test]
    fn an_expiry_is_a_date_or_a_moment() {
        let rule = |expires: &str| {
            format!(
                r#"{{"allow": [{{"name": "n", "reason": "r", "owner": "o", "hosts": ["h"], "expires": "{expires}"}}]}}"#
            )
        };
        assert_eq!(
            parse(&rule("2027-01-31")).unwrap().allow[0].expires.unwrap().to_string(),
            "2027-01-31T23:59:59.000Z"
        );
        assert!(parse(&rule("2027-01-31T12:00:00Z")).is_ok());
        assert_eq!(errors(&rule("soon"))[0].0, "/allow/0/expires");
    }
}
