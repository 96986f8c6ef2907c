//! One log record to process events.
//!
//! [`Record`] is what a decoder hands over: a record as its source wrote it, still in the source's own words.
//! [`Normalizer`] turns records into [`ProcessEvent`]s. It holds only the state that a format forces on it: the
//! lines of an auditd event that is not complete yet, and the clock offset of a source that writes local time.
//!
//! A record that carries nothing for us is not an error: it is counted ([`Accepted::NotUsed`]).

mod auditd;
mod endpoint_security;
mod laurel;
mod record;
mod syslog;
mod windows;
mod zeek;

use bumpalo::Bump;

pub use auditd::AuditStats;
pub use record::{AuditLine, Fields, Record, SyslogLine, WindowsRecord, ZeekRecord};
pub use windows::ClockOffset;

use backchannel_events::ProcessEvent;

/// Where a record was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// File or input, as the user named it.
    pub input: &'a str,
    /// Line in a text input, counted from 1; 0 where the carrier has no lines.
    pub line: u64,
    /// Host to use where the record names none.
    pub default_host: &'a str,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It gave this many events (more than one where it completed others).
    Events(u32),
    /// It was kept: it is part of an event that is not complete yet.
    Pending,
    /// Its provider and event id, or its type, carry nothing that Backchannel uses.
    NotUsed,
}

/// Turns records into events.
#[derive(Debug, Default)]
pub struct Normalizer {
    windows: windows::Windows,
    auditd: auditd::Auditd,
}

impl Normalizer {
    /// A normaliser that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one record and hands the events it gives, or completes, to `sink`. Text that must be built lives in
    /// `arena`, which the caller resets between batches.
    pub fn accept(
        &mut self,
        record: &Record<'_>,
        place: Place<'_>,
        arena: &Bump,
        sink: &mut dyn FnMut(&ProcessEvent<'_>),
    ) -> Accepted {
        match record {
            Record::Windows(record) => self.windows.accept(record, place, arena, sink),
            Record::Audit(line) => self.auditd.accept(line.text, place, arena, sink),
            Record::Laurel(text) => laurel::accept(text, &mut self.auditd, place, arena, sink),
            Record::Syslog(line) => match syslog::audit_line(line) {
                Some(text) => {
                    let default_host = if line.host.is_empty() { place.default_host } else { line.host };
                    self.auditd.accept(text, Place { default_host, ..place }, arena, sink)
                }
                None => syslog::accept(line, place, arena, sink),
            },
            Record::Zeek(line) => zeek::accept(line, place, arena, sink),
            Record::EndpointSecurity(text) => endpoint_security::accept(text, place, arena, sink),
            Record::Event(event) => {
                let mut event = *event;
                if event.host.is_empty() {
                    event.host = place.default_host;
                }
                // An event that does not say where it was read from was read here.
                if event.provenance.input.is_empty() {
                    event.provenance.input = place.input;
                    event.provenance.line = place.line;
                }
                sink(&event);
                Accepted::Events(1)
            }
        }
    }

    /// Hands over what is still pending: at the end of the input, never between batches.
    pub fn flush(&mut self, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) {
        self.auditd.flush(arena, sink);
    }

    /// What of Linux audit could not be used as it should.
    pub fn audit_stats(&self) -> AuditStats {
        self.auditd.stats()
    }

    /// Takes what a record says about its source's clock, and nothing else. Some collectors write local time, call it
    /// UTC, and deliver one log after the other, so that records come before those that give the offset away.
    /// Whoever can read an input twice calls this for all its records first; without it, offsets are learned on the
    /// way.
    pub fn learn_clock(&mut self, record: &Record<'_>, place: Place<'_>, arena: &Bump) {
        if let Record::Windows(record) = record {
            self.windows.learn_clock(record, place, arena);
        }
    }

    /// The offsets found in Windows sources whose records carry a time that is not UTC, ordered by input and host.
    pub fn clock_offsets(&self) -> Vec<ClockOffset> {
        self.windows.clock_offsets()
    }
}

/// Whether a Windows record of this provider and event id can carry anything for us: a decoder asks before it
/// parses the rest. The comparison ignores ASCII case.
pub fn wants(provider: &str, event_id: u32) -> bool {
    windows::wants(provider, event_id)
}
