//! Converts the [`AuditEvent`] of a system call to a [`ProcessEvent`].
//!
//! Conventions: an effective uid of 0 is integrity System, any other is Medium. A failed execve starts nothing and is
//! ignored. A relative name is joined with the CWD record, unless the call has another directory by descriptor;
//! `/var/run` is kept as logged.

use backchannel_events::{
    Access, AccessKind, Activity, Channel, Endpoint, FileChange, FileKind, FileOperation, Integrity, Mechanism,
    NetworkFlow, Outcome, Parent, Process, ProcessEvent, Provenance, Source, User,
};
use bumpalo::Bump;
use bumpalo::collections::String as BumpString;

use super::event::{AuditEvent, NameKind, PathRecord, SyscallRecord};
use super::fields::command_line;
use super::names::{Handle, Names};
use super::sockaddr::{Address, decode};
use super::syscalls::{Call, call};

/// `AT_FDCWD` as an audit argument: the kernel prints the low 32 bits of a register that may be wider.
const AT_FDCWD: u32 = 0xffff_ff9c;
/// Mask of the file type in a mode (`S_IFMT`), and two of its values.
const TYPE: u32 = 0o170_000;
const TYPE_FIFO: u32 = 0o010_000;
const TYPE_SOCKET: u32 = 0o140_000;
/// Access bits of a channel: opened for reading, for writing.
const READ: u32 = 1;
const WRITE: u32 = 2;

/// Passes on the process event of an audit event, if there is one. Returns whether there was.
pub(crate) fn emit<'a>(
    event: &AuditEvent<'a>,
    names: &mut Names,
    arena: &'a Bump,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) -> bool {
    let Some(record) = &event.syscall else { return false };
    let Some(call) = call(record.name, record.arch, record.number) else { return false };
    let Some(activity) = (Conversion { event, record, call, names, arena }).activity() else { return false };
    sink(&ProcessEvent {
        time: event.time,
        host: event.host,
        outcome: outcome(record),
        process: process(event, record, call, arena),
        activity,
        provenance: Provenance {
            source: Source::Auditd,
            input: event.input,
            line: event.line,
            record: event.serial,
            provider: "SYSCALL",
            event_id: record.number,
        },
    });
    true
}

/// EACCES and EPERM are denials; EINPROGRESS is a connect that continues in the background.
fn outcome(record: &SyscallRecord<'_>) -> Outcome {
    match (record.success, record.exit) {
        (Some(true), _) => Outcome::Success,
        (Some(false), -13 | -1) => Outcome::Denied,
        (Some(false), -115) => Outcome::Unknown,
        (Some(false), _) => Outcome::Failure,
        (None, _) => Outcome::Unknown,
    }
}

fn process<'a>(event: &AuditEvent<'a>, record: &SyscallRecord<'a>, call: Call, arena: &'a Bump) -> Process<'a> {
    let starts = matches!(call, Call::Execve | Call::Execveat);
    let command_line = if starts && !event.arguments.is_empty() {
        command_line(event.arguments, arena)
    } else if title_fits(event.title, record) {
        command_line(event.title, arena)
    } else {
        ""
    };
    Process {
        pid: record.pid,
        image: record.exe,
        original_name: record.comm,
        command_line,
        working_directory: event.directory,
        user: User {
            id: record.uid,
            name: record.user,
            effective_id: record.euid,
            audit_id: record.auid,
            ..User::default()
        },
        session: record.session,
        integrity: match record.euid {
            "" => Integrity::Unknown,
            "0" => Integrity::System,
            _ => Integrity::Medium,
        },
        tty: record.tty,
        parent: Parent { pid: record.ppid, ..Parent::default() },
        ..Process::default()
    }
}

/// Whether a process title belongs to the running program, and not to the one before exec: the kernel reads it once per
/// audit context, so it may be stale.
fn title_fits(title: &[&str], record: &SyscallRecord<'_>) -> bool {
    let Some(first) = title.first() else { return false };
    // `postgres: checkpointer`, `nginx: worker process`, `-bash`, `/usr/bin/x --y` in one string.
    let first = first.split([' ', ':']).next().unwrap_or_default().trim_start_matches('-');
    let first = base(first);
    let image = base(record.exe);
    !first.is_empty()
        && (first == image || cut(first) == record.comm || record.comm.split([':', ' ']).next() == Some(first))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The first 15 bytes, the maximum length of `comm`.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(15);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// An audit event with what was derived from it so far.
struct Conversion<'e, 'n, 'a> {
    event: &'e AuditEvent<'a>,
    record: &'e SyscallRecord<'a>,
    call: Call,
    names: &'n mut Names,
    arena: &'a Bump,
}

