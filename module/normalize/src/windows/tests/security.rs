//! Tests of the Security log, by name and by position.

use backchannel_events::{
    AccessKind, Activity, FileOperation, Integrity, LogonOutcome, Mechanism, Outcome, PrivilegeChangeKind,
    RegistryOperation, ServiceOperation, Source, TelemetryState,
};

use super::{SECURITY, activity, named, not_used, positional, record, with};
use crate::Fields;
use crate::windows::Windows;

const SUBJECT: [(&str, &str); 4] = [
    ("SubjectUserSid", "S-1-5-18"),
    ("SubjectUserName", "WKS1$"),
    ("SubjectDomainName", "EXAMPLE"),
    ("SubjectLogonId", "0x3e7"),
];
const SUBJECT_VALUES: [&str; 4] = ["S-1-5-18", "WKS1$", "EXAMPLE", "0x3e7"];

fn subject_and<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&SUBJECT[..], fields].concat()
}

fn values<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&SUBJECT_VALUES[..], rest].concat()
}

#[test]
fn a_start_with_another_token_belongs_to_the_target() {
    let all = values(&[
        "0x1f4",
        r"C:\mmc.exe",
        "%%1937",
        "0x3c0",
        "mmc -Embedding",
        "S-1-5-21-1-500",
        "ann",
        "EXAMPLE",
        "0x25ab88",
        r"C:\Windows\System32\svchost.exe",
        "S-1-16-12288",
    ]);
    positional(SECURITY, 4688, &all, |event| {
        assert_eq!(event.activity, Activity::ProcessStart);
        assert_eq!(event.provenance.source, Source::Security);
        let process = event.process;
        assert_eq!((process.pid, process.image, process.command_line), (Some(500), r"C:\mmc.exe", "mmc -Embedding"));
        assert_eq!((process.user.id, process.user.name, process.logon_id), ("S-1-5-21-1-500", "ann", Some(0x25_ab88)));
        assert_eq!((process.integrity, process.elevated), (Integrity::High, Some(true)));
        assert_eq!(process.start, Some(event.time));
        assert_eq!((process.parent.pid, process.parent.image), (Some(960), r"C:\Windows\System32\svchost.exe"));
        assert_eq!((process.parent.user.id, process.parent.user.name), ("S-1-5-18", "WKS1$"));
        assert_eq!(process.parent.command_line, "", "the record has none");
    });
    positional(SECURITY, 4688, &all[..9], |event| {
        assert_eq!((event.process.command_line, event.process.user.name), ("mmc -Embedding", "WKS1$"));
    });
}

#[test]
fn a_start_without_another_token_belongs_to_the_subject() {
    let fields = subject_and(&[
        ("NewProcessId", "0x10"),
        ("NewProcessName", r"C:\a.exe"),
        ("TokenElevationType", "%%1936"),
        ("TargetUserSid", "S-1-0-0"),
        ("TargetUserName", "-"),
        ("TargetLogonId", "0x0"),
        ("MandatoryLabel", "S-1-16-8192"),
    ]);
    named(SECURITY, 4688, &fields, |event| {
        let process = event.process;
        assert_eq!((process.user.name, process.logon_id, process.elevated), ("WKS1$", Some(999), None));
        assert_eq!(process.integrity, Integrity::Medium);
    });
}

#[test]
fn an_end_is_the_subjects() {
    positional(SECURITY, 4689, &values(&["0x0", "0x1f4", r"C:\a.exe"]), |event| {
        assert_eq!(event.activity, Activity::ProcessEnd);
        assert_eq!((event.process.pid, event.process.image), (Some(500), r"C:\a.exe"));
    });
}

