//! # IPC-DCOM-014: Remotely activated Office application abused
//!
//! ## What it detects
//! An Office application that was activated from another machine and then, within ten minutes, loads the .NET runtime
//! or a script engine, connects to an unusual destination, creates a thread in another process, or exits within a
//! minute of its activation after being called. On the client: a script that runs Excel 4 macros, DDE or VBA in an
//! Office object on another machine.
//!
//! ## Why it matters
//! `ExecuteExcel4Macro`, `DDEInitiate` and `Run` execute code inside Office, without a child process.
//!
//! ## Telemetry
//! The records that prove a remote activation (IPC-DCOM-006); Sysmon 3, 5, 7, 8, Security 4689, 5156; PowerShell 4104,
//! Sysmon 1 or Security 4688 for the script.
//!
//! ## False positives
//! Office connects to Microsoft by itself: web ports at public addresses without a name, and Microsoft's names, are
//! excluded. Office loads `mscoree.dll` at every start, so only the runtime itself counts.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1559.002; DET0224 (AN0628), DET0285 (AN0791).

use std::net::IpAddr;
use std::time::Duration;

use backchannel_events::{
    AccessKind, Activity, ActivityKind, Confidence, Indicators, Mechanism, NetworkFlow, ProcessEvent, Reasons,
    Severity, Source,
};

use crate::context::{inbound, script_text};
use crate::memory::Activation;
use crate::memory::addresses::Addresses;
use crate::text::{addresses, base_name, contains_any, ends_with, is_any};
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-014",
    title: "Remotely activated Office application abused",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1559.002"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[
        ActivityKind::ModuleLoad,
        ActivityKind::NetworkFlow,
        ActivityKind::ProcessAccess,
        ActivityKind::ProcessEnd,
        ActivityKind::Script,
        ActivityKind::ProcessStart,
    ],
    telemetry: &[Source::Sysmon, Source::Security, Source::PowerShell],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Behaviour is attributed to an activation for this long.
const AFTER: Duration = Duration::from_secs(600);
/// A server with a shorter lifetime ran a single action for its caller.
const SHORT: Duration = Duration::from_secs(60);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::Script(_) | Activity::ProcessStart => return scripted(context),
        Activity::ModuleLoad(module) if !is_engine(module.path) => return None,
        _ => {}
    }
    let office = context.subject();
    let known = office.known?;
    let activation = known.activation.as_ref().filter(|activation| activation.is_remote())?;
    let age = known.start?.distance(event.time);
    if !predicates::is_office(office) || age > AFTER {
        return None;
    }
    let own = &context.host.addresses;
    let deed = match &event.activity {
        Activity::ModuleLoad(module) => format!("loaded {}", base_name(module.path)),
        Activity::ProcessAccess(access) if access.kind == AccessKind::RemoteThread => {
            format!("created a thread in {}", base_name(access.target.image))
        }
        Activity::NetworkFlow(flow) if flow.outbound && is_unexpected(flow, activation, own) => {
            format!("connected to {}:{}", flow.remote.address, flow.remote.port)
        }
        // The record of the call may come after that of the end.
        Activity::NetworkFlow(flow) if known.end.is_some() && inbound::is_dynamic(flow, own) => {
            let life = known.start?.distance(known.end?);
            (life <= SHORT).then(|| format!("was gone {} s after its activation", life.as_secs()))?
        }
        Activity::ProcessEnd if age <= SHORT => {
            let mut calls = inbound::near(context, event.time, SHORT);
            calls.find(|flow| flow.who.process == Some(known.id))?;
            format!("was gone {} s after its activation", age.as_secs())
        }
        _ => return None,
    };
    let text = format!(
        "{}, which {} activated from {}, {deed}: a method of its object model was made to run code.",
        office.name(),
        office.account(),
        activation.from(),
    );
    let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .server(office)
        .channel(Mechanism::Dcom, com::class_of(office))
        .from_machine(&*activation.peer)
        .techniques(&["T1559.001", "T1021.003"])
        .because(&known.note, format!("{} was started: {}", office.name(), office.command_line));
    Some(evidence)
}

/// Whether the module is a runtime or engine that Office does not load at every start.
fn is_engine(path: &str) -> bool {
    is_any(base_name(path), &["clr.dll", "mscorwks.dll", "vbe7.dll", "jscript9.dll", "jscript.dll", "vbscript.dll"])
}

