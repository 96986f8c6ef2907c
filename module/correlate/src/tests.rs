//! Tests of the correlator, with findings made by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::{
    ActivityKind, Answer, Answers, ChannelNote, Finding, Incident, Mechanism, Object, Observation, Party, Reason,
    Reasons, Severity, Side, Signal, SignalKind, Suppression, Timestamp, Verdict, WatchedEvent,
};

use crate::Correlator;

pub fn at(minutes: u64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0) + Duration::from_secs(minutes * 60)
}

/// A finding of high severity on a host, with the keys it joins by.
pub fn finding(id: &str, host: &str, minute: u64, joins: &[&str]) -> Finding {
    let record = Observation { time: at(minute), host: host.into(), record: id.into(), ..Observation::default() };
    Finding {
        id: id.into(),
        analytic: "IPC-PIPE-002".into(),
        severity: Severity::High,
        time: at(minute),
        host: host.into(),
        user: "CORP\\eve".into(),
        techniques: vec!["T1559".into()],
        count: 1,
        text: format!("what {id} says"),
        evidence: vec![record],
        joins: joins.iter().map(|&key| key.to_owned()).collect(),
        ..Finding::default()
    }
}

/// A finding of lateral movement into `host` from `peer`.
pub fn entry(id: &str, host: &str, minute: u64, peer: &str) -> Finding {
    Finding {
        analytic: "IPC-DCOM-006".into(),
        reasons: Reasons::LATERAL_MOVEMENT,
        origin: Side { host: peer.into(), account: "CORP\\eve".into(), ..Side::default() },
        target: Side { host: host.into(), ..Side::default() },
        channel: Some(ChannelNote {
            mechanism: Mechanism::Dcom,
            name: "MMC20".into(),
            remote: true,
            peer: peer.into(),
        }),
        ..finding(id, host, minute, &[])
    }
}

/// The same act as the machine that acted tells it.
pub fn source_side(id: &str, host: &str, minute: u64, peer: &str) -> Finding {
    let there = entry(id, host, minute, peer);
    Finding { analytic: "IPC-WMI-005".into(), origin: there.target.clone(), target: there.origin.clone(), ..there }
}

pub fn incidents(findings: &[Finding]) -> Vec<Incident> {
    let mut correlator = Correlator::new();
    for finding in findings {
        correlator.finding(finding.clone());
    }
    correlator.incidents()
}

fn hosts(incidents: &[Incident]) -> Vec<Vec<&str>> {
    incidents.iter().map(|incident| incident.hosts.iter().map(String::as_str).collect()).collect()
}

pub fn address(host: &str, address: &str) -> Signal {
    Signal { host: host.into(), kind: SignalKind::Address, peer: address.into(), user: String::new(), time: at(0) }
}

#[test]
fn a_shared_process_makes_one_incident_and_different_ones_make_two() {
    let one = [finding("a", "ws1", 0, &["p:ws1/7"]), finding("b", "ws1", 5, &["p:ws1/7", "p:ws1/8"])];
    assert_eq!(incidents(&one).len(), 1);
    let two = [finding("a", "ws1", 0, &["p:ws1/7"]), finding("b", "ws1", 5, &["p:ws1/8"])];
    assert_eq!(incidents(&two).len(), 2);
}

#[test]
fn two_hosts_are_joined_by_the_peer_and_the_account() {
    let both = [finding("a", "ws1", 0, &["p:ws1/7"]), entry("b", "srv1", 5, "WS1.corp.example")];
    assert_eq!(hosts(&incidents(&both)), [["ws1", "srv1"]]);
    let mut other = both;
    other[1].user = "CORP\\backup".into();
    assert_eq!(incidents(&other).len(), 2);
}

#[test]
fn an_address_is_the_host_that_said_so() {
    let mut correlator = Correlator::new();
    correlator.finding(finding("a", "ws1", 0, &[]));
    correlator.finding(entry("b", "srv1", 5, "10.0.0.7"));
    assert_eq!(correlator.incidents().len(), 2);
    correlator.signal(address("ws1", "10.0.0.7"));
    let joined = correlator.incidents();
    assert_eq!(hosts(&joined), [["ws1", "srv1"]]);
}

