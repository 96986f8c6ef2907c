//! [`Sources`]: inputs that are read together.

use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::input::Input;
use crate::open::Opener;
use crate::skips::{SkipDetail, Skips, Tally};
use crate::{Bytes, Merge, Options, RecordStream};

/// Inputs that were found and recognised.
pub struct Sources {
    inputs: Vec<Input>,
    skips: Skips,
    empty: Vec<String>,
    options: Options,
    size: u64,
    done: Arc<AtomicU64>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("inputs", &self.inputs.len()).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Sources {
    /// Without inputs.
    pub fn new(options: Options) -> Self {
        let skips = Skips::new(options.skips_kept);
        Self { inputs: Vec::new(), skips, empty: Vec::new(), options, size: 0, done: Arc::default() }
    }

    /// Adds a log, a compressed log, or an archive of logs. Evidence refers to it by `name`.
    pub fn push(&mut self, name: &str, bytes: Rc<dyn Bytes>) {
        self.open(|opener| opener.bytes(name, bytes));
    }

    /// Adds a stream that can be read only once: a pipe, standard input. If it has no data for now, `read` must fail
    /// with [`WouldBlock`](std::io::ErrorKind::WouldBlock); events read so far are then returned.
    pub fn push_stream(&mut self, name: &str, reader: Box<dyn Read>) {
        self.open(|opener| opener.stream(name, reader));
    }

    /// Counts an input that cannot be read at all.
    pub fn push_problem(&mut self, name: &str, reason: String) {
        self.skips.add(SkipDetail::of_input(name, "unreadable", reason));
    }

    fn open(&mut self, add: impl FnOnce(&mut Opener<'_>)) {
        let mut opener =
            Opener { options: &self.options, inputs: Vec::new(), skips: &mut self.skips, empty: &mut self.empty };
        add(&mut opener);
        let inputs = opener.inputs;
        self.size += inputs.iter().map(Input::size).sum::<u64>();
        self.inputs.extend(inputs);
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are no inputs.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Names of inputs without contents.
    pub fn empty_inputs(&self) -> &[String] {
        &self.empty
    }

    /// Records and inputs skipped so far.
    pub fn skips(&self) -> &Skips {
        &self.skips
    }

    /// Progress of reading.
    pub fn progress(&self) -> Progress {
        Progress { size: self.size, done: Arc::clone(&self.done) }
    }

    /// The events of all inputs, in the order of their time.
    pub fn events(self) -> Merge {
        let tally = Tally::new(self.skips, self.empty);
        Merge::new(self.inputs, tally, self.options, self.done)
    }

    /// The records of all inputs, one input after the other.
    pub fn records(self) -> RecordStream {
        let tally = Tally::new(self.skips, self.empty);
        RecordStream::new(self.inputs, tally, self.options, self.done)
    }

    /// The input with this name.
    pub(crate) fn into_input(self, name: &str) -> Option<Input> {
        self.inputs.into_iter().find(|input| &*input.name == name)
    }
}

/// Progress of reading.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    size: u64,
    done: Arc<AtomicU64>,
}

impl Progress {
    /// Total stored size in bytes; inputs of unknown size count as 0.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Stored bytes read.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}
