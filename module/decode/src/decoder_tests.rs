//! Tests from bytes to records, through detection, framing and decoding.

use super::*;
use crate::{Container, Detected, Encoding, Framed, Framer, Framing, detect};
use proptest::prelude::*;

/// Summarises the records of an input: kind and identity of each record, or the reason of a skip.
fn read(bytes: &[u8]) -> Vec<String> {
    let Detected::Text(found) = detect(bytes) else { return vec![format!("{:?}", detect(bytes))] };
    let mut framer = Framer::new(found);
    let mut decoder = Decoder::new(found.format, Options::default());
    let arena = Bump::new();
    let mut out = vec![found.format.as_str().to_owned()];
    let mut take = |item: Framed<'_>| match item {
        Framed::Frame(frame) => match decoder.decode(&frame, &arena, &|_, id| id != 99) {
            Ok(Decoded::Record(record)) => out.push(word(&record)),
            Ok(Decoded::NotWanted { provider, event_id }) => out.push(format!("not {provider} {event_id}")),
            Ok(Decoded::Nothing) => {}
            Err(skip) => out.push(format!("{}:{}", skip.line, skip.reason.code())),
        },
        Framed::Skip(skip) => out.push(format!("{}:{}", skip.line, skip.reason.code())),
    };
    let mut rest = bytes;
    while let Some(item) = framer.next(&mut rest) {
        take(item);
    }
    while let Some(item) = framer.finish() {
        take(item);
    }
    out
}

fn word(record: &Record<'_>) -> String {
    match record {
        Record::Windows(record) => format!("windows {} {}", record.provider, record.event_id),
        Record::Audit(line) => format!("audit {}", line.text),
        Record::Laurel(text) => format!("laurel {text}"),
        Record::Syslog(line) => format!("syslog {} {} {}", line.host, line.program, line.message),
        Record::Zeek(record) => format!("zeek {} {}", record.log, record.field("id.orig_h").unwrap_or_default()),
        Record::Event(event) => format!("event {}", event.host),
        other => format!("{other:?}").chars().take_while(|letter| letter.is_alphanumeric()).collect(),
    }
}

fn check(input: &str, expected: &[&str]) {
    assert_eq!(read(input.as_bytes()), expected, "{input}");
}

#[test]
fn audit_lines_are_passed_on_unchanged() {
    check(
        "node=app01 type=CWD msg=audit(1.1:1): cwd=\"/\"\n----\ntype=EOE msg=audit(1.1:1):\nnonsense\n",
        &[
            "auditd",
            "audit node=app01 type=CWD msg=audit(1.1:1): cwd=\"/\"",
            "audit type=EOE msg=audit(1.1:1):",
            "4:not-audit",
        ],
    );
}

