//! The same records give the same findings in every encoding, for any split into batches, with a restore in between.

use backchannel_engine::{Correlator, Engine, Format, Learner, Output, Raw};
use backchannel_events::packed::{Batch, Builder};

/// An activation from another machine as Sysmon and Security log it: the logon, the server, its child process.
fn attack(host: &str, minute: u32) -> String {
    let at = |second: u32| format!("2025-03-04T10:{minute:02}:{second:02}.000Z");
    let record = |provider: &str, id: u32, number: u32, second: u32, data: &str| {
        format!(
            r##"{{"Event":{{"System":{{"Provider":{{"#attributes":{{"Name":"{provider}"}}}},"EventID":{id},"EventRecordID":{number},"TimeCreated":{{"#attributes":{{"SystemTime":"{}"}}}},"Computer":"{host}"}},"EventData":{{{data}}}}}}}"##,
            at(second)
        )
    };
    let number = minute * 100;
    let guid = |n: u32| format!("{{11111111-0000-0000-{number:04}-0000000000{n:02}}}");
    let logon = r#""TargetUserSid":"S-1-5-21-1-2-3-1107","TargetUserName":"alice","TargetDomainName":"CORP","TargetLogonId":"0x5f00d","LogonType":"3","IpAddress":"10.0.0.9","AuthenticationPackageName":"Kerberos""#;
    let start = |second: u32, child: u32, parent: u32, image: &str, line: &str, by: &str| {
        let data = format!(
            r#""UtcTime":"2025-03-04 10:{minute:02}:{second:02}.000","ProcessGuid":"{}","ProcessId":"{}","Image":"{image}","CommandLine":"{line}","User":"CORP\\alice","LogonId":"0x5f00d","TerminalSessionId":"0","IntegrityLevel":"High","ParentProcessGuid":"{}","ParentProcessId":"{}","ParentImage":"{by}","ParentCommandLine":"svchost.exe -k DcomLaunch -p""#,
            guid(child),
            1_000 + child,
            guid(parent),
            1_000 + parent
        );
        record("Microsoft-Windows-Sysmon", 1, number + child, second, &data)
    };
    let mmc = r"C:\\Windows\\System32\\mmc.exe";
    let lines = [
        record("Microsoft-Windows-Security-Auditing", 4624, number, 1, logon),
        start(2, 2, 1, mmc, "mmc.exe -Embedding", r"C:\\Windows\\System32\\svchost.exe"),
        start(3, 3, 2, r"C:\\Windows\\System32\\cmd.exe", "cmd.exe /c whoami", mmc),
        // An event id that no analytic reads.
        record("Microsoft-Windows-Eventlog", 6, number + 4, 4, ""),
    ];
    lines.map(|line| line + "\n").concat()
}

fn logs() -> String {
    attack("WS1.corp.example", 1) + "this is no record\n" + &attack("WS2.corp.example", 5)
}

fn raw(data: &[u8], first_line: u64) -> Raw<'_> {
    Raw { input: "a.jsonl", format: Some(Format::WindowsJson), host: "", first_line, time: None, data }
}

/// The events of the logs, packed as a host would.
fn packed(logs: &str) -> Vec<u8> {
    use backchannel_decode::{Decoded, Decoder, Frame, Options};
    use backchannel_normalize::{Normalizer, Place, wants};
    let (mut decoder, mut normalizer) = (Decoder::new(Format::WindowsJson, Options::default()), Normalizer::new());
    let (arena, mut builder) = (bumpalo::Bump::new(), Builder::default());
    for (line, text) in (1..).zip(logs.lines()) {
        if let Ok(Decoded::Record(record)) = decoder.decode(&Frame { line, bytes: text.as_bytes() }, &arena, &wants) {
            let place = Place { input: "a.jsonl", line, default_host: "" };
            normalizer.accept(&record, place, &arena, &mut |event| builder.push(event).expect("fits"));
        }
    }
    normalizer.flush(&arena, &mut |event| builder.push(event).expect("fits"));
    let mut bytes = Vec::new();
    builder.finish(&mut bytes);
    bytes
}