#[test]
fn a_host_that_reached_for_another_is_joined_with_its_entry() {
    let mut correlator = Correlator::new();
    correlator.finding(finding("a", "ws1", 0, &[]));
    correlator.finding(Finding { channel: None, ..entry("b", "srv1", 5, "") });
    assert_eq!(correlator.incidents().len(), 2);
    let (host, peer, user) = ("ws1".into(), "srv1.corp.example".into(), "CORP\\eve".into());
    correlator.signal(Signal { host, kind: SignalKind::ReachedFor, peer, user, time: at(4) });
    assert_eq!(correlator.incidents().len(), 1);
}

#[test]
fn a_merge_names_what_it_supersedes_and_counts_on() {
    let mut correlator = Correlator::new();
    correlator.finding(finding("a", "ws1", 0, &["p:ws1/7"]));
    correlator.finding(finding("b", "ws1", 5, &["p:ws1/8"]));
    let before = correlator.incidents();
    assert_eq!(before.len(), 2);
    correlator.finding(finding("c", "ws1", 6, &["p:ws1/7", "p:ws1/8"]));
    let after = correlator.incidents();
    assert_eq!(after.len(), 1);
    let earliest = before.iter().find(|incident| incident.findings == ["a"]).unwrap();
    let swallowed = before.iter().find(|incident| incident.findings == ["b"]).unwrap();
    assert_eq!(after[0].id, earliest.id);
    assert_eq!(after[0].supersedes, std::slice::from_ref(&swallowed.id));
    assert_eq!(after[0].revision, 2);
    assert!(correlator.incidents().is_empty(), "nothing has changed since");
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    let findings = [
        finding("a", "ws1", 0, &["p:ws1/7"]),
        finding("b", "ws1", 3, &["p:ws1/7", "l:ws1/0x5"]),
        finding("c", "ws1", 6, &["l:ws1/0x5"]),
        entry("d", "srv1", 9, "ws1"),
        finding("e", "db1", 9, &["p:db1/1"]),
    ];
    let mut reversed = findings.to_vec();
    reversed.reverse();
    assert_eq!(incidents(&findings), incidents(&reversed));
    let mut turned = findings.to_vec();
    turned.rotate_left(2);
    assert_eq!(incidents(&findings), incidents(&turned));
}

#[test]
fn a_key_seen_again_and_again_joins_in_any_order() {
    let findings = [0, 50, 100].map(|minute| finding(&format!("f{minute}"), "ws1", minute, &["c:ws1/p"]));
    for order in [[0, 1, 2], [2, 0, 1], [2, 1, 0], [0, 2, 1]] {
        let arrived = order.map(|at| findings[at].clone());
        assert_eq!(incidents(&arrived).len(), 1, "{order:?}");
    }
    let visits = [0, 50, 100].map(|minute| entry(&format!("f{minute}"), &format!("srv{minute}"), minute, "10.9.9.9"));
    for order in [[0, 1, 2], [2, 0, 1], [2, 1, 0], [0, 2, 1]] {
        let mut correlator = Correlator::new();
        let mut told = Vec::new();
        for at in order {
            correlator.finding(visits[at].clone());
            told = correlator.incidents();
        }
        assert_eq!(told.len(), 1, "{order:?}");
        assert_eq!(told[0].findings.len(), 3, "{order:?}");
    }
}

#[test]
fn what_a_better_explanation_takes_away_is_told_again_without_it() {
    // The server was entered from ws1: what the account did there may be why, until ws1 itself says that it called.
    let (did, entered, called) =
        (finding("a", "ws1", 0, &[]), entry("b", "srv1", 5, "ws1"), source_side("c", "ws1", 5, "srv1"));
    let mut correlator = Correlator::new();
    correlator.finding(did.clone());
    correlator.finding(entered.clone());
    let early = correlator.incidents();
    assert_eq!(early.len(), 1);
    correlator.finding(called.clone());
    let late = correlator.incidents();
    let told = |incidents: &[Incident]| -> BTreeMap<String, Vec<String>> {
        incidents.iter().map(|incident| (incident.id.clone(), incident.findings.clone())).collect()
    };
    assert_eq!(told(&late), told(&incidents(&[did, entered, called])));
    let again = late.iter().find(|incident| incident.id == early[0].id).unwrap();
    assert_eq!((again.findings.as_slice(), again.revision), (["a".to_owned()].as_slice(), 2));
    assert!(late.iter().all(|incident| incident.supersedes.is_empty()));
    assert!(correlator.incidents().is_empty());
}

