//! A finding as its JSON document, and back.

use backchannel_events::{
    Confidence, Finding, Indicator, Indicators, Reason, Reasons, Severity, Suppression, Timestamp,
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
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// Time of the event that completed it.
    #[serde(with = "moment")]
    pub time: Timestamp,
    /// Key of the host.
    pub host: String,
    /// Account of whoever acted.
    pub user: String,
    /// The process that used the channel.
    pub client: Option<Process>,
    /// The process that was used through it.
    pub server: Option<Process>,
    /// The channel.
    pub channel: Option<Channel>,
    /// ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// Key indicators of the playbook.
    pub indicators: Vec<String>,
    /// Reasons to escalate, E1 to E4.
    pub reasons: Vec<String>,
    /// How often it was seen.
    pub count: u32,
    /// What happened, in one sentence.
    pub text: String,
    /// The records that it rests on.
    pub evidence: Vec<Record>,
    /// The playbook's four answers.
    pub answers: Answers,
    /// Recent changes that may explain it.
    pub changes: Vec<Record>,
    /// The logon that it happened under.
    pub logon: Option<Record>,
    /// Indicators of compromise that matched.
    pub ioc_matches: Vec<String>,
    /// Keys that findings of one incident share.
    pub joins: Vec<String>,
    /// Id of its incident, once that is known.
    pub incident: Option<String>,
    /// The site's rule that silenced it.
    pub suppressed: Option<SuppressedBy>,
}

/// The rule that silenced a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedBy {
    /// Its name.
    pub rule: String,
    /// Why it is there.
    pub reason: String,
}

impl FindingDocument {
    /// Reads the document of a finding.
    ///
    /// # Errors
    /// What is wrong with the document, and where.
    pub fn read(document: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(document)
    }
}

/// The document of a finding: one JSON object without a line end. Its `incident` is null: which incident it belongs
/// to is known only after it was handed over.
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
    // Text and numbers always serialise; an empty document would say so if that ever changed.
    serde_json::to_string(&document).unwrap_or_default()
}

/// Reads a finding's document.
///
/// # Errors
/// What is wrong with the document, and where.
pub fn read_finding(document: &str) -> Result<Finding, String> {
    let document = FindingDocument::read(document).map_err(|error| error.to_string())?;
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
    fn the_names_are_those_that_scripts_rely_on() {
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
        assert_eq!(read_finding(&finding(&example())), Ok(example()));
    }

    #[test]
    fn a_document_read_and_written_is_the_same_text() {
        let text = finding(&example());
        assert_eq!(serde_json::to_string(&FindingDocument::read(&text).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_broken_document_says_where() {
        assert!(read_finding(r#"{"type":"finding"}"#).unwrap_err().contains("line 1 column"));
    }
}
