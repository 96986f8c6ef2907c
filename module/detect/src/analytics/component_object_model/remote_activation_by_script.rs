//! # IPC-DCOM-023: Script or tool activates COM on another machine
//!
//! ## What it detects
//! A script or command line that activates a class with a machine as second argument, by name or variable
//! (`GetTypeFromProgID`, `GetTypeFromCLSID`, `CreateObject`, `ActiveXObject`), that opens a WMI path on a named machine
//! (`winmgmts:`), that calls the methods which run commands through MMC20, ShellWindows or ShellBrowserWindow on any
//! machine, or that contains the name of a tool for this purpose. Also explicit credentials for the RPC service of
//! another machine, used by a script host other than cmd, by wmic, by an Office application or by an untrusted program.
//!
//! ## Why it matters
//! It is the source's side of lateral movement through DCOM: it contains the class, the target and the account.
//!
//! ## Telemetry
//! PowerShell 4104, 4103, 800; Sysmon 1 or Security 4688 with command line; Security 4648.
//!
//! ## False positives
//! Administrators' scripts that use WMI, or a class that runs no code for its caller, on other machines: medium, not
//! escalating alone. Calls with one argument are local: they are reported only with one of the methods above.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1059.001; DET0224 (AN0628), DET0285 (AN0791). MS-DCOM.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Logon, LogonOutcome, Mechanism, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::actor::account;
use crate::context::command_line;
use crate::context::script_text::{self, is_this_machine};
use crate::text::{base_name, contains_any, starts_with};
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-023",
    title: "Script or tool activates COM on another machine",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1059.001"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::Script, ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::PowerShell, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Words of which a text must contain one before it is examined.
const HINTS: &[&str] = &[
    "GetTypeFromProgID",
    "GetTypeFromCLSID",
    "CreateObject",
    "ActiveXObject",
    "winmgmts:",
    "ExecuteShellCommand",
    "Document.Application",
    "dcomexec",
    "Invoke-DCOM",
    "SharpMove",
    "SharpCOM",
    "action=dcom",
    "action=hijackdcom",
];

/// Methods with which the known classes run a command, without spaces and quotes.
const METHODS: &[&str] = &[
    "activeview.executeshellcommand",
    "document.application.shellexecute",
    "document.application.open(",
    "document.application.parent.shellexecute",
];

