//! Linux audit: lines to joined events, joined events to [`ProcessEvent`](backchannel_events::ProcessEvent)s.
//!
//! The way of a line: [`lines`] takes it apart, [`assembler`] joins the lines of one event, [`parse`] fills an
//! [`AuditEvent`](event::AuditEvent) from them, [`convert`] and [`user`] say what it means. laurel hands over
//! events that are joined already; it fills the same `AuditEvent` and goes the same way from there.

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

/// What the audit normaliser met that it could not use as it should: nothing of it stops a run, all of it is
/// counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditStats {
    /// Lines (or laurel objects) without a readable `audit(TIME:SERIAL)`.
    pub malformed: u64,
    /// Events that were completed early, because more were pending than may be.
    pub evicted: u64,
    /// Lines dropped because their event had grown past what one event may hold.
    pub oversized: u64,
    /// Events that ended without their SYSCALL record: it was lost, or came too late.
    pub orphaned: u64,
    /// Names of listening sockets and segments that were forgotten, because more were known than may be.
    pub names_evicted: u64,
}