#[test]
fn a_logon_in_every_version() {
    let all = [
        "S-1-0-0",
        "-",
        "-",
        "0x0",
        "S-1-5-21-1-1104",
        "ann",
        "EXAMPLE",
        "0x1234",
        "3",
        "NtLmSsp",
        "NTLM",
        "WKS9",
        "{0}",
        "-",
        "NTLM V2",
        "128",
        "0x0",
        "-",
        "::ffff:10.0.0.9",
        "58405",
        "%%1833",
        "-",
        "-",
        "-",
        "%%1843",
        "0x0",
        "%%1842",
    ];
    for values in [&all[..], &all[..21], &all[..20]] {
        positional(SECURITY, 4624, values, |event| {
            let logon = activity!(event, Logon);
            assert_eq!((logon.outcome, logon.id, logon.kind), (LogonOutcome::Start, Some(0x1234), 3));
            assert_eq!((logon.user.id, logon.user.name), ("S-1-5-21-1-1104", "ann"));
            assert_eq!((logon.source.address, logon.source.port, logon.source.name), ("10.0.0.9", 58405, "WKS9"));
            assert_eq!(logon.package, "NTLM");
            assert_eq!(logon.elevated, (values.len() == 27).then_some(true));
            assert_eq!((event.process.user.id, event.process.user.name), ("", ""));
            assert_eq!(event.outcome, Outcome::Success);
        });
    }
}

#[test]
fn the_other_logon_events() {
    let failed = values(&[
        "S-1-0-0",
        "bob",
        "EXAMPLE",
        "0xc000006d",
        "%%2313",
        "0xc000006a",
        "3",
        "NtLmSsp",
        "NTLM",
        "WKS9",
        "-",
        "-",
        "0",
        "0x0",
        "-",
        "10.0.0.9",
        "0",
    ]);
    positional(SECURITY, 4625, &failed, |event| {
        let logon = activity!(event, Logon);
        assert_eq!((event.outcome, logon.outcome, logon.id), (Outcome::Failure, LogonOutcome::Failure, None));
        assert_eq!((logon.user.name, logon.source.address, logon.kind), ("bob", "10.0.0.9", 3));
    });
    positional(SECURITY, 4634, &["S-1-5-21-1-1104", "ann", "EXAMPLE", "0x1234", "3"], |event| {
        let logon = activity!(event, Logon);
        assert_eq!((logon.outcome, logon.id, logon.kind), (LogonOutcome::End, Some(0x1234), 3));
    });
    positional(SECURITY, 4647, &["S-1-5-21-1-1104", "ann", "EXAMPLE", "0x1234"], |event| {
        assert_eq!(activity!(event, Logon).outcome, LogonOutcome::End);
    });
    let explicit =
        values(&["{0}", "adm", "EXAMPLE", "{0}", "SRV2", "RPCSS/SRV2", "0x3c0", r"C:\a.exe", "10.0.0.2", "135"]);
    positional(SECURITY, 4648, &explicit, |event| {
        let logon = activity!(event, Logon);
        assert_eq!((logon.outcome, logon.user.name), (LogonOutcome::ExplicitCredentials, "adm"));
        assert_eq!((logon.target, logon.package), ("SRV2", "RPCSS/SRV2"));
        assert_eq!(
            (event.process.pid, event.process.image, event.process.logon_id),
            (Some(960), r"C:\a.exe", Some(999))
        );
    });
    positional(SECURITY, 4672, &values(&["SeDebugPrivilege"]), |event| {
        let logon = activity!(event, Logon);
        assert_eq!((logon.outcome, logon.id, logon.user.name), (LogonOutcome::SpecialPrivileges, Some(999), "WKS1$"));
    });
}

#[test]
fn a_named_pipe_reached_through_a_share_is_a_remote_channel() {
    let all = values(&["File", "::ffff:10.0.0.9", "50001", r"\\*\IPC$", "", "svcctl", "0x12019f", "%%1538", "-"]);
    positional(SECURITY, 5145, &all, |event| {
        let channel = activity!(event, ChannelConnect);
        assert_eq!((channel.mechanism, channel.name, channel.remote), (Mechanism::NamedPipe, r"\svcctl", true));
        assert_eq!((channel.peer, channel.access), ("10.0.0.9", Some(0x12_019f)));
        assert_eq!((event.process.user.name, event.process.logon_id, event.process.image), ("WKS1$", Some(999), ""));
    });
}

