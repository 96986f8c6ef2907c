//! All shapes give the same record.

use super::*;
use crate::json::decode as decode_json;

fn windows<'a>(text: &'a str, arena: &'a Bump) -> WindowsRecord<'a> {
    match decode_json(text, arena, false, &|_, _| true) {
        Ok(Outcome::Record(Record::Windows(record))) => record,
        Ok(Outcome::Wrapped(wrapped)) => panic!("wrapped: {wrapped:?}"),
        Ok(_) => panic!("another record: {text}"),
        Err(error) => panic!("{error:?}: {text}"),
    }
}

/// The event of all shapes below.
fn check(text: &str) {
    let arena = Bump::new();
    let record = windows(text, &arena);
    assert_eq!(record.provider, "Microsoft-Windows-Sysmon", "{text}");
    assert_eq!(record.event_id, 18, "{text}");
    assert_eq!(record.channel, "Microsoft-Windows-Sysmon/Operational", "{text}");
    assert_eq!(record.computer, "ws01.example.test", "{text}");
    assert_eq!(record.record_id, "42", "{text}");
    assert_eq!(record.time.unwrap().to_string(), "2023-04-05T06:07:08.900Z", "{text}");
    assert_eq!(record.field("PipeName"), Some("\\svc\u{e4}"), "{text}");
    assert_eq!(record.field("ProcessId"), Some("77"), "{text}");
    assert_eq!(record.field("Image"), Some(r"C:\Windows\a.exe"), "{text}");
    assert_eq!(record.field("Nothing"), None, "{text}");
}

#[test]
fn the_crates_own_shape() {
    check(
        r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"{1}"}},"EventID":18,"TimeCreated":{"#attributes":{"SystemTime":"2023-04-05T06:07:08.900Z"}},"EventRecordID":42,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test","Security":{"#attributes":{"UserID":"S-1-5-18"}}},"EventData":{"PipeName":"\\svc\u00e4","ProcessId":77,"Image":"C:\\Windows\\a.exe"}}}"##,
    );
    check(
        r##"{"Event":{"System":{"Provider_attributes":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"#text":18,"#attributes":{"Qualifiers":0}},"TimeCreated_attributes":{"SystemTime":"2023-04-05T06:07:08.900Z"},"EventRecordID":42,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test"},"EventData":{"PipeName":"\\svcä","ProcessId":77,"Image":"C:\\Windows\\a.exe"}},"Event_attributes":{"xmlns":"x"}}"##,
    );
}

#[test]
fn converters_from_xml() {
    check(
        r##"{"Event":{"@xmlns":"x","System":{"Provider":{"@Name":"Microsoft-Windows-Sysmon"},"EventID":"18","TimeCreated":{"@SystemTime":"2023-04-05T06:07:08.900Z"},"EventRecordID":"42","Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test"},"EventData":{"Data":[{"@Name":"PipeName","#text":"\\svcä"},{"@Name":"ProcessId","#text":"77"},{"@Name":"Image","#text":"C:\\Windows\\a.exe"},{"@Name":"Empty"}]}}}"##,
    );
}

#[test]
fn velociraptor() {
    check(
        r#"{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"Value":18},"TimeCreated":{"SystemTime":1680674828.900},"EventRecordID":42,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test"},"EventData":{"PipeName":"\\svcä","ProcessId":77,"Image":"C:\\Windows\\a.exe"},"Message":"m"}"#,
    );
}

#[test]
fn winlogbeat_new_and_old_nested_and_flattened() {
    check(
        r#"{"@timestamp":"2023-04-05T06:07:08.900Z","event":{"code":"18","provider":"Microsoft-Windows-Sysmon"},"process":{"pid":1},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":"18","record_id":42,"computer_name":"ws01.example.test","user":{"identifier":"S-1-5-18"},"event_data":{"PipeName":"\\svcä","ProcessId":"77","Image":"C:\\Windows\\a.exe"}},"message":"m","ProcessId":"9"}"#,
    );
    check(
        r#"{"@timestamp":"2023-04-05T06:07:08.900Z","winlog.channel":"Microsoft-Windows-Sysmon/Operational","winlog.provider_name":"Microsoft-Windows-Sysmon","winlog.event_id":18,"winlog.record_id":"42","winlog.computer_name":"ws01.example.test","winlog.event_data.PipeName":"\\svcä","winlog.event_data.ProcessId":"77","winlog.event_data.Image":"C:\\Windows\\a.exe"}"#,
    );
    check(
        r#"{"@timestamp":"2023-04-05T06:07:08.900Z","log_name":"Microsoft-Windows-Sysmon/Operational","source_name":"Microsoft-Windows-Sysmon","event_id":18,"record_number":"42","computer_name":"ws01.example.test","host":{"name":"collector"},"event_data":{"PipeName":"\\svcä","ProcessId":"77","Image":"C:\\Windows\\a.exe"},"message":"m"}"#,
    );
}

