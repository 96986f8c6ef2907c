//! Tests with generated inputs of every kind, intact and damaged.

use std::io::Write;
use std::rc::Rc;

use backchannel_events::Timestamp;
use backchannel_events::packed::Batch;
use evtx_writer::{Data, Event, Value, Writer};

use super::*;

/// An event as a JSON line: an activity of `host` at `second`.
fn line(second: i64, host: &str) -> String {
    format!(
        "{{\"time\":{}000000000,\"host\":\"{host}\",\"activity\":\"process_start\",\"process\":{{\"image\":\"/bin/x{second}\"}}}}\n",
        1_700_000_000 + second
    )
}

fn lines(seconds: impl IntoIterator<Item = i64>, host: &str) -> Vec<u8> {
    seconds.into_iter().flat_map(|second| line(second, host).into_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (index, (name, bytes)) in members.iter().enumerate() {
        let method = if index % 2 == 0 { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn evtx(records: u64) -> Vec<u8> {
    let mut log = Writer::new();
    for record in 1..=records {
        let data = Data::named([("PipeName", Value::text(r"\chat")), ("ProcessId", Value::U32(812))]);
        log.push(&pipe_created(record, data)).unwrap();
    }
    log.finish()
}

fn pipe_created(record_id: u64, data: Data<'_>) -> Event<'_> {
    Event {
        provider: "Microsoft-Windows-Sysmon",
        event_id: 17,
        channel: "Microsoft-Windows-Sysmon/Operational",
        computer: "desk-4.example.org",
        record_id,
        data,
        ..Event::default()
    }
}

/// Files by name.
type Files<'f> = &'f [(&'f str, &'f [u8])];

fn sources(files: Files<'_>) -> Sources {
    let mut sources = Sources::new(Options { skips_kept: 100, ..Options::default() });
    for (name, bytes) in files {
        sources.push(name, Rc::new(bytes.to_vec()));
    }
    sources
}

/// Seconds since the first event, host and input of each event; and the tally.
fn read(files: Files<'_>, batch: usize) -> (Vec<(i64, String, String)>, Tally) {
    let mut merge = sources(files).events();
    merge.set_batch(batch);
    let mut events = Vec::new();
    let mut bytes = Vec::new();
    loop {
        match merge.fill(&mut bytes) {
            Filled::Batch(count) => {
                let packed = Batch::parse(&bytes).unwrap();
                assert!(packed.len() == count && count <= batch, "{count} of {batch}");
                for event in packed.iter() {
                    let second = event.time.0 / Timestamp::SECOND - 1_700_000_000;
                    events.push((second, event.host.to_owned(), event.provenance.input.to_owned()));
                }
            }
            Filled::Idle => {}
            Filled::End => return (events, merge.into_tally()),
        }
    }
}

fn events_of(sources: Sources) -> usize {
    let (mut merge, mut bytes, mut events) = (sources.events(), Vec::new(), 0);
    loop {
        match merge.fill(&mut bytes) {
            Filled::Batch(count) => events += count,
            Filled::Idle => {}
            Filled::End => return events,
        }
    }
}

fn seconds(name: &str, bytes: &[u8]) -> Vec<i64> {
    read(&[(name, bytes)], 1024).0.into_iter().map(|(second, _, _)| second).collect()
}

fn codes(tally: &Tally) -> Vec<(&str, u64)> {
    tally.skips.counts().iter().map(|(code, count)| (code.as_str(), *count)).collect()
}

#[test]
fn inputs_are_merged_by_time_and_each_keeps_its_own_order() {
    let (a, b, c) = (lines([1, 4, 3, 9], "h1"), lines([2, 4, 5], "h1"), lines([0, 10], "h2"));
    let files: [(&str, &[u8]); 3] = [("c.log", &c), ("a.log", &a), ("b.log", &b)];
    let expected: Vec<(i64, &str)> = vec![
        (0, "c.log"),
        (1, "a.log"),
        (2, "b.log"),
        (4, "a.log"),
        (3, "a.log"),
        (4, "b.log"),
        (5, "b.log"),
        (9, "a.log"),
        (10, "c.log"),
    ];
    for batch in [1, 2, 3, 1024] {
        let (events, tally) = read(&files, batch);
        let order: Vec<(i64, &str)> = events.iter().map(|(second, _, input)| (*second, input.as_str())).collect();
        assert_eq!(order, expected, "batches of {batch}");
        assert_eq!((tally.read, tally.skips.total()), (9, 0));
    }
}

#[test]
fn more_inputs_than_may_be_open_come_in_the_order_of_time() {
    let count = 3 * OPEN_INPUTS as i64;
    // The order of the names is the reverse of that of the times.
    let file = |file: i64| (format!("{:04}.log", count - file), lines([file * 10, file * 10 + 15], "h"));
    let logs: Vec<(String, Vec<u8>)> = (0..count).map(file).collect();
    let files: Vec<(&str, &[u8])> = logs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (events, tally) = read(&files, 100);
    let order: Vec<i64> = events.iter().map(|(second, _, _)| *second).collect();
    assert!(order.is_sorted());
    assert_eq!((order.len() as i64, tally.skips.total()), (2 * count, 0));
}

#[test]
fn more_event_logs_than_may_be_open_come_in_the_order_of_time() {
    let count = OPEN_INPUTS as i64 + 20;
    let file = |file: i64| {
        let mut log = Writer::new();
        for second in [file * 10, file * 10 + 15] {
            let time_ns = (second + 1_700_000_000) * 1_000_000_000;
            let data = Data::named([("PipeName", Value::text(r"\chat")), ("ProcessId", Value::U32(812))]);
            log.push(&Event { time_ns, ..pipe_created(second as u64 + 1, data) }).unwrap();
        }
        (format!("{:04}.evtx", count - file), log.finish())
    };
    let logs: Vec<(String, Vec<u8>)> = (0..count).map(file).collect();
    let files: Vec<(&str, &[u8])> = logs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (events, tally) = read(&files, 100);
    let order: Vec<i64> = events.iter().map(|(second, _, _)| *second).collect();
    assert!(order.is_sorted());
    assert_eq!((order.len() as i64, tally.skips.total()), (2 * count, 0));
}

#[test]
fn a_compressed_log_gives_the_same_events_as_the_plain_one() {
    let (one, two) = (lines([1, 3, 5], "h"), lines([2, 4, 6], "h"));
    let both: [(&str, &[u8]); 3] = [("d/one.log", &one), ("d/two.log", &two), ("d/.hidden", b"x")];
    let members = tar(&both);
    let inner = zip(&[("two.log", &two), ("one.log", &one)]);
    let files = [
        ("one.gz", gzip(&[one.as_slice(), &two].concat()), false),
        ("one.zst", zstd(&[one.as_slice(), &two].concat()), false),
        ("twice.gz", gzip(&gzip(&[one.as_slice(), &two].concat())), false),
        ("both.zip", zip(&both), true),
        ("both.tar", members.clone(), true),
        ("both.tar.gz", gzip(&members), true),
        ("both.tar.zst", zstd(&members), true),
        ("packed.zip", zip(&[("one.log.gz", &gzip(&one)), ("two.log.zst", &zstd(&two))]), true),
        ("nested.tar.gz", gzip(&tar(&[("inner.zip", &inner)])), true),
    ];
    for (name, bytes, merged) in files {
        let expected: &[i64] = if merged { &[1, 2, 3, 4, 5, 6] } else { &[1, 3, 5, 2, 4, 6] };
        assert_eq!(seconds(name, &bytes), expected, "{name}");
        assert_eq!(codes(&read(&[(name, &bytes)], 10).1), [], "{name}");
    }
}

#[test]
fn an_archive_in_an_archive_in_an_archive_is_refused() {
    let one = zip(&[("one.log", &lines([1], "h"))]);
    let three = zip(&[("two.zip", &zip(&[("one.zip", &one)]))]);
    let (events, tally) = read(&[("three.zip", &three)], 10);
    assert_eq!((events.len(), codes(&tally)), (0, vec![("archive", 1)]));
    assert_eq!(tally.skips.details()[0].input, "three.zip/two.zip/one.zip");
}

#[test]
fn the_part_of_an_input_before_the_damage_is_read() {
    let text = lines(0..20_000, "h");
    let packed = gzip(&text);
    let (events, tally) = read(&[("cut.gz", &packed[..packed.len() / 2])], 512);
    assert!(events.len() > 1_000 && events.len() < 20_000);
    assert_eq!(tally.skips.counts()["unreadable"], 1);
    assert!(tally.skips.details().iter().any(|detail| detail.code == "unreadable" && detail.line > 1_000));

    let archive = gzip(&tar(&[("a.log", &text), ("b.log", &text)]));
    let (events, tally) = read(&[("cut.tar.gz", &archive[..archive.len() / 3])], 512);
    assert!(events.len() > 1_000 && events.len() < 20_000);
    assert!(tally.skips.counts()["archive"] >= 1);

    let mut archive = zip(&[("a.log", &text), ("b.log", &lines([7], "h"))]);
    let middle = archive.len() / 2;
    archive[middle] ^= 0xFF;
    let (events, tally) = read(&[("flip.zip", &archive)], 512);
    assert!(events.iter().any(|(_, _, input)| input == "flip.zip/b.log"));
    assert!(tally.skips.total() >= 1);

    let cut = &archive[..archive.len() - 60];
    let (events, tally) = read(&[("cut.zip", cut)], 512);
    assert_eq!((events.len(), codes(&tally)), (0, vec![("archive", 1)]));
}

#[test]
fn an_event_log_is_read_from_a_file_an_archive_and_a_stream() {
    let log = evtx(3_000);
    assert!(log.len() > 4096 + 2 * 65536);
    let packed = zip(&[("a.evtx", &log)]);
    let (events, tally) = read(&[("a.evtx", &log)], 100);
    assert_eq!((events.len(), tally.read, tally.skips.total()), (3_000, 3_000, 0));
    let moments = |events: &[(i64, String, String)]| events.iter().map(|(second, ..)| *second).collect::<Vec<_>>();
    assert_eq!(moments(&read(&[("a.zip", &packed)], 100).0), moments(&events));
    let mut streamed = Sources::new(Options::default());
    streamed.push_stream("-", Box::new(std::io::Cursor::new(log.clone())));
    assert_eq!(events_of(streamed), 3_000);
    let (some, tally) = read(&[("cut.evtx", &log[..log.len() - 70_000])], 100);
    assert!(some.len() > 100 && some.len() < 3_000, "{}", some.len());
    assert!(tally.skips.total() >= 1, "{:?}", tally.skips);
}

#[test]
fn unknown_files_are_reported_and_empty_ones_are_not_errors() {
    let log = lines([1], "h");
    let mut sources = sources(&[
        ("a.bin", &[0x89, b'P', b'N', b'G', 0, 1, 2, 3]),
        ("b.log", b""),
        ("c.log", &log),
        ("d.7z", b"7z\xBC\xAF\x27\x1C\0\x04"),
    ]);
    sources.push_problem("none", "it is not there".into());
    assert_eq!((sources.len(), sources.empty_inputs()), (1, &["b.log".to_owned()][..]));
    let codes: Vec<&str> = sources.skips().details().iter().map(|detail| detail.code.as_str()).collect();
    assert_eq!(codes, ["unknown-format", "archive", "unreadable"]);
}

#[test]
fn bad_records_are_counted_with_their_lines_and_the_rest_is_read() {
    let text = [line(1, "h").as_bytes(), b"{\"time\": oops\n", b"\xFF\xFE{\n", line(2, "h\u{e9}").as_bytes()].concat();
    let (events, tally) = read(&[("a.log", &text)], 10);
    assert_eq!(events.len(), 2);
    assert_eq!((tally.read, tally.skips.total()), (4, 2));
    let lines: Vec<u64> = tally.skips.details().iter().map(|detail| detail.line).collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn raw_records_keep_the_line_numbers_of_their_input() {
    let text = format!("\n\n{}\n{}{}", line(1, "h"), line(2, "h"), line(3, "h"));
    for limit in [1, 2, 100] {
        let mut stream = sources(&[("a.log", text.as_bytes())]).records();
        stream.set_batch(limit);
        let mut found = Vec::new();
        while let Some(batch) = stream.next_batch() {
            for (offset, record) in batch.data.split(|byte| *byte == b'\n').enumerate() {
                if !record.is_empty() {
                    found.push((batch.first_line + offset as u64, record.to_vec()));
                }
            }
        }
        let expected: Vec<(u64, Vec<u8>)> =
            [(3, 1), (5, 2), (6, 3)].map(|(at, second)| (at, line(second, "h").trim_end().as_bytes().to_vec())).into();
        assert_eq!(found, expected, "batches of {limit}");
    }
}

#[test]
fn arbitrary_bytes_do_not_stop_a_source() {
    let starts: [&[u8]; 10] = [
        b"",
        b"ElfFile\0",
        b"PK\x03\x04",
        b"\x1F\x8B\x08\0",
        b"\x28\xB5\x2F\xFD",
        b"{\"time\":",
        b"<Event ",
        b"type=SYSCALL msg=audit(1.0:1): ",
        b"\xFF\xFE{\0",
        b"#separator \\x09\n#fields\ta\n",
    ];
    const SIGNS: &[u8] = b"{}[]<>\"\\\n =:a0";
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    for round in 0..60 {
        for start in starts {
            let mut random = start.to_vec();
            for _ in 0..(round * 37) {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                random.push(if round % 2 == 0 { seed as u8 } else { SIGNS[seed as usize % SIGNS.len()] });
            }
            // A start that is taken for a tar archive.
            if round % 3 == 0 && random.len() > 600 {
                random[257..262].copy_from_slice(b"ustar");
            }
            read(&[("random", &random)], 16);
        }
    }
}

/// A stream that pauses: after each piece, one read finds no data.
struct Pauses(std::vec::IntoIter<Vec<u8>>, bool);

impl std::io::Read for Pauses {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if !self.1 {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let Some(piece) = self.0.next() else { return Ok(0) };
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

/// Over at every second call.
struct EverySecond(bool);

impl Pace for EverySecond {
    fn is_over(&mut self) -> bool {
        self.0 = !self.0;
        !self.0
    }

    fn restart(&mut self) {
        self.0 = false;
    }
}

#[test]
fn events_of_a_growing_input_are_returned_in_each_pause() {
    let mut sources = Sources::new(Options { pace: Some(|| Box::new(EverySecond(false))), ..Options::default() });
    let pieces: Vec<Vec<u8>> = (1..=3).map(|second| line(second, "h").into_bytes()).collect();
    sources.push_stream("-", Box::new(Pauses(pieces.into_iter(), false)));
    let (mut merge, mut bytes, mut filled) = (sources.events(), Vec::new(), Vec::new());
    loop {
        filled.push(merge.fill(&mut bytes));
        if filled.last() == Some(&Filled::End) {
            break;
        }
    }
    let batches = filled.iter().filter(|one| matches!(one, Filled::Batch(1))).count();
    assert_eq!((batches, merge.tally().read), (3, 3), "{filled:?}");
}

#[test]
fn the_decompressed_copy_of_an_archive_is_bounded() {
    let log = lines(0..2_000, "h");
    let archive = gzip(&tar(&[("a.log", &log), ("b.log", &log)]));
    let unpack = UnpackLimits { spooled: 100 << 10, ..UnpackLimits::default() };
    let mut sources = Sources::new(Options { unpack, skips_kept: 10, ..Options::default() });
    sources.push("logs.tar.gz", Rc::new(archive));
    assert!(sources.skips().details()[0].reason.contains("unpacks to more than 102400 bytes"));
}