#[test]
fn a_file_reached_through_a_share_is_a_file() {
    for (mask, operation) in [
        ("0x1", FileOperation::Open),
        ("0x2", FileOperation::Write),
        ("0x10000", FileOperation::Delete),
        ("0x17019f", FileOperation::Write),
    ] {
        let fields = subject_and(&[
            ("IpAddress", "10.0.0.9"),
            ("ShareName", r"\\*\C$"),
            ("RelativeTargetName", r"Program Files\Internet Explorer\iertutil.dll"),
            ("AccessMask", mask),
        ]);
        named(SECURITY, 5145, &fields, |event| {
            let file = activity!(event, File);
            assert_eq!((file.operation, file.share, file.peer), (operation, r"\\*\C$", "10.0.0.9"));
            assert_eq!(file.path, r"\\*\C$\Program Files\Internet Explorer\iertutil.dll");
        });
    }
    let share = values(&["File", "10.0.0.9", "50001", r"\\*\IPC$", "", "0x1", "%%4416"]);
    positional(SECURITY, 5140, &share, |event| {
        let file = activity!(event, File);
        assert_eq!((file.operation, file.path, file.share), (FileOperation::Open, r"\\*\IPC$", r"\\*\IPC$"));
    });
}

#[test]
fn a_refused_share_is_a_failure_where_the_carrier_says_so() {
    let fields = [("ShareName", r"\\*\IPC$"), ("RelativeTargetName", "winreg"), ("EventType", "AUDIT_FAILURE")];
    named(SECURITY, 5145, &fields, |event| assert_eq!(event.outcome, Outcome::Failure));
}

#[test]
fn objects_are_processes_pipes_or_files() {
    let process = values(&[
        "Security",
        "Process",
        r"\Device\HarddiskVolume2\Windows\System32\lsass.exe",
        "0x9c",
        "{0}",
        "%%1537",
        "-",
        "0x1010",
        "-",
        "0",
        "0x1f4",
        r"C:\a.exe",
        "-",
    ]);
    positional(SECURITY, 4656, &process, |event| {
        let access = activity!(event, ProcessAccess);
        assert_eq!((access.kind, access.mask, event.process.pid), (AccessKind::Open, Some(0x1010), Some(500)));
        assert_eq!(access.target.image, r"\Device\HarddiskVolume2\Windows\System32\lsass.exe");
        assert_eq!(event.outcome, Outcome::Unknown);
    });
    let object = |kind, name| values(&["Security", kind, name, "0x9c", "%%4416", "0x2", "0x1f4", r"C:\a.exe", "-"]);
    positional(SECURITY, 4663, &object("File", r"\Device\NamedPipe\spoolss"), |event| {
        let channel = activity!(event, ChannelConnect);
        assert_eq!((channel.name, channel.access, channel.remote), (r"\spoolss", Some(2), false));
    });
    positional(SECURITY, 4663, &object("File", r"C:\x.txt"), |event| {
        assert_eq!(activity!(event, File).operation, FileOperation::Write);
        assert_eq!(event.outcome, Outcome::Success);
    });
    not_used(SECURITY, 4663, &[("ObjectType", "Key"), ("ObjectName", r"\REGISTRY\MACHINE\SYSTEM")]);
}

#[test]
fn a_registry_value_is_written_as_sysmon_writes_it() {
    let change = |name, value, kind| {
        values(&[name, value, "0x1", kind, "-", "-", "%%1873", r"C:\x.dll", "0x1f4", r"C:\reg.exe"])
    };
    let key = r"\REGISTRY\MACHINE\SOFTWARE\Classes\CLSID\{X}\InprocServer32";
    positional(SECURITY, 4657, &change(key, "", "%%1904"), |event| {
        let change = activity!(event, Registry);
        assert_eq!(change.path, r"HKLM\SOFTWARE\Classes\CLSID\{X}\InprocServer32\(Default)");
        assert_eq!((change.operation, change.data), (RegistryOperation::SetValue, r"C:\x.dll"));
    });
    positional(SECURITY, 4657, &change(r"\REGISTRY\USER\S-1-5-21-1_Classes\A", "v", "%%1906"), |event| {
        let change = activity!(event, Registry);
        assert_eq!((change.operation, change.path), (RegistryOperation::DeleteValue, r"HKU\S-1-5-21-1_Classes\A\v"));
    });
}

