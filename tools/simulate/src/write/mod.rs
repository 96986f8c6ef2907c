//! Writes logs to a folder: the file and format of each record, and the labels of attacks.

mod audit;
mod evtx;
mod file;
mod json;
mod laurel;
mod truth;
mod xml;

use crate::fleet::Fleet;
use crate::options::{LinuxShape, Options, WindowsShape};
use crate::record::{Body, Record, WindowsEvent};
use evtx_writer::FileWriter;
use file::LazyFile;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use truth::{Evidence, Truth};

/// Summary of the written files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Number of records: Windows events, and audit events (which have several lines each).
    pub records: u64,
    /// Size in bytes, without `truth.json`.
    pub bytes: u64,
    /// File names of the logs, in alphabetical order.
    pub files: Vec<String>,
    /// Number of attacks.
    pub attacks: usize,
}

/// Simulates the fleet of these options and writes its logs and `truth.json` to a folder, which is created if it does
/// not exist. Existing files with these names are replaced.
///
/// # Errors
/// Errors of the file system.
pub fn run(options: &Options, folder: &Path) -> io::Result<Report> {
    run_mixed(options, folder, &|_| options.windows_shape)
}

/// As [`run`], with a format for each Windows host: `shape` is called with the host's name. Merged files have the
/// format of the first host that writes to them.
///
/// # Errors
/// Errors of the file system.
pub fn run_mixed(options: &Options, folder: &Path, shape: &dyn Fn(&str) -> WindowsShape) -> io::Result<Report> {
    std::fs::create_dir_all(folder)?;
    let mut fleet = Fleet::new(options);
    let shapes: Vec<WindowsShape> = (0..fleet.hosts()).map(|host| shape(fleet.host_name(host))).collect();
    let mut truth = Truth::new(&fleet);
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    // One name per host, to avoid an allocation for each record.
    let names: Vec<String> = (0..fleet.hosts()).map(|host| file_name(options, &fleet, host, shapes[host])).collect();
    let mut records = 0;
    let mut line = String::new();
    for record in fleet.by_ref() {
        let (name, shape) = (&names[record.host], shapes[record.host]);
        if !logs.contains_key(name) {
            logs.insert(name.clone(), Log::open(shape, folder, name, &record)?);
        }
        let Some(log) = logs.get_mut(name) else { continue };
        records += 1;
        let evidence = log.write(&record, shape, options.linux_shape, &mut line)?;
        if let Some(episode) = record.episode {
            let host = record.host_name.to_string();
            truth.add(episode, Evidence { file: name.clone(), host, ..evidence });
        }
    }
    let mut bytes = 0;
    let mut files = Vec::new();
    for (name, log) in logs {
        bytes += log.finish()?;
        files.push(name);
    }
    let attacks = truth.attacks();
    std::fs::write(folder.join("truth.json"), truth.text(options, &fleet, records))?;
    Ok(Report { records, bytes, files, attacks })
}

fn file_name(options: &Options, fleet: &Fleet, host: usize, shape: WindowsShape) -> String {
    let linux = fleet.is_linux(host);
    let stem = match (options.merged, linux) {
        (true, true) => "linux",
        (true, false) => "windows",
        (false, _) => fleet.host_name(host).split('.').next().unwrap_or(""),
    };
    let extension = match (linux, shape) {
        (true, _) if options.linux_shape == LinuxShape::Laurel => "laurel.jsonl",
        (true, _) => "audit.log",
        (_, WindowsShape::Evtx) => "evtx",
        (_, WindowsShape::EvtxJson) => "evtx.jsonl",
        (_, WindowsShape::Winlogbeat) => "winlogbeat.jsonl",
        (_, WindowsShape::Nxlog) => "nxlog.jsonl",
        (_, WindowsShape::FluentBit) => "fluent-bit.jsonl",
        (_, WindowsShape::Xml) => "xml",
    };
    format!("{stem}.{extension}")
}

