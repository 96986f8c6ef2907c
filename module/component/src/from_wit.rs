//! Converts the contract's typed events to the types of `backchannel-events`, borrowed: no text is copied.

use backchannel_engine::Format;
use backchannel_events as nouns;
use nouns::Timestamp;

use crate::bindings::exports::backchannel::detection::types as wit;

pub(crate) fn event(event: &wit::ProcessEvent) -> nouns::ProcessEvent<'_> {
    let wit::ProcessEvent { time, host, outcome: o, process: p, activity: a, provenance: from } = event;
    nouns::ProcessEvent {
        time: Timestamp(*time),
        host,
        outcome: outcome(*o),
        process: process(p),
        activity: activity(a),
        provenance: provenance(from),
    }
}

/// The format of raw records; `None`: detected from the first of them.
pub(crate) fn format(name: &str) -> Result<Option<Format>, wit::BatchError> {
    if matches!(name, "" | "auto") {
        return Ok(None);
    }
    Format::from_name(name).map(Some).ok_or_else(|| {
        let names = Format::ALL.map(Format::as_str).join(", ");
        wit::BatchError { offset: 0, reason: format!("no format is called {name:?}: expected auto, {names}") }
    })
}

fn activity(activity: &wit::Activity) -> nouns::Activity<'_> {
    match activity {
        wit::Activity::ProcessStart => nouns::Activity::ProcessStart,
        wit::Activity::ProcessEnd => nouns::Activity::ProcessEnd,
        wit::Activity::ProcessAccess(it) => nouns::Activity::ProcessAccess(access(it)),
        wit::Activity::ModuleLoad(it) => nouns::Activity::ModuleLoad(loaded_module(it)),
        wit::Activity::File(it) => nouns::Activity::File(file_change(it)),
        wit::Activity::Registry(it) => nouns::Activity::Registry(registry_change(it)),
        wit::Activity::ChannelCreate(it) => nouns::Activity::ChannelCreate(channel(it)),
        wit::Activity::ChannelConnect(it) => nouns::Activity::ChannelConnect(channel(it)),
        wit::Activity::ChannelAccept(it) => nouns::Activity::ChannelAccept(channel(it)),
        wit::Activity::ComActivation(it) => nouns::Activity::ComActivation(com_activation(it)),
        wit::Activity::RpcCall(it) => nouns::Activity::RpcCall(rpc_call(it)),
        wit::Activity::NetworkFlow(it) => nouns::Activity::NetworkFlow(network_flow(it)),
        wit::Activity::Logon(it) => nouns::Activity::Logon(logon(it)),
        wit::Activity::PrivilegeChange(it) => nouns::Activity::PrivilegeChange(privilege_change(it)),
        wit::Activity::SoftwareChange(it) => nouns::Activity::SoftwareChange(software_change(it)),
        wit::Activity::ServiceChange(it) => nouns::Activity::ServiceChange(service_change(it)),
        wit::Activity::Script(it) => nouns::Activity::Script(script(it)),
        wit::Activity::Text(it) => nouns::Activity::Text(text_line(it)),
        wit::Activity::Dns(it) => nouns::Activity::Dns(dns_query(it)),
        wit::Activity::Telemetry(it) => nouns::Activity::Telemetry(telemetry(it)),
    }
}

fn provenance(it: &wit::Provenance) -> nouns::Provenance<'_> {
    let wit::Provenance { source: source_, input, line, record, provider, event_id } = it;
    nouns::Provenance { source: source(*source_), input, line: *line, record, provider, event_id: *event_id }
}

fn process(it: &wit::Process) -> nouns::Process<'_> {
    let wit::Process {
        entity,
        pid,
        start,
        image,
        original_name,
        command_line,
        working_directory,
        company,
        user: user_,
        logon_id,
        session,
        integrity: integrity_,
        elevated,
        tty,
        hashes: hashes_,
        signature: signature_,
        parent: parent_,
    } = it;
    nouns::Process {
        entity,
        pid: *pid,
        start: start.map(Timestamp),
        image,
        original_name,
        command_line,
        working_directory,
        company,
        user: user(user_),
        logon_id: *logon_id,
        session: *session,
        integrity: integrity(*integrity_),
        elevated: *elevated,
        tty,
        hashes: hashes(hashes_),
        signature: signature(signature_),
        parent: parent(parent_),
    }
}

fn parent(it: &wit::Parent) -> nouns::Parent<'_> {
    let wit::Parent { entity, pid, image, command_line, user: user_ } = it;
    nouns::Parent { entity, pid: *pid, image, command_line, user: user(user_) }
}

