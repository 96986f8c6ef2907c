//! The `evtx` crate reads back the written events, and the checksums are valid.

use evtx::{EvtxParser, ParserSettings};
use evtx_writer::{Data, Event, FileWriter, Guid, Sid, TooLarge, Value, Writer};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::io::{Cursor, Seek, SeekFrom, Write};

fn sample() -> Event<'static> {
    Event {
        provider: "Contoso-Windows-Courier",
        provider_guid: Some(guid("{00112233-4455-6677-8899-aabbccddeeff}")),
        event_id: 18,
        version: 2,
        level: 4,
        task: 18,
        opcode: 3,
        keywords: 0x8000_0000_0000_0000,
        time_ns: 1_700_000_000_123_456_700,
        record_id: 41_000,
        process_id: 812,
        thread_id: 4_016,
        channel: "Contoso-Windows-Courier/Operational",
        computer: "desk-4.example.org",
        user: Some("S-1-5-18".parse().unwrap()),
        ..Event::default()
    }
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn write<'a>(events: impl IntoIterator<Item = Event<'a>>) -> Vec<u8> {
    let mut log = Writer::new();
    events.into_iter().for_each(|event| log.push(&event).unwrap());
    log.finish()
}

fn parser(file: &[u8]) -> EvtxParser<Cursor<Vec<u8>>> {
    let settings = ParserSettings::new().validate_checksums(true).num_threads(1);
    EvtxParser::from_buffer(file.to_vec()).unwrap().with_configuration(settings)
}

fn read(file: &[u8]) -> Vec<Json> {
    parser(file).records_json_value().map(|record| record.unwrap().data["Event"].take()).collect()
}

