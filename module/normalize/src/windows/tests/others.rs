//! Tests of DistributedCOM, services, PowerShell, WMI, RPC, the installer.

use backchannel_events::{Mechanism, Outcome, ServiceOperation, Source};

use super::{DCOM, activity, named, positional, record, with};
use crate::windows::Windows;
use crate::{Fields, WindowsRecord};

const CLSID: &str = "{49B2791A-B1AE-4C90-9B8E-E860BA07F889}";
const APPID: &str = "{7E0423CD-1119-0928-900C-E6D4A52A0715}";
const SID: &str = "S-1-5-21-1-2-3-1104";

#[test]
fn a_denied_remote_activation_has_account_and_address_of_the_client() {
    let values = [
        "application-specific",
        "Remote",
        "Activation",
        CLSID,
        APPID,
        "EXAMPLE",
        "ann",
        SID,
        "10.0.0.9",
        "Unavailable",
        "Unavailable",
    ];
    for values in [&values[..], &values[..9]] {
        positional(DCOM, 10016, values, |event| {
            let com = activity!(event, ComActivation);
            assert_eq!((com.clsid, com.app_id, com.permission), (CLSID, APPID, "Activation"));
            assert_eq!((com.remote, com.outbound, com.peer), (true, false, "10.0.0.9"));
            assert_eq!(event.outcome, Outcome::Denied);
            let user = event.process.user;
            assert_eq!((user.id, user.domain, user.name), (SID, "EXAMPLE", "ann"));
            assert_eq!(event.provenance.source, Source::DistributedCom);
        });
    }
}

#[test]
fn a_translated_refusal_is_remote_by_its_address() {
    let names = [
        ("param1", "anwendungsspezifisch"),
        ("param2", "Remote-"),
        ("param3", "Aktivierung"),
        ("param4", CLSID),
        ("param5", APPID),
        ("param6", "EXAMPLE"),
        ("param7", "ann"),
        ("param8", SID),
        ("param9", "fe80::1%12"),
    ];
    named("DCOM", 10016, &names, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.remote, com.peer, com.permission), (true, "fe80::1%12", "Aktivierung"));
    });
}

#[test]
fn a_refused_local_activation_is_local_in_every_language() {
    for address in
        ["LocalHost (Using LRPC)", "LocalHost (unter Verwendung von LRPC)", "Nicht verfügbar", "Unavailable", ""]
    {
        let values = [
            "machine-default",
            "Local",
            "Launch",
            CLSID,
            APPID,
            "NT AUTHORITY",
            "SYSTEM",
            "S-1-5-18",
            address,
            "Some.App_1.0_neutral",
            "S-1-15-2-1-2",
        ];
        positional(DCOM, 10016, &values, |event| {
            let com = activity!(event, ComActivation);
            assert_eq!((com.remote, com.peer, com.permission), (false, "", "Launch"), "{address}");
            assert_eq!(event.process.user.name, "SYSTEM");
        });
    }
    let unknown = ["a", "Remote", "Launch", CLSID, APPID, "EXAMPLE", "ann", SID, "Unavailable"];
    positional(DCOM, 10016, &unknown, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.remote, com.peer), (false, ""));
    });
    positional(DCOM, 10016, &["a", "Remote", "Launch", CLSID, "EXAMPLE", "ann", SID], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.remote, com.clsid, event.process.user.name), (true, CLSID, "ann"), "a layout without address");
    });
    let loopback = ["a", "Remote", "Launch", CLSID, APPID, "EXAMPLE", "ann", SID, "127.0.0.1"];
    positional(DCOM, 10016, &loopback, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.remote, com.peer), (false, "127.0.0.1"));
    });
}

#[test]
fn a_refusal_keeps_a_class_that_has_a_name_instead_of_an_id() {
    let values =
        ["a", "Local", "Activation", "Some.Server", "Unavailable", "EXAMPLE", "ann", SID, "LocalHost (Using LRPC)"];
    positional(DCOM, 10016, &values, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.app_id), ("Some.Server", ""));
    });
}

