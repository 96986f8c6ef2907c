//! Tests of Sysmon, by name and by position, for old and new versions.

use backchannel_events::{
    AccessKind, Activity, FileOperation, Integrity, Mechanism, Outcome, RegistryOperation, SignatureStatus,
    TelemetryState,
};

use super::{SYSMON, UTC, activity, named, positional, record, with};
use crate::Fields;
use crate::windows::Windows;

const GUID: &str = "{11111111-2222-3333-4444-000000000100}";
const PARENT: &str = "{11111111-2222-3333-4444-000000000200}";

#[test]
fn a_start_by_name_is_complete() {
    named(
        SYSMON,
        1,
        &[
            ("RuleName", "-"),
            ("UtcTime", UTC),
            ("ProcessGuid", GUID),
            ("ProcessId", "4242"),
            ("Image", r"C:\Windows\System32\mmc.exe"),
            ("Company", "Microsoft Corporation"),
            ("OriginalFileName", "mmc.exe"),
            ("CommandLine", r"C:\Windows\system32\mmc.exe -Embedding"),
            ("CurrentDirectory", r"C:\Windows\system32\"),
            ("User", r"EXAMPLE\ann"),
            ("LogonId", "0x3e7"),
            ("TerminalSessionId", "0"),
            ("IntegrityLevel", "High"),
            ("Hashes", "SHA1=AA,MD5=BB,SHA256=CC,IMPHASH=DD"),
            ("ParentProcessGuid", PARENT),
            ("ParentProcessId", "900"),
            ("ParentImage", r"C:\Windows\System32\svchost.exe"),
            ("ParentCommandLine", "svchost.exe -k DcomLaunch"),
            ("ParentUser", r"NT AUTHORITY\SYSTEM"),
        ],
        |event| {
            assert_eq!(event.activity, Activity::ProcessStart);
            assert_eq!(event.outcome, Outcome::Success);
            let process = event.process;
            assert_eq!((process.entity, process.pid, process.start), (GUID, Some(4242), Some(event.time)));
            assert_eq!((process.original_name, process.company), ("mmc.exe", "Microsoft Corporation"));
            assert_eq!((process.user.domain, process.user.name), ("EXAMPLE", "ann"));
            assert_eq!((process.logon_id, process.session), (Some(999), Some(0)));
            assert_eq!(process.integrity, Integrity::High);
            assert_eq!((process.hashes.sha1, process.hashes.imphash), ("AA", "DD"));
            assert_eq!((process.parent.entity, process.parent.pid), (PARENT, Some(900)));
            assert_eq!(process.parent.command_line, "svchost.exe -k DcomLaunch");
            assert_eq!((process.parent.user.domain, process.parent.user.name), ("NT AUTHORITY", "SYSTEM"));
        },
    );
}

#[test]
fn a_start_without_its_image_keeps_the_other_fields() {
    named(
        SYSMON,
        1,
        &[
            ("UtcTime", UTC),
            ("CommandLine", "a -b"),
            ("ParentProcessGuid", "{00000000-0000-0000-0000-000000000000}"),
            ("ParentProcessId", "0"),
            ("ParentImage", "-"),
            ("ParentCommandLine", "?"),
        ],
        |event| {
            assert_eq!((event.process.image, event.process.command_line, event.process.pid), ("", "a -b", None));
            assert_eq!(event.process.parent, Default::default(), "what is not known is empty");
        },
    );
}

#[test]
fn a_start_by_position_is_read_in_every_version() {
    let tail = ["u\\s", "{L}", "0x5", "1", "Medium", "MD5=BB", PARENT, "900", "p.exe", "p -x"];
    let oldest = [&[UTC, GUID, "7", "a.exe", "a -x", "C:\\"][..], &tail].concat();
    let sysmon7 = [&[UTC, GUID, "7", "a.exe", "1", "d", "p", "Acme", "a -x", "C:\\"][..], &tail].concat();
    let sysmon8 = [&["-", UTC, GUID, "7", "a.exe", "1", "d", "p", "Acme", "a -x", "C:\\"][..], &tail].concat();
    let sysmon10 =
        [&["-", UTC, GUID, "7", "a.exe", "1", "d", "p", "Acme", "orig.exe", "a -x", "C:\\"][..], &tail].concat();
    let sysmon13 = [&sysmon10[..], &["pu\\n"]].concat();
    for (values, company, original, parent_user) in [
        (oldest, "", "", ""),
        (sysmon7, "Acme", "", ""),
        (sysmon8, "Acme", "", ""),
        (sysmon10, "Acme", "orig.exe", ""),
        (sysmon13, "Acme", "orig.exe", "n"),
    ] {
        positional(SYSMON, 1, &values, |event| {
            let process = event.process;
            assert_eq!((process.image, process.pid, process.command_line), ("a.exe", Some(7), "a -x"));
            assert_eq!((process.company, process.original_name), (company, original));
            assert_eq!((process.integrity, process.hashes.md5), (Integrity::Medium, "BB"));
            assert_eq!((process.parent.image, process.parent.command_line), ("p.exe", "p -x"));
            assert_eq!(process.parent.user.name, parent_user);
        });
    }
}

#[test]
fn an_outbound_connection_keeps_its_sides() {
    named(
        SYSMON,
        3,
        &[
            ("UtcTime", UTC),
            ("Image", r"C:\a.exe"),
            ("Protocol", "tcp"),
            ("Initiated", "true"),
            ("SourceIp", "10.0.0.1"),
            ("SourcePort", "50000"),
            ("DestinationIp", "10.0.0.2"),
            ("DestinationHostname", "srv2.example.test"),
            ("DestinationPort", "135"),
        ],
        |event| {
            let flow = activity!(event, NetworkFlow);
            assert!(flow.outbound);
            assert_eq!((flow.local.address, flow.local.port), ("10.0.0.1", 50000));
            assert_eq!(
                (flow.remote.address, flow.remote.port, flow.remote.name),
                ("10.0.0.2", 135, "srv2.example.test")
            );
            assert_eq!(flow.protocol, "tcp");
        },
    );
}

fn inbound<'a>(source: [&'a str; 3], destination: [&'a str; 3]) -> [(&'a str, &'a str); 8] {
    [
        ("UtcTime", UTC),
        ("Initiated", "false"),
        ("SourceIp", source[0]),
        ("SourceHostname", source[1]),
        ("SourcePort", source[2]),
        ("DestinationIp", destination[0]),
        ("DestinationHostname", destination[1]),
        ("DestinationPort", destination[2]),
    ]
}

