//! The list of an event's fields, shared by writer and reader. Their order is the packed layout.
//!
//! Every function destructures its type without `..`, so that a new field does not compile until it is listed here.
//! Changing the order or the kind of a field is a new version of the layout.

use crate::*;

/// Visits the fields of an event in order, to read them or to fill them in.
pub(super) trait Codec<'a> {
    /// The fields that follow belong to the activity.
    fn activity(&mut self);
    /// Text; empty means that it is not in the record.
    fn text(&mut self, value: &mut &'a str);
    /// A number; 0 means none.
    fn number(&mut self, value: &mut u32);
    /// A 64-bit number; 0 means none.
    fn long(&mut self, value: &mut u64);
    /// An optional number.
    fn number_if(&mut self, value: &mut Option<u32>);
    /// An optional 64-bit number.
    fn long_if(&mut self, value: &mut Option<u64>);
    /// A boolean, usually `false`.
    fn flag(&mut self, value: &mut bool);
    /// An optional boolean.
    fn flag_if(&mut self, value: &mut Option<bool>);
    /// A variant of an enumeration; the default is the common one.
    fn word<W: Word>(&mut self, value: &mut W);
}

/// A fieldless enumeration as a number.
pub(super) trait Word: Copy + Default + PartialEq {
    /// Its number, stable across versions.
    fn code(self) -> u32;
    /// The variant with this number.
    fn from_code(code: u32) -> Option<Self>;
}

macro_rules! words {
    ($($name:ident { $($word:ident),* $(,)? })*) => {$(
        impl Word for $name {
            fn code(self) -> u32 {
                match self { $(Self::$word => Self::$word as u32),* }
            }

            fn from_code(code: u32) -> Option<Self> {
                $(if code == Self::$word as u32 { return Some(Self::$word); })*
                None
            }
        }
    )*};
}

words! {
    Outcome { Unknown, Success, Failure, Denied }
    Source {
        Unknown, Sysmon, Security, DistributedCom, System, PowerShell, WmiActivity, Application, RpcTrace, RpcFirewall,
        Auditd, Syslog, Zeek, EndpointSecurity,
    }
    Integrity { Unknown, Untrusted, Low, Medium, High, System }
    SignatureStatus { Unknown, Trusted, Untrusted, Unsigned }
    AccessKind { Open, RemoteThread, Tamper, Attach, WriteMemory, ReadMemory }
    FileOperation { Open, Create, Write, Rename, Delete, ChangeMode, ChangeOwner }
    FileKind { Unknown, Regular, Directory, Fifo, Socket }
    RegistryOperation { SetValue, CreateKey, DeleteKey, DeleteValue, Rename, Open }
    Mechanism {
        Unknown, NamedPipe, AnonymousPipe, Fifo, UnixSocket, UnixAbstract, Com, Dcom, Dde, RpcTcp, RpcNamedPipe,
        RpcLocal, Wmi, Dbus, Xpc, Mach, AppleEvent, SharedMemory, MessageQueue, ProcessMemory,
    }
    LogonOutcome { Start, End, Failure, SpecialPrivileges, ExplicitCredentials }
    PrivilegeChangeKind { TokenAdjusted, RightAssigned, AccountCreated, GroupMemberAdded, PermissionWidened }
    ServiceOperation { Installed, StateChanged, TaskCreated, Removed }
    TelemetryState { Changed, Started, Stopped, Cleared }
}

