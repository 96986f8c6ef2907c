//! `backchannel replay`: logs in, findings out.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use backchannel_host::component::Limits;
use backchannel_host::replay::{Observer, ReplayError, ReplayOptions, Report, replay};
use backchannel_host::report::{FindingEnvelope, IncidentEnvelope, Ocsf};
use backchannel_host::source::{self, Progress, SourceOptions, Stop};

use super::narrow::{self, Narrow};
use super::{baseline, complain, engine, load};
use crate::cli::{FailOn, OutputFormat, Replay, Sort};
use crate::commands::settings;
use crate::exit::Exit;
use crate::output::{Paint, detail, jsonl, plain, screen, skipped, table};
use backchannel_host::Timestamp;

/// How many skipped records are kept with `--verbose`.
const VERBOSE_SKIPS: usize = 10_000;

pub(crate) fn run(arguments: &Replay) -> Exit {
    match prepare_and_run(arguments) {
        Ok(exit) => exit,
        Err(text) => {
            if !text.is_empty() {
                complain(&text);
            }
            Exit::Untrusted
        }
    }
}

/// An error's text; empty where it was shown already.
fn prepare_and_run(arguments: &Replay) -> Result<Exit, String> {
    if arguments.follow && arguments.paths.len() != 1 {
        return Err("--follow takes a single input".into());
    }
    let stop = Stop::default();
    if arguments.follow {
        end_on_signal(stop.clone())?;
    }
    let settings = settings::read(arguments.reading.config.as_deref())?;
    let module = load(&engine()?, arguments.reading.module.as_deref())?;
    let reading = SourceOptions {
        skips_kept: if arguments.verbose { VERBOSE_SKIPS } else { arguments.skipped_list },
        ..arguments.reading.source_options()
    };
    let sources = if arguments.follow {
        source::follow(&arguments.paths, reading, &stop)
    } else {
        source::open(&arguments.paths, reading)
    };
    let options = ReplayOptions {
        carrier: arguments.carrier,
        batch: arguments.batch,
        limits: Limits {
            memory: arguments.memory_limit as usize * 1024 * 1024,
            batch_time: Duration::from_secs(arguments.batch_timeout.into()),
            ..Limits::default()
        },
        settings: match arguments.show_secrets {
            true => Some(settings::with_secrets(settings.as_ref())),
            false => settings.as_ref().map(|file| file.json().to_owned()),
        },
        baseline: arguments.reading.baseline.as_deref().map(|file| baseline(&module, file)).transpose()?,
        incidents_at_once: arguments.follow,
    };
    let mut watcher = Watcher::new(arguments, sources.progress());
    let outcome = replay(&module, sources, &options, &mut watcher);
    watcher.bar.finish_and_clear();
    let report = match outcome {
        Ok(report) => report,
        Err(ReplayError::Host(error)) => return Err(settings::failed(&error, settings.as_ref())),
        // Whoever read our output has left; that is no mistake of ours or theirs.
        Err(ReplayError::Observer(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Clean),
        Err(ReplayError::Observer(error)) => return Err(format!("standard output: {error}")),
    };
    match print(arguments, &report) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(format!("standard output: {error}")),
        Ok(()) | Err(_) => {}
    }
    // Syslog has dates without a year; the decoder puts them into the first year there is.
    const YEAR: i64 = 366 * 24 * 3600 * Timestamp::SECOND;
    if arguments.reading.year.is_none() && report.summary.first_time.is_some_and(|time| (0..YEAR).contains(&time.0)) {
        complain("some records have no year and stand in 1970: --year says which it was");
    }
    skipped::print(&report.skips, &report.notes, arguments.verbose);
    Ok(judge(arguments, &report))
}

/// A first signal to end (Ctrl-C, SIGTERM of a service manager) ends the input, so that what waits is told and the
/// summary printed; a second one ends the program.
fn end_on_signal(stop: Stop) -> Result<(), String> {
    let mut asked = false;
    let hear = move || {
        if std::mem::replace(&mut asked, true) {
            std::process::exit(Exit::Untrusted as i32);
        }
        stop.ask();
    };
    ctrlc::set_handler(hear).map_err(|error| format!("signals cannot be handled: {error}"))
}