#[test]
fn an_inbound_connection_is_oriented_by_name() {
    let old = inbound(["10.0.0.1", "wks1.example.test", "49667"], ["10.0.0.9", "srv9.example.test", "51000"]);
    named(SYSMON, 3, &old, |event| {
        let flow = activity!(event, NetworkFlow);
        assert_eq!((flow.local.port, flow.remote.address, flow.outbound), (49667, "10.0.0.9", false));
    });
    let new = inbound(["10.0.0.9", "-", "51000"], ["10.0.0.1", "WKS1", "49667"]);
    named(SYSMON, 3, &new, |event| {
        let flow = activity!(event, NetworkFlow);
        assert_eq!((flow.local.port, flow.remote.address), (49667, "10.0.0.9"));
    });
}

#[test]
fn an_inbound_connection_without_names_is_oriented_by_known_addresses() {
    let mut windows = Windows::default();
    let nameless = inbound(["10.0.0.1", "-", "49667"], ["10.0.0.9", "-", "51000"]);
    with(&mut windows, &record(SYSMON, 3, Fields::Named(&nameless)), |event| {
        assert_eq!(activity!(event, NetworkFlow).local.address, "10.0.0.9", "what came in ends here");
    });
    let outbound = [("UtcTime", UTC), ("Initiated", "true"), ("SourceIp", "10.0.0.1"), ("DestinationIp", "10.0.0.7")];
    with(&mut windows, &record(SYSMON, 3, Fields::Named(&outbound)), |_| {});
    with(&mut windows, &record(SYSMON, 3, Fields::Named(&nameless)), |event| {
        assert_eq!(activity!(event, NetworkFlow).local.address, "10.0.0.1", "this machine's own address is known now");
    });
}

#[test]
fn a_connection_by_position() {
    let values = [
        "-", UTC, GUID, "7", "a.exe", "u\\s", "udp", "true", "false", "10.0.0.1", "-", "500", "-", "false", "10.0.0.2",
        "-", "53", "domain",
    ];
    for values in [&values[..], &values[1..]] {
        positional(SYSMON, 3, values, |event| {
            let flow = activity!(event, NetworkFlow);
            assert_eq!((flow.local.port, flow.remote.port, flow.protocol), (500, 53, "udp"));
            assert_eq!(event.process.user.name, "s");
        });
    }
}

#[test]
fn an_end_by_name_and_position() {
    positional(SYSMON, 5, &["-", UTC, GUID, "7", "a.exe", "u\\s"], |event| {
        assert_eq!(event.activity, Activity::ProcessEnd);
        assert_eq!((event.process.pid, event.process.user.name), (Some(7), "s"));
    });
}

