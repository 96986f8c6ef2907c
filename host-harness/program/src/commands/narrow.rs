//! Filters the displayed findings and incidents by time, host and account. All events are evaluated in any case, so the
//! filter does not change the findings.

use std::collections::BTreeSet;

use backchannel_host::Timestamp;
use backchannel_host::report::{FindingDocument, FindingEnvelope, IncidentDocument, IncidentEnvelope};

use crate::cli::Replay;

/// The filter.
pub(crate) struct Narrow<'a> {
    arguments: &'a Replay,
    /// Findings of incidents that name a wanted machine although none of their findings does: an incident may have more
    /// names of a machine than its findings.
    by_incident: BTreeSet<String>,
}

impl<'a> Narrow<'a> {
    /// A filter for single findings, as they are printed.
    pub(crate) fn new(arguments: &'a Replay) -> Self {
        Self { arguments, by_incident: BTreeSet::new() }
    }

    /// A filter for all results of a run. Also returns the names given with `--only-host` that match nothing.
    pub(crate) fn of_run(
        arguments: &'a Replay,
        findings: &[FindingEnvelope],
        incidents: &[IncidentEnvelope],
    ) -> (Self, Vec<&'a str>) {
        let mut narrow = Self::new(arguments);
        if arguments.only_host.is_empty() {
            return (narrow, Vec::new());
        }
        let named: Vec<(&str, BTreeSet<String>)> =
            findings.iter().map(|finding| (finding.id.as_str(), machines(finding))).collect();
        let incidents: Vec<IncidentDocument> =
            incidents.iter().filter_map(|incident| IncidentDocument::read(&incident.document).ok()).collect();
        let mut unmatched = Vec::new();
        for wanted in &arguments.only_host {
            let has = |names: &BTreeSet<String>| names.iter().any(|name| is_machine(name, wanted));
            let own: BTreeSet<&str> = named.iter().filter(|(_, names)| has(names)).map(|(id, _)| *id).collect();
            let mut found = !own.is_empty();
            for incident in &incidents {
                let says = names_of(incident).iter().any(|name| is_machine(name, wanted));
                if says && !incident.findings.iter().any(|id| own.contains(id.as_str())) {
                    narrow.by_incident.extend(incident.findings.iter().cloned());
                    found = true;
                }
            }
            if !found {
                unmatched.push(wanted.as_str());
            }
        }
        (narrow, unmatched)
    }

    /// Whether a finding is shown.
    pub(crate) fn shows(&self, finding: &FindingEnvelope) -> bool {
        let asked = self.arguments;
        let on_host = || {
            let names = machines(finding);
            self.by_incident.contains(&finding.id)
                || asked.only_host.iter().any(|wanted| names.iter().any(|name| is_machine(name, wanted)))
        };
        finding.severity >= asked.min_severity
            && asked.from.is_none_or(|from| finding.time >= from)
            && asked.until.is_none_or(|until| finding.time <= until)
            && (asked.only_host.is_empty() || on_host())
            && (asked.only_user.is_empty() || asked.only_user.iter().any(|user| is_of(finding, user)))
    }

    /// Whether an incident is shown: one of its findings is.
    pub(crate) fn shows_incident(&self, incident: &IncidentEnvelope, shown: &BTreeSet<&str>) -> bool {
        let document = IncidentDocument::read(&incident.document).unwrap_or_default();
        document.findings.iter().any(|id| shown.contains(id.as_str()))
    }
}

/// The names of all machines in the results, sorted: the possible values of `--only-host`.
pub(crate) fn names(findings: &[FindingEnvelope], incidents: &[IncidentEnvelope]) -> BTreeSet<String> {
    let read = |incident: &IncidentEnvelope| names_of(&IncidentDocument::read(&incident.document).unwrap_or_default());
    let own = findings.iter().map(|finding| finding.host.clone());
    own.chain(incidents.iter().flat_map(read)).filter(|name| !name.is_empty()).collect()
}

/// All names and addresses of machines in an incident.
fn names_of(incident: &IncidentDocument) -> BTreeSet<String> {
    let machines = incident.movements.iter().flat_map(|one| [&one.from, &one.to]);
    let names = machines.flat_map(|machine| [&machine.host, &machine.address]);
    incident.hosts.iter().chain(names).cloned().collect()
}

/// All names of machines in a finding.
fn machines(finding: &FindingEnvelope) -> BTreeSet<String> {
    let Ok(document) = FindingDocument::read(&finding.document) else { return [finding.host.clone()].into() };
    let peer = document.channel.map(|channel| channel.peer);
    let logged = document.evidence.into_iter().map(|record| record.host);
    let sides = [finding.host.clone(), document.origin.host, document.target.host];
    sides.into_iter().chain(peer).chain(logged).filter(|name| !name.is_empty()).collect()
}

