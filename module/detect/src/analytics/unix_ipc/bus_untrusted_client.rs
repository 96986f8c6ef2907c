//! # IPC-LNX-001: Untrusted program connects to the D-Bus system bus
//!
//! ## What it detects
//! A connection to the D-Bus system bus by a program that runs from memory, from a world-writable folder or from a
//! hidden one; or by a bus tool or interpreter under a service account without a login session.
//!
//! ## Why it matters
//! Services on the bus act as root: they manage accounts, units, disks and packages. Their authorisation has been
//! bypassed before.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX.
//!
//! ## False positives
//! Services written in an interpreted language that use the bus: low; allow by program and account.
//!
//! ## References
//! ATT&CK T1559, T1068; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::{dbus, sockets, unix_paths};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-001",
    title: "Untrusted program connects to the D-Bus system bus",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1068"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    if !channel.name.ends_with("/dbus/system_bus_socket") || event.outcome == Outcome::Failure {
        return None;
    }
    let client = context.subject();
    let odd = unix_paths::odd_place(client.image);
    let service = predicates::is_daemon_account(client);
    let bus_tool = dbus::is_client_tool(client);
    let (severity, why) = match (odd, service) {
        (Some(odd), _) => (Severity::High, format!("it runs {odd}")),
        (None, true) if bus_tool => {
            (Severity::Medium, "a service's account that no login stands behind calls it by hand".to_owned())
        }
        (None, true) if sockets::is_general_tool(client) => {
            (Severity::Low, "it is an interpreter under a service's account".to_owned())
        }
        _ => return None,
    };
    let text = format!("{} of {} is on the system's message bus: {why}.", client.name(), client.account());
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(odd.is_some() && predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(Mechanism::Dbus, channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const BUS: &str = "/run/dbus/system_bus_socket";

    fn connect(image: &'static str, uid: &'static str, login: &'static str) -> [Event; 1] {
        [unix_connected(0.0, BUS, "0", 0o140_666).of(image, 7).uids(uid, uid, login)]
    }

    #[test]
    fn a_program_in_an_unusual_location_is_high() {
        check(&ANALYTIC, &connect("/dev/shm/a", "1000", "1000"), Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_web_account_with_a_bus_tool_is_medium_and_with_an_interpreter_low() {
        check(&ANALYTIC, &connect("/usr/bin/busctl", "33", ""), Some((Severity::Medium, Confidence::Medium)));
        check(&ANALYTIC, &connect("/usr/bin/python3.11", "33", ""), Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn desktops_and_daemons_are_quiet() {
        check(&ANALYTIC, &connect("/usr/bin/gnome-shell", "1000", "1000"), None);
        check(&ANALYTIC, &connect("/usr/bin/gdbus", "1000", "1000"), None);
        check(&ANALYTIC, &connect("/usr/sbin/avahi-daemon", "104", ""), None);
    }

    #[test]
    fn a_session_bus_is_quiet() {
        let session = unix_connected(0.0, "/run/user/1000/bus", "1000", 0o140_666).of("/tmp/a", 7);
        check(&ANALYTIC, &[session.uids("1000", "1000", "1000")], None);
    }
}
