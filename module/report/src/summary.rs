//! [`Summary`]: what a run read, used and skipped.

use std::collections::{BTreeMap, BTreeSet};

use backchannel_events::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::document::moment;

/// The summary of a run, and its document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "summary")]
pub struct Summary {
    /// Numbers of records, events and findings.
    pub records: Records,
    /// Skipped records and inputs, by reason.
    #[serde(with = "by_reason")]
    pub skipped: BTreeMap<String, u64>,
    /// Analytics that could not report anything: their logs or their baseline are missing.
    pub inactive: Vec<Inactive>,
    /// Entries that the module evicted to stay within its memory limits, by table.
    pub evicted: BTreeMap<String, u64>,
    /// Events more than two minutes older than the newest of their host.
    pub late: u64,
    /// Sources with a clock offset.
    pub clock_offsets: Vec<ClockOffset>,
    /// Number of hosts.
    pub hosts: u64,
    /// Kinds of log seen.
    pub sources: BTreeSet<String>,
    /// Time of the oldest event.
    #[serde(with = "moment::option")]
    pub first_time: Option<Timestamp>,
    /// Time of the newest event.
    #[serde(with = "moment::option")]
    pub last_time: Option<Timestamp>,
    /// Number of findings that are not suppressed, by severity.
    #[serde(serialize_with = "by_name")]
    pub findings: BTreeMap<Severity, u64>,
    /// Findings that were dropped because there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub findings_dropped: u64,
    /// Inputs without contents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty_inputs: Vec<String>,
    /// Irregularities of inputs that were read nevertheless, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_reason")]
    pub notes: BTreeMap<String, u64>,
    /// Allow rules and indicators of compromise of the site that had expired at the time of the newest event, as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired_settings: Vec<String>,
    /// Names of the site's allow rules that are valid and suppressed nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_rules: Vec<String>,
}

/// Numbers of records, events and findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Records read, including those that were skipped.
    pub read: u64,
    /// Events evaluated.
    pub evaluated: u64,
    /// Valid records that were ignored, because no analytic reads their type or event id.
    pub unused: u64,
    /// Records, and whole inputs, that could not be read.
    pub skipped: u64,
    /// Findings that a rule of the site suppressed.
    pub suppressed: u64,
}

/// An analytic that could not report anything, because its logs or its baseline are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inactive {
    /// Its catalogue id.
    pub analytic: String,
    /// The reason.
    pub reason: String,
}

/// Why an analytic that compares with a baseline found nothing.
const NO_BASELINE: &str = "no baseline was given";

impl Inactive {
    /// Whether it lacks a baseline, and not logs.
    pub fn lacks_baseline(&self) -> bool {
        self.reason == NO_BASELINE
    }
}

/// A source with a clock offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    /// File or input.
    pub source: String,
    /// Host as logged.
    pub host: String,
    /// Correction added to its times, in seconds.
    pub seconds: i64,
    /// Number of records that showed the offset.
    pub samples: u64,
}

/// Requirements of an analytic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs<'a> {
    /// Its catalogue id.
    pub analytic: &'a str,
    /// Kinds of log of which one is sufficient; empty: any.
    pub telemetry: Vec<&'a str>,
    /// Whether it compares with a baseline.
    pub baseline: bool,
}

/// The analytics whose logs or baseline are missing. `sources` are the kinds of log seen.
pub fn inactive<'a>(
    analytics: impl IntoIterator<Item = Needs<'a>>,
    sources: &BTreeSet<String>,
    has_baseline: bool,
) -> Vec<Inactive> {
    let why = |needs: &Needs<'_>| {
        // Where both are missing, a baseline would not help.
        if !needs.telemetry.is_empty() && !needs.telemetry.iter().any(|kind| sources.contains(*kind)) {
            return Some(format!("these logs have no {}", needs.telemetry.join(" or ")));
        }
        (needs.baseline && !has_baseline).then(|| NO_BASELINE.to_owned())
    };
    let entry = |needs: Needs<'_>| why(&needs).map(|reason| Inactive { analytic: needs.analytic.to_owned(), reason });
    analytics.into_iter().filter_map(entry).collect()
}

