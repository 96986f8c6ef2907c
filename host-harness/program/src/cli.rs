//! What the program can be told.

use std::path::PathBuf;

use backchannel_host::replay::Carrier;
use backchannel_host::source::{InputFormat, SourceOptions};
use backchannel_host::{Severity, Timestamp};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Hears which processes talk to each other, and says when they should not.
///
/// Backchannel reads the logs a company already has and finds abuse of inter-process communication (MITRE ATT&CK
/// T1559): COM and DCOM, DDE, named pipes, Unix sockets, D-Bus, FIFOs, XPC.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read logs and print what was found in them.
    Replay(Box<Replay>),
    /// Read logs and write what was found into one file that any browser shows.
    Report(Report),
    /// Learn from logs which processes usually talk to each other, and write it down as a baseline.
    Learn(Learn),
    /// Work with baselines.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// List what can be found, and the logs it needs.
    Analytics(Analytics),
    /// Explain one analytic: what it needs, what it detects, what looks alike.
    Explain(Explain),
    /// Make the logs of a company that does not exist, with attacks and the truth about them.
    Simulate(Simulate),
    /// Work with settings files.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Put settings and a baseline into a module, for hosts that can pass none.
    Bake(Bake),
    /// Work with detection modules.
    #[command(subcommand)]
    Module(ModuleCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Check a settings file: each mistake with its line and column, and what is allowed there.
    Check {
        /// The file, TOML or JSON.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Look at a module: its version, its contract, what is baked in, what it imports, whether it is signed.
    Inspect {
        /// The module: a component, or a filter for Fluent Bit.
        file: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write the module that is inside the program, for another host.
    Export {
        /// For which host.
        #[arg(long, value_enum, default_value_t)]
        target: Target,
        /// File to write it to.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Hosts that a module is built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Any runtime of WebAssembly components.
    #[default]
    Component,
    /// The filter `wasm` of Fluent Bit.
    FluentBit,
}

const BAKE_EXAMPLES: &str = "\
Examples:
  backchannel bake --config site.toml -o site.wasm
  backchannel bake --config site.toml --baseline fleet.baseline -o site.wasm
  backchannel bake --config site.toml --target fluent-bit -o fluent-bit.wasm
  backchannel module inspect site.wasm
  backchannel replay logs/ --module site.wasm

The same inputs give the same bytes. Indicators of compromise are part of the settings. What a host gives when it
opens a component takes the place of what is baked in; a filter for Fluent Bit can be given nothing else.";

#[derive(Debug, Args)]
#[command(after_help = BAKE_EXAMPLES)]
#[command(group = clap::ArgGroup::new("site").args(["config", "baseline"]).multiple(true).required(true))]
pub(crate) struct Bake {
    /// Settings of the site, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Baseline to compare with, as `backchannel learn` wrote it.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// For which host.
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

Inputs are recognised by their content: Windows event logs (EVTX), Windows events as JSON or XML from any shipper,
Linux audit logs, syslog, Zeek, and Backchannel's own events; packed as .gz, .zst, .zip, .tar or not.

Exit status:
  0  nothing at or above --fail-on
  1  something at or above --fail-on
  2  the run cannot be trusted: nothing readable, settings wrong, module refused or lost; with --strict also
     when a record was skipped";

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct Replay {
    /// Files and folders to read; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: OutputFormat,

    /// Order of the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) sort: Sort,

    /// Print only findings at least this severe.
    #[arg(long, value_name = "SEVERITY", value_parser = severity, default_value = "info")]
    pub(crate) min_severity: Severity,

    /// Show all of each incident and each finding.
    #[arg(long)]
    pub(crate) detail: bool,

    /// Show only findings from this moment on: 2026-03-02, "2026-03-02 07:30:15.250" as it is printed, or
    /// 2026-03-02T07:30:15Z. All events are still evaluated.
    #[arg(long, value_name = "TIME", value_parser = crate::commands::narrow::first)]
    pub(crate) from: Option<Timestamp>,

    /// Show only findings up to this moment, the day or second that is given included.
    #[arg(long, value_name = "TIME", alias = "to", value_parser = crate::commands::narrow::last)]
    pub(crate) until: Option<Timestamp>,

    /// Show only findings in which this machine takes part: by any name or address that is printed; may be given several
    /// times.
    #[arg(long, value_name = "NAME")]
    pub(crate) only_host: Vec<String>,

    /// Show only findings under this account; may be given several times.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) only_user: Vec<String>,

    /// Exit with 1 if a finding is at least this severe; `never`: do not.
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on, default_value = "medium")]
    pub(crate) fail_on: FailOn,

    /// Exit with 2 if a record was skipped.
    #[arg(long)]
    pub(crate) strict: bool,

    /// Leave passwords and tokens on command lines readable; they are masked (****) otherwise.
    #[arg(long)]
    pub(crate) show_secrets: bool,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Print findings at once, while the input is still being written to. SIGTERM or Ctrl-C ends it with the summary.
    #[arg(long)]
    pub(crate) follow: bool,

    /// How many skipped records are listed.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) skipped_list: usize,

    /// List all skipped records (10,000 at most), and the analytics that were inactive.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Memory the module may use, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub(crate) memory_limit: u32,

    /// Time the module may take for a batch, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_timeout: u32,

    /// Show no progress.
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Colour in the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Colour,

    /// Events a batch has at most.
    #[arg(long, hide = true, default_value_t = 1024)]
    pub(crate) batch: usize,

    /// In which form events enter the module.
    #[arg(long, hide = true, value_parser = carrier, default_value = "packed")]
    pub(crate) carrier: Carrier,
}

/// With what logs are read and judged.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Settings of the site, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Baseline to compare with, as `backchannel learn` wrote it.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Use this detection module instead of the one inside the program.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,

    /// Host for records that name none.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// Format of the inputs, where their content does not say it.
    #[arg(long, value_name = "FORMAT", value_parser = input_format)]
    pub(crate) input_format: Option<Input>,

    /// Year of records that have none (syslog).
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    pub(crate) year: Option<i32>,
}

impl Reading {
    /// How the inputs are read, as far as it was said here.
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

The file holds the viewer and the data, needs no server and makes no network request.

Exit status:
  0  the report was written, whatever was found
  2  it was not, or the run cannot be trusted: nothing readable, settings wrong, module refused or lost";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct Report {
    /// Files and folders to read; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// As one HTML file; the only form so far, and therefore to be named.
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

A host counts as known after 3 days and 500 observations. What an alarm touched on the day it was first seen is
not learned as usual.";

#[derive(Debug, Args)]
#[command(after_help = LEARN_EXAMPLES)]
pub(crate) struct Learn {
    /// Files and folders to learn from; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// File to write the baseline to.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Settings of the site, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Host for records that name none.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,

    /// Year of records that have none (syslog).
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    pub(crate) year: Option<i32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Put baselines together: of hosts, of days. The same bytes in any order.
    Merge {
        /// The baselines.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// File to write the result to.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print a baseline: one JSON object an exchange, sorted.
    Show {
        /// The baseline.
        file: PathBuf,
    },
    /// Print what is only in one of two baselines.
    Diff {
        /// The older one.
        before: PathBuf,
        /// The newer one.
        after: PathBuf,
    },
}

const SIMULATE_EXAMPLES: &str = "\
Examples:
  backchannel simulate logs/
  backchannel simulate logs/ --windows 100 --linux 20 --days 7 --attacks none
  backchannel simulate logs/ --attacks dcom-mmc20,getsystem-pipe --windows-shape winlogbeat
  backchannel replay logs/

The same options give the same bytes. truth.json in the folder says which attack is where.";

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
    /// Catalogue id, such as IPC-DCOM-006.
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Analytics {
    /// How they are printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CatalogueFormat,

    /// Use this detection module instead of the one inside the program.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,

    /// Colour in the table.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Colour,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object a line, the summary last.
    Jsonl,
    /// OCSF 1.8.0 Detection Findings, one JSON object a line: the findings that no rule silenced.
    Ocsf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CatalogueFormat {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object a line.
    Jsonl,
    /// A layer for the ATT&CK Navigator.
    Navigator,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// The most severe first.
    #[default]
    Severity,
    /// The oldest first.
    Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
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

/// An input's format, or that it is to be recognised.
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
    fn fail_on_knows_never() {
        assert_eq!(fail_on("Never"), Ok(FailOn::Never));
        assert_eq!(fail_on("high"), Ok(FailOn::Severity(Severity::High)));
        assert!(fail_on("bad").unwrap_err().contains("never"));
    }
}
