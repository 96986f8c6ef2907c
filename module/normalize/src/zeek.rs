//! Zeek: converts `dce_rpc`, `conn`, `smb_files` and `smb_mapping` to events.
//!
//! The host of an event is the responder, by its address. The field names are those of Zeek's
//! `base/protocols/{conn,dce-rpc,smb}/main.zeek`.

use backchannel_events::{
    Activity, Channel, Endpoint, FileChange, FileOperation, Mechanism, NetworkFlow, Outcome, Process, ProcessEvent,
    Provenance, RpcCall, Source, Timestamp,
};
use bumpalo::Bump;

use crate::auditd::lines::moment_of;
use crate::{Accepted, Place, ZeekRecord};

/// Normalises one line.
pub(crate) fn accept(
    record: &ZeekRecord<'_>,
    place: Place<'_>,
    arena: &Bump,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) -> Accepted {
    let Some(time) = record.field("ts").and_then(time_of) else { return Accepted::NotUsed };
    let client = endpoint(record, "id.orig_h", "id.orig_p");
    let server = endpoint(record, "id.resp_h", "id.resp_p");
    let mut outcome = Outcome::Unknown;
    let activity = match record.log {
        "dce_rpc" => call(record, client, server, arena),
        "conn" => {
            outcome = match record.field("conn_state").unwrap_or_default() {
                "SF" | "S1" | "S2" | "S3" | "RSTO" | "RSTR" => Outcome::Success,
                "S0" | "REJ" | "RSTOS0" | "RSTRH" | "SH" | "SHR" => Outcome::Failure,
                _ => Outcome::Unknown,
            };
            Some(Activity::NetworkFlow(NetworkFlow {
                local: server,
                remote: client,
                outbound: false,
                protocol: record.field("proto").unwrap_or_default(),
            }))
        }
        "smb_files" => file(record, client, arena),
        "smb_mapping" => mapping(record, client),
        _ => None,
    };
    let Some(activity) = activity else { return Accepted::NotUsed };
    sink(&ProcessEvent {
        time,
        host: if server.address.is_empty() { place.default_host } else { server.address },
        outcome,
        process: Process::default(),
        activity,
        provenance: Provenance {
            source: Source::Zeek,
            input: place.input,
            line: place.line,
            record: record.field("uid").unwrap_or_default(),
            provider: record.log,
            event_id: 0,
        },
    });
    Accepted::Events(1)
}

fn endpoint<'a>(record: &ZeekRecord<'a>, address: &str, port: &str) -> Endpoint<'a> {
    Endpoint {
        address: record.field(address).unwrap_or_default(),
        port: record.field(port).and_then(|port| port.parse().ok()).unwrap_or(0),
        name: "",
    }
}

fn call<'a>(
    record: &ZeekRecord<'a>,
    client: Endpoint<'a>,
    server: Endpoint<'a>,
    arena: &'a Bump,
) -> Option<Activity<'a>> {
    let endpoint = record.field("endpoint").unwrap_or_default();
    let operation = record.field("operation").unwrap_or_default();
    if endpoint.is_empty() && operation.is_empty() {
        return None;
    }
    // The secondary address of the bind: a pipe (`\PIPE\svcctl`) or a port (`49667`).
    let bound = record.field("named_pipe").unwrap_or_default();
    let (mechanism, name) = match pipe_name(bound) {
        Some(name) => (Mechanism::RpcNamedPipe, name),
        None if server.port == 445 || server.port == 139 => (Mechanism::RpcNamedPipe, bound),
        None if bound.is_empty() && server.port != 0 => {
            (Mechanism::RpcTcp, &*arena.alloc_str(&server.port.to_string()))
        }
        None => (Mechanism::RpcTcp, bound),
    };
    Some(Activity::RpcCall(RpcCall {
        channel: Channel { mechanism, name, remote: true, peer: client.address, ..Channel::default() },
        // Zeek writes unknown names as `unknown-<uuid>` and `unknown-<number>`.
        interface: endpoint.strip_prefix("unknown-").unwrap_or(endpoint),
        operation: operation.strip_prefix("unknown-").unwrap_or(operation),
        client,
        server,
        ..RpcCall::default()
    }))
}

/// `\pipe\x`, ignoring case, as `\x`.
fn pipe_name(name: &str) -> Option<&str> {
    let head = name.get(..6)?;
    head.eq_ignore_ascii_case("\\pipe\\").then(|| &name[5..])
}

/// Whether a tree is the share of named pipes.
fn is_ipc(path: &str) -> bool {
    path.trim_end_matches('\\').rsplit('\\').next().is_some_and(|share| share.eq_ignore_ascii_case("IPC$"))
}

