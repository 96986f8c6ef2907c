//! Where events come from: files, folders, archives and pipes, as one stream in the order of their time.
//!
//! An input is what holds records: a file, a member of an archive, standard input. Its format is told from its
//! content. Inside an input its own order counts; across inputs, event time: each input is read only as far as it is
//! due, so that nothing but one event of each is held. What cannot be read is counted and kept with its reason.

mod clock;
mod evtx;
mod follow;
mod merge;
mod open;
mod raw;
mod skips;
mod stream;
#[cfg(test)]
mod tests;
mod text;
mod unpack;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backchannel_normalize::ClockOffset;

pub use backchannel_decode::InputFormat;
pub use follow::Stop;
pub use merge::{Filled, Merge, Packed};
pub use raw::RawStream;
pub use skips::{SkipDetail, Skips};
pub use unpack::UnpackLimits;

use open::{Input, Opener};
use walk::Found;

/// How many inputs are open at a time.
pub const OPEN_INPUTS: usize = 64;

/// How inputs are read.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Their format; `None`: told from their content.
    pub format: Option<InputFormat>,
    /// Host for records that name none.
    pub host: Option<String>,
    /// Year of records that have none (syslog).
    pub year: Option<i32>,
    /// They are still being written to: what came is not held back.
    pub follow: bool,
    /// Ends what is followed.
    pub stop: Stop,
    /// How far they may swell.
    pub unpack: UnpackLimits,
    /// How many skipped records are kept with their details.
    pub skips_kept: usize,
}

/// Inputs that were found and recognised.
pub struct Sources {
    inputs: Vec<Input>,
    skips: Skips,
    empty: Vec<String>,
    options: SourceOptions,
    size: u64,
    done: Arc<AtomicU64>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("inputs", &self.inputs.len()).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Sources {
    /// Looks at what `paths` name: `-` is standard input, a folder stands for all it holds.
    pub fn open(paths: &[PathBuf], options: SourceOptions) -> Self {
        let mut opener = Opener::new(&options, Skips::new(options.skips_kept));
        for found in walk::walk(paths) {
            match found {
                Found::File(path) => opener.file(&path),
                Found::Stdin => opener.stream("-", Box::new(std::io::stdin())),
                Found::Stream(path) => match std::fs::File::open(&path) {
                    Ok(file) => opener.stream(&path.display().to_string(), Box::new(file)),
                    Err(error) => opener.problem(&path.display().to_string(), "unreadable", error.to_string()),
                },
                Found::Problem(path, reason) => opener.problem(&path.display().to_string(), "unreadable", reason),
            }
        }
        let opened = opener.finish();
        let size = opened.inputs.iter().map(Input::size).sum();
        Self {
            inputs: opened.inputs,
            skips: opened.skips,
            empty: opened.empty,
            options,
            size,
            done: Arc::new(AtomicU64::new(0)),
        }
    }

    /// How many inputs there are.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Names of inputs that hold nothing.
    pub fn empty_inputs(&self) -> &[String] {
        &self.empty
    }

    /// What could not be used so far.
    pub fn skips(&self) -> &Skips {
        &self.skips
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        Progress { size: self.size, done: Arc::clone(&self.done) }
    }

    /// The events of all inputs, in the order of their time.
    pub fn events(self) -> Merge {
        Merge::new(self.inputs, self.skips, self.options, self.done)
    }

    /// The records of all inputs, one input after the other.
    pub fn records(self) -> RawStream {
        RawStream::new(self.inputs, self.skips, self.options, self.done)
    }
}

/// How far reading has come.
#[derive(Clone, Debug)]
pub struct Progress {
    size: u64,
    done: Arc<AtomicU64>,
}

impl Progress {
    /// Bytes there are, as they lie on the disk; 0 where that is not known.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that were read.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// What was read, and what came of it.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Records read, those that were skipped included.
    pub read: u64,
    /// Records that are in order but carry nothing of use.
    pub unused: u64,
    /// What was not used.
    pub skips: Skips,
    /// What looks wrong in inputs that were read all the same.
    pub notes: Skips,
    /// Sources whose clock is off.
    pub clock_offsets: Vec<ClockOffset>,
}

impl Tally {
    fn new(skips: Skips) -> Self {
        let notes = Skips::new(skips.kept());
        Self { read: 0, unused: 0, skips, notes, clock_offsets: Vec::new() }
    }
}
