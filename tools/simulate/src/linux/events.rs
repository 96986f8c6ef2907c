//! Audit events in raw format, with the records of a 6.x kernel and auditd 3.

use super::machine::{Machine, Process, UNSET, Who};
use crate::record::{AuditRecord, AuditValue, Text};
use std::sync::Arc;

type Fields = Vec<(Text, AuditValue)>;

/// A system call.
pub(crate) struct Call {
    pub number: i64,
    pub exit: i64,
    pub arguments: [u64; 4],
    pub items: i64,
    pub key: &'static str,
}

/// A file that is an argument of a system call.
pub(crate) struct Named<'a> {
    pub name: &'a str,
    pub inode: i64,
    /// File type and permissions, in octal.
    pub mode: &'static str,
    pub owner: u32,
    pub kind: &'static str,
}

fn plain(text: impl Into<Text>) -> AuditValue {
    AuditValue::Plain(text.into())
}

fn number(value: u32) -> AuditValue {
    AuditValue::Number(value.into())
}

fn untrusted(text: &str) -> AuditValue {
    AuditValue::Untrusted(text.to_owned().into())
}

fn record(kind: &'static str, fields: Fields) -> AuditRecord {
    AuditRecord { kind, fields, message: String::new() }
}

fn path(item: i64, named: &Named<'_>) -> AuditRecord {
    let mut fields: Fields = vec![("item".into(), AuditValue::Number(item)), ("name".into(), untrusted(named.name))];
    if named.inode != 0 {
        fields.extend([
            ("inode".into(), AuditValue::Number(named.inode)),
            ("dev".into(), plain("fe:01")),
            ("mode".into(), plain(named.mode)),
            ("ouid".into(), number(named.owner)),
            ("ogid".into(), number(named.owner)),
            ("rdev".into(), plain("00:00")),
        ]);
    }
    fields.push(("nametype".into(), plain(named.kind)));
    for name in ["cap_fp", "cap_fi", "cap_fe", "cap_fver", "cap_frootid"] {
        fields.push((name.into(), AuditValue::Number(0)));
    }
    record("PATH", fields)
}

impl Machine {
    fn syscall(&mut self, process: &Process, call: &Call) -> AuditRecord {
        let who = process.who;
        let mut fields: Fields = vec![
            ("arch".into(), plain("c000003e")),
            ("syscall".into(), AuditValue::Number(call.number)),
            ("success".into(), plain(if call.exit < 0 { "no" } else { "yes" })),
            ("exit".into(), AuditValue::Number(call.exit)),
        ];
        for (name, value) in ["a0", "a1", "a2", "a3"].into_iter().zip(call.arguments) {
            fields.push((name.into(), AuditValue::Hex(value)));
        }
        fields.extend([
            ("items".into(), AuditValue::Number(call.items)),
            ("ppid".into(), number(process.parent)),
            ("pid".into(), number(process.pid)),
            ("auid".into(), number(who.auid)),
        ]);
        for name in ["uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"] {
            fields.push((name.into(), number(who.uid)));
        }
        fields.extend([
            ("tty".into(), plain(who.tty)),
            ("ses".into(), number(who.session)),
            ("comm".into(), untrusted(process.comm)),
            ("exe".into(), untrusted(process.exe)),
            ("subj".into(), plain("unconfined")),
            ("key".into(), untrusted(call.key)),
        ]);
        record("SYSCALL", fields)
    }

    fn pointer(&mut self) -> u64 {
        0x7ffc_0000_0000 + (self.random.below(0x3_ffff_ffff) & !7)
    }

    fn folder(process: &Process) -> AuditRecord {
        record("CWD", vec![("cwd".into(), untrusted(&process.folder))])
    }

    fn title(arguments: &[&str]) -> AuditRecord {
        let mut text = arguments.join("\0");
        // The kernel keeps 128 bytes.
        let mut end = text.len().min(128);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        record("PROCTITLE", vec![("proctitle".into(), AuditValue::Untrusted(text.into()))])
    }

