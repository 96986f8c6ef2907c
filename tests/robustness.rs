//! Fuzzing: no input stops a run. Random bytes and truncated, corrupted and recompressed logs are run through sources,
//! engine and module.
//!
//! Inputs are generated from a fixed seed, so that runs are reproducible; `PROPTEST_RNG_SEED` and `PROPTEST_CASES`
//! change that.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use backchannel_engine::{Engine, Output, Raw};
use backchannel_host::Format;
use backchannel_host::component::{Batch, Detector, Evaluation, Limits, RawBatch};
use backchannel_host::replay::{Carrier, ReplayOptions, Report, Silent, replay};
use backchannel_host::source::{self, Filled, InputFormat, Skips, SourceOptions};
use backchannel_tests::archives::{gzip, tar, zip, zstd};
use backchannel_tests::component::module;
use backchannel_tests::fixtures::{Log, logs};
use backchannel_tests::sources;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

/// Timeout of a single check, which normally takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(90);
/// Large enough to keep the details of all skipped records.
const ALL: usize = 1_000_000;

fn config(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { cases },
        rng_seed: if asked.rng_seed == RngSeed::Random { RngSeed::Fixed(1559) } else { asked.rng_seed },
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..asked
    }
}

fn fixtures() -> &'static [Log] {
    static LOGS: OnceLock<Vec<Log>> = OnceLock::new();
    LOGS.get_or_init(logs)
}

/// Aborts the program if the sender is not dropped within the timeout.
fn watch(what: String) -> Sender<()> {
    let (done, waiting) = channel::<()>();
    std::thread::spawn(move || {
        if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("this hangs: {}", what.chars().take(20_000).collect::<String>());
            std::process::abort();
        }
    });
    done
}

/// A corruption of bytes.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
}

const SNIPPETS: [&[u8]; 34] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"</Event>",
    b"<Event ",
    b"\n",
    b"\r",
    b"\t",
    b"\0",
    b"\xFF",
    b"\xED\xA0\x80",
    b"\\ud800",
    b"\x1b[2J",
    b"\xE2\x80\xAE",
    b"&#x0;",
    b"&amp;&lt;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"%00",
    b"-1",
    b"99999999999999999999999999",
    b"1e999",
    b"0x",
    b"null",
    b"msg=audit(",
    b"type=",
    b"a0=",
    b"=",
];

fn snippet() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => select(&SNIPPETS[..]).prop_map(<[u8]>::to_vec),
        2 => vec(any::<u8>(), 1..24),
        1 => (select(&b"{[<(\"\\ 9"[..]), 1..5000usize).prop_map(|(byte, times)| [byte].repeat(times)),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => any::<Index>().prop_map(Damage::Cut),
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        4 => (any::<Index>(), snippet()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), 1..200usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        2 => (any::<Index>(), 1..200usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match damage {
            Damage::Cut(at) => bytes.truncate(place(at)),
            Damage::Flip(at, byte) => {
                let place = place(at);
                if let Some(old) = bytes.get_mut(place) {
                    *old ^= byte;
                }
            }
            Damage::Insert(at, new) => {
                let place = place(at);
                bytes.splice(place..place, new.iter().copied());
            }
            Damage::Remove(at, length) => {
                let place = place(at);
                bytes.drain(place..bytes.len().min(place + length));
            }
            Damage::Repeat(at, length) => {
                let place = place(at);
                let part = bytes[place..bytes.len().min(place + length)].to_vec();
                bytes.splice(place..place, part);
            }
        }
    }
    bytes
}

#[derive(Clone, Copy, Debug)]
enum Wrap {
    Gzip,
    Zstd,
    Zip,
    Tar,
}

fn wraps() -> impl Strategy<Value = Vec<Wrap>> {
    let one = select(&[Wrap::Gzip, Wrap::Zstd, Wrap::Zip, Wrap::Tar][..]);
    prop_oneof![3 => Just(Vec::new()), 3 => vec(one, 1..=2), 1 => Just(vec![Wrap::Tar, Wrap::Gzip])]
}

fn wrapped(bytes: Vec<u8>, wraps: &[Wrap]) -> Vec<u8> {
    wraps.iter().fold(bytes, |bytes, wrap| match wrap {
        Wrap::Gzip => gzip(&bytes),
        Wrap::Zstd => zstd(&bytes),
        Wrap::Zip => zip(&[("in.log", &bytes), ("notes.txt", b"some text\n")]),
        Wrap::Tar => tar(&[("in.log", &bytes), ("notes.txt", b"some text\n")]),
    })
}

