//! Formats of one line a record: audit, syslog, Zeek's tab-separated logs.

pub(crate) mod audit;
pub(crate) mod syslog;
pub(crate) mod zeek;
