//! Measures how fast other libraries read the same logs. It is a separate program, so that the features these libraries
//! enable in shared dependencies do not affect the build of the benchmark.
//!
//! `backchannel-reference-parsers evtx|json SECONDS FOLDER` reads all files of the folder repeatedly for that many CPU
//! seconds, and prints how many records it read and how many CPU seconds that took.

mod events;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use cpu_time::ProcessTime;
use evtx::{EvtxParser, ParserSettings};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, seconds, folder] = arguments.as_slice() else {
        eprintln!("usage: backchannel-reference-parsers evtx|json SECONDS FOLDER");
        return ExitCode::FAILURE;
    };
    let (Ok(seconds), Ok(entries)) = (seconds.parse::<f64>(), fs::read_dir(folder)) else {
        eprintln!("expected a number of seconds and a folder, got {seconds} and {folder}");
        return ExitCode::FAILURE;
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read: fn(&PathBuf, &mut Vec<u8>) -> u64 = match what.as_str() {
        "evtx" => evtx,
        "json" => events::json,
        _ => {
            eprintln!("expected evtx or json, got {what}");
            return ExitCode::FAILURE;
        }
    };
    let start = ProcessTime::now();
    // Reused for all files, to avoid allocations.
    let (mut records, mut buffer) = (0, Vec::new());
    loop {
        records += files.iter().map(|path| read(path, &mut buffer)).sum::<u64>();
        let taken = start.elapsed().as_secs_f64();
        if taken >= seconds {
            println!("{records} {taken}");
            return ExitCode::SUCCESS;
        }
    }
}

/// Iterates over the records and serialises none of them.
fn evtx(path: &PathBuf, _: &mut Vec<u8>) -> u64 {
    let settings = ParserSettings::new().num_threads(1);
    let Ok(mut parser) = EvtxParser::from_path(path) else { return 0 };
    let settings = Arc::new(settings);
    let mut records = 0;
    for chunk in parser.chunks() {
        let Ok(mut chunk) = chunk else { continue };
        let Ok(mut chunk) = chunk.parse(Arc::clone(&settings)) else { continue };
        records += chunk.iter().filter(Result::is_ok).count() as u64;
    }
    records
}