fn user(it: &wit::User) -> nouns::User<'_> {
    let wit::User { id, name, domain, effective_id, audit_id } = it;
    nouns::User { id, name, domain, effective_id, audit_id }
}

fn hashes(it: &wit::Hashes) -> nouns::Hashes<'_> {
    let wit::Hashes { md5, sha1, sha256, imphash } = it;
    nouns::Hashes { md5, sha1, sha256, imphash }
}

fn signature(it: &wit::Signature) -> nouns::Signature<'_> {
    let wit::Signature { status, signer } = it;
    nouns::Signature { status: signature_status(*status), signer }
}

fn access(it: &wit::Access) -> nouns::Access<'_> {
    let wit::Access { kind, target, mask, call_trace } = it;
    nouns::Access { kind: access_kind(*kind), target: process(target), mask: *mask, call_trace }
}

fn loaded_module(it: &wit::LoadedModule) -> nouns::Module<'_> {
    let wit::LoadedModule { path, original_name, company, hashes: hashes_, signature: signature_ } = it;
    nouns::Module { path, original_name, company, hashes: hashes(hashes_), signature: signature(signature_) }
}

fn file_change(it: &wit::FileChange) -> nouns::FileChange<'_> {
    let wit::FileChange { operation, kind, path, old_path, mode, owner, share, peer, access } = it;
    nouns::FileChange {
        operation: file_operation(*operation),
        kind: file_kind(*kind),
        path,
        old_path,
        mode: *mode,
        owner,
        share,
        peer,
        access: *access,
    }
}

fn registry_change(it: &wit::RegistryChange) -> nouns::RegistryChange<'_> {
    let wit::RegistryChange { operation, path, data } = it;
    nouns::RegistryChange { operation: registry_operation(*operation), path, data }
}

fn channel(it: &wit::Channel) -> nouns::Channel<'_> {
    let wit::Channel { mechanism: mechanism_, name, remote, peer, access, owner, mode } = it;
    nouns::Channel {
        mechanism: mechanism(*mechanism_),
        name,
        remote: *remote,
        peer,
        access: *access,
        owner,
        mode: *mode,
    }
}

fn com_activation(it: &wit::ComActivation) -> nouns::ComActivation<'_> {
    let wit::ComActivation { clsid, app_id, permission, remote, outbound, peer, error, server } = it;
    nouns::ComActivation { clsid, app_id, permission, remote: *remote, outbound: *outbound, peer, error, server }
}

fn rpc_call(it: &wit::RpcCall) -> nouns::RpcCall<'_> {
    let wit::RpcCall { channel: channel_, interface, operation, client, server, object, authentication_level } = it;
    nouns::RpcCall {
        channel: channel(channel_),
        interface,
        operation,
        client: endpoint(client),
        server: endpoint(server),
        object,
        authentication_level: *authentication_level,
    }
}

fn endpoint(it: &wit::Endpoint) -> nouns::Endpoint<'_> {
    let wit::Endpoint { address, port, name } = it;
    nouns::Endpoint { address, port: *port, name }
}

fn network_flow(it: &wit::NetworkFlow) -> nouns::NetworkFlow<'_> {
    let wit::NetworkFlow { local, remote, outbound, protocol } = it;
    nouns::NetworkFlow { local: endpoint(local), remote: endpoint(remote), outbound: *outbound, protocol }
}

fn logon(it: &wit::Logon) -> nouns::Logon<'_> {
    let wit::Logon { outcome: outcome_, id, kind, user: user_, source: source_, package, elevated, target } = it;
    nouns::Logon {
        outcome: logon_outcome(*outcome_),
        id: *id,
        kind: *kind,
        user: user(user_),
        source: endpoint(source_),
        package,
        elevated: *elevated,
        target,
    }
}

fn privilege_change(it: &wit::PrivilegeChange) -> nouns::PrivilegeChange<'_> {
    let wit::PrivilegeChange { kind, principal, object, details } = it;
    nouns::PrivilegeChange { kind: privilege_change_kind(*kind), principal: user(principal), object, details }
}

fn software_change(it: &wit::SoftwareChange) -> nouns::SoftwareChange<'_> {
    let wit::SoftwareChange { name, version, publisher, removed } = it;
    nouns::SoftwareChange { name, version, publisher, removed: *removed }
}

fn service_change(it: &wit::ServiceChange) -> nouns::ServiceChange<'_> {
    let wit::ServiceChange { operation, name, command_line, account, state } = it;
    nouns::ServiceChange { operation: service_operation(*operation), name, command_line, account, state }
}

fn script(it: &wit::Script) -> nouns::Script<'_> {
    let wit::Script { text, path, block, engine } = it;
    nouns::Script { text, path, block, engine }
}