    /// Starts a process of a program, and writes the record of its execve.
    pub(crate) fn exec(
        &mut self,
        at: i64,
        parent: &Process,
        who: Who,
        exe: &'static str,
        arguments: &[&str],
    ) -> Process {
        let process = Process {
            pid: self.new_pid(at),
            parent: parent.pid,
            who,
            comm: comm(exe),
            exe,
            folder: folder(who, parent),
        };
        self.exec_as(at, &process, arguments);
        process
    }

    /// Writes the record of an execve by an existing process.
    pub(crate) fn exec_as(&mut self, at: i64, process: &Process, arguments: &[&str]) {
        let call = Call {
            number: 59,
            exit: 0,
            arguments: [self.pointer(), self.pointer(), self.pointer(), 8],
            items: 2,
            key: if process.who.auid == UNSET { "exec_svc" } else { "exec" },
        };
        let mut fields: Fields = vec![("argc".into(), AuditValue::Number(arguments.len() as i64))];
        for (index, argument) in arguments.iter().enumerate() {
            fields.push((format!("a{index}").into(), untrusted(argument)));
        }
        let program = Named {
            name: process.exe,
            inode: 200_000 + (crate::random::of_text(process.exe) % 90_000) as i64,
            mode: "0100755",
            owner: 0,
            kind: "NORMAL",
        };
        let loader =
            Named { name: "/lib64/ld-linux-x86-64.so.2", inode: 262_411, mode: "0100755", owner: 0, kind: "NORMAL" };
        let records = vec![
            self.syscall(process, &call),
            record("EXECVE", fields),
            Self::folder(process),
            path(0, &program),
            path(1, &loader),
            Self::title(arguments),
        ];
        self.write(at, records);
    }

    /// A connect to a socket with a path. `exit` is 0 or an error.
    pub(crate) fn connect(&mut self, at: i64, process: &Process, socket: &str, owner: u32, exit: i64) {
        let mut bytes = vec![1, 0];
        bytes.extend_from_slice(socket.as_bytes());
        bytes.resize(110, 0);
        let call = Call {
            number: 42,
            exit,
            arguments: [self.random.below(20) + 3, self.pointer(), 110, 0],
            items: 1,
            key: "unix_sock",
        };
        let exists = exit != -2;
        let named = Named {
            name: socket,
            inode: if exists { 1 + (crate::random::of_text(socket) % 4000) as i64 } else { 0 },
            mode: if owner == 0 && socket.contains("docker") { "0140660" } else { "0140777" },
            owner,
            kind: if exists { "NORMAL" } else { "UNKNOWN" },
        };
        let records = vec![
            self.syscall(process, &call),
            address(&bytes),
            Self::folder(process),
            path(0, &named),
            Self::title(&[process.exe]),
        ];
        self.write(at, records);
    }

    /// A socket with a path is bound.
    pub(crate) fn bind(&mut self, at: i64, process: &Process, socket: &str, mode: &'static str) {
        let mut bytes = vec![1, 0];
        bytes.extend_from_slice(socket.as_bytes());
        bytes.push(0);
        let call = Call {
            number: 49,
            exit: 0,
            arguments: [self.random.below(20) + 3, self.pointer(), bytes.len() as u64, 0],
            items: 2,
            key: "unix_sock",
        };
        let parent = match socket.rfind('/') {
            Some(at) => &socket[..=at],
            None => "/",
        };
        let who = process.who;
        let inode = self.new_inode();
        let folder = Named { name: parent, inode: 3, mode: "040755", owner: who.uid, kind: "PARENT" };
        let named = Named { name: socket, inode, mode, owner: who.uid, kind: "CREATE" };
        let records = vec![
            self.syscall(process, &call),
            address(&bytes),
            Self::folder(process),
            path(0, &folder),
            path(1, &named),
            Self::title(&[process.exe]),
        ];
        self.write(at, records);
    }

    /// A connect over IPv4.
    pub(crate) fn connect_to(&mut self, at: i64, process: &Process, host: [u8; 4], port: u16) {
        let mut bytes = vec![2, 0];
        bytes.extend_from_slice(&port.to_be_bytes());
        bytes.extend_from_slice(&host);
        bytes.extend_from_slice(&[0; 8]);
        let call = Call { number: 42, exit: 0, arguments: [3, self.pointer(), 16, 0], items: 0, key: "net_connect" };
        let records = vec![self.syscall(process, &call), address(&bytes), Self::title(&[process.exe])];
        self.write(at, records);
    }