/// One file.
enum Log {
    Evtx(Box<FileWriter<LazyFile>>),
    Text { out: BufWriter<LazyFile>, lines: u64, bytes: u64 },
}

impl Log {
    fn open(shape: WindowsShape, folder: &Path, name: &str, record: &Record) -> io::Result<Self> {
        let file = LazyFile::create(folder.join(name))?;
        let windows = matches!(record.body, Body::Windows(_));
        Ok(match shape {
            WindowsShape::Evtx if windows => Log::Evtx(Box::new(FileWriter::new(file)?)),
            _ => Log::Text { out: BufWriter::with_capacity(64 * 1024, file), lines: 0, bytes: 0 },
        })
    }

    /// Writes a record; returns its position, without the file's name. `line` is a buffer.
    fn write(
        &mut self,
        record: &Record,
        windows: WindowsShape,
        linux: LinuxShape,
        line: &mut String,
    ) -> io::Result<Evidence> {
        line.clear();
        let mut evidence = Evidence::of(record);
        match (self, &record.body) {
            (Log::Evtx(log), Body::Windows(event)) => evtx::push(log, record, event)?,
            (Log::Text { out, lines, bytes }, body) => {
                match body {
                    Body::Windows(event) => text(line, record, event, windows),
                    Body::Audit { serial, records } => match linux {
                        LinuxShape::Auditd => audit::write(line, record, *serial, records),
                        LinuxShape::Laurel => laurel::write(line, record, *serial, records),
                    },
                }
                evidence.line = *lines + 1;
                *lines += line.bytes().filter(|byte| *byte == b'\n').count() as u64;
                *bytes += line.len() as u64;
                out.write_all(line.as_bytes())?;
            }
            (Log::Evtx(..), Body::Audit { .. }) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "an audit event does not fit into an EVTX file",
                ));
            }
        }
        Ok(evidence)
    }

    fn finish(self) -> io::Result<u64> {
        match self {
            Log::Evtx(log) => Ok(log.finish()?.len()),
            Log::Text { mut out, bytes, .. } => {
                out.flush()?;
                Ok(bytes)
            }
        }
    }
}

fn text(line: &mut String, record: &Record, event: &WindowsEvent, shape: WindowsShape) {
    match shape {
        WindowsShape::Winlogbeat => json::winlogbeat(line, record, event),
        WindowsShape::Nxlog => json::nxlog(line, record, event),
        WindowsShape::FluentBit => json::fluent_bit(line, record, event),
        WindowsShape::Xml => xml::event(line, record, event),
        // EVTX is not a text format; its text form is the JSON of evtx_dump.
        WindowsShape::Evtx | WindowsShape::EvtxJson => json::evtx(line, record, event),
    }
    line.push('\n');
}

/// `Level` of an event.
fn level(event: &WindowsEvent) -> u8 {
    match event.event_id {
        10016 => 3,
        10028 => 2,
        4104 => 5,
        _ if event.provider.index == 1 => 0,
        _ => 4,
    }
}

/// `Task` of an event.
fn task(event: &WindowsEvent) -> u16 {
    match event.event_id {
        id if event.provider.index == 0 => id,
        4624 => 12544,
        4634 => 12545,
        4672 => 12548,
        4688 => 13312,
        4689 => 13313,
        5145 => 12811,
        5156 => 12810,
        4104 => 2,
        _ => 0,
    }
}

/// `Opcode` of an event.
fn opcode(event: &WindowsEvent) -> u8 {
    match event.event_id {
        4104 => 15,
        _ => 0,
    }
}

/// `EventID/@Qualifiers` of an event; only those of classic providers have them.
fn qualifiers(event: &WindowsEvent) -> Option<u16> {
    match event.event_id {
        7036 | 7045 => Some(16384),
        1033 | 11707 => Some(0),
        _ => None,
    }
}
