//! Normalises log records to process events.
//!
//! A [`Record`] is the output of a decoder: a record with the names and values of its source. [`Normalizer`] converts
//! records to [`ProcessEvent`]s. It keeps only the state that a format requires: the lines of incomplete auditd events,
//! and the clock offset of sources that write local time.
//!
//! A record that no analytic uses is not an error; it is counted ([`Accepted::NotUsed`]).

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

/// The place from which a record was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// File or input, as the user named it.
    pub input: &'a str,
    /// Line in a text input, counted from 1; 0 where the carrier has no lines.
    pub line: u64,
    /// Host of a record that does not name one.
    pub default_host: &'a str,
}

/// The result of accepting a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The number of events passed to the sink (more than one if the record completed others).
    Events(u32),
    /// It was stored: it is part of an event that is not complete yet.
    Pending,
    /// It was ignored: records of its provider and event id, or of its type, are not used.
    NotUsed,
}

/// Converts records to events.
#[derive(Debug, Default)]
pub struct Normalizer {
    windows: windows::Windows,
    auditd: auditd::Auditd,
}

impl Normalizer {
    /// A normaliser without state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts one record and passes the events it gives, or completes, to `sink`. Text that has to be built is
    /// allocated in `arena`, which the caller resets between batches.
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
                // An event without provenance gets that of this input.
                if event.provenance.input.is_empty() {
                    event.provenance.input = place.input;
                    event.provenance.line = place.line;
                }
                sink(&event);
                Accepted::Events(1)
            }
        }
    }

    /// Passes pending events to `sink`: to be called at the end of the input, never between batches.
    pub fn flush(&mut self, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) {
        self.auditd.flush(arena, sink);
    }

    /// Counters of irregularities in Linux audit records.
    pub fn audit_stats(&self) -> AuditStats {
        self.auditd.stats()
    }

    /// Learns the clock offset of a record's source, without giving events. Some collectors write local time as UTC,
    /// and write one log after the other, so that records with wrong times precede those that reveal the offset. If an
    /// input can be read twice, call this for all its records first; without it, offsets are learned as they are read.
    pub fn learn_clock(&mut self, record: &Record<'_>, place: Place<'_>, arena: &Bump) {
        if let Record::Windows(record) = record {
            self.windows.learn_clock(record, place, arena);
        }
    }

    /// The clock offsets of Windows sources whose records have a time that is not UTC, ordered by input and host.
    pub fn clock_offsets(&self) -> Vec<ClockOffset> {
        self.windows.clock_offsets()
    }
}

/// Whether Windows records of this provider and event id are used: for decoders, before they parse the rest. The
/// comparison ignores ASCII case.
pub fn wants(provider: &str, event_id: u32) -> bool {
    windows::wants(provider, event_id)
}
