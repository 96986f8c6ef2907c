//! Inputs on this machine: opens files, folders and pipes for [`backchannel_source`], which reads them as one stream in
//! the order of event time.

mod files;
mod follow;
mod walk;

use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;

pub use backchannel_source::{
    Filled, InputFormat, Merge, OPEN_INPUTS, Options as SourceOptions, Packed, Progress, RecordStream, SkipDetail,
    Skips, Sources, Tally, UnpackLimits,
};

pub use follow::Stop;

use files::{FileBytes, TemporaryFile};
use follow::{Followed, TimedPace};
use walk::Found;

/// Opens what `paths` name: `-` is standard input, a folder stands for all files in it. An archive that is itself
/// compressed is unpacked to a temporary file.
pub fn open(paths: &[PathBuf], options: SourceOptions) -> Sources {
    add(paths, options, |stream| stream)
}

/// Opens inputs that are still being written: events are delayed by at most 200 milliseconds, and `stop` ends pipes and
/// standard input.
pub fn follow(paths: &[PathBuf], options: SourceOptions, stop: &Stop) -> Sources {
    let options = SourceOptions { pace: Some(|| Box::new(TimedPace::default())), ..options };
    add(paths, options, |stream| Box::new(Followed::new(stream, stop.clone())))
}

fn add(
    paths: &[PathBuf],
    options: SourceOptions,
    prepare: impl Fn(Box<dyn Read + Send>) -> Box<dyn Read + Send>,
) -> Sources {
    let mut sources = Sources::new(SourceOptions { spool: TemporaryFile::create, ..options });
    for found in walk::walk(paths) {
        match found {
            Found::File(path) => sources.push(&path.display().to_string(), Rc::new(FileBytes::new(path))),
            Found::Stdin => sources.push_stream("-", prepare(Box::new(std::io::stdin()))),
            Found::Stream(path) => match std::fs::File::open(&path) {
                Ok(file) => sources.push_stream(&path.display().to_string(), prepare(Box::new(file))),
                Err(error) => sources.push_problem(&path.display().to_string(), error.to_string()),
            },
            Found::Problem(path, reason) => sources.push_problem(&path.display().to_string(), reason),
        }
    }
    sources
}