/// An activity of this kind with default fields; `None` if there is no such kind.
pub(super) fn blank<'a>(kind: u32) -> Option<Activity<'a>> {
    Some(match kind {
        0 => Activity::ProcessStart,
        1 => Activity::ProcessEnd,
        2 => Activity::ProcessAccess(Access::default()),
        3 => Activity::ModuleLoad(Module::default()),
        4 => Activity::File(FileChange::default()),
        5 => Activity::Registry(RegistryChange::default()),
        6 => Activity::ChannelCreate(Channel::default()),
        7 => Activity::ChannelConnect(Channel::default()),
        8 => Activity::ChannelAccept(Channel::default()),
        9 => Activity::ComActivation(ComActivation::default()),
        10 => Activity::RpcCall(RpcCall::default()),
        11 => Activity::NetworkFlow(NetworkFlow::default()),
        12 => Activity::Logon(Logon::default()),
        13 => Activity::PrivilegeChange(PrivilegeChange::default()),
        14 => Activity::SoftwareChange(SoftwareChange::default()),
        15 => Activity::ServiceChange(ServiceChange::default()),
        16 => Activity::Script(Script::default()),
        17 => Activity::Text(Text::default()),
        18 => Activity::Dns(DnsQuery::default()),
        19 => Activity::Telemetry(Telemetry::default()),
        _ => return None,
    })
}

/// All fields of an event but those of its row's header (time, kind) and of its origin.
#[inline]
pub(super) fn event<'a, C: Codec<'a>>(codec: &mut C, event: &mut ProcessEvent<'a>) {
    let ProcessEvent { time: _, host: _, outcome, process: subject, activity: act, provenance } = event;
    let Provenance { source: _, input: _, line, record, provider: _, event_id } = provenance;
    codec.word(outcome);
    codec.long(line);
    codec.text(record);
    codec.number(event_id);
    process(codec, subject);
    codec.activity();
    activity(codec, act);
}

#[inline]
fn activity<'a, C: Codec<'a>>(codec: &mut C, value: &mut Activity<'a>) {
    match value {
        Activity::ProcessStart | Activity::ProcessEnd => {}
        Activity::ProcessAccess(Access { kind, target, mask, call_trace }) => {
            codec.word(kind);
            process(codec, target);
            codec.number_if(mask);
            codec.text(call_trace);
        }
        Activity::ModuleLoad(Module { path, original_name, company, hashes: h, signature: s }) => {
            codec.text(path);
            codec.text(original_name);
            codec.text(company);
            hashes(codec, h);
            signature(codec, s);
        }
        Activity::File(FileChange { operation, kind, path, old_path, mode, owner, share, peer, access }) => {
            codec.word(operation);
            codec.word(kind);
            codec.text(path);
            codec.text(old_path);
            codec.number_if(mode);
            codec.text(owner);
            codec.text(share);
            codec.text(peer);
            codec.number_if(access);
        }
        Activity::Registry(RegistryChange { operation, path, data }) => {
            codec.word(operation);
            codec.text(path);
            codec.text(data);
        }
        Activity::ChannelCreate(c) | Activity::ChannelConnect(c) | Activity::ChannelAccept(c) => channel(codec, c),
        Activity::ComActivation(ComActivation { clsid, app_id, permission, remote, outbound, peer, error, server }) => {
            codec.text(clsid);
            codec.text(app_id);
            codec.text(permission);
            codec.flag(remote);
            codec.flag(outbound);
            codec.text(peer);
            codec.text(error);
            codec.text(server);
        }
        Activity::RpcCall(RpcCall {
            channel: c,
            interface,
            operation,
            client,
            server,
            object,
            authentication_level,
        }) => {
            channel(codec, c);
            codec.text(interface);
            codec.text(operation);
            endpoint(codec, client);
            endpoint(codec, server);
            codec.text(object);
            codec.number_if(authentication_level);
        }
        Activity::NetworkFlow(NetworkFlow { local, remote, outbound, protocol }) => {
            endpoint(codec, local);
            endpoint(codec, remote);
            codec.flag(outbound);
            codec.text(protocol);
        }
        Activity::Logon(Logon { outcome, id, kind, user: u, source, package, elevated, target }) => {
            codec.word(outcome);
            codec.long_if(id);
            codec.number(kind);
            user(codec, u);
            endpoint(codec, source);
            codec.text(package);
            codec.flag_if(elevated);
            codec.text(target);
        }
        Activity::PrivilegeChange(PrivilegeChange { kind, principal, object, details }) => {
            codec.word(kind);
            user(codec, principal);
            codec.text(object);
            codec.text(details);
        }
        Activity::SoftwareChange(SoftwareChange { name, version, publisher, removed }) => {
            codec.text(name);
            codec.text(version);
            codec.text(publisher);
            codec.flag(removed);
        }
        Activity::ServiceChange(ServiceChange { operation, name, command_line, account, state }) => {
            codec.word(operation);
            codec.text(name);
            codec.text(command_line);
            codec.text(account);
            codec.text(state);
        }
        Activity::Script(Script { text, path, block, engine }) => {
            codec.text(text);
            codec.text(path);
            codec.text(block);
            codec.text(engine);
        }
        Activity::Text(Text { program, message }) => {
            codec.text(program);
            codec.text(message);
        }
        Activity::Dns(DnsQuery { query, answers }) => {
            codec.text(query);
            codec.text(answers);
        }
        Activity::Telemetry(Telemetry { state, details }) => {
            codec.word(state);
            codec.text(details);
        }
    }
}