#[test]
fn everything_at_the_top() {
    check(
        r#"{"PipeName":"\\svcä","ProcessId":"77","Image":"C:\\Windows\\a.exe","EventID":18,"SourceName":"Microsoft-Windows-Sysmon","ProviderGuid":"{1}","Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"ws01.example.test","host":"collector","RecordNumber":42,"TimeCreated":"2023-04-05T06:07:08.900Z","@timestamp":"2023-04-05T06:07:08.900Z","Message":"Pipe Connected:\r\n"}"#,
    );
    // The provider may be missing if the channel determines it.
    check(
        r#"{"PipeName":"\\svcä","ProcessId":"77","Image":"C:\\Windows\\a.exe","EventID":"18","Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test","EventRecordID":42,"TimeCreated":"\/Date(1680674828900)\/"}"#,
    );
}

#[test]
fn a_workspaces_event_table() {
    check(
        r#"{"TimeGenerated":"4/5/2023, 6:07:08.900 AM","Source":"Microsoft-Windows-Sysmon","EventLog":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test","EventID":18,"EventRecordId":"42","EventData":"<DataItem type=\"x\"><EventData xmlns=\"y\"><Data Name=\"PipeName\">\\svcä</Data><Data Name=\"ProcessId\">77</Data><Data Name=\"Image\">C:\\Windows\\a.exe</Data></EventData></DataItem>","RenderedDescription":"m"}"#,
    );
}

#[test]
fn a_local_time_is_converted_by_its_time_of_receipt() {
    let arena = Bump::new();
    let record = windows(
        r#"{"EventTime":"2023-04-05 02:07:08","@timestamp":"2023-04-05T06:08:31.100Z","EventID":1,"SourceName":"A"}"#,
        &arena,
    );
    assert_eq!(record.time.unwrap().to_string(), "2023-04-05T06:07:08.000Z");
}

#[test]
fn values_without_names_keep_their_positions() {
    let arena = Bump::new();
    let expected = Fields::Positional(&["a", "", "3"]);
    for text in [
        r#"{"ProviderName":"A","EventID":1,"Channel":"C","StringInserts":["a","",3],"Message":"m"}"#,
        r#"{"ProviderName":"A","Id":1,"LogName":"C","Properties":[{"Value":"a"},{"Value":null},{"Value":3}]}"#,
        r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"A"}},"EventID":1},"EventData":{"Data":{"#text":["a","",3]},"Binary":"00"}}}"##,
        r#"{"Event":{"System":{"Provider":{"Name":"A"},"EventID":1},"EventData":{"Data":["a",null,3]}}}"#,
    ] {
        assert_eq!(windows(text, &arena).fields, expected, "{text}");
    }
}

#[test]
fn numbered_parameters_are_put_in_their_order() {
    let arena = Bump::new();
    let record = windows(
        r#"{"winlog":{"event_id":1,"provider_name":"A","event_data":{"param1":"a","param10":"j","param2":"b"}}}"#,
        &arena,
    );
    assert_eq!(record.fields, Fields::Named(&[("param1", "a"), ("param2", "b"), ("param10", "j")]));
}

#[test]
fn user_data_is_flattened_to_its_leaves() {
    let arena = Bump::new();
    let expected = Fields::Named(&[("SubjectUserName", "ann"), ("Leaf", "1")]);
    for text in [
        r##"{"Event":{"System":{"Provider":{"Name":"A"},"EventID":1},"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"x"},"SubjectUserName":"ann","Sub":{"Leaf":1}}}}}"##,
        r#"{"winlog":{"event_id":1,"provider_name":"A","user_data":{"xml_name":"LogFileCleared","SubjectUserName":"ann","Leaf":"1"}}}"#,
    ] {
        assert_eq!(windows(text, &arena).fields, expected, "{text}");
    }
}

