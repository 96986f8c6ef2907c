//! Records per CPU second of every pipeline from logs to findings, compared with other libraries that parse the same
//! logs.
//!
//! `cargo xtask bench -- [--rounds N] [--seconds S] [--corpus FOLDER] [--only evtx|json]`. All pipelines run in turn, round
//! after round, so that slow phases of the machine affect all of them; the table gives medians. Absolute numbers depend
//! on the machine; compare the ratios below them. The corpus can also be set with `BACKCHANNEL_CORPUS`; without one the
//! inputs of the cases are read.

mod inputs;
mod lanes;

use std::path::{Path, PathBuf};
use std::process::Command;

use backchannel_host::replay::{ReplayOptions, Silent, replay};
use backchannel_host::source::{self, Filled, SourceOptions};
use backchannel_tests::component::module;
use backchannel_tests::median;
use cpu_time::ProcessTime;
use inputs::Inputs;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A pipeline over all files; returns the number of records.
type Way = fn(&[PathBuf]) -> u64;

const WAYS: [(&str, Way); 5] = [
    ("decode", lanes::decode),
    ("decode + normalise", lanes::normalize),
    ("whole, native", lanes::native),
    ("whole, native, packed", packed),
    ("whole, component", component),
];

struct Wishes {
    rounds: usize,
    seconds: f64,
    corpus: Option<PathBuf>,
    only: Option<String>,
    /// Set in the child process that measures memory: the index of a pipeline.
    memory_of: Option<usize>,
    folder: Option<PathBuf>,
    reference_parsers: Option<PathBuf>,
}

fn main() -> Outcome<()> {
    let wishes = wishes()?;
    if let (Some(way), Some(folder)) = (wishes.memory_of, &wishes.folder) {
        WAYS[way].1(&inputs::all(folder)?.0);
        println!("{}", peak_memory()?);
        return Ok(());
    }
    let inputs = Inputs::collect(wishes.corpus.as_deref())?;
    for (kind, reference, folder) in [
        ("evtx", "the evtx crate, iterating only", inputs.evtx()),
        ("json", "sonic-rs, 27 fields, borrowed", inputs.json()),
    ] {
        if wishes.only.as_deref().is_none_or(|only| only == kind) {
            table(kind, reference, &folder, &wishes)?;
        }
    }
    Ok(())
}

fn wishes() -> Outcome<Wishes> {
    let mut wishes = Wishes {
        rounds: 5,
        seconds: 1.0,
        corpus: std::env::var_os("BACKCHANNEL_CORPUS").map(PathBuf::from),
        only: None,
        memory_of: None,
        folder: None,
        reference_parsers: std::env::var_os("BACKCHANNEL_REFERENCE_PARSERS").map(PathBuf::from),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--rounds" => wishes.rounds = value()?.parse()?,
            "--seconds" => wishes.seconds = value()?.parse()?,
            "--corpus" => wishes.corpus = Some(value()?.into()),
            "--only" => wishes.only = Some(value()?),
            "--memory-of" => wishes.memory_of = Some(value()?.parse()?),
            "--folder" => wishes.folder = Some(value()?.into()),
            // Passed by cargo to benchmarks.
            "--bench" => {}
            other => return Err(format!("{other} is not known").into()),
        }
    }
    Ok(wishes)
}

/// Measures all pipelines on one folder and prints the results.
fn table(kind: &str, reference: &str, folder: &Path, wishes: &Wishes) -> Outcome<()> {
    let (paths, size) = inputs::all(folder)?;
    if paths.is_empty() {
        println!("{kind}: no input\n");
        return Ok(());
    }
    let mut rates = vec![Vec::new(); WAYS.len() + 1];
    let mut records = 0;
    for _ in 0..wishes.rounds {
        for (way, rates) in WAYS.iter().zip(&mut rates) {
            let start = ProcessTime::now();
            let (mut read, mut taken) = (0, 0.0);
            while taken < wishes.seconds {
                records = way.1(&paths);
                read += records;
                taken = start.elapsed().as_secs_f64();
            }
            rates.push(read as f64 / taken);
        }
        if let (Some(program), Some(rates)) = (&wishes.reference_parsers, rates.last_mut()) {
            rates.push(measure(program, kind, wishes.seconds, folder)?);
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    println!("{kind}: {records} records, {} MB, {} files; {} rounds\n", size / 1_000_000, paths.len(), wishes.rounds);
    println!("| way | records/CPU-s | peak RSS MB |\n| --- | ---: | ---: |");
    for (number, ((name, _), rate)) in WAYS.iter().zip(&medians).enumerate() {
        println!("| {name} | {rate:.0} | {:.0} |", memory(number, folder)?);
    }
    if medians[WAYS.len()] > 0.0 {
        println!("| {reference} | {:.0} | |", medians[WAYS.len()]);
    }
    println!("\n| ratio | |\n| --- | ---: |");
    let [_, normalized, native, packed, component, other] = medians.as_slice() else { return Ok(()) };
    for (name, ratio) in [
        ("CPU of the component / native", native / component),
        ("CPU of the component / native on packed batches", packed / component),
        ("CPU of the component / decode + normalise", normalized / component),
        ("speed of the component / reference parser", if *other > 0.0 { component / other } else { f64::NAN }),
    ] {
        println!("| {name} | {ratio:.2} |");
    }
    println!();
    Ok(())
}

/// Records per CPU second of another library, measured in a separate process.
fn measure(program: &Path, kind: &str, seconds: f64, folder: &Path) -> Outcome<f64> {
    let output = Command::new(program).arg(kind).arg(seconds.to_string()).arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (records, taken) = text.trim().split_once(' ').ok_or("the reference parser did not print two numbers")?;
    Ok(records.parse::<f64>()? / taken.parse::<f64>()?)
}

/// Peak memory in MB of one pass of a pipeline, measured in a separate process.
fn memory(way: usize, folder: &Path) -> Outcome<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["--memory-of", &way.to_string(), "--folder"]).arg(folder).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Peak resident memory of this process in MB; 0 if the system does not report it.
fn peak_memory() -> Outcome<f64> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(0.0) };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0)
}

/// The whole pipeline of the harness, with the engine linked in place of the component.
fn packed(files: &[PathBuf]) -> u64 {
    let mut stages = lanes::Stages::open();
    let mut merge = source::open(files, SourceOptions::default()).events();
    loop {
        let mut bytes = Vec::new();
        match merge.fill(&mut bytes) {
            Filled::Batch(_) => stages.take(|engine| engine.packed(&bytes).expect("the builder packs well")),
            Filled::Idle => {}
            Filled::End => break,
        }
    }
    stages.finish();
    merge.into_tally().read
}

/// The whole pipeline of `backchannel replay`, without its output.
fn component(files: &[PathBuf]) -> u64 {
    let sources = source::open(files, SourceOptions::default());
    let report = replay(module(), sources, &ReplayOptions::default(), &mut Silent).expect("the replay ends well");
    report.summary.records.read
}
