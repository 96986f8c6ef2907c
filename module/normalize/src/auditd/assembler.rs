//! Joins the lines of one audit event, and passes on complete events.
//!
//! Lines of different events interleave in every busy log, so an event is identified by node, time and serial, never by
//! neighbouring lines. It is complete at EOE; or at PROCTITLE, the last record the kernel writes, if all PATH records
//! that its SYSCALL announces have been read; or when a line of the same node is more than two seconds later; or at the
//! end of the input. Events are passed on in the order in which they become complete.

use backchannel_events::{ProcessEvent, Timestamp};
use bumpalo::Bump;

use super::event::AuditEvent;
use super::lines::{Line, split};
use super::names::Names;
use super::{AuditStats, convert, parse, user};
use crate::{Accepted, Place};

/// Maximum number of incomplete events.
const EVENTS: usize = 1_024;
/// Maximum size of the lines of all incomplete events, in bytes.
const BYTES: usize = 16 << 20;
/// Maximum size of the lines of one event, in bytes: an execve with the longest arguments Linux allows has 4 MiB.
const EVENT_BYTES: usize = 6 << 20;
/// Time of the node's own clock after which an event is complete.
const COMPLETE_AFTER: i64 = 2 * Timestamp::SECOND;
/// Number of buffers kept for reuse, and their maximum size in bytes.
const SPARE_BUFFERS: usize = 16;
const SPARE_BYTES: usize = 64 << 10;

/// The state of the audit normaliser.
#[derive(Debug, Default)]
pub(crate) struct Auditd {
    /// Pending events in the order of their first lines.
    pending: Vec<Pending>,
    /// Lower bound of the times of pending events.
    oldest: i64,
    bytes: usize,
    spare: Vec<String>,
    pub(crate) names: Names,
    stats: AuditStats,
}

/// An event that is not complete.
#[derive(Debug)]
struct Pending {
    time: Timestamp,
    serial: u64,
    node: String,
    input: String,
    default_host: String,
    line: u64,
    /// Its lines, with the end of each.
    text: String,
    has_title: bool,
    ended: bool,
    paths: u32,
    /// `items=` of SYSCALL, once that was read.
    expected_paths: Option<u32>,
}

impl Pending {
    fn is_complete(&self) -> bool {
        self.ended || (self.has_title && self.expected_paths.is_some_and(|expected| expected <= self.paths))
    }
}

impl Auditd {
    /// Counters of irregularities.
    pub(crate) fn stats(&self) -> AuditStats {
        AuditStats { names_evicted: self.names.evicted, ..self.stats }
    }

    /// Counts a record without a readable stamp.
    pub(crate) fn count_malformed(&mut self) {
        self.stats.malformed += 1;
    }

