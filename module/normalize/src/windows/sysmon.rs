//! Sysmon's events.

use backchannel_events::{
    Access, AccessKind, Activity, Channel, DnsQuery, Endpoint, FileChange, FileOperation, Module, NetworkFlow, Outcome,
    Parent, Process, RegistryChange, RegistryOperation, Signature, Telemetry, TelemetryState,
};

use super::addresses::Addresses;
use super::view::View;
use super::{Content, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    matches!(event_id, 1 | 3 | 4 | 5 | 7 | 8 | 10..=18 | 22 | 25)
}

/// Converts a Sysmon record.
pub fn read<'a>(view: &View<'a>, addresses: &mut Addresses) -> Option<Content<'a>> {
    let mut process = subject(view);
    let activity = match view.event_id() {
        1 => {
            start(view, &mut process);
            Activity::ProcessStart
        }
        3 => Activity::NetworkFlow(flow(view, addresses)),
        4 => Activity::Telemetry(Telemetry {
            state: match view.text("State") {
                "Started" => TelemetryState::Started,
                "Stopped" => TelemetryState::Stopped,
                _ => TelemetryState::Changed,
            },
            details: view.text("State"),
        }),
        5 => Activity::ProcessEnd,
        7 => Activity::ModuleLoad(module(view, &mut process)),
        8 => {
            process = party(view, "Source");
            Activity::ProcessAccess(Access {
                kind: AccessKind::RemoteThread,
                target: party(view, "Target"),
                mask: None,
                call_trace: thread_start(view),
            })
        }
        10 => {
            process = party(view, "Source");
            Activity::ProcessAccess(Access {
                kind: AccessKind::Open,
                target: party(view, "Target"),
                mask: view.small("GrantedAccess"),
                call_trace: view.text("CallTrace"),
            })
        }
        // Sysmon reports the process that was tampered with, not the one that did it.
        25 => Activity::ProcessAccess(Access {
            kind: AccessKind::Tamper,
            target: process,
            mask: None,
            call_trace: view.text("Type"),
        }),
        11 | 15 => Activity::File(FileChange {
            operation: FileOperation::Create,
            path: view.text("TargetFilename"),
            ..FileChange::default()
        }),
        12..=14 => Activity::Registry(registry(view)),
        16 => Activity::Telemetry(Telemetry { state: TelemetryState::Changed, details: view.text("Configuration") }),
        // Not by EventType: some collectors overwrite it, and Sysmon before 10 does not have it.
        17 => Activity::ChannelCreate(pipe(view)),
        18 => {
            let remote = process.pid == Some(4) || process.image.eq_ignore_ascii_case("System");
            Activity::ChannelConnect(Channel { remote, ..pipe(view) })
        }
        22 => Activity::Dns(DnsQuery { query: view.text("QueryName"), answers: view.text("QueryResults") }),
        _ => return None,
    };
    Some(Content { process, activity, outcome: Outcome::Success })
}

fn subject<'a>(view: &View<'a>) -> Process<'a> {
    Process {
        entity: view.text("ProcessGuid"),
        pid: view.small("ProcessId"),
        image: view.text("Image"),
        user: text::account(view.text("User")),
        ..Process::default()
    }
}

fn start<'a>(view: &View<'a>, process: &mut Process<'a>) {
    process.original_name = view.text("OriginalFileName");
    process.company = view.text("Company");
    // A command line is kept as it is: `-` or `?` alone would be a valid one.
    process.command_line = view.raw("CommandLine").unwrap_or("");
    process.working_directory = view.text("CurrentDirectory");
    process.logon_id = view.number("LogonId");
    process.session = view.small("TerminalSessionId");
    process.integrity = text::integrity(view.text("IntegrityLevel"));
    process.hashes = text::hashes(view.either("Hashes", "Hash"));
    process.parent = Parent {
        entity: view.text("ParentProcessGuid"),
        pid: view.small("ParentProcessId").filter(|pid| *pid != 0),
        image: view.text("ParentImage"),
        command_line: view.text("ParentCommandLine"),
        user: text::account(view.text("ParentUser")),
    };
}

