//! macOS Endpoint Security events as written by `eslogger`: one JSON object per event.
//!
//! The field names are those of `es_message_t` (EndpointSecurity/ESMessage.h), which is the model of eslogger's output
//! according to eslogger(1). Apple does not guarantee them, and no real records were available for testing, so every
//! field is optional.

use backchannel_events::{
    Access, AccessKind, Activity, Channel, FileChange, FileOperation, Integrity, Mechanism, Outcome, Parent, Process,
    ProcessEvent, Provenance, Signature, SignatureStatus, Source, User,
};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use serde_json::Value;

use crate::auditd::fields::command_line;
use crate::zeek::time_of;
use crate::{Accepted, Place};

/// `CS_VALID`, `CS_ADHOC` and `CS_SIGNED` of `codesigning_flags` (xnu, osfmk/kern/cs_blobs.h).
const VALID: u64 = 0x1;
const ADHOC: u64 = 0x2;
const SIGNED: u64 = 0x2000_0000;

/// Normalises one object.
pub(crate) fn accept(text: &str, place: Place<'_>, arena: &Bump, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> Accepted {
    // serde_json rejects nesting beyond 128 levels, so no input can exhaust the stack.
    let Ok(message) = serde_json::from_str::<Value>(text) else { return Accepted::NotUsed };
    let Some(time) = message["time"].as_str().and_then(time_of) else { return Accepted::NotUsed };
    let Some((name, event)) = message["event"].as_object().and_then(|events| events.iter().next()) else {
        return Accepted::NotUsed;
    };
    let mut process = process_of(&message["process"], arena);
    let Some(activity) = activity(name, event, &mut process, arena) else { return Accepted::NotUsed };
    // ES_AUTH_RESULT_DENY is 1; notifications are sent after the action.
    let outcome = match message["action"]["result"]["result"]["auth"].as_u64() {
        Some(1) => Outcome::Denied,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    };
    sink(&ProcessEvent {
        time,
        host: place.default_host,
        outcome,
        process,
        activity,
        provenance: Provenance {
            source: Source::EndpointSecurity,
            input: place.input,
            line: place.line,
            record: number(&message["global_seq_num"], arena),
            provider: arena.alloc_str(name),
            event_id: message["event_type"].as_u64().and_then(|kind| u32::try_from(kind).ok()).unwrap_or(0),
        },
    });
    Accepted::Events(1)
}

fn activity<'a>(name: &str, event: &Value, process: &mut Process<'a>, arena: &'a Bump) -> Option<Activity<'a>> {
    let access = |kind| {
        let target = process_of(&event["target"], arena);
        Some(Activity::ProcessAccess(Access { kind, target, mask: None, call_trace: "" }))
    };
    match name {
        "exec" => {
            let mut started = process_of(&event["target"], arena);
            let mut arguments = BumpVec::new_in(arena);
            let values = event["args"].as_array().map_or(&[][..], Vec::as_slice);
            arguments.extend(values.iter().map(|value| text_of(value, arena)));
            started.command_line = command_line(&arguments, arena);
            started.working_directory = text_of(&event["cwd"]["path"], arena);
            // An exec replaces the image: the parent is that of both, and its image is not in the record.
            *process = started;
            Some(Activity::ProcessStart)
        }
        "exit" => Some(Activity::ProcessEnd),
        "uipc_bind" => {
            let (directory, file) = (text_of(&event["dir"]["path"], arena), text_of(&event["filename"], arena));
            let name = arena.alloc_str(&format!("{}/{file}", directory.trim_end_matches('/')));
            Some(Activity::ChannelCreate(Channel {
                mechanism: Mechanism::UnixSocket,
                name,
                mode: event["mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()),
                ..Channel::default()
            }))
        }
        "uipc_connect" => Some(Activity::ChannelConnect(Channel {
            mechanism: Mechanism::UnixSocket,
            name: text_of(&event["file"]["path"], arena),
            owner: number(&event["file"]["stat"]["st_uid"], arena),
            mode: event["file"]["stat"]["st_mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()),
            ..Channel::default()
        })),
        "xpc_connect" => Some(Activity::ChannelConnect(Channel {
            mechanism: Mechanism::Xpc,
            name: text_of(&event["service_name"], arena),
            // ES_XPC_SERVICE_DOMAIN_TYPE_SYSTEM is 1: such services are launched by root, and run as root.
            owner: if event["service_domain_type"].as_u64() == Some(1) { "0" } else { "" },
            ..Channel::default()
        })),
        "trace" | "get_task" => access(AccessKind::Attach),
        "get_task_read" => access(AccessKind::ReadMemory),
        "remote_thread_create" => access(AccessKind::RemoteThread),
        "setmode" => Some(Activity::File(FileChange {
            operation: FileOperation::ChangeMode,
            path: text_of(&event["target"]["path"], arena),
            mode: event["mode"].as_u64().and_then(|mode| u32::try_from(mode).ok()).map(|mode| mode & 0o7777),
            owner: number(&event["target"]["stat"]["st_uid"], arena),
            ..FileChange::default()
        })),
        _ => None,
    }
}

fn process_of<'a>(process: &Value, arena: &'a Bump) -> Process<'a> {
    let token = &process["audit_token"];
    let euid = number(&token["euid"], arena);
    let pid = pid_of(&token["pid"]);
    let entity = match (pid, token["pidversion"].as_u64()) {
        (Some(pid), Some(version)) => arena.alloc_str(&format!("{pid}.{version}")),
        _ => "",
    };
    let audit_id = match number(&token["auid"], arena) {
        "4294967295" | "-1" => "",
        id => id,
    };
    Process {
        entity,
        pid,
        start: process["start_time"].as_str().and_then(time_of),
        image: text_of(&process["executable"]["path"], arena),
        original_name: text_of(&process["signing_id"], arena),
        user: User { id: number(&token["ruid"], arena), effective_id: euid, audit_id, ..User::default() },
        session: pid_of(&process["session_id"]),
        integrity: match euid {
            "" => Integrity::Unknown,
            "0" => Integrity::System,
            _ => Integrity::Medium,
        },
        tty: text_of(&process["tty"]["path"], arena),
        signature: signature(process, arena),
        parent: Parent { pid: pid_of(&process["ppid"]), ..Parent::default() },
        ..Process::default()
    }
}