#[test]
fn a_shipper_may_wrap_a_line() {
    let audit = "audit node=app01 type=CWD msg=audit(1.1:1): cwd=\"/\"";
    check(r#"{"log":"node=app01 type=CWD msg=audit(1.1:1): cwd=\"/\""}"#, &["json", audit]);
    check(
        r#"{"message":"type=CWD msg=audit(1.1:1): cwd=\"/\"","host":{"name":"app01"},"log":{"file":{"path":"/x"}}}"#,
        &["json", audit],
    );
    check("<13>Nov  3 07:48:02 app01 audispd: type=CWD msg=audit(1.1:1): cwd=\"/\"\n", &["syslog", audit]);
    check(
        r#"{"@timestamp":"2024-05-01T00:00:00Z","message":"Nov  3 07:48:02 app01 dbus-daemon[7]: hello","host":"x"}"#,
        &["json", "syslog app01 dbus-daemon hello"],
    );
    check(r#"{"_index":"i","_source":{"EventID":5,"SourceName":"A"}}"#, &["json", "windows A 5"]);
    check(
        r#"{"preview":false,"result":{"_raw":"<Event><System><Provider Name='A'/><EventID>5</EventID></System></Event>"}}"#,
        &["json", "windows A 5"],
    );
    check(r#"{"event":{"original":"{\"EventID\":5,\"SourceName\":\"A\"}","code":1}}"#, &["json", "windows A 5"]);
    check(
        "<14>1 2024-05-01T00:00:00Z ws01 nxlog 1 - - {\"EventID\":5,\"SourceName\":\"A\"}\n",
        &["syslog", "windows A 5"],
    );
    check(
        r#"{"System":"<Event><System><Provider Name='A'/><EventID>5</EventID></System></Event>","Message":"m","StringInserts":["a"]}"#,
        &["json", "windows A 5"],
    );
}

#[test]
fn an_incomplete_first_line_affects_no_other() {
    let whole = "{\"EventID\":5,\"SourceName\":\"A\"}\n";
    for torn in [
        "{\"EventID\": 4, \"SourceName\"",
        "{\"EventID\": oops",
        "{\"a\":{\"b\":[1,",
        "[1, 2",
        "}{",
        "{nonsense",
        "\"}",
    ] {
        let found = read(format!("{torn}\n{whole}{whole}").as_bytes());
        assert_eq!(found[0], "windows-json", "{torn}: {found:?}");
        assert_eq!(found.len(), 4, "{torn}: {found:?}");
        assert!(found[1].starts_with("1:"), "{torn}: {found:?}");
        assert_eq!(found[2..], ["windows A 5", "windows A 5"], "{torn}: {found:?}");
    }
    let closed = format!("{{\"a\": {{\"b\"\n{whole}}}}}\n{whole}");
    assert_eq!(read(closed.as_bytes()), ["windows-json", "1:not-json", "windows A 5", "3:not-json", "windows A 5"]);
    // An object on several lines is not such an input.
    check("{\n\"EventID\":5,\n\"x\":[\n{}\n],\n\"SourceName\":\"A\"}\n", &["windows-json", "windows A 5"]);
}

#[test]
fn syslog_in_pieces_is_syslog() {
    check(
        r#"{"MESSAGE":"hello","SYSLOG_IDENTIFIER":"su","_HOSTNAME":"app01","__REALTIME_TIMESTAMP":"1700000000000000"}"#,
        &["json", "syslog app01 su hello"],
    );
    check(
        r#"{"MESSAGE":[104,105],"_COMM":"su","_HOSTNAME":"app01","__REALTIME_TIMESTAMP":"1"}"#,
        &["json", "syslog app01 su hi"],
    );
    check(
        r#"{"time":"2024-05-01T00:00:00Z","host":"app01","ident":"su","pid":"1","message":"hello"}"#,
        &["json", "syslog app01 su hello"],
    );
}

#[test]
fn each_json_format_is_recognised_by_its_members() {
    let laurel = r#"{"ID":"1700000000.1:2","NODE":"app01","SYSCALL":{"syscall":59}}"#;
    check(laurel, &["laurel", &format!("laurel {laurel}")]);
    check(
        r#"{"event_type":9,"process":{"executable":{"path":"/bin/ls"}},"event":{"exec":{}},"time":"2024-05-01T00:00:00Z"}"#,
        &["endpoint-security", "EndpointSecurity"],
    );
    for text in [
        r#"{"ts":1.5,"uid":"C1","id.orig_h":"192.0.2.7","endpoint":"svcctl","operation":"x"}"#,
        r#"{"@stream":"dce_rpc","ts":1.5,"uid":"C1","id_orig_h":"192.0.2.7"}"#,
        r#"{"_path":"dce_rpc","ts":"2024-05-01T00:00:00Z","id":{"orig_h":"192.0.2.7"},"rtt":null}"#,
    ] {
        check(text, &["zeek-json", "zeek dce_rpc 192.0.2.7"]);
    }
    check(r#"{"time":5,"host":"ws01","activity":"process_start"}"#, &["events", "event ws01"]);
    check(r#"{"time":5,"activity":"nothing"}"#, &["events", "1:unknown-shape"]);
}

#[test]
fn a_stream_may_mix_formats() {
    check(
        "{\"EventID\":5,\"SourceName\":\"A\"}\n{\"ts\":1,\"uid\":\"C\",\"_path\":\"conn\"}\n{\"EventID\":99,\"SourceName\":\"A\"}\n{\"x\":\n",
        &["windows-json", "windows A 5", "zeek conn ", "not A 99", "4:not-json"],
    );
}

#[test]
fn an_array_over_lines_is_read() {
    check(
        "[\n{\n \"EventID\": 5,\n \"SourceName\": \"A\"\n},\n{\"EventID\":6,\"SourceName\":\"A\"}\n]\n",
        &["windows-json", "windows A 5", "windows A 6"],
    );
}

#[test]
fn a_zeek_log_is_read_through_a_shipper_that_wraps_its_lines() {
    let lines = [
        r##"{"log":"#separator \\x09"}"##,
        r##"{"log":"#path\tdce_rpc"}"##,
        r##"{"log":"#fields\tts\tuid\tid.orig_h"}"##,
        r##"{"log":"1.5\tC1\t192.0.2.1"}"##,
        r##"{"log":"1.5\tC1"}"##,
        r##"{"log":"#close\t2026-01-01-00-00-00"}"##,
    ];
    assert_eq!(read(lines.join("\n").as_bytes())[1..], ["zeek dce_rpc 192.0.2.1", "5:zeek-columns"]);
}

#[test]
fn zeek_headers_describe_their_lines() {
    check(
        "#separator \\x09\n#path\tdce_rpc\n#fields\tts\tid.orig_h\n1.5\t192.0.2.7\n1.5\n#close\t2024\n",
        &["zeek-tsv", "zeek dce_rpc 192.0.2.7", "5:zeek-columns"],
    );
}

#[test]
fn a_skip_names_line_and_column() {
    let mut decoder = Decoder::new(Format::Json, Options::default());
    let arena = Bump::new();
    let frame = Frame { line: 7, bytes: b"  {\"a\" 1}" };
    let skip = decoder.decode(&frame, &arena, &|_, _| true).unwrap_err();
    assert_eq!(skip.to_string(), "line 7, column 8: not JSON: expected ':' after a key");
}

#[test]
fn broken_utf_8_is_read_and_counted() {
    let mut decoder = Decoder::new(Format::Syslog, Options::default());
    let arena = Bump::new();
    let frame = Frame { line: 1, bytes: b"Nov  3 07:48:02 app01 su: a\xFFb" };
    let Ok(Decoded::Record(Record::Syslog(line))) = decoder.decode(&frame, &arena, &|_, _| true) else { panic!() };
    assert_eq!((line.message, decoder.lossy()), ("a\u{fffd}b", 1));
}

#[test]
fn inputs_are_recognised_by_their_first_bytes() {
    for (bytes, expected) in [
        (&b"\x1F\x8B\x08\0"[..], Detected::Container(Container::Gzip)),
        (b"\x28\xB5\x2F\xFD", Detected::Container(Container::Zstd)),
        (b"PK\x03\x04....", Detected::Container(Container::Zip)),
        (b"ElfFile\0....", Detected::Evtx),
        (b" \r\n", Detected::Empty),
        (b"", Detected::Empty),
        (b"hello", Detected::Unknown),
        (b"{oops", Detected::Unknown),
        (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", Detected::Unknown),
    ] {
        assert_eq!(detect(bytes), expected, "{bytes:?}");
    }
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert_eq!(detect(&tar), Detected::Container(Container::Tar));
}

#[test]
fn utf_16_is_recognised_with_and_without_its_mark() {
    for (mark, encoding) in [(true, Encoding::Utf16Le), (false, Encoding::Utf16Le), (true, Encoding::Utf16Be)] {
        let text = format!("{}<Events><Event></Event></Events>", if mark { "\u{feff}" } else { "" });
        let bytes: Vec<u8> = text
            .encode_utf16()
            .flat_map(|unit| if encoding == Encoding::Utf16Be { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect();
        let Detected::Text(found) = detect(&bytes) else { panic!() };
        assert_eq!((found.format, found.framing, found.encoding), (Format::WindowsXml, Framing::Xml, encoding));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
        let arena = Bump::new();
        for format in Format::ALL {
            let mut decoder = Decoder::new(format, Options::default());
            let _ = decoder.decode(&Frame { line: 1, bytes: &bytes }, &arena, &|_, _| true);
        }
    }

    #[test]
    fn text_like_a_record_does_not_panic(
        text in "(\\{|\\}|\\[|\\]|\"|,|:|[0-9]|\\\\|\n| |<Event>|</Event>|<Data Name='|'>|&|\"EventID\"|\"Event\"|\"System\"|\"SourceName\"|\"winlog\"|\"message\"|\"EventData\"|\"ts\"|\"uid\"|\"time\"|\"activity\"|type=A msg=audit\\(|Nov  3 07:48:02 |<13>1 |#fields\t|ä){0,40}",
    ) {
        read(text.as_bytes());
        let arena = Bump::new();
        for format in Format::ALL {
            let mut decoder = Decoder::new(format, Options::default());
            let _ = decoder.decode(&Frame { line: 1, bytes: text.as_bytes() }, &arena, &|_, _| true);
        }
    }
}
