//! # IPC-MAC-004: launchd starts a program from an unusual location
//!
//! ## What it detects
//! A program started by launchd or xpcproxy from a world-writable folder, from a hidden location, or with an Apple name
//! outside the system's folders, and without a vendor's signature.
//!
//! ## Why it matters
//! launchd starts services on demand when their Mach port is used: registering one there gives persistence and a
//! communication channel together.
//!
//! ## Telemetry
//! Endpoint Security exec (eslogger).
//!
//! ## False positives
//! Launch agents that developers build for themselves; orphaned processes also have launchd as parent.
//!
//! ## References
//! Playbook KI-1, Q1, Q3, E3; ATT&CK T1559.003, T1543.001, T1543.004; DET0493 (AN1359).

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, SignatureStatus, Source,
};

use crate::vocabulary::macos;
use crate::{Actor, Analytic, Context, Evidence, Family, Status, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-MAC-004",
    title: "launchd starts a program from an unusual location",
    family: Family::XpcServices,
    techniques: &["T1559.003", "T1543.001", "T1543.004"],
    attack_analytics: &["AN1359"],
    severity: Severity::High,
    status: Status::Experimental,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::EndpointSecurity],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (parent, child) = (context.parent(), context.subject());
    let by_launchd = parent.pid == Some(1) || text::is_any(parent.name(), &["launchd", "xpcproxy"]);
    if event.provenance.source != Source::EndpointSecurity || !by_launchd {
        return None;
    }
    let what = oddity(child)?;
    let daemon = predicates::is_privileged(child);
    let text = format!("launchd started {} as {}: {what}.", child.image, if daemon { "root" } else { "the user" });
    let image = if parent.image.is_empty() { "/sbin/launchd" } else { parent.image };
    let launchd = Actor { image, ..parent };
    let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(predicates::is_unknown_binary(child) || macos::is_badly_signed(child), Reasons::UNKNOWN_BINARY)
                .and_if(daemon, Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(launchd)
        .server(child)
        .channel(Mechanism::Xpc, "");
    Some(evidence)
}

/// What is unusual about a program started by launchd; `None` if nothing is, or if a vendor signed it.
fn oddity(child: Actor<'_>) -> Option<&'static str> {
    if child.signature == SignatureStatus::Trusted {
        return None;
    }
    if macos::is_false_apple(child.image) {
        return Some("it has an Apple name and does not lie where Apple's programs lie");
    }
    macos::is_odd_place(child.image).then_some("it lies where anybody can write, or hides, and no vendor signed it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn started(image: &'static str, status: SignatureStatus) -> Event {
        start(1, image, image).pid(700).parent_pid(1).uids("501", "501", "501").signed(status, "").on_mac()
    }

    #[test]
    fn an_unsigned_program_in_a_shared_folder_fires() {
        let events = [started("/Users/Shared/.update/agent", SignatureStatus::Unsigned)];
        check_on(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_false_apple_name_fires() {
        let events = [started("/Users/kim/Library/com.apple.softwareupdated", SignatureStatus::Untrusted)];
        let found = check_on(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.text.contains("Apple name")));
    }

    #[test]
    fn a_vendors_agent_is_quiet() {
        check_on(&ANALYTIC, &[started("/Users/kim/.vendor/agent", SignatureStatus::Trusted)], None);
    }

    #[test]
    fn a_program_in_an_unusual_location_started_by_a_shell_is_quiet() {
        let shell = start(0, "/bin/zsh", "-zsh").pid(600).uids("501", "501", "501").on_mac();
        let child = started("/tmp/build/a.out", SignatureStatus::Untrusted).parent_pid(600);
        check_on(&ANALYTIC, &[shell, child], None);
    }
}
