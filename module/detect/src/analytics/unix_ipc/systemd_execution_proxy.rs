//! # IPC-LNX-006: Service manager made to run a command
//!
//! ## What it detects
//! systemd-run on the system manager by a user other than root; a unit linked, enabled or started from a user-writable
//! location; a program that is not part of systemd on the manager's private socket.
//!
//! ## Why it matters
//! The manager runs the requested command as root and as its own child process, so that the requesting process is
//! missing from the process tree.
//!
//! ## Telemetry
//! auditd execve with arguments; connect on AF_UNIX.
//!
//! ## False positives
//! Administrators who use systemd-run as root at a terminal are excluded; allow deployment tools by account.
//!
//! ## References
//! ATT&CK T1559, T1543.002, T1569; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::{clip, contains, contains_any, starts_with};
use crate::vocabulary::unix_paths;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-006",
    title: "Service manager made to run a command",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1543.002", "T1569"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart, ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart if event.provenance.source == Source::Auditd => {
            let started = context.subject();
            let (severity, what) = by_command(started)?;
            let text =
                format!("{} of {} {what}: {}", started.name(), started.account(), clip(started.command_line, 200));
            let evidence = Evidence::new(severity, Confidence::Medium, text)
                .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES)
                .indicators(Indicators::UNEXPECTED_USE)
                .client(started)
                .channel(Mechanism::UnixSocket, "/run/systemd/private");
            Some(evidence)
        }
        Activity::ChannelConnect(channel) if channel.name.ends_with("/systemd/private") => {
            if event.outcome == Outcome::Failure || channel.name.contains("/user/") {
                return None;
            }
            let client = context.subject();
            let odd = unix_paths::odd_place(client.image);
            let own = starts_with(client.name(), "systemd")
                || client.is(&[
                    "systemctl",
                    "loginctl",
                    "machinectl",
                    "journalctl",
                    "busctl",
                    "init",
                    "telinit",
                    "shutdown",
                    "reboot",
                    "halt",
                    "poweroff",
                    "udisksd",
                    "snapd",
                    "portablectl",
                ]);
            if client.image.is_empty() || (own && odd.is_none()) {
                return None;
            }
            let severity = if odd.is_some() { Severity::High } else { Severity::Medium };
            let text = format!(
                "{} of {} speaks to the service manager's private socket, which only systemd's own programs use.",
                client.name(),
                client.account(),
            );
            let evidence = Evidence::new(severity, Confidence::Medium, text)
                .reasons(
                    Reasons::NONE
                        .and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES)
                        .and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY),
                )
                .indicators(Indicators::UNEXPECTED_USE)
                .client(client)
                .channel(channel.mechanism, channel.name)
                .techniques(&["T1559"]);
            Some(evidence)
        }
        _ => None,
    }
}

fn by_command(started: Actor<'_>) -> Option<(Severity, &'static str)> {
    let command = started.command_line;
    let root = started.user.acting_id() == "0";
    if started.is(&["systemd-run"]) {
        if root || contains_any(command, &[" --user", "--help", "--version"]) {
            return None;
        }
        let severity = if predicates::is_daemon_account(started) { Severity::High } else { Severity::Medium };
        return Some((severity, "has the service manager run a command for it"));
    }
    if started.is(&["systemctl"]) && contains_any(command, &[" link ", " enable ", " start ", " reenable ", " edit "]) {
        if contains(command, " --user") {
            return None;
        }
        let unit = command
            .split_whitespace()
            .map(|word| word.trim_matches(['\'', '"']))
            .find(|word| word.starts_with('/') && predicates::is_user_writable(word))?;
        let severity = if unix_paths::odd_place(unit).is_some() { Severity::High } else { Severity::Medium };
        return Some((severity, "has the service manager use a unit from a place that users can write"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(image: &'static str, command: &'static str, uid: &'static str, login: &'static str) -> [Event; 1] {
        [start(0.0, image, command).pid(7).uids(uid, uid, login)]
    }

    #[test]
    fn a_web_account_with_systemd_run_is_high_and_a_user_medium() {
        let command = "systemd-run --pty --uid=0 /bin/bash";
        check(&ANALYTIC, &run("/usr/bin/systemd-run", command, "33", ""), Some((Severity::High, Confidence::Medium)));
        let user = run("/usr/bin/systemd-run", command, "1000", "1000");
        check(&ANALYTIC, &user, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_unit_in_a_shared_folder_is_high() {
        let command = "systemctl enable --now /dev/shm/x.service";
        check(&ANALYTIC, &run("/usr/bin/systemctl", command, "0", "1000"), Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_unexpected_program_on_the_private_socket_fires() {
        let connect = unix_connected(0.0, "/run/systemd/private", "0", 0o140_777).of("/usr/bin/python3.11", 7);
        check(&ANALYTIC, &[connect.uids("0", "0", "1000")], Some((Severity::Medium, Confidence::Medium)));
        let own = unix_connected(0.0, "/run/systemd/private", "0", 0o140_777).of("/usr/bin/systemctl", 7);
        check(&ANALYTIC, &[own.uids("0", "0", "1000")], None);
    }

    #[test]
    fn the_user_manager_and_installed_units_are_quiet() {
        let user = run("/usr/bin/systemd-run", "systemd-run --user --scope firefox", "1000", "1000");
        check(&ANALYTIC, &user, None);
        check(&ANALYTIC, &run("/usr/bin/systemctl", "systemctl enable nginx.service", "0", "1000"), None);
        check(&ANALYTIC, &run("/usr/bin/systemd-run", "systemd-run --pty bash", "0", "1000"), None);
    }
}
