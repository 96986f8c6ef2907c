//! The four questions for a whole incident, from the answers of its findings.

use backchannel_events::{Answer, Answers, Finding, Severity, Verdict};

/// Most records attached to one answer.
const MOST_EVIDENCE: usize = 5;

/// How the answers of several findings become one.
#[derive(Clone, Copy)]
enum Rule {
    /// One "yes" suffices; "no" only if all say so.
    AnyYes,
    /// One "no" suffices; "yes" only if all say so.
    AnyNo,
}

/// The answers of an incident.
pub fn of(findings: &[&Finding]) -> Answers {
    let weighty: Vec<&Finding> =
        findings.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
    Answers {
        q1: one(&weighty, |answers| &answers.q1, Rule::AnyYes),
        q2: one(&weighty, |answers| &answers.q2, Rule::AnyYes),
        q3: one(&weighty, |answers| &answers.q3, Rule::AnyNo),
        q4: one(&weighty, |answers| &answers.q4, Rule::AnyNo),
    }
}

fn one(findings: &[&Finding], pick: fn(&Answers) -> &Answer, rule: Rule) -> Answer {
    let decisive = match rule {
        Rule::AnyYes => Verdict::Yes,
        Rule::AnyNo => Verdict::No,
    };
    // The worst finding speaks first.
    let mut ordered = findings.to_vec();
    ordered.sort_by(|a, b| (b.severity, a.time, &a.id).cmp(&(a.severity, b.time, &b.id)));
    if let Some(finding) = ordered.iter().find(|finding| pick(&finding.answers).value == decisive) {
        let mut answer = pick(&finding.answers).clone();
        if answer.evidence.is_empty() {
            answer.evidence = finding.evidence.iter().take(MOST_EVIDENCE).cloned().collect();
        }
        return answer;
    }
    if let Some(finding) = ordered.iter().find(|finding| pick(&finding.answers).value == Verdict::Unknown) {
        let mut answer = pick(&finding.answers).clone();
        for other in &ordered {
            for what in &pick(&other.answers).missing {
                if !answer.missing.contains(what) {
                    answer.missing.push(what.clone());
                }
            }
        }
        return answer;
    }
    let mut answer = ordered.first().map(|finding| pick(&finding.answers).clone()).unwrap_or_default();
    if answer.evidence.is_empty() && answer.value != Verdict::Unknown {
        answer.evidence = ordered.iter().flat_map(|finding| &finding.evidence).take(MOST_EVIDENCE).cloned().collect();
    }
    answer
}