#[test]
fn the_refusals_of_other_ids_are_read_by_their_shape() {
    positional(DCOM, 10015, &["Remote", "Launch", CLSID, "EXAMPLE", "ann", SID, "10.0.0.9"], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.permission, com.peer, com.remote), (CLSID, "Launch", "10.0.0.9", true));
        assert_eq!(event.process.user.name, "ann");
    });
    let path = r"C:\Program Files\Acme\server.exe";
    positional(DCOM, 10018, &["Remote", path, "EXAMPLE", "ann", SID, "10.0.0.9"], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.server, com.permission, com.peer), (path, "Access", "10.0.0.9"));
    });
    positional(DCOM, 10002, &[CLSID, "EXAMPLE", "ann", SID], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.permission, com.remote), (CLSID, "Launch", false));
        assert_eq!((event.process.user.domain, event.outcome), ("EXAMPLE", Outcome::Denied));
    });
    positional(DCOM, 10014, &[CLSID], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.remote), (CLSID, true));
    });
    positional(DCOM, 10036, &["EXAMPLE", "ann", SID, "10.0.0.9"], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.peer, com.remote, com.outbound), ("10.0.0.9", true, false));
        assert_eq!((event.process.user.id, event.process.user.name), (SID, "ann"));
    });
}

#[test]
fn a_failed_outbound_activation_has_its_requester() {
    let values = ["SRV2", "    1ce8", r"C:\Windows\System32\mmc.exe", CLSID];
    positional(DCOM, 10028, &values, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.peer, com.remote, com.outbound), (CLSID, "SRV2", true, true));
        assert_eq!((event.process.pid, event.process.image), (Some(0x1ce8), r"C:\Windows\System32\mmc.exe"));
        assert_eq!((event.outcome, event.process.user.id), (Outcome::Failure, "S-1-5-18"));
    });
    positional(DCOM, 10009, &[r"\\SRV2"], |event| assert_eq!(activity!(event, ComActivation).peer, "SRV2"));
    for event_id in [10006, 10008] {
        positional(DCOM, event_id, &["2147944122", "SRV2", CLSID], |event| {
            let com = activity!(event, ComActivation);
            assert_eq!((com.error, com.peer, com.clsid, com.outbound), ("2147944122", "SRV2", CLSID, true));
        });
    }
    positional(DCOM, 10037, &[r"C:\a.exe", "77", CLSID, "SRV2", "2"], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.clsid, com.peer, com.error, com.outbound), (CLSID, "SRV2", "2", true));
        assert_eq!((event.process.image, event.process.pid), (r"C:\a.exe", Some(77)));
    });
}

#[test]
fn a_server_that_did_not_start_is_named() {
    let values = [r"C:\x\TabTip.exe", "2147943140", CLSID, "EXAMPLE", "ann"];
    positional(DCOM, 10001, &values, |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.server, com.error, com.clsid), (r"C:\x\TabTip.exe", "2147943140", CLSID));
        assert_eq!((com.remote, event.process.user.name, event.outcome), (false, "ann", Outcome::Failure));
    });
    positional(DCOM, 10005, &["1053", "svc", "-Service", CLSID], |event| {
        let com = activity!(event, ComActivation);
        assert_eq!((com.error, com.server, com.clsid), ("1053", "svc -Service", CLSID));
    });
    positional(DCOM, 10010, &[CLSID], |event| assert_eq!(activity!(event, ComActivation).clsid, CLSID));
    positional(DCOM, 10004, &["5", "EXAMPLE", "ann", CLSID], |event| {
        assert_eq!(activity!(event, ComActivation).clsid, CLSID);
        assert_eq!(event.process.user.name, "ann");
    });
    positional(DCOM, 10007, &["5", CLSID], |event| assert_eq!(activity!(event, ComActivation).error, "5"));
}

#[test]
fn services_by_name_and_position() {
    let scm = "Service Control Manager";
    let values = ["svc", r"%COMSPEC% /c x", "user mode service", "demand start", "LocalSystem"];
    let header = WindowsRecord { user_sid: SID, ..record(scm, 7045, Fields::Positional(&values)) };
    with(&mut Windows::default(), &header, |event| {
        let change = activity!(event, ServiceChange);
        assert_eq!((change.operation, change.name), (ServiceOperation::Installed, "svc"));
        assert_eq!((change.command_line, change.account), (r"%COMSPEC% /c x", "LocalSystem"));
        assert_eq!((event.process.user.id, event.provenance.source), (SID, Source::System));
    });
    named(scm, 7045, &[("ServiceName", "svc"), ("ImagePath", "x")], |event| {
        assert_eq!(activity!(event, ServiceChange).command_line, "x");
    });
    for fields in [Fields::Named(&[("param1", "Svc"), ("param2", "stopped")]), Fields::Positional(&["Svc", "stopped"])]
    {
        with(&mut Windows::default(), &record(scm, 7036, fields), |event| {
            let change = activity!(event, ServiceChange);
            assert_eq!(
                (change.operation, change.name, change.state),
                (ServiceOperation::StateChanged, "Svc", "stopped")
            );
        });
    }
}

