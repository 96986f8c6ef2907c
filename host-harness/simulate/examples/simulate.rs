//! Simulates a fleet into a folder: `cargo run --release -p backchannel-simulate --example simulate -- FOLDER [OPTIONS]`.

use backchannel_simulate::{Options, run};
use clap::Parser;
use std::path::PathBuf;

/// Makes the logs of a company that does not exist
#[derive(Parser)]
struct Cli {
    /// Where the logs go
    folder: PathBuf,
    #[command(flatten)]
    options: Options,
}

fn main() -> std::io::Result<()> {
    let Cli { folder, options } = Cli::parse();
    let report = run(&options, &folder)?;
    println!(
        "{} records, {} bytes, {} files, {} attacks: {}",
        report.records,
        report.bytes,
        report.files.len(),
        report.attacks,
        folder.display()
    );
    Ok(())
}
