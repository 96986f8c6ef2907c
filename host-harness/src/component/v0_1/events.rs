//! Converts our events to the contract's typed events: the inverse of the conversion in the component.

use backchannel_events as nouns;

use super::wit;

pub(super) fn event(it: &nouns::ProcessEvent<'_>) -> wit::ProcessEvent {
    wit::ProcessEvent {
        time: it.time.0,
        host: it.host.to_owned(),
        outcome: outcome(it.outcome),
        process: process(&it.process),
        activity: activity(&it.activity),
        provenance: provenance(&it.provenance),
    }
}

fn activity(it: &nouns::Activity<'_>) -> wit::Activity {
    match it {
        nouns::Activity::ProcessStart => wit::Activity::ProcessStart,
        nouns::Activity::ProcessEnd => wit::Activity::ProcessEnd,
        nouns::Activity::ProcessAccess(it) => wit::Activity::ProcessAccess(access(it)),
        nouns::Activity::ModuleLoad(it) => wit::Activity::ModuleLoad(loaded_module(it)),
        nouns::Activity::File(it) => wit::Activity::File(file_change(it)),
        nouns::Activity::Registry(it) => wit::Activity::Registry(registry_change(it)),
        nouns::Activity::ChannelCreate(it) => wit::Activity::ChannelCreate(channel(it)),
        nouns::Activity::ChannelConnect(it) => wit::Activity::ChannelConnect(channel(it)),
        nouns::Activity::ChannelAccept(it) => wit::Activity::ChannelAccept(channel(it)),
        nouns::Activity::ComActivation(it) => wit::Activity::ComActivation(com_activation(it)),
        nouns::Activity::RpcCall(it) => wit::Activity::RpcCall(rpc_call(it)),
        nouns::Activity::NetworkFlow(it) => wit::Activity::NetworkFlow(network_flow(it)),
        nouns::Activity::Logon(it) => wit::Activity::Logon(logon(it)),
        nouns::Activity::PrivilegeChange(it) => wit::Activity::PrivilegeChange(privilege_change(it)),
        nouns::Activity::SoftwareChange(it) => wit::Activity::SoftwareChange(software_change(it)),
        nouns::Activity::ServiceChange(it) => wit::Activity::ServiceChange(service_change(it)),
        nouns::Activity::Script(it) => wit::Activity::Script(script(it)),
        nouns::Activity::Text(it) => wit::Activity::Text(text_line(it)),
        nouns::Activity::Dns(it) => wit::Activity::Dns(dns_query(it)),
        nouns::Activity::Telemetry(it) => wit::Activity::Telemetry(telemetry(it)),
    }
}

fn provenance(it: &nouns::Provenance<'_>) -> wit::Provenance {
    wit::Provenance {
        source: source(it.source),
        input: it.input.to_owned(),
        line: it.line,
        record: it.record.to_owned(),
        provider: it.provider.to_owned(),
        event_id: it.event_id,
    }
}

fn process(it: &nouns::Process<'_>) -> wit::Process {
    wit::Process {
        entity: it.entity.to_owned(),
        pid: it.pid,
        start: it.start.map(|time| time.0),
        image: it.image.to_owned(),
        original_name: it.original_name.to_owned(),
        command_line: it.command_line.to_owned(),
        working_directory: it.working_directory.to_owned(),
        company: it.company.to_owned(),
        user: user(&it.user),
        logon_id: it.logon_id,
        session: it.session,
        integrity: integrity(it.integrity),
        elevated: it.elevated,
        tty: it.tty.to_owned(),
        hashes: hashes(&it.hashes),
        signature: signature(&it.signature),
        parent: parent(&it.parent),
    }
}

fn parent(it: &nouns::Parent<'_>) -> wit::Parent {
    wit::Parent {
        entity: it.entity.to_owned(),
        pid: it.pid,
        image: it.image.to_owned(),
        command_line: it.command_line.to_owned(),
        user: user(&it.user),
    }
}

fn user(it: &nouns::User<'_>) -> wit::User {
    wit::User {
        id: it.id.to_owned(),
        name: it.name.to_owned(),
        domain: it.domain.to_owned(),
        effective_id: it.effective_id.to_owned(),
        audit_id: it.audit_id.to_owned(),
    }
}

fn hashes(it: &nouns::Hashes<'_>) -> wit::Hashes {
    wit::Hashes {
        md5: it.md5.to_owned(),
        sha1: it.sha1.to_owned(),
        sha256: it.sha256.to_owned(),
        imphash: it.imphash.to_owned(),
    }
}

