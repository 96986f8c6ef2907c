//! Tests of each event, by name and by position, and of arbitrary values.

mod arbitrary_values;
mod others;
mod security;
mod sysmon;

use backchannel_events::{ProcessEvent, Timestamp};
use bumpalo::Bump;

use super::Windows;
use crate::{Accepted, Fields, Place, WindowsRecord};

pub const SYSMON: &str = "Microsoft-Windows-Sysmon";
pub const SECURITY: &str = "Microsoft-Windows-Security-Auditing";
pub const DCOM: &str = "Microsoft-Windows-DistributedCOM";
/// The same time as Sysmon writes it and as a record's own time.
pub const UTC: &str = "2024-05-06 07:08:09.123";

pub fn now() -> Timestamp {
    Timestamp::from_civil(2024, 5, 6, 7, 8, 9, 500_000_000).unwrap()
}

pub fn record<'a>(provider: &'a str, event_id: u32, fields: Fields<'a>) -> WindowsRecord<'a> {
    WindowsRecord {
        provider,
        event_id,
        computer: "WKS1.example.test",
        record_id: "77",
        time: Some(now()),
        user_sid: "S-1-5-18",
        fields,
        ..WindowsRecord::default()
    }
}

/// Passes the only event of a record to `check`.
pub fn with(windows: &mut Windows, record: &WindowsRecord<'_>, check: impl FnOnce(&ProcessEvent<'_>)) {
    let arena = Bump::new();
    let mut check = Some(check);
    let place = Place { input: "in.evtx", line: 3, default_host: "fallback" };
    let accepted = windows.accept(record, place, &arena, &mut |event| (check.take().expect("one event"))(event));
    assert_eq!(accepted, Accepted::Events(1));
    assert!(check.is_none(), "exactly one event");
}

/// Passes the event of a record with these named fields to `check`.
pub fn named(provider: &str, event_id: u32, fields: &[(&str, &str)], check: impl FnOnce(&ProcessEvent<'_>)) {
    with(&mut Windows::default(), &record(provider, event_id, Fields::Named(fields)), check);
}

/// Passes the event of a record with these values to `check`.
pub fn positional(provider: &str, event_id: u32, values: &[&str], check: impl FnOnce(&ProcessEvent<'_>)) {
    with(&mut Windows::default(), &record(provider, event_id, Fields::Positional(values)), check);
}

/// Asserts that a record gives no event.
pub fn not_used(provider: &str, event_id: u32, fields: &[(&str, &str)]) {
    let arena = Bump::new();
    let record = record(provider, event_id, Fields::Named(fields));
    let mut sink = |event: &ProcessEvent<'_>| panic!("unexpected: {event:?}");
    assert_eq!(Windows::default().accept(&record, Place::default(), &arena, &mut sink), Accepted::NotUsed);
}

/// The contents of the activity of that kind.
macro_rules! activity {
    ($event:expr, $kind:ident) => {
        match $event.activity {
            backchannel_events::Activity::$kind(contents) => contents,
            other => panic!("expected {}, got {other:?}", stringify!($kind)),
        }
    };
}
pub(crate) use activity;

#[test]
fn providers_are_recognised_in_any_case() {
    use super::wants;
    assert!(wants("microsoft-windows-sysmon", 1));
    assert!(wants("MICROSOFT-WINDOWS-DISTRIBUTEDCOM", 10028));
    assert!(wants("DCOM", 10016));
    assert!(wants("Service Control Manager", 7045));
    assert!(wants("Microsoft-Windows-Eventlog", 1102));
    assert!(!wants("Microsoft-Windows-DriverFrameworks-UserMode", 10000), "the provider must match as well");
    assert!(!wants("Microsoft-Windows-Sysmon", 9));
    assert!(!wants("Microsoft-Windows-Security-Auditing", 4658));
    assert!(!wants("", 1));
}

#[test]
fn every_event_has_its_provenance() {
    named(SYSMON, 5, &[("UtcTime", UTC)], |event| {
        assert_eq!(event.host, "WKS1.example.test");
        assert_eq!(event.time, Timestamp::from_civil(2024, 5, 6, 7, 8, 9, 123_000_000).unwrap());
        let provenance = event.provenance;
        assert_eq!((provenance.input, provenance.line, provenance.record), ("in.evtx", 3, "77"));
        assert_eq!((provenance.provider, provenance.event_id), (SYSMON, 5));
        assert_eq!(provenance.source, backchannel_events::Source::Sysmon);
    });
    let nameless = WindowsRecord { computer: "", ..record(SYSMON, 5, Fields::Named(&[])) };
    with(&mut Windows::default(), &nameless, |event| {
        assert_eq!(event.host, "fallback");
        assert_eq!(event.time, now(), "without UtcTime, the record's own time");
    });
}

#[test]
fn a_record_of_another_provider_or_id_is_not_used() {
    not_used("Microsoft-Windows-DriverFrameworks-UserMode", 10000, &[]);
    not_used(SYSMON, 255, &[]);
}

#[test]
fn local_time_is_corrected_for_the_other_logs_of_the_host() {
    let mut windows = Windows::default();
    let local = Timestamp(now().0 - 2 * 3_600 * Timestamp::SECOND);
    for _ in 0..2 {
        let fields = [("UtcTime", UTC)];
        let sysmon = WindowsRecord { time: Some(local), ..record(SYSMON, 5, Fields::Named(&fields)) };
        with(&mut windows, &sysmon, |event| assert!(now().0 - event.time.0 < Timestamp::SECOND));
    }
    let logon = WindowsRecord { time: Some(local), ..record(SECURITY, 4634, Fields::Named(&[])) };
    with(&mut windows, &logon, |event| assert_eq!(event.time, now()));
    let offsets = windows.clock_offsets();
    assert_eq!((offsets.len(), offsets[0].seconds, offsets[0].host.as_str()), (1, 7_200, "wks1.example.test"));
}

#[test]
fn a_first_pass_learns_the_clock_and_gives_no_event() {
    let mut windows = Windows::default();
    let arena = Bump::new();
    let local = Timestamp(now().0 - 2 * 3_600 * Timestamp::SECOND);
    let place = Place { input: "in.evtx", ..Place::default() };
    let fields = [("UtcTime", UTC)];
    for _ in 0..2 {
        let sysmon = WindowsRecord { time: Some(local), ..record(SYSMON, 5, Fields::Named(&fields)) };
        windows.learn_clock(&sysmon, place, &arena);
        // The offset is not learned from the time of a network connection.
        let odd = WindowsRecord { time: Some(now()), ..record(SYSMON, 3, Fields::Named(&fields)) };
        windows.learn_clock(&odd, place, &arena);
    }
    let logon = WindowsRecord { time: Some(local), ..record(SECURITY, 4634, Fields::Named(&[])) };
    with(&mut windows, &logon, |event| assert_eq!(event.time, now()));
}
