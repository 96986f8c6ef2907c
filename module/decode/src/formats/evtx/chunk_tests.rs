//! Tests with generated chunks and damaged chunks and, if `BACKCHANNEL_CORPUS` names a folder, real logs compared with
//! the output of the `evtx` crate.

use super::*;
use proptest::prelude::*;

/// Builds a chunk.
struct Builder {
    bytes: Vec<u8>,
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Builder {
    fn new() -> Self {
        let mut bytes = vec![0; FIRST_RECORD];
        bytes[..8].copy_from_slice(b"ElfChnk\0");
        bytes[40..44].copy_from_slice(&128u32.to_le_bytes());
        Self { bytes }
    }

    /// Appends a record whose contents are written by `fill`; positions in it are those of the chunk.
    fn record(&mut self, id: u64, fill: impl FnOnce(&mut Xml<'_>)) -> &mut Self {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(RECORD_MAGIC);
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&id.to_le_bytes());
        self.bytes.extend_from_slice(&133_000_000_000_000_000u64.to_le_bytes());
        fill(&mut Xml { bytes: &mut self.bytes, definition: true });
        let size = (self.bytes.len() + 4 - at) as u32;
        self.bytes[at + 4..at + 8].copy_from_slice(&size.to_le_bytes());
        self.bytes.extend_from_slice(&size.to_le_bytes());
        self
    }

    fn finish(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let end = bytes.len() as u32;
        bytes[48..52].copy_from_slice(&end.to_le_bytes());
        let records = crc32fast::hash(&bytes[FIRST_RECORD..]);
        bytes[52..56].copy_from_slice(&records.to_le_bytes());
        bytes.resize(CHUNK_SIZE, 0);
        let mut header = crc32fast::Hasher::new();
        header.update(&bytes[..120]);
        header.update(&bytes[128..512]);
        bytes[124..128].copy_from_slice(&header.finalize().to_le_bytes());
        bytes
    }
}

/// Writes binary XML.
struct Xml<'b> {
    bytes: &'b mut Vec<u8>,
    definition: bool,
}

