//! Throughput of the filter for records without findings, on Fluent Bit's engine (WAMR's interpreter), compared with a
//! filter that parses each record into five borrowed fields and does nothing else.
//!
//! `cargo xtask bench-filter`; needs cmake and libclang. Each figure: records per second of CPU time, the median of the
//! rounds, including the calls that Fluent Bit makes for each record.

use std::error::Error;
use std::fmt::Write as _;

use backchannel_tests::fluent_bit::Shipper;
use backchannel_tests::median;
use backchannel_tests::wamr::{Engine, Instance, Loaded, STACK};
use cpu_time::ProcessTime;

const ROUNDS: usize = 3;
/// Minimum CPU time of a measurement, in seconds.
const SECONDS: f64 = 1.0;
/// Records of one kind.
const RECORDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let typed = std::env::var("BACKCHANNEL_TYPED_FILTER").map_err(|_| "run it by cargo xtask bench-filter")?;
    let typed = std::fs::read(&typed).map_err(|error| format!("{typed}: {error}"))?;
    let engine = Engine::start();
    let ours = Loaded::load(&engine, backchannel_embedded::fluent_bit())?;
    let typed = Loaded::load(&engine, &typed)?;
    println!("| records | bytes | typed parsing | Backchannel | ratio |\n| --- | ---: | ---: | ---: | ---: |");
    for (name, record) in [
        ("quiet, `winevtlog` rendered as XML", rendered as fn(u32) -> Vec<u8>),
        ("quiet, `winevtlog` with names", mapped),
        ("quiet, `winevtlog` by position", positional),
    ] {
        let records: Vec<Vec<u8>> = (0..RECORDS).map(record).collect();
        let (mut theirs, mut mine) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            theirs.push(rate(&mut Instance::of(&typed, STACK, "typed"), &records));
            mine.push(rate(&mut Instance::new(&ours, STACK), &records));
        }
        let (theirs, mine) = (median(theirs), median(mine));
        let bytes = records.iter().map(Vec::len).sum::<usize>() / records.len();
        println!("| {name} | {bytes} | {theirs:.0} | {mine:.0} | {:.1} |", mine / theirs);
    }
    Ok(())
}

fn rate(filter: &mut Instance<'_>, records: &[Vec<u8>]) -> f64 {
    let start = ProcessTime::now();
    let (mut read, mut taken) = (0, 0.0);
    while taken < SECONDS {
        for record in records {
            assert!(filter.call("logs.windows", 1_767_225_600, record).is_some(), "{}", filter.exception);
        }
        read += records.len();
        taken = start.elapsed().as_secs_f64();
    }
    read as f64 / taken
}

/// The values of a Security event 4658 (the handle to an object was closed), a frequent event that is not relevant to
/// detection.
fn values(number: u32) -> [(&'static str, String); 8] {
    [
        ("SubjectUserSid", "S-1-5-18".into()),
        ("SubjectUserName", "WS01$".into()),
        ("SubjectDomainName", "CORP".into()),
        ("SubjectLogonId", "0x3e7".into()),
        ("ObjectServer", "Security".into()),
        ("HandleId", format!("0x{:x}", number % 4096 * 4)),
        ("ProcessId", format!("0x{:x}", number % 977 * 4 + 0x200)),
        ("ProcessName", r"C:\\Windows\\System32\\svchost.exe".into()),
    ]
}

/// Its message as Windows renders it, in JSON.
fn message(number: u32) -> String {
    let [sid, user, domain, logon, server, handle, process, image] = values(number).map(|(_, value)| value);
    format!(
        r"The handle to an object was closed.\r\n\r\nSubject :\r\n\tSecurity ID:\t\t{sid}\r\n\tAccount Name:\t\t{user}\r\n\tAccount Domain:\t\t{domain}\r\n\tLogon ID:\t\t{logon}\r\n\r\nObject:\r\n\tObject Server:\t\t{server}\r\n\tHandle ID:\t\t{handle}\r\n\r\nProcess Information:\r\n\tProcess ID:\t\t{process}\r\n\tProcess Name:\t\t{image}"
    )
}

/// With our configuration: `render_event_as_xml on`.
fn rendered(number: u32) -> Vec<u8> {
    let mut data = String::new();
    for (name, value) in values(number) {
        let _ = write!(data, "<Data Name='{name}'>{value}</Data>");
    }
    let message = message(number);
    format!("{{\"System\":\"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{{54849625-5478-4994-a5ba-3e3b0328c30d}}'/><EventID>4658</EventID><Version>0</Version><Level>0</Level><Task>12800</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-01-01T00:00:00.{number:07}Z'/><EventRecordID>{number}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='9072'/><Channel>Security</Channel><Computer>ws01.corp.example</Computer><Security/></System><EventData>{data}</EventData></Event>\",\"Message\":\"{message}\"}}").into_bytes()
}

/// The fields before the values if Fluent Bit parses the event.
fn apart(number: u32) -> String {
    format!(
        "{{\"ProviderName\":\"Microsoft-Windows-Security-Auditing\",\"ProviderGuid\":\"{{54849625-5478-4994-A5BA-3E3B0328C30D}}\",\"Qualifiers\":\"\",\"EventID\":4658,\"Version\":0,\"Level\":0,\"Task\":12800,\"Opcode\":0,\"Keywords\":\"0x8020000000000000\",\"TimeCreated\":\"2026-01-01 00:00:00 +0000\",\"EventRecordID\":{number},\"ActivityID\":\"\",\"RelatedActivityID\":\"\",\"ProcessID\":4,\"ThreadID\":9072,\"Channel\":\"Security\",\"Computer\":\"ws01.corp.example\",\"UserID\":\"\",\"Message\":\"{}\"",
        message(number)
    )
}

/// `event_data_as_map on`.
fn mapped(number: u32) -> Vec<u8> {
    let data = values(number).map(|(name, value)| format!("\"{name}\":\"{value}\""));
    format!("{},\"EventData\":{{{}}}}}", apart(number), data.join(",")).into_bytes()
}

/// With the default settings of `winevtlog`.
fn positional(number: u32) -> Vec<u8> {
    let data = values(number).map(|(_, value)| format!("\"{value}\""));
    format!("{},\"StringInserts\":[{}]}}", apart(number), data.join(",")).into_bytes()
}
