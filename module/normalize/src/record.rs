//! [`Record`]: a log record as its source wrote it, which is what every decoder produces.

use backchannel_events::{ProcessEvent, Timestamp};

/// One log record, in its source's own words. Borrowed from the input, or from the decoder's arena where the
/// carrier's encoding had to be undone.
#[derive(Clone, Copy, Debug, PartialEq)]
// One at a time, on the stack; a box would cost an allocation a record.
#[allow(clippy::large_enum_variant)]
pub enum Record<'a> {
    /// A Windows event, whatever carried it.
    Windows(WindowsRecord<'a>),
    /// One line of a Linux audit log.
    Audit(AuditLine<'a>),
    /// One event of laurel or auditbeat: a JSON object of audit records that were joined already, as its text.
    Laurel(&'a str),
    /// One line of syslog.
    Syslog(SyslogLine<'a>),
    /// One line of a Zeek log.
    Zeek(ZeekRecord<'a>),
    /// One macOS Endpoint Security event, as its JSON text.
    EndpointSecurity(&'a str),
    /// An event in Backchannel's own words.
    Event(ProcessEvent<'a>),
}

/// A Windows event as any carrier delivers it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowsRecord<'a> {
    /// `System/Provider/@Name`.
    pub provider: &'a str,
    /// `System/EventID`.
    pub event_id: u32,
    /// `System/Version`, where the carrier has it.
    pub version: Option<u8>,
    /// `System/Channel`.
    pub channel: &'a str,
    /// `System/Computer`.
    pub computer: &'a str,
    /// `System/EventRecordID` as decimal text; empty where the carrier has none.
    pub record_id: &'a str,
    /// `System/TimeCreated/@SystemTime`, or the carrier's own time of the event.
    pub time: Option<Timestamp>,
    /// `System/Security/@UserID`.
    pub user_sid: &'a str,
    /// EventData or UserData.
    pub fields: Fields<'a>,
}

impl<'a> WindowsRecord<'a> {
    /// The value of a named field; `None` if the record has no such field. An empty value is `Some("")`.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        match self.fields {
            Fields::Named(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value),
            Fields::Positional(_) => None,
        }
    }

    /// The value of the insert at `index`, counted from 0, whatever its name.
    pub fn insert(&self, index: usize) -> Option<&'a str> {
        match self.fields {
            Fields::Named(fields) => fields.get(index).map(|(_, value)| *value),
            Fields::Positional(values) => values.get(index).copied(),
        }
    }
}

/// The data of a Windows event: by name, or by position where the carrier keeps no names (Fluent Bit
/// `StringInserts`). Values are text as Windows renders them: numbers decimal or `0x` hexadecimal as in the
/// source, GUIDs with braces, SIDs as `S-1-..`, times as RFC 3339 or Sysmon's `YYYY-MM-DD hh:mm:ss.mmm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fields<'a> {
    /// Name and value, in the record's order.
    Named(&'a [(&'a str, &'a str)]),
    /// Values by position.
    Positional(&'a [&'a str]),
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self::Named(&[])
    }
}

/// One line of a Linux audit log: `node=H type=T msg=audit(1700000000.123:456): a=b ...`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditLine<'a> {
    /// The whole line, without its end.
    pub text: &'a str,
}

/// One line of syslog (RFC 3164 or 5424).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyslogLine<'a> {
    /// Time; the year is the one the decoder was told, where the line has none.
    pub time: Option<Timestamp>,
    /// Host name.
    pub host: &'a str,
    /// Program (APP-NAME).
    pub program: &'a str,
    /// Process id.
    pub pid: Option<u32>,
    /// Message.
    pub message: &'a str,
}

/// One line of a Zeek log, by field name; names use dots (`id.orig_h`) whatever the carrier made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZeekRecord<'a> {
    /// Name of the log: `dce_rpc`, `conn`, `smb_files`, `smb_mapping`.
    pub log: &'a str,
    /// Name and value; a field that is unset (`-`) is left out.
    pub fields: &'a [(&'a str, &'a str)],
}

impl<'a> ZeekRecord<'a> {
    /// The value of a field; `None` if it is unset or missing.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }
}
