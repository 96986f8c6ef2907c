//! `backchannel learn` and `backchannel baseline`: learns, merges, shows and compares baselines.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use backchannel_host::component::{Batch, Learner, Limits, Module, merge_baselines, show_baseline};
use backchannel_host::source::{self, Filled, SourceOptions};

use super::{complain, engine, load, settings};
use crate::cli::{BaselineCommand, Learn};
use crate::exit::Exit;
use crate::output::{jsonl, plain, skipped};

/// Learns from logs and writes a baseline.
pub(crate) fn learn(arguments: &Learn) -> Exit {
    ended(try_learn(arguments))
}

/// Works with baselines.
pub(crate) fn baseline(command: &BaselineCommand) -> Exit {
    ended(match command {
        BaselineCommand::Merge { files, output } => merge(files, output),
        BaselineCommand::Show { file } => show(file),
        BaselineCommand::Diff { before, after } => diff(before, after),
    })
}

fn ended(done: Result<(), String>) -> Exit {
    match done {
        Ok(()) => Exit::Clean,
        Err(text) => {
            if !text.is_empty() {
                complain(&text);
            }
            Exit::Untrusted
        }
    }
}

fn module() -> Result<Module, String> {
    load(&engine()?, None)
}

fn try_learn(arguments: &Learn) -> Result<(), String> {
    let settings = settings::read(arguments.config.as_deref())?;
    let module = module()?;
    let limits = Limits::default();
    let json = settings.as_ref().map(|file| file.json());
    let opened = Learner::open(&module, &limits, json);
    let mut learner = opened.map_err(|error| settings::failed(&error, settings.as_ref()))?;
    let options = SourceOptions { host: arguments.host.clone(), year: arguments.year, ..SourceOptions::default() };
    let mut merge = source::open(&arguments.paths, options).events();
    let mut events = 0_u64;
    loop {
        let mut bytes = Vec::new();
        match merge.fill(&mut bytes) {
            Filled::Batch(count) => {
                learner.observe(Batch::Packed(bytes)).map_err(|error| error.to_string())?;
                events += count as u64;
            }
            Filled::Idle => {}
            Filled::End => break,
        }
    }
    let tally = merge.into_tally();
    skipped::print(&tally.skips, &tally.notes, false);
    if events == 0 {
        return Err("nothing was readable: no event of a known log format was found".into());
    }
    let baseline = learner.baseline().map_err(|error| error.to_string())?;
    write(&arguments.output, &baseline)?;
    let lines = show_baseline(&module, &limits, &baseline).map_err(|error| error.to_string())?;
    eprintln!("learned from {events} events: {}", lines.first().map_or("", String::as_str));
    Ok(())
}

fn merge(files: &[PathBuf], output: &Path) -> Result<(), String> {
    let baselines = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let merged = merge_baselines(&module()?, &Limits::default(), &baselines).map_err(|error| error.to_string())?;
    write(output, &merged)
}

fn show(file: &Path) -> Result<(), String> {
    let lines = lines(&module()?, file)?;
    print(lines.iter().map(String::as_str))
}

/// The differences between two baselines: `-` for removed lines, `+` for added ones.
fn diff(before: &Path, after: &Path) -> Result<(), String> {
    let module = module()?;
    let exchanges = |file: &Path| -> Result<BTreeSet<String>, String> {
        let key = |line: &String| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let parts = ["client", "mechanism", "endpoint", "server", "user"];
            parts.map(|part| value[part].as_str().unwrap_or_default().to_owned()).join(" | ")
        };
        Ok(lines(&module, file)?.iter().skip(1).map(key).collect())
    };
    let (before, after) = (exchanges(before)?, exchanges(after)?);
    let gone = before.difference(&after).map(|line| format!("- {line}"));
    let new = after.difference(&before).map(|line| format!("+ {line}"));
    let all: Vec<String> = gone.chain(new).collect();
    print(all.iter().map(String::as_str))
}

fn lines(module: &Module, file: &Path) -> Result<Vec<String>, String> {
    show_baseline(module, &Limits::default(), &read(file)?).map_err(|error| format!("{}: {error}", file.display()))
}

fn print<'l>(lines: impl Iterator<Item = &'l str>) -> Result<(), String> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut printed = Ok(());
    for line in lines {
        printed = if line.starts_with('{') { jsonl::line(&mut out, line) } else { writeln!(out, "{}", plain(line)) };
        if printed.is_err() {
            break;
        }
    }
    match printed.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}
