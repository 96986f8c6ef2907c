//! A finding as its JSON document.

use backchannel_events::{ChannelNote, Finding, Indicator, Integrity, Observation, Party, Reason};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    id: &'a str,
    analytic: &'a str,
    title: &'a str,
    severity: &'static str,
    confidence: &'static str,
    time: String,
    host: &'a str,
    user: &'a str,
    client: Option<Process<'a>>,
    server: Option<Process<'a>>,
    channel: Option<Channel<'a>>,
    techniques: &'a [String],
    indicators: Vec<&'static str>,
    reasons: Vec<&'static str>,
    count: u32,
    text: &'a str,
    evidence: Vec<Evidence<'a>>,
    incident: Option<&'a str>,
    suppressed: Option<Suppressed<'a>>,
}

#[derive(Serialize)]
struct Process<'a> {
    name: &'a str,
    path: &'a str,
    pid: Option<u32>,
    entity: &'a str,
    command_line: &'a str,
    user: &'a str,
    integrity: Integrity,
    hashes: &'a [String],
}

#[derive(Serialize)]
struct Channel<'a> {
    mechanism: &'static str,
    name: &'a str,
    remote: bool,
    peer: &'a str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    source: &'a str,
    record: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    provider: &'a str,
    event_id: u32,
    time: String,
    host: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Suppressed<'a> {
    rule: &'a str,
    reason: &'a str,
}

/// The document of a finding: one JSON object without a line end.
pub fn finding(finding: &Finding) -> String {
    let document = Document {
        r#type: "finding",
        id: &finding.id,
        analytic: &finding.analytic,
        title: &finding.title,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        time: finding.time.to_string(),
        host: &finding.host,
        user: &finding.user,
        client: finding.client.as_ref().map(process),
        server: finding.server.as_ref().map(process),
        channel: finding.channel.as_ref().map(channel),
        techniques: &finding.techniques,
        indicators: finding.indicators.iter().map(Indicator::code).collect(),
        reasons: finding.reasons.iter().map(Reason::code).collect(),
        count: finding.count,
        text: &finding.text,
        evidence: finding.evidence.iter().map(evidence).collect(),
        incident: None,
        suppressed: finding.suppressed.as_ref().map(|s| Suppressed { rule: &s.rule, reason: &s.reason }),
    };
    // Serialising owned text and numbers into a string cannot fail; an empty document would say so if it did.
    serde_json::to_string(&document).unwrap_or_default()
}

fn process(party: &Party) -> Process<'_> {
    Process {
        name: &party.name,
        path: &party.path,
        pid: party.pid,
        entity: &party.entity,
        command_line: &party.command_line,
        user: &party.user,
        integrity: party.integrity,
        hashes: &party.hashes,
    }
}

fn channel(note: &ChannelNote) -> Channel<'_> {
    Channel { mechanism: note.mechanism.as_str(), name: &note.name, remote: note.remote, peer: &note.peer }
}

fn evidence(observation: &Observation) -> Evidence<'_> {
    Evidence {
        source: &observation.input,
        record: &observation.record,
        line: Some(observation.line).filter(|&line| line > 0),
        provider: &observation.provider,
        event_id: observation.event_id,
        time: observation.time.to_string(),
        host: &observation.host,
        text: &observation.text,
    }
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Reasons, Severity, Timestamp};

    use super::*;

    #[test]
    fn the_names_are_those_that_scripts_rely_on() {
        let one = Finding {
            id: "00ff".into(),
            analytic: "IPC-DCOM-006".into(),
            severity: Severity::High,
            time: Timestamp::from_unix(1_700_000_000, 0),
            reasons: Reasons::E2.and(Reasons::E4),
            client: Some(Party { name: "a.exe".into(), pid: Some(7), ..Party::default() }),
            evidence: vec![Observation { input: "x.log".into(), line: 3, ..Observation::default() }],
            ..Finding::default()
        };
        let text = finding(&one);
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
}
