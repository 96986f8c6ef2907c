//! Log records with typed values, which the writers convert to their formats.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A string: static, or shared by many records.
#[derive(Debug, Clone)]
pub enum Text {
    /// A static string.
    Static(&'static str),
    /// A computed string.
    Shared(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text::Static(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Shared(text.into())
    }
}

impl From<&Arc<str>> for Text {
    fn from(text: &Arc<str>) -> Self {
        Text::Shared(Arc::clone(text))
    }
}

/// A value of a Windows event, by its type in Windows.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(Text),
    /// A number, shown in decimal.
    Number(u32),
    /// A 64-bit number, shown as `0x…`: logon ids, and process ids in the Security log.
    Hex(u64),
    /// A GUID, as its 16 stored bytes.
    Guid([u8; 16]),
    /// A security identifier, in text form.
    Sid(Text),
    /// True or false.
    Bool(bool),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::Text(Text::Static(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text.into())
    }
}

impl From<&Arc<str>> for Value {
    fn from(text: &Arc<str>) -> Self {
        Value::Text(text.into())
    }
}

impl From<&Text> for Value {
    fn from(text: &Text) -> Self {
        Value::Text(text.clone())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Value::Number(number)
    }
}

/// In the form in which Windows renders it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) | Value::Sid(text) => f.write_str(text),
            Value::Number(number) => write!(f, "{number}"),
            Value::Hex(number) => write!(f, "{number:#x}"),
            Value::Guid(bytes) => f.write_str(&guid_text(bytes)),
            Value::Bool(truth) => f.write_str(if *truth { "true" } else { "false" }),
        }
    }
}

/// `{01234567-89AB-CDEF-0123-456789ABCDEF}`.
pub(crate) fn guid_text(bytes: &[u8; 16]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(38);
    out.push('{');
    for (place, index) in ORDER.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(DIGITS[usize::from(bytes[index] >> 4)]));
        out.push(char::from(DIGITS[usize::from(bytes[index] & 15)]));
    }
    out.push('}');
    out
}

/// The provider of a Windows event.
#[derive(Debug)]
pub struct Provider {
    /// `Provider/@Name`.
    pub name: &'static str,
    /// `Provider/@Guid`, in braces; empty for classic providers.
    pub guid: &'static str,
    /// `Channel`.
    pub channel: &'static str,
    /// `Keywords`.
    pub keywords: u64,
    /// `Security/@UserID` of its records; empty if they have none.
    pub user: &'static str,
    /// Index of the channel, for record ids.
    pub(crate) index: usize,
}

macro_rules! providers {
    ($($(#[$doc:meta])* $id:ident = $name:literal $guid:literal $channel:literal $keywords:literal $user:literal $index:literal;)*) => {
        $($(#[$doc])* pub static $id: Provider = Provider {
            name: $name, guid: $guid, channel: $channel, keywords: $keywords, user: $user, index: $index,
        };)*
    };
}

providers! {
    /// Sysmon.
    SYSMON = "Microsoft-Windows-Sysmon" "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}" "Microsoft-Windows-Sysmon/Operational" 0x8000000000000000 "S-1-5-18" 0;
    /// The Security log's auditing.
    SECURITY = "Microsoft-Windows-Security-Auditing" "{54849625-5478-4994-A5BA-3E3B0328C30D}" "Security" 0x8020000000000000 "" 1;
    /// The service control manager.
    SERVICES = "Service Control Manager" "{555908D1-A6D7-4695-8E1E-26931D2012F4}" "System" 0x8080000000000000 "S-1-5-18" 2;
    /// DCOM.
    DISTRIBUTED_COM = "Microsoft-Windows-DistributedCOM" "{1B562E86-B7AA-4131-BADC-B6F3A001407E}" "System" 0x8080000000000000 "S-1-5-18" 2;
    /// PowerShell.
    POWERSHELL = "Microsoft-Windows-PowerShell" "{A0C1853B-5C40-4B15-8766-3CF1C58F985A}" "Microsoft-Windows-PowerShell/Operational" 0x0 "S-1-5-18" 3;
    /// The installer.
    INSTALLER = "MsiInstaller" "" "Application" 0x80000000000000 "S-1-5-18" 4;
}

/// Number of channels.
pub(crate) const CHANNELS: usize = 5;

/// A Windows event.
#[derive(Debug, Clone)]
pub struct WindowsEvent {
    /// Its provider.
    pub provider: &'static Provider,
    /// `EventID`.
    pub event_id: u16,
    /// `Version`.
    pub version: u8,
    /// `EventRecordID`: counts per host and channel.
    pub record_id: u64,
    /// `Execution/@ProcessID`: of the service that wrote it.
    pub process_id: u32,
    /// `Execution/@ThreadID`.
    pub thread_id: u32,
    /// The fields, in order. Those of [`INSTALLER`] have no names.
    pub fields: Vec<(&'static str, Value)>,
}

/// A value of an audit record.
#[derive(Debug, Clone)]
pub enum AuditValue {
    /// Written as it is.
    Plain(Text),
    /// A number, in decimal.
    Number(i64),
    /// A number, in hexadecimal.
    Hex(u64),
    /// An untrusted string: quoted, or in hexadecimal if it contains a blank, a quote or a control character.
    Untrusted(Text),
}

/// One audit record: its type, and its fields in order.
#[derive(Debug, Clone)]
pub struct AuditRecord {
    /// `type=`.
    pub kind: &'static str,
    /// The fields after `msg=audit(…):`.
    pub fields: Vec<(Text, AuditValue)>,
    /// Content of `msg='…'` in a record of user space; otherwise empty.
    pub message: String,
}

/// The content of a record.
#[derive(Debug, Clone)]
pub enum Body {
    /// A Windows event.
    Windows(WindowsEvent),
    /// The records of one audit event, of one time and serial.
    Audit {
        /// The serial.
        serial: u64,
        /// The records.
        records: Vec<AuditRecord>,
    },
}

/// A record of the fleet.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it was written: nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// Index of the host in the fleet.
    pub host: usize,
    /// The host's name: on Windows fully qualified.
    pub host_name: Arc<str>,
    /// The episode that it belongs to: an index into the fleet's plan. `None`: ordinary work.
    pub episode: Option<usize>,
    /// Its content.
    pub body: Body,
}