#[test]
fn a_script_block_by_name_and_position() {
    let values = ["1", "2", "Get-Process", "{b}", r"C:\x.ps1"];
    for provider in ["Microsoft-Windows-PowerShell", "PowerShellCore"] {
        positional(provider, 4104, &values, |event| {
            let script = activity!(event, Script);
            assert_eq!((script.text, script.block, script.path), ("Get-Process", "{b}", r"C:\x.ps1"));
            assert_eq!((script.engine, event.process.user.id), ("powershell", "S-1-5-18"));
        });
    }
    let fields =
        [("ScriptBlockText", "x"), ("AccountName", "ann"), ("Domain", "EXAMPLE"), ("ExecutionProcessID", "500")];
    named("Microsoft-Windows-PowerShell", 4104, &fields, |event| {
        assert_eq!((event.process.pid, event.process.user.name), (Some(500), "ann"));
    });
}

#[test]
fn a_command_has_its_host_application() {
    let context = "        Severity = Informational\r\n        Host Name = ConsoleHost\r\n        \
                   Host Application = powershell.exe -enc AAAA=\r\n        Script Name = C:\\x.ps1\r\n        \
                   User = EXAMPLE\\ann\r\n        Connected User = \r\n";
    positional("Microsoft-Windows-PowerShell", 4103, &[context, "", "CommandInvocation(x)"], |event| {
        let script = activity!(event, Script);
        assert_eq!((script.text, script.path), ("CommandInvocation(x)", r"C:\x.ps1"));
        assert_eq!(event.process.command_line, "powershell.exe -enc AAAA=");
        assert_eq!((event.process.user.domain, event.process.user.name), ("EXAMPLE", "ann"));
    });
}

#[test]
fn the_classic_log_has_text_instead_of_fields() {
    let context = "\tDetailSequence=1\r\n\tUserId=EXAMPLE\\ann\r\n\tHostApplication=powershell -x\r\n\tScriptName=\r\n";
    positional("PowerShell", 800, &["Get-Process", context, "CommandInvocation(x)"], |event| {
        assert_eq!(activity!(event, Script).text, "Get-Process");
        assert_eq!((event.process.command_line, event.process.user.name), ("powershell -x", "ann"));
    });
    let message = "Pipeline execution details for command line: Get-Process | x: y\r\n. \r\n\r\nContext Information: \r\n\
                   \tUserId=EXAMPLE\\ann\r\n\tHostApplication=powershell -x\r\n";
    named("PowerShell", 800, &[("Message", message)], |event| {
        assert_eq!(activity!(event, Script).text, "Get-Process | x: y\r\n.");
        assert_eq!((event.process.command_line, event.process.user.name), ("powershell -x", "ann"));
    });
    positional("PowerShell", 400, &["Available", "None", "\tHostApplication=powershell -y\r\n"], |event| {
        assert_eq!((activity!(event, Script).text, event.process.command_line), ("", "powershell -y"));
    });
}

const WMI: &str = "Microsoft-Windows-WMI-Activity";

#[test]
fn a_failed_wmi_operation_names_its_client() {
    let operation = r"Start IWbemServices::ExecMethod - root\cimv2 : Win32_Process::Create";
    let values = ["{i}", "SRV9", r"EXAMPLE\ann", "500", "Unknown", operation, "0x80041003", "Unknown"];
    positional(WMI, 5858, &values, |event| {
        let call = activity!(event, RpcCall);
        assert_eq!((call.channel.mechanism, call.channel.remote, call.channel.peer), (Mechanism::Wmi, true, "SRV9"));
        assert_eq!((call.interface, call.operation), ("IWbemServices", "ExecMethod"));
        assert_eq!(call.object, r"root\cimv2 : Win32_Process::Create");
        assert_eq!((event.process.user.name, event.process.pid), ("ann", None), "the id is one of the other machine");
        assert_eq!(event.outcome, Outcome::Failure);
    });
    let message = r"Id = {i}; ClientMachine = WKS1; User = NT AUTHORITY\SYSTEM; ClientProcessId = 500; Component = \
                    Unknown; Operation = Start IWbemServices::ExecQuery - ROOT\CIMV2 : select *; ResultCode = 0x1";
    named(WMI, 5858, &[("Message", message)], |event| {
        let call = activity!(event, RpcCall);
        assert_eq!((call.operation, call.object), ("ExecQuery", r"ROOT\CIMV2 : select *"));
        assert_eq!((event.process.pid, call.channel.remote, call.client.name), (Some(500), false, "WKS1"));
    });
}

