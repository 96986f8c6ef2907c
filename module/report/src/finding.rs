//! The JSON document of a finding.

use backchannel_events::{
    Confidence, Finding, Indicator, Indicators, Reason, Reasons, Severity, Side, Suppression, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::document::{Answers, Channel, Process, Record, moment, observations, records};

/// The document of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "finding")]
pub struct FindingDocument {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Catalogue id of the analytic.
    pub analytic: String,
    /// Its title.
    pub title: String,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    #[serde(with = "moment")]
    pub time: Timestamp,
    /// Host key: the first label of the host's name, in lower case.
    pub host: String,
    /// Account on the side that acted.
    pub user: String,
    /// The client: the process that called, wrote or connected.
    pub client: Option<Process>,
    /// The process at the other end of the channel.
    pub server: Option<Process>,
    /// The channel between them.
    pub channel: Option<Channel>,
    /// The side that acted.
    pub origin: Side,
    /// The side that was acted upon.
    pub target: Side,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// Key indicators of the playbook.
    pub indicators: Vec<String>,
    /// Reasons to escalate, E1 to E4.
    pub reasons: Vec<String>,
    /// Number of occurrences.
    pub count: u32,
    /// What happened, one sentence.
    pub text: String,
    /// The supporting records.
    pub evidence: Vec<Record>,
    /// The playbook's four answers.
    pub answers: Answers,
    /// Recent changes that may explain it.
    pub changes: Vec<Record>,
    /// The logon that the activity ran under.
    pub logon: Option<Record>,
    /// Indicators of compromise that matched.
    pub ioc_matches: Vec<String>,
    /// Keys shared with other findings of the same attack.
    pub joins: Vec<String>,
    /// Id of its incident, once known.
    pub incident: Option<String>,
    /// The rule of the site that suppressed it.
    pub suppressed: Option<SuppressedBy>,
}

/// The rule that suppressed a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedBy {
    /// Name of the rule.
    pub rule: String,
    /// The reason stated in the rule.
    pub reason: String,
}

impl FindingDocument {
    /// Parses the document of a finding.
    ///
    /// # Errors
    /// The document is not JSON, or not a finding; the error has line and column.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }
}

/// The document of a finding: one JSON object without a line end. Its `incident` is null, because the incident is known
/// only later.
pub fn finding(finding: &Finding) -> String {
    let document = FindingDocument {
        id: finding.id.clone(),
        analytic: finding.analytic.clone(),
        title: finding.title.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        time: finding.time,
        host: finding.host.clone(),
        user: finding.user.clone(),
        client: finding.client.as_ref().map(Process::from),
        server: finding.server.as_ref().map(Process::from),
        channel: finding.channel.as_ref().map(Channel::from),
        origin: finding.origin.clone(),
        target: finding.target.clone(),
        techniques: finding.techniques.clone(),
        indicators: finding.indicators.iter().map(|indicator| indicator.code().to_owned()).collect(),
        reasons: finding.reasons.iter().map(|reason| reason.code().to_owned()).collect(),
        count: finding.count,
        text: finding.text.clone(),
        evidence: records(&finding.evidence),
        answers: Answers::from(&finding.answers),
        changes: records(&finding.changes),
        logon: finding.logon.as_ref().map(Record::from),
        ioc_matches: finding.ioc_matches.clone(),
        joins: finding.joins.clone(),
        incident: None,
        suppressed: finding
            .suppressed
            .as_ref()
            .map(|by| SuppressedBy { rule: by.rule.clone(), reason: by.reason.clone() }),
    };
    // Text and numbers can always be serialised.
    serde_json::to_string(&document).unwrap_or_default()
}

/// Parses the document of a finding to a [`Finding`].
///
/// # Errors
/// The document is not JSON, or not a finding; the error has line and column.
pub fn read_finding(document: &str) -> Result<Finding, serde_json::Error> {
    let document = FindingDocument::read(document)?;
    let indicators = Indicator::ALL.into_iter().filter(|known| document.indicators.iter().any(|i| i == known.code()));
    let reasons = Reason::ALL.into_iter().filter(|known| document.reasons.iter().any(|r| r == known.code()));
    Ok(Finding {
        indicators: indicators.map(Indicators::from).fold(Indicators::NONE, Indicators::and),
        reasons: reasons.map(Reasons::from).fold(Reasons::NONE, Reasons::and),
        id: document.id,
        analytic: document.analytic,
        title: document.title,
        severity: document.severity,
        confidence: document.confidence,
        time: document.time,
        host: document.host,
        user: document.user,
        client: document.client.map(Into::into),
        server: document.server.map(Into::into),
        channel: document.channel.map(Into::into),
        origin: document.origin,
        target: document.target,
        techniques: document.techniques,
        count: document.count,
        text: document.text,
        evidence: observations(document.evidence),
        answers: document.answers.into(),
        changes: observations(document.changes),
        logon: document.logon.map(Into::into),
        ioc_matches: document.ioc_matches,
        joins: document.joins,
        suppressed: document.suppressed.map(|by| Suppression { rule: by.rule, reason: by.reason }),
    })
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Observation, Party};

    use super::*;

    fn example() -> Finding {
        Finding {
            id: "00ff".into(),
            analytic: "IPC-DCOM-006".into(),
            severity: Severity::High,
            time: Timestamp::from_unix(1_700_000_000, 0),
            reasons: Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT),
            indicators: Indicators::UNEXPECTED_USE,
            client: Some(Party { name: "a.exe".into(), pid: Some(7), ..Party::default() }),
            evidence: vec![Observation { input: "x.log".into(), line: 3, ..Observation::default() }],
            joins: vec!["p:ws01/7".into()],
            ..Finding::default()
        }
    }

    #[test]
    fn the_document_has_the_documented_names() {
        let text = finding(&example());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["type"], "finding");
        assert_eq!(value["severity"], "high");
        assert_eq!(value["time"], "2023-11-14T22:13:20.000Z");
        assert_eq!(value["reasons"], serde_json::json!(["E2", "E4"]));
        assert_eq!(value["client"]["pid"], 7);
        assert_eq!(value["client"]["integrity"], "unknown");
        assert_eq!(value["evidence"][0]["line"], 3);
        assert!(value["incident"].is_null() && value["suppressed"].is_null() && value["server"].is_null());
        assert!(!text.contains('\n'));
    }

    #[test]
    fn a_document_read_back_is_the_same_finding() {
        assert_eq!(read_finding(&finding(&example())).unwrap(), example());
    }

    #[test]
    fn a_document_read_and_written_is_the_same_text() {
        let text = finding(&example());
        assert_eq!(serde_json::to_string(&FindingDocument::read(&text).unwrap()).unwrap(), text);
    }

    #[test]
    fn an_invalid_document_is_reported_with_its_place() {
        let error = read_finding(r#"{"type":"finding"}"#).unwrap_err();
        assert!(error.to_string().contains("line 1 column"), "{error}");
    }
}