    /// Adds one line and passes on the events that it completes, or is itself.
    pub(crate) fn accept(
        &mut self,
        text: &str,
        place: Place<'_>,
        arena: &Bump,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> Accepted {
        let Some(line) = split(text) else {
            self.count_malformed();
            return Accepted::NotUsed;
        };
        let mut count = self.complete_older(&line, place.input, arena, sink);
        let kept = if parse::is_part(line.kind) {
            let (kept, completed) = self.take(&line, text, place, arena, sink);
            count += completed;
            kept
        } else {
            // All other records are self-contained.
            let host = if line.node.is_empty() { place.default_host } else { line.node };
            let stamp =
                user::Stamp { time: line.time, serial: line.serial, host, input: place.input, line: place.line };
            count += u32::from(user::from_line(&line, stamp, arena, sink));
            false
        };
        match (count, kept) {
            (0, true) => Accepted::Pending,
            (0, false) => Accepted::NotUsed,
            (count, _) => Accepted::Events(count),
        }
    }

    /// Passes on all pending events.
    pub(crate) fn flush(&mut self, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) {
        for pending in core::mem::take(&mut self.pending) {
            self.finish(pending, arena, sink);
        }
    }

    /// Adds a line to its event. Returns whether it is kept, and the number of events passed on.
    fn take(
        &mut self,
        line: &Line<'_>,
        text: &str,
        place: Place<'_>,
        arena: &Bump,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> (bool, u32) {
        let serial = line.serial.parse().unwrap_or(u64::MAX);
        let found = self.pending.iter().rposition(|pending| {
            pending.serial == serial
                && pending.time == line.time
                && pending.node == line.node
                && pending.input == place.input
        });
        let mut count = 0;
        let index = match found {
            Some(index) => index,
            // An EOE without a pending event: the event was completed before it was read.
            None if line.kind == "EOE" => return (false, 0),
            None => {
                if self.pending.len() >= EVENTS {
                    count += self.evict(arena, sink);
                }
                self.start(line, serial, place)
            }
        };
        let pending = &mut self.pending[index];
        if pending.text.len() + text.len() > EVENT_BYTES {
            self.stats.oversized += 1;
            return (false, count);
        }
        let before = pending.text.len();
        pending.text.push_str(text.trim_end_matches(['\r', '\n']));
        pending.text.push('\n');
        self.bytes += pending.text.len() - before;
        match line.kind {
            "EOE" => pending.ended = true,
            "PROCTITLE" => pending.has_title = true,
            "PATH" => pending.paths += 1,
            "SYSCALL" => pending.expected_paths = Some(items(line.body)),
            _ => {}
        }
        if pending.is_complete() {
            let pending = self.pending.remove(index);
            return (true, count + u32::from(self.finish(pending, arena, sink)));
        }
        while self.bytes > BYTES && self.pending.len() > 1 {
            count += self.evict(arena, sink);
        }
        (true, count)
    }

    fn start(&mut self, line: &Line<'_>, serial: u64, place: Place<'_>) -> usize {
        if self.pending.is_empty() {
            self.oldest = line.time.0;
        }
        self.oldest = self.oldest.min(line.time.0);
        self.pending.push(Pending {
            time: line.time,
            serial,
            node: line.node.to_owned(),
            input: place.input.to_owned(),
            default_host: place.default_host.to_owned(),
            line: place.line,
            text: self.spare.pop().unwrap_or_default(),
            has_title: false,
            ended: false,
            paths: 0,
            expected_paths: None,
        });
        self.pending.len() - 1
    }

    /// Completes the events of the same node and input that are too old to grow.
    fn complete_older(
        &mut self,
        line: &Line<'_>,
        input: &str,
        arena: &Bump,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> u32 {
        let limit = line.time.0.saturating_sub(COMPLETE_AFTER);
        if self.pending.is_empty() || self.oldest >= limit {
            return 0;
        }
        let mut count = 0;
        let mut index = 0;
        while let Some(pending) = self.pending.get(index) {
            if pending.time.0 < limit && pending.node == line.node && pending.input == input {
                let pending = self.pending.remove(index);
                count += u32::from(self.finish(pending, arena, sink));
            } else {
                index += 1;
            }
        }
        self.oldest = self.pending.iter().map(|pending| pending.time.0).min().unwrap_or(0);
        count
    }

    /// Completes the event that has been pending longest, to stay within the limits.
    fn evict(&mut self, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> u32 {
        if self.pending.is_empty() {
            return 0;
        }
        self.stats.evicted += 1;
        let pending = self.pending.remove(0);
        u32::from(self.finish(pending, arena, sink))
    }

    /// Converts a complete event. Returns whether it gave a process event.
    fn finish(&mut self, pending: Pending, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> bool {
        let Pending { time, serial, node, input, default_host, line, mut text, .. } = pending;
        self.bytes = self.bytes.saturating_sub(text.len());
        let serial = arena.alloc_str(&serial.to_string());
        let used = {
            let mut event = AuditEvent::new(time, serial, arena);
            event.host = if node.is_empty() { &default_host } else { &node };
            event.input = &input;
            event.line = line;
            parse::fill(&mut event, text.lines().filter_map(split), arena);
            if event.syscall.is_none() {
                self.stats.orphaned += 1;
            }
            convert::emit(&event, &mut self.names, arena, sink)
        };
        if self.spare.len() < SPARE_BUFFERS && text.capacity() <= SPARE_BYTES {
            text.clear();
            self.spare.push(text);
        }
        used
    }
}

/// `items=` of a SYSCALL record: the number of PATH records that follow.
fn items(body: &str) -> u32 {
    memchr::memmem::find(body.as_bytes(), b" items=")
        .and_then(|at| body[at + 7..].split(' ').next())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