fn signature(it: &nouns::Signature<'_>) -> wit::Signature {
    wit::Signature { status: signature_status(it.status), signer: it.signer.to_owned() }
}

fn access(it: &nouns::Access<'_>) -> wit::Access {
    wit::Access {
        kind: access_kind(it.kind),
        target: process(&it.target),
        mask: it.mask,
        call_trace: it.call_trace.to_owned(),
    }
}

fn loaded_module(it: &nouns::Module<'_>) -> wit::LoadedModule {
    wit::LoadedModule {
        path: it.path.to_owned(),
        original_name: it.original_name.to_owned(),
        company: it.company.to_owned(),
        hashes: hashes(&it.hashes),
        signature: signature(&it.signature),
    }
}

fn file_change(it: &nouns::FileChange<'_>) -> wit::FileChange {
    wit::FileChange {
        operation: file_operation(it.operation),
        kind: file_kind(it.kind),
        path: it.path.to_owned(),
        old_path: it.old_path.to_owned(),
        mode: it.mode,
        owner: it.owner.to_owned(),
        share: it.share.to_owned(),
        peer: it.peer.to_owned(),
        access: it.access,
    }
}

fn registry_change(it: &nouns::RegistryChange<'_>) -> wit::RegistryChange {
    wit::RegistryChange {
        operation: registry_operation(it.operation),
        path: it.path.to_owned(),
        data: it.data.to_owned(),
    }
}

fn channel(it: &nouns::Channel<'_>) -> wit::Channel {
    wit::Channel {
        mechanism: mechanism(it.mechanism),
        name: it.name.to_owned(),
        remote: it.remote,
        peer: it.peer.to_owned(),
        access: it.access,
        owner: it.owner.to_owned(),
        mode: it.mode,
    }
}

fn com_activation(it: &nouns::ComActivation<'_>) -> wit::ComActivation {
    wit::ComActivation {
        clsid: it.clsid.to_owned(),
        app_id: it.app_id.to_owned(),
        permission: it.permission.to_owned(),
        remote: it.remote,
        outbound: it.outbound,
        peer: it.peer.to_owned(),
        error: it.error.to_owned(),
        server: it.server.to_owned(),
    }
}

fn rpc_call(it: &nouns::RpcCall<'_>) -> wit::RpcCall {
    wit::RpcCall {
        channel: channel(&it.channel),
        interface: it.interface.to_owned(),
        operation: it.operation.to_owned(),
        client: endpoint(&it.client),
        server: endpoint(&it.server),
        object: it.object.to_owned(),
        authentication_level: it.authentication_level,
    }
}

fn endpoint(it: &nouns::Endpoint<'_>) -> wit::Endpoint {
    wit::Endpoint { address: it.address.to_owned(), port: it.port, name: it.name.to_owned() }
}

fn network_flow(it: &nouns::NetworkFlow<'_>) -> wit::NetworkFlow {
    wit::NetworkFlow {
        local: endpoint(&it.local),
        remote: endpoint(&it.remote),
        outbound: it.outbound,
        protocol: it.protocol.to_owned(),
    }
}

fn logon(it: &nouns::Logon<'_>) -> wit::Logon {
    wit::Logon {
        outcome: logon_outcome(it.outcome),
        id: it.id,
        kind: it.kind,
        user: user(&it.user),
        source: endpoint(&it.source),
        package: it.package.to_owned(),
        elevated: it.elevated,
        target: it.target.to_owned(),
    }
}

fn privilege_change(it: &nouns::PrivilegeChange<'_>) -> wit::PrivilegeChange {
    wit::PrivilegeChange {
        kind: privilege_change_kind(it.kind),
        principal: user(&it.principal),
        object: it.object.to_owned(),
        details: it.details.to_owned(),
    }
}

fn software_change(it: &nouns::SoftwareChange<'_>) -> wit::SoftwareChange {
    wit::SoftwareChange {
        name: it.name.to_owned(),
        version: it.version.to_owned(),
        publisher: it.publisher.to_owned(),
        removed: it.removed,
    }
}

fn service_change(it: &nouns::ServiceChange<'_>) -> wit::ServiceChange {
    wit::ServiceChange {
        operation: service_operation(it.operation),
        name: it.name.to_owned(),
        command_line: it.command_line.to_owned(),
        account: it.account.to_owned(),
        state: it.state.to_owned(),
    }
}

fn script(it: &nouns::Script<'_>) -> wit::Script {
    wit::Script {
        text: it.text.to_owned(),
        path: it.path.to_owned(),
        block: it.block.to_owned(),
        engine: it.engine.to_owned(),
    }
}

