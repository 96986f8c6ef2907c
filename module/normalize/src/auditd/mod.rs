//! Linux audit: lines to joined events, joined events to [`ProcessEvent`](backchannel_events::ProcessEvent)s.
//!
//! [`lines`] parses the header of a line, [`assembler`] joins the lines of one event, [`parse`] fills an
//! [`AuditEvent`](event::AuditEvent) from them, [`convert`] and [`user`] convert it. laurel writes events that are
//! joined already; they are read into the same `AuditEvent` and converted in the same way.

pub(crate) mod assembler;
pub(crate) mod convert;
pub(crate) mod event;
pub(crate) mod fields;
pub(crate) mod lines;
pub(crate) mod names;
pub(crate) mod parse;
pub(crate) mod sockaddr;
pub(crate) mod syscalls;
pub(crate) mod user;

#[cfg(test)]
mod tests;

pub(crate) use assembler::Auditd;

/// Irregularities in the input of the audit normaliser. They are counted, and none of them stops a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditStats {
    /// Lines (or laurel objects) without a readable `audit(TIME:SERIAL)`.
    pub malformed: u64,
    /// Events that were completed early, because too many were pending.
    pub evicted: u64,
    /// Lines dropped because their event exceeded the maximum size of one event.
    pub oversized: u64,
    /// Events that ended without their SYSCALL record: it was lost, or read too late.
    pub orphaned: u64,
    /// Names of listening sockets and segments that were evicted, because too many were known.
    pub names_evicted: u64,
}
