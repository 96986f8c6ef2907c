//! # IPC-UX-003: Container created with access to the host
//!
//! ## What it detects
//! A container created or entered through the engine's socket with options that give control of the host: privileged,
//! the host's root file system mounted, the host's process or network namespace, the engine's socket mounted inside.
//! Through the engine's client or a hand-written request.
//!
//! ## Why it matters
//! Access to the engine's socket is equivalent to root on the host; such a container is how it is used.
//!
//! ## Telemetry
//! auditd execve with its arguments.
//!
//! ## False positives
//! Administrators and build systems that start privileged containers: medium at a terminal; allow by account and command.
//!
//! ## References
//! ATT&CK T1559, T1611, T1610; DET0493 (AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{clip, contains, contains_any};
use crate::vocabulary::sockets;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-003",
    title: "Container created with access to the host",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1611", "T1610"],
    attack_analytics: &["AN1358"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let started = context.subject();
    if sockets::is_shell(started.name()) || started.is(&["sudo", "su"]) {
        return None;
    }
    let command = started.command_line;
    let service = started.user.audit_id.is_empty() && started.user.acting_id() != "0";
    let terminal = !matches!(started.tty, "" | "(none)" | "?");
    let by_client = started.is(&["docker", "podman", "nerdctl", "ctr"]) && client_gives_host(command);
    let by_hand = contains_any(command, &[".sock", "unix://"])
        && contains_any(command, &["/containers/create", "/containers/", "/exec/"])
        && contains_any(command, &["POST", "\"Privileged\"", " -d ", "--data"])
        && !by_client;
    if !by_client && !by_hand {
        return None;
    }
    let host_given = by_client
        || contains_any(
            command,
            &["\"Privileged\":true", "\"Privileged\": true", "\"Binds\":[\"/:", "\"PidMode\":\"host\""],
        );
    let severity = match (by_hand, host_given, service || !terminal) {
        (true, true, _) => Severity::Critical,
        (true, false, _) => Severity::High,
        (false, _, true) => Severity::High,
        (false, _, false) => Severity::Medium,
    };
    let text = format!(
        "{} of {} makes the container engine run with the host's rights: {}",
        started.name(),
        started.account(),
        clip(command, 200)
    );
    let evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and_if(by_hand, Reasons::DCOM_EXPLOITATION))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(started)
        .channel(Mechanism::UnixSocket, "/run/docker.sock");
    Some(evidence)
}

/// Whether an engine's client requests a container with access to the host.
fn client_gives_host(command: &str) -> bool {
    let runs = command.split_whitespace().any(|word| matches!(word, "run" | "create" | "exec"));
    runs && contains_any(
        command,
        &[
            "--privileged",
            "-v /:",
            "-v=/:",
            "--volume /:",
            "--volume=/:",
            "source=/,",
            "src=/,",
            "--pid=host",
            "--pid host",
            "--net=host",
            "--network=host",
            "--ipc=host",
            "--userns=host",
            "--cap-add=ALL",
            "--cap-add ALL",
            "--cap-add=SYS_ADMIN",
            "--cap-add SYS_ADMIN",
            "--cap-add=SYS_PTRACE",
            "docker.sock:",
        ],
    ) && !contains(command, "--help")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(image: &'static str, command: &'static str, uid: &'static str, login: &'static str) -> Vec<Event> {
        vec![start(0, image, command).pid(7).uids(uid, uid, login)]
    }

    #[test]
    fn a_hand_made_privileged_container_fires() {
        let command = r#"curl -s -X POST --unix-socket /run/docker.sock -d {"Image":"alpine","HostConfig":{"Privileged":true}} http://localhost/v1.43/containers/create"#;
        check(&ANALYTIC, &run("/usr/bin/curl", command, "33", ""), Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn a_client_that_mounts_the_root_without_a_terminal_fires() {
        let command = "docker run --rm -v /:/host alpine chroot /host sh";
        check(&ANALYTIC, &run("/usr/bin/docker", command, "1000", "1000"), Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn ordinary_containers_are_quiet() {
        check(&ANALYTIC, &run("/usr/bin/docker", "docker run --rm -v /srv/data:/data alpine ls", "1000", "1000"), None);
        check(&ANALYTIC, &run("/usr/bin/docker", "docker ps --all", "1000", "1000"), None);
        let read = "curl -s --unix-socket /run/docker.sock http://localhost/v1.43/containers/json";
        check(&ANALYTIC, &run("/usr/bin/curl", read, "1000", "1000"), None);
    }
}