/// Whether a machine's name matches the wanted one: equal, or equal without the domain if only one of them has a
/// domain.
fn is_machine(name: &str, wanted: &str) -> bool {
    let label = |text: &str| text.split('.').next().unwrap_or_default().to_lowercase();
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    let one_is_bare = !name.contains('.') || !wanted.contains('.');
    name.eq_ignore_ascii_case(wanted)
        || (one_is_bare && !is_address(name) && !is_address(wanted) && label(name) == label(wanted))
}

/// Whether a finding happened under an account.
fn is_of(finding: &FindingEnvelope, wanted: &str) -> bool {
    FindingDocument::read(&finding.document).is_ok_and(|document| is_user(&document.user, wanted))
}

/// Whether an account matches the wanted one, which is given with or without its domain.
fn is_user(user: &str, wanted: &str) -> bool {
    user.eq_ignore_ascii_case(wanted) || user.rsplit('\\').next().is_some_and(|bare| bare.eq_ignore_ascii_case(wanted))
}

/// The time of `--from`: the start of the given day, minute, second or fraction.
pub(crate) fn first(text: &str) -> Result<Timestamp, String> {
    moment(text).map(|(first, _)| first)
}

/// The time of `--until`: the end of the given day, minute, second or fraction.
pub(crate) fn last(text: &str) -> Result<Timestamp, String> {
    moment(text).map(|(first, length)| Timestamp(first.0.saturating_add(length - 1)))
}

/// Parses a time as in the output, or RFC 3339; UTC if it has no zone. Returns its first nanosecond and its length in
/// nanoseconds: 10:21:27 is the whole second.
fn moment(text: &str) -> Result<(Timestamp, i64), String> {
    let bare = text.trim().trim_end_matches("UTC").trim_end().replacen(' ', "T", 1).to_uppercase();
    let wrong = || {
        format!(
            "`{text}` is not a time: expected 2026-03-02, \"2026-03-02 07:30\", \"2026-03-02 07:30:15.250\" or \
             2026-03-02T07:30:15Z"
        )
    };
    let time = bare.get(10..).unwrap_or_default();
    let zone_at = time.find(['Z', '+', '-']).map_or(bare.len(), |at| at + 10);
    let (local, zone) = bare.split_at_checked(zone_at).ok_or_else(wrong)?;
    let zone = if zone.is_empty() { "Z" } else { zone };
    let (filled, length) = match local.len() {
        10 => (format!("{local}T00:00:00"), 24 * 3600 * Timestamp::SECOND),
        16 => (format!("{local}:00"), 60 * Timestamp::SECOND),
        19 => (local.to_owned(), Timestamp::SECOND),
        fraction @ 21..=29 => (local.to_owned(), 10_i64.pow(29 - fraction as u32)),
        _ => return Err(wrong()),
    };
    Timestamp::from_rfc_3339(&format!("{filled}{zone}")).map(|first| (first, length)).ok_or_else(wrong)
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
    fn a_moment_is_taken_as_it_is_printed() {
        let at = |text: &str| Timestamp::from_rfc_3339(text).unwrap();
        for text in ["2026-03-02 07:30:15.250", "2026-03-02T07:30:15.250Z", "2026-03-02 08:30:15.250+01:00"] {
            assert_eq!(first(text), Ok(at("2026-03-02T07:30:15.250Z")), "{text}");
        }
        assert_eq!(first("2026-03-02"), Ok(at("2026-03-02T00:00:00Z")));
        assert_eq!(first("2026-03-02 07:30 UTC"), Ok(at("2026-03-02T07:30:00Z")));
        assert!(first("yesterday").unwrap_err().contains("2026-03-02 07:30"));
        assert!(first("2026-13-02").is_err() && first("").is_err() && first("2026-03-02 07").is_err());
    }

    #[test]
    fn until_a_second_is_until_its_end() {
        let at = |text: &str| Timestamp::from_rfc_3339(text).unwrap();
        assert_eq!(last("2026-03-02 07:30:15"), Ok(at("2026-03-02T07:30:15.999999999Z")));
        assert_eq!(last("2026-03-02 07:30:15.250"), Ok(at("2026-03-02T07:30:15.250999999Z")));
        assert_eq!(last("2026-03-02"), Ok(at("2026-03-02T23:59:59.999999999Z")));
    }

    #[test]
    fn a_machine_is_found_by_each_of_its_names() {
        assert!(is_machine("ws01", "WS01.corp.example") && is_machine("ws01.corp.example", "ws01"));
        assert!(is_machine("10.0.0.7", "10.0.0.7") && !is_machine("10.0.0.7", "10") && !is_machine("ws01", "ws011"));
        assert!(!is_machine("a.corp.example", "a.lab.example"));
    }
}