fn open() -> Engine {
    Engine::open(None, None).expect("the default settings are valid")
}

/// Removes what only raw records report.
fn documents(output: &Output) -> (Vec<String>, Vec<String>, Vec<String>) {
    let findings = output.findings.iter().map(|finding| finding.document.clone()).collect();
    (findings, output.signals.clone(), output.activity.clone())
}

#[test]
fn records_are_read_and_errors_are_reported() {
    let output = open().records(raw(logs().as_bytes(), 11));
    assert!(!output.findings.is_empty());
    assert_eq!((output.evaluated, output.unused, output.skipped_count), (6, 2, 1));
    assert_eq!((output.skipped[0].input.as_str(), output.skipped[0].line), ("a.jsonl", 15));
    assert!(output.findings.iter().all(|finding| ["ws1", "ws2"].contains(&finding.host.as_str())));
    assert!(output.findings.iter().any(|finding| finding.document.contains("\"line\":12")), "{output:?}");
}

#[test]
fn every_encoding_gives_the_same_documents() {
    let logs = logs();
    let from_records = documents(&open().records(raw(logs.as_bytes(), 1)));
    let bytes = packed(&logs);
    let from_packed = documents(&open().packed(&bytes).expect("well formed"));
    let events: Vec<_> = Batch::parse(&bytes).expect("well formed").iter().collect();
    let from_events = documents(&open().events(&events));
    assert!(!from_records.0.is_empty());
    assert_eq!(from_records, from_packed);
    assert_eq!(from_packed, from_events);
    let detected = documents(&open().records(Raw { format: None, ..raw(logs.as_bytes(), 1) }));
    assert_eq!(from_records, detected);
}

#[test]
fn results_do_not_depend_on_where_batches_end() {
    let logs = logs();
    let whole = documents(&open().records(raw(logs.as_bytes(), 1)));
    let mut engine = open();
    let mut parts = (Vec::new(), Vec::new(), Vec::new());
    for (line, text) in (1..).zip(logs.lines()) {
        // A single record without a final line feed, as a shipper passes it.
        let (findings, signals, activity) = documents(&engine.records(raw(text.as_bytes(), line)));
        parts.0.extend(findings);
        parts.1.extend(signals);
        parts.2.extend(activity);
    }
    assert_eq!(whole, parts);
}

#[test]
fn a_restored_engine_continues_with_the_same_results() {
    let logs = logs();
    let lines: Vec<&str> = logs.lines().collect();
    for cut in 0..lines.len() {
        let (before, after) = (lines[..cut].join("\n"), lines[cut..].join("\n"));
        let mut engine = open();
        engine.records(raw(before.as_bytes(), 1));
        let mut other = open();
        other.restore(&engine.snapshot()).expect("a snapshot of our own");
        assert_eq!(engine.stats(), other.stats());
        assert_eq!(engine.sources(), other.sources());
        let line = cut as u64 + 1;
        assert_eq!(engine.records(raw(after.as_bytes(), line)), other.records(raw(after.as_bytes(), line)));
        assert_eq!(engine.flush(), other.flush());
        assert_eq!(engine.snapshot(), other.snapshot(), "after line {cut}");
    }
}

#[test]
fn a_malformed_packed_batch_has_no_effect() {
    let bytes = packed(&logs());
    let mut engine = open();
    let before = engine.snapshot();
    let mut bad = bytes.clone();
    *bad.last_mut().expect("not empty") = 0xff;
    let error = engine.packed(&bad).expect_err("no UTF-8");
    assert_eq!((error.offset, error.reason), (bytes.len() - 1, "UTF-8"));
    assert_eq!(engine.snapshot(), before);
    assert!(engine.packed(&bytes).is_ok());
}

