//! Tests of what stands in an incident: direction, steps, numbers, the timeline.

use backchannel_events::{
    ActivityKind, Finding, Incident, Object, Observation, Party, Reason, Reasons, Severity, Side, WatchedEvent,
};

use crate::Correlator;
use crate::tests::{address, at, entry, finding, incidents, party, source_side};

fn steps(incident: &Incident) -> Vec<String> {
    incident.containment.iter().map(|step| format!("{} {}", step.action, step.target)).collect()
}

fn about(finding: &str, kind: ActivityKind, object: Object, text: &str) -> WatchedEvent {
    WatchedEvent {
        host: "till3".into(),
        kind,
        joins: vec!["p:till3/70".into(), format!("f:{finding}")],
        peer: String::new(),
        object,
        observation: Observation { time: at(0), host: "till3".into(), text: text.into(), ..Observation::default() },
    }
}

#[test]
fn what_the_source_tells_goes_from_the_source_to_the_target() {
    let mut told = source_side("a", "till3", 0, "10.7.0.4");
    told.user = r"SHOP\mira".into();
    told.origin.account = r"SHOP\mira".into();
    told.target.account = r"SHOP\adm.ott".into();
    let found = incidents(std::slice::from_ref(&told));
    let [movement] = found[0].movements.as_slice() else { panic!("{:?}", found[0].movements) };
    assert_eq!((movement.from.host.as_str(), movement.to.host.as_str()), ("till3", "10.7.0.4"));
    assert_eq!((movement.account.as_str(), movement.to.address.as_str()), (r"SHOP\adm.ott", "10.7.0.4"));
    assert!(found[0].text.contains(r"till3 acted on 10.7.0.4 over DCOM as SHOP\adm.ott."), "{}", found[0].text);
    let lateral = found[0].reasons.iter().find(|reason| reason.reason == Reason::LateralMovement).unwrap();
    assert!(lateral.text.contains("till3 acted on 10.7.0.4"), "{}", lateral.text);
    assert_eq!(found[0].level2.related_hosts, [r"till3 -> 10.7.0.4: over DCOM as SHOP\adm.ott"]);
    let steps = steps(&found[0]);
    assert!(steps.contains(&r"disable account SHOP\adm.ott".to_owned()), "{steps:?}");
    assert!(steps.contains(&"isolate till3".to_owned()) && !steps.iter().any(|step| step.starts_with("isolate 10.")));
    assert!(
        !steps.iter().any(|step| step.contains("mira")),
        "the account at the keyboard was not used there: {steps:?}"
    );
}

#[test]
fn a_loopback_and_the_own_address_are_no_other_machine() {
    for own in ["::1", "127.0.0.1", "10.7.0.4"] {
        let mut correlator = Correlator::new();
        correlator.signal(address("till3", "10.7.0.4"));
        correlator.finding(entry("a", "till3", 0, own));
        let found = correlator.incidents();
        assert!(found[0].movements.is_empty() && found[0].level2.related_hosts.is_empty(), "{own}");
        assert!(!steps(&found[0]).iter().any(|step| step.contains(own)), "{own}: {:?}", steps(&found[0]));
    }
}