impl Summary {
    /// The document: one JSON object without a line end.
    pub fn document(&self) -> String {
        // Text and numbers can always be serialised.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Parses the document of a summary.
    ///
    /// # Errors
    /// The document is not JSON, or not a summary; the error has line and column.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }

    /// Number of findings at or above `severity` that are not suppressed.
    pub fn findings_from(&self, severity: Severity) -> u64 {
        self.findings.range(severity..).map(|(_, count)| count).sum()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Severities by name, in alphabetical order like all objects of the summary.
fn by_name<S: serde::Serializer>(counts: &BTreeMap<Severity, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    let counts: BTreeMap<&str, u64> = counts.iter().map(|(severity, count)| (severity.as_str(), *count)).collect();
    counts.serialize(serializer)
}

/// Serialises counts by reason as a list of objects.
mod by_reason {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Counted<'a> {
        reason: Cow<'a, str>,
        count: u64,
    }

    pub fn serialize<S: Serializer>(counts: &BTreeMap<String, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(counts.iter().map(|(reason, count)| Counted { reason: Cow::from(reason), count: *count }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
        let counts = Vec::<Counted<'_>>::deserialize(deserializer)?;
        Ok(counts.into_iter().map(|Counted { reason, count }| (reason.into_owned(), count)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Summary {
        Summary {
            records: Records { read: 9, evaluated: 5, unused: 2, skipped: 2, suppressed: 1 },
            skipped: BTreeMap::from([("not-json".into(), 2)]),
            inactive: vec![Inactive { analytic: "A-1".into(), reason: "no baseline was given".into() }],
            evicted: BTreeMap::from([("hosts".into(), 0)]),
            late: 3,
            clock_offsets: vec![ClockOffset { source: "a".into(), host: "h".into(), seconds: -3_600, samples: 7 }],
            hosts: 1,
            sources: BTreeSet::from(["sysmon".into()]),
            first_time: Some(Timestamp::from_unix(1_700_000_000, 0)),
            last_time: None,
            findings: BTreeMap::from([(Severity::Info, 0), (Severity::Critical, 4)]),
            ..Summary::default()
        }
    }

    #[test]
    fn the_document_has_the_documented_names_and_omits_empty_fields() {
        assert_eq!(
            example().document(),
            concat!(
                r#"{"type":"summary","records":{"read":9,"evaluated":5,"unused":2,"skipped":2,"suppressed":1},"#,
                r#""skipped":[{"reason":"not-json","count":2}],"#,
                r#""inactive":[{"analytic":"A-1","reason":"no baseline was given"}],"evicted":{"hosts":0},"late":3,"#,
                r#""clock_offsets":[{"source":"a","host":"h","seconds":-3600,"samples":7}],"hosts":1,"#,
                r#""sources":["sysmon"],"first_time":"2023-11-14T22:13:20.000Z","last_time":null,"#,
                r#""findings":{"critical":4,"info":0}}"#
            )
        );
    }

    #[test]
    fn a_document_read_back_is_the_same_summary() {
        let mut all = example();
        all.findings_dropped = 2;
        all.empty_inputs = vec!["empty.log".into()];
        all.notes = BTreeMap::from([("checksum".into(), 1)]);
        all.expired_settings = vec!["rule r".into()];
        all.unmatched_rules = vec!["q".into()];
        for summary in [example(), all] {
            assert_eq!(Summary::read(&summary.document()).unwrap(), summary);
        }
    }

    #[test]
    fn an_analytic_is_inactive_without_its_logs_or_its_baseline() {
        let needs = |analytic, telemetry: &[&'static str], baseline| Needs {
            analytic,
            telemetry: telemetry.to_vec(),
            baseline,
        };
        let all = [
            needs("any", &[], false),
            needs("seen", &["x", "sysmon"], false),
            needs("unseen", &["x", "y"], false),
            needs("learned", &["sysmon"], true),
            needs("neither", &["y"], true),
        ];
        let sources = BTreeSet::from(["sysmon".to_owned()]);
        let reasons = |has_baseline| -> Vec<String> {
            let found = inactive(all.clone(), &sources, has_baseline);
            found.into_iter().map(|one| format!("{}: {}", one.analytic, one.reason)).collect()
        };
        let (unseen, neither) = ("unseen: these logs have no x or y", "neither: these logs have no y");
        assert_eq!(reasons(true), [unseen, neither]);
        assert_eq!(reasons(false), [unseen, "learned: no baseline was given", neither]);
    }
}
