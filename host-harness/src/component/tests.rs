//! Tests of the sandbox with the real module, and with bytes that are not a module.

use std::sync::Arc;
use std::time::Duration;

use backchannel_events::packed::Builder;
use backchannel_events::{Activity, Process, ProcessEvent, Provenance, Timestamp};

use super::*;

fn engine() -> Arc<Engine> {
    Arc::new(Engine::new(&EngineOptions::with_user_cache()).unwrap())
}

fn module() -> Module {
    Module::load(&engine(), backchannel_embedded::component()).unwrap()
}

/// Processes starting, one a second, each with a command line of `size` bytes.
fn batch(seconds: std::ops::Range<i64>, size: usize) -> Batch {
    let command_line = "x".repeat(size);
    let mut builder = Builder::new(usize::MAX);
    for second in seconds {
        let event = ProcessEvent {
            time: Timestamp::from_unix(1_700_000_000 + second, 0),
            host: "h",
            outcome: Default::default(),
            process: Process {
                pid: Some(second as u32),
                image: r"C:\Temp\a.exe",
                command_line: &command_line,
                ..Process::default()
            },
            activity: Activity::ProcessStart,
            provenance: Provenance::default(),
        };
        builder.push(&event).unwrap();
    }
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    Batch::Packed(bytes)
}

