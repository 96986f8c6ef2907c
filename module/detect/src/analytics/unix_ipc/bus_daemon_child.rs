//! # IPC-LNX-005: Message bus starts a shell
//!
//! ## What it detects
//! A child process of the message bus (dbus-daemon, its launch helper, dbus-broker's launcher) that is a shell or
//! network tool with a command of its own, or that runs from a location where no services are installed. High on the
//! system bus.
//!
//! ## Why it matters
//! The bus starts the program named in a service file on the first call to that bus name, on the system bus as root: a
//! planted service file gives execution whenever the name is called.
//!
//! ## Telemetry
//! auditd execve with the parent's pid.
//!
//! ## False positives
//! Services that are scripts in a system folder are excluded.
//!
//! ## References
//! ATT&CK T1559, T1543, T1059.004; DET0493 (AN1358).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::text::{clip, contains, is_any};
use crate::vocabulary::{programs, sockets, unix_paths};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-005",
    title: "Message bus starts a shell",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1543", "T1059.004"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.provenance.source != Source::Auditd {
        return None;
    }
    let parent = context.parent();
    if !parent.is(&[
        "dbus-daemon",
        "dbus-daemon-launch-helper",
        "dbus-daemon-launc",
        "dbus-broker-launch",
        "dbus-broker",
    ]) {
        return None;
    }
    let started = context.subject();
    let why = unusual(started)?;
    // The launch helper is setuid root and serves the system bus only.
    let system = contains(parent.command_line, "--system")
        || contains(parent.command_line, "--scope system")
        || parent.is(&["dbus-daemon-launch-helper", "dbus-daemon-launc"])
        || predicates::is_privileged(parent)
        || predicates::is_daemon_account(parent);
    let severity = if system { Severity::High } else { Severity::Medium };
    let bus = if system { "system's" } else { "session's" };
    let text = format!(
        "The {bus} message bus started {} as {}, {why}: {}",
        started.name(),
        started.account(),
        clip(started.command_line, 200),
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(system && predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(predicates::is_unknown_binary(started), Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(parent)
        .server(started)
        .channel(Mechanism::Dbus, if system { "system bus" } else { "session bus" });
    Some(evidence)
}

/// Why a child process of the bus is not a service.
fn unusual(started: Actor<'_>) -> Option<String> {
    if let Some(odd) = unix_paths::odd_place(started.image) {
        return Some(format!("which runs {odd}"));
    }
    let mut words = started.command_line.split_whitespace().skip(1);
    let first = words.next().unwrap_or("");
    if sockets::is_network_tool(started.name()) {
        return Some("a tool that connects to the network".to_owned());
    }
    if !programs::is_script_host(started.name()) {
        return None;
    }
    if is_any(first, &["-c", "-e", "-i", "-lc", "-ic", "-"]) || (first.is_empty() && sockets::is_shell(started.name()))
    {
        return Some("with a command of its own".to_owned());
    }
    let script = started.command_line.split_whitespace().skip(1).find(|word| !word.starts_with('-'))?;
    (unix_paths::odd_place(script).is_some() || predicates::is_user_writable(script))
        .then(|| format!("with the script {script} that users can write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn child(bus: &'static str, uid: &'static str, image: &'static str, command: &'static str) -> [Event; 2] {
        let daemon = start(0.0, "/usr/bin/dbus-daemon", bus).pid(5).uids(uid, uid, "");
        [daemon, start(60.0, image, command).pid(9).parent_pid(5).uids(uid, uid, "")]
    }

    #[test]
    fn a_shell_on_the_system_bus_is_high() {
        let events = child("dbus-daemon --system --nofork", "100", "/usr/bin/dash", "/bin/sh -c id");
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_program_in_a_shared_folder_on_a_session_bus_is_medium() {
        let events = child("dbus-daemon --session --fork", "1000", "/tmp/.a/svc", "/tmp/.a/svc");
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn services_are_quiet() {
        for (image, command) in [
            ("/usr/libexec/gvfsd", "/usr/libexec/gvfsd"),
            ("/usr/bin/python3.11", "/usr/bin/python3 /usr/share/aptdaemon/aptd"),
            ("/usr/bin/dash", "/bin/sh /usr/bin/service-wrapper"),
            ("/usr/bin/gnome-keyring-daemon", "/usr/bin/gnome-keyring-daemon --start"),
        ] {
            check(&ANALYTIC, &child("dbus-daemon --session", "1000", image, command), None);
        }
    }

    #[test]
    fn a_shell_of_another_parent_is_quiet() {
        let events = [
            start(0.0, "/usr/sbin/cron", "cron -f").pid(5).uids("0", "0", ""),
            start(1.0, "/usr/bin/dash", "/bin/sh -c id").pid(9).parent_pid(5).uids("0", "0", ""),
        ];
        check(&ANALYTIC, &events, None);
    }
}
