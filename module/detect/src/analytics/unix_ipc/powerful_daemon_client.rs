//! # IPC-UX-006: Root-equivalent daemon contacted by an unexpected program
//!
//! ## What it detects
//! A connection to the socket of a daemon whose clients can become root, or that was exploited through this socket
//! before (snapd, LXD, libvirt, containerd's shims, multipathd, udev ...), by a program that is not one of its usual
//! clients.
//!
//! ## Why it matters
//! The daemon acts as root for its clients, and some of these daemons did not check who the client was.
//!
//! ## Telemetry
//! auditd connect on AF_UNIX.
//!
//! ## False positives
//! Front ends that are not in the list: allow by program.
//!
//! ## References
//! ATT&CK T1559, T1068; DET0493 (AN1358). CVE-2019-7304, CVE-2020-15257, CVE-2022-41974.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::sockets::{self, PowerfulDaemon};
use crate::vocabulary::unix_paths;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-006",
    title: "Root-equivalent daemon contacted by an unexpected program",
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
    if !matches!(channel.mechanism, Mechanism::UnixSocket | Mechanism::UnixAbstract)
        || event.outcome == Outcome::Failure
    {
        return None;
    }
    let daemon = PowerfulDaemon::at(channel.name)?;
    let client = context.subject();
    let odd = unix_paths::odd_place(client.image);
    if client.image.is_empty() || (odd.is_none() && daemon.is_client(client)) {
        return None;
    }
    let tool = sockets::is_general_tool(client);
    let root = client.user.acting_id() == "0";
    let mut severity = match (odd.is_some(), root, tool) {
        (true, ..) | (_, false, true) => Severity::High,
        (_, false, false) => Severity::Medium,
        // Root gains no privileges.
        (_, true, true) => Severity::Low,
        (_, true, false) => return None,
    };
    if event.outcome == Outcome::Denied {
        severity = severity.lowered();
    }
    let why = odd.map_or_else(|| "it is not one of its clients".to_owned(), |odd| format!("it runs {odd}"));
    let text = format!(
        "{} of {} speaks to {} over {}, and {why}: the daemon acts as root for its clients.",
        client.name(),
        client.account(),
        daemon.what,
        channel.name,
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION
                .and_if(predicates::is_unknown_binary(client) && odd.is_some(), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(client)
        .channel(channel.mechanism, channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn an_interpreter_that_connects_to_snapd_is_high() {
        let connect = unix_connected(0.0, "/run/snapd.socket", "0", 0o140_666).of("/usr/bin/python3.11", 7);
        check(&ANALYTIC, &[connect.uids("1000", "1000", "1000")], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_unknown_program_that_connects_to_a_shim_is_medium() {
        let connect = abstract_connected(0.0, "@/containerd-shim/moby/1/shim.sock").of("/usr/bin/probe", 7);
        check(&ANALYTIC, &[connect.uids("1000", "1000", "")], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn clients_and_root_s_programs_are_quiet() {
        let snap = unix_connected(0.0, "/run/snapd.socket", "0", 0o140_666).of("/usr/bin/snap", 7);
        check(&ANALYTIC, &[snap.uids("1000", "1000", "1000")], None);
        let agent = unix_connected(0.0, "/run/libvirt/libvirt-sock", "0", 0o140_660).of("/usr/sbin/collectd", 7);
        check(&ANALYTIC, &[agent.uids("0", "0", "")], None);
    }

    #[test]
    fn a_socket_of_an_application_is_quiet() {
        let other = unix_connected(0.0, "/run/app/app.sock", "990", 0o140_660).of("/usr/bin/curl", 7);
        check(&ANALYTIC, &[other.uids("33", "33", "")], None);
    }
}
