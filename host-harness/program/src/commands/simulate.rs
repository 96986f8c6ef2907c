//! `backchannel simulate`: generates synthetic logs with labelled attacks.

use super::complain;
use crate::cli::Simulate;
use crate::exit::Exit;

/// Writes the logs and prints a summary.
pub(crate) fn run(arguments: &Simulate) -> Exit {
    match backchannel_simulate::run(&arguments.options, &arguments.folder) {
        Ok(report) => {
            let (records, attacks, files) = (report.records, report.attacks, report.files.len());
            eprintln!("{records} records and {attacks} attacks in {files} files; truth.json labels the attacks");
            Exit::Clean
        }
        Err(error) => {
            complain(&format!("{}: {error}", arguments.folder.display()));
            Exit::Untrusted
        }
    }
}
