//! `cargo xtask`: development tasks of the workspace.

mod catalogue;
mod features;
mod formats;
mod release;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the component and the program.
    Build,
    /// Generate docs/analytics.md, docs/formats.md and docs/settings.schema.json.
    Docs {
        /// Change nothing; fail if a file is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Update failed expectations of cases to the actual results. Review the difference before you commit it.
    Bless {
        /// Only cases whose name contains this text.
        name: Option<String>,
    },
    /// Freeze the contract in wit/ as a released version.
    WitRelease {
        /// Version, as in the package line: 0.1.0.
        version: String,
    },
    /// Benchmark decoding, normalising and detection, natively and through the component.
    Bench {
        /// Arguments of the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Benchmark the filter on Fluent Bit's engine. Needs cmake and libclang.
    BenchFilter,
    /// Build the browser page, target/page/backchannel.html, and the viewer of reports. Needs node and npm.
    Page {
        /// Build only the viewer of reports, module/browser/page/report.html, without WebAssembly.
        #[arg(long)]
        viewer: bool,
        /// Change nothing; fail if the viewer of reports is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Run all checks that a change must pass: format, lints, generated files, tests.
    Ci,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Build => run::cargo(&["build", "--release", "--package", "backchannel"]),
        Task::Docs { check } => catalogue::write(check),
        Task::Bless { name } => run::bless(name.as_deref()),
        Task::WitRelease { version } => release::freeze(&version),
        Task::Bench { arguments } => run::bench(&arguments),
        Task::BenchFilter => run::bench_filter(),
        Task::Page { viewer, check } => run::page(viewer, check),
        Task::Ci => run::ci(),
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
