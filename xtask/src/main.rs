//! `cargo xtask`: the chores of the workspace, one file each.

mod catalogue;
mod features;
mod formats;
mod release;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The chores of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Builds the component and the program.
    Build,
    /// Writes docs/analytics.md, docs/formats.md and docs/settings.schema.json; with --check only says whether they are up to date.
    Docs {
        /// Change nothing; fail if something would change.
        #[arg(long)]
        check: bool,
    },
    /// Writes what is found into the expectations of cases that are not met. Read the difference before you commit it.
    Bless {
        /// Only cases whose name contains this.
        name: Option<String>,
    },
    /// Freezes the contract in wit/ as a released version.
    WitRelease {
        /// Its version, as in the package line: 0.1.0.
        version: String,
    },
    /// Measures decoding, normalising and detection, natively and through the component.
    Bench {
        /// Passed on to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measures the filter on Fluent Bit's engine. Needs cmake and libclang.
    BenchFilter,
    /// Builds the browser page, target/page/backchannel.html, and the viewer of reports. Needs node and npm.
    Page {
        /// Only the viewer of reports, module/browser/page/report.html: no WebAssembly is built.
        #[arg(long)]
        viewer: bool,
        /// Change nothing; fail if the viewer of reports is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// All that must hold before a change lands: format, lints, generated text, tests.
    Ci,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Build => run::cargo(&["build", "--release", "--package", "backchannel"]),
        Chore::Docs { check } => catalogue::write(check),
        Chore::Bless { name } => run::bless(name.as_deref()),
        Chore::WitRelease { version } => release::freeze(&version),
        Chore::Bench { arguments } => run::bench(&arguments),
        Chore::BenchFilter => run::bench_filter(),
        Chore::Page { viewer, check } => run::page(viewer, check),
        Chore::Ci => run::ci(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}