/// The process in the fields `<prefix>ProcessGuid`, `<prefix>Image`, ...
fn party<'a>(view: &View<'a>, prefix: &str) -> Process<'a> {
    let [guid, other_guid, pid, image, user] = if prefix == "Source" {
        ["SourceProcessGUID", "SourceProcessGuid", "SourceProcessId", "SourceImage", "SourceUser"]
    } else {
        ["TargetProcessGUID", "TargetProcessGuid", "TargetProcessId", "TargetImage", "TargetUser"]
    };
    Process {
        entity: view.either(guid, other_guid),
        pid: view.small(pid),
        image: view.text(image),
        user: text::account(view.text(user)),
        ..Process::default()
    }
}

fn thread_start<'a>(view: &View<'a>) -> &'a str {
    match (view.text("StartModule"), view.text("StartFunction")) {
        (module, "") => module,
        ("", function) => function,
        (module, function) => text::join(&[module, "!", function], view.arena),
    }
}

fn module<'a>(view: &View<'a>, process: &mut Process<'a>) -> Module<'a> {
    let module = Module {
        path: view.text("ImageLoaded"),
        original_name: view.text("OriginalFileName"),
        company: view.text("Company"),
        hashes: text::hashes(view.text("Hashes")),
        signature: Signature {
            status: text::signature_status(view.text("Signed"), view.text("SignatureStatus")),
            signer: view.text("Signature"),
        },
    };
    // The load of its own image is the only record with a process's signature.
    if !module.path.is_empty() && module.path.eq_ignore_ascii_case(process.image) {
        process.original_name = module.original_name;
        process.company = module.company;
        process.hashes = module.hashes;
        process.signature = module.signature;
    }
    module
}

fn registry<'a>(view: &View<'a>) -> RegistryChange<'a> {
    let (operation, data) = match view.event_id() {
        13 => (RegistryOperation::SetValue, view.raw("Details").unwrap_or("")),
        14 => (RegistryOperation::Rename, view.text("NewName")),
        _ => match view.text("EventType") {
            "DeleteKey" => (RegistryOperation::DeleteKey, ""),
            "DeleteValue" => (RegistryOperation::DeleteValue, ""),
            _ => (RegistryOperation::CreateKey, ""),
        },
    };
    RegistryChange { operation, path: view.text("TargetObject"), data }
}

fn pipe<'a>(view: &View<'a>) -> Channel<'a> {
    let (mechanism, name) = text::pipe(view.text("PipeName"), view.arena);
    Channel { mechanism, name, ..Channel::default() }
}

/// Determines which side is this machine's: builds differ in what they write as the source of an inbound flow.
fn flow<'a>(view: &View<'a>, addresses: &mut Addresses) -> NetworkFlow<'a> {
    let source = Endpoint {
        address: text::address(view.text("SourceIp")),
        port: view.port("SourcePort"),
        name: view.text("SourceHostname"),
    };
    let destination = Endpoint {
        address: text::address(view.text("DestinationIp")),
        port: view.port("DestinationPort"),
        name: view.text("DestinationHostname"),
    };
    let outbound = view.text("Initiated").eq_ignore_ascii_case("true");
    let source_is_local = if outbound {
        addresses.learn(view.host, source.address);
        true
    } else {
        let owned = (addresses.owns(view.host, source.address), addresses.owns(view.host, destination.address));
        let named = (text::same_host(source.name, view.host), text::same_host(destination.name, view.host));
        match (owned, named) {
            ((true, false), _) => true,
            ((false, true), _) => false,
            (_, (true, false)) => true,
            // An inbound flow ends here, unless one of the cases above applies.
            _ => false,
        }
    };
    let (local, remote) = if source_is_local { (source, destination) } else { (destination, source) };
    NetworkFlow { local, remote, outbound, protocol: view.text("Protocol") }
}