#[test]
fn the_message_is_a_field_if_there_is_no_other_data() {
    let arena = Bump::new();
    let record = windows(r#"{"EventID":1033,"SourceName":"MsiInstaller","Message":"a\tb"}"#, &arena);
    assert_eq!(record.field("Message"), Some("a\tb"));
}

#[test]
fn records_without_id_or_provider_are_errors() {
    let arena = Bump::new();
    for (text, expected) in [
        (r#"{"Event":{"System":{"Provider":{"Name":"A"}}}}"#, Reason::NoEventId),
        (r#"{"winlog":{"event_id":"x","provider_name":"A"}}"#, Reason::NoEventId),
        (r#"{"Event":{"System":{"EventID":1}}}"#, Reason::NoProvider),
        (r#"{"EventID":1}"#, Reason::UnknownShape),
        (r#"{"a":1}"#, Reason::UnknownShape),
    ] {
        match decode_json(text, &arena, false, &|_, _| true) {
            Err((_, reason)) => assert_eq!(reason, expected, "{text}"),
            Ok(_) => panic!("{text}"),
        }
    }
}

#[test]
fn an_unwanted_event_is_rejected_in_every_shape() {
    let arena = Bump::new();
    for text in [
        r#"{"EventID":7,"SourceName":"A","Mess"#,
        r#"{"Event":{"System":{"Provider":{"Name":"A"},"EventID":7,"#,
        r#"{"winlog":{"provider_name":"A","event_id":"7""#,
        r#"{"ProviderName":"A","EventID":7,"StringInserts":[]}"#,
    ] {
        match decode_json(text, &arena, false, &|_, _| false) {
            Ok(Outcome::NotWanted { provider: "A", event_id: 7 }) => {}
            _ => panic!("{text}"),
        }
    }
}

/// An event as Fluent Bit's `winevtlog` writes it, in its order of members.
fn winevtlog(data: &str) -> String {
    format!(
        r#"{{"ProviderName":"Microsoft-Windows-Sysmon","ProviderGuid":"{{1}}","Qualifiers":"","EventID":18,"Version":1,"Level":4,"Task":18,"Opcode":0,"Keywords":"0x8000000000000000","TimeCreated":"2023-04-05 08:07:08.900 +0200","EventRecordID":42,"ActivityID":"","RelatedActivityID":"","ProcessID":1,"ThreadID":2,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws01.example.test","UserID":"NT AUTHORITY\\SYSTEM","Message":"m",{data}}}"#
    )
}

#[test]
fn fluent_bit_with_names_and_with_both() {
    let named = r#""EventData":{"PipeName":"\\svcä","ProcessId":77,"Image":"C:\\Windows\\a.exe"}"#;
    check(&winevtlog(named));
    check(&winevtlog(&format!(r#"{named},"StringInserts":["-","x",1]"#)));
    let arena = Bump::new();
    let text = winevtlog(r#""StringInserts":["-","x",1]"#);
    assert_eq!(windows(&text, &arena).fields, Fields::Positional(&["-", "x", "1"]));
}

#[test]
fn unwanted_fluent_bit_records_are_rejected_before_the_rest_is_read() {
    let arena = Bump::new();
    let mut asked = Vec::new();
    for text in [
        r#"{"ProviderName":"A","ProviderGuid":"{1}","Qualifiers":"","EventID":7,"Vers"#,
        r#"{"System":"<Event xmlns='x'><System><Provider Name='A' Guid='{1}'/><EventID>7</EventID>","Mess"#,
        r#"{"System":"<Event xmlns='x'><System><Provider Name='A'/><EventID Qualifiers='0'>7</EventID>","Mess"#,
    ] {
        match decode_json(text, &arena, false, &|_, _| false) {
            Ok(Outcome::NotWanted { provider: "A", event_id: 7 }) => asked.push(text),
            _ => panic!("{text}"),
        }
    }
    // A field with this name has no effect.
    let text = r#"{"ProviderName":"field","EventID":7,"SourceName":"A"}"#;
    let record = windows(text, &arena);
    assert_eq!((record.provider, record.event_id), ("A", 7));
}
