//! Reads records as JSON lines and prints the resulting incidents, one JSON object per line.
//!
//! `evaluate MODULE LOG [SETTINGS.json]`

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;
use std::sync::Arc;

use backchannel_host::Format;
use backchannel_host::component::{
    Batch, Correlator, Detector, Engine, EngineOptions, Evaluation, HostError, Limits, Module, RawBatch,
};
use backchannel_host::report::Collection;

/// Lines per batch.
const BATCH: u64 = 512;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [module, log] => evaluate(module, log, None),
        [module, log, settings] => fs::read_to_string(settings)
            .map_err(|error| format!("{settings}: {error}").into())
            .and_then(|text| evaluate(module, log, Some(text))),
        _ => Err("usage: evaluate MODULE LOG [SETTINGS.json]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evaluate: {error}");
            if let Some(HostError::Settings(mistakes)) = error.downcast_ref() {
                for mistake in mistakes {
                    eprintln!("  {}: expected {}", mistake.pointer, mistake.allowed);
                }
            }
            ExitCode::from(2)
        }
    }
}

fn evaluate(module: &str, log: &str, settings: Option<String>) -> Result<(), Box<dyn Error>> {
    let engine = Arc::new(Engine::new(&EngineOptions::with_user_cache())?);
    let module = Module::load(&engine, &fs::read(module)?)?;
    let limits = Limits::default();
    let mut correlator = Correlator::open(&module, &limits, settings.as_deref())?;
    let mut detector = Detector::open(&module, limits, settings, None)?;

    let mut lines = BufReader::new(File::open(log)?);
    let mut first_line = 1;
    loop {
        let (mut data, mut count) = (Vec::new(), 0);
        while count < BATCH && lines.read_until(b'\n', &mut data)? > 0 {
            count += 1;
        }
        if count == 0 {
            break;
        }
        let raw = RawBatch { input: log.to_owned(), format: Format::Json, host: String::new(), first_line, data };
        take(&mut correlator, detector.evaluate(Batch::Records(raw))?)?;
        first_line += count;
    }
    take(&mut correlator, detector.flush()?)?;

    // The incidents, each in its latest state: escalated ones first, then the most severe.
    let mut collection = Collection::default();
    correlator.incidents()?.into_iter().for_each(|incident| collection.incident(incident));
    let mut out = std::io::stdout().lock();
    for incident in collection.finish().incidents {
        writeln!(out, "{}", incident.document)?;
    }
    Ok(())
}

/// Passes the results of a batch to the correlator, and reports records that were not used.
fn take(correlator: &mut Correlator, seen: Evaluation) -> Result<(), HostError> {
    if let Some(loss) = seen.loss {
        eprintln!("evaluate: a batch was lost: {}", loss.reason);
    }
    for skipped in seen.skipped {
        eprintln!("{}:{}: {}", skipped.input, skipped.line, skipped.reason);
    }
    let findings: Vec<String> = seen.findings.into_iter().map(|finding| finding.document).collect();
    correlator.observe(&findings, &seen.signals, &seen.activity)?;
    Ok(())
}
