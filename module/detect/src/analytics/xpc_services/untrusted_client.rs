//! # IPC-MAC-001: Unsigned client of a privileged XPC service
//!
//! ## What it detects
//! A program that is unsigned, ad-hoc signed, or in a user-writable location, and connects to a service of the system
//! domain that is not commonly used; also a program of one vendor that connects to the privileged helper of another.
//!
//! ## Why it matters
//! Privileged helpers run as root. A helper that does not verify its client performs its privileged operations for any
//! program.
//!
//! ## Telemetry
//! Endpoint Security xpc_connect (eslogger). The signer of a helper is known after its start was logged.
//!
//! ## False positives
//! Software built on the machine (Homebrew, developers): commonly used services are excluded; allow by path.
//!
//! ## References
//! Playbook KI-1, KI-3, E1, E3; ATT&CK T1559.003, T1068; DET0493 (AN1359).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::macos;
use crate::{Actor, Analytic, Context, Evidence, Family, Status, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-MAC-001",
    title: "Unsigned client of a privileged XPC service",
    family: Family::XpcServices,
    techniques: &["T1559.003", "T1068"],
    attack_analytics: &["AN1359"],
    severity: Severity::High,
    status: Status::Experimental,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::EndpointSecurity],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    let privileged = channel.mechanism == Mechanism::Xpc && channel.owner == "0";
    if !privileged || macos::is_public(channel.name) {
        return None;
    }
    let client = context.subject();
    let server = helper(context, channel.name);
    let untrusted = macos::is_badly_signed(client) || macos::is_odd_place(client.image);
    let stranger = server.is_some_and(|server| {
        !server.signer.is_empty()
            && !client.signer.is_empty()
            && client.signer != "Apple"
            && server.signer != client.signer
    });
    if !untrusted && !stranger {
        return None;
    }
    let apple = macos::is_apple(channel.name);
    let severity = if apple { Severity::Medium } else { Severity::High };
    let sure = if stranger && !apple { Confidence::High } else { Confidence::Medium };
    let why = if untrusted { "which no vendor signed" } else { "which another vendor signed" };
    let text = format!(
        "{} at {}, {why}, connected to the XPC service {}, which runs with the highest rights.",
        client.name(),
        client.image,
        channel.name
    );
    let mut evidence = Evidence::new(severity, sure, text)
        .reasons(
            Reasons::ADMINISTRATIVE_PRIVILEGES
                .and_if(untrusted && predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .channel(Mechanism::Xpc, channel.name);
    if let Some(server) = server {
        evidence = evidence.server(server);
    }
    Some(evidence)
}

/// The process that provides a service: helpers have the name of their service.
fn helper<'c>(context: &Context<'c>, service: &str) -> Option<Actor<'c>> {
    let mut all = context.host.processes.latest_first();
    let known = all.find(|known| macos::is_helper(&known.image) && text::base_name(&known.image) == service)?;
    Some(Actor::remembered(known))
}

#[cfg(test)]
mod tests {
    use backchannel_events::SignatureStatus;

    use super::*;
    use crate::testing::*;

    const SERVICE: &str = "org.example.app.helper";

    fn helper_started() -> Event {
        start(0, "/Library/PrivilegedHelperTools/org.example.app.helper", "org.example.app.helper")
            .pid(300)
            .uids("0", "0", "")
            .signed(SignatureStatus::Trusted, "TEAMA12345")
            .on_mac()
    }

    #[test]
    fn an_unsigned_client_of_a_vendors_helper_fires() {
        let client = xpc_connected(1.0, SERVICE, true)
            .of("/Users/kim/Downloads/tool", 400)
            .signed(SignatureStatus::Unsigned, "");
        let found = check_on(&ANALYTIC, &[client], Some((Severity::High, Confidence::Medium)));
        assert!(
            found
                .iter()
                .all(|finding| finding.reasons == Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::UNKNOWN_BINARY))
        );
    }

    #[test]
    fn another_vendors_client_of_a_helper_fires() {
        let client = xpc_connected(1.0, SERVICE, true)
            .of("/Applications/Other.app/Contents/MacOS/Other", 400)
            .signed(SignatureStatus::Trusted, "TEAMB12345");
        check_on(&ANALYTIC, &[helper_started(), client], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn until_the_site_enables_it_it_is_low_and_does_not_escalate() {
        let client = xpc_connected(1.0, SERVICE, true).of("/Users/kim/x", 400).signed(SignatureStatus::Untrusted, "");
        let found = check(&ANALYTIC, &[client], Some((Severity::Low, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons.is_empty()));
    }

    #[test]
    fn the_vendors_own_application_is_quiet() {
        let client = xpc_connected(1.0, SERVICE, true)
            .of("/Applications/App.app/Contents/MacOS/App", 400)
            .signed(SignatureStatus::Trusted, "TEAMA12345");
        check_on(&ANALYTIC, &[helper_started(), client], None);
    }

    #[test]
    fn common_services_and_the_users_own_are_quiet() {
        let asks = |name, system| {
            xpc_connected(1.0, name, system).of("/opt/homebrew/bin/jq", 400).signed(SignatureStatus::Untrusted, "")
        };
        check_on(&ANALYTIC, &[asks("com.apple.cfprefsd.daemon", true), asks(SERVICE, false)], None);
    }
}