fn file<'a>(record: &ZeekRecord<'a>, client: Endpoint<'a>, arena: &'a Bump) -> Option<Activity<'a>> {
    let action = record.field("action").unwrap_or_default();
    let action = action.strip_prefix("SMB::").unwrap_or(action);
    let path = record.field("path").unwrap_or_default();
    let name = record.field("name").unwrap_or_default();
    if name.is_empty() || action.ends_with("_CLOSE") {
        return None;
    }
    if is_ipc(path) || action.starts_with("PIPE_") {
        let name = pipe_name(name).unwrap_or(name).trim_start_matches('\\');
        return Some(Activity::ChannelConnect(Channel {
            mechanism: Mechanism::NamedPipe,
            name: arena.alloc_str(&format!("\\{name}")),
            remote: true,
            peer: client.address,
            access: match action {
                "PIPE_READ" | "FILE_READ" => Some(1),
                "PIPE_WRITE" | "FILE_WRITE" => Some(2),
                _ => None,
            },
            ..Channel::default()
        }));
    }
    let join = |name: &str| -> &'a str {
        let (tree, name) = (path.trim_end_matches('\\'), name.trim_start_matches('\\'));
        arena.alloc_str(&if tree.is_empty() { name.to_owned() } else { format!("{tree}\\{name}") })
    };
    let operation = match action {
        "FILE_WRITE" | "PRINT_WRITE" => FileOperation::Write,
        "FILE_DELETE" => FileOperation::Delete,
        "FILE_RENAME" => FileOperation::Rename,
        _ => FileOperation::Open,
    };
    Some(Activity::File(FileChange {
        operation,
        path: join(name),
        old_path: record.field("prev_name").map_or("", join),
        share: path,
        peer: client.address,
        ..FileChange::default()
    }))
}

fn mapping<'a>(record: &ZeekRecord<'a>, client: Endpoint<'a>) -> Option<Activity<'a>> {
    let path = record.field("path")?;
    if is_ipc(path) || record.field("share_type") == Some("PIPE") {
        // The share of pipes was connected; the pipe is not known.
        return Some(Activity::ChannelConnect(Channel {
            mechanism: Mechanism::NamedPipe,
            remote: true,
            peer: client.address,
            ..Channel::default()
        }));
    }
    Some(Activity::File(FileChange { path, share: path, peer: client.address, ..FileChange::default() }))
}

