//! No input, in whatever encoding, causes a panic.

use backchannel_engine::{Correlator, Engine, Format, Learner, Raw};
use proptest::prelude::*;

fn format() -> impl Strategy<Value = Option<Format>> {
    prop::option::of(prop::sample::select(Format::ALL.to_vec()))
}

/// Random bytes that resemble logs, so that they get past the first check.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "\"",
        ":",
        ",",
        "\n",
        "\\",
        "\"Event\"",
        "\"System\"",
        "\"EventID\":1",
        "\"Provider\"",
        "\"EventData\"",
        "<Event>",
        "</Event>",
        "type=SYSCALL msg=audit(1.2:3): ",
        "a0=",
        "exe=\"/x\"",
        "#fields\tts\n",
        "<34>Oct 11 22:14:15 h p[1]: ",
        "1",
        "\u{e9}",
        "null",
    ]);
    let piece = prop_oneof![
        4 => word.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// One complete record of each kind.
const WHOLE: [&str; 9] = [
    r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"EventRecordID":7,"TimeCreated":{"#attributes":{"SystemTime":"2025-03-04T10:01:02.123Z"}},"Computer":"WS1.corp.example"},"EventData":{"UtcTime":"2025-03-04 10:01:02.123","ProcessGuid":"{11111111-0000-0000-0100-000000000002}","ProcessId":"1002","Image":"C:\\Windows\\System32\\mmc.exe","Hashes":"MD5=00,SHA256=11","User":"CORP\\alice","LogonId":"0x5f00d"}}}"##,
    r#"{"@timestamp":"2025-03-04T10:01:02.123Z","winlog":{"provider_name":"Microsoft-Windows-DistributedCOM","event_id":10028,"computer_name":"WS1","record_id":9,"event_data":{"param1":"10.0.0.9","param2":"1234","param3":"C:\\a.exe","param4":"{00000000-0000-0000-0000-000000000001}"}}}"#,
    r"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>5145</EventID><TimeCreated SystemTime='2025-03-04T10:01:02.123Z'/><EventRecordID>3</EventRecordID><Computer>WS1</Computer></System><EventData><Data Name='ShareName'>\\\\*\\IPC$</Data><Data Name='RelativeTargetName'>svcctl</Data><Data Name='AccessMask'>0x3</Data><Data Name='IpAddress'>10.0.0.9</Data></EventData></Event>",
    "type=SYSCALL msg=audit(1700000000.123:45): arch=c000003e syscall=42 success=yes exit=0 a0=3 a1=7ffd a2=6e items=1 ppid=1 pid=9 auid=1000 uid=1000 euid=0 tty=pts0 ses=2 comm=\"socat\" exe=\"/usr/bin/socat\"\ntype=SOCKADDR msg=audit(1700000000.123:45): saddr=01002F746D702F7300\ntype=PATH msg=audit(1700000000.123:45): item=0 name=\"/tmp/s\" mode=0140777 ouid=0 nametype=NORMAL",
    r#"{"ID":"1700000000.123:45","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","pid":9,"exe":"/bin/sh","comm":"sh"},"EXECVE":{"argc":2,"ARGV":["sh","-c"]}}"#,
    "<38>Mar  4 10:01:02 web1 sshd[123]: Accepted publickey for alice from 10.0.0.9 port 2222 ssh2",
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tnamed_pipe\tendpoint\toperation\n#path\tdce_rpc\n1700000000.123456\tC1\t10.0.0.9\t4444\t10.0.0.1\t445\t\\\\pipe\\\\svcctl\tsvcctl\tCreateServiceW",
    r#"{"ts":1700000000.5,"uid":"C1","id.orig_h":"10.0.0.9","id.orig_p":4444,"id.resp_h":"10.0.0.1","id.resp_p":135,"endpoint":"IRemUnknown2","operation":"RemQueryInterface","_path":"dce_rpc"}"#,
    r#"{"time":1700000000000000000,"host":"ws1","process":{"pid":4,"image":"C:\\x.exe"},"activity":{"channel_connect":{"mechanism":"named_pipe","name":"\\x"}}}"#,
];

proptest! {
    #[test]
    fn a_changed_record_is_read_or_reported(
        which in 0..WHOLE.len(),
        format in format(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6),
    ) {
        let mut data = WHOLE[which].as_bytes().to_vec();
        for (at, byte, kind) in changes {
            let at = at.index(data.len());
            match kind {
                0 => data[at] = byte,
                1 => data.insert(at, byte),
                _ => data.truncate(at + 1),
            }
        }
        let mut engine = Engine::open(None, None).expect("the default settings are valid");
        engine.records(Raw { input: "i", format, host: "h", first_line: 1, time: None, data: &data });
        engine.flush();
    }

    #[test]
    fn arbitrary_records_are_read_or_reported(batches in prop::collection::vec((format(), bytes(), any::<u64>()), 0..5)) {
        let mut engine = Engine::open(None, None).expect("the default settings are valid");
        for (format, data, first_line) in &batches {
            let output =
                engine.records(Raw { input: "i", format: *format, host: "h", first_line: *first_line, time: None, data });
            prop_assert!(output.skipped.len() as u64 <= output.skipped_count);
        }
        engine.flush();
    }

    #[test]
    fn arbitrary_bytes_are_rejected_as_batch_snapshot_or_baseline(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut engine = Engine::open(None, None).expect("the default settings are valid");
        prop_assert!(engine.packed(&bytes).is_err());
        prop_assert!(engine.restore(&bytes).is_err());
        prop_assert!(Engine::open(None, Some(&bytes)).is_err());
        prop_assert!(Learner::merge(&[&bytes]).is_err());
        prop_assert!(Correlator::open(None).expect("the default settings are valid").restore(&bytes).is_err());
    }

    #[test]
    fn arbitrary_text_is_an_error_or_settings(text in "\\PC{0,60}") {
        let _ = Engine::open(Some(&text), None);
        let document = [text];
        let mut correlator = Correlator::open(None).expect("the default settings are valid");
        prop_assert_eq!(correlator.observe(&document, &document, &document), 3);
    }
}

#[test]
fn a_complete_record_of_each_kind_is_read() {
    for (which, record) in WHOLE.iter().enumerate() {
        let mut engine = Engine::open(None, None).expect("the default settings are valid");
        let output = engine.records(Raw {
            input: "i",
            format: None,
            host: "h",
            first_line: 1,
            time: None,
            data: record.as_bytes(),
        });
        let flushed = engine.flush();
        assert_eq!(output.skipped_count, 0, "{which}: {output:?}");
        assert!(output.evaluated + flushed.evaluated + output.unused > 0, "{which}: {output:?}");
    }
}
