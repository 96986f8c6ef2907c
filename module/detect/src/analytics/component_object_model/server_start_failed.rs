//! # IPC-DCOM-005: COM server failed to start or never registered
//!
//! ## What it detects
//! DistributedCOM reports that a server could not be started or did not register in time, together with one of these:
//! the on-screen keyboard's service refused for lack of elevation (trace of a relay tool); a class registered within
//! the preceding day in a user-writable location; a server command line that contains a script host or is in such a
//! location.
//!
//! ## Why it matters
//! A program that was registered in place of a COM server runs, but does not register as one; COM logs the failure.
//!
//! ## Telemetry
//! System log, DistributedCOM 10000, 10001, 10005, 10010; Sysmon 13 for the registration.
//!
//! ## False positives
//! Packaged applications and slow services time out at every start: without a suspicious registration they are not
//! reported.
//!
//! ## References
//! ATT&CK T1559.001, T1546.015, T1068; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{base_name, contains, is_any};
use crate::vocabulary::{com, programs};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-005",
    title: "COM server failed to start or never registered",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1546.015", "T1068"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ComActivation],
    telemetry: &[Source::DistributedCom],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Maximum time between a registration and the failure.
const RECENT: Duration = Duration::from_secs(24 * 3_600);
/// `UIHostNoLaunch`, the class of the on-screen keyboard.
const KEYBOARD: &str = "{054AAE20-4BEA-4347-8A35-64A533254A9D}";
/// `ERROR_ELEVATION_REQUIRED` as logged by DistributedCOM.
const ELEVATION_REQUIRED: &[&str] = &["2147943140", "0x800702e4", "740", "%%2147943140", "%%740"];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ComActivation(com) = &event.activity else { return None };
    if com.remote || !matches!(event.provenance.event_id, 10_000 | 10_001 | 10_005 | 10_010) {
        return None;
    }
    let program = program_of(com.server);
    let user = context.subject();
    let privileged = predicates::is_local_system(user) || is_any(user.user.name, &["Administrator"]);
    let conclude = |severity, confidence, text: String| {
        Evidence::new(severity, confidence, text)
            .reasons(Reasons::DCOM_EXPLOITATION.and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::UNEXPECTED_USE.and(Indicators::DCOM_EVENT))
            .channel(Mechanism::Com, com.clsid)
    };
    if is_any(base_name(program), &["tabtip.exe"])
        && com.clsid.eq_ignore_ascii_case(KEYBOARD)
        && is_any(com.error, ELEVATION_REQUIRED)
    {
        let text = format!(
            "Somebody made COM start {program} for {} and was refused for lack of elevation: tools that relay a \
             privileged account's COM call leave this.",
            user.account(),
        );
        return Some(conclude(Severity::High, Confidence::High, text));
    }
    let class = com::describe(com.clsid);
    let registration = context.host.registrations.near(event.time, RECENT).find(|known| {
        known.clsid.eq_ignore_ascii_case(com.clsid)
            && (predicates::is_user_writable(program_of(&known.server)) || runs_script(&known.server))
    });
    if let Some(registration) = registration {
        let text = format!(
            "The server of COM class {class} did not register, after the class had been pointed to {}: that is no COM \
             server.",
            registration.server,
        );
        let by = format!("{} registered {}", base_name(&registration.who.image), registration.server);
        return Some(conclude(Severity::High, Confidence::High, text).because(&registration.note, by));
    }
    if com.server.is_empty() {
        return None;
    }
    if runs_script(com.server) {
        let text = format!("The server of COM class {class} is a script host, and failed to start: {}.", com.server);
        return Some(conclude(Severity::Medium, Confidence::Medium, text));
    }
    if program.contains('\\')
        && predicates::is_user_writable(program)
        && !contains(program, r"\AppData\Local\Microsoft\")
    {
        let text =
            format!("The server of COM class {class} lies where users can write, and failed to start: {program}.");
        return Some(conclude(Severity::High, Confidence::High, text));
    }
    None
}

/// The program of a command line that may be quoted.
fn program_of(command_line: &str) -> &str {
    let line = command_line.trim();
    match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => {
            let end = crate::text::find(line, ".exe").map_or(line.len(), |at| at + ".exe".len());
            line.get(..end).unwrap_or(line)
        }
    }
}

fn runs_script(command_line: &str) -> bool {
    let name = base_name(program_of(command_line));
    programs::is_script_host(name) && !is_any(name, &["mshta.exe"]) || is_any(name, &["regsvr32.exe"])
}

#[cfg(test)]
mod tests {
    use backchannel_events::ComActivation;

    use super::*;
    use crate::testing::*;

    const CLASS: &str = "{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}";

    fn failed(id: u32, server: &'static str, error: &'static str, clsid: &'static str) -> Event {
        distributed_com(100, ComActivation { server, error, clsid, ..ComActivation::default() }, id)
    }

    #[test]
    fn the_keyboard_refused_for_lack_of_elevation_fires() {
        let server = r"C:\Program Files\Common Files\microsoft shared\ink\TabTip.exe";
        let event = failed(10_001, server, "2147943140", KEYBOARD).user("NT AUTHORITY", "SYSTEM");
        check(&ANALYTIC, &[event], Some((Severity::High, Confidence::High)));
        let other = failed(10_001, server, "5", KEYBOARD);
        check(&ANALYTIC, &[other], None);
    }

    #[test]
    fn a_class_with_a_user_writable_server_that_never_registers_fires() {
        let key = r"HKU\S-1-5-21-1_Classes\CLSID\{B5F8350B-0548-48B1-A6EE-88BD00B4A5E7}\LocalServer32\(Default)";
        let written = registry_set(0, key, r"C:\Users\alice\x.exe").of(r"C:\Windows\System32\reg.exe", 70);
        check(&ANALYTIC, &[written, failed(10_010, "", "", CLASS)], Some((Severity::High, Confidence::High)));
        let installed =
            registry_set(0, key, r"C:\Program Files\Product\x.exe").of(r"C:\Windows\System32\msiexec.exe", 70);
        check(&ANALYTIC, &[installed, failed(10_010, "", "", CLASS)], None);
    }

    #[test]
    fn a_script_host_as_server_fires() {
        let event = failed(10_000, r"C:\Windows\System32\cmd.exe /c start x", "2", CLASS);
        check(&ANALYTIC, &[event], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn ordinary_timeouts_are_quiet() {
        let events = [
            failed(10_010, "", "", CLASS),
            failed(10_010, "", "", "Microsoft.Windows.Photos_8wekyb3d8bbwe!App"),
            failed(10_005, "wuauserv", "1058", CLASS),
            failed(10_001, r#""C:\Program Files\Product\x.exe" -Embedding"#, "5", CLASS),
        ];
        check(&ANALYTIC, &events, None);
    }
}