/// Random combinations of parts of records: more of them pass the first checks than random bytes do.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&str; 40] = [
        "{\"EventID\":",
        "\"SourceName\":\"Microsoft-Windows-Sysmon\",",
        "\"Hostname\":\"h\",",
        "\"@timestamp\":\"2023-11-14T22:13:20Z\",",
        "\"winlog\":{\"event_data\":{",
        "\"Event\":{\"System\":{\"EventID\":17,\"Computer\":\"h\"},\"EventData\":{",
        "\"Image\":",
        "\"CommandLine\":",
        "\"C:\\\\a.exe\"",
        "\"ProcessId\":",
        "\"PipeName\":\"\\\\x\"",
        "17",
        "4624",
        "10016",
        "}",
        "}}",
        "}}}\n",
        ",",
        ":",
        "[",
        "]",
        "<Event><System><Provider Name=\"Microsoft-Windows-Sysmon\"/><EventID>17</EventID>",
        "<TimeCreated SystemTime=\"2023-11-14T22:13:20Z\"/><Computer>h</Computer></System>",
        "<EventData><Data Name=\"PipeName\">\\x</Data>",
        "</EventData></Event>\n",
        "type=SYSCALL msg=audit(1700000000.1:7): arch=c000003e syscall=42 success=yes exit=0 pid=7 comm=\"a\" exe=\"/a\"",
        "type=SOCKADDR msg=audit(1700000000.1:7): saddr=",
        "01002F72756E2F782E736F636B00",
        "type=EXECVE msg=audit(1700000000.1:7): argc=",
        "type=PATH msg=audit(1700000000.1:7): item=",
        "type=PROCTITLE msg=audit(1700000000.1:7): proctitle=",
        "{\"ID\":\"1700000000.1:7\",\"SYSCALL\":{\"syscall\":59,\"pid\":",
        "Nov 14 22:13:20 h sudo: ",
        "<14>1 2023-11-14T22:13:20Z h dbus-daemon 7 - - ",
        "#fields\tts\tuid\tid.orig_h\tendpoint\toperation\n#path\tdce_rpc\n",
        "1.5\tC\t192.0.2.7\tsvcctl\tCreateServiceW\n",
        "{\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.7\",\"endpoint\":",
        "{\"time\":1700000000000000000,\"host\":\"h\",\"activity\":",
        "\"process_start\"",
        "\n",
    ];
    let piece = prop_oneof![5 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()), 1 => snippet()];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn random_bytes() -> impl Strategy<Value = Vec<u8>> {
    const STARTS: [&[u8]; 14] = [
        b"",
        b"ElfFile\0",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1F\x8B\x08\0",
        b"\x28\xB5\x2F\xFD",
        b"\x50\x2A\x4D\x18",
        b"{\"time\":",
        b"<Event ",
        b"<?xml version=\"1.0\"?><Events><Event>",
        b"type=SYSCALL msg=audit(1.0:1): ",
        b"\xFF\xFE{\0",
        b"\xEF\xBB\xBF[{",
        b"#separator \\x09\n#fields\ta\n",
    ];
    let random = (select(&STARTS[..]), vec(any::<u8>(), 0..2000)).prop_map(|(start, rest)| [start, &rest].concat());
    prop_oneof![2 => random, 5 => pieces()]
}

/// Checks that all skipped records are listed, each with its place and reason.
fn check_skips(skips: &Skips, path: &str) {
    assert_eq!(skips.details().len() as u64, skips.total(), "{skips:?}");
    for detail in skips.details() {
        assert!(!detail.code.is_empty() && !detail.reason.is_empty() && detail.input.starts_with(path), "{detail:?}");
    }
}

/// The findings of a replay in their latest state, without the incident, which is only known at the end of a run.
fn found(documents: impl Iterator<Item = (String, String)>) -> BTreeSet<String> {
    backchannel_tests::native::latest(documents)
        .into_iter()
        .map(|document| {
            let mut value: serde_json::Value = serde_json::from_str(&document).expect("a document is JSON");
            value["incident"] = serde_json::Value::Null;
            value.to_string()
        })
        .collect()
}

fn through_module(path: &Path, format: Option<InputFormat>, carrier: Carrier) -> Report {
    let options = SourceOptions { format, skips_kept: ALL, ..SourceOptions::default() };
    let sources = source::open(&[path.to_owned()], options);
    let limits = Limits { batch_time: Duration::from_secs(30), ..Limits::default() };
    let options = ReplayOptions { carrier, batch: 64, limits, ..ReplayOptions::default() };
    let report = replay(module(), sources, &options, &mut Silent).expect("the module is never lost");
    assert_eq!(report.summary.skipped.get("module-failed"), None, "{:?}", report.skips.details());
    assert_eq!(report.summary.skipped.get("not-correlated"), None);
    report
}

/// Whether several lines of a format can form one event, so that lines and events cannot be compared by number.
fn joins_lines(format: Option<InputFormat>) -> bool {
    use Format::{Auditd, Json, Laurel, Syslog};
    matches!(format, None | Some(InputFormat::Text(Auditd | Json | Laurel | Syslog)))
}

