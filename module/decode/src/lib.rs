//! Bytes to records: which format is this, where does a record begin and end, and what does it hold.
//!
//! Nothing here reads a file: a host brings the bytes. [`detect`] names the format of an input from its first
//! bytes; [`Decoder`] turns one line (or one JSON value, or one XML element) into a
//! [`Record`](backchannel_normalize::Record). EVTX, which is binary and comes in chunks, has a crate of its own
//! (`backchannel-decode-evtx`), because what it depends on does not belong into the component.

/// A format whose records are text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Windows events as JSON, in any of the shapes that shippers write.
    WindowsJson,
    /// Windows events as XML.
    WindowsXml,
    /// Linux audit log, raw or enriched.
    Auditd,
    /// Audit events joined by laurel.
    Laurel,
    /// Syslog, RFC 3164 or 5424.
    Syslog,
    /// Zeek, tab-separated.
    ZeekTsv,
    /// Zeek, JSON.
    ZeekJson,
    /// macOS eslogger.
    EndpointSecurity,
    /// Backchannel's own events, JSON.
    Events,
}
