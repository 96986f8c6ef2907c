//! # IPC-DCOM-019: COM class redirected through the remote registry
//!
//! ## What it detects
//! The remote registry service sets, for another machine, the path of a COM class, type library or application.
//! Critical if the file in that value then runs as a COM server or is loaded.
//!
//! ## Why it matters
//! An attacker can redirect a class and then activate it, both remotely: the server runs the attacker's file, in the
//! session of the class's user.
//!
//! ## Telemetry
//! Sysmon 13 by the RemoteRegistry service, or by svchost after Security 5145 on `winreg`; Sysmon 1 and 7.
//!
//! ## False positives
//! Software deployment that writes the registry from an admin host: not reported if the file is in a program folder.
//!
//! ## References
//! ATT&CK T1559.001, T1546.015, T1021.003, T1112; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::far;
use crate::memory::remote_registration::RemoteRegistration;
use crate::text::{guid, is_any, lower};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-019",
    title: "COM class redirected through the remote registry",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1546.015", "T1021.003", "T1112"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::Registry, ActivityKind::ProcessStart, ActivityKind::ModuleLoad],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum time between redirection and activation.
const TOGETHER: Duration = Duration::from_secs(1_800);

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::Registry(change) => {
            let peer = far::writer(context, event, change)?;
            let admin = context.tuning.may_call(peer) && predicates::is_system_path(change.data);
            if admin {
                return None;
            }
            let from = if peer.is_empty() { "another machine" } else { peer };
            let text = format!(
                "The remote registry service wrote {} = {} for {from}: a COM class was redirected from another machine.",
                change.path, change.data,
            );
            let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
                .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
                .indicators(Indicators::UNEXPECTED_USE)
                .server(context.subject())
                .channel(Mechanism::Dcom, guid(change.path).unwrap_or(""))
                .from_machine(peer);
            Some(match far::visit(context, event) {
                Some(visit) => evidence.because(&visit.note, format!("the remote registry was opened from {from}")),
                None => evidence,
            })
        }
        Activity::ProcessStart => {
            let started = context.subject();
            let far = redirected(context, started.image)?;
            let text = format!("{} was started as a COM server", started.image);
            Some(consummated(far, &text).server(started))
        }
        Activity::ModuleLoad(module) => {
            let far = redirected(context, module.path)?;
            let text = format!("{} loaded {}", context.subject().name(), module.path);
            Some(consummated(far, &text).server(context.subject()))
        }
        _ => None,
    }
}

/// The remote registration whose value is this file.
fn redirected<'c>(context: &Context<'c>, path: &str) -> Option<&'c RemoteRegistration> {
    let mut all = context.host.far_registrations.near(context.event().time, TOGETHER).peekable();
    all.peek()?;
    let mut buffer = String::new();
    let path = lower(path, &mut buffer);
    // Libraries that every process loads are not evidence.
    if path.is_empty()
        || is_any(crate::text::base_name(path), &["ntdll.dll", "kernel32.dll", "combase.dll", "ole32.dll"])
    {
        return None;
    }
    all.find(|far| far.server.trim_matches('"').starts_with(path))
}

fn consummated(far: &RemoteRegistration, text: &str) -> Evidence {
    let from = if far.peer.is_empty() { "another machine" } else { &far.peer };
    let text = format!("{text}, which a COM class had been redirected to from {from}: code runs here on its behalf.");
    Evidence::new(Severity::Critical, Confidence::High, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and(Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Dcom, guid(&far.path).unwrap_or(""))
        .from_machine(&*far.peer)
        .because(&far.note, format!("{} = {} was written for {from}", far.path, far.server))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";
    const KEY: &str = r"HKU\S-1-5-21-1_Classes\CLSID\{655D9BF9-3876-43D0-B6E8-C83C1224154C}\InprocServer32\(Default)";
    const FILE: &str = r"C:\Windows\Tasks\x.dll";

    fn visit() -> Event {
        pipe_opened_from(0, r"\winreg", "10.0.0.9", 0x12_019f)
    }

    fn write(data: &'static str) -> Event {
        registry_set(10, KEY, data).of(SVCHOST, 70)
    }

    #[test]
    fn a_registration_after_a_remote_registry_connection_fires() {
        let findings = check(&ANALYTIC, &[visit(), write(FILE)], Some((Severity::High, Confidence::Medium)));
        assert_eq!(findings[0].channel.as_ref().map(|channel| channel.peer.as_str()), Some("10.0.0.9"));
    }

    #[test]
    fn a_registration_by_the_service_itself_fires_without_one() {
        let service = start(0, SVCHOST, "svchost.exe -k localService -p -s RemoteRegistry").pid(70);
        check(&ANALYTIC, &[service, write(FILE)], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn the_file_being_loaded_makes_it_critical() {
        let load = loaded(30, FILE).of(r"C:\Windows\System32\Speech_OneCore\Common\SpeechRuntime.exe", 80);
        check(&ANALYTIC, &[visit(), write(FILE), load], Some((Severity::Critical, Confidence::High)));
        let other = loaded(30, r"C:\Windows\System32\other.dll").of(SVCHOST, 80);
        let findings = check(&ANALYTIC, &[visit(), write(FILE), other], Some((Severity::High, Confidence::Medium)));
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn local_registrations_and_deployment_are_quiet() {
        let installer = registry_set(10, KEY, FILE).of(r"C:\Windows\System32\msiexec.exe", 70);
        check(&ANALYTIC, &[visit(), installer], None);
        check(&ANALYTIC, &[write(FILE)], None);
        let tuning = Tunables { admin_hosts: vec!["10.0.0.9".into()], ..Tunables::default() };
        let deployed = [visit(), write(r"C:\Program Files\Product\server.dll")];
        check_tuned(&ANALYTIC, &deployed, tuning, None);
    }
}
