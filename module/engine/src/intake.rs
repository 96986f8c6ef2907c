//! Raw records on their way to events: one decoder and one normaliser for each input.

use backchannel_decode::Format;
use backchannel_events::ProcessEvent;

use crate::Output;

/// Raw records of one input.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// Name of the input, as evidence is to name it.
    pub input: &'a str,
    /// Format of its records; `None`: decided from the first batch of the input.
    pub format: Option<Format>,
    /// Host for records that name none; empty: unknown.
    pub host: &'a str,
    /// Number of the first line of this batch within the input, counted from 1.
    pub first_line: u64,
    /// The records, each ended by a line feed.
    pub data: &'a [u8],
}

/// What is being read.
#[derive(Debug, Default)]
pub(crate) struct Intake {}

impl Intake {
    /// Reads a batch and hands its events to `sink`.
    pub fn records(&mut self, raw: Raw<'_>, output: &mut Output, sink: &mut dyn FnMut(&ProcessEvent<'_>)) {
        let _ = sink;
        for (line, record) in (raw.first_line..).zip(raw.data.split(|byte| *byte == b'\n')) {
            if !record.is_empty() {
                output.skip(raw.input, line, "raw records are not read yet");
            }
        }
    }

    /// Hands over what is still pending in every input.
    pub fn flush(&mut self, output: &mut Output, sink: &mut dyn FnMut(&ProcessEvent<'_>)) {
        let _ = (output, sink);
    }
}