#[inline]
fn process<'a, C: Codec<'a>>(codec: &mut C, value: &mut Process<'a>) {
    let Process {
        entity,
        pid,
        start,
        image,
        original_name,
        command_line,
        working_directory,
        company,
        user: u,
        logon_id,
        session,
        integrity,
        elevated,
        tty,
        hashes: h,
        signature: s,
        parent: p,
    } = value;
    codec.text(entity);
    codec.number_if(pid);
    let mut moment = start.map(|start| start.0.cast_unsigned());
    codec.long_if(&mut moment);
    *start = moment.map(|moment| Timestamp(moment.cast_signed()));
    codec.text(image);
    codec.text(original_name);
    codec.text(command_line);
    codec.text(working_directory);
    codec.text(company);
    user(codec, u);
    codec.long_if(logon_id);
    codec.number_if(session);
    codec.word(integrity);
    codec.flag_if(elevated);
    codec.text(tty);
    hashes(codec, h);
    signature(codec, s);
    parent(codec, p);
}

#[inline]
fn parent<'a, C: Codec<'a>>(codec: &mut C, value: &mut Parent<'a>) {
    let Parent { entity, pid, image, command_line, user: u } = value;
    codec.text(entity);
    codec.number_if(pid);
    codec.text(image);
    codec.text(command_line);
    user(codec, u);
}

#[inline]
fn user<'a, C: Codec<'a>>(codec: &mut C, value: &mut User<'a>) {
    let User { id, name, domain, effective_id, audit_id } = value;
    codec.text(id);
    codec.text(name);
    codec.text(domain);
    codec.text(effective_id);
    codec.text(audit_id);
}

#[inline]
fn hashes<'a, C: Codec<'a>>(codec: &mut C, value: &mut Hashes<'a>) {
    let Hashes { md5, sha1, sha256, imphash } = value;
    codec.text(md5);
    codec.text(sha1);
    codec.text(sha256);
    codec.text(imphash);
}

#[inline]
fn signature<'a, C: Codec<'a>>(codec: &mut C, value: &mut Signature<'a>) {
    let Signature { status, signer } = value;
    codec.word(status);
    codec.text(signer);
}

#[inline]
fn channel<'a, C: Codec<'a>>(codec: &mut C, value: &mut Channel<'a>) {
    let Channel { mechanism, name, remote, peer, access, owner, mode } = value;
    codec.word(mechanism);
    codec.text(name);
    codec.flag(remote);
    codec.text(peer);
    codec.number_if(access);
    codec.text(owner);
    codec.number_if(mode);
}

#[inline]
fn endpoint<'a, C: Codec<'a>>(codec: &mut C, value: &mut Endpoint<'a>) {
    let Endpoint { address, port, name } = value;
    codec.text(address);
    codec.word(port);
    codec.text(name);
}

/// A port.
impl Word for u16 {
    fn code(self) -> u32 {
        u32::from(self)
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::try_from(code).ok()
    }
}