#[test]
fn wmi_providers_and_subscriptions() {
    positional(WMI, 5857, &["CIMWin32", "0x0", "wmiprvse.exe", "500", r"%systemroot%\x.dll"], |event| {
        let call = activity!(event, RpcCall);
        assert_eq!(
            (call.operation, call.object, call.channel.name),
            ("ProviderStarted", "CIMWin32", r"%systemroot%\x.dll")
        );
        assert_eq!((event.process.pid, event.outcome), (Some(500), Outcome::Success));
    });
    named(
        WMI,
        5860,
        &[("NamespaceName", r"root\cimv2"), ("Query", "select *"), ("User", r"EXAMPLE\ann"), ("Processid", "500")],
        |event| {
            let call = activity!(event, RpcCall);
            assert_eq!(
                (call.operation, call.object, call.channel.name),
                ("TemporarySubscription", r"root\cimv2", "select *")
            );
            assert_eq!((event.process.pid, event.process.user.name), (Some(500), "ann"));
        },
    );
    positional(WMI, 5859, &["//./root/cimv2", "select *", "S-1-5-32-544", "500", "p", "0", "Permanent"], |event| {
        assert_eq!(activity!(event, RpcCall).operation, "PermanentSubscription");
        assert_eq!(event.process.user.id, "S-1-5-32-544");
    });
    positional(WMI, 5861, &["//./root/subscription", "f", "CommandLineEventConsumer=\"c\"", "cause"], |event| {
        let call = activity!(event, RpcCall);
        assert_eq!((call.interface, call.channel.name), ("f", "CommandLineEventConsumer=\"c\""));
    });
}

#[test]
fn a_traced_call_has_a_side() {
    let values = ["{367ABB81-9844-35F1-AD32-98F038001003}", "12", "2", r"\\SRV2", r"\PIPE\svcctl", "", "6", "10", "3"];
    positional("Microsoft-Windows-RPC", 5, &values, |event| {
        let call = activity!(event, RpcCall);
        assert_eq!((call.interface, call.operation), ("367abb81-9844-35f1-ad32-98f038001003", "12"));
        assert_eq!((call.channel.mechanism, call.channel.remote), (Mechanism::RpcNamedPipe, true));
        assert_eq!((call.server.name, call.client.name, call.authentication_level), ("SRV2", "", Some(6)));
    });
    let values = ["{367abb81-9844-35f1-ad32-98f038001003}", "12", "1", "10.0.0.9", "49667", "", "6", "10", "3"];
    positional("Microsoft-Windows-RPC", 6, &values, |event| {
        let call = activity!(event, RpcCall);
        assert_eq!(
            (call.channel.mechanism, call.client.address, call.channel.remote),
            (Mechanism::RpcTcp, "10.0.0.9", true)
        );
    });
    positional("Microsoft-Windows-RPC", 6, &["{a}", "1", "3", "", "LRPC-1"], |event| {
        let call = activity!(event, RpcCall);
        assert_eq!((call.channel.mechanism, call.channel.remote), (Mechanism::RpcLocal, false));
    });
}

#[test]
fn software_by_inserts_and_by_sentence() {
    for (event_id, removed) in [(1033, false), (1034, true)] {
        positional("MsiInstaller", event_id, &["Acme Tool", "1.2", "1033", "0", "Acme", "(NULL)"], |event| {
            let change = activity!(event, SoftwareChange);
            assert_eq!((change.name, change.version, change.publisher), ("Acme Tool", "1.2", "Acme"));
            assert_eq!((change.removed, event.outcome), (removed, Outcome::Success));
            assert_eq!(event.provenance.source, Source::Application);
        });
    }
    positional("MsiInstaller", 1033, &["Acme Tool", "1.2", "1033", "1603", "Acme"], |event| {
        assert_eq!(event.outcome, Outcome::Failure);
    });
    positional("MsiInstaller", 11707, &["Product: Acme: Tool -- Installation completed successfully."], |event| {
        assert_eq!(activity!(event, SoftwareChange).name, "Acme: Tool");
    });
    named("MsiInstaller", 11724, &[("Message", "Produkt: Acme Tool -- Das Entfernen wurde abgeschlossen.")], |event| {
        let change = activity!(event, SoftwareChange);
        assert_eq!((change.name, change.removed), ("Acme Tool", true));
    });
}