fn text_line(it: &wit::TextLine) -> nouns::Text<'_> {
    let wit::TextLine { program, message } = it;
    nouns::Text { program, message }
}

fn dns_query(it: &wit::DnsQuery) -> nouns::DnsQuery<'_> {
    let wit::DnsQuery { query, answers } = it;
    nouns::DnsQuery { query, answers }
}

fn telemetry(it: &wit::Telemetry) -> nouns::Telemetry<'_> {
    let wit::Telemetry { state, details } = it;
    nouns::Telemetry { state: telemetry_state(*state), details }
}

fn outcome(it: wit::Outcome) -> nouns::Outcome {
    match it {
        wit::Outcome::Unknown => nouns::Outcome::Unknown,
        wit::Outcome::Success => nouns::Outcome::Success,
        wit::Outcome::Failure => nouns::Outcome::Failure,
        wit::Outcome::Denied => nouns::Outcome::Denied,
    }
}

fn source(it: wit::Source) -> nouns::Source {
    match it {
        wit::Source::Unknown => nouns::Source::Unknown,
        wit::Source::Sysmon => nouns::Source::Sysmon,
        wit::Source::Security => nouns::Source::Security,
        wit::Source::DistributedCom => nouns::Source::DistributedCom,
        wit::Source::System => nouns::Source::System,
        wit::Source::PowerShell => nouns::Source::PowerShell,
        wit::Source::WmiActivity => nouns::Source::WmiActivity,
        wit::Source::Application => nouns::Source::Application,
        wit::Source::RpcTrace => nouns::Source::RpcTrace,
        wit::Source::RpcFirewall => nouns::Source::RpcFirewall,
        wit::Source::Auditd => nouns::Source::Auditd,
        wit::Source::Syslog => nouns::Source::Syslog,
        wit::Source::Zeek => nouns::Source::Zeek,
        wit::Source::EndpointSecurity => nouns::Source::EndpointSecurity,
    }
}

fn integrity(it: wit::Integrity) -> nouns::Integrity {
    match it {
        wit::Integrity::Unknown => nouns::Integrity::Unknown,
        wit::Integrity::Untrusted => nouns::Integrity::Untrusted,
        wit::Integrity::Low => nouns::Integrity::Low,
        wit::Integrity::Medium => nouns::Integrity::Medium,
        wit::Integrity::High => nouns::Integrity::High,
        wit::Integrity::System => nouns::Integrity::System,
    }
}

fn signature_status(it: wit::SignatureStatus) -> nouns::SignatureStatus {
    match it {
        wit::SignatureStatus::Unknown => nouns::SignatureStatus::Unknown,
        wit::SignatureStatus::Trusted => nouns::SignatureStatus::Trusted,
        wit::SignatureStatus::Untrusted => nouns::SignatureStatus::Untrusted,
        wit::SignatureStatus::Unsigned => nouns::SignatureStatus::Unsigned,
    }
}

fn access_kind(it: wit::AccessKind) -> nouns::AccessKind {
    match it {
        wit::AccessKind::Open => nouns::AccessKind::Open,
        wit::AccessKind::RemoteThread => nouns::AccessKind::RemoteThread,
        wit::AccessKind::Tamper => nouns::AccessKind::Tamper,
        wit::AccessKind::Attach => nouns::AccessKind::Attach,
        wit::AccessKind::WriteMemory => nouns::AccessKind::WriteMemory,
        wit::AccessKind::ReadMemory => nouns::AccessKind::ReadMemory,
    }
}

fn file_operation(it: wit::FileOperation) -> nouns::FileOperation {
    match it {
        wit::FileOperation::Open => nouns::FileOperation::Open,
        wit::FileOperation::Create => nouns::FileOperation::Create,
        wit::FileOperation::Write => nouns::FileOperation::Write,
        wit::FileOperation::Rename => nouns::FileOperation::Rename,
        wit::FileOperation::Delete => nouns::FileOperation::Delete,
        wit::FileOperation::ChangeMode => nouns::FileOperation::ChangeMode,
        wit::FileOperation::ChangeOwner => nouns::FileOperation::ChangeOwner,
    }
}

fn file_kind(it: wit::FileKind) -> nouns::FileKind {
    match it {
        wit::FileKind::Unknown => nouns::FileKind::Unknown,
        wit::FileKind::Regular => nouns::FileKind::Regular,
        wit::FileKind::Directory => nouns::FileKind::Directory,
        wit::FileKind::Fifo => nouns::FileKind::Fifo,
        wit::FileKind::Socket => nouns::FileKind::Socket,
    }
}

