//! Tests of the filter with records of all kinds.

use super::*;

fn open() -> Filter {
    Filter::open(None, None).expect("the default settings are valid")
}

#[test]
fn records_without_findings_are_passed_on() {
    let mut filter = open();
    for record in [
        "{}",
        "{\"log\":\"hello\"}",
        "",
        "[]",
        "null",
        "{",
        "{}}",
        "\u{0}",
        "{\"a\":18446744073709551616}",
        "{\"EventID\":1,\"EventID\":2,\"SourceName\":7}",
    ] {
        assert_eq!(filter.filter("tag", Timestamp::default(), record.as_bytes()), None, "{record}");
    }
    assert_eq!(filter.filter("tag", Timestamp::default(), &[0xff, 0xfe]), None);
}

#[test]
fn records_are_counted_for_each_tag_and_tags_are_bounded() {
    let mut filter = open();
    for round in 0..3 {
        for tag in 0..300 {
            filter.filter(&format!("tag{tag}"), Timestamp::default(), b"{}");
        }
        assert_eq!(filter.tags.len(), MAX_TAGS, "{round}");
    }
    assert_eq!(filter.count("tag299"), 4 - 2);
}

/// A user's call of a privileged method, as Fluent Bit's input `systemd` splits it: the time of the journal entry is
/// not part of the record.
const REFUSED: &str = r#"{"_HOSTNAME":"db02","SYSLOG_IDENTIFIER":"dbus-daemon","_PID":"611","MESSAGE":"[system] Rejected send message, 2 matched rules; type=\"method_call\", sender=\":1.39\" (uid=990 pid=8790 comm=\"dbus-send --system --print-reply --dest=org.freedes\" label=\"unconfined\") interface=\"org.freedesktop.systemd1.Manager\" member=\"SwitchRoot\" error name=\"(unset)\" requested_reply=\"0\" destination=\"org.freedesktop.systemd1\" (uid=0 pid=1 comm=\"/sbin/init\" label=\"unconfined\")"}"#;

fn found_at(record: &str, time: Timestamp) -> String {
    let mut filter = open();
    let answer = filter.filter("logs.journal", time, record.as_bytes());
    answer.expect("a finding rides on it").to_string_lossy().into_owned()
}

#[test]
fn a_record_without_a_time_gets_that_of_the_shipper() {
    let answer = found_at(REFUSED, Timestamp::from_unix(1_780_000_000, 500_000_000));
    assert!(answer.contains("\"time\":\"2026-05-28T20:26:40.500Z\""), "{answer}");
}

#[test]
fn a_date_without_a_year_gets_that_of_the_shipper() {
    let record = r#"{"log":"Dec 31 23:59:30 db02 dbus-daemon[611]: [system] Rejected send message, 2 matched rules; type=\"method_call\", sender=\":1.39\" (uid=990 pid=8790 comm=\"dbus-send --system\" label=\"unconfined\") interface=\"org.freedesktop.systemd1.Manager\" member=\"SwitchRoot\" error name=\"(unset)\" requested_reply=\"0\" destination=\"org.freedesktop.systemd1\" (uid=0 pid=1 comm=\"/sbin/init\" label=\"unconfined\")"}"#;
    // 2027-01-01T00:00:05Z
    let answer = found_at(record, Timestamp::from_unix(1_798_761_605, 0));
    assert!(answer.contains("\"time\":\"2026-12-31T23:59:30.000Z\""), "{answer}");
}
