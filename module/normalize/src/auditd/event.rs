//! [`AuditEvent`]: the records of one audit event, decoded, independent of whether they were read from lines or from
//! laurel.

use backchannel_events::Timestamp;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// One audit event, with the record types that are used.
#[derive(Debug)]
pub(crate) struct AuditEvent<'a> {
    /// Time, equal in all its records.
    pub(crate) time: Timestamp,
    /// Serial number as text.
    pub(crate) serial: &'a str,
    /// Host it happened on.
    pub(crate) host: &'a str,
    /// Input it was read from.
    pub(crate) input: &'a str,
    /// Its first line in that input.
    pub(crate) line: u64,
    /// SYSCALL.
    pub(crate) syscall: Option<SyscallRecord<'a>>,
    /// Arguments of EXECVE.
    pub(crate) arguments: &'a [&'a str],
    /// Arguments of PROCTITLE: at most 128 bytes, and possibly those of the program before exec.
    pub(crate) title: &'a [&'a str],
    /// CWD.
    pub(crate) directory: &'a str,
    /// PATH records in order.
    pub(crate) paths: BumpVec<'a, PathRecord<'a>>,
    /// Bytes of SOCKADDR.
    pub(crate) address: Option<&'a [u8]>,
    /// OBJ_PID.
    pub(crate) object: Option<ObjectRecord<'a>>,
    /// IPC: owner and mode of a System V object.
    pub(crate) ipc: Option<IpcRecord<'a>>,
}

impl<'a> AuditEvent<'a> {
    /// An event without records.
    pub(crate) fn new(time: Timestamp, serial: &'a str, arena: &'a Bump) -> Self {
        Self {
            time,
            serial,
            host: "",
            input: "",
            line: 0,
            syscall: None,
            arguments: &[],
            title: &[],
            directory: "",
            paths: BumpVec::new_in(arena),
            address: None,
            object: None,
            ipc: None,
        }
    }
}

/// A SYSCALL record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SyscallRecord<'a> {
    pub(crate) arch: &'a str,
    pub(crate) number: u32,
    /// `SYSCALL=`, the resolved name.
    pub(crate) name: &'a str,
    pub(crate) success: Option<bool>,
    /// Return value: negative is an errno.
    pub(crate) exit: i64,
    /// `a0` to `a3`.
    pub(crate) arguments: [Option<u64>; 4],
    pub(crate) pid: Option<u32>,
    pub(crate) ppid: Option<u32>,
    pub(crate) uid: &'a str,
    pub(crate) euid: &'a str,
    pub(crate) auid: &'a str,
    pub(crate) session: Option<u32>,
    pub(crate) tty: &'a str,
    pub(crate) comm: &'a str,
    pub(crate) exe: &'a str,
    /// `UID=`, the resolved name of `uid`.
    pub(crate) user: &'a str,
}

/// A PATH record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathRecord<'a> {
    pub(crate) name: &'a str,
    pub(crate) mode: Option<u32>,
    pub(crate) owner: &'a str,
    pub(crate) kind: NameKind,
}

/// `nametype=` of a PATH record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// Looked up and found, or not found (UNKNOWN), or not stated.
    #[default]
    Normal,
    /// Directory of the name that is created or deleted.
    Parent,
    /// Created.
    Create,
    /// Deleted.
    Delete,
}

/// An OBJ_PID record: the target process of a signal or ptrace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectRecord<'a> {
    pub(crate) pid: Option<u32>,
    pub(crate) uid: &'a str,
    pub(crate) auid: &'a str,
    pub(crate) session: Option<u32>,
    pub(crate) comm: &'a str,
    pub(crate) user: &'a str,
}

/// An IPC record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IpcRecord<'a> {
    pub(crate) owner: &'a str,
    pub(crate) mode: Option<u32>,
}

impl<'a> SyscallRecord<'a> {
    /// Sets one field from its decoded text.
    pub(crate) fn set(&mut self, name: &str, value: &'a str) {
        match name {
            "arch" => self.arch = value,
            "syscall" => match value.parse() {
                Ok(number) => self.number = number,
                // laurel and `ausearch -i` may have replaced it by the name.
                Err(_) => self.name = value,
            },
            "SYSCALL" => self.name = value,
            "success" => {
                self.success = match value {
                    "yes" => Some(true),
                    "no" => Some(false),
                    _ => None,
                };
            }
            "exit" => self.exit = value.parse().unwrap_or(0),
            "a0" => self.arguments[0] = hexadecimal(value),
            "a1" => self.arguments[1] = hexadecimal(value),
            "a2" => self.arguments[2] = hexadecimal(value),
            "a3" => self.arguments[3] = hexadecimal(value),
            "pid" => self.pid = value.parse().ok(),
            "ppid" => self.ppid = value.parse().ok(),
            "uid" => self.uid = value,
            "euid" => self.euid = value,
            "auid" => self.auid = login(value),
            "ses" => self.session = session(value),
            "tty" => self.tty = value,
            "comm" => self.comm = value,
            "exe" => self.exe = value,
            "UID" => self.user = value,
            _ => {}
        }
    }
}

impl<'a> PathRecord<'a> {
    /// Sets one field from its decoded text.
    pub(crate) fn set(&mut self, name: &str, value: &'a str) {
        match name {
            "name" => self.name = value,
            "mode" => self.mode = octal(value),
            "ouid" => self.owner = value,
            "nametype" | "objtype" => {
                self.kind = match value {
                    "PARENT" => NameKind::Parent,
                    "CREATE" => NameKind::Create,
                    "DELETE" => NameKind::Delete,
                    _ => NameKind::Normal,
                };
            }
            _ => {}
        }
    }
}

impl<'a> ObjectRecord<'a> {
    /// Sets one field from its decoded text.
    pub(crate) fn set(&mut self, name: &str, value: &'a str) {
        match name {
            "opid" => self.pid = value.parse().ok(),
            "ouid" => self.uid = value,
            "oauid" => self.auid = login(value),
            "oses" => self.session = session(value),
            "ocomm" => self.comm = value,
            "OUID" => self.user = value,
            _ => {}
        }
    }
}

impl<'a> IpcRecord<'a> {
    /// Sets one field from its decoded text.
    pub(crate) fn set(&mut self, name: &str, value: &'a str) {
        match name {
            "ouid" => self.owner = value,
            "mode" => self.mode = octal(value),
            _ => {}
        }
    }
}

/// A login uid; the value for "never set" becomes empty.
pub(crate) fn login(value: &str) -> &str {
    match value {
        "4294967295" | "-1" | "unset" => "",
        other => other,
    }
}

/// A session; the value for "never set" becomes `None`.
pub(crate) fn session(value: &str) -> Option<u32> {
    value.parse().ok().filter(|session| *session != u32::MAX)
}

/// `c000003e` or `0xc000003e`.
fn hexadecimal(value: &str) -> Option<u64> {
    u64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).ok()
}

/// `0100755` or laurel's `0o100755`.
fn octal(value: &str) -> Option<u32> {
    u32::from_str_radix(value.strip_prefix("0o").unwrap_or(value), 8).ok()
}
