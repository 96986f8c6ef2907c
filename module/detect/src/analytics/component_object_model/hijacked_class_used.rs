//! # IPC-COM-008: Hijacked COM class used
//!
//! ## What it detects
//! A library or program that was registered as a COM server in a suspicious way (shadowing the machine's own server, or
//! in a user-writable location) within the preceding week, now loaded by another process or started by DcomLaunch.
//!
//! ## Why it matters
//! The registration is the preparation, the load is the execution: another process runs the attacker's code. If that
//! process has more privileges than the writer of the registration, it is also privilege escalation.
//!
//! ## Telemetry
//! Sysmon 13 or Security 4657 for the registration, Sysmon 7 or 1, Security 4688 for the use.
//!
//! ## False positives
//! The installer or regsvr32 that loads its own server: not reported. Programs installed for one user are not
//! suspicious while writer and server are in the same vendor's folder.
//!
//! ## References
//! ATT&CK T1546.015, T1559.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::com_server;
use crate::memory::com_registry::SuspiciousRegistration;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates, text};

/// A registration is considered for this long.
const WINDOW: Duration = Duration::from_secs(7 * 24 * 3_600);

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-008",
    title: "Hijacked COM class used",
    family: Family::ComponentObjectModel,
    techniques: &["T1546.015", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ModuleLoad, ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let used = match &event.activity {
        Activity::ModuleLoad(module) => module.path,
        Activity::ProcessStart if predicates::started_by_dcom_launch(context.subject(), context.parent()) => {
            event.process.image
        }
        _ => return None,
    };
    let registered = context.host.com.suspicious_server(used)?;
    if !event.time.within(WINDOW, registered.note.time) {
        return None;
    }
    let user = context.subject();
    let loads = matches!(event.activity, Activity::ModuleLoad(_));
    if loads && is_try_out(context, user, registered) {
        return None;
    }
    let writer = writer(context, registered);
    let crossing = writer.integrity != Integrity::Unknown && user.integrity > writer.integrity;
    let severity = if crossing { Severity::Critical } else { Severity::High };
    let how = if loads { "loaded" } else { "was started as" };
    let by = if writer.name().is_empty() { "a process" } else { writer.name() };
    let rights = if crossing { ", with more rights than the writer had" } else { "" };
    let sentence = format!(
        "{} {how} {}, which {by} had registered as the server of class {}{rights}: the hijack took effect.",
        user.name(),
        text::base_name(used),
        registered.clsid,
    );
    let mut reasons = Reasons::UNKNOWN_BINARY;
    if crossing {
        reasons = reasons.and(Reasons::ADMINISTRATIVE_PRIVILEGES);
    }
    Some(
        Evidence::new(severity, Confidence::High, sentence)
            .reasons(reasons)
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
            .client(user)
            .server(writer)
            .channel(Mechanism::Com, &*registered.clsid)
            .because(
                &registered.note,
                format!("{by} registered {} as the server of {}", registered.server, registered.clsid),
            ),
    )
}

/// Whether the writer itself, its parent, or regsvr32 at the same time loads the library just registered.
fn is_try_out(context: &Context<'_>, user: Actor<'_>, registered: &SuspiciousRegistration) -> bool {
    if user.pid.is_some() && user.pid == registered.who.pid && text::base_name(&registered.who.image) == user.name() {
        return true;
    }
    let writer = registered.who.process.and_then(|id| context.host.processes.get(id));
    let is_parent = writer.is_some_and(|writer| {
        writer.parent_pid.is_some() && writer.parent_pid == user.pid && !com_server::writes_for_others(user)
    });
    let registers = user.is(&["regsvr32.exe", "msiexec.exe"])
        && context.event().time.within(Duration::from_secs(10), registered.note.time);
    is_parent || registers
}

fn writer<'c>(context: &Context<'c>, registered: &'c SuspiciousRegistration) -> Actor<'c> {
    let remembered = registered.who.process.and_then(|id| context.remembered(id));
    let mut writer = remembered.unwrap_or_else(|| Actor {
        pid: registered.who.pid,
        image: &registered.who.image,
        logon_id: registered.who.logon_id,
        ..Actor::default()
    });
    if writer.integrity == Integrity::Unknown {
        writer.integrity = registered.who.integrity;
    }
    writer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const KEY: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{BCDE0395-E52F-467C-8E3D-C4579291692E}\InprocServer32\(Default)";

    #[test]
    fn a_browser_that_loads_the_registered_library_fires() {
        let events = [
            registry_set(0, KEY, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\x.exe", 7),
            loaded(60, r"C:\ProgramData\Audio.dll").of(r"C:\Program Files\Browser\browser.exe", 9),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
        assert_eq!(findings[0].evidence.len(), 2);
    }

    #[test]
    fn a_loader_with_more_rights_than_the_writer_is_critical() {
        let events = [
            start(0, r"C:\Users\a\x.exe", "x.exe").pid(7).integrity(Integrity::Medium),
            registry_set(1, KEY, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\x.exe", 7),
            start(30, r"C:\Windows\System32\mmc.exe", "mmc.exe").pid(9).integrity(Integrity::High),
            loaded(31, r"C:\ProgramData\audio.dll").of(r"C:\Windows\System32\mmc.exe", 9),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn a_server_program_that_dcom_launch_starts_fires() {
        let key = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\LocalServer32\(Default)";
        let events = [
            registry_set(0, key, r#""C:\Users\a\srv.exe" -x"#).of(r"C:\Windows\System32\reg.exe", 7),
            start(60, r"C:\Users\a\srv.exe", r"C:\Users\a\srv.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p"),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_writer_loading_its_own_server_is_quiet() {
        let events = [
            registry_set(0, KEY, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\x.exe", 7),
            loaded(1, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\x.exe", 7),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_program_s_own_shell_extension_is_quiet() {
        let key = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let events = [
            registry_set(0, key, r"C:\Users\a\AppData\Local\Vendor\1\shell.dll")
                .of(r"C:\Users\a\AppData\Local\Vendor\1\setup.exe", 7),
            loaded(60, r"C:\Users\a\AppData\Local\Vendor\1\shell.dll").of(r"C:\Windows\explorer.exe", 9),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_load_after_more_than_a_week_is_quiet() {
        let events = [
            registry_set(0, KEY, r"C:\ProgramData\audio.dll").of(r"C:\Users\a\x.exe", 7),
            loaded(8 * 24 * 3_600, r"C:\ProgramData\audio.dll").of(r"C:\Program Files\Browser\browser.exe", 9),
        ];
        check(&ANALYTIC, &events, None);
    }
}
