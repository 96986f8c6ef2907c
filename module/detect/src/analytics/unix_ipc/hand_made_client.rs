//! # IPC-UX-002: General-purpose tool used as UNIX socket client
//!
//! ## What it detects
//! A general-purpose tool that connects to a UNIX socket: netcat -U, socat, curl --unix-socket, an interpreter
//! one-liner. The severity depends on the privileges of the socket's server and on the client's account.
//!
//! ## Why it matters
//! The usual clients of a daemon are its own programs. A general-purpose tool can send requests that those would not
//! send.
//!
//! ## Telemetry
//! auditd execve with its arguments; Endpoint Security exec.
//!
//! ## False positives
//! Health checks of services; read requests by members of the docker group: low.
//!
//! ## References
//! ATT&CK T1559, T1059.004; DET0493 (AN1358, mutable element SocketPathBaseline).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{contains, contains_any, find};
use crate::vocabulary::sockets;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-002",
    title: "General-purpose tool used as UNIX socket client",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1059.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd, Source::EndpointSecurity],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if !matches!(event.provenance.source, Source::Auditd | Source::EndpointSecurity) {
        return None;
    }
    let started = context.subject();
    let command = started.command_line;
    // The shell that runs the tool, and sudo before it, have the same command line as the tool's own start.
    if sockets::is_shell(started.name()) || started.is(&["sudo", "su", "env", "timeout"]) {
        return None;
    }
    let target = target(started.name(), command)?;
    let acting = started.user.acting_id();
    let root = acting == "0";
    let service = started.user.audit_id.is_empty() && acting.parse::<u32>().is_ok_and(|uid| uid > 0 && uid < 1_000);
    let writes = contains_any(command, &["POST", "PUT", "DELETE", "--data", " -d "]);
    let severity = if sockets::is_privileged(target) {
        match (root, service, writes) {
            (_, true, _) | (false, _, true) => Severity::High,
            (true, ..) => Severity::Medium,
            _ => Severity::Low,
        }
    } else if target.starts_with("/run/") || target.starts_with("/var/run/") {
        if writes || service { Severity::Medium } else { Severity::Low }
    } else if service {
        Severity::Medium
    } else {
        // The socket's owner decides; if unknown, a login session under its own account is likely the owner.
        let made = context.channel(target).and_then(|known| known.created.as_ref());
        let own = match made {
            Some(made) => *made.user_id == *acting,
            None => started.user.audit_id == acting,
        };
        if own || root { Severity::Low } else { Severity::Medium }
    };
    let mechanism = if target.starts_with('@') { Mechanism::UnixAbstract } else { Mechanism::UnixSocket };
    let text = format!(
        "{} of {} speaks to {target} by hand: {}",
        started.name(),
        started.account(),
        crate::text::clip(command, 200)
    );
    let evidence =
        Evidence::new(severity, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(
                sockets::is_privileged(target) && severity >= Severity::Medium,
                Reasons::ADMINISTRATIVE_PRIVILEGES,
            ))
            .indicators(Indicators::UNEXPECTED_USE)
            .client(started)
            .channel(mechanism, target);
    Some(evidence)
}

/// The socket in a tool's command line.
fn target<'t>(name: &str, command: &'t str) -> Option<&'t str> {
    let after = |mark: &str| {
        let at = find(command, mark)? + mark.len();
        let rest = command.get(at..)?.trim_start_matches(['=', ' ', '"', '\'', ':']);
        rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ')'))
            .next()
            .filter(|path| !path.is_empty())
    };
    if contains(name, "curl") {
        return after("--unix-socket").or_else(|| after("--abstract-unix-socket"));
    }
    if contains(name, "socat") {
        return after("UNIX-CONNECT:").or_else(|| after("UNIX-CLIENT:")).or_else(|| after("ABSTRACT-CONNECT:"));
    }
    if contains(name, "nc")
        && command.split_whitespace().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('U'))
    {
        return command.split_whitespace().rev().find(|word| word.starts_with('/') || word.starts_with('@'));
    }
    let names_unix =
        contains_any(command, &["AF_UNIX", "socket.unix", "UNIXSocket", "IO::Socket::UNIX", "unix://", "unix_stream"]);
    // AF_UNIX is 1.
    let by_number = contains_any(command, &["socket.socket(1", "socket(1,", "fsockopen("]);
    if (names_unix || by_number) && contains_any(command, &[" -c ", " -e ", " -r ", " -MIO"]) {
        let parts = command.split(['"', '\'', '\\', '(', ')', ',', '=', '>', ' ']);
        let mut parts = parts.map(|part| part.strip_prefix("unix://").unwrap_or(part));
        // A quoted argument: an absolute path that is not an interpreter or device.
        return parts.find(|part| {
            part.len() > 4
                && part.starts_with('/')
                && (names_unix || contains(part, "sock"))
                && !contains_any(part, &["/bin/", "/dev/null"])
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(image: &'static str, command: &'static str, uid: &'static str, login: &'static str) -> Vec<Event> {
        vec![start(0, image, command).pid(7).uids(uid, uid, login)]
    }

    #[test]
    fn a_web_account_at_the_container_engine_fires_high() {
        let curl = "curl -s --unix-socket /var/run/docker.sock http://localhost/containers/json";
        check(&ANALYTIC, &run("/usr/bin/curl", curl, "33", ""), Some((Severity::High, Confidence::Medium)));
        let socat = "socat - UNIX-CONNECT:/run/docker.sock";
        check(&ANALYTIC, &run("/usr/bin/socat", socat, "33", ""), Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_user_s_post_request_to_a_daemon_fires() {
        let curl = "curl -s -X POST --unix-socket /run/helper.sock http://x/do";
        check(&ANALYTIC, &run("/usr/bin/curl", curl, "1000", "1000"), Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_member_of_the_group_who_reads_is_low() {
        let curl = "curl -s --unix-socket /var/run/docker.sock http://localhost/info";
        check(&ANALYTIC, &run("/usr/bin/curl", curl, "1000", "1000"), Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn any_other_socket_is_graded_by_its_owner() {
        let socat = start(9.0, "/usr/bin/socat", "socat - UNIX-CONNECT:/srv/x/in.sock").pid(7);
        let made = unix_bound(0.0, "/srv/x/in.sock").of("/usr/bin/python3", 4).uids("1001", "1001", "1001");
        let own = socat.uids("1001", "1001", "1001");
        check(&ANALYTIC, &[made, own], Some((Severity::Low, Confidence::Medium)));
        let other = socat.uids("1002", "1002", "1002");
        check(&ANALYTIC, &[made, other], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_one_liner_may_give_the_address_family_as_a_number() {
        let command = r#"python3 -c import socket;s=socket.socket(1);s.connect("/tmp/.upd.sock");s.send(b"id")"#;
        let findings = check(
            &ANALYTIC,
            &run("/usr/bin/python3.11", command, "33", ""),
            Some((Severity::Medium, Confidence::Medium)),
        );
        assert_eq!(findings[0].channel.as_ref().unwrap().name, "/tmp/.upd.sock");
    }

    #[test]
    fn tools_on_the_network_are_quiet() {
        let inet = r#"python3 -c import socket;s=socket.socket();s.connect(("db",5432));print("ok")"#;
        check(&ANALYTIC, &run("/usr/bin/python3.11", inet, "33", ""), None);
        check(&ANALYTIC, &run("/usr/bin/curl", "curl -s http://localhost/info", "33", ""), None);
        check(&ANALYTIC, &run("/usr/bin/nc.openbsd", "nc 192.0.2.1 80", "33", ""), None);
    }
}
