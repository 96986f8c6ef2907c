//! Findings as OCSF 1.8.0 Detection Findings (class 2004), one per finding that no rule of the site suppressed.

use std::collections::BTreeMap;

use backchannel_events::{Confidence, Severity, Timestamp};
use serde::Serialize;

use crate::{FindingDocument, IncidentDocument, Process, Record};

/// Version of the OCSF schema.
const SCHEMA: &str = "1.8.0";
/// Version of ATT&CK of the techniques.
const ATTACK: &str = "18";
/// Class and activity of Detection Findings.
const DETECTION_FINDING: &str = "Detection Finding";

/// Converts findings to OCSF, each with information from its incident.
#[derive(Debug, Default)]
pub struct Ocsf {
    incidents: BTreeMap<String, IncidentDocument>,
}

impl Ocsf {
    /// With the documents of incidents; other documents are ignored.
    pub fn new<'d>(incidents: impl IntoIterator<Item = &'d str>) -> Self {
        let read = incidents.into_iter().filter_map(|document| IncidentDocument::read(document).ok());
        Self { incidents: read.map(|incident| (incident.id.clone(), incident)).collect() }
    }

    /// Converts a finding's document to a Detection Finding: one JSON object without a line end. `None` if a rule of
    /// the site suppressed the finding.
    ///
    /// # Errors
    /// The document is not JSON, or not a finding; the error has line and column.
    pub fn detection(&self, finding: &str) -> Result<Option<String>, serde_json::Error> {
        let finding = FindingDocument::read(finding)?;
        if finding.suppressed.is_some() {
            return Ok(None);
        }
        let incident = finding.incident.as_ref().and_then(|id| self.incidents.get(id));
        serde_json::to_string(&detection(&finding, incident)).map(Some)
    }

    /// Converts all findings among the JSON lines of a replay to Detection Findings, one per line.
    pub fn of_lines(lines: &str) -> String {
        let ocsf = Self::new(lines.lines());
        let mut text = String::new();
        for detection in lines.lines().filter_map(|line| ocsf.detection(line).ok().flatten()) {
            text.push_str(&detection);
            text.push('\n');
        }
        text
    }
}

#[derive(Serialize)]
struct Detection<'a> {
    activity_id: u8,
    activity_name: &'static str,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    time: i64,
    severity_id: u8,
    severity: Severity,
    confidence_id: u8,
    confidence: Confidence,
    status_id: u8,
    is_alert: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    count: u32,
    metadata: Metadata<'a>,
    finding_info: Info<'a>,
    device: Device<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidences: Vec<Evidence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<&'a str>,
    product: Product,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Info<'a> {
    uid: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    desc: &'a str,
    analytic: Analytic<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attacks: Vec<Attack<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen_time: Option<i64>,
    last_seen_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_events: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Analytic<'a> {
    uid: &'a str,
    name: &'a str,
    type_id: u8,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Attack<'a> {
    version: &'static str,
    technique: Uid<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_technique: Option<Uid<'a>>,
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Related<'a> {
    uid: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Device<'a> {
    hostname: &'a str,
    type_id: u8,
}

#[derive(Serialize)]
struct Evidence<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    data: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Program<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint<'a>>,
}

