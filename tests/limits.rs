//! A hostile module cannot harm its host: its failures only lose a batch, and after several failures in a row it is
//! stopped.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backchannel_embedded::component;
use backchannel_events::packed::Builder;
use backchannel_events::{Activity, Process, ProcessEvent, Provenance, Timestamp};
use backchannel_host::Format;
use backchannel_host::component::{
    Batch, Correlator, Detector, Engine, EngineOptions, HostError, Learner, Limits, Module, RawBatch,
};
use backchannel_host::replay::{Carrier, ReplayError, ReplayOptions, Silent, replay};
use backchannel_host::source::{self, SourceOptions};
use backchannel_tests::component::module;
use backchannel_tests::hostile::{Change, Does, hostile};

/// Short, to keep the tests short; long enough for a normal batch on a busy machine.
const LIMITS: Limits =
    Limits { memory: 64 << 20, batch_time: Duration::from_millis(600), snapshot_events: 50, snapshot_bytes: 24 << 20 };

const EVALUATE: &str = "detector@0.1.0#[method]detector.evaluate";

/// A module, compiled once, because that takes seconds.
type Once = OnceLock<Module>;

/// The shipped module with `changes`, in an engine with a running clock.
fn changed(once: &'static Once, changes: &[Change<'_>]) -> &'static Module {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Arc::new(Engine::new(&EngineOptions::with_user_cache()).expect("an engine")));
    once.get_or_init(|| {
        Module::load(engine, &hostile(component(), changes)).expect("a hostile module keeps the contract")
    })
}

/// A module that fails on three of the four carriers: it loops on text, traps on records, and exhausts memory on typed
/// events.
fn failing_carriers() -> &'static Module {
    static ONCE: Once = OnceLock::new();
    let on = |carrier: u8, does: Does| Change { function: EVALUATE, when: Some((1, carrier)), does };
    changed(&ONCE, &[on(0, Does::Grow), on(2, Does::Trap), on(3, Does::Loop)])
}

/// A module that evaluates batches, and traps in snapshot and flush.
fn failing_snapshots() -> &'static Module {
    static ONCE: Once = OnceLock::new();
    let trap = |function| Change { function, when: None, does: Does::Trap };
    changed(&ONCE, &[trap("detector@0.1.0#[method]detector.flush"), trap("detector@0.1.0#[method]detector.snapshot")])
}

/// A module that loops in every call; in opening only if settings are given.
fn looping() -> &'static Module {
    static ONCE: Once = OnceLock::new();
    let always = |function| Change { function, when: None, does: Does::Loop };
    let with_settings = |function| Change { function, when: Some((0, 1)), does: Does::Loop };
    changed(
        &ONCE,
        &[
            always("catalog@0.1.0#analytics"),
            always("catalog@0.1.0#describe"),
            with_settings("detector@0.1.0#[static]detector.open"),
            always("detector@0.1.0#[method]detector.flush"),
            always("detector@0.1.0#[method]detector.stats"),
            always("detector@0.1.0#[method]detector.snapshot"),
            with_settings("correlator@0.1.0#[static]correlator.open"),
            always("correlator@0.1.0#[method]correlator.observe"),
            always("correlator@0.1.0#[method]correlator.incidents"),
            with_settings("learner@0.1.0#[static]learner.open"),
            always("learner@0.1.0#[method]learner.observe"),
            always("learner@0.1.0#[method]learner.baseline"),
        ],
    )
}