#[test]
fn an_incident_that_comes_back_counts_on() {
    let mut correlator = Correlator::new();
    correlator.finding(finding("z", "ws1", 6, &[]));
    let alone = correlator.incidents();
    correlator.finding(entry("b", "srv1", 5, "ws1"));
    assert_eq!(correlator.incidents()[0].supersedes, std::slice::from_ref(&alone[0].id));
    correlator.finding(source_side("c", "ws1", 5, "srv1"));
    let again = correlator.incidents();
    let back = again.iter().find(|incident| incident.id == alone[0].id).unwrap();
    assert_eq!((back.revision, back.findings.as_slice()), (2, ["z".to_owned()].as_slice()));
}

#[test]
fn the_id_is_that_of_the_earliest_finding_whatever_follows() {
    let first = [finding("a", "ws1", 0, &["p:ws1/7"])];
    let both = [finding("b", "ws1", 5, &["p:ws1/7"]), finding("a", "ws1", 0, &["p:ws1/7"])];
    assert_eq!(incidents(&first)[0].id, incidents(&both)[0].id);
    let other = [finding("b", "ws1", 5, &["p:ws1/7"])];
    assert_ne!(incidents(&first)[0].id, incidents(&other)[0].id);
}

#[test]
fn a_suppressed_finding_joins_nothing_and_makes_no_incident() {
    let mut bridge = finding("b", "ws1", 1, &["p:ws1/7", "p:ws1/8"]);
    bridge.suppressed = Some(Suppression { rule: "known".into(), reason: "backup".into() });
    assert!(incidents(std::slice::from_ref(&bridge)).is_empty());
    let apart = [finding("a", "ws1", 0, &["p:ws1/7"]), bridge, finding("c", "ws1", 2, &["p:ws1/8"])];
    assert_eq!(incidents(&apart).len(), 2);
}

#[test]
fn low_findings_alone_make_no_incident_but_belong_to_one() {
    let low = Finding { severity: Severity::Low, ..finding("a", "ws1", 0, &["p:ws1/7"]) };
    assert!(incidents(std::slice::from_ref(&low)).is_empty());
    let with = incidents(&[low, finding("b", "ws1", 1, &["p:ws1/7"])]);
    assert_eq!(with[0].findings, ["a", "b"]);
}

#[test]
fn watched_events_enter_the_timeline_within_their_time() {
    let event = |minute: u64, text: &str| WatchedEvent {
        host: "ws1".into(),
        kind: ActivityKind::NetworkFlow,
        joins: vec!["p:ws1/7".into()],
        peer: "203.0.113.9:443".into(),
        object: Object::OtherEnd("203.0.113.9".into()),
        observation: Observation { time: at(minute), host: "ws1".into(), text: text.into(), ..Observation::default() },
    };
    let mut correlator = Correlator::new();
    correlator.watched(event(55, "before"));
    correlator.watched(event(10, "long before"));
    correlator.finding(finding("a", "ws1", 60, &["p:ws1/7"]));
    correlator.watched(event(70, "after"));
    let incidents = correlator.incidents();
    let told: Vec<(&str, &str)> = incidents[0]
        .level1
        .timeline
        .iter()
        .map(|entry| (entry.observation.text.as_str(), entry.finding.as_str()))
        .collect();
    assert_eq!(told, [("before", ""), ("", "a"), ("after", "")]);
    assert!(incidents[0].level2.connections.iter().any(|line| line.contains("after")));
}

#[test]
fn a_key_joins_only_within_its_horizon() {
    // A process for a day, a session for a quarter of an hour, a channel for an hour.
    for (key, within, beyond) in [("p:ws1/7", 23 * 60, 25 * 60), ("s:ws1/0x5", 14, 16), ("c:ws1/\\p", 59, 61)] {
        let pair = |minute| [finding("a", "ws1", 0, &[key]), finding("b", "ws1", minute, &[key])];
        assert_eq!(incidents(&pair(within)).len(), 1, "{key}");
        assert_eq!(incidents(&pair(beyond)).len(), 2, "{key}");
    }
}