fn read_one(event: Event<'_>) -> Json {
    let mut events = read(&write([event]));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// The one record as XML, without its line breaks and indentation.
fn xml_of(event: Event<'_>) -> String {
    let records: Vec<_> = parser(&write([event])).records().map(|record| record.unwrap().data).collect();
    assert_eq!(records.len(), 1);
    records[0].lines().map(str::trim).collect()
}

#[test]
fn every_field_of_system_is_read_back() {
    let event = Event {
        activity: Some(guid("01020304-0506-0708-090a-0b0c0d0e0f10")),
        related_activity: Some(guid("11020304-0506-0708-090a-0b0c0d0e0f10")),
        qualifiers: Some(0x8000),
        ..sample()
    };
    assert_eq!(
        read_one(event)["System"],
        json!({
            "Provider": {"#attributes": {
                "Name": "Contoso-Windows-Courier",
                "Guid": "{00112233-4455-6677-8899-aabbccddeeff}",
            }},
            "EventID": {"#attributes": {"Qualifiers": 32768}, "#text": 18},
            "Version": 2,
            "Level": 4,
            "Task": 18,
            "Opcode": 3,
            "Keywords": "0x8000000000000000",
            "TimeCreated": {"#attributes": {"SystemTime": "2023-11-14T22:13:20.1234567Z"}},
            "EventRecordID": 41000,
            "Correlation": {"#attributes": {
                "ActivityID": "{01020304-0506-0708-090a-0b0c0d0e0f10}",
                "RelatedActivityID": "{11020304-0506-0708-090a-0b0c0d0e0f10}",
            }},
            "Execution": {"#attributes": {"ProcessID": 812, "ThreadID": 4016}},
            "Channel": "Contoso-Windows-Courier/Operational",
            "Computer": "desk-4.example.org",
            "Security": {"#attributes": {"UserID": "S-1-5-18"}},
        })
    );
}

#[test]
fn unset_fields_of_an_event_are_left_out() {
    let event = Event { provider: "Courier", computer: "desk-4", ..Event::default() };
    let read = read_one(event);
    assert_eq!(read["System"]["Provider"], json!({"#attributes": {"Name": "Courier"}}));
    assert_eq!(read["System"]["EventID"], json!(0));
    assert_eq!(read["System"]["TimeCreated"]["#attributes"]["SystemTime"], "1970-01-01T00:00:00.0000000Z");
    for absent in ["Correlation", "Security"] {
        assert!(read["System"][absent].get("#attributes").is_none(), "{absent}");
    }
    assert!(read["System"].get("Channel").is_none());
    assert!(read.get("EventData").is_none() && read.get("UserData").is_none());
}

#[test]
fn every_type_of_value_is_read_back() {
    let sid: Sid = "S-1-5-21-1004336348-1177238915-682003330-512".parse().unwrap();
    let values = [
        (Value::text("über \\pipe\\日本 🦀 <&>\""), json!("über \\pipe\\日本 🦀 <&>\"")),
        (Value::text(""), json!("")),
        (Value::U8(255), json!(255)),
        (Value::U16(65535), json!(65535)),
        (Value::U32(u32::MAX), json!(u32::MAX)),
        (Value::U64(u64::MAX), json!(u64::MAX)),
        (Value::I32(-7), json!(-7)),
        (Value::I64(i64::MIN), json!(i64::MIN)),
        (Value::Hex32(0x1f), json!("0x1f")),
        (Value::Hex64(0x3e7), json!("0x3e7")),
        (Value::Bool(true), json!(true)),
        (Value::Bool(false), json!(false)),
        (Value::Guid(guid("00112233-4455-6677-8899-aabbccddeeff")), json!("{00112233-4455-6677-8899-aabbccddeeff}")),
        (Value::Sid(sid), json!("S-1-5-21-1004336348-1177238915-682003330-512")),
        (Value::FileTime(0), json!("1601-01-01T00:00:00.0000000Z")),
        (Value::time(1_700_000_000_000_001_999), json!("2023-11-14T22:13:20.0000019Z")),
        (Value::time(-1), json!("1969-12-31T23:59:59.9999999Z")),
        (Value::Binary(Cow::Borrowed(&[0, 1, 0xfe])), json!("0001FE")),
        (Value::Binary(Cow::Borrowed(&[])), json!("")),
        (Value::Null, json!("")),
    ];
    let name = |index: usize| format!("Field{index}");
    let fields = values.iter().enumerate().map(|(index, (value, _))| (name(index), value.clone()));
    let read = read_one(Event { data: Data::named(fields), ..sample() });
    for (index, (value, expected)) in values.iter().enumerate() {
        assert_eq!(&read["EventData"][name(index)], expected, "{value:?}");
    }
    assert_eq!(read["EventData"].as_object().unwrap().len(), values.len());
}

#[test]
fn fields_keep_their_order_and_repeat_their_names() {
    let fields = [("B", Value::U8(1)), ("A", Value::text("x")), ("B", Value::U8(2))];
    let xml = xml_of(Event { data: Data::named(fields), ..sample() });
    let data =
        r#"<EventData><Data Name="B">1</Data><Data Name="A">x</Data><Data Name="B">2</Data></EventData></Event>"#;
    assert!(xml.ends_with(data), "{xml}");
    assert!(xml.contains(r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>"#), "{xml}");
}

#[test]
fn a_classic_event_has_data_without_names() {
    let data = Data::Unnamed { texts: vec!["one".into(), "".into(), "drei".into()], binary: vec![7, 8].into() };
    let xml = xml_of(Event { data, ..sample() });
    assert!(
        xml.ends_with(
            "<EventData><Data>one</Data><Data></Data><Data>drei</Data><Binary>0708</Binary></EventData></Event>"
        ),
        "{xml}"
    );
    let xml = xml_of(Event { data: Data::unnamed(["only"]), ..sample() });
    assert!(xml.ends_with("<EventData><Data>only</Data></EventData></Event>"), "{xml}");
    let xml = xml_of(Event { data: Data::unnamed::<&str>([]), ..sample() });
    assert!(xml.ends_with("<EventData></EventData></Event>"), "{xml}");
}

#[test]
fn user_data_has_one_element_with_named_children() {
    let fields = vec![("PipeName".into(), Value::text(r"\chat")), ("Count".into(), Value::U32(3))];
    let data = Data::User { element: "Courier", namespace: "urn:courier", fields };
    let event = Event { data, ..sample() };
    let xml = xml_of(event.clone());
    assert!(
        xml.ends_with(
            r#"<UserData><Courier xmlns="urn:courier"><PipeName>\chat</PipeName><Count>3</Count></Courier></UserData></Event>"#
        ),
        "{xml}"
    );
    let read = read_one(event);
    assert_eq!(read["UserData"]["Courier"]["PipeName"], r"\chat");
    assert!(read.get("EventData").is_none());

    let bare = Data::User { element: "Courier", namespace: "", fields: vec![] };
    let xml = xml_of(Event { data: bare, ..sample() });
    assert!(xml.ends_with("<UserData><Courier/></UserData></Event>"), "{xml}");
}

/// Events with alternating fields, so that templates alternate within a chunk.
fn mixed(count: u64, padding: &str) -> Vec<Event<'_>> {
    let event = |index: u64| {
        let (event_id, computer, data) = match index % 5 {
            0 => (1, "desk-4", Data::named([("Image", Value::text(padding)), ("ProcessId", Value::U64(index))])),
            1 => (1, "desk-5", Data::named([("Image", Value::Null), ("ProcessId", Value::U64(index))])),
            2 => (2, "desk-4", Data::named([("ProcessId", Value::U32(index as u32)), ("Image", Value::text(padding))])),
            3 => (3, "desk-4", Data::unnamed([format!("n{index}")])),
            _ => {
                let fields = vec![("ProcessId".into(), Value::U64(index))];
                (4, "desk-4", Data::User { element: "Note", namespace: "urn:n", fields })
            }
        };
        let time_ns = sample().time_ns + index as i64 * 1_000_000;
        Event { event_id, computer, data, record_id: 500 + index, time_ns, ..sample() }
    };
    (0..count).map(event).collect()
}

#[test]
fn thousands_of_records_fill_many_chunks() {
    let events = mixed(5_000, "C:\\Program Files\\Courier\\courier.exe");
    let file = write(events.clone());
    let chunks = (file.len() - 4096) / 65536;
    assert_eq!(file.len(), 4096 + chunks * 65536);
    assert!(chunks > 10, "{chunks}");
    assert_eq!(u16::from_le_bytes([file[42], file[43]]) as usize, chunks);
    assert_eq!(file[24..32], 5_001_u64.to_le_bytes());

    let read = read(&file);
    assert_eq!(read.len(), events.len());
    for (index, (read, event)) in read.iter().zip(&events).enumerate() {
        assert_eq!(read["System"]["EventRecordID"], 500 + index);
        assert_eq!(read["System"]["EventID"], event.event_id);
        assert_eq!(read["System"]["Computer"], event.computer);
        let found = match index % 5 {
            3 => &read["EventData"]["Data"]["#text"],
            4 => &read["UserData"]["Note"]["ProcessId"],
            _ => &read["EventData"]["ProcessId"],
        };
        let expected = if index % 5 == 3 { json!(format!("n{index}")) } else { json!(index) };
        assert_eq!(found, &expected, "record {index}: {read}");
    }
}

#[test]
fn records_are_numbered_from_one_across_chunks() {
    let file = write(mixed(2_000, "x"));
    let numbers: Vec<u64> = parser(&file).records_json().map(|record| record.unwrap().event_record_id).collect();
    assert_eq!(numbers, (1..=2_000).collect::<Vec<_>>());
}

#[test]
fn a_template_is_defined_once_per_chunk() {
    let file = write(mixed(100, "x"));
    assert_eq!(file.len(), 4096 + 65536);
    // `EventData` on two computers, and `UserData` on one. The templates inside these are in the next test.
    let mut defined = 0;
    let mut instances = std::collections::BTreeSet::new();
    let mut parser = parser(&file);
    let mut chunk = parser.chunks().next().unwrap().unwrap();
    let settings = std::sync::Arc::new(ParserSettings::new().validate_checksums(true));
    for record in chunk.parse(settings).unwrap().iter() {
        for instance in record.unwrap().template_instances().unwrap() {
            defined += usize::from(instance.template_guid.is_some());
            instances.insert(instance.template_def_offset);
        }
    }
    assert_eq!((defined, instances.len()), (3, 3));
}

#[test]
fn every_name_and_template_is_in_its_chain() {
    let file = write(mixed(10, "x"));
    let chunk = &file[4096..];
    let u32_at = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().unwrap()) as usize;
    let follow = |heads: std::ops::Range<usize>| {
        let mut found = Vec::new();
        for head in heads.step_by(4) {
            let mut at = u32_at(head);
            while at != 0 {
                found.push(at);
                at = u32_at(at);
            }
        }
        found
    };
    let names: Vec<String> = follow(128..384)
        .into_iter()
        .map(|at| {
            let count = u16::from_le_bytes([chunk[at + 6], chunk[at + 7]]) as usize;
            let units = chunk[at + 8..at + 8 + 2 * count].chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            assert_eq!(chunk[at + 8 + 2 * count..][..2], [0, 0]);
            char::decode_utf16(units).map(Result::unwrap).collect()
        })
        .collect();
    for name in ["Event", "System", "Provider", "EventData", "UserData", "Data", "Note", "xmlns", "Qualifiers"] {
        assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name} in {names:?}");
    }
    // Three outer templates, one each for the data of event 2, 3 and 4, and two for event 1, which has a field with
    // and without a value.
    assert_eq!(follow(384..512).len(), 8);
}

