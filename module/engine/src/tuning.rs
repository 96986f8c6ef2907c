//! Converts the settings of a site to the detector's tuning. The only place that knows both.

use backchannel_detect::analytics::ANALYTICS;
use backchannel_detect::{
    AllowRule, AnalyticTuning, Expected, HostKey, Indicator, IndicatorKind, Maintenance, Maturity, Patterns, Tunables,
    When,
};
use backchannel_settings as settings;
use backchannel_settings::{Catalogue, HostRole, IocKind, SettingError, Settings, Threshold, TimeWindow};

/// Parses settings, with the catalogue's ids.
pub(crate) fn read(text: &str) -> Result<Tunables, Vec<SettingError>> {
    tuning(with_catalogue(|catalogue| settings::parse_for(text, catalogue))?)
}

/// The JSON Schema (draft 2020-12) of the settings that this module accepts, as text.
pub fn settings_schema() -> String {
    with_catalogue(settings::schema)
}

/// The names from the catalogue that settings can refer to.
fn with_catalogue<T>(ask: impl FnOnce(&Catalogue<'_>) -> T) -> T {
    let mut analytics: Vec<&str> = ANALYTICS.iter().map(|analytic| analytic.id).collect();
    let mut joining: Vec<&str> =
        ANALYTICS.iter().filter(|analytic| analytic.window.is_some()).map(|analytic| analytic.id).collect();
    for ids in [&mut analytics, &mut joining] {
        ids.sort_unstable();
    }
    let mut thresholds = Vec::new();
    for analytic in ANALYTICS {
        thresholds.extend(analytic.thresholds.iter().map(|one| Threshold {
            analytic: analytic.id,
            name: one.name,
            default: one.default,
            min: one.least,
            max: one.most,
            unit: one.about,
        }));
    }
    ask(&Catalogue { analytics: &analytics, joining: &joining, thresholds: &thresholds })
}

fn tuning(settings: Settings) -> Result<Tunables, Vec<SettingError>> {
    let host_key = match settings.host_key {
        settings::HostKey::Label => HostKey::Label,
        settings::HostKey::Fqdn => HostKey::Full,
    };
    let key = |name: &String| {
        let mut key = String::new();
        host_key.write(name, &mut key);
        key
    };
    let keys = |names: &[String]| -> Vec<String> { names.iter().map(key).collect() };
    let with_role = |wanted: HostRole| -> Vec<String> {
        settings.host_roles.iter().filter(|(_, role)| **role == wanted).map(|(host, _)| key(host)).collect()
    };
    let mut admin_hosts = keys(&settings.admin_hosts);
    admin_hosts.extend(with_role(HostRole::Admin));
    let critical_hosts = with_role(HostRole::DomainController);
    let (window, windows) = match settings.time_window {
        None => (None, Default::default()),
        Some(TimeWindow::All(seconds)) => (Some(seconds), Default::default()),
        Some(TimeWindow::ByAnalytic(windows)) => (None, windows),
    };
    let pipes = settings.pipe_name_pattern;
    let expected = Expected {
        pairs: settings.allowed_parent_child_pairs.into_iter().map(|pair| (pair.parent, pair.child)).collect(),
        pipes: patterns(&pipes.legitimate, "legitimate")?,
        sockets: settings.socket_path_baseline,
        fifo_programs: settings.fifo_access_patterns,
        com_objects: settings.com_object_allow_list,
        xpc_clients: settings.allowed_xpc_clients,
        remote_management: settings.sanctioned_rmm,
        maintenance: settings
            .maintenance_windows
            .iter()
            .filter_map(|window| {
                let when = match (window.start, window.end, window.daily) {
                    (Some(start), Some(end), _) => When::Once(start, end),
                    (.., Some((from, to))) => When::Daily(from, to),
                    // Validation requires one of the two.
                    _ => return None,
                };
                let (name, reason) = (window.name.clone(), window.reason.clone());
                Some(Maintenance { name, reason, hosts: keys(&window.hosts), when })
            })
            .collect(),
    };
    let shipped = Maturity::default();
    Ok(Tunables {
        analytics: settings
            .analytics
            .iter()
            .map(|(id, wish)| (id.clone(), AnalyticTuning { enabled: wish.enabled, severity: wish.severity }))
            .collect(),
        thresholds: settings.thresholds,
        window,
        windows,
        host_key,
        admin_hosts,
        admin_accounts: settings.admin_accounts,
        remote_hosts: keys(&settings.remote_host_list),
        critical_hosts,
        privileged_accounts: settings.user_context.privileged,
        service_accounts: settings.user_context.service,
        high_privilege_processes: settings.high_privilege_processes,
        watched_pipes: patterns(&pipes.anomalous, "anomalous")?,
        suspicious_modules: settings.suspicious_dll_list,
        unsigned_level: settings.unsigned_binary_alert_level,
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
                // Logs write class ids with braces.
                value: match ioc.kind {
                    IocKind::Clsid => format!("{{{}}}", ioc.value.trim_matches(['{', '}'])),
                    _ => ioc.value,
                },
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
                hosts: keys(&rule.hosts),
                users: rule.users,
                images: rule.images,
                hashes: rule.hashes,
                channels: rule.channels,
            })
            .collect(),
        expected,
        maturity: Maturity {
            days: settings.baseline.mature_days.map_or(shipped.days, |days| days as usize),
            events: settings.baseline.mature_events.map_or(shipped.events, u64::from),
        },
        hash_key: settings.hash_key,
        show_secrets: settings.show_secrets,
    })
}

