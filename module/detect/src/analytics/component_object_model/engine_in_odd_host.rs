//! # IPC-COM-015: Script engine loaded by an unexpected host
//!
//! ## What it detects
//! The runtime of COM scriptlets or a script engine (`scrobj`, `vbscript`, `jscript`) loaded by the management console,
//! by rundll32, or by a program in a user-writable location; DynamicWrapperX, the library that lets scripts call any
//! function, written anywhere. Also any module in the site's SuspiciousDLLList.
//!
//! ## Why it matters
//! A script engine is a COM object: any process can host one and run scripts without a visible script host.
//!
//! ## Telemetry
//! Sysmon 7, 11.
//!
//! ## False positives
//! Engines and XML parsers in services of Windows, Office and installed programs are ordinary: not reported.
//! Applications that users install for themselves are not counted. regsvr32 is covered by IPC-COM-013.
//!
//! ## References
//! ATT&CK T1559.001, T1220, T1218; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileOperation, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::com_server;
use crate::text::{base_name, is_any};
use crate::tunables::is_program;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-015",
    title: "Script engine loaded by an unexpected host",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1220", "T1218"],
    attack_analytics: &["AN0628"],
    severity: Severity::Medium,
    on: &[ActivityKind::ModuleLoad, ActivityKind::File],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let host = context.subject();
    let (severity, text, engine) = match &event.activity {
        Activity::ModuleLoad(module) => {
            let engine = base_name(module.path);
            if context.tuning.suspicious_modules.iter().any(|listed| is_program(listed, module.path)) {
                return Some(listed(host, module.path));
            }
            if !is_any(engine, &["scrobj.dll", "vbscript.dll", "jscript.dll", "jscript9.dll", "dynwrapx.dll"]) {
                return None;
            }
            let console = host.is(&["mmc.exe"]);
            let odd = console || host.is(&["rundll32.exe"]) || engine.eq_ignore_ascii_case("dynwrapx.dll");
            let untrusted = predicates::is_untrusted(host)
                && com_server::product_folder(host.image).is_none()
                && !predicates::is_script_host(host);
            if !odd && !untrusted {
                return None;
            }
            let severity = if console || untrusted && odd { Severity::High } else { Severity::Medium };
            (severity, format!("{} loaded the script engine {engine}: it can run scripts unseen.", host.name()), engine)
        }
        Activity::File(file)
            if matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename) =>
        {
            let name = base_name(file.path);
            if !name.eq_ignore_ascii_case("dynwrapx.dll") {
                return None;
            }
            (
                Severity::High,
                format!("{} wrote {}, which lets scripts call any function.", host.name(), file.path),
                name,
            )
        }
        _ => return None,
    };
    Some(
        Evidence::new(severity, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(host), Reasons::UNKNOWN_BINARY))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(host)
            .channel(Mechanism::Com, engine.to_ascii_lowercase()),
    )
}

/// A module in the site's list (ATT&CK's SuspiciousDLLList).
fn listed(host: Actor<'_>, path: &str) -> Evidence {
    let text = format!("{} loaded {path}, which this site lists as suspicious.", host.name());
    Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(host), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(host)
        .channel(Mechanism::Com, base_name(path).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const ENGINE: &str = r"C:\Windows\System32\vbscript.dll";

    #[test]
    fn the_console_with_an_engine_is_high() {
        let events = [loaded(0, ENGINE).of(r"C:\Windows\System32\mmc.exe", 4)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_untrusted_program_with_an_engine_is_medium_and_a_reason_to_escalate() {
        let events = [loaded(0, ENGINE).of(r"C:\Users\a\Downloads\x.exe", 4)];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.contains(backchannel_events::Reason::UnknownBinary));
    }

    #[test]
    fn a_wrapper_written_anywhere_is_high() {
        let events =
            [file_created(0, r"C:\Users\a\AppData\Local\Temp\dynwrapx.dll").of(r"C:\Windows\System32\wscript.exe", 4)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn engines_in_script_hosts_services_and_installed_programs_are_quiet() {
        let events = [
            loaded(0, ENGINE).of(r"C:\Windows\System32\cscript.exe", 4),
            loaded(1, ENGINE).of(r"C:\Windows\System32\svchost.exe", 5),
            loaded(2, ENGINE).of(r"C:\Program Files\A\a.exe", 6),
            loaded(3, ENGINE).of(r"C:\Users\a\AppData\Local\Vendor\app.exe", 7),
            loaded(4, r"C:\Windows\System32\msxml6.dll").of(r"C:\Windows\System32\mmc.exe", 8),
        ];
        check(&ANALYTIC, &events, None);
    }
}
