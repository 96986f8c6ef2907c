//! What is waiting for a record to ride on.

use std::collections::VecDeque;

use backchannel_engine::{FindingEnvelope, IncidentEnvelope};
use backchannel_events::Severity;

/// Documents in one answer, and their bytes: an answer must fit into a chunk of the shipper. One document is always
/// handed over, whatever its size.
const MOST_AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 512 * 1024;
/// Documents that wait, and their bytes. Beyond, the oldest is given up and counted.
const MOST_WAITING: usize = 4_096;
const BYTES_WAITING: usize = 8 * 1024 * 1024;

/// Findings and incidents, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    waiting: VecDeque<Document>,
    bytes: usize,
    /// How many were given up since the last answer.
    lost: u64,
}

#[derive(Debug)]
struct Document {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Severity; none where a rule of the site silenced the finding.
    Finding(Option<Severity>),
    Incident(Severity, u8),
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lost == 0
    }

    pub fn finding(&mut self, finding: FindingEnvelope) {
        let FindingEnvelope { severity, suppressed, document, .. } = finding;
        self.push(Document { text: document, kind: Kind::Finding((!suppressed).then_some(severity)) });
    }

    pub fn incident(&mut self, incident: IncidentEnvelope) {
        let IncidentEnvelope { severity, tier, document, .. } = incident;
        self.push(Document { text: document, kind: Kind::Incident(severity, tier) });
    }

    fn push(&mut self, document: Document) {
        self.bytes += document.text.len();
        self.waiting.push_back(document);
        while self.waiting.len() > MOST_WAITING || (self.bytes > BYTES_WAITING && self.waiting.len() > 1) {
            if let Some(oldest) = self.waiting.pop_front() {
                self.bytes -= oldest.text.len();
                self.lost += 1;
            }
        }
    }

    /// Writes the value of the member that is added to a record, and forgets what it wrote.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        let mut count = 0;
        let mut bytes = 0;
        for document in &self.waiting {
            bytes += document.text.len();
            if count == MOST_AT_ONCE || (count > 0 && bytes > BYTES_AT_ONCE) {
                break;
            }
            count += 1;
        }
        let documents: Vec<Document> = self.waiting.drain(..count).collect();
        self.bytes -= documents.iter().map(|document| document.text.len()).sum::<usize>();

        let mut worst = None;
        let mut highest = 0;
        for document in &documents {
            match document.kind {
                Kind::Finding(severity) => worst = worst.max(severity),
                Kind::Incident(severity, tier) => {
                    worst = worst.max(Some(severity));
                    highest = highest.max(tier);
                }
            }
        }
        // Text and not a number: what routes records in Fluent Bit compares text.
        out.extend_from_slice(b"{\"severity\":\"");
        out.extend_from_slice(worst.map_or("none", Severity::as_str).as_bytes());
        out.extend_from_slice(b"\",\"tier\":\"");
        out.extend_from_slice(if highest == 0 { "none".to_owned() } else { highest.to_string() }.as_bytes());
        out.push(b'"');
        list(out, ",\"findings\":[", documents.iter().filter(|document| matches!(document.kind, Kind::Finding(_))));
        list(out, ",\"incidents\":[", documents.iter().filter(|document| matches!(document.kind, Kind::Incident(..))));
        if self.lost > 0 {
            out.extend_from_slice(format!(",\"lost\":{}", self.lost).as_bytes());
            self.lost = 0;
        }
        out.push(b'}');
    }
}

fn list<'a>(out: &mut Vec<u8>, opening: &str, documents: impl Iterator<Item = &'a Document>) {
    let mut any = false;
    for document in documents {
        out.extend_from_slice(if any { "," } else { opening }.as_bytes());
        out.extend_from_slice(document.text.as_bytes());
        any = true;
    }
    if any {
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Confidence, Timestamp};

    use super::*;

    fn finding(severity: Severity, suppressed: bool, document: String) -> FindingEnvelope {
        FindingEnvelope {
            id: String::new(),
            analytic: String::new(),
            severity,
            confidence: Confidence::Low,
            time: Timestamp(0),
            host: String::new(),
            suppressed,
            document,
        }
    }

    fn written(pending: &mut Pending) -> String {
        let mut out = Vec::new();
        pending.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_routes_is_the_worst_of_what_is_not_silenced() {
        let mut pending = Pending::default();
        pending.finding(finding(Severity::High, true, "{\"a\":1}".into()));
        assert_eq!(written(&mut pending), r#"{"severity":"none","tier":"none","findings":[{"a":1}]}"#);
        pending.finding(finding(Severity::Low, false, "{}".into()));
        pending.finding(finding(Severity::Info, false, "{}".into()));
        let (id, document) = (String::new(), "{}".to_owned());
        pending.incident(IncidentEnvelope { id, revision: 1, severity: Severity::Medium, tier: 2, document });
        let all = r#"{"severity":"medium","tier":"2","findings":[{},{}],"incidents":[{}]}"#;
        assert_eq!(written(&mut pending), all);
        assert!(pending.is_empty());
    }

    #[test]
    fn an_answer_is_bounded_and_one_document_always_rides() {
        let mut pending = Pending::default();
        for _ in 0..MOST_AT_ONCE + 1 {
            pending.finding(finding(Severity::Low, false, "{}".into()));
        }
        assert_eq!(written(&mut pending).matches("{}").count(), MOST_AT_ONCE);
        assert_eq!(written(&mut pending).matches("{}").count(), 1);
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(BYTES_AT_ONCE));
        pending.finding(finding(Severity::Low, false, large.clone()));
        pending.finding(finding(Severity::Low, false, large.clone()));
        assert_eq!(written(&mut pending).matches("\"a\"").count(), 1);
        assert_eq!(written(&mut pending).matches("\"a\"").count(), 1);
        assert!(pending.is_empty());
    }

    #[test]
    fn what_waits_is_bounded_and_what_was_given_up_is_told() {
        let mut pending = Pending::default();
        for _ in 0..MOST_WAITING + 3 {
            pending.finding(finding(Severity::Low, false, "{}".into()));
        }
        assert!(written(&mut pending).ends_with(",\"lost\":3}"));
        assert!(!written(&mut pending).contains("lost"));
        let mut pending = Pending::default();
        for _ in 0..3 {
            pending.finding(finding(Severity::Low, false, "x".repeat(BYTES_WAITING / 2)));
        }
        assert_eq!(pending.waiting.len(), 2);
        assert_eq!(pending.bytes, BYTES_WAITING / 2 * 2);
    }
}
