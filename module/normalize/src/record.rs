//! [`Record`]: a log record with the names and values of its source; the output of every decoder.

use backchannel_events::{ProcessEvent, Timestamp};

/// One log record. Borrowed from the input, or from the decoder's arena if the encoding of the carrier had to be
/// decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
// One value at a time, on the stack; boxing would cost an allocation per record.
#[allow(clippy::large_enum_variant)]
pub enum Record<'a> {
    /// A Windows event, from any carrier.
    Windows(WindowsRecord<'a>),
    /// One line of a Linux audit log.
    Audit(AuditLine<'a>),
    /// One event of laurel or auditbeat: the text of a JSON object with audit records that are joined already.
    Laurel(&'a str),
    /// One line of syslog.
    Syslog(SyslogLine<'a>),
    /// One line of a Zeek log.
    Zeek(ZeekRecord<'a>),
    /// One macOS Endpoint Security event, as its JSON text.
    EndpointSecurity(&'a str),
    /// An event in Backchannel's own format.
    Event(ProcessEvent<'a>),
}

/// A Windows event, from any carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowsRecord<'a> {
    /// `System/Provider/@Name`.
    pub provider: &'a str,
    /// `System/EventID`.
    pub event_id: u32,
    /// `System/Version`, if the carrier has it.
    pub version: Option<u8>,
    /// `System/Channel`.
    pub channel: &'a str,
    /// `System/Computer`.
    pub computer: &'a str,
    /// `System/EventRecordID` as decimal text; empty if the carrier does not have it.
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

    /// The value of the insert at `index`, counted from 0, whether it has a name or not.
    pub fn insert(&self, index: usize) -> Option<&'a str> {
        match self.fields {
            Fields::Named(fields) => fields.get(index).map(|(_, value)| *value),
            Fields::Positional(values) => values.get(index).copied(),
        }
    }
}

/// The data of a Windows event: by name, or by position if the carrier has no names (Fluent Bit's `StringInserts`).
/// Values are text as Windows renders them: numbers decimal or `0x` hexadecimal as in the source, GUIDs with braces,
/// SIDs as `S-1-..`, times as RFC 3339 or Sysmon's `YYYY-MM-DD hh:mm:ss.mmm`.
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
    /// Time. If the line has no year, the decoder's options determine it.
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

/// One line of a Zeek log, by field name; names have dots (`id.orig_h`) whatever the carrier uses.
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