/// Tools for remote activation, without spaces and quotes. Names that are easily changed have an argument pattern beside
/// them.
const TOOLS: &[&str] =
    &["dcomexec.py", "dcomexec.exe", "invoke-dcom", "sharpmove", "sharpcom.exe", "action=dcom", "action=hijackdcom"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if let Activity::Logon(logon) = &event.activity {
        return credentials(context, logon);
    }
    let text = context.wording()?.squeezed(HINTS)?;
    let remote = script_text::remote_activation(&text);
    let method = contains_any(&text, METHODS);
    let tool = TOOLS.iter().find(|tool| text.contains(**tool));
    let wmi = remote_wmi(&text);
    let (severity, confidence) = match (remote, method || tool.is_some(), wmi) {
        (_, true, _) => (Severity::High, Confidence::High),
        (Some(found), false, _) if is_lateral(found.class) => (Severity::High, Confidence::High),
        (Some(_), false, _) | (None, false, Some(_)) => (Severity::Medium, Confidence::Medium),
        (None, false, None) => return None,
    };
    let machine = remote.map(|found| found.machine).or(wmi).unwrap_or("");
    let class = match (remote, wmi) {
        (Some(found), _) => found.class,
        (None, Some(_)) => "WMI",
        (None, None) => "",
    };
    let on = if machine.is_empty() { "an activated object".to_owned() } else { format!("{class} on {machine}") };
    let text = match (tool, method) {
        (Some(tool), _) => format!("A tool made for remote execution through COM was used ({tool})."),
        (None, true) => format!("A script runs a command through {on}, by a method that serves lateral movement."),
        (None, false) => format!("A script activates the COM class {on}: it is about to act on that machine."),
    };
    let elsewhere = !machine.is_empty() || tool.is_some();
    let strong = severity >= Severity::High;
    let who = context.subject();
    let unknown = event.activity.kind() == ActivityKind::ProcessStart && predicates::is_unknown_binary(who);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(
            Reasons::NONE
                .and_if(strong, Reasons::DCOM_EXPLOITATION)
                .and_if(strong && unknown, Reasons::UNKNOWN_BINARY)
                .and_if(strong && elsewhere, Reasons::LATERAL_MOVEMENT),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(who)
        .channel(Mechanism::Dcom, class);
    if !elsewhere {
        return Some(evidence);
    }
    let peer = remote.map_or(machine, |found| found.peer());
    // A tool names its machine on the command line only.
    let peer = if peer.is_empty() { command_line::machine(who.command_line).unwrap_or("") } else { peer };
    Some(evidence.to_machine(peer))
}

/// Explicit credentials for the RPC service of another machine, which COM requests before an activation.
fn credentials(context: &Context<'_>, logon: &Logon<'_>) -> Option<Evidence> {
    if logon.outcome != LogonOutcome::ExplicitCredentials {
        return None;
    }
    // Security 4648 has the service beside the name of the machine.
    let service = [logon.package, logon.target].into_iter().find(|name| starts_with(name, "RPCSS/"))?;
    let machine = service.get("RPCSS/".len()..)?;
    let who = context.subject();
    let fitting = (predicates::is_script_host(who) && !who.is(&["cmd.exe"]))
        || who.is(&["wmic.exe"])
        || predicates::is_office(who)
        || predicates::is_untrusted(who);
    if !fitting || is_this_machine(machine) {
        return None;
    }
    let text = format!("{} used other credentials for the RPC service of {machine}: it calls COM there.", who.name());
    let evidence = Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(who), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(who)
        .channel(Mechanism::Dcom, "RPCSS")
        .target_account(account(logon.user))
        .to_machine(machine);
    Some(evidence)
}

/// Whether a class, as written in a script, runs code for its caller; WMI and similar classes do not count.
fn is_lateral(class: &str) -> bool {
    com::LATERAL.iter().any(|(id, name, _)| {
        if com::is_management_class(name) {
            return false;
        }
        let bare = id.trim_matches(['{', '}']);
        starts_with(class, name) || crate::text::contains(class, bare)
    })
}

/// The machine of a WMI path (`winmgmts:{impersonationlevel=impersonate}!\\host\root\cimv2`) that is not this one.
fn remote_wmi(squeezed: &str) -> Option<&str> {
    let path = squeezed.split("winmgmts:").nth(1)?;
    let path = path.get(..path.find([')', '\n']).unwrap_or(path.len()))?;
    let machine = path.split(r"\\").nth(1)?.split(['\\', '/']).next()?;
    // A variable usually holds the dot, as in every example of the documentation.
    let literal =
        !machine.is_empty() && machine.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    (literal && !is_this_machine(machine)).then(|| base_name(machine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";

    #[test]
    fn a_lateral_class_on_another_machine_fires_high() {
        let text =
            r#"$a = [System.Activator]::CreateInstance([type]::GetTypeFromProgID("MMC20.Application.1","ws02"))"#;
        let findings = check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("ws02"));
        let by_id =
            r#"[activator]::CreateInstance([type]::GetTypeFromCLSID("C08AFD90-F2A1-11D1-8455-00A0C91F3880", $target))"#;
        check(&ANALYTIC, &[script(0, by_id)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn any_other_class_or_a_remote_wmi_path_is_medium() {
        let expected = Some((Severity::Medium, Confidence::Medium));
        let findings = check(&ANALYTIC, &[script(0, r#"CreateObject("Vendor.Console", "srv1")"#)], expected);
        assert!(findings[0].reasons.is_empty());
        check(
            &ANALYTIC,
            &[script(0, r#"Set w = GetObject("winmgmts:{impersonationLevel=impersonate}!\\srv1\root\cimv2")"#)],
            expected,
        );
    }

    #[test]
    fn the_methods_and_the_tools_fire_high() {
        let expected = Some((Severity::High, Confidence::High));
        check(
            &ANALYTIC,
            &[script(0, r#"$m.Document.ActiveView.ExecuteShellCommand("cmd",$null,"/c calc","7")"#)],
            expected,
        );
        check(&ANALYTIC, &[start(0, POWERSHELL, "powershell -c Invoke-DCOM -ComputerName ws02")], expected);
        let tool = start(0, r"C:\Users\alice\a.exe", "a.exe action=dcom computername=ws02 command=calc");
        check(&ANALYTIC, &[tool], expected);
    }

    #[test]
    fn explicit_credentials_for_remote_rpc_fire_for_scripts_only() {
        let used = |image| {
            let mut event = logon(0, 0, 0x77, "admin", "");
            if let Activity::Logon(logon) = &mut event.0.activity {
                logon.outcome = LogonOutcome::ExplicitCredentials;
                logon.target = "RPCSS/srv1.corp.example";
            }
            event.of(image, 55)
        };
        check(&ANALYTIC, &[used(POWERSHELL)], Some((Severity::Medium, Confidence::Medium)));
        let mut as_logged = used(POWERSHELL);
        if let Activity::Logon(logon) = &mut as_logged.0.activity {
            (logon.target, logon.package) = ("srv1.corp.example", "RPCSS/srv1.corp.example");
        }
        let found = check(&ANALYTIC, &[as_logged], Some((Severity::Medium, Confidence::Medium)));
        assert_eq!(
            (found[0].target.host.as_str(), found[0].target.account.as_str()),
            ("srv1.corp.example", r"CORP\admin")
        );
        check(&ANALYTIC, &[used(r"C:\Windows\System32\mmc.exe")], None);
    }

    #[test]
    fn local_forms_are_quiet() {
        let events = [
            script(0, r#"[Activator]::CreateInstance([type]::GetTypeFromProgID("Shell.Application"))"#),
            script(1, r#"New-Object -ComObject MMC20.Application"#),
            script(2, r#"Set w = GetObject("winmgmts:\\.\root\cimv2")"#),
            script(3, r#"Set w = GetObject("winmgmts:\\" & strComputer & "\root\cimv2")"#),
            script(4, r#"Set o = WScript.CreateObject("InternetExplorer.Application", "ie_")"#),
        ];
        check(&ANALYTIC, &events, None);
    }
}