fn print(arguments: &Replay, report: &Report) -> io::Result<()> {
    let paint = Paint::choose(arguments.color);
    let (narrow, unmatched) = Narrow::of_run(arguments, &report.findings, &report.incidents);
    if !unmatched.is_empty() && !arguments.follow {
        let known: Vec<String> = narrow::names(&report.findings, &report.incidents).into_iter().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        complain(&format!(
            "--only-host: nothing found names {}; machines found: {}",
            unmatched.join(", "),
            plain(&known)
        ));
    }
    let shown: Vec<&FindingEnvelope> = report.findings.iter().filter(|finding| narrow.shows(finding)).collect();
    let ids = shown.iter().map(|finding| finding.id.as_str()).collect();
    let incidents: Vec<&IncidentEnvelope> =
        report.incidents.iter().filter(|incident| narrow.shows_incident(incident, &ids)).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        OutputFormat::Jsonl => {
            if !arguments.follow {
                incidents.iter().try_for_each(|incident| jsonl::line(&mut out, &incident.document))?;
                shown.iter().try_for_each(|finding| jsonl::line(&mut out, &finding.document))?;
            }
            jsonl::line(&mut out, &report.summary.document())?;
        }
        OutputFormat::Ocsf => {
            if !arguments.follow {
                let ocsf = Ocsf::new(incidents.iter().map(|incident| incident.document.as_str()));
                shown.iter().try_for_each(|finding| detection(&mut out, &ocsf, finding))?;
            }
        }
        OutputFormat::Table => {
            if arguments.detail || arguments.follow {
                if !arguments.follow {
                    for (at, incident) in incidents.iter().enumerate() {
                        detail::page(&mut out, at + 1, incident, &paint)?;
                    }
                    table::findings(&mut out, &sorted(shown, arguments.sort), &paint)?;
                }
                table::summary(&mut out, &report.summary, &paint)?;
            } else {
                screen::print(&mut out, report, &incidents, sorted(shown, arguments.sort), &paint)?;
            }
            if arguments.verbose {
                table::inactive_list(&mut out, &report.summary)?;
            }
        }
    }
    out.flush()
}

/// Findings come by time; a stable sort by severity keeps that among those that are equally severe.
fn sorted(mut findings: Vec<&FindingEnvelope>, order: Sort) -> Vec<&FindingEnvelope> {
    if order == Sort::Severity {
        findings.sort_by_key(|finding| (finding.suppressed, std::cmp::Reverse(finding.severity)));
    }
    findings
}

/// Writes a finding as OCSF, unless a rule silenced it.
fn detection(out: &mut dyn Write, ocsf: &Ocsf, finding: &FindingEnvelope) -> io::Result<()> {
    match ocsf.detection(&finding.document)? {
        Some(detection) => jsonl::line(out, &detection),
        None => Ok(()),
    }
}

fn judge(arguments: &Replay, report: &Report) -> Exit {
    let summary = &report.summary;
    if summary.records.evaluated == 0 && summary.records.unused == 0 {
        complain(if summary.empty_inputs.is_empty() {
            "nothing was readable: no record of a known log format was found"
        } else {
            "nothing was readable: the input is empty"
        });
        return Exit::Untrusted;
    }
    if arguments.strict && summary.records.skipped > 0 {
        complain(&format!("--strict: {} skipped", summary.records.skipped));
        return Exit::Untrusted;
    }
    match arguments.fail_on {
        FailOn::Severity(severity) if summary.findings_from(severity) > 0 => Exit::Found,
        FailOn::Severity(_) | FailOn::Never => Exit::Clean,
    }
}

/// Follows the replay: a bar where somebody sees it, findings at once where that was asked for.
struct Watcher<'a> {
    arguments: &'a Replay,
    progress: Progress,
    bar: indicatif::ProgressBar,
    paint: Paint,
}

impl<'a> Watcher<'a> {
    fn new(arguments: &'a Replay, progress: Progress) -> Self {
        // Shorter runs need no bar.
        const LONG: u64 = 8 * 1024 * 1024;
        let wanted =
            !arguments.no_progress && !arguments.follow && io::stderr().is_terminal() && progress.size() > LONG;
        let bar = if wanted { indicatif::ProgressBar::new(progress.size()) } else { indicatif::ProgressBar::hidden() };
        if let Ok(style) =
            indicatif::ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self { arguments, progress, bar, paint: Paint::choose(arguments.color) }
    }
}

impl Observer for Watcher<'_> {
    fn finding(&mut self, finding: &FindingEnvelope) -> io::Result<()> {
        if !self.arguments.follow || !Narrow::new(self.arguments).shows(finding) {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match self.arguments.format {
            OutputFormat::Jsonl => jsonl::line(&mut out, &finding.document)?,
            OutputFormat::Ocsf => detection(&mut out, &Ocsf::default(), finding)?,
            OutputFormat::Table => table::line(&mut out, finding, &self.paint)?,
        }
        out.flush()
    }

    fn incident(&mut self, incident: &IncidentEnvelope) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.arguments.format {
            OutputFormat::Jsonl => jsonl::line(&mut out, &incident.document)?,
            // A Detection Finding is one finding; which incident it belongs to is not known yet.
            OutputFormat::Ocsf => {}
            OutputFormat::Table => table::incident_line(&mut out, incident, &self.paint)?,
        }
        out.flush()
    }

    fn batch(&mut self) {
        self.bar.set_position(self.progress.done());
    }
}
