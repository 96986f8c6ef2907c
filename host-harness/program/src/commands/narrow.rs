//! Which findings and incidents are shown: from when to when, of which hosts and accounts. The memory sees all events
//! whatever is shown, so that narrowing never changes what is found.

use std::collections::BTreeSet;

use backchannel_host::Timestamp;
use backchannel_host::report::{FindingDocument, FindingEnvelope, IncidentDocument, IncidentEnvelope};

use crate::cli::Replay;

/// What is to be shown.
pub(crate) struct Narrow<'a> {
    arguments: &'a Replay,
}

impl<'a> Narrow<'a> {
    pub(crate) fn new(arguments: &'a Replay) -> Self {
        Self { arguments }
    }

    /// Whether a finding is shown.
    pub(crate) fn shows(&self, finding: &FindingEnvelope) -> bool {
        let asked = self.arguments;
        finding.severity >= asked.min_severity
            && asked.from.is_none_or(|from| finding.time >= from)
            && asked.to.is_none_or(|to| finding.time <= to)
            && (asked.only_host.is_empty()
                || asked.only_host.iter().any(|host| host.eq_ignore_ascii_case(&finding.host)))
            && (asked.only_user.is_empty() || asked.only_user.iter().any(|user| is_of(finding, user)))
    }

    /// Whether an incident is shown: one of its findings is.
    pub(crate) fn shows_incident(&self, incident: &IncidentEnvelope, shown: &BTreeSet<&str>) -> bool {
        let document = IncidentDocument::read(&incident.document).unwrap_or_default();
        document.findings.iter().any(|id| shown.contains(id.as_str()))
    }
}

/// Whether a finding happened under an account.
fn is_of(finding: &FindingEnvelope, wanted: &str) -> bool {
    FindingDocument::read(&finding.document).is_ok_and(|document| is_user(&document.user, wanted))
}

/// Whether an account is the wanted one, which is given with or without its domain.
fn is_user(user: &str, wanted: &str) -> bool {
    user.eq_ignore_ascii_case(wanted) || user.rsplit('\\').next().is_some_and(|bare| bare.eq_ignore_ascii_case(wanted))
}

/// A moment on the command line: RFC 3339, or a date, which is its first second.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc_3339(text)
        .or_else(|| Timestamp::from_rfc_3339(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| "expected a date such as 2026-03-02 or a moment such as 2026-03-02T07:30:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_with_and_without_its_domain() {
        let user = r"CORP\anna";
        assert!(is_user(user, r"corp\anna") && is_user(user, "Anna") && !is_user(user, "ann"));
    }

    #[test]
    fn a_date_is_its_first_second() {
        assert_eq!(moment("2026-03-02").unwrap().to_string(), "2026-03-02T00:00:00.000Z");
        assert!(moment("yesterday").unwrap_err().contains("2026-03-02"));
    }
}