#[test]
fn a_permission_change_counts_if_everybody_gains_access() {
    let change = |old, new| values(&["Security", "File", r"C:\x", "0x1", old, new, "0x1f4", r"C:\icacls.exe"]);
    let (old, new) = ("D:(A;;FA;;;SY)S:(AU;SA;FA;;;WD)", "D:(A;;FA;;;SY)(A;;FA;;;WD)");
    positional(SECURITY, 4670, &change(old, new), |event| {
        let change = activity!(event, PrivilegeChange);
        assert_eq!((change.kind, change.principal.id), (PrivilegeChangeKind::PermissionWidened, "S-1-1-0"));
        assert_eq!((change.object, change.details), (r"C:\x", new));
    });
    let fields = [("ObjectType", "File"), ("OldSd", new), ("NewSd", old)];
    not_used(SECURITY, 4670, &fields);
    not_used(SECURITY, 4670, &[("ObjectType", "Token"), ("OldSd", old), ("NewSd", new)]);
}

#[test]
fn a_service_or_task_has_its_client() {
    let service =
        values(&["svc", r"%COMSPEC% /c echo x > \\.\pipe\svc", "0x10", "3", "LocalSystem", "1", "500", "700"]);
    positional(SECURITY, 4697, &service, |event| {
        let change = activity!(event, ServiceChange);
        assert_eq!((change.operation, change.name), (ServiceOperation::Installed, "svc"));
        assert_eq!((change.command_line, change.account), (r"%COMSPEC% /c echo x > \\.\pipe\svc", "LocalSystem"));
        assert_eq!(
            (event.process.logon_id, event.process.pid, event.process.parent.pid),
            (Some(999), Some(500), Some(700))
        );
    });
    let content = "<Task><Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals><Actions><Exec>\
                   <Command>cmd.exe</Command><Arguments>/c a &amp; b &gt; c</Arguments></Exec></Actions></Task>";
    positional(SECURITY, 4698, &values(&[r"\t", content]), |event| {
        let change = activity!(event, ServiceChange);
        assert_eq!((change.operation, change.name), (ServiceOperation::TaskCreated, r"\t"));
        assert_eq!((change.command_line, change.account), ("cmd.exe /c a & b > c", "S-1-5-18"));
    });
    let handler = "<Task><ComHandler><ClassId>{X}</ClassId></ComHandler></Task>";
    named(SECURITY, 4698, &[("TaskContent", handler)], |event| {
        assert_eq!(activity!(event, ServiceChange).command_line, "{X}");
    });
}

