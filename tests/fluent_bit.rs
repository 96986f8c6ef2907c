//! The filter for Fluent Bit: its behaviour towards the host. Its findings in the cases are tested in `cases.rs`.

use std::sync::OnceLock;

use backchannel_tests::case;
use backchannel_tests::fluent_bit::{
    Linked, Sandbox, Shipper, carried, firing, payloads, records, tailed, without_ours,
};
use proptest::prelude::*;
use serde_json::Value;

const TAG: &str = "input";
/// The records of the cases.
static CASES: OnceLock<Vec<Vec<Vec<u8>>>> = OnceLock::new();

fn all(shipper: &mut impl Shipper, records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    records.iter().map(|record| shipper.call(TAG, 0, record).expect("no record is lost")).collect()
}

#[test]
fn a_record_is_returned_byte_for_byte() {
    for member in payloads() {
        let records = firing(&member);
        let mut linked = Linked::open(None, None);
        let mut sandbox = Sandbox::default();
        let answers = all(&mut sandbox, &records);
        assert!(answers == all(&mut linked, &records), "{member:.60}");
        for (record, answer) in records.iter().zip(&answers) {
            assert!(without_ours(answer) == *record, "{member:.60}");
            assert!(answer.starts_with(&record[..record.len() - 1]), "{member:.60}");
        }
        let last = answers.last().expect("a record");
        assert!(last.len() > records.last().expect("a record").len(), "{member:.60}: no finding was added");
    }
    // Records nested deeper than any real log are not parsed, and passed on unchanged.
    let deep = firing(&format!(r#""x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    assert_eq!(all(&mut Sandbox::default(), &deep), deep);
}

#[test]
fn a_record_without_additions_is_returned_itself() {
    let mut sandbox = Sandbox::default();
    for record in ["{}", r#"{"log":"nothing"}"#, r#"{"EventID":1,"SourceName":"x"}"#, "", "[]", "{", "{}{}", "nul"] {
        let at = sandbox.malloc(record.len() as u32 + 1);
        sandbox.put(at, record.as_bytes());
        let (answer, text) = sandbox.filter(TAG, 0, at, record.len() as u32).expect("no trap");
        assert_eq!((answer, text.as_slice()), (at, record.as_bytes()));
    }
}

#[test]
fn a_finding_is_added_to_the_next_suitable_record() {
    let records = firing(r#""backchannel":{"findings":[]}"#);
    let mut sandbox = Sandbox::default();
    assert_eq!(all(&mut sandbox, &records), records, "a record that has our member is not given another");
    for other in ["", "[1]", "{\"a\":1}{\"a\":1}", "{\"a\":"] {
        assert_eq!(sandbox.call(TAG, 0, other.as_bytes()).expect("no trap"), other.as_bytes());
    }
    let answer = sandbox.call(TAG, 0, b"{}").expect("no trap");
    assert!(answer.starts_with(b"{\"backchannel\":{\"severity\":"), "{}", String::from_utf8_lossy(&answer));
    assert!(!carried(&[answer], "findings").is_empty());
    assert_eq!(sandbox.call(TAG, 0, b"{}").expect("no trap"), b"{}", "it is reported once");
}

#[test]
fn the_routing_text_is_at_a_fixed_place() {
    let answers = all(&mut Linked::open(None, None), &firing("\"x\":1"));
    let record: Value = serde_json::from_slice(answers.last().expect("a record")).expect("JSON");
    let ours = &record["backchannel"];
    assert!(["medium", "high", "critical"].contains(&ours["severity"].as_str().expect("text")), "{ours}");
    assert_eq!(ours["tier"], ours["incidents"][0]["tier"].to_string());
}

#[test]
fn a_record_that_the_host_could_not_pass_is_reported() {
    let mut sandbox = Sandbox::default();
    assert_eq!(sandbox.malloc(u32::MAX), 0);
    assert_eq!(sandbox.malloc(u32::MAX - 20), 0);
    let (_, answer) = sandbox.filter(TAG, 0, 0, 9_000).expect("no trap");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert!(answer["backchannel"]["error"].is_string());
}

#[test]
fn errors_in_settings_are_counted_and_the_open_filter_stays() {
    let mut sandbox = Sandbox::default();
    assert!(sandbox.open(Some(b"{\"nothing\":1}"), None) > 0);
    assert!(sandbox.open(Some(b"\xff"), None) > 0);
    assert!(sandbox.open(None, Some(b"no baseline")) > 0);
    assert_eq!(sandbox.open(Some(b"{}"), None), 0);
    assert_eq!(sandbox.call(TAG, 0, b"{}").expect("no trap"), b"{}");
}

#[test]
fn memory_does_not_grow_with_the_number_of_records() {
    let records = firing("\"x\":1");
    let mut sandbox = Sandbox::default();
    let big = tailed(&vec![b'a'; 1_000_000]);
    let mut size = 0;
    for round in 0..400 {
        for record in records.iter().chain([&big]) {
            sandbox.call(&format!("tag{}", round % 300), round, record).expect("no trap");
        }
        if round == 300 {
            size = sandbox.size();
        }
    }
    assert_eq!(sandbox.size(), size);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn broken_records_neither_trap_nor_are_changed(
        at in 0.0..1.0f64, cut in any::<bool>(), byte in any::<u8>(), case in any::<prop::sample::Index>()
    ) {
        let cases = CASES.get_or_init(|| case::all().iter().filter_map(records).collect());
        let mut sandbox = Sandbox::default();
        for mut record in case.get(cases).clone() {
            let at = (at * record.len() as f64) as usize;
            if cut {
                record.truncate(at);
            } else if byte != 0 {
                record[at] = byte;
            }
            let answer = sandbox.call(TAG, 0, &record);
            let answer = answer.expect("no trap");
            prop_assert!(without_ours(&answer) == record);
            prop_assert!(!answer.is_empty() || record.is_empty());
        }
    }
}
