//! Writes synthetic logs to a folder: `cargo run --release -p backchannel-simulate --example simulate -- FOLDER
//! [OPTIONS]`.

use backchannel_simulate::{Options, run};
use clap::Parser;
use std::path::PathBuf;

/// Generate synthetic logs with labelled attacks
#[derive(Parser)]
struct Cli {
    /// Folder to write to
    folder: PathBuf,
    #[command(flatten)]
    options: Options,
}

fn main() -> std::io::Result<()> {
    let Cli { folder, options } = Cli::parse();
    let begin = std::time::Instant::now();
    let report = run(&options, &folder)?;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{} records, {} bytes, {} files, {} attacks in {}: {:.0} records/s",
        report.records,
        report.bytes,
        report.files.len(),
        report.attacks,
        folder.display(),
        report.records as f64 / seconds
    );
    Ok(())
}
