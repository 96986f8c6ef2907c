//! The command line: commands, options and their help.

use std::path::PathBuf;

use backchannel_host::replay::Carrier;
use backchannel_host::source::{InputFormat, SourceOptions};
use backchannel_host::{Severity, Timestamp};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Detects abuse of inter-process communication in logs.
///
/// Backchannel reads Windows, Linux, macOS and network logs and detects abuse of inter-process communication (MITRE
/// ATT&CK T1559): COM and DCOM, DDE, named pipes, Unix sockets, D-Bus, FIFOs, XPC.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read logs and print incidents and findings.
    Replay(Box<Replay>),
    /// Read logs and write incidents and findings to an HTML file.
    Report(Report),
    /// Learn a baseline of normal inter-process communication from logs.
    Learn(Learn),
    /// Merge, show and compare baselines.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// List all analytics with the logs they need.
    Analytics(Analytics),
    /// Describe one analytic: what it detects, required logs, known false positives.
    Explain(Explain),
    /// Generate synthetic logs with labelled attacks.
    Simulate(Simulate),
    /// Check settings files.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Store settings and a baseline in a module, for hosts that cannot pass them.
    Bake(Bake),
    /// Inspect and export detection modules.
    #[command(subcommand)]
    Module(ModuleCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Check a settings file; report each error with line, column and the allowed values.
    Check {
        /// Settings file, TOML or JSON.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Show a module's version, contract, imports, exports, signatures and what is baked in.
    Inspect {
        /// Module: a component, or a filter for Fluent Bit.
        file: PathBuf,
        /// Print the result as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write the embedded module to a file, for use in another host.
    Export {
        /// Host to build the module for.
        #[arg(long, value_enum, default_value_t)]
        target: Target,
        /// File to write the module to.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Hosts that a module is built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Any runtime for WebAssembly components.
    #[default]
    Component,
    /// Fluent Bit's filter `wasm`.
    FluentBit,
}

const BAKE_EXAMPLES: &str = "\
Examples:
  backchannel bake --config site.toml -o site.wasm
  backchannel bake --config site.toml --baseline fleet.baseline -o site.wasm
  backchannel bake --config site.toml --target fluent-bit -o fluent-bit.wasm
  backchannel module inspect site.wasm
  backchannel replay logs/ --module site.wasm

The same inputs give the same bytes. Indicators of compromise are part of the settings. Settings or a baseline that a
host passes when it opens a component replace those baked in; a filter for Fluent Bit always uses those baked in.";

#[derive(Debug, Args)]
#[command(after_help = BAKE_EXAMPLES)]
#[command(group = clap::ArgGroup::new("site").args(["config", "baseline"]).multiple(true).required(true))]
pub(crate) struct Bake {
    /// Site settings, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Baseline to compare with, written by `backchannel learn`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Host to build the module for.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) target: Target,

    /// File to write the module to.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

const REPLAY_EXAMPLES: &str = "\
Examples:
  backchannel replay C:\\Windows\\System32\\winevt\\Logs
  backchannel replay Sysmon.evtx Security.evtx --min-severity medium
  backchannel replay logs.tar.gz --format jsonl > findings.jsonl
  backchannel replay /var/log/audit/audit.log --config site.toml
  zcat events.json.gz | backchannel replay -
  tail -F /var/log/audit/audit.log | backchannel replay - --follow --format jsonl

The format of an input is detected from its content: Windows event logs (EVTX), Windows events as JSON or XML from any
shipper, Linux audit logs, syslog, Zeek, and Backchannel's own events; plain or in .gz, .zst, .zip or .tar files.

Exit status:
  0  nothing at or above --fail-on
  1  something at or above --fail-on
  2  the result is incomplete or missing: no readable input, invalid settings, module rejected or failed; with
     --strict also if a record was skipped";

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct Replay {
    /// Files and folders to read; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: OutputFormat,

    /// Sort order of the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: Sort,

    /// Print only findings of this severity or above.
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "info")]
    pub(crate) min_severity: Severity,

    /// Show all details of incidents and findings.
    #[arg(long)]
    pub(crate) detail: bool,

    /// Show only findings from this time on: 2026-03-02, "2026-03-02 07:30:15.250" as in the output, or
    /// 2026-03-02T07:30:15Z. All events are still evaluated.
    #[arg(long, value_name = "TIME", value_parser = crate::commands::narrow::first)]
    pub(crate) from: Option<Timestamp>,

    /// Show only findings up to this time, including the given day or second.
    #[arg(long, value_name = "TIME", alias = "to", value_parser = crate::commands::narrow::last)]
    pub(crate) until: Option<Timestamp>,

    /// Show only findings that involve this machine, by any name or address in the output. Can be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) only_host: Vec<String>,

    /// Show only findings under this account. Can be repeated.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) only_user: Vec<String>,

    /// Exit with status 1 if there is a finding of this severity or above; `never` disables this.
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on, default_value = "medium")]
    pub(crate) fail_on: FailOn,

    /// Exit with status 2 if a record was skipped.
    #[arg(long)]
    pub(crate) strict: bool,

    /// Do not mask (****) passwords and tokens in command lines.
    #[arg(long)]
    pub(crate) show_secrets: bool,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Keep reading inputs that are still being written, and print findings immediately. SIGTERM or Ctrl-C stops and
    /// prints the summary.
    #[arg(long)]
    pub(crate) follow: bool,

    /// Maximum number of skipped records to list.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) skipped_list: usize,

    /// List all skipped records (at most 10,000) and all inactive analytics.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Memory limit of the module, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub(crate) memory_limit: u32,

    /// Time limit of the module per batch, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_timeout: u32,

    /// Do not show progress.
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// When to colour the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Colour,

    /// Maximum number of events per batch.
    #[arg(long, hide = true, default_value_t = 1024)]
    pub(crate) batch: usize,

    /// Encoding in which events are passed to the module.
    #[arg(long, hide = true, value_parser = carrier, default_value = "packed")]
    pub(crate) carrier: Carrier,
}