/// Whether the flow goes to a destination that Office does not normally connect to.
fn is_unexpected(flow: &NetworkFlow<'_>, activation: &Activation, own: &Addresses) -> bool {
    let remote = flow.remote;
    if remote.address.is_empty() || own.is_own(remote.address) {
        return false;
    }
    // COM calls its caller back.
    if remote.address == &*activation.peer && (remote.port == 135 || remote.port >= 1_024) {
        return false;
    }
    // Name resolution, group policy and authentication are ordinary for every process.
    if matches!(remote.port, 53 | 88 | 389 | 636 | 3_268) {
        return false;
    }
    if !remote.name.is_empty() && addresses::parse(remote.name).is_none() && remote.name.contains('.') {
        return !is_microsoft(remote.name);
    }
    let inside = match addresses::parse(remote.address) {
        Some(IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
        None => false,
    };
    inside || !matches!(remote.port, 80 | 443)
}

fn is_microsoft(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        ".microsoft.com",
        ".office.com",
        ".office.net",
        ".office365.com",
        ".live.com",
        ".msocdn.com",
        ".windows.net",
        ".sharepoint.com",
        ".akamaitechnologies.com",
        ".azureedge.net",
    ];
    NAMES.iter().any(|suffix| ends_with(name, suffix))
}

fn scripted(context: &Context<'_>) -> Option<Evidence> {
    let text = context.wording()?.squeezed(&["ExecuteExcel4Macro", "DDEInitiate", ".Run(", ".Run ("])?;
    if !contains_any(&text, &["executeexcel4macro(", "ddeinitiate(", ".run("]) {
        return None;
    }
    let remote = script_text::remote_activation(&text)?;
    let class = com::lateral_class(remote.class.trim_end_matches(|c: char| c == '.' || c.is_ascii_digit()));
    let office = contains_any(remote.class, &["excel.", "word.", "powerpoint.", "access.", "00024500-", "000209ff-"]);
    if !office {
        return None;
    }
    let class = class.unwrap_or(remote.class);
    let dde = text.contains("ddeinitiate(");
    let runs = if dde { "DDE" } else { "macros" };
    let sentence = format!("A script runs {runs} in {class} on {}: code execution on that machine.", remote.machine);
    let evidence = Evidence::new(Severity::High, Confidence::Medium, sentence)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(context.subject())
        .channel(Mechanism::Dcom, class)
        .to_machine(remote.peer())
        .techniques(if dde { ANALYTIC.techniques } else { &["T1559.001", "T1021.003"] });
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";

    fn excel(session: u32) -> Event {
        start(0, EXCEL, "EXCEL.EXE /automation -Embedding")
            .pid(70)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .session(session)
    }

    const FIRES: Option<(Severity, Confidence)> = Some((Severity::High, Confidence::Medium));

    #[test]
    fn the_runtime_in_a_remotely_activated_excel_fires() {
        let clr = loaded(5, r"C:\Windows\Microsoft.NET\Framework\v4.0.30319\clr.dll").of(EXCEL, 70);
        check(&ANALYTIC, &[excel(0), clr], FIRES);
        check(&ANALYTIC, &[excel(1), clr], None);
    }

    #[test]
    fn a_connection_to_another_internal_machine_fires() {
        check(&ANALYTIC, &[excel(0), flow_out(5, "10.0.0.77", 445).of(EXCEL, 70)], FIRES);
        check(&ANALYTIC, &[excel(0), flow_out(5, "203.0.113.7", 8_443).of(EXCEL, 70)], FIRES);
    }

    #[test]
    fn a_short_life_with_a_call_fires_in_either_order() {
        let call = |seconds: f64| flow_in(seconds, 51_226, "10.0.0.9", 59_646).of(EXCEL, 70);
        let end = ended(6).of(EXCEL, 70);
        check(&ANALYTIC, &[excel(0), call(4.0), end], FIRES);
        check(&ANALYTIC, &[excel(0), end, call(7.0)], FIRES);
        check(&ANALYTIC, &[excel(0), call(4.0), ended(300).of(EXCEL, 70)], None);
    }

    #[test]
    fn ordinary_start_up_behaviour_of_office_is_quiet() {
        let events = [
            excel(0),
            loaded(5, r"C:\Windows\SysWOW64\mscoree.dll").of(EXCEL, 70),
            flow_out(6, "203.0.113.7", 443).of(EXCEL, 70),
            flow_out(7, "10.0.0.1", 53).of(EXCEL, 70),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_script_that_controls_a_remote_excel_fires_and_a_local_one_does_not() {
        let text = r#"$e=[Activator]::CreateInstance([type]::GetTypeFromProgID("Excel.Application","ws02"));$e.DDEInitiate("cmd","/c calc")"#;
        check(&ANALYTIC, &[script(0, text)], FIRES);
        let text = r#"$e=New-Object -ComObject Excel.Application;$e.Run("Macro1")"#;
        check(&ANALYTIC, &[script(0, text)], None);
    }
}