/// Each pattern was validated by itself; all of them together can still exceed the limit.
fn patterns(patterns: &[String], list: &str) -> Result<Patterns, Vec<SettingError>> {
    Patterns::new(patterns).map_err(|error| {
        let value = format!("\"{} {list} patterns\"", patterns.len());
        vec![SettingError::new("/PipeNamePattern", value, format!("fewer or simpler regular expressions ({error})"))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_id_is_an_error_with_its_place() {
        let allow = r#"{"name":"n","reason":"r","owner":"o","analytics":["IPC-NONE-001"],"hosts":["h"]}"#;
        let text = format!(r#"{{"analytics":{{"IPC/X":{{"enabled":false}}}},"allow":[{allow}]}}"#);
        let errors = read(&text).unwrap_err();
        let places: Vec<&str> = errors.iter().map(|mistake| mistake.pointer.as_str()).collect();
        assert_eq!(places, ["/analytics/IPC~1X", "/allow/0/analytics/0"]);
        assert_eq!(errors[1].value, "\"IPC-NONE-001\"");
    }

    #[test]
    fn an_unknown_threshold_is_an_error_that_lists_the_known_ones() {
        let errors = read(r#"{"thresholds":{"IPC-PIPE-001":{"many":3}}}"#).unwrap_err();
        assert_eq!(errors[0].pointer, "/thresholds/IPC-PIPE-001");
        assert!(errors[0].allowed.contains("IPC-PIPE-019.remote_kinds"), "{}", errors[0].allowed);
    }

    #[test]
    fn a_host_is_identified_by_its_key_and_an_address_by_itself() {
        let text = r#"{"admin_hosts":["JUMP01.corp.example","10.0.0.7"],
            "host_roles":{"DC01.corp.example":"domain_controller","Paw3":"admin","ws1":"workstation"}}"#;
        let tuning = read(text).unwrap();
        assert_eq!(tuning.admin_hosts, ["jump01", "10.0.0.7", "paw3"]);
        assert_eq!(tuning.critical_hosts, ["dc01"]);
        let tuning = read(&text.replacen('{', r#"{"host_key":"fqdn","#, 1)).unwrap();
        assert_eq!(tuning.admin_hosts, ["jump01.corp.example", "10.0.0.7", "paw3"]);
        assert_eq!(tuning.critical_hosts, ["dc01.corp.example"]);
    }

    #[test]
    fn no_settings_are_the_defaults() {
        assert_eq!(read("{}").unwrap(), Tunables::default());
    }

    #[test]
    fn every_setting_reaches_the_detector() {
        // The tests of the settings crate verify that every key changes the typed settings; this one, that those change
        // the tuning.
        for text in [
            r#"{"analytics":{"IPC-PIPE-001":{"enabled":false}}}"#,
            r#"{"thresholds":{"IPC-PIPE-019":{"remote_kinds":20}}}"#,
            r#"{"admin_hosts":["a"]}"#,
            r#"{"admin_accounts":["a"]}"#,
            r#"{"host_roles":{"a":"domain_controller"}}"#,
            r#"{"host_key":"fqdn"}"#,
            r#"{"high_privilege_processes":["a"]}"#,
            r#"{"sanctioned_rmm":["a"]}"#,
            r#"{"maintenance_windows":[{"name":"n","reason":"r","daily":"01:00-02:00"}]}"#,
            r#"{"maintenance_windows":[{"name":"n","reason":"r","start":"2027-01-01","end":"2027-01-01"}]}"#,
            r#"{"iocs":[{"type":"image","value":"a"}]}"#,
            r#"{"allow":[{"name":"n","reason":"r","owner":"o","hosts":["h"]}]}"#,
            r#"{"hash_key":1}"#,
            r#"{"show_secrets":true}"#,
            r#"{"PipeNamePattern":["a"]}"#,
            r#"{"PipeNamePattern":{"legitimate":["a"]}}"#,
            r#"{"AllowedParentChildPairs":[{"parent":"a","child":"b"}]}"#,
            r#"{"SocketPathBaseline":["a"]}"#,
            r#"{"FIFOAccessPatterns":["a"]}"#,
            r#"{"COMObjectAllowList":["a"]}"#,
            r#"{"AllowedXPCClients":["a"]}"#,
            r#"{"TimeWindow":30}"#,
            r#"{"TimeWindow":{"IPC-DCOM-008":30}}"#,
            r#"{"UnsignedBinaryAlertLevel":"high"}"#,
            r#"{"RemoteHostList":["a"]}"#,
            r#"{"UserContext":{"service":["a"]}}"#,
            r#"{"UserContext":{"privileged":["a"]}}"#,
            r#"{"SuspiciousDLLList":["a"]}"#,
        ] {
            assert_ne!(read(text).unwrap(), Tunables::default(), "{text}");
        }
    }

    fn json_of(value: &toml::Value) -> serde_json::Value {
        match value {
            toml::Value::Datetime(time) => time.to_string().into(),
            toml::Value::Array(items) => items.iter().map(json_of).collect(),
            toml::Value::Table(table) => {
                serde_json::Value::Object(table.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())
            }
            other => serde_json::to_value(other).unwrap(),
        }
    }

    #[test]
    fn the_example_and_the_snippets_of_the_manual_are_valid_for_this_catalogue() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        let example = std::fs::read_to_string(format!("{root}examples/site.toml")).unwrap();
        let manual = std::fs::read_to_string(format!("{root}docs/settings.md")).unwrap();
        let pieces = manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut count = 0;
        for text in std::iter::once(example.as_str()).chain(pieces) {
            let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
            let tuning = read(&json_of(&toml::Value::Table(table)).to_string());
            assert_ne!(tuning.unwrap_or_else(|errors| panic!("{errors:?}")), Tunables::default());
            count += 1;
        }
        assert!(count >= 8, "{count}");
    }

    #[test]
    fn too_many_patterns_are_one_error() {
        let many: Vec<String> = (0..400).map(|n| format!("\"(a{{200}}b{{200}}){{4}}{n}\"")).collect();
        let errors = read(&format!(r#"{{"PipeNamePattern":[{}]}}"#, many.join(","))).unwrap_err();
        assert_eq!((errors.len(), errors[0].pointer.as_str()), (1, "/PipeNamePattern"));
    }
}