/// Parses seconds since the epoch with a fraction, or ISO 8601 in UTC (Zeek's `JSON::TS_ISO8601`).
pub(crate) fn time_of(text: &str) -> Option<Timestamp> {
    if let Some((date, time)) = text.split_once('T') {
        let mut date = date.splitn(3, '-');
        let (year, month, day) = (date.next()?.parse().ok()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
        let mut time = time.strip_suffix('Z')?.splitn(3, ':');
        let (hour, minute) = (time.next()?.parse().ok()?, time.next()?.parse().ok()?);
        let Timestamp(seconds) = moment_of(time.next()?)?;
        let second = u32::try_from(seconds / Timestamp::SECOND).ok()?;
        let nanos = u32::try_from(seconds % Timestamp::SECOND).ok()?;
        return Timestamp::from_civil(year, month, day, hour, minute, second, nanos);
    }
    // A float may be printed with more digits than a nanosecond has.
    let text = text.find('.').map_or(text, |dot| &text[..text.floor_char_boundary(dot + 10)]);
    moment_of(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(log: &str, fields: &[(&str, &str)], check: impl FnOnce(Option<&ProcessEvent<'_>>)) {
        let arena = Bump::new();
        let mut all = vec![
            ("ts", "1700000000.25"),
            ("uid", "Cx1"),
            ("id.orig_h", "192.0.2.5"),
            ("id.orig_p", "50001"),
            ("id.resp_h", "192.0.2.6"),
        ];
        all.extend_from_slice(fields);
        let mut events = 0;
        let mut check = Some(check);
        let place = Place { input: "x.log", line: 3, default_host: "fallback" };
        accept(&ZeekRecord { log, fields: &all }, place, &arena, &mut |event| {
            events += 1;
            check.take().unwrap()(Some(event));
        });
        if let Some(check) = check {
            check(None);
        }
        assert!(events <= 1);
    }

    fn rpc(fields: &[(&str, &str)], check: impl FnOnce(&RpcCall<'_>)) {
        with("dce_rpc", fields, |event| match event.unwrap().activity {
            Activity::RpcCall(call) => check(&call),
            other => panic!("{other:?}"),
        });
    }

    #[test]
    fn a_call_over_a_port_is_rpc_over_tcp_on_the_responder() {
        with(
            "dce_rpc",
            &[
                ("id.resp_p", "135"),
                ("named_pipe", "135"),
                ("endpoint", "IRemoteSCMActivator"),
                ("operation", "RemoteCreateInstance"),
            ],
            |event| {
                let event = event.unwrap();
                assert_eq!(
                    (event.host, event.provenance.record, event.provenance.provider),
                    ("192.0.2.6", "Cx1", "dce_rpc")
                );
                assert_eq!(event.time, Timestamp::from_unix(1_700_000_000, 250_000_000));
                let Activity::RpcCall(call) = event.activity else { panic!() };
                assert_eq!((call.channel.mechanism, call.channel.name), (Mechanism::RpcTcp, "135"));
                assert_eq!((call.interface, call.operation), ("IRemoteSCMActivator", "RemoteCreateInstance"));
                assert_eq!((call.client.address, call.client.port, call.server.port), ("192.0.2.5", 50_001, 135));
            },
        );
    }

    #[test]
    fn a_call_over_a_pipe_names_the_pipe_without_its_prefix() {
        rpc(&[("id.resp_p", "445"), ("named_pipe", "\\PIPE\\svcctl"), ("endpoint", "svcctl")], |call| {
            assert_eq!((call.channel.mechanism, call.channel.name), (Mechanism::RpcNamedPipe, "\\svcctl"));
            assert_eq!(call.channel.peer, "192.0.2.5");
        });
    }

    #[test]
    fn unknown_zeek_names_keep_their_uuid_and_number() {
        let uuid = "unknown-00020400-0000-0000-c000-000000000046";
        rpc(&[("id.resp_p", "50000"), ("endpoint", uuid), ("operation", "unknown-6")], |call| {
            assert_eq!((call.interface, call.operation), ("00020400-0000-0000-c000-000000000046", "6"));
            assert_eq!(call.channel.name, "50000");
        });
    }

    #[test]
    fn a_connection_is_inbound_at_the_responder() {
        with("conn", &[("id.resp_p", "135"), ("proto", "tcp"), ("conn_state", "S0")], |event| {
            let event = event.unwrap();
            assert_eq!(event.outcome, Outcome::Failure);
            let Activity::NetworkFlow(flow) = event.activity else { panic!() };
            assert!(!flow.outbound);
            assert_eq!((flow.local.port, flow.remote.address, flow.protocol), (135, "192.0.2.5", "tcp"));
        });
    }

    #[test]
    fn a_file_on_the_pipe_share_is_a_channel_and_any_other_a_file() {
        with("smb_files", &[("action", "SMB::FILE_OPEN"), ("path", "\\\\srv\\ipc$"), ("name", "svcctl")], |event| {
            let Activity::ChannelConnect(channel) = event.unwrap().activity else { panic!() };
            assert_eq!((channel.mechanism, channel.name, channel.remote), (Mechanism::NamedPipe, "\\svcctl", true));
        });
        with("smb_files", &[("action", "SMB::FILE_WRITE"), ("path", "\\\\srv\\ADMIN$"), ("name", "a.exe")], |event| {
            let Activity::File(file) = event.unwrap().activity else { panic!() };
            assert_eq!((file.operation, file.path), (FileOperation::Write, "\\\\srv\\ADMIN$\\a.exe"));
        });
        with("smb_files", &[("action", "SMB::FILE_CLOSE"), ("name", "a")], |event| assert!(event.is_none()));
    }

    #[test]
    fn a_mapped_share_is_recognised_by_its_type() {
        with("smb_mapping", &[("path", "\\\\srv\\x"), ("share_type", "PIPE")], |event| {
            assert!(matches!(event.unwrap().activity, Activity::ChannelConnect(_)));
        });
        with("smb_mapping", &[("path", "\\\\srv\\data"), ("share_type", "DISK")], |event| {
            assert!(matches!(event.unwrap().activity, Activity::File(_)));
        });
        with("dns", &[], |event| assert!(event.is_none()));
    }

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        let want = Some(Timestamp::from_unix(1_588_206_048, 592_985_000));
        assert_eq!(time_of("1588206048.592985"), want);
        assert_eq!(time_of("1588206048.592985000123"), want);
        assert_eq!(time_of("2020-04-30T00:20:48.592985Z"), want);
        assert_eq!(time_of("yesterday"), None);
        assert_eq!(time_of("2020-04-30TZ"), None);
    }
}