fn refusal(bytes: &[u8]) -> String {
    match Module::load(&engine(), bytes) {
        Err(HostError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn invalid_modules_are_rejected_with_a_reason() {
    assert!(refusal(b"MZ").contains("not a WebAssembly component"));
    assert!(refusal(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
    assert!(refusal(EMPTY).contains("exports nothing"));
    assert!(refusal(&[EMPTY, b"\x07\xFF"].concat()).contains("damaged"));
    // A function type, and an import `f` of that type.
    let imports = [EMPTY, b"\x07\x05\x01\x40\x00\x01\x00", b"\x0a\x06\x01\x00\x01f\x01\x00"].concat();
    assert!(refusal(&imports).contains("it imports f"));
    // An empty instance, exported under the name of another version.
    let name = b"backchannel:detection/detector@0.2.0";
    let export = [&[0x0b, name.len() as u8 + 6, 1, 0, name.len() as u8][..], name, &[5, 0, 0]].concat();
    let other = refusal(&[EMPTY, b"\x05\x03\x01\x01\x00", &export].concat());
    assert!(other.contains("it implements backchannel:detection@0.2.0"), "{other}");
}

#[test]
fn the_module_describes_itself() {
    let about = module().describe(&Limits::default()).unwrap();
    assert_eq!(about.contract, CONTRACT);
    assert!(!module().analytics(&Limits::default()).unwrap().is_empty());
    let seen = inspect(&engine(), backchannel_embedded::component(), &Limits::default()).unwrap();
    assert_eq!((seen.surface.imports.len(), seen.about), (0, Ok(about)));
}

#[test]
fn a_correlator_can_be_restored_from_a_snapshot() {
    let module = module();
    let log = RawBatch {
        input: "log".into(),
        format: backchannel_decode::Format::Json,
        host: String::new(),
        first_line: 1,
        data: include_bytes!("../../../examples/logs/ws02.winlogbeat.jsonl").to_vec(),
    };
    let mut detector = Detector::open(&module, Limits::default(), None, None).unwrap();
    let seen = detector.evaluate(Batch::Records(log)).unwrap();
    let documents: Vec<String> = seen.findings.into_iter().map(|finding| finding.document).collect();
    let mut first = Correlator::open(&module, &Limits::default(), None).unwrap();
    assert_eq!(first.observe(&documents, &seen.signals, &seen.activity).unwrap(), 0);
    let snapshot = first.snapshot().unwrap();
    let mut second = Correlator::open(&module, &Limits::default(), None).unwrap();
    second.restore(&snapshot).unwrap();
    assert_eq!(second.snapshot().unwrap(), snapshot);
    let incidents = first.incidents().unwrap();
    assert!(!incidents.is_empty());
    assert_eq!(second.incidents().unwrap(), incidents);
    assert!(matches!(second.restore(b"invalid"), Err(HostError::Snapshot(_))));
}

#[test]
fn a_detector_can_be_sent_to_another_thread() {
    fn sent<T: Send>() {}
    sent::<Detector>();
    sent::<Correlator>();
    sent::<Learner>();
    sent::<Module>();
}

#[test]
fn a_batch_too_large_for_the_memory_limit_does_not_affect_later_batches() {
    let module = module();
    let limits = Limits { memory: 48 << 20, snapshot_events: 150, ..Limits::default() };
    let run = |guilty: bool| {
        let mut detector = Detector::open(&module, limits, None, None).unwrap();
        for part in 0..5 {
            detector.evaluate(batch(part * 100..part * 100 + 100, 10)).unwrap();
            if guilty && part == 2 {
                let lost = detector.evaluate(batch(0..64, 1 << 20)).unwrap().loss.expect("a loss");
                assert!(lost.reason.contains("more than 48 MiB of memory"), "{}", lost.reason);
            }
        }
        let evaluated = detector.stats().unwrap().events;
        (detector.snapshot().unwrap(), evaluated)
    };
    let (clean, recovered) = (run(false), run(true));
    assert_eq!(clean.0, recovered.0);
}

#[test]
fn a_module_is_stopped_after_repeated_failures() {
    let module = module();
    let limits = Limits { memory: 48 << 20, ..Limits::default() };
    let mut detector = Detector::open(&module, limits, None, None).unwrap();
    assert!(detector.evaluate(batch(0..64, 1 << 20)).unwrap().loss.is_some());
    assert!(detector.evaluate(batch(0..64, 1 << 20)).unwrap().loss.is_some());
    assert!(matches!(detector.evaluate(batch(0..64, 1 << 20)), Err(HostError::Lost(_))));
}

#[test]
fn a_batch_that_takes_too_long_is_left_out() {
    let module = module();
    let limits = Limits { batch_time: Duration::ZERO, ..Limits::default() };
    let mut detector = Detector::open(&module, limits, None, None).unwrap();
    // Far more work than fits into two ticks of the clock.
    let lost = detector.evaluate(batch(0..400_000, 50)).unwrap().loss.expect("a loss");
    assert!(lost.reason.contains("it took longer than 0 s"), "{}", lost.reason);
}

#[test]
fn a_malformed_batch_changes_nothing() {
    let mut detector = Detector::open(&module(), Limits::default(), None, None).unwrap();
    let before = detector.snapshot().unwrap();
    let lost = detector.evaluate(Batch::Packed(b"invalid".to_vec())).unwrap().loss.expect("a loss");
    assert!(lost.reason.contains("not well formed at byte"));
    assert_eq!(detector.snapshot().unwrap(), before);
}

#[test]
fn a_snapshot_can_be_restored_and_a_damaged_one_is_rejected() {
    let module = module();
    let mut first = Detector::open(&module, Limits::default(), None, None).unwrap();
    first.evaluate(batch(0..500, 10)).unwrap();
    let snapshot = first.snapshot().unwrap();
    let mut second = Detector::open(&module, Limits::default(), None, None).unwrap();
    second.restore(snapshot.clone()).unwrap();
    assert_eq!(second.snapshot().unwrap(), snapshot);
    assert!(matches!(second.restore(b"invalid".to_vec()), Err(HostError::Snapshot(_))));
}

#[test]
fn invalid_settings_are_reported_with_their_position() {
    let settings = Some("{\"admin_hosts\": 7, \"typo\": 1}".to_owned());
    let Err(HostError::Settings(mistakes)) = Detector::open(&module(), Limits::default(), settings, None) else {
        panic!("expected mistakes");
    };
    let pointers: Vec<&str> = mistakes.iter().map(|mistake| mistake.pointer.as_str()).collect();
    assert!(pointers.contains(&"/admin_hosts") && pointers.contains(&"/typo"), "{pointers:?}");
}