fn registry_operation(it: wit::RegistryOperation) -> nouns::RegistryOperation {
    match it {
        wit::RegistryOperation::SetValue => nouns::RegistryOperation::SetValue,
        wit::RegistryOperation::CreateKey => nouns::RegistryOperation::CreateKey,
        wit::RegistryOperation::DeleteKey => nouns::RegistryOperation::DeleteKey,
        wit::RegistryOperation::DeleteValue => nouns::RegistryOperation::DeleteValue,
        wit::RegistryOperation::Rename => nouns::RegistryOperation::Rename,
        wit::RegistryOperation::Open => nouns::RegistryOperation::Open,
    }
}

fn mechanism(it: wit::Mechanism) -> nouns::Mechanism {
    match it {
        wit::Mechanism::Unknown => nouns::Mechanism::Unknown,
        wit::Mechanism::NamedPipe => nouns::Mechanism::NamedPipe,
        wit::Mechanism::AnonymousPipe => nouns::Mechanism::AnonymousPipe,
        wit::Mechanism::Fifo => nouns::Mechanism::Fifo,
        wit::Mechanism::UnixSocket => nouns::Mechanism::UnixSocket,
        wit::Mechanism::UnixAbstract => nouns::Mechanism::UnixAbstract,
        wit::Mechanism::Com => nouns::Mechanism::Com,
        wit::Mechanism::Dcom => nouns::Mechanism::Dcom,
        wit::Mechanism::Dde => nouns::Mechanism::Dde,
        wit::Mechanism::RpcTcp => nouns::Mechanism::RpcTcp,
        wit::Mechanism::RpcNamedPipe => nouns::Mechanism::RpcNamedPipe,
        wit::Mechanism::RpcLocal => nouns::Mechanism::RpcLocal,
        wit::Mechanism::Wmi => nouns::Mechanism::Wmi,
        wit::Mechanism::Dbus => nouns::Mechanism::Dbus,
        wit::Mechanism::Xpc => nouns::Mechanism::Xpc,
        wit::Mechanism::Mach => nouns::Mechanism::Mach,
        wit::Mechanism::AppleEvent => nouns::Mechanism::AppleEvent,
        wit::Mechanism::SharedMemory => nouns::Mechanism::SharedMemory,
        wit::Mechanism::MessageQueue => nouns::Mechanism::MessageQueue,
        wit::Mechanism::ProcessMemory => nouns::Mechanism::ProcessMemory,
    }
}

fn logon_outcome(it: wit::LogonOutcome) -> nouns::LogonOutcome {
    match it {
        wit::LogonOutcome::Start => nouns::LogonOutcome::Start,
        wit::LogonOutcome::End => nouns::LogonOutcome::End,
        wit::LogonOutcome::Failure => nouns::LogonOutcome::Failure,
        wit::LogonOutcome::SpecialPrivileges => nouns::LogonOutcome::SpecialPrivileges,
        wit::LogonOutcome::ExplicitCredentials => nouns::LogonOutcome::ExplicitCredentials,
    }
}

fn privilege_change_kind(it: wit::PrivilegeChangeKind) -> nouns::PrivilegeChangeKind {
    match it {
        wit::PrivilegeChangeKind::TokenAdjusted => nouns::PrivilegeChangeKind::TokenAdjusted,
        wit::PrivilegeChangeKind::RightAssigned => nouns::PrivilegeChangeKind::RightAssigned,
        wit::PrivilegeChangeKind::AccountCreated => nouns::PrivilegeChangeKind::AccountCreated,
        wit::PrivilegeChangeKind::GroupMemberAdded => nouns::PrivilegeChangeKind::GroupMemberAdded,
        wit::PrivilegeChangeKind::PermissionWidened => nouns::PrivilegeChangeKind::PermissionWidened,
    }
}

fn service_operation(it: wit::ServiceOperation) -> nouns::ServiceOperation {
    match it {
        wit::ServiceOperation::Installed => nouns::ServiceOperation::Installed,
        wit::ServiceOperation::StateChanged => nouns::ServiceOperation::StateChanged,
        wit::ServiceOperation::TaskCreated => nouns::ServiceOperation::TaskCreated,
        wit::ServiceOperation::Removed => nouns::ServiceOperation::Removed,
    }
}

fn telemetry_state(it: wit::TelemetryState) -> nouns::TelemetryState {
    match it {
        wit::TelemetryState::Changed => nouns::TelemetryState::Changed,
        wit::TelemetryState::Started => nouns::TelemetryState::Started,
        wit::TelemetryState::Stopped => nouns::TelemetryState::Stopped,
        wit::TelemetryState::Cleared => nouns::TelemetryState::Cleared,
    }
}
