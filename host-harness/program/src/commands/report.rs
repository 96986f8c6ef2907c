//! `backchannel report`: writes an HTML report of logs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use backchannel_host::replay::{ReplayError, ReplayOptions, Report, Silent, replay};
use backchannel_host::source::{self, SourceOptions};

use super::{baseline, complain, engine, load};
use crate::cli;
use crate::commands::settings;
use crate::exit::Exit;
use crate::output::{html, skipped};

/// Maximum number of skipped records to list.
const SKIPS: usize = 10;

pub(crate) fn run(arguments: &cli::Report) -> Exit {
    match look_and_write(arguments) {
        Ok(exit) => exit,
        Err(text) => {
            if !text.is_empty() {
                complain(&text);
            }
            Exit::Untrusted
        }
    }
}

/// The error text; empty if the error was already printed.
fn look_and_write(arguments: &cli::Report) -> Result<Exit, String> {
    let settings = settings::read(arguments.reading.config.as_deref())?;
    let module = load(&engine()?, arguments.reading.module.as_deref())?;
    let reading = SourceOptions { skips_kept: SKIPS, ..arguments.reading.source_options() };
    let sources = source::open(&arguments.paths, reading);
    let options = ReplayOptions {
        settings: settings.as_ref().map(|file| file.json().to_owned()),
        baseline: arguments.reading.baseline.as_deref().map(|file| baseline(&module, file)).transpose()?,
        ..ReplayOptions::default()
    };
    let report = match replay(&module, sources, &options, &mut Silent) {
        Ok(report) => report,
        Err(ReplayError::Host(error)) => return Err(settings::failed(&error, settings.as_ref())),
        Err(ReplayError::Observer(error)) => return Err(error.to_string()),
    };
    skipped::print(&report.skips, &report.notes, false);
    if report.summary.records.evaluated == 0 && report.summary.records.unused == 0 {
        return Err("nothing was readable: no report is written".into());
    }
    write(&arguments.output, &report).map_err(|error| format!("{}: {error}", arguments.output.display()))?;
    Ok(Exit::Clean)
}

fn write(path: &Path, report: &Report) -> io::Result<()> {
    let summary = report.summary.document();
    let incidents = report.incidents.iter().map(|incident| incident.document.as_str());
    let findings = report.findings.iter().map(|finding| finding.document.as_str());
    let documents = incidents.chain(findings).chain([summary.as_str()]);
    let mut out: Box<dyn Write> =
        if path == Path::new("-") { Box::new(io::stdout().lock()) } else { Box::new(File::create(path)?) };
    html::report(&mut BufWriter::new(&mut out), documents)
}