#[test]
fn an_event_larger_than_a_chunk_is_rejected_with_its_record_id() {
    let large = "x".repeat(40_000);
    let mut log = Writer::new();
    log.push(&sample()).unwrap();
    let event = Event { record_id: 77, data: Data::named([("Text", Value::text(&*large))]), ..sample() };
    let refused = log.push(&event).unwrap_err();
    assert!(matches!(refused, TooLarge::Record { record_id: 77, bytes } if bytes > 80_000), "{refused:?}");
    assert!(refused.to_string().starts_with("record 77: needs 8"), "{refused}");
    log.push(&Event { event_id: 19, ..sample() }).unwrap();

    let file = log.finish();
    assert_eq!(file.len(), 4096 + 65536);
    let ids: Vec<Json> = read(&file).iter().map(|event| event["System"]["EventID"].clone()).collect();
    assert_eq!(ids, [json!(18), json!(19)]);
    assert_eq!(file, write([sample(), Event { event_id: 19, ..sample() }]), "the refused event left something");
}

#[test]
fn the_largest_event_fills_its_chunk() {
    let fits = |length: usize| {
        let text = "x".repeat(length);
        let mut log = Writer::new();
        log.push(&Event { data: Data::named([("Text", Value::text(&*text))]), ..sample() })?;
        assert_eq!(read(&log.finish())[0]["EventData"]["Text"], *text);
        Ok::<(), TooLarge>(())
    };
    let (mut fitting, mut refused) = (1_000, 65_536);
    while refused - fitting > 1 {
        let middle = (fitting + refused) / 2;
        if fits(middle).is_ok() { fitting = middle } else { refused = middle }
    }
    // What the templates take is about 2 KiB.
    assert!((30_500..32_512).contains(&fitting), "{fitting}");
    assert!(matches!(fits(refused), Err(TooLarge::Record { bytes: 65_025..=65_032, .. })));
}