#[derive(Serialize)]
struct Program<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cmd_line: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    path: &'a str,
    type_id: u8,
}

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Endpoint<'a> {
    Ip(&'a str),
    Hostname(&'a str),
}

#[derive(Serialize)]
struct Remediation {
    desc: String,
}

fn detection<'a>(finding: &'a FindingDocument, incident: Option<&'a IncidentDocument>) -> Detection<'a> {
    let severity_id = severity(finding.severity);
    Detection {
        activity_id: 1,
        activity_name: "Create",
        category_uid: 2,
        category_name: "Findings",
        class_uid: 2004,
        class_name: DETECTION_FINDING,
        type_uid: 200_401,
        type_name: "Detection Finding: Create",
        time: milliseconds(finding.time),
        severity_id,
        severity: finding.severity,
        confidence_id: confidence(finding.confidence),
        confidence: finding.confidence,
        status_id: 1,
        is_alert: severity_id >= 3,
        message: &finding.text,
        count: finding.count,
        metadata: Metadata {
            version: SCHEMA,
            uid: &finding.id,
            correlation_uid: finding.incident.as_deref(),
            product: Product { name: "Backchannel", vendor_name: "Backchannel", version: env!("CARGO_PKG_VERSION") },
        },
        finding_info: info(finding, incident),
        device: Device { hostname: &finding.host, type_id: 0 },
        evidences: evidences(finding),
        remediation: incident.and_then(remediation),
    }
}

fn info<'a>(finding: &'a FindingDocument, incident: Option<&'a IncidentDocument>) -> Info<'a> {
    let others = incident.into_iter().flat_map(|incident| &incident.findings).filter(|id| **id != finding.id);
    Info {
        uid: &finding.id,
        title: &finding.title,
        desc: &finding.text,
        analytic: Analytic { uid: &finding.analytic, name: &finding.title, type_id: 1, r#type: "Rule" },
        attacks: finding.techniques.iter().map(|id| attack(id)).collect(),
        first_seen_time: finding.evidence.first().map(|record| milliseconds(record.time)),
        last_seen_time: milliseconds(finding.time),
        related_events: others.map(|uid| Related { uid, r#type: DETECTION_FINDING }).collect(),
    }
}

fn attack(id: &str) -> Attack<'_> {
    let (parent, is_sub) = id.split_once('.').map_or((id, false), |(parent, sub)| (parent, !sub.is_empty()));
    Attack { version: ATTACK, technique: Uid { uid: parent }, sub_technique: is_sub.then_some(Uid { uid: id }) }
}

fn evidences<'a>(finding: &'a FindingDocument) -> Vec<Evidence<'a>> {
    let process = finding.server.as_ref().or(finding.client.as_ref());
    let peer = finding.channel.as_ref().map(|channel| channel.peer.as_str()).filter(|peer| !peer.is_empty());
    let evidence = |record: &'a Record| Evidence {
        uid: &record.record,
        name: &record.text,
        data: record,
        process: process.map(program),
        src_endpoint: peer.map(endpoint),
    };
    finding.evidence.iter().map(evidence).collect()
}

fn endpoint(peer: &str) -> Endpoint<'_> {
    let is_address = peer.contains(':') || peer.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    if is_address { Endpoint::Ip(peer) } else { Endpoint::Hostname(peer) }
}

fn program(process: &Process) -> Program<'_> {
    let known = |text: &'_ String| !text.is_empty();
    Program {
        name: &process.name,
        pid: process.pid.filter(|pid| *pid != 0),
        uid: &process.entity,
        cmd_line: &process.command_line,
        file: known(&process.path).then_some(File { name: &process.name, path: &process.path, type_id: 1 }),
        user: known(&process.user).then_some(User { name: &process.user }),
    }
}

fn remediation(incident: &IncidentDocument) -> Option<Remediation> {
    let step = |step: &crate::StepDocument| format!("{}. {} {}", step.order, step.action, step.target);
    let steps: Vec<String> = incident.containment.iter().map(step).collect();
    (!steps.is_empty()).then(|| Remediation { desc: steps.join("; ") })
}

fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 1,
        Confidence::Medium => 2,
        Confidence::High | Confidence::Certain => 3,
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
fn milliseconds(time: Timestamp) -> i64 {
    time.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Action, ChannelNote, Finding, Incident, Observation, Party, Suppression};

    use super::*;

    fn example() -> Finding {
        Finding {
            id: "0a".into(),
            analytic: "IPC-DCOM-006".into(),
            title: "T".into(),
            text: "S".into(),
            severity: Severity::High,
            confidence: Confidence::Certain,
            time: Timestamp::from_unix(1_700_000_000, 123_456_789),
            host: "ws01".into(),
            count: 2,
            techniques: vec!["T1559.001".into(), "T1059".into()],
            server: Some(Party { name: "b.exe".into(), path: r"C:\b.exe".into(), pid: Some(7), ..Party::default() }),
            client: Some(Party { name: "a.exe".into(), ..Party::default() }),
            channel: Some(ChannelNote { peer: "10.20.0.11".into(), ..ChannelNote::default() }),
            evidence: vec![Observation {
                input: "x.log".into(),
                line: 3,
                record: "7".into(),
                text: "R".into(),
                time: Timestamp::from_unix(1_699_999_999, 0),
                ..Observation::default()
            }],
            ..Finding::default()
        }
    }

    fn lines() -> String {
        let finding = crate::with_incident(&crate::finding(&example()), Some("f0")).unwrap();
        let silenced = crate::finding(&Finding { suppressed: Some(Suppression::default()), ..example() });
        let incident = crate::incident(&Incident {
            id: "f0".into(),
            findings: vec!["0a".into(), "0b".into()],
            containment: vec![Action {
                action: "isolate".into(),
                target: "ws01".into(),
                order: 1,
                ..Action::default()
            }],
            ..Incident::default()
        });
        format!("{incident}\n{finding}\n{silenced}\nnoise\n{}\n", crate::Summary::default().document())
    }

    #[test]
    fn a_detection_finding_has_the_fields_of_the_finding_and_its_incident() {
        let written = Ocsf::of_lines(&lines());
        let expected = concat!(
            r#"{"activity_id":1,"activity_name":"Create","category_uid":2,"category_name":"Findings","class_uid":2004,"#,
            r#""class_name":"Detection Finding","type_uid":200401,"type_name":"Detection Finding: Create","#,
            r#""time":1700000000123,"severity_id":4,"severity":"high","confidence_id":3,"confidence":"certain","#,
            r#""status_id":1,"is_alert":true,"message":"S","count":2,"metadata":{"version":"1.8.0","uid":"0a","#,
            r#""correlation_uid":"f0","product":{"name":"Backchannel","vendor_name":"Backchannel","version":"VERSION"}},"#,
            r#""finding_info":{"uid":"0a","title":"T","desc":"S","analytic":{"uid":"IPC-DCOM-006","name":"T","type_id":1,"#,
            r#""type":"Rule"},"attacks":[{"version":"18","technique":{"uid":"T1559"},"sub_technique":{"uid":"T1559.001"}},"#,
            r#"{"version":"18","technique":{"uid":"T1059"}}],"first_seen_time":1699999999000,"#,
            r#""last_seen_time":1700000000123,"related_events":[{"uid":"0b","type":"Detection Finding"}]},"#,
            r#""device":{"hostname":"ws01","type_id":0},"evidences":[{"uid":"7","name":"R","data":{"source":"x.log","#,
            r#""record":"7","line":3,"provider":"","event_id":0,"time":"2023-11-14T22:13:19.000Z","host":"","text":"R"},"#,
            r#""process":{"name":"b.exe","pid":7,"file":{"name":"b.exe","path":"C:\\b.exe","type_id":1}},"#,
            r#""src_endpoint":{"ip":"10.20.0.11"}}],"remediation":{"desc":"1. isolate ws01"}}"#,
            "\n"
        );
        assert_eq!(written, expected.replace("VERSION", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn unknown_fields_are_omitted_and_a_peer_is_an_address_or_a_name() {
        let ocsf = Ocsf::default();
        let bare = ocsf.detection(&crate::finding(&Finding::default())).unwrap().unwrap();
        for absent in ["message", "desc", "evidences", "remediation", "correlation_uid", "attacks", "first_seen_time"] {
            assert!(!bare.contains(absent), "{absent} in {bare}");
        }
        for (peer, expected) in [("fe80::1", r#"{"ip":"fe80::1"}"#), ("jump01", r#"{"hostname":"jump01"}"#)] {
            let channel = Some(ChannelNote { peer: peer.into(), ..ChannelNote::default() });
            let text = ocsf.detection(&crate::finding(&Finding { channel, ..example() })).unwrap().unwrap();
            assert!(text.contains(&format!(r#""src_endpoint":{expected}"#)), "{text}");
        }
        assert!(ocsf.detection("{}").is_err());
    }
}