#[test]
fn rights_and_accounts() {
    let adjusted = values(&["S-1-5-21-1", "ann", "EXAMPLE", "0x9", r"C:\a.exe", "0x1f4", "SeDebugPrivilege", "-"]);
    positional(SECURITY, 4703, &adjusted, |event| {
        let change = activity!(event, PrivilegeChange);
        assert_eq!((change.kind, change.principal.name), (PrivilegeChangeKind::TokenAdjusted, "ann"));
        assert_eq!((change.details, event.process.image), ("SeDebugPrivilege", r"C:\a.exe"));
    });
    positional(SECURITY, 4704, &values(&["S-1-5-21-1-9", "SeServiceLogonRight"]), |event| {
        let change = activity!(event, PrivilegeChange);
        assert_eq!((change.kind, change.principal.id), (PrivilegeChangeKind::RightAssigned, "S-1-5-21-1-9"));
        assert_eq!(change.object, "SeServiceLogonRight");
    });
    let created = ["bob", "EXAMPLE", "S-1-5-21-1-9", "S-1-5-18", "WKS1$", "EXAMPLE", "0x3e7", "-", "bob", "-"];
    positional(SECURITY, 4720, &created, |event| {
        let change = activity!(event, PrivilegeChange);
        assert_eq!((change.kind, change.principal.name), (PrivilegeChangeKind::AccountCreated, "bob"));
        assert_eq!((change.principal.id, event.process.user.name), ("S-1-5-21-1-9", "WKS1$"));
    });
    let member = [
        "-",
        "S-1-5-21-1-9",
        "Administratoren",
        "Builtin",
        "S-1-5-32-544",
        "S-1-5-18",
        "WKS1$",
        "EXAMPLE",
        "0x3e7",
        "-",
    ];
    for event_id in [4728, 4732] {
        positional(SECURITY, event_id, &member, |event| {
            let change = activity!(event, PrivilegeChange);
            assert_eq!((change.kind, change.principal.id), (PrivilegeChangeKind::GroupMemberAdded, "S-1-5-21-1-9"));
            assert_eq!((change.object, change.details), ("Administratoren", "S-1-5-32-544"));
        });
    }
}

#[test]
fn a_filtered_flow_has_its_sides() {
    let out = ["500", r"\device\harddiskvolume2\a.exe", "%%14593", "10.0.0.1", "50000", "10.0.0.2", "135", "6", "0"];
    let mut windows = Windows::default();
    with(&mut windows, &record(SECURITY, 5156, Fields::Positional(&out)), |event| {
        let flow = activity!(event, NetworkFlow);
        assert!(flow.outbound);
        assert_eq!((flow.local.port, flow.remote.port, flow.protocol), (50000, 135, "tcp"));
        assert_eq!((event.process.pid, event.process.image), (Some(500), r"\device\harddiskvolume2\a.exe"));
    });
    let inbound = ["500", "a", "%%14592", "10.0.0.9", "58406", "10.0.0.1", "49913", "17"];
    with(&mut windows, &record(SECURITY, 5156, Fields::Positional(&inbound)), |event| {
        let flow = activity!(event, NetworkFlow);
        assert_eq!((flow.local.address, flow.local.port, flow.remote.address), ("10.0.0.1", 49913, "10.0.0.9"));
        assert_eq!((flow.outbound, flow.protocol), (false, "udp"));
    });
    // Local side first, as some systems write it: the address is known to be this machine's.
    let swapped = ["500", "a", "%%14592", "10.0.0.1", "49913", "10.0.0.9", "58406", "6"];
    with(&mut windows, &record(SECURITY, 5156, Fields::Positional(&swapped)), |event| {
        assert_eq!(activity!(event, NetworkFlow).local.address, "10.0.0.1");
    });
    // Some collectors rename the field of 5156 to the usual name.
    named(SECURITY, 5156, &[("ProcessId", "8")], |event| assert_eq!(event.process.pid, Some(8)));
    positional(SECURITY, 5158, &["500", "a", "0.0.0.0", "49913", "6", "0"], |event| {
        let flow = activity!(event, NetworkFlow);
        assert_eq!((flow.local.port, flow.remote.address, flow.outbound), (49913, "", false));
    });
}

#[test]
fn clearing_any_log_is_an_event() {
    positional("Microsoft-Windows-Eventlog", 1102, &["S-1-5-21-1", "ann", "EXAMPLE", "0x9"], |event| {
        let telemetry = activity!(event, Telemetry);
        assert_eq!((telemetry.state, telemetry.details), (TelemetryState::Cleared, "Security"));
        assert_eq!((event.process.user.name, event.provenance.source), ("ann", Source::Security));
    });
    named("Microsoft-Windows-Eventlog", 104, &[("Channel", "System"), ("SubjectUserName", "ann")], |event| {
        assert_eq!(activity!(event, Telemetry).details, "System");
        assert_eq!((event.process.user.name, event.provenance.source), ("ann", Source::System));
    });
}