/// Reads `bytes` from a file with every carrier, and checks the counters of each.
fn check(bytes: &[u8], format: Option<InputFormat>, holds: Option<InputFormat>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    std::fs::write(&path, bytes).expect("the file is written");
    let name = path.display().to_string();
    let options = SourceOptions { format, skips_kept: ALL, ..SourceOptions::default() };
    let native = sources::replay(std::slice::from_ref(&path), options, 64);
    let (tally, evaluated) = (&native.tally, native.evaluated);
    check_skips(&tally.skips, &name);
    if !joins_lines(holds) {
        let accounted = evaluated + tally.unused + tally.skips.total();
        assert!(tally.read <= accounted, "{} read, {accounted} accounted for: {:?}", tally.read, tally.skips);
    }
    let expected = found(native.findings.into_iter().map(|finding| (finding.id, finding.document)));
    for carrier in [Carrier::Packed, Carrier::Records, Carrier::Text] {
        let report = through_module(&path, format, carrier);
        let summary = &report.summary;
        if carrier == Carrier::Packed {
            assert_eq!((summary.records.read, summary.records.evaluated), (tally.read, evaluated));
            let here = found(report.findings.into_iter().map(|finding| (finding.id, finding.document)));
            assert_eq!(here, expected);
        } else if !joins_lines(holds) && holds != Some(InputFormat::Text(Format::ZeekTsv)) {
            // With undecoded records the header of a Zeek log is counted too.
            let accounted = summary.records.evaluated + summary.records.unused + summary.records.skipped;
            assert!(
                summary.records.read <= accounted,
                "{carrier:?}: {} read, {accounted} accounted for",
                summary.records.read
            );
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn corrupted_logs_are_read_and_every_skipped_record_is_counted(
        log in any::<Index>(),
        inner in vec(damage(), 0..6),
        wraps in wraps(),
        outer in prop_oneof![2 => Just(Vec::new()), 1 => vec(damage(), 1..3)],
        named in any::<bool>(),
    ) {
        let log = log.get(fixtures());
        let _watch = watch(format!("{} {inner:?} {wraps:?} {outer:?} {named}", log.name));
        let bytes = damaged(wrapped(damaged(log.bytes.clone(), &inner), &wraps), &outer);
        check(&bytes, named.then_some(log.format), Some(log.format));
    }

    #[test]
    fn random_bytes_are_read_and_every_skipped_record_is_counted(
        bytes in random_bytes(),
        wraps in wraps(),
        format in proptest::option::of(select(&Format::ALL[..])),
    ) {
        let _watch = watch(format!("{bytes:?} {wraps:?} {format:?}"));
        check(&wrapped(bytes, &wraps), format.map(InputFormat::Text), None);
    }
}

/// A batch as a host without knowledge of framing would pass it.
#[derive(Clone, Debug)]
enum Handed {
    Packed { of: Index, damages: Vec<Damage>, typed: bool },
    Records { data: Vec<u8>, format: Format, input: String, first_line: u64, as_text: bool },
}

fn handed() -> impl Strategy<Value = Handed> {
    let some = || vec(damage(), 0..4);
    let data = prop_oneof![
        random_bytes(),
        (any::<Index>(), some()).prop_map(|(log, damages)| damaged(log.get(fixtures()).bytes.clone(), &damages)),
    ];
    let line = prop_oneof![Just(1), Just(0), Just(u64::MAX), any::<u64>()];
    let input = select(&["a.log", "", "b\u{1b}\u{202e}\n.log"][..]).prop_map(str::to_owned);
    prop_oneof![
        3 => (any::<Index>(), some(), any::<bool>())
            .prop_map(|(of, damages, typed)| Handed::Packed { of, damages, typed }),
        4 => (data, select(&Format::ALL[..]), input, line, any::<bool>()).prop_map(
            |(data, format, input, first_line, as_text)| Handed::Records { data, format, input, first_line, as_text }
        ),
    ]
}

/// The packed batches of the fixtures.
fn packed() -> &'static [Vec<u8>] {
    static PACKED: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    PACKED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut batches = Vec::new();
        for log in fixtures() {
            let path = folder.path().join(&log.name);
            std::fs::write(&path, &log.bytes).expect("the log is written");
            let mut merge = source::open(&[path], SourceOptions::default()).events();
            merge.set_batch(6);
            let mut bytes = Vec::new();
            while let Filled::Batch(_) = merge.fill(&mut bytes) {
                batches.push(bytes.clone());
            }
        }
        batches
    })
}