impl Xml<'_> {
    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A name, always inline.
    fn name(&mut self, name: &str) -> &mut Self {
        let here = self.bytes.len() as u32 + 4;
        self.put(&here.to_le_bytes()).put(&[0; 6]).put(&(name.encode_utf16().count() as u16).to_le_bytes());
        let text = wide(name);
        self.put(&text).put(&[0; 2])
    }

    fn open(&mut self, name: &str, attributes: bool) -> &mut Self {
        self.put(&[if attributes { 0x41 } else { 0x01 }]);
        if self.definition {
            self.put(&[0xFF; 2]);
        }
        self.put(&[0; 4]).name(name);
        if attributes { self.put(&[0; 4]) } else { self }
    }

    fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.put(&[0x06]).name(name).literal(value)
    }

    fn literal(&mut self, text: &str) -> &mut Self {
        let raw = wide(text);
        self.put(&[0x05, 0x01]).put(&((raw.len() / 2) as u16).to_le_bytes()).put(&raw)
    }

    fn slot(&mut self, index: u16, kind: u8) -> &mut Self {
        self.put(&[0x0D]).put(&index.to_le_bytes()).put(&[kind])
    }

    fn head_end(&mut self) -> &mut Self {
        self.put(&[0x02])
    }

    fn close(&mut self) -> &mut Self {
        self.put(&[0x04])
    }

    /// An element that contains only a slot.
    fn leaf(&mut self, name: &str, index: u16, kind: u8) -> &mut Self {
        self.open(name, false).head_end().slot(index, kind).close()
    }

    /// A template with its definition, and the values for it.
    fn template(&mut self, guid: u8, fill: impl FnOnce(&mut Xml<'_>), values: &[(u8, Vec<u8>)]) -> u32 {
        self.put(&[0x0F, 1, 1, 0, 0x0C, 1]).put(&[guid; 4]);
        let definition = self.bytes.len() as u32 + 4;
        self.put(&definition.to_le_bytes()).put(&[0; 4]).put(&[guid; 16]);
        let size_at = self.bytes.len();
        self.put(&[0; 4]).put(&[0x0F, 1, 1, 0]);
        fill(self);
        self.put(&[0x00]);
        let size = (self.bytes.len() - size_at - 4) as u32;
        self.bytes[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
        self.values(values);
        definition
    }

    /// A template that is defined elsewhere, and the values for it.
    fn again(&mut self, guid: u8, definition: u32, values: &[(u8, Vec<u8>)]) {
        self.put(&[0x0F, 1, 1, 0, 0x0C, 1]).put(&[guid; 4]).put(&definition.to_le_bytes());
        self.values(values);
    }

    fn values(&mut self, values: &[(u8, Vec<u8>)]) {
        self.put(&(values.len() as u32).to_le_bytes());
        for (kind, value) in values {
            self.put(&(value.len() as u16).to_le_bytes()).put(&[*kind, 0]);
        }
        for (_, value) in values {
            self.put(value);
        }
    }
}

/// An event with slots for id (0), computer (1), and data (2).
fn event(xml: &mut Xml<'_>) {
    xml.open("Event", false).head_end();
    xml.open("System", false).head_end();
    xml.open("Provider", true).attribute("Name", "Test-Provider").put(&[0x03]);
    xml.leaf("EventID", 0, kind::UINT16).leaf("Computer", 1, kind::STRING);
    xml.open("Channel", false).head_end().literal("Test/Operational").close();
    xml.close().slot(2, kind::BIN_XML).close();
}

fn data(xml: &mut Xml<'_>) {
    xml.open("EventData", false).head_end();
    for (index, name) in ["Image", "ProcessId", "Guid"].iter().enumerate() {
        xml.open("Data", true).attribute("Name", name).head_end().slot(index as u16, kind::STRING).close();
    }
    xml.close();
}

fn values(id: u16, nested: Vec<u8>) -> Vec<(u8, Vec<u8>)> {
    vec![(kind::UINT16, id.to_le_bytes().to_vec()), (kind::STRING, wide("ws01.example.test")), (kind::BIN_XML, nested)]
}

fn data_values(image: &str) -> Vec<(u8, Vec<u8>)> {
    vec![(kind::STRING, wide(image)), (kind::UINT32, 77u32.to_le_bytes().to_vec()), (kind::GUID, vec![0x11; 16])]
}

/// Three records of the same template, in which the data is nested.
fn chunk() -> Vec<u8> {
    let mut builder = Builder::new();
    let mut outer = 0;
    let mut inner = 0;
    builder.record(41, |xml| {
        // Nested XML is written in place: after the definition and the first two values.
        let mut probe = Vec::new();
        std::mem::swap(&mut probe, xml.bytes);
        let build = |nested: Vec<u8>| {
            let mut bytes = probe.clone();
            let mut xml = Xml { bytes: &mut bytes, definition: true };
            let definition = xml.template(1, event, &values(1, nested));
            (bytes, definition)
        };
        let empty = build(Vec::new()).0.len();
        let mut at_place = vec![0; empty];
        let definition = Xml { bytes: &mut at_place, definition: true }.template(2, data, &data_values("C:\\a.exe"));
        let nested = at_place.split_off(empty);
        let (bytes, outer_definition) = build(nested);
        *xml.bytes = bytes;
        outer = outer_definition;
        inner = definition;
    });
    for (id, event_id, image) in [(42, 99, "b"), (43, 1, "c\u{e4}")] {
        builder.record(id, |xml| {
            let mut nested = Vec::new();
            Xml { bytes: &mut nested, definition: true }.again(2, inner, &data_values(image));
            xml.again(1, outer, &values(event_id, nested));
        });
    }
    builder.finish()
}

/// Lists the items of a chunk, one per line.
fn read(reader: &mut ChunkReader, bytes: &[u8]) -> Vec<String> {
    let arena = Bump::new();
    let mut out = Vec::new();
    reader.read(3, bytes, &arena, &|provider, id| !(provider == "Test-Provider" && id == 99), &mut |item| {
        out.push(match item {
            Item::Record(record) => format!(
                "{} {} {} {} {} {:?}",
                record.provider, record.event_id, record.record_id, record.channel, record.computer, record.fields
            ),
            Item::NotWanted { provider, event_id, record_id } => format!("not {provider} {event_id} {record_id}"),
            Item::Skip(skip) => format!("skip {skip}"),
            Item::Note(skip) => format!("note {skip}"),
        });
    });
    out
}

fn line(id: u64, image: &str) -> String {
    format!(
        "Test-Provider 1 {id} Test/Operational ws01.example.test Named([(\"Image\", {image:?}), (\"ProcessId\", \"77\"), \
         (\"Guid\", \"{{11111111-1111-1111-1111-111111111111}}\")])"
    )
}

#[test]
fn records_are_read_through_their_templates() {
    let mut reader = ChunkReader::new();
    let expected = [line(41, "C:\\a.exe"), "not Test-Provider 99 42".into(), line(43, "c\u{e4}")];
    assert_eq!(read(&mut reader, &chunk()), expected);
    // Templates of one chunk are reused for the next.
    assert_eq!(read(&mut reader, &chunk()), expected);
    assert_eq!(reader.templates.len(), 2);
}

#[test]
fn the_first_time_needs_the_first_record_only() {
    let good = chunk();
    let second = next_record(&good, FIRST_RECORD + 4, good.len()).unwrap();
    let mut first = None;
    ChunkReader::new().read(0, &good, &Bump::new(), &|_, _| true, &mut |item| {
        if let Item::Record(record) = item {
            first = first.or(record.time);
        }
    });
    assert_eq!(first_time(&good), first);
    assert_eq!(first_time(&good[..second]), first);
    // Of an incomplete record, the header is used.
    assert_eq!(first_time(&good[..FIRST_RECORD + 40]), value::moment(133_000_000_000_000_000));
    assert_eq!(first_time(&good[..FIRST_RECORD]), None);
    assert_eq!(first_time(&[0; CHUNK_SIZE]), None);
    assert_eq!(first_time(b""), None);
}

#[test]
fn a_wrong_checksum_is_noted_and_the_chunk_is_read() {
    let mut bytes = chunk();
    bytes[60] ^= 1;
    let seen = read(&mut ChunkReader::new(), &bytes);
    assert_eq!(seen[0], "note chunk 3, byte 0: the checksum of the chunk's header is wrong");
    assert_eq!(seen.len(), 4);
    let mut bytes = chunk();
    let last = u32_at(&bytes, 48) as usize - 10;
    bytes[last] ^= 0x40;
    let seen = read(&mut ChunkReader::new(), &bytes);
    assert_eq!(seen[0], "note chunk 3, byte 0: the checksum of the chunk's records is wrong");
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_damaged_record_affects_no_other() {
    let good = chunk();
    let second = next_record(&good, FIRST_RECORD + 4, good.len()).unwrap();
    let mut bytes = good.clone();
    bytes[second] = 0;
    let seen = read(&mut ChunkReader::new(), &bytes);
    assert_eq!(seen[1], line(41, "C:\\a.exe"));
    assert!(
        seen[2].starts_with("skip chunk 3, byte") && seen[2].ends_with("expected a record to begin here"),
        "{seen:?}"
    );
    assert_eq!(seen[3], line(43, "c\u{e4}"));
    // A size beyond the end of the chunk.
    let mut bytes = good;
    bytes[second + 6] = 0xFF;
    let seen = read(&mut ChunkReader::new(), &bytes);
    assert!(seen[2].contains("record 42: the record's size"), "{seen:?}");
    assert_eq!(seen[3], line(43, "c\u{e4}"));
}

#[test]
fn a_chunk_that_is_cut_off_is_read_as_far_as_it_goes() {
    let bytes = chunk();
    let end = u32_at(&bytes, 48) as usize;
    let seen = read(&mut ChunkReader::new(), &bytes[..end - 5]);
    assert!(seen[0].ends_with("the input ends inside the chunk"), "{seen:?}");
    assert_eq!(seen[1], line(41, "C:\\a.exe"));
    assert_eq!(seen[2], "not Test-Provider 99 42");
    assert!(seen[3].contains("record 43: the input ends inside"), "{seen:?}");
}

#[test]
fn records_beyond_the_header_are_read_if_their_ids_continue() {
    let mut bytes = chunk();
    let second = next_record(&bytes, FIRST_RECORD + 4, bytes.len()).unwrap();
    bytes[48..52].copy_from_slice(&(second as u32).to_le_bytes());
    assert_eq!(read(&mut ChunkReader::new(), &bytes).len(), 4);
    // The third one is from an earlier use of the chunk.
    bytes[second + 8] = 7;
    assert_eq!(read(&mut ChunkReader::new(), &bytes).len(), 2);
}

#[test]
fn an_invalid_chunk_is_reported_and_an_unused_one_is_ignored() {
    assert_eq!(read(&mut ChunkReader::new(), &[1; 600]), ["skip chunk 3, byte 0: expected `ElfChnk`"]);
    assert!(read(&mut ChunkReader::new(), &[0; CHUNK_SIZE]).is_empty());
}

#[test]
fn data_without_names_is_positional_and_arrays_are_spread() {
    let mut builder = Builder::new();
    builder.record(1, |xml| {
        let fill = |xml: &mut Xml<'_>| {
            xml.open("Event", false).head_end().open("System", false).head_end();
            xml.open("Provider", true).attribute("Name", "Old").put(&[0x03]);
            xml.leaf("EventID", 0, kind::UINT16).close();
            xml.open("EventData", false).head_end();
            xml.leaf("Data", 1, kind::STRING | kind::ARRAY).leaf("Data", 2, kind::STRING).leaf(
                "Binary",
                3,
                kind::BINARY,
            );
            xml.close().close();
        };
        let values = [
            (kind::UINT16, vec![5, 0]),
            (kind::STRING | kind::ARRAY, wide("a\0\0b\0")),
            (kind::NULL, vec![]),
            (kind::BINARY, vec![1]),
        ];
        xml.template(9, fill, &values);
    });
    assert_eq!(read(&mut ChunkReader::new(), &builder.finish()), ["Old 5 1   Positional([\"a\", \"\", \"b\", \"\"])"]);
}

#[test]
fn elements_without_a_template_are_read() {
    let mut builder = Builder::new();
    builder.record(1, |xml| {
        xml.definition = false;
        xml.put(&[0x0F, 1, 1, 0]);
        xml.open("Event", false).head_end().open("System", false).head_end();
        xml.open("Provider", true).attribute("Name", "Own").put(&[0x03]);
        xml.open("EventID", false).head_end().literal("7").close().close();
        xml.open("UserData", false).head_end().open("Wrap", false).head_end();
        xml.open("Leaf", false).head_end().literal("a").put(&[0x08, 0x26, 0]).literal("b").close();
        xml.close().close().close().put(&[0]);
    });
    assert_eq!(read(&mut ChunkReader::new(), &builder.finish()), ["Own 7 1   Named([(\"Leaf\", \"a&b\")])"]);
}

#[test]
fn a_template_that_expands_without_end_is_refused() {
    let mut builder = Builder::new();
    builder.record(1, |xml| {
        let fill = |xml: &mut Xml<'_>| {
            xml.open("Event", false).head_end().open("System", false).head_end();
            xml.open("Provider", true).attribute("Name", "Bomb").put(&[0x03]);
            xml.leaf("EventID", 0, kind::UINT16).close();
            xml.open("UserData", false).head_end();
            for _ in 0..900 {
                xml.leaf("x", 1, kind::BINARY);
            }
            xml.close().close();
        };
        xml.template(9, fill, &[(kind::UINT16, vec![5, 0]), (kind::BINARY, vec![0; 20_000])]);
    });
    let seen = read(&mut ChunkReader::new(), &builder.finish());
    assert!(seen[0].ends_with("expands too far"), "{seen:?}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut chunk = vec![0; FIRST_RECORD];
        chunk[..8].copy_from_slice(b"ElfChnk\0");
        chunk.extend_from_slice(&bytes);
        read(&mut ChunkReader::new(), &chunk);
        read(&mut ChunkReader::new(), &bytes);
    }

    #[test]
    fn a_damaged_chunk_does_not_panic(
        changes in prop::collection::vec((512usize..3_000, any::<u8>()), 1..12),
    ) {
        let mut bytes = chunk();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        read(&mut ChunkReader::new(), &bytes);
    }
}