#[test]
fn a_file_without_events_has_no_chunks() {
    let file = Writer::new().finish();
    assert_eq!(file.len(), 4096);
    assert_eq!(read(&file), Vec::<Json>::new());
}

#[test]
fn a_streamed_file_is_the_file_written_in_memory() {
    let events = mixed(1_500, "courier");
    let mut out = Cursor::new(Vec::new());
    out.write_all(b"before").unwrap();
    let mut log = FileWriter::new(out).unwrap();
    for event in &events {
        log.push(event).unwrap();
    }
    let large = "x".repeat(40_000);
    let refused = log.push(&Event { data: Data::unnamed([&*large]), ..sample() }).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    assert!(refused.get_ref().unwrap().is::<TooLarge>());

    let mut out = log.finish().unwrap();
    assert_eq!(out.stream_position().unwrap(), out.seek(SeekFrom::End(0)).unwrap());
    assert_eq!(out.into_inner()[6..], write(events));
}

#[test]
fn wrong_checksums_are_detected() {
    let file = write([sample()]);
    // In a record, and in the chunk's header.
    for at in [4096 + 600, 4096 + 48] {
        let mut broken = file.clone();
        broken[at] ^= 1;
        assert!(parser(&broken).records_json().any(|record| record.is_err()), "{at}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_back(texts in prop::collection::vec("[^\0]{0,40}", 1..6), name in "[A-Za-z]{1,12}") {
        let fields = texts.iter().enumerate().map(|(index, text)| (format!("{name}{index}"), Value::text(text.as_str())));
        let file = write([Event { data: Data::named(fields), computer: &name, ..sample() }]);
        let read = read(&file);
        prop_assert_eq!(&read[0]["System"]["Computer"], &name);
        for (index, text) in texts.iter().enumerate() {
            prop_assert_eq!(&read[0]["EventData"][format!("{name}{index}")], text);
        }
    }
}