fn text_line(it: &nouns::Text<'_>) -> wit::TextLine {
    wit::TextLine { program: it.program.to_owned(), message: it.message.to_owned() }
}

fn dns_query(it: &nouns::DnsQuery<'_>) -> wit::DnsQuery {
    wit::DnsQuery { query: it.query.to_owned(), answers: it.answers.to_owned() }
}

fn telemetry(it: &nouns::Telemetry<'_>) -> wit::Telemetry {
    wit::Telemetry { state: telemetry_state(it.state), details: it.details.to_owned() }
}

fn outcome(it: nouns::Outcome) -> wit::Outcome {
    match it {
        nouns::Outcome::Unknown => wit::Outcome::Unknown,
        nouns::Outcome::Success => wit::Outcome::Success,
        nouns::Outcome::Failure => wit::Outcome::Failure,
        nouns::Outcome::Denied => wit::Outcome::Denied,
    }
}

fn source(it: nouns::Source) -> wit::Source {
    match it {
        nouns::Source::Unknown => wit::Source::Unknown,
        nouns::Source::Sysmon => wit::Source::Sysmon,
        nouns::Source::Security => wit::Source::Security,
        nouns::Source::DistributedCom => wit::Source::DistributedCom,
        nouns::Source::System => wit::Source::System,
        nouns::Source::PowerShell => wit::Source::PowerShell,
        nouns::Source::WmiActivity => wit::Source::WmiActivity,
        nouns::Source::Application => wit::Source::Application,
        nouns::Source::RpcTrace => wit::Source::RpcTrace,
        nouns::Source::RpcFirewall => wit::Source::RpcFirewall,
        nouns::Source::Auditd => wit::Source::Auditd,
        nouns::Source::Syslog => wit::Source::Syslog,
        nouns::Source::Zeek => wit::Source::Zeek,
        nouns::Source::EndpointSecurity => wit::Source::EndpointSecurity,
    }
}

fn integrity(it: nouns::Integrity) -> wit::Integrity {
    match it {
        nouns::Integrity::Unknown => wit::Integrity::Unknown,
        nouns::Integrity::Untrusted => wit::Integrity::Untrusted,
        nouns::Integrity::Low => wit::Integrity::Low,
        nouns::Integrity::Medium => wit::Integrity::Medium,
        nouns::Integrity::High => wit::Integrity::High,
        nouns::Integrity::System => wit::Integrity::System,
    }
}

fn signature_status(it: nouns::SignatureStatus) -> wit::SignatureStatus {
    match it {
        nouns::SignatureStatus::Unknown => wit::SignatureStatus::Unknown,
        nouns::SignatureStatus::Trusted => wit::SignatureStatus::Trusted,
        nouns::SignatureStatus::Untrusted => wit::SignatureStatus::Untrusted,
        nouns::SignatureStatus::Unsigned => wit::SignatureStatus::Unsigned,
    }
}

fn access_kind(it: nouns::AccessKind) -> wit::AccessKind {
    match it {
        nouns::AccessKind::Open => wit::AccessKind::Open,
        nouns::AccessKind::RemoteThread => wit::AccessKind::RemoteThread,
        nouns::AccessKind::Tamper => wit::AccessKind::Tamper,
        nouns::AccessKind::Attach => wit::AccessKind::Attach,
        nouns::AccessKind::WriteMemory => wit::AccessKind::WriteMemory,
        nouns::AccessKind::ReadMemory => wit::AccessKind::ReadMemory,
    }
}

fn file_operation(it: nouns::FileOperation) -> wit::FileOperation {
    match it {
        nouns::FileOperation::Open => wit::FileOperation::Open,
        nouns::FileOperation::Create => wit::FileOperation::Create,
        nouns::FileOperation::Write => wit::FileOperation::Write,
        nouns::FileOperation::Rename => wit::FileOperation::Rename,
        nouns::FileOperation::Delete => wit::FileOperation::Delete,
        nouns::FileOperation::ChangeMode => wit::FileOperation::ChangeMode,
        nouns::FileOperation::ChangeOwner => wit::FileOperation::ChangeOwner,
    }
}

fn file_kind(it: nouns::FileKind) -> wit::FileKind {
    match it {
        nouns::FileKind::Unknown => wit::FileKind::Unknown,
        nouns::FileKind::Regular => wit::FileKind::Regular,
        nouns::FileKind::Directory => wit::FileKind::Directory,
        nouns::FileKind::Fifo => wit::FileKind::Fifo,
        nouns::FileKind::Socket => wit::FileKind::Socket,
    }
}