#[test]
fn one_finding_decides_each_question_for_all() {
    let says = |q1: Verdict, q3: Verdict| Answers {
        q1: Answer::new(q1, "first"),
        q2: Answer::missing("no baseline", &["baseline"]),
        q3: Answer::new(q3, "third"),
        ..Answers::default()
    };
    let calm = Finding { answers: says(Verdict::No, Verdict::Yes), ..finding("a", "ws1", 0, &["p:ws1/7"]) };
    let odd = Finding { answers: says(Verdict::Yes, Verdict::No), ..finding("b", "ws1", 1, &["p:ws1/7"]) };
    let answers = &incidents(&[calm.clone(), odd])[0].answers;
    // One unfamiliar process suffices; one exchange that nothing explains suffices.
    assert_eq!((answers.q1.value, answers.q3.value), (Verdict::Yes, Verdict::No));
    assert_eq!(
        (answers.q2.value, answers.q2.missing.as_slice()),
        (Verdict::Unknown, ["baseline".to_owned()].as_slice())
    );
    let alone = &incidents(&[calm])[0].answers;
    assert_eq!((alone.q1.value, alone.q3.value), (Verdict::No, Verdict::Yes));
}

#[test]
fn a_chain_of_three_machines_is_critical_and_said() {
    let chain = [entry("a", "srv1", 0, "ws1"), entry("b", "db1", 20, "srv1")];
    let found = incidents(&chain);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].patterns, ["IPC-CHAIN-001: the attacker went from machine to machine: ws1 -> srv1 -> db1"]);
    assert_eq!(found[0].severity, Severity::Critical);
    assert!(found[0].level1.anomalies.iter().any(|line| line.starts_with("IPC-CHAIN-001")));
    let lateral = found[0].reasons.iter().find(|reason| reason.reason == Reason::LateralMovement).unwrap();
    assert!(lateral.text.contains("IPC-CHAIN-001") && found[0].text.contains("IPC-CHAIN-001"));
}

#[test]
fn two_findings_about_one_step_and_a_step_before_the_entry_are_no_chain() {
    let twice = [entry("a", "srv1", 0, "ws1"), entry("b", "srv1", 1, "ws1")];
    assert!(incidents(&twice).iter().all(|incident| incident.patterns.is_empty()));
    // db1 was entered from srv1 an hour before srv1 was.
    let backwards = [entry("a", "srv1", 60, "ws1"), entry("b", "db1", 0, "srv1")];
    assert!(incidents(&backwards).iter().all(|incident| incident.patterns.is_empty()));
}

#[test]
fn a_source_that_enters_three_machines_is_a_fan_out() {
    let many =
        [entry("a", "srv1", 0, "10.9.9.9"), entry("b", "srv2", 5, "10.9.9.9"), entry("c", "srv3", 10, "10.9.9.9")];
    let found = incidents(&many);
    assert_eq!(found.len(), 1);
    assert!(found[0].patterns[0].starts_with("IPC-CHAIN-002: 10.9.9.9 entered 3 machines"), "{:?}", found[0].patterns);
    assert_eq!(found[0].severity, Severity::Critical);
    let slow =
        [entry("a", "srv1", 0, "10.9.9.9"), entry("b", "srv2", 5, "10.9.9.9"), entry("c", "srv3", 40, "10.9.9.9")];
    assert!(incidents(&slow).iter().all(|incident| incident.patterns.is_empty()));
}

#[test]
fn what_was_only_tried_is_no_entry() {
    let tried = |id, host| Finding { analytic: "IPC-DCOM-001".into(), ..entry(id, host, 0, "10.9.9.9") };
    let found = incidents(&[tried("a", "srv1"), tried("b", "srv2"), tried("c", "srv3")]);
    assert!(found.iter().all(|incident| incident.patterns.is_empty()));
}