#[test]
fn containment_follows_from_what_the_records_say() {
    let (implant, gone) =
        (party("relay.exe", r"C:\Users\mira\relay.exe", 70), party("tool.exe", r"C:\Users\mira\tool.exe", 71));
    let untrusted = |party: &Party| Party { untrusted: true, ..party.clone() };
    let acted = Finding {
        client: Some(untrusted(&implant)),
        server: Some(party("spoolsv.exe", r"C:\Windows\System32\spoolsv.exe", 80)),
        origin: Side { host: "till3".into(), account: r"SHOP\mira".into(), ..Side::default() },
        target: Side { host: "till3".into(), ..Side::default() },
        reasons: Reasons::UNKNOWN_BINARY,
        ..finding("a", "till3", 0, &["p:till3/70"])
    };
    let again = Finding {
        client: Some(Party { path: r"c:\users\mira\RELAY.EXE".into(), ..untrusted(&implant) }),
        ..finding("b", "till3", 1, &["p:till3/70"])
    };
    let over = Finding { client: Some(untrusted(&gone)), ..finding("c", "till3", 1, &["p:till3/70"]) };
    let ended = Object::Process { party: gone, ended: Some(at(2)) };
    let value = r"HKU\S-1-5-21-9_Classes\CLSID\{0A}\InprocServer32\(Default)";
    let events = [
        about("c", ActivityKind::ProcessEnd, ended, "tool.exe (71) ended"),
        about("a", ActivityKind::NetworkFlow, Object::OtherEnd("203.0.113.9".into()), "relay.exe connected"),
        about("a", ActivityKind::NetworkFlow, Object::OtherEnd("127.0.0.1".into()), "relay.exe connected"),
        about("a", ActivityKind::File, Object::File(r"C:\ProgramData\x.dll".into()), "relay.exe wrote it"),
        about("a", ActivityKind::Registry, Object::RegistryValue(value.into()), "relay.exe set it"),
        about(
            "a",
            ActivityKind::ServiceChange,
            Object::Service { name: "upd".into(), command_line: r"C:\relay.exe -s".into() },
            "service upd",
        ),
    ];
    let mut correlator = Correlator::new();
    for event in events {
        correlator.watched(event);
    }
    for finding in [acted, again, over] {
        correlator.finding(finding);
    }
    let found = correlator.incidents();
    let steps = steps(&found[0]);
    let count = |start: &str| steps.iter().filter(|step| step.starts_with(start)).count();
    assert_eq!(count(r"kill C:\Users\mira\relay.exe (70) on till3"), 1, "{steps:?}");
    assert_eq!(count("kill"), 1, "no server, and nothing that has ended: {steps:?}");
    assert_eq!((count("block 203.0.113.9"), count("block")), (1, 1), "{steps:?}");
    assert_eq!(count(r"quarantine C:\ProgramData\x.dll on till3"), 1, "{steps:?}");
    assert_eq!(count("unregister registry value"), 1, "{steps:?}");
    assert_eq!(count(r"remove service upd on till3: C:\relay.exe -s"), 1, "{steps:?}");
    assert_eq!(count(r"disable account SHOP\mira"), 1, "{steps:?}");
    let at = |start: &str| steps.iter().position(|step| step.starts_with(start)).unwrap();
    assert!(at("collect on till3: memory of relay.exe (70)") < at("kill"), "{steps:?}");
    assert!(found[0].containment.iter().enumerate().all(|(at, step)| step.order as usize == at + 1));
    assert!(found[0].containment.iter().all(|step| !step.why.is_empty() && !step.breaks.is_empty()));
}

#[test]
fn the_number_of_further_findings_is_that_of_the_list() {
    let low = Finding { severity: Severity::Low, ..finding("a", "till3", 0, &["p:till3/7"]) };
    let found = incidents(&[low, finding("b", "till3", 1, &["p:till3/7"]), finding("c", "till3", 2, &["p:till3/7"])]);
    assert_eq!(found[0].findings.len(), 3);
    assert!(found[0].text.contains("2 further findings belong to it"), "{}", found[0].text);
}

#[test]
fn a_logon_is_told_once_and_repeats_are_one_line() {
    let logon = |text: &str| Observation {
        time: at(0),
        record: "9".into(),
        event_id: 4624,
        text: text.into(),
        ..Observation::default()
    };
    let with_logon =
        Finding { logon: Some(logon("mira logged on with rights")), ..finding("a", "till3", 0, &["p:till3/70"]) };
    let mut correlator = Correlator::new();
    correlator.finding(with_logon);
    correlator.watched(WatchedEvent {
        observation: logon("mira logged on"),
        ..about("x", ActivityKind::Logon, Object::None, "")
    });
    for number in 0..50 {
        let mut event = about("x", ActivityKind::Registry, Object::None, &format!("relay.exe set value {number}"));
        event.observation.time = at(1);
        event.observation.record = format!("{}", 100 + number);
        correlator.watched(event);
    }
    let found = correlator.incidents();
    assert_eq!(found[0].level1.user_activity.len(), 1);
    let folded: Vec<&str> = found[0]
        .level1
        .timeline
        .iter()
        .map(|entry| entry.observation.text.as_str())
        .filter(|text| text.contains("set value"))
        .collect();
    let [line] = folded.as_slice() else { panic!("{folded:?}") };
    assert!(line.starts_with("relay.exe set value 0 (and 49 more like it until "), "{line}");
    assert!(found[0].level1.bursts.iter().any(|burst| burst.count >= 50), "each of them counts");
}

#[test]
fn a_technique_between_machines_needs_two() {
    let claims = |finding: Finding| Finding { techniques: vec!["T1021.003".into(), "T1559.001".into()], ..finding };
    assert_eq!(incidents(&[claims(finding("a", "till3", 0, &[]))])[0].techniques, ["T1559.001"]);
    assert_eq!(incidents(&[claims(entry("a", "till3", 0, "10.7.0.9"))])[0].techniques, ["T1021.003", "T1559.001"]);
}
