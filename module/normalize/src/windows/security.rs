//! The Security log: processes, objects, shares, flows. Logons and changes of rights are in `accounts`.

use backchannel_events::{
    Access, AccessKind, Activity, Channel, Endpoint, FileChange, FileOperation, NetworkFlow, Outcome, Parent,
    PrivilegeChange, PrivilegeChangeKind, Process, RegistryChange, RegistryOperation, ServiceChange, ServiceOperation,
    User,
};

use super::addresses::Addresses;
use super::view::View;
use super::{Content, accounts, text};

/// Event ids that are used.
pub const fn wants(event_id: u32) -> bool {
    accounts::wants(event_id)
        || matches!(event_id, 4656 | 4657 | 4663 | 4670 | 4688 | 4689 | 4697 | 4698 | 5140 | 5145 | 5156 | 5158)
}

const WRITE_DATA: u32 = 0x2 | 0x4;
const DELETE: u32 = 0x1_0000;

/// Converts a Security record.
pub fn read<'a>(view: &View<'a>, addresses: &mut Addresses) -> Option<Content<'a>> {
    let process = view.security_process();
    let (process, activity, outcome) = match view.event_id() {
        4688 => (start(view), Activity::ProcessStart, Outcome::Success),
        4689 => (process, Activity::ProcessEnd, Outcome::Success),
        4656 | 4663 => {
            // 4663 reports that the right was used, 4656 only that it was requested.
            let outcome = if view.event_id() == 4663 { Outcome::Success } else { view.audit_outcome() };
            (process, object(view)?, outcome)
        }
        4657 => (process, Activity::Registry(registry(view)), Outcome::Success),
        4670 => (process, Activity::PrivilegeChange(permission(view)?), Outcome::Success),
        4697 => (client(view), Activity::ServiceChange(service(view)), Outcome::Success),
        4698 => (client(view), Activity::ServiceChange(task(view)), Outcome::Success),
        5140 | 5145 => (process, share(view), view.audit_outcome()),
        5156 => (flow_owner(view), Activity::NetworkFlow(flow(view, addresses)), Outcome::Success),
        5158 => (flow_owner(view), Activity::NetworkFlow(bind(view, addresses)), Outcome::Success),
        _ => return accounts::read(view),
    };
    Some(Content { process, activity, outcome })
}

fn start<'a>(view: &View<'a>) -> Process<'a> {
    // The Subject is the creator of the process. Since version 2, the Target is the account whose token the process
    // got, if it is another one: for a process started by DCOM or a service, only the Target leads to the network
    // logon.
    let creator = view.subject();
    let target_logon = view.number("TargetLogonId").filter(|id| *id != 0);
    let (user, logon_id) = match target_logon {
        Some(id) => (view.target(), Some(id)),
        None => (creator, view.number("SubjectLogonId")),
    };
    Process {
        pid: view.small("NewProcessId"),
        image: view.text("NewProcessName"),
        command_line: view.raw("CommandLine").unwrap_or(""),
        user,
        logon_id,
        integrity: text::integrity(view.text("MandatoryLabel")),
        elevated: match view.text("TokenElevationType") {
            "%%1937" => Some(true),
            "%%1938" => Some(false),
            // A full token of an account without a split token: the record does not show whether it is elevated.
            _ => None,
        },
        parent: Parent {
            pid: view.small("ProcessId"),
            image: view.text("ParentProcessName"),
            user: creator,
            ..Parent::default()
        },
        ..Process::default()
    }
}

/// The client of the service manager or the task scheduler.
fn client<'a>(view: &View<'a>) -> Process<'a> {
    Process {
        pid: view.small("ClientProcessId").filter(|pid| *pid != 0),
        parent: Parent { pid: view.small("ParentProcessId").filter(|pid| *pid != 0), ..Parent::default() },
        image: "",
        ..view.security_process()
    }
}

fn object<'a>(view: &View<'a>) -> Option<Activity<'a>> {
    let name = view.text("ObjectName");
    let mask = view.small("AccessMask");
    match view.text("ObjectType") {
        "Process" => Some(Activity::ProcessAccess(Access {
            kind: AccessKind::Open,
            target: Process { image: name, ..Process::default() },
            mask,
            call_trace: "",
        })),
        "File" if text::strip_prefix_ignore_case(name, r"\Device\NamedPipe").is_some() => {
            let (mechanism, name) = text::pipe(name, view.arena);
            Some(Activity::ChannelConnect(Channel { mechanism, name, access: mask, ..Channel::default() }))
        }
        "File" => Some(Activity::File(FileChange {
            operation: file_operation(mask),
            path: name,
            access: mask,
            ..FileChange::default()
        })),
        // Keys: 4657 has the written value; handles to them are noise. Other types are neither channels nor files.
        _ => None,
    }
}

fn file_operation(mask: Option<u32>) -> FileOperation {
    let mask = mask.unwrap_or(0);
    if mask & WRITE_DATA != 0 {
        FileOperation::Write
    } else if mask & DELETE != 0 {
        FileOperation::Delete
    } else {
        FileOperation::Open
    }
}

