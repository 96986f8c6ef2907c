//! # IPC-COM-021: COM surrogate with unusual behaviour
//!
//! ## What it detects
//! dllhost serving a class (`/Processid:{...}`) with behaviour that surrogates do not have: a parent other than
//! DcomLaunch, a child process that is a script host, LOLBin or untrusted, a connection to the public Internet, script
//! or macro engines loaded, reading the memory of LSASS, a class with a suspicious registration. Two of these are high;
//! of single ones only the child process and LSASS access are reported, as medium.
//!
//! ## Why it matters
//! A surrogate hosts third-party libraries by design, so hijacked classes and injected code in it attract little
//! attention.
//!
//! ## Telemetry
//! Sysmon 1, 3, 7, 10; 13 for the registration. Security 4688, 5156, 4656 and 4663 for part of it.
//!
//! ## False positives
//! Surrogates of photo and thumbnail handlers connect to Microsoft: one feature alone is not reported. Elevated classes
//! are covered by IPC-ELEV-001. Whether a class is new on the host would need a baseline and is not evaluated.
//!
//! ## References
//! ATT&CK T1559.001, T1055, T1218; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{base_name, contains, guid, is_any};
use crate::vocabulary::{elevation, places};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

/// The right to read a process's memory.
const READ_MEMORY: u32 = 0x10;

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-021",
    title: "COM surrogate with unusual behaviour",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1055", "T1218"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart, ActivityKind::ModuleLoad, ActivityKind::NetworkFlow, ActivityKind::ProcessAccess],
    telemetry: &[Source::Sysmon, Source::Security],
    // Maximum time between the features of one surrogate.
    window: Some(Duration::from_secs(600)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (subject, parent) = (context.subject(), context.parent());
    let (surrogate, now, alone) = match &event.activity {
        Activity::ProcessStart if serves(parent) && is_odd_child(subject) => {
            (parent, format!("it started {}", subject.name()), true)
        }
        Activity::ModuleLoad(module) if serves(subject) && is_engine(module.path) => {
            (subject, format!("it loaded {}", base_name(module.path)), false)
        }
        Activity::NetworkFlow(flow) if serves(subject) && flow.outbound && places::is_public(flow.remote.address) => {
            (subject, format!("it connected to {}", flow.remote.address), false)
        }
        Activity::ProcessAccess(access)
            if serves(subject)
                && base_name(access.target.image).eq_ignore_ascii_case("lsass.exe")
                && access.mask.is_some_and(|mask| mask & READ_MEMORY != 0) =>
        {
            (subject, "it opened LSASS to read its memory".to_owned(), true)
        }
        _ => return None,
    };
    let class = guid(surrogate.command_line)?;
    if elevation::class(class).is_some() {
        return None;
    }
    let mut features = vec![now];
    let mut evidence = Evidence::default();
    remembered(context, surrogate, class, &mut features, &mut evidence);
    if features.len() == 1 && !alone {
        return None;
    }
    let several = features.len() > 1;
    evidence.severity = if several { Severity::High } else { Severity::Medium };
    evidence.confidence = Confidence::Medium;
    evidence.text = format!("The COM surrogate of class {class} does what surrogates do not: {}.", features.join("; "));
    let untrusted = predicates::is_unknown_binary(subject) || context.host.com.suspicious_class(class).is_some();
    let evidence = evidence
        .reasons(
            Reasons::NONE
                .and_if(several, Reasons::DCOM_EXPLOITATION)
                .and_if(several && untrusted, Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .server(surrogate)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    Some(if surrogate.pid == subject.pid { evidence } else { evidence.client(subject) })
}

/// Other unusual features of the surrogate recorded earlier.
fn remembered(
    context: &Context<'_>,
    surrogate: Actor<'_>,
    class: &str,
    features: &mut Vec<String>,
    evidence: &mut Evidence,
) {
    let event = context.event();
    let mut add = |feature: String, note: Option<&crate::memory::Note>| {
        if let Some(note) = note {
            evidence.earlier.push(note.observation(feature.clone()));
        }
        features.push(feature);
    };
    if let Some(known) = context.host.com.suspicious_class(class) {
        add(format!("its class was registered with {}", known.server), Some(&known.note));
    }
    let Some(known) = surrogate.known else { return };
    let parent = base_name(&known.parent_image);
    if !parent.is_empty() && !parent.eq_ignore_ascii_case("svchost.exe") {
        add(format!("{parent} started it"), Some(&known.note));
    }
    if !matches!(event.activity, Activity::ModuleLoad(_))
        && let Some((module, note)) = known.modules.iter().find(|(module, _)| is_engine(module))
    {
        add(format!("it had loaded {}", base_name(module)), Some(note));
    }
    if !matches!(event.activity, Activity::NetworkFlow(_))
        && let Some(flow) = context
            .host
            .flows
            .near(event.time, context.window())
            .find(|flow| flow.who.process == Some(known.id) && flow.outbound && places::is_public(&flow.remote))
    {
        add(format!("it had connected to {}", flow.remote), Some(&flow.note));
    }
    if !matches!(event.activity, Activity::ProcessStart)
        && let Some(child) = context.host.processes.children(known.id).find(|c| is_odd_child(Actor::remembered(c)))
    {
        add(format!("it had started {}", child.name()), Some(&child.note));
    }
}

fn serves(actor: Actor<'_>) -> bool {
    actor.is(&["dllhost.exe"]) && contains(actor.command_line, "/Processid:{")
}

fn is_odd_child(child: Actor<'_>) -> bool {
    // Photo and print handlers of the shell start rundll32.
    if child.is(&["werfault.exe"]) || (child.is(&["rundll32.exe"]) && contains(child.command_line, "shell32.dll")) {
        return false;
    }
    let photo = child.is(&["rundll32.exe"]) && contains(child.command_line, "PhotoViewer.dll");
    !photo && (predicates::is_script_host(child) || predicates::is_lolbin(child) || predicates::is_untrusted(child))
}

/// Engines that run scripts, macros or .NET code inside the loading process.
fn is_engine(path: &str) -> bool {
    is_any(base_name(path), &["clr.dll", "mscorwks.dll", "vbe7.dll", "scrobj.dll", "jscript.dll", "vbscript.dll"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DLLHOST: &str = r"C:\Windows\System32\dllhost.exe";
    const LINE: &str = "DllHost.exe /Processid:{11111111-2222-3333-4444-555555555555}";
    const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";

    fn surrogate(seconds: u32) -> Event {
        start(seconds, DLLHOST, LINE).pid(9).by(SVCHOST, "svchost.exe -k DcomLaunch")
    }

    fn internet(seconds: u32) -> Event {
        let flow = backchannel_events::NetworkFlow {
            remote: backchannel_events::Endpoint { address: "203.0.113.9", port: 443, name: "" },
            outbound: true,
            ..Default::default()
        };
        event(seconds, Activity::NetworkFlow(flow)).of(DLLHOST, 9)
    }

    #[test]
    fn a_shell_from_a_surrogate_is_medium() {
        let shell = start(5, r"C:\Windows\System32\cmd.exe", "cmd.exe /c whoami").by(DLLHOST, LINE).parent_pid(9);
        check(&ANALYTIC, &[surrogate(0), shell], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn an_engine_and_the_internet_are_high_in_either_order() {
        let engine = |seconds: u32| loaded(seconds, r"C:\Windows\System32\scrobj.dll").of(DLLHOST, 9);
        check(&ANALYTIC, &[surrogate(0), engine(1), internet(2)], Some((Severity::High, Confidence::Medium)));
        check(&ANALYTIC, &[surrogate(0), internet(1), engine(2)], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_suspicious_class_that_connects_is_high() {
        let key = r"HKU\S-1-5-21-1_Classes\CLSID\{11111111-2222-3333-4444-555555555555}\InprocServer32\(Default)";
        let events = [
            registry_set(0, key, r"C:\Users\a\x.dll").of(r"C:\Windows\System32\reg.exe", 5),
            surrogate(10),
            internet(12),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn one_weak_feature_is_quiet() {
        check(&ANALYTIC, &[surrogate(0), internet(1)], None);
        check(
            &ANALYTIC,
            &[surrogate(0), loaded(1, r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\clr.dll").of(DLLHOST, 9)],
            None,
        );
    }

    #[test]
    fn photo_handlers_are_quiet() {
        let child = start(
            5,
            r"C:\Windows\System32\rundll32.exe",
            r#"rundll32.exe "C:\Program Files\Windows Photo Viewer\PhotoViewer.dll", ImageView_Fullscreen a.png"#,
        )
        .by(DLLHOST, LINE)
        .parent_pid(9);
        check(&ANALYTIC, &[surrogate(0), child], None);
    }
}