impl<'a> Conversion<'_, '_, 'a> {
    fn activity(&mut self) -> Option<Activity<'a>> {
        let succeeded = self.record.success != Some(false);
        match self.call {
            Call::Execve | Call::Execveat => succeeded.then_some(Activity::ProcessStart),
            Call::ExitGroup => Some(Activity::ProcessEnd),
            Call::Connect => self.connect(self.arguments(2)),
            // These two have their peer in each call; the address length is not in the logged arguments.
            Call::Sendto | Call::Sendmsg => match self.address(None)? {
                Address::Internet(..) => None,
                address => self.connect_to(address),
            },
            Call::Bind => self.bind(succeeded),
            Call::Accept => succeeded.then(|| self.accept()).flatten(),
            Call::Mknod => self.make_node(self.arguments(1)),
            Call::Mknodat => self.make_node(self.arguments(2)),
            Call::Open => self.open(self.arguments(1)),
            Call::Openat => self.open(self.arguments(2)),
            Call::Openat2 => self.open(None),
            Call::Creat => self.open(Some(1)),
            Call::Chmod | Call::Fchmod => self.change_mode(self.arguments(1)),
            Call::Fchmodat => self.change_mode(self.arguments(2)),
            Call::Chown | Call::Fchown | Call::Fchownat => self.change_owner(),
            Call::Unlink | Call::Unlinkat => self.file(FileOperation::Delete, NameKind::Delete),
            Call::Rename | Call::Renameat => self.rename(),
            Call::Link | Call::Linkat | Call::Symlink | Call::Symlinkat => self.link(),
            Call::Mkdir | Call::Mkdirat => self.file(FileOperation::Create, NameKind::Create),
            Call::Truncate => self.file(FileOperation::Write, NameKind::Normal),
            Call::Ptrace => self.trace(),
            Call::ProcessVmReadv => self.reach(AccessKind::ReadMemory, self.arguments(0), None),
            Call::ProcessVmWritev => self.reach(AccessKind::WriteMemory, self.arguments(0), None),
            Call::PidfdOpen => {
                if let (true, Some(pid), Some(handle)) = (succeeded, self.arguments(0), self.returned_descriptor()) {
                    self.names.remember(self.event.host, handle, Mechanism::ProcessMemory, &pid.to_string());
                }
                None
            }
            Call::PidfdGetfd => {
                let target = self.named_descriptor(self.arguments(0)?, Mechanism::ProcessMemory);
                self.reach(AccessKind::Open, target.and_then(|pid| pid.parse().ok()), None)
            }
            Call::MemfdCreate => Some(Activity::File(FileChange {
                operation: FileOperation::Create,
                kind: FileKind::Regular,
                path: "memfd:",
                ..FileChange::default()
            })),
            Call::Shmget => self.system_v(Mechanism::SharedMemory, self.arguments(2), succeeded),
            Call::Msgget => self.system_v(Mechanism::MessageQueue, self.arguments(1), succeeded),
            // SHM_RDONLY is 0o10000.
            Call::Shmat => {
                let reads_only = self.arguments(2).is_some_and(|flags| flags & 0o10_000 != 0);
                self.attach(Mechanism::SharedMemory, if reads_only { READ } else { READ | WRITE })
            }
            Call::Msgsnd => self.attach(Mechanism::MessageQueue, WRITE),
            Call::Msgrcv => self.attach(Mechanism::MessageQueue, READ),
            Call::MqOpen => self.open_queue(),
        }
    }

    fn arguments(&self, index: usize) -> Option<u64> {
        self.record.arguments[index]
    }

    fn address(&self, length: Option<u64>) -> Option<Address<'a>> {
        decode(self.event.address?, length, self.arena)
    }

    // --- sockets ---

    fn connect(&self, length: Option<u64>) -> Option<Activity<'a>> {
        self.connect_to(self.address(length)?)
    }

    fn connect_to(&self, address: Address<'a>) -> Option<Activity<'a>> {
        match address {
            Address::Path(_) | Address::Abstract(_) => {
                Some(Activity::ChannelConnect(self.unix_channel(address, NameKind::Normal)?))
            }
            Address::Internet(address, port) => Some(self.flow(address, port, true)),
            Address::Unnamed | Address::Other(_) => None,
        }
    }

    fn bind(&mut self, succeeded: bool) -> Option<Activity<'a>> {
        let channel = self.unix_channel(self.address(self.arguments(2))?, NameKind::Create)?;
        if let (true, Some(pid), Some(number)) = (succeeded, self.record.pid, self.arguments(0)) {
            for handle in [Handle::Descriptor { pid, number }, self.program(number)] {
                self.names.remember(self.event.host, handle, channel.mechanism, channel.name);
            }
        }
        Some(Activity::ChannelCreate(channel))
    }

    /// An accept has the peer's address, never the listener's. That was logged at bind, by this process, by the one it
    /// was forked from, or by one of the same program, user and session.
    fn accept(&self) -> Option<Activity<'a>> {
        let peer = self.address(None);
        if let Some(Address::Internet(address, port)) = peer {
            return Some(self.flow(address, port, false));
        }
        let number = self.arguments(0)?;
        let processes = [self.record.pid, self.record.ppid].into_iter().flatten();
        let known = processes
            .map(|pid| Handle::Descriptor { pid, number })
            .chain([self.program(number)])
            .filter_map(|handle| self.names.find(self.event.host, &handle))
            .find(|named| matches!(named.mechanism, Mechanism::UnixSocket | Mechanism::UnixAbstract));
        let channel = match (known, peer) {
            (Some(named), _) => {
                Channel { mechanism: named.mechanism, name: self.arena.alloc_str(&named.name), ..Channel::default() }
            }
            (None, Some(Address::Unnamed | Address::Path(_) | Address::Abstract(_))) => {
                Channel { mechanism: Mechanism::UnixSocket, ..Channel::default() }
            }
            _ => return None,
        };
        Some(Activity::ChannelAccept(channel))
    }

    fn program(&self, number: u64) -> Handle {
        Handle::Program {
            image: self.record.exe.to_owned(),
            user: self.record.uid.to_owned(),
            session: self.record.session,
            number,
        }
    }

    fn unix_channel(&self, address: Address<'a>, kind: NameKind) -> Option<Channel<'a>> {
        let mechanism = address.mechanism()?;
        match address {
            Address::Abstract(name) => Some(Channel { mechanism, name, ..Channel::default() }),
            Address::Path(name) => {
                let path = self.path(kind);
                Some(Channel {
                    mechanism,
                    name: self.absolute(name, true),
                    owner: path.map_or("", |path| path.owner),
                    mode: path.and_then(|path| path.mode),
                    ..Channel::default()
                })
            }
            _ => None,
        }
    }

    fn flow(&self, address: core::net::IpAddr, port: u16, outbound: bool) -> Activity<'a> {
        let address = self.arena.alloc_str(&address.to_string());
        Activity::NetworkFlow(NetworkFlow {
            remote: Endpoint { address, port, name: "" },
            outbound,
            ..NetworkFlow::default()
        })
    }

    // --- files and FIFOs ---

    /// The PATH record of the object itself: one of the wanted kind, else the last that is not its directory.
    fn path(&self, kind: NameKind) -> Option<&PathRecord<'a>> {
        let paths = &self.event.paths;
        paths
            .iter()
            .rfind(|path| path.kind == kind)
            .or_else(|| paths.iter().rfind(|path| path.kind != NameKind::Parent))
    }

    /// Makes a name absolute. `from_directory`: whether a relative one is relative to the current directory.
    fn absolute(&self, name: &'a str, from_directory: bool) -> &'a str {
        if name.is_empty() || name.starts_with('/') || !from_directory || !self.event.directory.starts_with('/') {
            return name;
        }
        let mut joined = BumpString::with_capacity_in(self.event.directory.len() + name.len() + 1, self.arena);
        joined.push_str(self.event.directory.trim_end_matches('/'));
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    let parent = joined.rfind('/').unwrap_or(0);
                    joined.truncate(parent);
                }
                part => {
                    joined.push('/');
                    joined.push_str(part);
                }
            }
        }
        if joined.is_empty() {
            joined.push('/');
        }
        joined.into_bump_str()
    }

    /// The name of a PATH record, absolute if that can be determined.
    fn name(&self, path: &PathRecord<'a>) -> &'a str {
        let by_descriptor = matches!(
            self.call,
            Call::Openat
                | Call::Openat2
                | Call::Mknodat
                | Call::Mkdirat
                | Call::Unlinkat
                | Call::Renameat
                | Call::Linkat
                | Call::Fchmodat
                | Call::Fchownat
        );
        let from_directory = !by_descriptor || self.arguments(0).is_some_and(|fd| fd as u32 == AT_FDCWD);
        self.absolute(path.name, from_directory)
    }

    fn fifo(&self, path: &PathRecord<'a>, access: Option<u32>) -> Channel<'a> {
        Channel {
            mechanism: Mechanism::Fifo,
            name: self.name(path),
            access,
            owner: path.owner,
            mode: path.mode,
            ..Channel::default()
        }
    }

    fn make_node(&self, mode: Option<u64>) -> Option<Activity<'a>> {
        let path = self.path(NameKind::Create)?;
        let mode = mode.map(|mode| mode as u32);
        match mode.or(path.mode).map(|mode| mode & TYPE) {
            Some(TYPE_FIFO) => {
                // If the node was not created, no record has its mode: the requested mode is used.
                let mut channel = self.fifo(path, None);
                channel.mode = channel.mode.filter(|mode| mode & TYPE == TYPE_FIFO).or(mode);
                Some(Activity::ChannelCreate(channel))
            }
            _ => self.file(FileOperation::Create, NameKind::Create),
        }
    }

    fn open(&self, flags: Option<u64>) -> Option<Activity<'a>> {
        let path = self.path(NameKind::Create)?;
        // O_WRONLY is 1, O_RDWR is 2.
        let access = flags.map(|flags| match flags & 3 {
            0 => READ,
            1 => WRITE,
            _ => READ | WRITE,
        });
        if path.mode.is_some_and(|mode| mode & TYPE == TYPE_FIFO) {
            return Some(Activity::ChannelConnect(self.fifo(path, access)));
        }
        let operation = if path.kind == NameKind::Create {
            FileOperation::Create
        } else if access.is_some_and(|access| access & WRITE != 0) {
            FileOperation::Write
        } else {
            FileOperation::Open
        };
        self.file(operation, NameKind::Create)
    }

    fn file(&self, operation: FileOperation, kind: NameKind) -> Option<Activity<'a>> {
        let path = self.path(kind)?;
        Some(Activity::File(FileChange {
            operation,
            kind: file_kind(path.mode),
            path: self.name(path),
            owner: path.owner,
            ..FileChange::default()
        }))
    }

    fn change_mode(&self, mode: Option<u64>) -> Option<Activity<'a>> {
        match self.file(FileOperation::ChangeMode, NameKind::Normal)? {
            // PATH has the mode before the call; the new one is the argument.
            Activity::File(change) => {
                Some(Activity::File(FileChange { mode: mode.map(|mode| mode as u32 & 0o7777), ..change }))
            }
            other => Some(other),
        }
    }

    fn change_owner(&self) -> Option<Activity<'a>> {
        self.file(FileOperation::ChangeOwner, NameKind::Normal)
    }

    fn rename(&self) -> Option<Activity<'a>> {
        let old = self.event.paths.iter().find(|path| path.kind == NameKind::Delete);
        // A rename over a file deletes that too: the old name is the first deleted one, the new one was created.
        match self.file(FileOperation::Rename, NameKind::Create)? {
            Activity::File(change) => {
                Some(Activity::File(FileChange { old_path: old.map_or("", |path| self.name(path)), ..change }))
            }
            other => Some(other),
        }
    }

    fn link(&self) -> Option<Activity<'a>> {
        let target = self.event.paths.iter().find(|path| path.kind == NameKind::Normal);
        match self.file(FileOperation::Create, NameKind::Create)? {
            Activity::File(change) => {
                Some(Activity::File(FileChange { old_path: target.map_or("", |path| self.name(path)), ..change }))
            }
            other => Some(other),
        }
    }

    // --- other processes ---

    /// Requests: linux/ptrace.h and asm/ptrace-abi.h. Requests that only read registers or control execution are
    /// ignored: a tracer makes thousands of those.
    fn trace(&self) -> Option<Activity<'a>> {
        let request = self.arguments(0)? as u32;
        let kind = match request {
            0x10 | 0x4206 => AccessKind::Attach,
            // POKETEXT, POKEDATA, POKEUSER, SETREGS, SETFPREGS, SETFPXREGS, SETREGSET
            4 | 5 | 6 | 0xd | 0xf | 0x13 | 0x4205 => AccessKind::WriteMemory,
            // PEEKTEXT, PEEKDATA, PEEKUSER
            1..=3 => AccessKind::ReadMemory,
            _ => return None,
        };
        self.reach(kind, self.arguments(1), Some(request))
    }

    fn reach(&self, kind: AccessKind, pid: Option<u64>, mask: Option<u32>) -> Option<Activity<'a>> {
        let mut target = Process { pid: pid.and_then(|pid| u32::try_from(pid).ok()), ..Process::default() };
        if let Some(object) = &self.event.object
            && (target.pid.is_none() || object.pid == target.pid)
        {
            target.pid = object.pid;
            target.original_name = object.comm;
            target.session = object.session;
            // OBJ_PID's ouid is the target's real uid; its effective one is not in the record.
            target.user = User { id: object.uid, name: object.user, audit_id: object.auid, ..User::default() };
        }
        Some(Activity::ProcessAccess(Access { kind, target, mask, call_trace: "" }))
    }

    fn returned_descriptor(&self) -> Option<Handle> {
        Some(Handle::Descriptor { pid: self.record.pid?, number: u64::try_from(self.record.exit).ok()? })
    }

    fn named_descriptor(&self, number: u64, mechanism: Mechanism) -> Option<&str> {
        let handle = Handle::Descriptor { pid: self.record.pid?, number };
        self.names
            .find(self.event.host, &handle)
            .filter(|named| named.mechanism == mechanism)
            .map(|named| named.name.as_str())
    }

    // --- shared memory and queues ---

    /// shmget and msgget: the key is the name by which other processes find it. IPC_PRIVATE has none, so the id is
    /// used.
    fn system_v(&mut self, mechanism: Mechanism, flags: Option<u64>, succeeded: bool) -> Option<Activity<'a>> {
        let key = self.arguments(0)? as u32;
        let id = u64::try_from(self.record.exit).ok().filter(|_| succeeded);
        let name = match (key, id) {
            (0, Some(id)) => self.arena.alloc_str(&format!("id:{id}")),
            (0, None) => "",
            (key, _) => self.arena.alloc_str(&format!("key:0x{key:08x}")),
        };
        if let Some(id) = id {
            self.names.remember(self.event.host, system_v_handle(mechanism, id), mechanism, name);
        }
        let ipc = self.event.ipc.unwrap_or_default();
        let flags = flags.map(|flags| flags as u32);
        // IPC_CREAT is 0o1000.
        let creates = key == 0 || flags.is_some_and(|flags| flags & 0o1000 != 0);
        let channel = Channel {
            mechanism,
            name,
            owner: ipc.owner,
            mode: ipc.mode.or(if creates { flags.map(|flags| flags & 0o777) } else { None }),
            ..Channel::default()
        };
        Some(if creates { Activity::ChannelCreate(channel) } else { Activity::ChannelConnect(channel) })
    }

    fn attach(&self, mechanism: Mechanism, access: u32) -> Option<Activity<'a>> {
        let id = self.arguments(0)?;
        let name = match self.names.find(self.event.host, &system_v_handle(mechanism, id)) {
            Some(named) => self.arena.alloc_str(&named.name),
            None => self.arena.alloc_str(&format!("id:{id}")),
        };
        let ipc = self.event.ipc.unwrap_or_default();
        Some(Activity::ChannelConnect(Channel {
            mechanism,
            name,
            access: Some(access),
            owner: ipc.owner,
            mode: ipc.mode,
            ..Channel::default()
        }))
    }

    fn open_queue(&self) -> Option<Activity<'a>> {
        let path = self.path(NameKind::Create)?;
        let flags = self.arguments(1)?;
        let mut name = BumpString::with_capacity_in(path.name.len() + 1, self.arena);
        // The C library removes the slash before the call.
        name.push('/');
        name.push_str(path.name.trim_start_matches('/'));
        let channel = Channel {
            mechanism: Mechanism::MessageQueue,
            name: name.into_bump_str(),
            access: Some(match flags & 3 {
                0 => READ,
                1 => WRITE,
                _ => READ | WRITE,
            }),
            owner: path.owner,
            mode: path.mode,
            ..Channel::default()
        };
        // O_CREAT is 0o100; a queue that existed before is only opened.
        let creates = path.kind == NameKind::Create || (path.mode.is_none() && flags & 0o100 != 0);
        Some(if creates { Activity::ChannelCreate(channel) } else { Activity::ChannelConnect(channel) })
    }
}

fn system_v_handle(mechanism: Mechanism, id: u64) -> Handle {
    if mechanism == Mechanism::MessageQueue { Handle::Queue(id) } else { Handle::Segment(id) }
}

fn file_kind(mode: Option<u32>) -> FileKind {
    match mode.map(|mode| mode & TYPE) {
        Some(TYPE_FIFO) => FileKind::Fifo,
        Some(TYPE_SOCKET) => FileKind::Socket,
        Some(0o100_000) => FileKind::Regular,
        Some(0o040_000) => FileKind::Directory,
        _ => FileKind::Unknown,
    }
}
