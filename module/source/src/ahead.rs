//! [`Ahead`]: events that were read and are not due yet.

use std::collections::VecDeque;

use backchannel_events::packed::{Batch, Builder};
use backchannel_events::{ProcessEvent, Timestamp};

use crate::Packed;

/// A queue of events, packed one by one so that nothing is borrowed, in the order in which they were read.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Time, and the end of the packed event in `bytes`.
    queue: VecDeque<(Timestamp, usize)>,
    bytes: Vec<u8>,
    /// Start of the next event.
    start: usize,
    packer: Builder,
    packed: Vec<u8>,
}

impl Ahead {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.queue.front().map(|(time, _)| *time)
    }

    pub(crate) fn keep(&mut self, event: &ProcessEvent<'_>) {
        // An event that does not fit into an empty batch fits into none.
        if self.packer.push(event).is_ok() {
            self.packer.finish(&mut self.packed);
            self.bytes.extend_from_slice(&self.packed);
            self.queue.push_back((event.time, self.bytes.len()));
        }
    }

    pub(crate) fn move_one(&mut self, out: &mut Packed) {
        let Some((_, end)) = self.queue.pop_front() else { return };
        if let Ok(batch) = Batch::parse(&self.bytes[self.start..end]) {
            batch.iter().for_each(|event| out.push(&event));
        }
        self.start = end;
        if self.queue.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }
}