/// One event a second, packed.
fn packed(seconds: std::ops::Range<i64>) -> Vec<u8> {
    let mut builder = Builder::default();
    for second in seconds {
        let event = ProcessEvent {
            time: Timestamp::from_unix(1_700_000_000 + second, 0),
            host: "desk-4",
            outcome: Default::default(),
            process: Process { pid: Some(second as u32), image: r"C:\Temp\a.exe", ..Process::default() },
            activity: Activity::ProcessStart,
            provenance: Provenance::default(),
        };
        builder.push(&event).expect("it fits");
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    bytes
}

fn raw() -> RawBatch {
    RawBatch {
        input: "a.log".into(),
        format: Format::Auditd,
        host: String::new(),
        first_line: 1,
        data: b"type=CWD msg=audit(1700000000.1:1): cwd=\"/\"\n".to_vec(),
    }
}

fn loss(detector: &mut Detector, batch: Batch) -> String {
    detector.evaluate(batch).expect("it is not given up").loss.expect("the batch is lost").reason
}

#[test]
fn a_batch_that_makes_it_fail_is_reported_and_does_not_affect_other_batches() {
    let run = |module: &Module, guilty: bool| {
        let mut detector = Detector::open(module, LIMITS, None, None).expect("it opens");
        let (mut evaluated, mut reasons) = (0, Vec::new());
        for part in 0..12 {
            let evaluation = detector.evaluate(Batch::Packed(packed(part * 20..part * 20 + 20))).expect("it goes on");
            assert_eq!(evaluation.loss, None);
            evaluated += evaluation.evaluated;
            if guilty {
                match part {
                    2 => reasons.push(loss(&mut detector, Batch::Text(raw()))),
                    5 => reasons.push(loss(&mut detector, Batch::Records(raw()))),
                    8 => reasons.push(loss(&mut detector, Batch::Events(packed(0..3)))),
                    _ => {}
                }
            }
        }
        (evaluated, detector.snapshot().expect("it has a memory"), reasons)
    };
    let started = Instant::now();
    let (clean, hostile) = (run(module(), false), run(failing_carriers(), true));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!((clean.0, hostile.0), (240, 240));
    assert!(clean.1 == hostile.1, "its memory differs from that of a module that never failed");
    let expected = ["it took longer than 0.6 s", "unreachable", "it needed more than 64 MiB of memory"];
    for (reason, expected) in hostile.2.iter().zip(expected) {
        assert!(reason.contains(expected), "{reason:?} does not contain {expected:?}");
    }
}

#[test]
fn three_failures_in_a_row_stop_the_module_and_two_do_not() {
    let mut detector = Detector::open(failing_carriers(), LIMITS, None, None).expect("it opens");
    for _ in 0..3 {
        loss(&mut detector, Batch::Records(raw()));
        loss(&mut detector, Batch::Events(packed(0..1)));
        assert_eq!(detector.evaluate(Batch::Packed(packed(0..1))).expect("it goes on").loss, None);
    }
    loss(&mut detector, Batch::Records(raw()));
    loss(&mut detector, Batch::Records(raw()));
    let Err(HostError::Lost(reason)) = detector.evaluate(Batch::Records(raw())) else { panic!("it is given up") };
    assert!(reason.contains("unreachable"), "{reason}");
}

/// Replays a log of `lines` audit lines.
fn replayed(module: &Module, lines: usize, options: ReplayOptions) -> Result<(u64, Vec<String>), ReplayError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.log");
    let text: String = (1..=lines).map(|n| format!("type=CWD msg=audit(1700000000.1:{n}): cwd=\"/\"\n")).collect();
    std::fs::write(&path, text).expect("the log is written");
    let sources = source::open(&[path], SourceOptions { skips_kept: 100, ..SourceOptions::default() });
    let report = replay(module, sources, &ReplayOptions { limits: LIMITS, ..options }, &mut Silent)?;
    let failed = report.summary.skipped.get("module-failed").copied().unwrap_or_default();
    let reasons = report.skips.details().iter().map(|detail| detail.reason.clone()).collect();
    Ok((failed, reasons))
}

#[test]
fn a_replay_counts_the_records_of_a_lost_batch() {
    let options = ReplayOptions { carrier: Carrier::Records, ..ReplayOptions::default() };
    let (failed, reasons) = replayed(failing_carriers(), 7, options).expect("one lost batch does not end it");
    assert_eq!(failed, 7);
    assert!(reasons[0].contains("failed on a batch of 7") && reasons[0].contains("unreachable"), "{reasons:?}");
}

#[test]
fn a_replay_ends_after_repeated_failures() {
    let options = ReplayOptions { carrier: Carrier::Records, batch: 1, ..ReplayOptions::default() };
    let Err(ReplayError::Host(HostError::Lost(_))) = replayed(failing_carriers(), 7, options) else {
        panic!("it is given up")
    };
}

#[test]
fn a_failure_at_the_end_of_the_input_is_reported() {
    let (failed, reasons) = replayed(failing_snapshots(), 3, ReplayOptions::default()).expect("it goes on");
    assert!(failed > 0 && reasons.iter().any(|reason| reason.contains("unreachable")), "{failed} {reasons:?}");
}

/// Checks that a call was interrupted at the time limit.
fn in_time<T: std::fmt::Debug>(what: &str, call: impl FnOnce() -> Result<T, HostError>) {
    let started = Instant::now();
    let outcome = call();
    assert!(started.elapsed() < Duration::from_secs(20), "{what}: {:?}", started.elapsed());
    match outcome {
        Err(HostError::Lost(reason)) => assert!(reason.contains("it took longer than 0.6 s"), "{what}: {reason}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn every_call_has_a_time_limit() {
    let module = looping();
    let settings = || Some("{}".to_owned());
    in_time("describe", || module.describe(&LIMITS));
    in_time("analytics", || module.analytics(&LIMITS));
    in_time("detector.open", || Detector::open(module, LIMITS, settings(), None));
    in_time("correlator.open", || Correlator::open(module, &LIMITS, settings().as_deref()));
    in_time("learner.open", || Learner::open(module, &LIMITS, settings().as_deref()));
    let detector = || Detector::open(module, LIMITS, None, None).expect("it opens");
    in_time("stats", || detector().stats());
    in_time("snapshot", || detector().snapshot());
    let lost = detector().flush().expect("it goes on").loss.expect("the flush is lost");
    assert!(lost.reason.contains("it took longer than 0.6 s"), "{}", lost.reason);
    let correlator = || Correlator::open(module, &LIMITS, None).expect("it opens");
    in_time("correlator.observe", || correlator().observe(&["{}".into()], &[], &[]));
    in_time("incidents", || correlator().incidents());
    let learner = || Learner::open(module, &LIMITS, None).expect("it opens");
    in_time("learner.observe", || learner().observe(Batch::Packed(packed(0..1))));
    in_time("baseline", || learner().baseline());
}

#[test]
fn a_module_that_cannot_take_snapshots_is_stopped_before_kept_batches_exceed_the_bound() {
    let mut detector = Detector::open(failing_snapshots(), LIMITS, None, None).expect("it opens");
    let lost = (0..100).find_map(|part| detector.evaluate(Batch::Packed(packed(part * 20..part * 20 + 20))).err());
    assert!(matches!(lost, Some(HostError::Lost(_))), "{lost:?}");
}