#[test]
fn the_signature_belongs_to_the_module_and_to_a_process_only_for_its_own_image() {
    let fields = [
        ("UtcTime", UTC),
        ("Image", r"C:\Tools\a.exe"),
        ("ImageLoaded", r"C:\Tools\x.dll"),
        ("OriginalFileName", "x.dll"),
        ("Company", "Acme"),
        ("Hashes", "SHA256=CC"),
        ("Signed", "false"),
        ("Signature", "-"),
        ("SignatureStatus", "Unavailable"),
    ];
    named(SYSMON, 7, &fields, |event| {
        let module = activity!(event, ModuleLoad);
        assert_eq!((module.path, module.original_name, module.company), (r"C:\Tools\x.dll", "x.dll", "Acme"));
        assert_eq!((module.signature.status, module.signature.signer), (SignatureStatus::Unsigned, ""));
        assert_eq!(event.process.signature.status, SignatureStatus::Unknown);
    });
    let values =
        ["-", UTC, GUID, "7", r"C:\A.exe", r"C:\a.exe", "1", "d", "p", "Acme", "MD5=BB", "true", "Acme CA", "Valid"];
    positional(SYSMON, 7, &values, |event| {
        assert_eq!(event.process.signature.status, SignatureStatus::Trusted);
        assert_eq!(event.process.signature.signer, "Acme CA");
        assert_eq!(activity!(event, ModuleLoad).hashes.md5, "BB");
    });
    let values = [UTC, GUID, "7", "a.exe", "b.dll", "MD5=BB", "true", "Acme CA", "Expired"];
    positional(SYSMON, 7, &values, |event| {
        assert_eq!(activity!(event, ModuleLoad).signature.status, SignatureStatus::Untrusted);
    });
}

#[test]
fn a_remote_thread_names_both_processes() {
    let values = [
        "-",
        UTC,
        GUID,
        "7",
        "a.exe",
        PARENT,
        "8",
        "b.exe",
        "99",
        "0x7FF",
        r"C:\k.dll",
        "LoadLibraryA",
        "d\\u",
        "d\\v",
    ];
    positional(SYSMON, 8, &values, |event| {
        let access = activity!(event, ProcessAccess);
        assert_eq!((event.process.entity, event.process.pid, event.process.user.name), (GUID, Some(7), "u"));
        assert_eq!((access.kind, access.target.image, access.target.pid), (AccessKind::RemoteThread, "b.exe", Some(8)));
        assert_eq!((access.target.user.name, access.call_trace), ("v", r"C:\k.dll!LoadLibraryA"));
    });
}

#[test]
fn an_opened_process_has_its_mask() {
    named(
        SYSMON,
        10,
        &[
            ("UtcTime", UTC),
            ("SourceProcessGUID", GUID),
            ("SourceProcessId", "7"),
            ("SourceImage", "a.exe"),
            ("TargetProcessGUID", PARENT),
            ("TargetProcessId", "8"),
            ("TargetImage", "b.exe"),
            ("GrantedAccess", "0x1FFFFF"),
            ("CallTrace", "ntdll.dll+1|x.dll+2"),
        ],
        |event| {
            let access = activity!(event, ProcessAccess);
            assert_eq!((access.kind, access.mask), (AccessKind::Open, Some(0x1f_ffff)));
            assert_eq!((event.process.entity, access.target.entity), (GUID, PARENT));
            assert_eq!(access.call_trace, "ntdll.dll+1|x.dll+2");
        },
    );
    let old = [UTC, GUID, "7", "70", "a.exe", PARENT, "8", "b.exe", "0x1010", "x.dll+2"];
    positional(SYSMON, 10, &old, |event| {
        let access = activity!(event, ProcessAccess);
        assert_eq!((access.mask, access.target.image, access.call_trace), (Some(0x1010), "b.exe", "x.dll+2"));
    });
}

#[test]
fn files_streams_and_tampering() {
    positional(SYSMON, 11, &[UTC, GUID, "4", "System", r"C:\x.dll", UTC], |event| {
        let file = activity!(event, File);
        assert_eq!((file.operation, file.path, event.process.image), (FileOperation::Create, r"C:\x.dll", "System"));
    });
    named(SYSMON, 15, &[("UtcTime", UTC), ("TargetFilename", r"C:\x:s")], |event| {
        assert_eq!(activity!(event, File).path, r"C:\x:s");
    });
    positional(SYSMON, 25, &["-", UTC, GUID, "7", "a.exe", "Image is replaced", "d\\u"], |event| {
        let access = activity!(event, ProcessAccess);
        assert_eq!((access.kind, access.target.pid), (AccessKind::Tamper, Some(7)));
        assert_eq!((access.call_trace, event.process.user.name), ("Image is replaced", "u"));
    });
}

