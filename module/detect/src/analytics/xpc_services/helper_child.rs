//! # IPC-MAC-003: Privileged helper starts a command
//!
//! ## What it detects
//! A privileged helper tool, or a service inside a bundle that runs as root, that starts a shell, an interpreter, a
//! downloader or a tool that changes permissions and services; more severe if a client of another vendor connected to
//! it just before.
//!
//! ## Why it matters
//! A helper performs a few fixed operations for its own application. One that runs commands was probably abused over
//! XPC.
//!
//! ## Telemetry
//! Endpoint Security exec and xpc_connect (eslogger).
//!
//! ## False positives
//! Updaters: `installer` and `pkgutil` are not reported. Other helpers that run commands by design: allow by path.
//!
//! ## References
//! Playbook KI-1, KI-3, Q4, E1, E3; ATT&CK T1559.003, T1059.004; DET0493 (AN1359).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::memory::Use;
use crate::text::clip;
use crate::vocabulary::macos;
use crate::{Actor, Analytic, Context, Evidence, Family, Status, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-MAC-003",
    title: "Privileged helper starts a command",
    family: Family::XpcServices,
    techniques: &["T1559.003", "T1059.004"],
    attack_analytics: &["AN1359"],
    severity: Severity::High,
    status: Status::Experimental,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::EndpointSecurity],
    // A client that connected at most this long before may have caused the child process.
    window: Some(Duration::from_secs(10)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (helper, child) = (context.parent(), context.subject());
    if event.provenance.source != Source::EndpointSecurity
        || !macos::is_helper(helper.image)
        || macos::is_of_the_system(helper.image)
        || !macos::carries_out_commands(child)
    {
        return None;
    }
    if !predicates::is_privileged(helper) && child.user.acting_id() != "0" {
        return None;
    }
    let asked = stranger_before(context, event, helper);
    let mut text =
        format!("The privileged helper {} started {}: {}.", helper.name(), child.name(), clip(child.command_line, 200));
    if let Some((client, _)) = &asked {
        text.push_str(&format!(" {}, which is not of its vendor, had connected to it just before.", client.name()));
    }
    let severity = if asked.is_some() { Severity::Critical } else { Severity::High };
    let sure = if asked.is_some() { Confidence::High } else { Confidence::Medium };
    let unknown = asked.is_some_and(|(client, _)| predicates::is_unknown_binary(client));
    let mut evidence = Evidence::new(severity, sure, text)
        .reasons(
            Reasons::ADMINISTRATIVE_PRIVILEGES
                .and_if(asked.is_some(), Reasons::DCOM_EXPLOITATION)
                .and_if(unknown, Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .channel(Mechanism::Xpc, helper.name());
    evidence = match asked {
        Some((client, opened)) => evidence
            .client(client)
            .server(helper)
            .because(&opened.note, format!("{} connected to {}", client.name(), helper.name())),
        None => evidence.client(helper).server(child),
    };
    Some(evidence)
}

/// A recent client of the helper's service that is not of the helper's vendor.
fn stranger_before<'c>(
    context: &Context<'c>,
    event: &ProcessEvent<'_>,
    helper: Actor<'c>,
) -> Option<(Actor<'c>, &'c Use)> {
    let opened = &context.channel(helper.name())?.opened;
    opened.iter().rev().filter(|one| one.note.time.within(context.window(), event.time)).find_map(|one| {
        let client = context.remembered(one.process?)?;
        let stranger = macos::is_badly_signed(client)
            || (!helper.signer.is_empty() && !client.signer.is_empty() && client.signer != helper.signer);
        stranger.then_some((client, one))
    })
}

#[cfg(test)]
mod tests {
    use backchannel_events::SignatureStatus;

    use super::*;
    use crate::testing::*;

    const HELPER: &str = "/Library/PrivilegedHelperTools/org.example.app.helper";

    fn helper() -> Event {
        start(0, HELPER, HELPER).pid(300).uids("0", "0", "").signed(SignatureStatus::Trusted, "TEAMA12345").on_mac()
    }

    fn asked(image: &'static str, signer: &'static str) -> Event {
        let status = if signer.is_empty() { SignatureStatus::Unsigned } else { SignatureStatus::Trusted };
        xpc_connected(1.0, "org.example.app.helper", true).of(image, 400).signed(status, signer)
    }

    fn child(image: &'static str, command: &'static str) -> Event {
        start(2, image, command).pid(500).parent_pid(300).uids("0", "0", "").on_mac()
    }

    #[test]
    fn a_helper_that_starts_a_shell_fires() {
        let events = [helper(), child("/bin/bash", "bash -c 'id'")];
        check_on(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn after_a_connection_by_another_vendor_it_is_critical() {
        let events = [helper(), asked("/Users/kim/Downloads/x", ""), child("/bin/sh", "sh -c 'cp x y'")];
        let found = check_on(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert!(found.iter().all(|finding| finding.evidence.len() == 2));
    }

    #[test]
    fn its_own_application_does_not_make_it_critical() {
        let own = asked("/Applications/App.app/Contents/MacOS/App", "TEAMA12345");
        let events = [helper(), own, child("/bin/launchctl", "launchctl load x")];
        check_on(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_updater_that_runs_the_installer_is_quiet() {
        check_on(&ANALYTIC, &[helper(), child("/usr/sbin/installer", "installer -pkg a.pkg -target /")], None);
    }

    #[test]
    fn a_shell_of_an_application_is_quiet() {
        let app = start(0, "/Applications/App.app/Contents/MacOS/App", "App").pid(300).uids("501", "501", "").on_mac();
        check_on(&ANALYTIC, &[app, child("/bin/sh", "sh -c id")], None);
    }
}
