//! Who acted on whom in an incident, as lines of a small drawing.

use std::collections::BTreeMap;

use backchannel_host::Timestamp;
use backchannel_host::report::{FindingDocument, IncidentDocument};

use super::layout::{moment, second};
use super::plain;

/// One step from a machine to a machine, or within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    /// Where it came from; empty where no record says it.
    pub(crate) from: String,
    /// What was acted upon.
    pub(crate) to: String,
    /// The account that was used.
    pub(crate) account: String,
    /// By which mechanism.
    pub(crate) mechanism: String,
    /// Its first and its last event.
    pub(crate) times: (Timestamp, Timestamp),
}

/// The movements of an incident, the earliest first; steps of one kind between the same two are one.
pub(crate) fn of(incident: &IncidentDocument, findings: &BTreeMap<&str, FindingDocument>) -> Vec<Movement> {
    let mut movements: Vec<Movement> = Vec::new();
    let members = incident.findings.iter().filter_map(|id| findings.get(id.as_str()));
    let mut members: Vec<&FindingDocument> = members.collect();
    members.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    for finding in members {
        let (from, to) = (key(&finding.origin.host), key(&finding.target.host));
        // What happened inside one machine is said in words.
        if from.is_empty() || from == to {
            continue;
        }
        let account = [&finding.origin.account, &finding.target.account].into_iter().find(|name| !name.is_empty());
        let account = account.cloned().unwrap_or_default();
        let mechanism = finding.channel.as_ref().map_or("", |channel| channel.mechanism.as_str()).replace('_', " ");
        let ends = |one: &Movement| one.from == from && one.to == to;
        match movements.iter_mut().find(|one| ends(one) && one.account == account && one.mechanism == mechanism) {
            Some(known) => known.times.1 = known.times.1.max(finding.time),
            None => movements.push(Movement { from, to, account, mechanism, times: (finding.time, finding.time) }),
        }
    }
    movements
}

/// A machine as incidents name it: an address, or the first label of a name.
fn key(host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host.to_owned();
    }
    host.split('.').next().unwrap_or_default().to_lowercase()
}

/// The lines of a drawing: `10.20.0.11 --dcom--> ws01 as CORP\adm.vogt  10:21:27`.
pub(crate) fn drawing(movements: &[Movement]) -> Vec<String> {
    let days: Vec<String> = movements.iter().map(|one| second(one.times.0)).collect();
    let day = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    // The incident's own line says the day, where there is one only.
    let one_day = days.iter().all(|one| day(one) == day(&days[0]));
    let time = |at: Timestamp| {
        let text = second(at);
        if one_day { text.split(' ').nth(1).unwrap_or_default().to_owned() } else { text }
    };
    let end = |name: &str| if name.is_empty() { "?".to_owned() } else { plain(name) };
    let longest = movements.iter().map(|one| end(&one.from).chars().count()).max().unwrap_or_default();
    let line = |one: &Movement| {
        let mechanism = if one.mechanism.is_empty() { "ipc" } else { &one.mechanism };
        let account = if one.account.is_empty() { String::new() } else { format!(" as {}", plain(&one.account)) };
        let from = end(&one.from);
        let (first, last) = one.times;
        let until =
            if moment(first)[..19] == moment(last)[..19] { String::new() } else { format!(" to {}", time(last)) };
        let to = end(&one.to);
        format!("{from:<longest$} --{}--> {to}{account}, {}{until}", plain(mechanism), time(first))
    };
    movements.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use backchannel_host::report::Channel;

    use super::*;

    fn finding(id: &str, second: i64, from: &str, to: &str) -> FindingDocument {
        let mut finding = FindingDocument {
            id: id.into(),
            time: Timestamp::from_unix(1_700_000_000 + second, 0),
            channel: Some(Channel { name: "winmgmt".into(), ..Channel::default() }),
            ..FindingDocument::default()
        };
        finding.origin.host = from.into();
        finding.origin.account = r"CORP\adm.vogt".into();
        finding.target.host = to.into();
        finding
    }

    #[test]
    fn steps_of_one_kind_are_one_line_and_what_stays_on_a_machine_is_none() {
        let all = [
            finding("a", 5, "ws-041", "srv1"),
            finding("b", 0, "WS-041.corp.example", "srv1"),
            finding("c", 1, "x", "x"),
        ];
        let incident =
            IncidentDocument { findings: ["a", "b", "c"].map(str::to_owned).into(), ..IncidentDocument::default() };
        let found = of(&incident, &all.iter().map(|one| (one.id.as_str(), one.clone())).collect());
        let mechanism = Channel::default().mechanism.as_str().replace('_', " ");
        assert_eq!(drawing(&found), [format!(r"ws-041 --{mechanism}--> srv1 as CORP\adm.vogt, 22:13:20 to 22:13:25")]);
    }
}
