//! # IPC-WMI-005: WMI used to start a program on another machine
//!
//! ## What it detects
//! A script or command line that creates a process through WMI on a named machine: `wmic /node: process call create`,
//! `Invoke-WmiMethod` or `Invoke-CimMethod` with a computer name and `Win32_Process`, the class's path on another
//! machine; or a tool made only for this.
//!
//! ## Why it matters
//! It is the source's side of lateral movement through WMI.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 with command line; PowerShell 4104. Explicit credentials are covered by IPC-DCOM-023.
//!
//! ## False positives
//! Administrators' scripts: allow by account and host.
//!
//! ## References
//! ATT&CK T1559.001, T1047, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::command_line;
use crate::context::script_text::is_this_machine;
use crate::text::{contains, contains_any, find, lower};
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-WMI-005",
    title: "WMI used to start a program on another machine",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1047", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::Script, ActivityKind::ProcessStart],
    telemetry: &[Source::PowerShell, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Words of which a text must contain one before it is examined.
const HINTS: &[&str] = &["/node:", "Win32_Process", "wmiexec"];
/// Parameters of PowerShell that name another machine.
const MACHINE_PARAMETERS: &[&str] = &["-ComputerName", "-CimSession", "-CN "];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let raw = match &event.activity {
        Activity::Script(script) => script.text,
        _ => event.process.command_line,
    };
    let text = context.wording()?.squeezed(HINTS)?;
    let (machine, how) = by_wmic(raw, &text).or_else(|| by_powershell(raw, &text)).or_else(|| by_tool(raw, &text))?;
    let who = context.subject();
    let by = if who.name().is_empty() { "A script" } else { who.name() };
    let on = if machine.is_empty() { "another machine" } else { machine };
    let text = format!("{by} starts a program on {on} through WMI ({how}).");
    let evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(Reasons::LATERAL_MOVEMENT)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(who)
        .channel(Mechanism::Wmi, "Win32_Process")
        .to_machine(if is_literal(machine) { machine } else { "" });
    Some(evidence)
}

fn by_wmic<'r>(raw: &'r str, squeezed: &str) -> Option<(&'r str, &'static str)> {
    if !squeezed.contains("/node:") || !squeezed.contains("processcallcreate") {
        return None;
    }
    let machine = value_after(raw, "/node:").unwrap_or("");
    (!is_local(machine)).then_some((machine, "wmic process call create"))
}

fn by_powershell<'r>(raw: &'r str, squeezed: &str) -> Option<(&'r str, &'static str)> {
    if !squeezed.contains("win32_process") || !squeezed.contains("create") {
        return None;
    }
    let called = contains_any(squeezed, &["invoke-wmimethod", "invoke-cimmethod", "invokemethod(", "iwmi-", "icim-"]);
    if called && let Some(machine) = MACHINE_PARAMETERS.iter().find_map(|name| value_after(raw, name)) {
        return (!is_local(machine)).then_some((machine, "Win32_Process.Create"));
    }
    // [WMIClass]"\\host\root\cimv2:Win32_Process"
    if contains_any(squeezed, &["wmiclass", "managementclass", "managementscope"]) && !squeezed.contains(r"\\.\root") {
        let at = find(raw, r"\root\")?;
        let machine = raw.get(..at)?.rsplit(r"\\").next()?;
        let fitting = is_literal(machine) && !machine.is_empty() && !is_local(machine);
        return fitting.then_some((machine, "Win32_Process.Create"));
    }
    None
}

fn by_tool<'r>(raw: &'r str, squeezed: &str) -> Option<(&'r str, &'static str)> {
    contains_any(squeezed, &["wmiexec.py", "wmiexec.exe", "wmiexec.vbs", "invoke-wmiexec"])
        .then(|| (command_line::machine(raw).unwrap_or(""), "a tool made for it"))
}

/// The argument that follows `name`, without quotes.
fn value_after<'r>(raw: &'r str, name: &str) -> Option<&'r str> {
    let rest = raw.get(find(raw, name)? + name.len()..)?.trim_start_matches([' ', '=', ':']);
    let word = rest.trim_start_matches(['"', '\'']);
    let end = word.find([' ', '"', '\'', '\r', '\n', ')', ';', '|']).unwrap_or(word.len());
    word.get(..end).filter(|word| !word.is_empty())
}

fn is_local(machine: &str) -> bool {
    let mut buffer = String::new();
    is_this_machine(lower(machine, &mut buffer))
}

fn is_literal(machine: &str) -> bool {
    !contains(machine, "$")
        && machine.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const WMIC: &str = r"C:\Windows\System32\wbem\WMIC.exe";
    const FIRES: Option<(Severity, Confidence)> = Some((Severity::High, Confidence::High));

    #[test]
    fn every_method_to_start_a_program_remotely_fires() {
        let line = r#"wmic /node:"ws02" /user:admin process call create "cmd.exe /c calc""#;
        let findings = check(&ANALYTIC, &[start(0, WMIC, line)], FIRES);
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("ws02"));
        for text in [
            "Invoke-WmiMethod -ComputerName ws02 -Class Win32_Process -Name Create -ArgumentList calc",
            "Invoke-CimMethod -CimSession $s -ClassName Win32_Process -MethodName Create",
            r#"([WMIClass]"\\ws02\root\cimv2:Win32_Process").Create("calc")"#,
        ] {
            check(&ANALYTIC, &[script(0, text)], FIRES);
        }
    }

    #[test]
    fn a_tool_made_for_it_fires() {
        let tool = start(0, r"C:\Python\python.exe", "python wmiexec.py corp/alice@10.0.0.9");
        let found = check(&ANALYTIC, &[tool], FIRES);
        assert_eq!((found[0].target.host.as_str(), found[0].target.account.as_str()), ("10.0.0.9", r"corp\alice"));
    }

    #[test]
    fn local_use_and_queries_are_quiet() {
        let events = [
            start(0, WMIC, "wmic process call create calc.exe"),
            start(1, WMIC, "wmic /node:localhost process call create calc.exe"),
            start(2, WMIC, "wmic /node:ws02 os get caption"),
            script(3, "Get-WmiObject -ComputerName ws02 -Class Win32_Process"),
            script(4, "Invoke-WmiMethod -Class Win32_Process -Name Create -ArgumentList calc"),
            script(5, "Invoke-WmiMethod -ComputerName . -Class Win32_Process -Name Create -ArgumentList calc"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
