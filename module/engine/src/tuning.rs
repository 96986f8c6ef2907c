//! The site's settings to the detector's tuning: the one place where the two meet.

use std::net::IpAddr;

use backchannel_detect::analytics::ANALYTICS;
use backchannel_detect::{AllowRule, AnalyticTuning, Indicator, IndicatorKind, Tuning};
use backchannel_settings::{HostRole, IocKind, SettingError, Settings};

/// Reads settings; none are the defaults.
pub(crate) fn read(settings: Option<&str>) -> Result<Tuning, Vec<SettingError>> {
    let Some(text) = settings else { return Ok(Tuning::default()) };
    let settings = backchannel_settings::parse(text)?;
    let unknown = unknown_ids(&settings);
    if unknown.is_empty() { Ok(tuning(settings)) } else { Err(unknown) }
}

fn tuning(settings: Settings) -> Tuning {
    let with_role = |wanted: HostRole| -> Vec<String> {
        settings.host_roles.iter().filter(|(_, role)| **role == wanted).map(|(host, _)| host_key(host)).collect()
    };
    let mut admin_hosts: Vec<String> = settings.admin_hosts.iter().map(|host| host_key(host)).collect();
    admin_hosts.extend(with_role(HostRole::Admin));
    let critical_hosts = with_role(HostRole::DomainController);
    Tuning {
        analytics: settings
            .analytics
            .iter()
            .map(|(id, wish)| (id.clone(), AnalyticTuning { enabled: wish.enabled, severity: wish.severity }))
            .collect(),
        admin_hosts,
        admin_accounts: settings.admin_accounts,
        critical_hosts,
        indicators: settings
            .iocs
            .into_iter()
            .map(|ioc| Indicator {
                kind: match ioc.kind {
                    IocKind::Hash => IndicatorKind::Hash,
                    IocKind::Image => IndicatorKind::Image,
                    IocKind::Channel => IndicatorKind::Channel,
                    IocKind::Clsid => IndicatorKind::Clsid,
                    IocKind::Address => IndicatorKind::Address,
                },
                value: ioc.value,
                list: ioc.list,
                severity: ioc.severity,
                confidence: ioc.confidence,
                expires: ioc.expires,
            })
            .collect(),
        allow: settings
            .allow
            .into_iter()
            .map(|rule| AllowRule {
                name: rule.name,
                reason: rule.reason,
                owner: rule.owner,
                expires: rule.expires,
                analytics: rule.analytics,
                hosts: rule.hosts.iter().map(|host| host_key(host)).collect(),
                users: rule.users,
                images: rule.images,
                hashes: rule.hashes,
                channels: rule.channels,
            })
            .collect(),
        hash_key: settings.hash_key,
    }
}

/// A misspelt id would silently change nothing, so it is a mistake.
fn unknown_ids(settings: &Settings) -> Vec<SettingError> {
    let known = |id: &str| ANALYTICS.iter().any(|analytic| analytic.id == id);
    let mistake = |pointer: String, id: &str| SettingError {
        pointer,
        line: 0,
        column: 0,
        value: format!("\"{}\"", id.escape_default()),
        allowed: "the id of an analytic of the catalogue".to_owned(),
    };
    let mut mistakes = Vec::new();
    for id in settings.analytics.keys().filter(|id| !known(id)) {
        mistakes.push(mistake(format!("/analytics/{}", id.replace('~', "~0").replace('/', "~1")), id));
    }
    for (at, rule) in settings.allow.iter().enumerate() {
        for (nth, id) in rule.analytics.iter().enumerate().filter(|(_, id)| !known(id)) {
            mistakes.push(mistake(format!("/allow/{at}/analytics/{nth}"), id));
        }
    }
    mistakes
}

/// The key of a host: the lower-case first label of its name; an address stays as it is.
fn host_key(name: &str) -> String {
    if name.parse::<IpAddr>().is_ok() {
        return name.to_owned();
    }
    name.split_once('.').map_or(name, |(label, _)| label).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_id_is_a_mistake_with_its_place() {
        let allow = r#"{"name":"n","reason":"r","owner":"o","analytics":["IPC-NONE-001"],"hosts":["h"]}"#;
        let text = format!(r#"{{"analytics":{{"IPC/X":{{"enabled":false}}}},"allow":[{allow}]}}"#);
        let mistakes = read(Some(&text)).unwrap_err();
        let places: Vec<&str> = mistakes.iter().map(|mistake| mistake.pointer.as_str()).collect();
        assert_eq!(places, ["/analytics/IPC~1X", "/allow/0/analytics/0"]);
        assert_eq!(mistakes[1].value, "\"IPC-NONE-001\"");
    }

    #[test]
    fn a_host_is_known_by_its_key_and_an_address_by_itself() {
        let text = r#"{"admin_hosts":["JUMP01.corp.example","10.0.0.7"],
            "host_roles":{"DC01.corp.example":"domain_controller","Paw3":"admin","ws1":"workstation"}}"#;
        let tuning = read(Some(text)).unwrap();
        assert_eq!(tuning.admin_hosts, ["jump01", "10.0.0.7", "paw3"]);
        assert_eq!(tuning.critical_hosts, ["dc01"]);
    }

    #[test]
    fn no_settings_are_the_defaults() {
        assert_eq!(read(None).unwrap(), Tuning::default());
        assert_eq!(read(Some("{}")).unwrap(), Tuning::default());
    }
}
