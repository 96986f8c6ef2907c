//! The filter on Fluent Bit's engine. `cargo test --release -p backchannel-tests --features wamr --test wamr`; needs
//! cmake and libclang, for the engine is C.

use backchannel_tests::case;
use backchannel_tests::fluent_bit::{Linked, Shipper, firing, payloads, records, without_ours};
use backchannel_tests::native::baseline;
use backchannel_tests::wamr::{Engine, HEAP, Instance, Loaded, STACK};

/// Bytes of stack that Fluent Bit gives by itself.
const STACK_BY_DEFAULT: u32 = 8 * 1024;
const TAG: &str = "input";

fn all(shipper: &mut impl Shipper, records: &[Vec<u8>]) -> Vec<Vec<u8>> {
    records.iter().map(|record| shipper.call(TAG, 0, record).expect("no record is lost")).collect()
}

fn every_case_gives_the_same_bytes(engine: &Engine) {
    let module = Loaded::load(engine, backchannel_embedded::fluent_bit()).expect("the engine accepts the filter");
    let mut wrong = Vec::new();
    for case in case::all() {
        let Some(records) = records(&case) else { continue };
        let (settings, baseline) = (&case.settings, baseline(&case));
        let mut instance = Instance::new(&module, STACK);
        assert_eq!(instance.open(settings.as_deref().map(str::as_bytes), baseline.as_deref()), 0);
        let mut linked = Linked::open(settings.as_deref(), baseline.as_deref());
        if all(&mut instance, &records) != all(&mut linked, &records) {
            wrong.push(case.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn a_record_is_returned_byte_for_byte(engine: &Engine) {
    let module = Loaded::load(engine, backchannel_embedded::fluent_bit()).expect("the engine accepts the filter");
    for member in payloads() {
        let records = firing(&member);
        let answers = all(&mut Instance::new(&module, STACK), &records);
        for (record, answer) in records.iter().zip(&answers) {
            assert!(without_ours(answer) == *record, "{member:.60}");
        }
        assert!(answers.last().map(Vec::len) > records.last().map(Vec::len), "{member:.60}: no finding was added");
    }
}

fn records_larger_than_the_engine_s_heap_are_passed_on(engine: &Engine) {
    let module = Loaded::load(engine, backchannel_embedded::fluent_bit()).expect("the engine accepts the filter");
    let mut instance = Instance::new(&module, STACK);
    for length in [HEAP - 64, HEAP, HEAP + 64, 1_000_000, 10_000_000] {
        let record = format!("{{\"log\":\"{}\"}}", "a".repeat(length as usize));
        assert!(instance.call(TAG, 0, record.as_bytes()).as_deref() == Some(record.as_bytes()), "{length}");
    }
}

fn the_engine_rejects_the_core_module_of_the_component(engine: &Engine) {
    let refused = Loaded::load(engine, backchannel_embedded::core()).err().expect("vector instructions are rejected");
    assert!(!refused.is_empty());
}

fn the_configured_stack_is_large_enough(engine: &Engine) {
    let module = Loaded::load(engine, backchannel_embedded::fluent_bit()).expect("the engine accepts the filter");
    let cases: Vec<Vec<Vec<u8>>> = case::all().iter().filter_map(records).collect();
    let lost = |stack: u32| {
        let mut lost = 0;
        for records in &cases {
            let mut instance = Instance::new(&module, stack);
            lost += records.iter().filter(|record| instance.call(TAG, 0, record).is_none()).count();
        }
        lost
    };
    let least = [8, 12, 16, 24, 32, 48, 64].into_iter().find(|kib| lost(kib * 1024) == 0);
    eprintln!("least wasm_stack_size for all cases: {least:?} KiB");
    assert!(least.is_some_and(|kib| kib <= 64), "our configurations give {STACK}: {least:?} KiB are needed");
}

fn a_stack_overflow_does_not_affect_the_next_call(engine: &Engine) {
    let module = Loaded::load(engine, backchannel_embedded::fluent_bit()).expect("the engine accepts the filter");
    let mut instance = Instance::new(&module, STACK_BY_DEFAULT);
    let records = firing("\"x\":1");
    let answered = records.iter().filter(|record| instance.call(TAG, 0, record).is_some()).count();
    if answered == records.len() {
        eprintln!("Fluent Bit's own stack is enough for these");
        return;
    }
    assert!(instance.exception.contains("stack overflow"), "{}", instance.exception);
    assert_eq!(instance.call(TAG, 0, b"{\"a\":1}").as_deref(), Some(&b"{\"a\":1}"[..]));
}

/// A check with its name.
type Check = (&'static str, fn(&Engine));

/// One test, because there is one engine per process and it must be used from one thread.
#[test]
fn the_filter_on_the_engine_of_fluent_bit() {
    let engine = Engine::start();
    let checks: [Check; 6] = [
        ("every case gives the same bytes", every_case_gives_the_same_bytes),
        ("a record is returned byte for byte", a_record_is_returned_byte_for_byte),
        ("records larger than the engine's heap are passed on", records_larger_than_the_engine_s_heap_are_passed_on),
        ("the engine rejects the component's core module", the_engine_rejects_the_core_module_of_the_component),
        ("the configured stack is large enough", the_configured_stack_is_large_enough),
        ("a stack overflow does not affect the next call", a_stack_overflow_does_not_affect_the_next_call),
    ];
    for (name, check) in checks {
        eprintln!("{name}");
        check(&engine);
    }
}