    /// A FIFO is created; returns its inode.
    pub(crate) fn make_fifo(&mut self, at: i64, process: &Process, name: &str) -> i64 {
        let call =
            Call { number: 259, exit: 0, arguments: [0xffff_ff9c, self.pointer(), 0x11b6, 0], items: 2, key: "mknod" };
        let parent = match name.rfind('/') {
            Some(at) => &name[..=at],
            None => "",
        };
        let inode = self.new_inode();
        let who = process.who;
        let folder = Named { name: parent, inode: 12, mode: "041777", owner: 0, kind: "PARENT" };
        let fifo = Named { name, inode, mode: "010644", owner: who.uid, kind: "CREATE" };
        let records = vec![
            self.syscall(process, &call),
            Self::folder(process),
            path(0, &folder),
            path(1, &fifo),
            Self::title(&["mkfifo", name]),
        ];
        self.write(at, records);
        inode
    }

    /// A FIFO is opened for reading or writing.
    pub(crate) fn open_fifo(&mut self, at: i64, process: &Process, name: &str, inode: i64, owner: u32, write: bool) {
        let call = Call {
            number: 257,
            exit: 3,
            arguments: [0xffff_ff9c, self.pointer(), if write { 0x241 } else { 0 }, if write { 0x1b6 } else { 0 }],
            items: 1,
            key: "fifo_open",
        };
        let fifo = Named { name, inode, mode: "010644", owner, kind: "NORMAL" };
        let records =
            vec![self.syscall(process, &call), Self::folder(process), path(0, &fifo), Self::title(&[process.exe])];
        self.write(at, records);
    }

    /// A record of user space: PAM, sudo, cron.
    pub(crate) fn user(&mut self, at: i64, kind: &'static str, process: &Process, message: String) {
        let who = process.who;
        let fields = vec![
            ("pid".into(), number(process.pid)),
            ("uid".into(), number(who.uid)),
            ("auid".into(), number(who.auid)),
            ("ses".into(), number(who.session)),
            ("subj".into(), plain("unconfined")),
        ];
        self.write(at, vec![AuditRecord { kind, fields, message }]);
    }

    /// A login is assigned its session number.
    pub(crate) fn login(&mut self, at: i64, process: &Process, auid: u32, session: u32) {
        let fields = vec![
            ("pid".into(), number(process.pid)),
            ("uid".into(), number(process.who.uid)),
            ("subj".into(), plain("unconfined")),
            ("old-auid".into(), number(UNSET)),
            ("auid".into(), number(auid)),
            ("tty".into(), plain("(none)")),
            ("old-ses".into(), number(UNSET)),
            ("ses".into(), number(session)),
            ("res".into(), AuditValue::Number(1)),
        ];
        self.write(at, vec![record("LOGIN", fields)]);
    }

    /// The audit daemon starts.
    pub(crate) fn daemon_start(&mut self, at: i64, pid: u32) {
        let fields = vec![
            ("op".into(), plain("start")),
            ("ver".into(), plain("3.0.9")),
            ("format".into(), plain("raw")),
            ("kernel".into(), plain("6.1.0-21-amd64")),
            ("auid".into(), number(UNSET)),
            ("pid".into(), number(pid)),
            ("uid".into(), AuditValue::Number(0)),
            ("ses".into(), number(UNSET)),
            ("subj".into(), plain("unconfined")),
            ("res".into(), plain("success")),
        ];
        self.write(at, vec![record("DAEMON_START", fields)]);
    }
}

fn address(bytes: &[u8]) -> AuditRecord {
    let text: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    record("SOCKADDR", vec![("saddr".into(), plain(text))])
}

/// The name of a process after an execve: that of the program, truncated to 15 bytes.
pub(crate) fn comm(exe: &'static str) -> &'static str {
    let name = exe.rsplit('/').next().unwrap_or(exe);
    let name = match name {
        "dash" => "sh",
        "nc.openbsd" => "nc",
        "python3.11" => "python3",
        name => name,
    };
    &name[..name.len().min(15)]
}

fn folder(who: Who, parent: &Process) -> Arc<str> {
    if who.uid == parent.who.uid { Arc::clone(&parent.folder) } else { "/".into() }
}