fn signature<'a>(process: &Value, arena: &'a Bump) -> Signature<'a> {
    let team = text_of(&process["team_id"], arena);
    let platform = process["is_platform_binary"].as_bool() == Some(true);
    let status = match process["codesigning_flags"].as_u64() {
        _ if platform => SignatureStatus::Trusted,
        None => SignatureStatus::Unknown,
        Some(flags) if flags & SIGNED == 0 => SignatureStatus::Unsigned,
        Some(flags) if flags & ADHOC != 0 || flags & VALID == 0 => SignatureStatus::Untrusted,
        Some(_) => SignatureStatus::Trusted,
    };
    Signature { status, signer: if platform { "Apple" } else { team } }
}

fn pid_of(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn text_of<'a>(value: &Value, arena: &'a Bump) -> &'a str {
    value.as_str().map_or("", |text| arena.alloc_str(text))
}

fn number<'a>(value: &Value, arena: &'a Bump) -> &'a str {
    match value {
        Value::Number(number) => arena.alloc_str(&number.to_string()),
        other => text_of(other, arena),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: &str = r#"{"audit_token":{"pid":400,"pidversion":9,"ruid":501,"euid":0,"auid":501},"ppid":1,"session_id":7,"is_platform_binary":false,"codesigning_flags":536870913,"team_id":"TEAM123456","signing_id":"org.example.tool","executable":{"path":"/opt/tool"},"tty":null}"#;

    fn with(event: &str, check: impl FnOnce(Option<&ProcessEvent<'_>>)) {
        let arena = Bump::new();
        let text = format!(
            r#"{{"time":"2025-01-02T03:04:05.5Z","event_type":9,"global_seq_num":31,"process":{PROCESS},"event":{event}}}"#
        );
        let place = Place { input: "es.json", line: 2, default_host: "mac1" };
        let mut check = Some(check);
        accept(&text, place, &arena, &mut |event| check.take().unwrap()(Some(event)));
        if let Some(check) = check {
            check(None);
        }
    }

    #[test]
    fn an_exec_is_the_start_of_its_target() {
        with(&format!(r#"{{"exec":{{"target":{PROCESS},"args":["tool","a b"],"cwd":{{"path":"/tmp"}}}}}}"#), |event| {
            let event = event.unwrap();
            assert_eq!((event.activity, event.host), (Activity::ProcessStart, "mac1"));
            let process = event.process;
            assert_eq!((process.entity, process.pid, process.parent.pid), ("400.9", Some(400), Some(1)));
            assert_eq!((process.image, process.command_line), ("/opt/tool", "tool 'a b'"));
            assert_eq!((process.user.id, process.integrity), ("501", Integrity::System));
            assert_eq!(process.signature, Signature { status: SignatureStatus::Trusted, signer: "TEAM123456" });
            assert_eq!((event.provenance.record, event.provenance.event_id), ("31", 9));
        });
    }

    #[test]
    fn sockets_and_xpc_services_are_channels() {
        with(r#"{"uipc_bind":{"dir":{"path":"/tmp"},"filename":"s","mode":448}}"#, |event| {
            let Activity::ChannelCreate(channel) = event.unwrap().activity else { panic!() };
            assert_eq!((channel.mechanism, channel.name, channel.mode), (Mechanism::UnixSocket, "/tmp/s", Some(448)));
        });
        with(r#"{"uipc_connect":{"file":{"path":"/var/run/x","stat":{"st_uid":0}},"domain":1,"type":1}}"#, |event| {
            let Activity::ChannelConnect(channel) = event.unwrap().activity else { panic!() };
            assert_eq!((channel.name, channel.owner), ("/var/run/x", "0"));
        });
        with(r#"{"xpc_connect":{"service_name":"org.example.helper","service_domain_type":1}}"#, |event| {
            let Activity::ChannelConnect(channel) = event.unwrap().activity else { panic!() };
            assert_eq!((channel.mechanism, channel.name, channel.owner), (Mechanism::Xpc, "org.example.helper", "0"));
        });
    }

    #[test]
    fn a_task_port_is_a_process_access_and_a_fork_is_ignored() {
        with(&format!(r#"{{"get_task":{{"target":{PROCESS}}}}}"#), |event| {
            let Activity::ProcessAccess(access) = event.unwrap().activity else { panic!() };
            assert_eq!((access.kind, access.target.pid), (AccessKind::Attach, Some(400)));
        });
        with(r#"{"fork":{}}"#, |event| assert!(event.is_none()));
        with("7", |event| assert!(event.is_none()));
    }
}