/// Compares every record of the real logs with what the `evtx` crate renders: the same records, fields and text.
#[test]
fn real_logs_give_what_the_evtx_crate_gives() {
    #[allow(clippy::disallowed_methods, reason = "the corpus is not part of the repository")]
    let Ok(folder) = std::env::var("BACKCHANNEL_CORPUS") else {
        eprintln!("BACKCHANNEL_CORPUS is not set: no real logs were tested");
        return;
    };
    let mut records = 0;
    let mut fields = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "evtx") {
            let (some, more) = compare(&path);
            records += some;
            fields += more;
        }
    }
    eprintln!("{records} records, {fields} fields");
    assert!(records > 0);
}

fn compare(path: &std::path::Path) -> (usize, usize) {
    let file = std::fs::read(path).unwrap();
    let mut parser = evtx::EvtxParser::from_path(path).unwrap();
    let expected: Vec<_> = parser.records_json_value().map(|record| record.unwrap().data).collect();
    let mut reader = ChunkReader::new();
    let mut seen = 0;
    let mut fields = 0;
    for (number, bytes) in file[super::super::HEADER_SIZE..].chunks(CHUNK_SIZE).enumerate() {
        let arena = Bump::new();
        reader.read(number as u64, bytes, &arena, &|_, _| true, &mut |item| match item {
            Item::Record(record) => {
                let event = &expected[seen]["Event"];
                seen += 1;
                let place = format!("{} record {}", path.display(), record.record_id);
                let system = &event["System"];
                assert_eq!(system["Provider"]["#attributes"]["Name"], record.provider, "{place}");
                assert_eq!(plain(&system["EventRecordID"]), record.record_id, "{place}");
                assert_eq!(plain(&system["EventID"]), record.event_id.to_string(), "{place}");
                assert_eq!(plain(&system["Channel"]), record.channel, "{place}");
                assert_eq!(plain(&system["Computer"]), record.computer, "{place}");
                assert_eq!(plain(&system["Security"]["#attributes"]["UserID"]), record.user_sid, "{place}");
                fields += match record.fields {
                    Fields::Named(named) => {
                        let data =
                            if event["EventData"].is_object() { &event["EventData"] } else { &event["UserData"] };
                        let mut leaves = Vec::new();
                        flatten("", data, &mut leaves);
                        let same = |(name, text): &(&str, &str)| {
                            leaves.iter().any(|(key, value)| {
                                key.split("_").next() == name.split("_").next()
                                    && (value.eq_ignore_ascii_case(text) || is_same_time(value, text))
                            }) || text.is_empty()
                        };
                        for field in named {
                            assert!(same(field), "{place}: {field:?} of {leaves:?}");
                        }
                        for (key, value) in &leaves {
                            let there = named.iter().any(|(name, text)| {
                                key.starts_with(name) && (value.eq_ignore_ascii_case(text) || is_same_time(value, text))
                            });
                            assert!(
                                there || value.is_empty() || key == "Binary",
                                "{place}: {key} {value} of {named:?}"
                            );
                        }
                        named.len()
                    }
                    Fields::Positional(values) => {
                        let data = &event["EventData"]["Data"];
                        let data = if data["#text"].is_null() { data } else { &data["#text"] };
                        let texts: Vec<String> = match data {
                            serde_json::Value::Array(items) => items.iter().map(plain).collect(),
                            other => vec![plain(other)],
                        };
                        let empty_too = |text: &&str| !text.is_empty();
                        let left: Vec<&str> = values.iter().copied().filter(empty_too).collect();
                        let right: Vec<&str> = texts.iter().map(String::as_str).filter(empty_too).collect();
                        assert_eq!(left, right, "{place}");
                        values.len()
                    }
                };
            }
            Item::NotWanted { .. } => {}
            Item::Skip(skip) => panic!("{}: {skip}", path.display()),
            Item::Note(skip) => eprintln!("{}: {skip}", path.display()),
        });
    }
    assert_eq!(seen, expected.len(), "{}", path.display());
    (seen, fields)
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(map) => map.get("#text").map(plain).unwrap_or_default(),
        other => other.to_string(),
    }
}

fn flatten(key: &str, value: &serde_json::Value, out: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) if map.contains_key("#text") => out.push((key.to_owned(), plain(&map["#text"]))),
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| *key != "#attributes") {
                flatten(key, value, out);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| flatten(key, item, out)),
        other => out.push((key.to_owned(), plain(other))),
    }
}

/// Both are times, with a different number of digits.
fn is_same_time(left: &str, right: &str) -> bool {
    let digits = |text: &str| text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.').to_owned();
    left.ends_with('Z') && right.ends_with('Z') && digits(left) == digits(right)
}
