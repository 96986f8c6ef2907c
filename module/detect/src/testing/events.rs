//! Events for tests, built like log records.

use std::ops::Deref;

use backchannel_events::{
    Access, AccessKind, Activity, Channel, ComActivation, Endpoint, FileChange, Integrity, Logon, Mechanism, Module,
    NetworkFlow, Process, ProcessEvent, Provenance, RegistryChange, RpcCall, Script, ServiceChange, Signature,
    SignatureStatus, Source, Timestamp, User,
};

/// An event under construction: chained calls set the fields that matter for a test.
#[derive(Clone, Copy, Debug)]
pub struct Event(pub ProcessEvent<'static>);

impl Deref for Event {
    type Target = ProcessEvent<'static>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The time of an event: `seconds` (may be fractions) after an arbitrary morning.
pub fn at(seconds: f64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0) + std::time::Duration::from_secs_f64(seconds)
}

/// An event of any kind on host `ws01`.
pub fn event(seconds: impl Into<f64>, activity: Activity<'static>) -> Event {
    Event(ProcessEvent {
        time: at(seconds.into()),
        host: "ws01.corp.example",
        outcome: Default::default(),
        process: Process::default(),
        activity,
        provenance: Provenance { source: Source::Sysmon, input: "test", ..Provenance::default() },
    })
}

/// A process start.
pub fn start(seconds: impl Into<f64>, image: &'static str, command_line: &'static str) -> Event {
    let mut event = event(seconds, Activity::ProcessStart);
    event.0.process.image = image;
    event.0.process.command_line = command_line;
    event.0.provenance.event_id = 1;
    event
}

/// A logon with its type, id, account and source address.
pub fn logon(seconds: impl Into<f64>, kind: u32, id: u64, user: &'static str, address: &'static str) -> Event {
    let logon = Logon {
        kind,
        id: Some(id),
        user: User { name: user, domain: "CORP", ..User::default() },
        source: Endpoint { address, ..Endpoint::default() },
        ..Logon::default()
    };
    let mut event = event(seconds, Activity::Logon(logon));
    event.0.provenance.source = Source::Security;
    event.0.provenance.event_id = 4624;
    event
}

/// A named pipe created by a process.
pub fn pipe_created(seconds: impl Into<f64>, name: &'static str) -> Event {
    event(seconds, Activity::ChannelCreate(Channel { mechanism: Mechanism::NamedPipe, name, ..Channel::default() }))
}

/// A named pipe opened by a process of this machine.
pub fn pipe_opened(seconds: impl Into<f64>, name: &'static str) -> Event {
    event(seconds, Activity::ChannelConnect(Channel { mechanism: Mechanism::NamedPipe, name, ..Channel::default() }))
}

/// A named pipe opened through IPC$ (Security 5145).
pub fn pipe_opened_from(seconds: impl Into<f64>, name: &'static str, peer: &'static str, access: u32) -> Event {
    let channel = Channel {
        mechanism: Mechanism::NamedPipe,
        name,
        remote: true,
        peer,
        access: Some(access),
        ..Channel::default()
    };
    let mut event = event(seconds, Activity::ChannelConnect(channel));
    event.0.provenance.source = Source::Security;
    event.0.provenance.event_id = 5145;
    event
}

/// A named pipe opened over SMB, as Sysmon 18 shows it: by the kernel, without the client's address.
pub fn pipe_remote(seconds: impl Into<f64>, name: &'static str) -> Event {
    let channel = Channel { mechanism: Mechanism::NamedPipe, name, remote: true, ..Channel::default() };
    event(seconds, Activity::ChannelConnect(channel)).of("System", 4)
}

/// A registry value that was set.
pub fn registry_set(seconds: impl Into<f64>, path: &'static str, data: &'static str) -> Event {
    event(seconds, Activity::Registry(RegistryChange { path, data, ..RegistryChange::default() }))
}

/// A module that was loaded.
pub fn loaded(seconds: impl Into<f64>, path: &'static str) -> Event {
    event(seconds, Activity::ModuleLoad(Module { path, ..Module::default() }))
}

/// A file that was created.
pub fn file_created(seconds: impl Into<f64>, path: &'static str) -> Event {
    let operation = backchannel_events::FileOperation::Create;
    event(seconds, Activity::File(FileChange { operation, path, ..FileChange::default() }))
}

/// A network flow into this machine.
pub fn flow_in(seconds: impl Into<f64>, local_port: u16, remote: &'static str, remote_port: u16) -> Event {
    let flow = NetworkFlow {
        local: Endpoint { address: "10.0.0.5", port: local_port, ..Endpoint::default() },
        remote: Endpoint { address: remote, port: remote_port, ..Endpoint::default() },
        outbound: false,
        protocol: "tcp",
    };
    event(seconds, Activity::NetworkFlow(flow))
}

/// A service that was installed.
pub fn service_installed(seconds: impl Into<f64>, name: &'static str, command_line: &'static str) -> Event {
    let mut event = event(
        seconds,
        Activity::ServiceChange(ServiceChange {
            name,
            command_line,
            account: "LocalSystem",
            ..ServiceChange::default()
        }),
    );
    event.0.provenance.source = Source::System;
    event.0.provenance.event_id = 7045;
    event
}

/// A network flow out of this machine.
pub fn flow_out(seconds: impl Into<f64>, remote: &'static str, remote_port: u16) -> Event {
    let flow = NetworkFlow {
        local: Endpoint { address: "10.0.0.5", port: 50_001, ..Endpoint::default() },
        remote: Endpoint { address: remote, port: remote_port, ..Endpoint::default() },
        outbound: true,
        protocol: "tcp",
    };
    event(seconds, Activity::NetworkFlow(flow))
}

/// DistributedCOM 10016: a caller was refused a COM class; `peer` is empty for a local caller.
pub fn com_refused(seconds: impl Into<f64>, clsid: &'static str, peer: &'static str) -> Event {
    let com = ComActivation { clsid, permission: "Activation", remote: !peer.is_empty(), peer, ..Default::default() };
    distributed_com(seconds, com, 10_016)
}

/// DistributedCOM 10028: this machine could not activate a class on another one.
pub fn com_unreachable(seconds: impl Into<f64>, clsid: &'static str, peer: &'static str) -> Event {
    distributed_com(seconds, ComActivation { clsid, remote: true, outbound: true, peer, ..Default::default() }, 10_028)
}

/// Any DistributedCOM record.
pub fn distributed_com(seconds: impl Into<f64>, com: ComActivation<'static>, id: u32) -> Event {
    let mut event = event(seconds, Activity::ComActivation(com));
    event.0.provenance.source = Source::DistributedCom;
    event.0.provenance.event_id = id;
    event
}

/// A file written through a disk share (Security 5145).
pub fn file_written_from(seconds: impl Into<f64>, path: &'static str, peer: &'static str) -> Event {
    let operation = backchannel_events::FileOperation::Write;
    let mut event = event(
        seconds,
        Activity::File(FileChange {
            operation,
            path,
            share: r"\\*\C$",
            peer,
            access: Some(2),
            ..FileChange::default()
        }),
    );
    event.0.provenance.source = Source::Security;
    event.0.provenance.event_id = 5145;
    event
}

fn unix(seconds: f64, activity: fn(Channel<'static>) -> Activity<'static>, channel: Channel<'static>) -> Event {
    let mut event = event(seconds, activity(channel));
    event.0.provenance.source = Source::Auditd;
    event
}

/// A UNIX socket with a path, bound.
pub fn unix_bound(seconds: f64, name: &'static str) -> Event {
    unix(seconds, Activity::ChannelCreate, Channel { mechanism: Mechanism::UnixSocket, name, ..Channel::default() })
}

/// A client accepted on a UNIX socket with a path.
pub fn unix_accepted(seconds: f64, name: &'static str) -> Event {
    unix(seconds, Activity::ChannelAccept, Channel { mechanism: Mechanism::UnixSocket, name, ..Channel::default() })
}

/// A connection to a UNIX socket with a path, with the socket's owner and mode.
pub fn unix_connected(seconds: f64, name: &'static str, owner: &'static str, mode: u32) -> Event {
    let channel = Channel { mechanism: Mechanism::UnixSocket, name, owner, mode: Some(mode), ..Channel::default() };
    unix(seconds, Activity::ChannelConnect, channel)
}

/// A UNIX socket with an abstract name, bound.
pub fn abstract_bound(seconds: f64, name: &'static str) -> Event {
    unix(seconds, Activity::ChannelCreate, Channel { mechanism: Mechanism::UnixAbstract, name, ..Channel::default() })
}

/// A connection to an abstract name.
pub fn abstract_connected(seconds: f64, name: &'static str) -> Event {
    unix(seconds, Activity::ChannelConnect, Channel { mechanism: Mechanism::UnixAbstract, name, ..Channel::default() })
}

/// A connection to an XPC service, of the system (served as root) or of the user's session.
pub fn xpc_connected(seconds: f64, name: &'static str, system: bool) -> Event {
    let owner = if system { "0" } else { "" };
    let channel = Channel { mechanism: Mechanism::Xpc, name, owner, ..Channel::default() };
    event(seconds, Activity::ChannelConnect(channel)).on_mac()
}

/// A process that accesses another.
pub fn reached(seconds: f64, kind: AccessKind, pid: u32, comm: &'static str, uid: &'static str) -> Event {
    let target = Process {
        pid: Some(pid),
        original_name: comm,
        user: User { id: uid, ..User::default() },
        ..Process::default()
    };
    let mut event = event(seconds, Activity::ProcessAccess(Access { kind, target, ..Access::default() }));
    event.0.provenance.source = Source::Auditd;
    event
}

/// A procedure called from another machine, as logged by Zeek; the host is the called machine.
pub fn rpc_from(
    seconds: impl Into<f64>,
    client: &'static str,
    interface: &'static str,
    operation: &'static str,
) -> Event {
    let server = "10.0.0.5";
    let call = RpcCall {
        channel: Channel {
            mechanism: Mechanism::RpcTcp,
            name: "135",
            remote: true,
            peer: client,
            ..Channel::default()
        },
        interface,
        operation,
        client: Endpoint { address: client, port: 50_000, ..Endpoint::default() },
        server: Endpoint { address: server, port: 135, ..Endpoint::default() },
        ..RpcCall::default()
    };
    let mut event = event(seconds, Activity::RpcCall(call));
    event.0.host = server;
    event.0.provenance.source = Source::Zeek;
    event.0.provenance.provider = "dce_rpc";
    event
}

/// A process end.
pub fn ended(seconds: impl Into<f64>) -> Event {
    event(seconds, Activity::ProcessEnd)
}

/// A PowerShell script block.
pub fn script(seconds: impl Into<f64>, text: &'static str) -> Event {
    let mut event = event(seconds, Activity::Script(Script { text, engine: "powershell", ..Script::default() }));
    event.0.provenance.source = Source::PowerShell;
    event.0.provenance.event_id = 4104;
    event
}

impl Event {
    /// The process the event is about.
    pub fn of(mut self, image: &'static str, pid: u32) -> Self {
        self.0.process.image = image;
        self.0.process.pid = Some(pid);
        self
    }

    /// Its pid.
    pub fn pid(mut self, pid: u32) -> Self {
        self.0.process.pid = Some(pid);
        self
    }

    /// Its parent's executable and command line.
    pub fn by(mut self, image: &'static str, command_line: &'static str) -> Self {
        self.0.process.parent.image = image;
        self.0.process.parent.command_line = command_line;
        self
    }

    /// Its parent's pid.
    pub fn parent_pid(mut self, pid: u32) -> Self {
        self.0.process.parent.pid = Some(pid);
        self
    }

    /// Its account.
    pub fn user(mut self, domain: &'static str, name: &'static str) -> Self {
        self.0.process.user.domain = domain;
        self.0.process.user.name = name;
        self
    }

    /// Its uid, effective uid and login uid.
    pub fn uids(mut self, uid: &'static str, effective: &'static str, audit: &'static str) -> Self {
        self.0.process.user.id = uid;
        self.0.process.user.effective_id = effective;
        self.0.process.user.audit_id = audit;
        self.0.provenance.source = Source::Auditd;
        self
    }

    /// Its logon id.
    pub fn logon_id(mut self, id: u64) -> Self {
        self.0.process.logon_id = Some(id);
        self
    }

    /// Its session.
    pub fn session(mut self, session: u32) -> Self {
        self.0.process.session = Some(session);
        self
    }

    /// Its integrity level.
    pub fn integrity(mut self, integrity: Integrity) -> Self {
        self.0.process.integrity = integrity;
        self
    }

    /// The name in its version resource, or its auditd `comm`.
    pub fn original_name(mut self, name: &'static str) -> Self {
        self.0.process.original_name = name;
        self
    }

    /// As logged by macOS Endpoint Security.
    pub fn on_mac(mut self) -> Self {
        self.0.host = "mac1";
        self.0.provenance.source = Source::EndpointSecurity;
        self.0.provenance.event_id = 0;
        self
    }

    /// The status of its signature, and the signer.
    pub fn signed(mut self, status: SignatureStatus, signer: &'static str) -> Self {
        self.0.process.signature = Signature { status, signer };
        self
    }

    /// The host it happened on.
    pub fn on(mut self, host: &'static str) -> Self {
        self.0.host = host;
        self
    }
}
