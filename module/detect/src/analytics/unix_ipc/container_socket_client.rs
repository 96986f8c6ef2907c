//! # IPC-UX-001: Container engine socket used by an unexpected program
//!
//! ## What it detects
//! A connection to the socket of a container engine (docker, containerd, CRI-O, podman, BuildKit) by a program that is
//! neither a client of the engine nor a known container monitoring agent. The severity depends on the client: a service
//! account, a program in an unusual location, a world-writable socket; a member of the socket's group is low.
//!
//! ## Why it matters
//! Access to the engine's socket is equivalent to root on the host.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX (SOCKADDR, PATH); Endpoint Security uipc_connect.
//!
//! ## False positives
//! Build runners and monitoring agents that are not in the list: allow by program and account.
//!
//! ## References
//! ATT&CK T1559, T1611, T1610; DET0493 (AN1358, mutable element SocketPathBaseline).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::{sockets, unix_paths};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-001",
    title: "Container engine socket used by an unexpected program",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1611", "T1610"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd, Source::EndpointSecurity],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    // The socket does not exist: the client only checked for it.
    if !sockets::is_container_engine(channel.name) || event.outcome == Outcome::Failure {
        return None;
    }
    let client = context.subject();
    let odd = unix_paths::odd_place(client.image);
    if odd.is_none() && sockets::is_container_program(client) {
        return None;
    }
    let service = predicates::is_daemon_account(client);
    let tool = sockets::is_general_tool(client);
    let root = client.user.acting_id() == "0";
    let open_to_all = channel.mode.is_some_and(|mode| mode & 0o002 != 0);
    let mut severity = match (odd.is_some(), service, tool) {
        (true, ..) | (_, true, true) => Severity::High,
        (_, true, false) => Severity::Medium,
        _ if open_to_all && !root => Severity::Medium,
        _ => Severity::Low,
    };
    if event.outcome == Outcome::Denied {
        severity = severity.lowered();
    }
    let why = match (odd, service, open_to_all) {
        (Some(odd), ..) => format!("it runs {odd}"),
        (None, true, _) => "a service account without a login is not expected there".to_owned(),
        (None, false, true) => "the socket is open to everybody".to_owned(),
        (None, false, false) => "it is not one of the engine's clients".to_owned(),
    };
    let text = format!(
        "{} of {} speaks to the container engine's socket {}, which gives root on the host: {why}.",
        client.name(),
        client.account(),
        channel.name,
    );
    let server = context
        .channel(channel.name)
        .and_then(|known| known.created.as_ref()?.process)
        .and_then(|id| context.remembered(id))
        .unwrap_or_default();
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(
            Reasons::NONE
                .and_if(severity >= Severity::Medium, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(client) && odd.is_some(), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(server)
        .channel(channel.mechanism, channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn connect(image: &'static str, uid: &'static str, login: &'static str) -> Event {
        unix_connected(0.0, "/run/docker.sock", "0", 0o140_660).of(image, 7).uids(uid, uid, login)
    }

    #[test]
    fn a_web_account_with_a_tool_is_high() {
        let events = [connect("/usr/bin/curl", "33", "")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_program_in_an_unusual_location_is_high() {
        let events = [connect("/tmp/.x/d", "1000", "1000")];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_unknown_service_is_medium() {
        check(&ANALYTIC, &[connect("/opt/app/server", "990", "")], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_member_of_the_group_is_low_unless_the_socket_is_world_writable() {
        check(&ANALYTIC, &[connect("/usr/bin/curl", "1000", "1000")], Some((Severity::Low, Confidence::High)));
        let open = unix_connected(0.0, "/run/docker.sock", "0", 0o140_666).of("/usr/bin/curl", 7);
        check(&ANALYTIC, &[open.uids("1000", "1000", "1000")], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn the_engine_s_own_client_is_quiet() {
        check(&ANALYTIC, &[connect("/usr/bin/docker", "1000", "1000")], None);
        check(&ANALYTIC, &[connect("/usr/bin/dockerd", "0", "")], None);
    }

    #[test]
    fn other_sockets_and_missing_ones_are_quiet() {
        let other = unix_connected(0.0, "/run/app/app.sock", "990", 0o140_660).of("/usr/bin/curl", 7);
        check(&ANALYTIC, &[other.uids("33", "33", "")], None);
        let mut missing = connect("/usr/bin/curl", "33", "");
        missing.0.outcome = Outcome::Failure;
        check(&ANALYTIC, &[missing], None);
    }
}
