//! # IPC-DCOM-013: Excel add-in loaded through automation
//!
//! ## What it detects
//! An Excel started by COM loads an XLL from a user-writable location, from a share, or one written within the
//! preceding day; or a script calls `RegisterXLL` on an Application object.
//!
//! ## Why it matters
//! An XLL is a DLL. One call to a remote Excel loads it from any path, without a child process.
//!
//! ## Telemetry
//! Sysmon 7 with Sysmon 1 or Security 4688; Sysmon 11 or Security 5145 for the file; PowerShell 4104, Sysmon 1 or
//! Security 4688 for the script.
//!
//! ## False positives
//! Add-ins that users open or that are in the start-up folder: Excel does not load them when it is automated. Signed
//! add-ins on local disks are not reported.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003, T1137.006; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Module, ProcessEvent, Reasons, Severity,
    SignatureStatus, Source,
};

use crate::context::script_text;
use crate::memory::recent::FileWritten;
use crate::text::{ends_with, starts_with};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-013",
    title: "Excel add-in loaded through automation",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003", "T1137.006"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ModuleLoad, ActivityKind::Script, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::PowerShell, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// A file counts as new this long after it was written.
const NEW: Duration = Duration::from_secs(24 * 3_600);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ModuleLoad(module) if ends_with(module.path, ".xll") => addin_loaded(context, event, module),
        Activity::Script(_) | Activity::ProcessStart => scripted(context),
        _ => None,
    }
}

fn addin_loaded(context: &Context<'_>, event: &ProcessEvent<'_>, module: &Module<'_>) -> Option<Evidence> {
    let excel = context.subject();
    if !excel.is(&["excel.exe"]) || !predicates::is_com_server_command(excel.command_line) {
        return None;
    }
    let shared = starts_with(module.path, r"\\") && !starts_with(module.path, r"\\?\");
    let written = context.host.files.near(event.time, NEW).find(|file| file.path.eq_ignore_ascii_case(module.path));
    let trusted = module.signature.status == SignatureStatus::Trusted;
    let writable = predicates::is_user_writable(module.path);
    if trusted && !shared || !(writable || shared || written.is_some()) {
        return None;
    }
    let activation = context.activation_of(excel);
    let remote = activation.as_ref().filter(|activation| activation.is_remote());
    let from = remote.map_or_else(String::new, |activation| format!(", activated from {},", activation.from()));
    let place = if shared { "a share" } else { "a place that users can write to" };
    let place = if writable || shared { place } else { "a file written within the day" };
    let text = format!("Excel{from} loaded the add-in {} from {place} on a COM caller's behalf.", module.path);
    let mut evidence = Evidence::new(Severity::High, Confidence::High, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION
                .and_if(!trusted, Reasons::UNKNOWN_BINARY)
                .and_if(remote.is_some(), Reasons::LATERAL_MOVEMENT),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .server(excel)
        .channel(if remote.is_some() { Mechanism::Dcom } else { Mechanism::Com }, "Excel.Application");
    if let Some(activation) = remote {
        evidence = evidence.from_machine(&*activation.peer);
    }
    if let Some(known) = excel.known {
        evidence = evidence.because(&known.note, format!("Excel was started: {}", excel.command_line));
    }
    Some(match written {
        Some(file) => evidence.because(&file.note, written_by(file)),
        None => evidence,
    })
}

fn written_by(file: &FileWritten) -> String {
    let by = if file.peer.is_empty() { crate::text::base_name(&file.who.image) } else { &file.peer };
    format!("{} was written by {by}", file.path)
}

fn scripted(context: &Context<'_>) -> Option<Evidence> {
    let text = context.wording()?.squeezed(&["RegisterXLL"])?;
    if !text.contains("registerxll(") || !text.contains("application") {
        return None;
    }
    let remote = script_text::remote_activation(&text);
    let machine = remote.map_or("", |remote| remote.machine);
    let on = if machine.is_empty() { String::new() } else { format!(" on {machine}") };
    let who = context.subject();
    let sentence = format!("A script makes Excel{on} load an add-in through its automation object (RegisterXLL).");
    let evidence = Evidence::new(Severity::High, Confidence::High, sentence)
        .reasons(Reasons::DCOM_EXPLOITATION.and_if(remote.is_some(), Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(who)
        .channel(if remote.is_some() { Mechanism::Dcom } else { Mechanism::Com }, "Excel.Application");
    Some(if remote.is_some() { evidence.to_machine(remote.map_or("", |remote| remote.peer())) } else { evidence })
}

#[cfg(test)]
mod tests {
    use backchannel_events::Reason;

    use super::*;
    use crate::testing::*;

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";

    fn excel(command_line: &'static str) -> Event {
        start(0, EXCEL, command_line)
            .pid(70)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .session(0)
    }

    fn xll(path: &'static str) -> Event {
        loaded(6, path).of(EXCEL, 70)
    }

    #[test]
    fn an_addin_in_a_user_writable_location_fires() {
        let events = [excel("EXCEL.EXE /automation -Embedding"), xll(r"C:\ProgramData\calc.xll")];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert!(findings[0].reasons.contains(Reason::LateralMovement));
        assert!(findings[0].reasons.contains(Reason::UnknownBinary));
    }

    #[test]
    fn a_newly_written_addin_fires_in_any_folder() {
        let path = r"C:\Program Files\Addins\x.xll";
        let events = [file_created(0, path).of("System", 4), excel("EXCEL.EXE -Embedding"), xll(path)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_installed_or_signed_addin_is_quiet() {
        let signed = |path| {
            let mut event = xll(path);
            if let Activity::ModuleLoad(module) = &mut event.0.activity {
                module.signature.status = SignatureStatus::Trusted;
            }
            event
        };
        let start = excel("EXCEL.EXE /automation -Embedding");
        check(&ANALYTIC, &[start, xll(r"C:\Program Files\Vendor\analysis.xll")], None);
        check(&ANALYTIC, &[start, signed(r"C:\Users\alice\AppData\Vendor\analysis.xll")], None);
    }

    #[test]
    fn an_addin_that_a_user_opens_is_quiet() {
        let opened = start(0, EXCEL, r"EXCEL.EXE C:\Users\alice\x.xll").pid(70).by(r"C:\Windows\explorer.exe", "");
        check(&ANALYTIC, &[opened, xll(r"C:\Users\alice\x.xll")], None);
    }

    #[test]
    fn a_script_that_registers_one_fires_and_one_that_mentions_it_does_not() {
        let text = r#"$e = [Activator]::CreateInstance([type]::GetTypeFromProgID("Excel.Application","ws02")); $e.RegisterXLL("C:\x.xll")"#;
        let findings = check(&ANALYTIC, &[script(0, text)], Some((Severity::High, Confidence::High)));
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("ws02"));
        check(&ANALYTIC, &[script(0, "Select-String -Pattern RegisterXLL *.log")], None);
    }
}
