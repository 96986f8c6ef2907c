//! [`Channel`]: a means by which two processes communicate.

use serde::{Deserialize, Serialize};

/// A channel of inter-process communication as one record names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Channel<'a> {
    /// Kind of channel.
    pub mechanism: Mechanism,
    /// Name as logged, after decoding what the carrier encoded: a named pipe starts with a backslash and has no
    /// `\\.\pipe` before it; an abstract socket starts with `@`; an anonymous pipe is `<Anonymous Pipe>`.
    pub name: &'a str,
    /// Whether the client is known to have connected over the network (or its loopback).
    pub remote: bool,
    /// Network address of the client, where the record has it.
    pub peer: &'a str,
    /// Requested access mask (Security 5145).
    pub access: Option<u32>,
    /// Owner of the endpoint where the record has it (auditd PATH `ouid`).
    pub owner: &'a str,
    /// File mode of the endpoint, type bits included, where the record has it (auditd PATH `mode`).
    pub mode: Option<u32>,
}

/// Kinds of channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Mechanism {
    /// Not known.
    #[default]
    Unknown = 0,
    /// Windows named pipe.
    NamedPipe = 1,
    /// Windows or Unix anonymous pipe.
    AnonymousPipe = 2,
    /// Unix FIFO.
    Fifo = 3,
    /// AF_UNIX socket with a path.
    UnixSocket = 4,
    /// AF_UNIX socket in the abstract namespace.
    UnixAbstract = 5,
    /// COM inside one machine.
    Com = 6,
    /// COM between machines.
    Dcom = 7,
    /// Dynamic Data Exchange.
    Dde = 8,
    /// RPC over TCP.
    RpcTcp = 9,
    /// RPC over a named pipe.
    RpcNamedPipe = 10,
    /// Local RPC (ALPC).
    RpcLocal = 11,
    /// WMI.
    Wmi = 12,
    /// D-Bus.
    Dbus = 13,
    /// macOS XPC.
    Xpc = 14,
    /// Mach port.
    Mach = 15,
    /// Apple Event.
    AppleEvent = 16,
    /// Shared memory.
    SharedMemory = 17,
    /// Message queue (System V or POSIX).
    MessageQueue = 18,
    /// The memory of another process, through ptrace or process_vm_writev.
    ProcessMemory = 19,
}

impl Mechanism {
    /// The name used in documents (`named_pipe`, `dcom`, ...).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NamedPipe => "named_pipe",
            Self::AnonymousPipe => "anonymous_pipe",
            Self::Fifo => "fifo",
            Self::UnixSocket => "unix_socket",
            Self::UnixAbstract => "unix_abstract",
            Self::Com => "com",
            Self::Dcom => "dcom",
            Self::Dde => "dde",
            Self::RpcTcp => "rpc_tcp",
            Self::RpcNamedPipe => "rpc_named_pipe",
            Self::RpcLocal => "rpc_local",
            Self::Wmi => "wmi",
            Self::Dbus => "dbus",
            Self::Xpc => "xpc",
            Self::Mach => "mach",
            Self::AppleEvent => "apple_event",
            Self::SharedMemory => "shared_memory",
            Self::MessageQueue => "message_queue",
            Self::ProcessMemory => "process_memory",
        }
    }
}