#[test]
fn a_binary_input_is_reported_and_does_not_end_the_run() {
    let mut engine = open();
    for (data, reason) in [
        (&b"ElfFile\0\0\0"[..], "EVTX"),
        (b"\x1f\x8b\x08\0\0", "unpack"),
        (b"what is this\nnobody knows\n", "known format"),
        (b"\n\n", ""),
    ] {
        let output = engine.records(Raw { input: "x", format: None, host: "", first_line: 1, time: None, data });
        assert_eq!(output.skipped.is_empty(), reason.is_empty());
        assert!(output.skipped.iter().all(|skipped| skipped.reason.contains(reason)), "{output:?}");
    }
    // The same input becomes readable later.
    let logs = logs();
    let output = engine.records(Raw { input: "x", format: None, ..raw(logs.as_bytes(), 1) });
    assert!(!output.findings.is_empty());
}

#[test]
fn inputs_beyond_the_limit_end_and_lose_nothing() {
    let mut engine = open();
    let line = "type=PATH msg=audit(1700000000.123:NNN): item=0 name=\"/tmp/f\" mode=010644 ouid=0 nametype=CREATE\n";
    let syscall = "type=SYSCALL msg=audit(1700000000.123:NNN): arch=c000003e syscall=133 success=yes exit=0 ppid=1 \
        pid=9 auid=1000 uid=1000 gid=1000 euid=1000 tty=pts0 ses=2 comm=\"mkfifo\" exe=\"/usr/bin/mkfifo\"\n";
    let mut evaluated = 0;
    for number in 0..300 {
        let name = format!("input {number}");
        let data = format!("{syscall}{line}").replace("NNN", &number.to_string());
        let raw = Raw {
            input: &name,
            format: Some(Format::Auditd),
            host: "web1",
            first_line: 1,
            time: None,
            data: data.as_bytes(),
        };
        evaluated += engine.records(raw).evaluated;
    }
    evaluated += engine.flush().evaluated;
    assert!(evaluated >= 300, "{evaluated}");
}

#[test]
fn incidents_do_not_depend_on_which_detector_wrote_the_documents() {
    let logs = logs();
    let output = open().records(raw(logs.as_bytes(), 1));
    let documents: Vec<String> = output.findings.iter().map(|finding| finding.document.clone()).collect();
    let mut correlator = Correlator::open(None).expect("the default settings are valid");
    assert_eq!(correlator.observe(&documents, &output.signals, &output.activity), 0);
    let bytes = correlator.snapshot();
    let incidents = correlator.incidents();
    assert!(!incidents.is_empty());
    assert!(incidents.iter().all(|incident| incident.document.contains("\"type\":\"incident\"")));
    let mut other = Correlator::open(None).expect("the default settings are valid");
    other.restore(&bytes).expect("a snapshot of our own");
    assert_eq!(other.incidents(), incidents);
    assert!(other.restore(&open().snapshot()).is_err(), "a detector's memory is no correlator's");
    assert_eq!(correlator.observe(&["{}", "no JSON"], &["[]"], &["{\"host\":1}"]), 4);
}

#[test]
fn a_baseline_is_the_same_whatever_the_batches_and_the_order() {
    let logs = logs();
    let learn = |parts: &[&str]| {
        let mut learner = Learner::open(None).expect("the default settings are valid");
        for part in parts {
            learner.records(raw(part.as_bytes(), 1));
        }
        learner.baseline()
    };
    let lines: Vec<&str> = logs.lines().collect();
    let whole = learn(&[&logs]);
    assert_eq!(whole, learn(&lines));
    let (first, second) = (attack("ws1", 1), attack("ws2", 5));
    let (a, b) = (learn(&[&first]), learn(&[&second]));
    let merged = Learner::merge(&[&a, &b]).expect("baselines of our own");
    assert_eq!(merged, Learner::merge(&[&b, &a]).expect("baselines of our own"));
    assert!(Engine::open(None, Some(&merged)).is_ok());
    assert!(Learner::merge(&[&a[..a.len() - 1]]).is_err());
    let errors = Engine::open(Some("{\"x\":1}"), Some(b"BCBL\x09\0\0\0")).expect_err("both are wrong");
    assert_eq!(errors.len(), 2);
    assert!(errors[1].allowed.contains("layout 9"), "{errors:?}");
}