#[test]
fn an_entry_told_by_its_source_points_the_other_way() {
    let told = source_side("a", "ws1", 0, "srv1");
    let found = incidents(&[told, entry("b", "db1", 20, "srv1"), finding("c", "srv1", 10, &[])]);
    assert_eq!(found.len(), 1);
    assert!(found[0].patterns[0].ends_with("ws1 -> srv1 -> db1"), "{:?}", found[0].patterns);
}

#[test]
fn coercion_joins_what_is_done_with_the_machines_account() {
    let coerced = Finding { analytic: "IPC-PIPE-017".into(), ..entry("a", "dc1", 0, "10.9.9.9") };
    let used = |minute| Finding { user: "CORP\\DC1$".into(), ..entry("b", "ca1", minute, "10.9.9.8") };
    let found = incidents(&[coerced.clone(), used(5)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].patterns.iter().any(|line| line.starts_with("IPC-CHAIN-004: dc1 was made to authenticate")));
    assert_eq!(incidents(&[coerced.clone(), used(30)]).len(), 2, "too late to be the same");
    assert!(incidents(&[coerced]).iter().all(|incident| incident.patterns.is_empty()));
}

#[test]
fn what_one_correlator_remembers_another_continues() {
    let mut first = Correlator::new();
    first.finding(finding("a", "ws1", 0, &["p:ws1/7"]));
    let told = first.incidents();
    let mut second = Correlator::new();
    second.restore(first.memory().clone());
    assert!(second.incidents().is_empty());
    second.finding(finding("b", "ws1", 5, &["p:ws1/7"]));
    let again = second.incidents();
    assert_eq!((again[0].id.as_str(), again[0].revision), (told[0].id.as_str(), 2));
}

pub fn party(name: &str, path: &str, pid: u32) -> Party {
    Party { name: name.into(), path: path.into(), pid: Some(pid), ..Party::default() }
}

#[test]
fn findings_that_rest_on_one_record_are_one_incident() {
    let mut second = finding("b", "till3", 0, &["p:till3/8"]);
    second.evidence = finding("a", "till3", 0, &[]).evidence;
    assert_eq!(incidents(&[finding("a", "till3", 0, &["p:till3/7"]), second]).len(), 1);
    // The same number in another log, or after the log was cleared, is another record.
    let mut later = finding("b", "till3", 30, &[]);
    later.evidence[0].record = "a".into();
    assert_eq!(incidents(&[finding("a", "till3", 0, &[]), later]).len(), 2);
}

#[test]
fn a_call_of_the_service_manager_and_its_service_are_one_and_a_later_service_is_not() {
    let mut call = entry("a", "till3", 10, "10.7.0.9");
    call.channel.as_mut().unwrap().name = r"\svcctl".into();
    let service = |minute| {
        let mut finding = finding("b", "till3", minute, &["i:till3/relay.exe"]);
        finding.evidence[0].event_id = 7045;
        finding
    };
    assert_eq!(incidents(&[call.clone(), service(10)]).len(), 1);
    assert_eq!(incidents(&[call, service(20)]).len(), 2);
    let ran = |path: &str| Finding { server: Some(party("relay.exe", path, 70)), ..finding("c", "till3", 12, &[]) };
    assert_eq!(incidents(&[service(10), ran(r"C:\Windows\relay.exe")]).len(), 1);
    assert_eq!(incidents(&[service(10), ran(r"C:\Windows\System32\relay.exe")]).len(), 2, "every service may use it");
}

#[test]
fn a_server_s_socket_joins_one_account_and_not_two() {
    let of = |id: &str, user: &str| Finding { user: user.into(), ..finding(id, "till3", 0, &["c:till3//run/d.sock"]) };
    assert_eq!(incidents(&[of("a", "mira"), of("b", "mira")]).len(), 1);
    assert_eq!(incidents(&[of("a", "mira"), of("b", "nils")]).len(), 2);
    let other_name = Finding { joins: vec!["c:till3//var/run/d.sock".into()], ..of("b", "mira") };
    assert_eq!(incidents(&[of("a", "mira"), other_name]).len(), 1);
}

#[test]
fn one_machine_and_account_all_day_are_not_one_attack() {
    let all_day = [0, 120, 240].map(|minute| finding(&format!("f{minute}"), "till3", minute, &["s:till3/0x5"]));
    assert_eq!(incidents(&all_day).len(), 3);
}
