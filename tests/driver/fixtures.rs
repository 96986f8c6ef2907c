//! Small logs of every format. The hosts are fictitious.

use backchannel_host::Format;
use backchannel_host::source::InputFormat;
use evtx_writer::{Data, Event, Value, Writer};

use crate::case;

/// A log.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its name: its format, and a number if there are several.
    pub name: String,
    /// Its format.
    pub format: InputFormat,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Logs of every format: those of the formats' own cases, one a format; the longest of the analytics' cases; and an
/// event log file.
pub fn logs() -> Vec<Log> {
    let mut logs: Vec<Log> = Vec::new();
    for case in case::formats() {
        let (Some(text), Some(format)) = (case.text(), case.format()) else { continue };
        let name = format.as_str();
        match logs.iter_mut().find(|log| log.name == name) {
            // Formats with a header, or with one document per file, cannot be concatenated.
            Some(_) if matches!(format, Format::ZeekTsv | Format::WindowsXml) => {}
            Some(log) => log.bytes.extend_from_slice(text.as_bytes()),
            None => logs.push(Log { name: name.to_owned(), format: InputFormat::Text(format), bytes: text.into() }),
        }
    }
    logs.push(Log { name: "evtx".into(), format: InputFormat::Evtx, bytes: evtx(40) });
    for format in [Format::WindowsJson, Format::Auditd, Format::ZeekJson] {
        let cases = case::all();
        let plain = cases.iter().filter(|case| case.past.is_empty() && case.format() == Some(format));
        let mut of: Vec<&str> = plain.filter_map(|case| case.text()).collect();
        // The longest ones, and by name among those of equal length.
        of.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for (number, text) in of.iter().take(3).enumerate() {
            let name = format!("{}-{number}", format.as_str());
            logs.push(Log { name, format: InputFormat::Text(format), bytes: text.as_bytes().to_vec() });
        }
    }
    logs
}

/// An event log file of `records` records.
pub fn evtx(records: u64) -> Vec<u8> {
    let mut log = Writer::new();
    for record in 1..=records {
        let (event_id, data) = match record % 3 {
            0 => (17, Data::named([("PipeName", Value::text(r"\chat")), ("ProcessId", Value::U32(812))])),
            1 => (
                1,
                Data::named([
                    ("UtcTime", Value::text("2023-11-14 22:13:20.000")),
                    ("ProcessId", Value::U32(900 + record as u32)),
                    ("Image", Value::text(r"C:\Windows\System32\mmc.exe")),
                    ("CommandLine", Value::text("mmc.exe -Embedding")),
                    ("User", Value::text(r"EXAMPLE\erin")),
                    ("ParentImage", Value::text(r"C:\Windows\System32\svchost.exe")),
                ]),
            ),
            _ => (3, Data::named([("DestinationPort", Value::U16(135)), ("Initiated", Value::text("true"))])),
        };
        log.push(&Event {
            provider: "Microsoft-Windows-Sysmon",
            event_id,
            channel: "Microsoft-Windows-Sysmon/Operational",
            computer: "desk-4.example.org",
            time_ns: 1_700_000_000_000_000_000 + record as i64 * 1_000_000_000,
            record_id: record,
            data,
            ..Event::default()
        })
        .expect("it fits");
    }
    log.finish()
}