fn registry<'a>(view: &View<'a>) -> RegistryChange<'a> {
    let key = view.text("ObjectName");
    let (hive, rest) = if let Some(rest) = text::strip_prefix_ignore_case(key, r"\REGISTRY\MACHINE") {
        ("HKLM", rest)
    } else if let Some(rest) = text::strip_prefix_ignore_case(key, r"\REGISTRY\USER") {
        ("HKU", rest)
    } else {
        ("", key)
    };
    // The default value has an empty name here; Sysmon writes it as `(Default)`.
    let value = match view.raw("ObjectValueName") {
        None | Some("" | "-") => "(Default)",
        Some(value) => value,
    };
    let operation = match view.text("OperationType") {
        "%%1906" => RegistryOperation::DeleteValue,
        _ => RegistryOperation::SetValue,
    };
    RegistryChange {
        operation,
        path: text::join(&[hive, rest, "\\", value], view.arena),
        data: view.raw("NewValue").unwrap_or(""),
    }
}

/// A new security descriptor that allows a group that everybody belongs to, and which the old one did not allow.
fn permission<'a>(view: &View<'a>) -> Option<PrivilegeChange<'a>> {
    // Everyone, Anonymous, Authenticated Users, Users, Guests, all application packages.
    const EVERYBODY: [(&str, &str); 6] = [
        (";WD)", "S-1-1-0"),
        (";AN)", "S-1-5-7"),
        (";AU)", "S-1-5-11"),
        (";BU)", "S-1-5-32-545"),
        (";BG)", "S-1-5-32-546"),
        (";AC)", "S-1-15-2-1"),
    ];
    if view.text("ObjectType") == "Token" {
        return None;
    }
    let (old, new) = (dacl(view.text("OldSd")), dacl(view.text("NewSd")));
    let (_, group) = EVERYBODY.iter().find(|(ace, _)| new.contains(ace) && !old.contains(ace))?;
    Some(PrivilegeChange {
        kind: PrivilegeChangeKind::PermissionWidened,
        principal: User { id: group, ..User::default() },
        object: view.text("ObjectName"),
        details: view.text("NewSd"),
    })
}

/// The access list of a security descriptor; the system list after it is about auditing.
fn dacl(descriptor: &str) -> &str {
    descriptor.split("S:").next().unwrap_or(descriptor)
}

fn service<'a>(view: &View<'a>) -> ServiceChange<'a> {
    ServiceChange {
        operation: ServiceOperation::Installed,
        name: view.text("ServiceName"),
        command_line: view.text("ServiceFileName"),
        account: view.text("ServiceAccount"),
        state: "",
    }
}

fn task<'a>(view: &View<'a>) -> ServiceChange<'a> {
    let content = view.text("TaskContent");
    let part =
        |tag: &str, end: &str| text::unescape(text::between(content, tag, end).map_or("", str::trim_ascii), view.arena);
    let command = part("<Command>", "</Command>");
    let command_line = match part("<Arguments>", "</Arguments>") {
        "" if command.is_empty() => part("<ClassId>", "</ClassId>"),
        "" => command,
        arguments => text::join(&[command, " ", arguments], view.arena),
    };
    ServiceChange {
        operation: ServiceOperation::TaskCreated,
        name: view.text("TaskName"),
        command_line,
        account: part("<UserId>", "</UserId>"),
        state: "",
    }
}

fn share<'a>(view: &View<'a>) -> Activity<'a> {
    let share = view.text("ShareName");
    let relative = view.text("RelativeTargetName");
    let peer = text::address(view.text("IpAddress"));
    let access = view.small("AccessMask");
    if text::ends_with_ignore_case(share, r"\IPC$") && !relative.is_empty() {
        let (mechanism, name) = text::pipe(relative, view.arena);
        return Activity::ChannelConnect(Channel { mechanism, name, remote: true, peer, access, ..Channel::default() });
    }
    let path = match relative.trim_start_matches('\\') {
        "" => share,
        relative => text::join(&[share, "\\", relative], view.arena),
    };
    Activity::File(FileChange { operation: file_operation(access), path, share, peer, access, ..FileChange::default() })
}

fn flow_owner<'a>(view: &View<'a>) -> Process<'a> {
    Process {
        pid: view.small("ProcessID").or_else(|| view.small("ProcessId")),
        image: view.text("Application"),
        ..Process::default()
    }
}

fn protocol(number: &str) -> &str {
    match number {
        "6" => "tcp",
        "17" => "udp",
        "1" | "58" => "icmp",
        other => other,
    }
}

fn flow<'a>(view: &View<'a>, addresses: &mut Addresses) -> NetworkFlow<'a> {
    let source =
        Endpoint { address: text::address(view.text("SourceAddress")), port: view.port("SourcePort"), name: "" };
    let destination =
        Endpoint { address: text::address(view.text("DestAddress")), port: view.port("DestPort"), name: "" };
    let outbound = !matches!(view.text("Direction"), "%%14592" | "Inbound");
    // An inbound flow has the other machine as its source, unless the source is known to be this machine (its own
    // broadcasts, and systems that write the local side first).
    let source_is_local = if outbound {
        addresses.learn(view.host, source.address);
        true
    } else {
        addresses.owns(view.host, source.address) && !addresses.owns(view.host, destination.address)
    };
    let (local, remote) = if source_is_local { (source, destination) } else { (destination, source) };
    NetworkFlow { local, remote, outbound, protocol: protocol(view.text("Protocol")) }
}

fn bind<'a>(view: &View<'a>, addresses: &mut Addresses) -> NetworkFlow<'a> {
    let local =
        Endpoint { address: text::address(view.text("SourceAddress")), port: view.port("SourcePort"), name: "" };
    addresses.learn(view.host, local.address);
    NetworkFlow { local, remote: Endpoint::default(), outbound: false, protocol: protocol(view.text("Protocol")) }
}
