//! # IPC-UX-005: User process connects to a root-owned socket for the first time
//!
//! ## What it detects
//! A process of an ordinary user connects to a socket owned by root, and the baseline does not contain this
//! combination. If the socket's creation was seen, IPC-BASE-004 reports it; this analytic uses the owner in the record,
//! or a path known to be privileged. Sockets that all programs use are reported only for unknown programs.
//!
//! ## Why it matters
//! The daemon behind such a socket acts with root's privileges for its clients.
//!
//! ## Telemetry
//! auditd connect with PATH (owner), Endpoint Security uipc_connect, and a baseline; inactive without one.
//!
//! ## False positives
//! Packages that install a daemon and its client: a software installation within the preceding day explains the
//! finding.
//!
//! ## References
//! Playbook LOG-3, KI-3, Q1, Q2, Q4, E1; ATT&CK T1559, T1068; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::baseline::Standing;
use crate::context::explained;
use crate::vocabulary::{hubs, sockets, unix_paths};
use crate::{Analytic, Context, Evidence, Family, UserKind, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-005",
    title: "User process connects to a root-owned socket for the first time",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1068"],
    attack_analytics: &["AN1358"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd, Source::EndpointSecurity],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    if channel.mechanism != Mechanism::UnixSocket
        || edge.user != UserKind::Person
        || !matches!(standing, Standing::NeverSeen | Standing::Rare)
    {
        return None;
    }
    let made = context.channel(channel.name).is_some_and(|known| known.created.is_some());
    let roots = channel.owner == "0" || sockets::is_privileged(channel.name);
    if made || !roots || sockets::is_desktop(channel.name) || explained::is_explained(context, event) {
        return None;
    }
    let client = context.subject();
    let untrusted = unix_paths::odd_place(client.image).is_some() || unix_paths::is_in_home(client.image);
    let shared = sockets::is_universal(channel.name) || hubs::is_shared(channel.name);
    if shared && !untrusted {
        return None;
    }
    let severity = if untrusted { Severity::High } else { Severity::Low };
    let refused = matches!(event.outcome, Outcome::Failure | Outcome::Denied);
    let text = format!(
        "{} of {} {} {}, a socket of root's that it was never seen to use.",
        client.name(),
        client.account(),
        if refused { "was kept from" } else { "connected to" },
        channel.name,
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(untrusted, Reasons::UNKNOWN_BINARY)
                .and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(client)
        .channel(channel.mechanism, channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const NOW: f64 = 6.0 * 86_400.0;

    fn usual(day: f64) -> Event {
        unix_connected(day * 86_400.0, "/run/app/app.sock", "1001", 0o660)
            .of("/usr/bin/app", 50)
            .uids("1001", "1001", "1001")
    }

    fn connected(path: &'static str, image: &'static str, owner: &'static str) -> Event {
        unix_connected(NOW, path, owner, 0o666).of(image, 60).uids("1001", "1001", "1001")
    }

    #[test]
    fn an_unknown_program_on_a_root_owned_socket_fires() {
        let events = [connected("/run/agentd/control", "/tmp/.x/tool", "0")];
        let found = check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::High, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons == Reasons::UNKNOWN_BINARY));
    }

    #[test]
    fn an_installed_program_is_low() {
        let events = [connected("/run/snapd.socket", "/usr/bin/curl", "0")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn another_user_s_socket_names_and_logs_and_what_was_learned_are_quiet() {
        let events = [
            usual(6.0),
            connected("/run/app/other.sock", "/usr/bin/app", "1001"),
            connected("/run/systemd/journal/socket", "/usr/bin/logger", "0"),
        ];
        check_learned(&ANALYTIC, &learned(usual), &events, None);
    }

    #[test]
    fn without_a_baseline_it_is_inactive() {
        check(&ANALYTIC, &[connected("/run/agentd/control", "/tmp/.x/tool", "0")], None);
    }
}