/// Options for reading and evaluating logs.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Site settings, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Baseline to compare with, written by `backchannel learn`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Detection module to use instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,

    /// Host name for records that contain none.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// Format of the inputs, if it cannot be detected from their content.
    #[arg(long, value_name = "FORMAT", value_parser = input_format)]
    pub(crate) input_format: Option<Input>,

    /// Year for records whose time has none (syslog).
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    pub(crate) year: Option<i32>,
}

impl Reading {
    /// The options for reading the inputs.
    pub(crate) fn source_options(&self) -> SourceOptions {
        let format = match self.input_format {
            Some(Input::Is(format)) => Some(format),
            Some(Input::Auto) | None => None,
        };
        SourceOptions { format, host: self.host.clone(), year: self.year, ..SourceOptions::default() }
    }
}

const REPORT_EXAMPLES: &str = "\
Examples:
  backchannel report --html -o report.html Sysmon.evtx Security.evtx
  backchannel report --html -o report.html logs.zip --config site.toml --baseline fleet.baseline

The file contains the viewer and the data, needs no server and makes no network request.

Exit status:
  0  the report was written, with or without findings
  2  the report was not written or is incomplete: no readable input, invalid settings, module rejected or failed";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct Report {
    /// Files and folders to read; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Write one HTML file. Required, because other formats may follow.
    #[arg(long, required = true)]
    pub(crate) html: bool,

    /// File to write the report to; `-` is standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

const LEARN_EXAMPLES: &str = "\
Examples:
  backchannel learn last-month/ -o fleet.baseline
  backchannel learn ws01/*.evtx -o ws01.baseline
  backchannel baseline merge ws01.baseline ws02.baseline -o fleet.baseline
  backchannel replay today/ --baseline fleet.baseline

A baseline applies to a host after 3 days and 500 observations. Activity that was involved in a finding on the day it
was first seen is not learned as normal.";

#[derive(Debug, Args)]
#[command(after_help = LEARN_EXAMPLES)]
pub(crate) struct Learn {
    /// Files and folders to learn from; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// File to write the baseline to.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Site settings, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Host name for records that contain none.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// Year for records whose time has none (syslog).
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    pub(crate) year: Option<i32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Merge baselines, for example of several hosts or days. The order does not matter.
    Merge {
        /// Baselines to merge.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// File to write the result to.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print a baseline: one JSON object per exchange, sorted.
    Show {
        /// Baseline to print.
        file: PathBuf,
    },
    /// Print the differences between two baselines.
    Diff {
        /// Older baseline.
        before: PathBuf,
        /// Newer baseline.
        after: PathBuf,
    },
}

const SIMULATE_EXAMPLES: &str = "\
Examples:
  backchannel simulate logs/
  backchannel simulate logs/ --windows 100 --linux 20 --days 7 --attacks none
  backchannel simulate logs/ --attacks dcom-mmc20,getsystem-pipe --windows-shape winlogbeat
  backchannel replay logs/

The same options give the same bytes. truth.json in the folder labels the attacks and their records.";

#[derive(Debug, Args)]
#[command(after_help = SIMULATE_EXAMPLES)]
pub(crate) struct Simulate {
    /// Folder to write to.
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(crate) options: backchannel_simulate::Options,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Id of the analytic, such as IPC-DCOM-006.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Analytics {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CatalogueFormat,

    /// Detection module to use instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,

    /// When to colour the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Colour,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Human-readable table.
    #[default]
    Table,
    /// One JSON object per line, the summary last.
    Jsonl,
    /// OCSF 1.8.0 Detection Findings, one JSON object per line, without suppressed findings.
    Ocsf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CatalogueFormat {
    /// Human-readable table.
    #[default]
    Table,
    /// One JSON object per line.
    Jsonl,
    /// Layer for the ATT&CK Navigator.
    Navigator,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// Most severe first.
    #[default]
    Severity,
    /// Oldest first.
    Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// If the output is a terminal and NO_COLOR is not set.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailOn {
    Severity(Severity),
    Never,
}

/// The format of the inputs, given or to be detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Auto,
    Is(InputFormat),
}

fn severity(text: &str) -> Result<Severity, String> {
    let names = Severity::ALL.map(Severity::as_str);
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(FailOn::Never);
    }
    severity(text).map(FailOn::Severity).map_err(|error| format!("{error}, or never"))
}

fn input_format(text: &str) -> Result<Input, String> {
    match text {
        "auto" => Ok(Input::Auto),
        _ => InputFormat::from_name(text).map(Input::Is).ok_or_else(|| {
            let names: Vec<&str> = InputFormat::all().map(InputFormat::as_str).collect();
            format!("expected auto, {}", names.join(", "))
        }),
    }
}

fn carrier(text: &str) -> Result<Carrier, String> {
    match text {
        "packed" => Ok(Carrier::Packed),
        "events" => Ok(Carrier::Events),
        "records" => Ok(Carrier::Records),
        "text" => Ok(Carrier::Text),
        _ => Err("expected packed, events, records or text".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn fail_on_accepts_never() {
        assert_eq!(fail_on("Never"), Ok(FailOn::Never));
        assert_eq!(fail_on("high"), Ok(FailOn::Severity(Severity::High)));
        assert!(fail_on("bad").unwrap_err().contains("never"));
    }
}
