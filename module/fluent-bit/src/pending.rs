//! Documents that wait for a record they can be added to.

use std::collections::VecDeque;

use backchannel_engine::{FindingEnvelope, IncidentEnvelope};
use backchannel_events::Severity;

/// Maximum number of documents in one answer, and of their bytes: an answer must fit into a chunk of the shipper. At
/// least one document is returned, whatever its size.
const MAX_DOCUMENTS: usize = 64;
const MAX_BYTES: usize = 512 * 1024;
/// Maximum number of waiting documents, and of their bytes. Beyond it, the oldest one is dropped and counted.
const MAX_WAITING: usize = 4_096;
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

/// Findings and incidents, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    waiting: VecDeque<Document>,
    bytes: usize,
    /// Documents dropped since the last answer.
    lost: u64,
}

#[derive(Debug)]
struct Document {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Severity; `None` if a rule of the site suppressed the finding.
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
        while self.waiting.len() > MAX_WAITING || (self.bytes > MAX_WAITING_BYTES && self.waiting.len() > 1) {
            if let Some(oldest) = self.waiting.pop_front() {
                self.bytes -= oldest.text.len();
                self.lost += 1;
            }
        }
    }

    /// Writes the value of the member that is added to a record, and removes the documents written.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        let mut count = 0;
        let mut bytes = 0;
        for document in &self.waiting {
            bytes += document.text.len();
            if count == MAX_DOCUMENTS || (count > 0 && bytes > MAX_BYTES) {
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
        // A string and not a number, because Fluent Bit's record routing compares strings.
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
    fn the_routing_key_is_the_highest_severity_that_is_not_suppressed() {
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
    fn an_answer_is_bounded_but_has_at_least_one_document() {
        let mut pending = Pending::default();
        for _ in 0..MAX_DOCUMENTS + 1 {
            pending.finding(finding(Severity::Low, false, "{}".into()));
        }
        assert_eq!(written(&mut pending).matches("{}").count(), MAX_DOCUMENTS);
        assert_eq!(written(&mut pending).matches("{}").count(), 1);
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
        pending.finding(finding(Severity::Low, false, large.clone()));
        pending.finding(finding(Severity::Low, false, large.clone()));
        assert_eq!(written(&mut pending).matches("\"a\"").count(), 1);
        assert_eq!(written(&mut pending).matches("\"a\"").count(), 1);
        assert!(pending.is_empty());
    }

    #[test]
    fn pending_documents_are_bounded_and_dropped_ones_are_reported() {
        let mut pending = Pending::default();
        for _ in 0..MAX_WAITING + 3 {
            pending.finding(finding(Severity::Low, false, "{}".into()));
        }
        assert!(written(&mut pending).ends_with(",\"lost\":3}"));
        assert!(!written(&mut pending).contains("lost"));
        let mut pending = Pending::default();
        for _ in 0..3 {
            pending.finding(finding(Severity::Low, false, "x".repeat(MAX_WAITING_BYTES / 2)));
        }
        assert_eq!(pending.waiting.len(), 2);
        assert_eq!(pending.bytes, MAX_WAITING_BYTES / 2 * 2);
    }
}