#[test]
fn the_registry_by_name_and_position() {
    for (kind, operation) in [
        ("CreateKey", RegistryOperation::CreateKey),
        ("DeleteKey", RegistryOperation::DeleteKey),
        ("DeleteValue", RegistryOperation::DeleteValue),
        ("INFO", RegistryOperation::CreateKey),
    ] {
        named(SYSMON, 12, &[("UtcTime", UTC), ("EventType", kind), ("TargetObject", r"HKLM\A")], |event| {
            assert_eq!(activity!(event, Registry).operation, operation, "{kind}");
        });
    }
    let object = r"HKU\S-1-5-21-1_Classes\CLSID\{X}\InprocServer32\(Default)";
    let values = ["-", "SetValue", UTC, GUID, "7", "reg.exe", object, r"C:\x.dll", "d\\u"];
    for values in [&values[..], &values[..8], &values[1..8]] {
        positional(SYSMON, 13, values, |event| {
            let change = activity!(event, Registry);
            assert_eq!((change.operation, change.path), (RegistryOperation::SetValue, object));
            assert_eq!((change.data, event.process.image), (r"C:\x.dll", "reg.exe"));
        });
    }
    named(SYSMON, 14, &[("UtcTime", UTC), ("TargetObject", "HKLM\\A"), ("NewName", "HKLM\\B")], |event| {
        let change = activity!(event, Registry);
        assert_eq!((change.operation, change.path, change.data), (RegistryOperation::Rename, "HKLM\\A", "HKLM\\B"));
    });
}

#[test]
fn create_and_connect_are_distinguished_by_id_alone() {
    let fields =
        [("UtcTime", UTC), ("EventType", "INFO"), ("PipeName", r"\lsass"), ("Image", "System"), ("ProcessId", "4")];
    named(SYSMON, 17, &fields, |event| {
        let channel = activity!(event, ChannelCreate);
        assert_eq!((channel.mechanism, channel.name, channel.remote), (Mechanism::NamedPipe, r"\lsass", false));
    });
    named(SYSMON, 18, &fields, |event| {
        let channel = activity!(event, ChannelConnect);
        assert!(channel.remote, "the System process represents a remote client");
    });
    named(SYSMON, 18, &[("PipeName", r"\lsass"), ("Image", r"C:\a.exe"), ("ProcessId", "44")], |event| {
        assert!(!activity!(event, ChannelConnect).remote);
    });
}

#[test]
fn pipes_by_position_in_every_version() {
    let values = ["-", "ConnectPipe", UTC, GUID, "44", r"\srvsvc", r"C:\a.exe", "d\\u"];
    let without_type = ["-", UTC, GUID, "44", r"\srvsvc", r"C:\a.exe"];
    for values in [&values[..], &values[..7], &without_type[..], &without_type[1..]] {
        positional(SYSMON, 18, values, |event| {
            assert_eq!(activity!(event, ChannelConnect).name, r"\srvsvc");
            assert_eq!((event.process.pid, event.process.image), (Some(44), r"C:\a.exe"));
        });
    }
}

#[test]
fn an_anonymous_pipe_is_known_in_both_spellings() {
    for name in ["<Anonymous Pipe>", "&lt;Anonymous Pipe&gt;"] {
        named(SYSMON, 17, &[("PipeName", name), ("Image", "?")], |event| {
            let channel = activity!(event, ChannelCreate);
            assert_eq!((channel.mechanism, channel.name), (Mechanism::AnonymousPipe, "<Anonymous Pipe>"));
            assert_eq!(event.process.image, "");
        });
    }
}

#[test]
fn names_and_telemetry() {
    let values = ["-", UTC, GUID, "7", "srv.example.test", "0", "10.0.0.1;", "<unknown process>", "d\\u"];
    positional(SYSMON, 22, &values, |event| {
        let dns = activity!(event, Dns);
        assert_eq!((dns.query, dns.answers, event.process.image), ("srv.example.test", "10.0.0.1;", ""));
    });
    for (state, expected) in [("Started", TelemetryState::Started), ("Stopped", TelemetryState::Stopped)] {
        positional(SYSMON, 4, &[UTC, state, "15", "4.9"], |event| {
            assert_eq!(activity!(event, Telemetry).state, expected);
        });
    }
    named(SYSMON, 16, &[("UtcTime", UTC), ("Configuration", "sysmon -c x.xml")], |event| {
        let telemetry = activity!(event, Telemetry);
        assert_eq!((telemetry.state, telemetry.details), (TelemetryState::Changed, "sysmon -c x.xml"));
    });
}