fn registry_operation(it: nouns::RegistryOperation) -> wit::RegistryOperation {
    match it {
        nouns::RegistryOperation::SetValue => wit::RegistryOperation::SetValue,
        nouns::RegistryOperation::CreateKey => wit::RegistryOperation::CreateKey,
        nouns::RegistryOperation::DeleteKey => wit::RegistryOperation::DeleteKey,
        nouns::RegistryOperation::DeleteValue => wit::RegistryOperation::DeleteValue,
        nouns::RegistryOperation::Rename => wit::RegistryOperation::Rename,
        nouns::RegistryOperation::Open => wit::RegistryOperation::Open,
    }
}

fn mechanism(it: nouns::Mechanism) -> wit::Mechanism {
    match it {
        nouns::Mechanism::Unknown => wit::Mechanism::Unknown,
        nouns::Mechanism::NamedPipe => wit::Mechanism::NamedPipe,
        nouns::Mechanism::AnonymousPipe => wit::Mechanism::AnonymousPipe,
        nouns::Mechanism::Fifo => wit::Mechanism::Fifo,
        nouns::Mechanism::UnixSocket => wit::Mechanism::UnixSocket,
        nouns::Mechanism::UnixAbstract => wit::Mechanism::UnixAbstract,
        nouns::Mechanism::Com => wit::Mechanism::Com,
        nouns::Mechanism::Dcom => wit::Mechanism::Dcom,
        nouns::Mechanism::Dde => wit::Mechanism::Dde,
        nouns::Mechanism::RpcTcp => wit::Mechanism::RpcTcp,
        nouns::Mechanism::RpcNamedPipe => wit::Mechanism::RpcNamedPipe,
        nouns::Mechanism::RpcLocal => wit::Mechanism::RpcLocal,
        nouns::Mechanism::Wmi => wit::Mechanism::Wmi,
        nouns::Mechanism::Dbus => wit::Mechanism::Dbus,
        nouns::Mechanism::Xpc => wit::Mechanism::Xpc,
        nouns::Mechanism::Mach => wit::Mechanism::Mach,
        nouns::Mechanism::AppleEvent => wit::Mechanism::AppleEvent,
        nouns::Mechanism::SharedMemory => wit::Mechanism::SharedMemory,
        nouns::Mechanism::MessageQueue => wit::Mechanism::MessageQueue,
        nouns::Mechanism::ProcessMemory => wit::Mechanism::ProcessMemory,
    }
}

fn logon_outcome(it: nouns::LogonOutcome) -> wit::LogonOutcome {
    match it {
        nouns::LogonOutcome::Start => wit::LogonOutcome::Start,
        nouns::LogonOutcome::End => wit::LogonOutcome::End,
        nouns::LogonOutcome::Failure => wit::LogonOutcome::Failure,
        nouns::LogonOutcome::SpecialPrivileges => wit::LogonOutcome::SpecialPrivileges,
        nouns::LogonOutcome::ExplicitCredentials => wit::LogonOutcome::ExplicitCredentials,
    }
}

fn privilege_change_kind(it: nouns::PrivilegeChangeKind) -> wit::PrivilegeChangeKind {
    match it {
        nouns::PrivilegeChangeKind::TokenAdjusted => wit::PrivilegeChangeKind::TokenAdjusted,
        nouns::PrivilegeChangeKind::RightAssigned => wit::PrivilegeChangeKind::RightAssigned,
        nouns::PrivilegeChangeKind::AccountCreated => wit::PrivilegeChangeKind::AccountCreated,
        nouns::PrivilegeChangeKind::GroupMemberAdded => wit::PrivilegeChangeKind::GroupMemberAdded,
        nouns::PrivilegeChangeKind::PermissionWidened => wit::PrivilegeChangeKind::PermissionWidened,
    }
}

fn service_operation(it: nouns::ServiceOperation) -> wit::ServiceOperation {
    match it {
        nouns::ServiceOperation::Installed => wit::ServiceOperation::Installed,
        nouns::ServiceOperation::StateChanged => wit::ServiceOperation::StateChanged,
        nouns::ServiceOperation::TaskCreated => wit::ServiceOperation::TaskCreated,
        nouns::ServiceOperation::Removed => wit::ServiceOperation::Removed,
    }
}

fn telemetry_state(it: nouns::TelemetryState) -> wit::TelemetryState {
    match it {
        nouns::TelemetryState::Changed => wit::TelemetryState::Changed,
        nouns::TelemetryState::Started => wit::TelemetryState::Started,
        nouns::TelemetryState::Stopped => wit::TelemetryState::Stopped,
        nouns::TelemetryState::Cleared => wit::TelemetryState::Cleared,
    }
}