fn same(native: &Output, module: &Evaluation) {
    assert_eq!(module.loss, None);
    assert_eq!(
        (native.evaluated, native.unused, native.skipped_count),
        (module.evaluated, module.unused, module.skipped_count)
    );
    let native_skips: Vec<_> = native.skipped.iter().map(|skip| (&skip.input, skip.line, &skip.reason)).collect();
    let module_skips: Vec<_> = module.skipped.iter().map(|skip| (&skip.input, skip.line, &skip.reason)).collect();
    assert_eq!(native_skips, module_skips);
    let documents: Vec<_> = native.findings.iter().map(|finding| &finding.document).collect();
    assert_eq!(documents, module.findings.iter().map(|finding| &finding.document).collect::<Vec<_>>());
    assert_eq!((&native.signals, &native.activity), (&module.signals, &module.activity));
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn the_module_gives_the_same_results_as_the_engine_for_any_batch(batches in vec(handed(), 1..6)) {
        let _watch = watch(format!("{batches:?}"));
        let mut engine = Engine::open(None, None).expect("good settings");
        let mut detector = Detector::open(module(), Limits::default(), None, None).expect("it opens");
        for batch in batches {
            match batch {
                Handed::Packed { of, damages, typed } => {
                    let bytes = damaged(of.get(packed()).clone(), &damages);
                    let native = engine.packed(&bytes);
                    let batch = if typed { Batch::Events(bytes) } else { Batch::Packed(bytes) };
                    let evaluation = detector.evaluate(batch).expect("it is never lost");
                    match native {
                        Ok(output) => same(&output, &evaluation),
                        Err(error) => {
                            let loss = evaluation.loss.expect("the module rejects what the engine rejects");
                            assert!(loss.reason.contains(error.reason), "{} {error}", loss.reason);
                        }
                    }
                }
                Handed::Records { mut data, format, input, first_line, as_text } => {
                    if as_text {
                        data = String::from_utf8_lossy(&data).into_owned().into_bytes();
                    }
                    let raw = Raw { input: &input, format: Some(format), host: "", first_line, time: None, data: &data };
                    let output = engine.records(raw);
                    let raw = RawBatch { input: input.clone(), format, host: String::new(), first_line, data: data.clone() };
                    let batch = if as_text { Batch::Text(raw) } else { Batch::Records(raw) };
                    same(&output, &detector.evaluate(batch).expect("it is never lost"));
                }
            }
        }
        same(&engine.flush(), &detector.flush().expect("it is never lost"));
        assert!(engine.snapshot() == detector.snapshot().expect("it is never lost"));
    }
}

/// Lines that are not a record of any format.
const BAD: [&[u8]; 7] = [b"nonsense", b"{\"EventID\": oops", b"}{", b"\xFF\xFE\xFD", b"[1, 2", b"\x1b[2J", b"\""];

/// Logs of cases with findings, one record or audit line per line.
fn firing() -> &'static [(Format, String)] {
    static LOGS: OnceLock<Vec<(Format, String)>> = OnceLock::new();
    LOGS.get_or_init(|| {
        let cases = backchannel_tests::case::all();
        let fit = cases.iter().filter(|case| case.fires() && case.is_plain());
        let logs = fit.filter_map(|case| Some((case.format()?, case.text()?.to_owned())));
        logs.filter(|(format, _)| matches!(format, Format::WindowsJson | Format::Auditd)).collect()
    })
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn a_bad_line_does_not_affect_other_lines(
        log in any::<Index>(),
        bad in vec((any::<Index>(), select(&BAD[..])), 1..6),
    ) {
        let (format, text) = log.get(firing());
        let _watch = watch(format!("{bad:?} {text}"));
        let mut lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let read = |lines: &[&[u8]]| {
            std::fs::write(&path, lines.join(&b'\n')).expect("the log is written");
            let format = Some(InputFormat::Text(*format));
            let options = SourceOptions { format, skips_kept: ALL, ..SourceOptions::default() };
            let outcome = sources::replay(std::slice::from_ref(&path), options, 64);
            let alarms: BTreeSet<_> =
                outcome.findings.into_iter().map(|finding| (finding.id, finding.severity, finding.confidence)).collect();
            (alarms, outcome.evaluated, outcome.tally)
        };
        let (alarms, evaluated, clean) = read(&lines);
        let mut places: Vec<(usize, &[u8])> = bad.iter().map(|(at, line)| (at.index(lines.len() + 1), *line)).collect();
        places.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        for (at, line) in places {
            lines.insert(at, line);
        }
        let (now, evaluated_now, tally) = read(&lines);
        assert_eq!((now, evaluated_now), (alarms, evaluated));
        assert_eq!(tally.skips.total(), clean.skips.total() + bad.len() as u64, "{:?}", tally.skips);
        for detail in tally.skips.details() {
            let line = usize::try_from(detail.line).expect("a small number");
            assert!(bad.iter().any(|(_, bad)| lines[line - 1] == *bad), "line {line}: {detail:?}");
        }
    }
}
