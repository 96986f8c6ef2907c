//! Syslog lines about inter-process communication, logons and changes.
//!
//! dbus-daemon and polkitd give D-Bus calls; sshd, sudo, su and cron give logons; the shadow tools give changes of
//! accounts and groups; systemd gives changes of services, yum and dnf of software. All other lines are ignored.
//! Message texts are those of: bus/bus.c and activation.c of dbus 1.14, polkitbackendinteractiveauthority.c, auth.c of
//! OpenSSH, pam_unix_sess.c, logging.c of sudo, useradd.c, usermod.c and gpasswd.c of shadow.

use backchannel_events::{
    Activity, Channel, Endpoint, Logon, LogonOutcome, Mechanism, Outcome, PrivilegeChange, PrivilegeChangeKind,
    Process, ProcessEvent, Provenance, RpcCall, ServiceChange, ServiceOperation, SoftwareChange, Source, Text, User,
};
use bumpalo::Bump;

use crate::auditd::fields::fields;
use crate::auditd::user::bus_object;
use crate::{Accepted, Place, SyslogLine};

/// The content of a line.
struct Content<'a> {
    outcome: Outcome,
    process: Process<'a>,
    activity: Activity<'a>,
}

/// The audit line inside a syslog line of a forwarder or the kernel.
pub(crate) fn audit_line<'a>(line: &SyslogLine<'a>) -> Option<&'a str> {
    let is_audit = matches!(line.program, "kernel" | "audit" | "auditd" | "audispd" | "audisp-syslog")
        && line.message.contains("type=")
        && line.message.contains("audit(");
    is_audit.then_some(line.message)
}

/// Normalises one line.
pub(crate) fn accept(
    line: &SyslogLine<'_>,
    place: Place<'_>,
    arena: &Bump,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) -> Accepted {
    let (Some(time), Some(content)) = (line.time, content(line, arena)) else { return Accepted::NotUsed };
    sink(&ProcessEvent {
        time,
        host: if line.host.is_empty() { place.default_host } else { line.host },
        outcome: content.outcome,
        process: content.process,
        activity: content.activity,
        provenance: Provenance {
            source: Source::Syslog,
            input: place.input,
            line: place.line,
            record: "",
            provider: line.program,
            event_id: 0,
        },
    });
    Accepted::Events(1)
}

fn content<'a>(line: &SyslogLine<'a>, arena: &'a Bump) -> Option<Content<'a>> {
    let message = line.message.trim_start();
    if let Some(content) = pam(line, message) {
        return Some(content);
    }
    match line.program {
        "dbus-daemon" | "dbus" | "dbus-broker" | "dbus-broker-launch" => bus(message, arena),
        "polkitd" => polkit(message),
        "sshd" | "sshd-session" | "sshd-auth" => ssh(line, message),
        "sudo" => sudo(message),
        "pkexec" => Some(text(line, message)),
        "useradd" | "usermod" | "gpasswd" | "groupmems" | "adduser" => account(line, message),
        "systemd" => service(line, message),
        "yum" | "dnf" => software(line, message),
        _ => fault(message).then(|| text(line, message)),
    }
}

/// Whether a line, of any program, reports that a UNIX socket refused or dropped it.
fn fault(message: &str) -> bool {
    let contains_any = |words: &[&str]| words.iter().any(|word| message.contains(word));
    contains_any(&["onnection refused", "ermission denied", "roken pipe", "onnection reset"])
        && contains_any(&[".sock", "/run/", "unix:@"])
}

/// The daemon that wrote the line, as its subject.
fn writer<'a>(line: &SyslogLine<'a>) -> Process<'a> {
    Process { pid: line.pid, original_name: line.program, ..Process::default() }
}

/// The text between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

fn up_to<'a>(text: &'a str, ends: &[char]) -> &'a str {
    text.split(ends).next().unwrap_or_default()
}

// --- D-Bus ---

fn bus<'a>(message: &'a str, arena: &'a Bump) -> Option<Content<'a>> {
    // `[system] ` or `[session uid=1000 pid=999] `
    let body = match message.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => message,
    };
    if body.contains("apparmor=\"") {
        return apparmor(body, arena);
    }
    if body.starts_with("Rejected ") {
        let destination = quoted(body, "destination=\"");
        return Some(Content {
            outcome: Outcome::Denied,
            process: peer(between(body, "sender=", " interface=").unwrap_or_default()),
            activity: bus_call(destination, quoted(body, "interface=\""), quoted(body, "member=\""), destination),
        });
    }
    if body.starts_with("Activating ") {
        let name = between(body, "name='", "'")?;
        let requested = body.split_once("requested by ").map_or("", |(_, rest)| rest);
        return Some(Content {
            outcome: Outcome::Unknown,
            process: peer(requested),
            activity: bus_call(name, "org.freedesktop.DBus", "StartServiceByName", name),
        });
    }
    let (outcome, name) = if body.starts_with("Successfully activated service '") {
        (Outcome::Success, between(body, "service '", "'")?)
    } else if body.starts_with("Activated service '") && body.contains("failed") {
        (Outcome::Failure, between(body, "service '", "'")?)
    } else {
        return None;
    };
    let activity = bus_call(name, "org.freedesktop.DBus", "StartServiceByName", name);
    Some(Content { outcome, process: Process::default(), activity })
}

fn bus_call<'a>(name: &'a str, interface: &'a str, operation: &'a str, object: &'a str) -> Activity<'a> {
    Activity::RpcCall(RpcCall {
        channel: Channel { mechanism: Mechanism::Dbus, name, ..Channel::default() },
        interface,
        operation,
        object,
        ..RpcCall::default()
    })
}

/// A quoted value; `(unset)` becomes `None`.
fn quoted<'a>(text: &'a str, before: &str) -> &'a str {
    match between(text, before, "\"") {
        Some("(unset)") | None => "",
        Some(value) => value,
    }
}

/// `":1.5" (uid=0 pid=31 comm="CMD" label="L")`: dbus-daemon writes the truncated command line as comm, and does not
/// escape the quotes in it.
fn peer(text: &str) -> Process<'_> {
    let number = |before| between(text, before, " ").unwrap_or_default();
    let comm = text.split_once("comm=\"").map_or("", |(_, rest)| match rest.split_once("\" label=\"") {
        Some((comm, _)) => comm.trim_end(),
        None => rest.trim_end().strip_suffix("\")").unwrap_or(rest).trim_end(),
    });
    Process {
        pid: number("pid=").parse().ok(),
        command_line: comm,
        user: User { id: number("(uid="), ..User::default() },
        ..Process::default()
    }
}

fn apparmor<'a>(body: &'a str, arena: &'a Bump) -> Option<Content<'a>> {
    let get = |name: &str| fields(body).find(|field| field.name == name).map_or("", |field| field.value);
    if !get("operation").starts_with("dbus") {
        return None;
    }
    let activity = bus_call(get("name"), get("interface"), get("member"), bus_object(get("name"), get("path"), arena));
    Some(Content {
        outcome: if get("apparmor") == "DENIED" { Outcome::Denied } else { Outcome::Success },
        process: Process { pid: get("pid").parse().ok(), ..Process::default() },
        activity,
    })
}

/// `Registered Authentication Agent for S (...)`, `Operator of S successfully authenticated as U to gain A
/// authorization for action X for S [CMD] (owned by unix-user:U)`.
fn polkit(message: &str) -> Option<Content<'_>> {
    let (outcome, operation, object) = if message.starts_with("Registered Authentication Agent for ") {
        (Outcome::Success, "RegisterAuthenticationAgent", between(message, "object path ", ",").unwrap_or_default())
    } else if message.starts_with("Operator of ") {
        let action = between(message, "for action ", " ")?;
        let outcome = if message.contains("successfully authenticated") { Outcome::Success } else { Outcome::Denied };
        (outcome, "CheckAuthorization", action)
    } else {
        return None;
    };
    let subject = between(message, "unix-process:", ":").and_then(|pid| pid.parse().ok());
    let name = between(message, "(owned by unix-user:", ")").unwrap_or_default();
    Some(Content {
        outcome,
        process: Process {
            pid: subject,
            command_line: between(message, " [", "]").unwrap_or_default(),
            user: User { name, ..User::default() },
            ..Process::default()
        },
        activity: bus_call("org.freedesktop.PolicyKit1", "org.freedesktop.PolicyKit1.Authority", operation, object),
    })
}

// --- logons ---

fn ssh<'a>(line: &SyslogLine<'a>, message: &'a str) -> Option<Content<'a>> {
    let (outcome, rest) = if let Some(rest) = message.strip_prefix("Accepted ") {
        (LogonOutcome::Start, rest.split_once(" for ")?.1)
    } else if let Some(rest) = message.strip_prefix("Failed ") {
        (LogonOutcome::Failure, rest.split_once(" for ")?.1)
    } else {
        (LogonOutcome::Failure, message.strip_prefix("Invalid user ")?)
    };
    let rest = rest.strip_prefix("invalid user ").unwrap_or(rest);
    // A user name may contain blanks: the address is after the last ` from `.
    let (name, from) = rest.rsplit_once(" from ")?;
    let mut words = from.split(' ');
    let address = words.next().unwrap_or_default();
    let port = words.nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    Some(logon(line, outcome, 10, "sshd", User { name, ..User::default() }, Endpoint { address, port, name: "" }))
}

fn logon<'a>(
    line: &SyslogLine<'a>,
    outcome: LogonOutcome,
    kind: u32,
    package: &'a str,
    user: User<'a>,
    source: Endpoint<'a>,
) -> Content<'a> {
    Content {
        outcome: if outcome == LogonOutcome::Failure { Outcome::Failure } else { Outcome::Success },
        process: writer(line),
        activity: Activity::Logon(Logon { outcome, kind, user, source, package, ..Logon::default() }),
    }
}

/// `pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1001)` and similar lines.
fn pam<'a>(line: &SyslogLine<'a>, message: &'a str) -> Option<Content<'a>> {
    let (service, rest) = message.strip_prefix("pam_")?.split_once('(')?.1.split_once("): ")?;
    let (service, phase) = service.split_once(':')?;
    let kind = match service {
        "sshd" => 10,
        "cron" | "crond" | "atd" => 4,
        "login" | "gdm-password" | "lightdm" | "sddm" => 2,
        _ => 0,
    };
    if phase == "session" {
        // sshd's own line has the same information, and the address.
        if let Some(rest) = rest.strip_prefix("session opened for user ").filter(|_| service != "sshd") {
            let (user, by) = rest.split_once(" by ").unwrap_or((rest, ""));
            let mut content = logon(line, LogonOutcome::Start, kind, service, account_of(user), Endpoint::default());
            content.process.user = account_of(by);
            return Some(content);
        }
        let user = rest.strip_prefix("session closed for user ")?;
        return Some(logon(line, LogonOutcome::End, kind, service, account_of(user), Endpoint::default()));
    }
    if phase == "auth" && rest.starts_with("authentication failure") {
        let get = |name: &str| fields(rest).find(|field| field.name == name).map_or("", |field| field.value);
        let user = User { name: get("user"), ..User::default() };
        let source = Endpoint { address: get("rhost"), ..Endpoint::default() };
        let mut content = logon(line, LogonOutcome::Failure, kind, service, user, source);
        content.process.user = User { id: get("uid"), name: get("ruser"), ..User::default() };
        content.process.tty = get("tty");
        return Some(content);
    }
    if phase == "chauthtok" {
        let name = rest.strip_prefix("password changed for ")?;
        return Some(change(line, PrivilegeChangeKind::RightAssigned, name, "", "password changed"));
    }
    None
}

/// `root(uid=0)`, `root`, `(uid=0)`.
fn account_of(text: &str) -> User<'_> {
    let name = up_to(text, &['(', ' ']);
    User { name, id: between(text, "(uid=", ")").unwrap_or_default(), ..User::default() }
}

/// `alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id`
fn sudo(message: &str) -> Option<Content<'_>> {
    let (name, rest) = message.split_once(" : ")?;
    let part = |key: &str| rest.split(" ; ").find_map(|part| part.trim_start().strip_prefix(key)).unwrap_or_default();
    // The command is last and may contain anything.
    let command = rest.split_once("COMMAND=").map_or("", |(_, command)| command);
    let refused = !rest.starts_with("TTY=") && !rest.starts_with("PWD=") && !rest.starts_with("HOST=");
    Some(Content {
        outcome: if refused { Outcome::Denied } else { Outcome::Success },
        process: Process {
            user: User { name: name.trim(), ..User::default() },
            working_directory: part("PWD="),
            tty: part("TTY="),
            ..Process::default()
        },
        activity: Activity::Text(Text { program: "sudo", message: command }),
    })
}

fn text<'a>(line: &SyslogLine<'a>, message: &'a str) -> Content<'a> {
    Content {
        outcome: Outcome::Unknown,
        process: writer(line),
        activity: Activity::Text(Text { program: line.program, message }),
    }
}

// --- changes ---

/// useradd, usermod and gpasswd; their lines about shadow groups duplicate those about groups.
fn account<'a>(line: &SyslogLine<'a>, message: &'a str) -> Option<Content<'a>> {
    if let Some(rest) = message.strip_prefix("new user: name=") {
        let mut content = change(line, PrivilegeChangeKind::AccountCreated, up_to(rest, &[',']), "", message);
        if let Activity::PrivilegeChange(change) = &mut content.activity {
            change.principal.id = between(message, "UID=", ",").unwrap_or_default();
        }
        return Some(content);
    }
    let (name, group) = if let Some(rest) = message.strip_prefix("add '") {
        let (name, rest) = rest.split_once("' to group '")?;
        (name, rest.trim_end_matches('\''))
    } else {
        // `user bob added by root to group docker`
        let rest = message.strip_prefix("user ")?;
        let (name, rest) = rest.split_once(" added by ")?;
        (name, rest.split_once(" to group ")?.1)
    };
    Some(change(line, PrivilegeChangeKind::GroupMemberAdded, name, group, message))
}

fn change<'a>(
    line: &SyslogLine<'a>,
    kind: PrivilegeChangeKind,
    name: &'a str,
    object: &'a str,
    details: &'a str,
) -> Content<'a> {
    let principal = User { name, ..User::default() };
    Content {
        outcome: Outcome::Success,
        process: writer(line),
        activity: Activity::PrivilegeChange(PrivilegeChange { kind, principal, object, details }),
    }
}

/// `Started nginx.service - A web server.`, `Started A web server.`
fn service<'a>(line: &SyslogLine<'a>, message: &'a str) -> Option<Content<'a>> {
    let (state, rest) = ["Started ", "Stopped ", "Reloaded "]
        .into_iter()
        .find_map(|word| Some((word.trim_end(), message.strip_prefix(word)?)))?;
    let name = rest.split_once(" - ").map_or(rest, |(name, _)| name).trim_end_matches('.');
    if name.starts_with("Session ") || name.ends_with(".scope") || name.ends_with(".slice") {
        return None;
    }
    let state = match state {
        "Started" => "started",
        "Stopped" => "stopped",
        _ => "reloaded",
    };
    Some(Content {
        outcome: Outcome::Success,
        process: writer(line),
        activity: Activity::ServiceChange(ServiceChange {
            operation: ServiceOperation::StateChanged,
            name,
            state,
            ..ServiceChange::default()
        }),
    })
}

fn software<'a>(line: &SyslogLine<'a>, message: &'a str) -> Option<Content<'a>> {
    let (word, name) = message.split_once(": ")?;
    let removed = match word {
        "Installed" | "Updated" | "Upgraded" => false,
        "Erased" | "Removed" => true,
        _ => return None,
    };
    let change = SoftwareChange { name, removed, ..SoftwareChange::default() };
    Some(Content { outcome: Outcome::Success, process: writer(line), activity: Activity::SoftwareChange(change) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use backchannel_events::Timestamp;

    fn with(program: &str, message: &str, check: impl FnOnce(Option<&ProcessEvent<'_>>)) {
        let arena = Bump::new();
        let line = SyslogLine { time: Some(Timestamp::from_unix(5, 0)), host: "h1", program, pid: Some(77), message };
        let place = Place { input: "auth.log", line: 9, default_host: "fallback" };
        let mut check = Some(check);
        accept(&line, place, &arena, &mut |event| {
            assert_eq!((event.host, event.provenance.line, event.provenance.provider), ("h1", 9, program));
            check.take().unwrap()(Some(event));
        });
        if let Some(check) = check {
            check(None);
        }
    }

    fn call(program: &str, message: &str, check: impl FnOnce(&ProcessEvent<'_>, &RpcCall<'_>)) {
        with(program, message, |event| match event.unwrap() {
            event @ ProcessEvent { activity: Activity::RpcCall(call), .. } => check(event, call),
            other => panic!("{other:?}"),
        });
    }

    fn logon(program: &str, message: &str, check: impl FnOnce(&ProcessEvent<'_>, &Logon<'_>)) {
        with(program, message, |event| match event.unwrap() {
            event @ ProcessEvent { activity: Activity::Logon(logon), .. } => check(event, logon),
            other => panic!("{other:?}"),
        });
    }

    #[test]
    fn a_rejected_message_names_sender_method_and_destination() {
        let message = "[system] Rejected send message, 2 matched rules; type=\"method_call\", sender=\":1.40\" \
            (uid=1500 pid=321 comm=\"gdbus call \"x\" (y) \" label=\"unconfined\") interface=\"org.example.Priv\" \
            member=\"Run\" error name=\"(unset)\" requested_reply=\"0\" destination=\"org.example\" \
            (uid=0 pid=5 comm=\"/usr/bin/priv\")";
        call("dbus-daemon", message, |event, call| {
            assert_eq!(event.outcome, Outcome::Denied);
            assert_eq!((event.process.pid, event.process.user.id), (Some(321), "1500"));
            assert_eq!(event.process.command_line, "gdbus call \"x\" (y)");
            assert_eq!((call.interface, call.operation, call.object), ("org.example.Priv", "Run", "org.example"));
            assert_eq!((call.channel.mechanism, call.channel.name), (Mechanism::Dbus, "org.example"));
        });
        let unset = message.replace("\"org.example.Priv\"", "\"(unset)\"").replace(" label=\"unconfined\"", "");
        call("dbus", &unset, |event, call| {
            assert_eq!((call.interface, event.process.command_line), ("", "gdbus call \"x\" (y)"));
        });
    }

    #[test]
    fn an_activation_has_its_requester_and_a_failed_one_is_a_failure() {
        let message = "[session uid=1500 pid=9] Activating via systemd: service name='org.example' \
            unit='dbus-org.example.service' requested by ':1.6' (uid=0 pid=759 comm=\"/usr/bin/x --y\")";
        call("dbus-daemon", message, |event, call| {
            assert_eq!((event.process.pid, event.process.command_line), (Some(759), "/usr/bin/x --y"));
            assert_eq!((call.operation, call.object), ("StartServiceByName", "org.example"));
        });
        for (message, want) in [
            ("[system] Successfully activated service 'org.example'", Outcome::Success),
            (
                "[system] Activated service 'org.example' failed: Process org.example exited with status 1",
                Outcome::Failure,
            ),
        ] {
            call("dbus-daemon", message, |event, call| {
                assert_eq!((event.outcome, call.object), (want, "org.example"));
            });
        }
    }

    #[test]
    fn apparmor_refusals_of_the_bus_are_calls() {
        let message = "apparmor=\"DENIED\" operation=\"dbus_method_call\"  bus=\"system\" path=\"/org/example\" \
            interface=\"org.example.Priv\" member=\"Run\" mask=\"send\" name=\"org.example\" pid=321 label=\"snap.x\"";
        call("dbus-daemon", message, |event, call| {
            assert_eq!((event.outcome, event.process.pid), (Outcome::Denied, Some(321)));
            assert_eq!((call.operation, call.object), ("Run", "org.example /org/example"));
        });
    }

    #[test]
    fn polkit_lines_have_the_account_and_the_action() {
        let request = "authorization for action org.example.manage for unix-process:321:555 [busctl call x] (owned by unix-user:kim)";
        let good = format!(
            "Operator of unix-session:2 successfully authenticated as unix-user:root to gain TEMPORARY {request}"
        );
        let bad = format!("Operator of unix-session:2 FAILED to authenticate to gain {request}");
        for (message, want) in [(good, Outcome::Success), (bad, Outcome::Denied)] {
            call("polkitd", &message, |event, call| {
                assert_eq!((event.outcome, call.object), (want, "org.example.manage"));
                assert_eq!((event.process.pid, event.process.user.name), (Some(321), "kim"));
                assert_eq!(event.process.command_line, "busctl call x");
            });
        }
        let agent = "Registered Authentication Agent for unix-process:321:555 (system bus name :1.52 [pkttyagent], \
            object path /org/example/Agent, locale en_GB.UTF-8)";
        call("polkitd", agent, |event, call| {
            assert_eq!((call.operation, event.process.pid), ("RegisterAuthenticationAgent", Some(321)));
        });
    }

    #[test]
    fn sshd_lines_have_the_account_and_the_address() {
        logon("sshd", "Accepted publickey for kim from 192.0.2.8 port 5022 ssh2: ED25519 SHA256:x", |event, logon| {
            assert_eq!((logon.outcome, logon.kind, logon.user.name), (LogonOutcome::Start, 10, "kim"));
            assert_eq!((logon.source.address, logon.source.port, event.process.pid), ("192.0.2.8", 5022, Some(77)));
        });
        logon("sshd", "Failed password for invalid user a from b from 192.0.2.8 port 5 ssh2", |event, logon| {
            assert_eq!(
                (logon.outcome, logon.user.name, event.outcome),
                (LogonOutcome::Failure, "a from b", Outcome::Failure)
            );
            assert_eq!(logon.source.address, "192.0.2.8");
        });
        with("sshd", "pam_unix(sshd:session): session opened for user kim(uid=1500) by (uid=0)", |event| {
            assert!(event.is_none());
        });
    }

    #[test]
    fn socket_errors_of_any_program_are_read_and_its_other_lines_are_ignored() {
        let refused = "connect() to unix:/run/app.sock failed (111: Connection refused)";
        with("nginx", refused, |event| {
            let Activity::Text(text) = event.unwrap().activity else { panic!() };
            assert_eq!((text.program, text.message), ("nginx", refused));
        });
        for line in ["open() /etc/x failed (13: Permission denied)", "listening on unix:/run/app.sock"] {
            with("nginx", line, |event| assert!(event.is_none(), "{line}"));
        }
    }

    #[test]
    fn sessions_of_sudo_and_cron_are_logons_and_commands_are_texts() {
        let message = "pam_unix(sudo:session): session opened for user root(uid=0) by kim(uid=1500)";
        logon("sudo", message, |event, logon| {
            assert_eq!((logon.user.name, logon.user.id, logon.package), ("root", "0", "sudo"));
            assert_eq!((event.process.user.name, event.process.user.id), ("kim", "1500"));
        });
        logon("CRON", "pam_unix(cron:session): session closed for user kim", |_, logon| {
            assert_eq!((logon.outcome, logon.kind, logon.user.name), (LogonOutcome::End, 4, "kim"));
        });
        logon(
            "su",
            "pam_unix(su:auth): authentication failure; logname= uid=1500 euid=0 tty=/dev/pts/1 ruser=kim rhost=  user=root",
            |event, logon| {
                assert_eq!((logon.outcome, logon.user.name), (LogonOutcome::Failure, "root"));
                assert_eq!((event.process.user.name, event.process.tty), ("kim", "/dev/pts/1"));
            },
        );
        for (message, want) in [
            ("     kim : TTY=pts/1 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/sh -c 'a ; b'", Outcome::Success),
            (
                "kim : command not allowed ; TTY=pts/1 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/sh -c 'a ; b'",
                Outcome::Denied,
            ),
        ] {
            with("sudo", message, |event| {
                let event = event.unwrap();
                let Activity::Text(text) = event.activity else { panic!() };
                assert_eq!((text.message, event.outcome), ("/usr/bin/sh -c 'a ; b'", want));
                assert_eq!((event.process.user.name, event.process.working_directory), ("kim", "/srv"));
            });
        }
    }

    #[test]
    fn accounts_groups_services_and_software_change() {
        for (program, message, kind, name, object) in [
            (
                "useradd",
                "new user: name=kim, UID=1500, GID=1500, home=/home/kim",
                PrivilegeChangeKind::AccountCreated,
                "kim",
                "",
            ),
            ("usermod", "add 'kim' to group 'docker'", PrivilegeChangeKind::GroupMemberAdded, "kim", "docker"),
            (
                "gpasswd",
                "user kim added by root to group docker",
                PrivilegeChangeKind::GroupMemberAdded,
                "kim",
                "docker",
            ),
        ] {
            with(program, message, |event| {
                let Activity::PrivilegeChange(change) = event.unwrap().activity else { panic!() };
                assert_eq!((change.kind, change.principal.name, change.object), (kind, name, object));
            });
        }
        with("systemd", "Started cups.service - CUPS Scheduler.", |event| {
            let Activity::ServiceChange(change) = event.unwrap().activity else { panic!() };
            assert_eq!((change.name, change.state), ("cups.service", "started"));
        });
        with("dnf", "Installed: nmap-7.9", |event| {
            assert!(matches!(event.unwrap().activity, Activity::SoftwareChange(change) if change.name == "nmap-7.9"));
        });
        for (program, message) in [
            ("usermod", "add 'kim' to shadow group 'docker'"),
            ("systemd", "Started Session 4 of User kim."),
            ("kernel", "usb 1-1: new device"),
        ] {
            with(program, message, |event| assert!(event.is_none(), "{message}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_messages_do_not_panic(
            program in proptest::sample::select(vec!["dbus-daemon", "polkitd", "sshd", "sudo", "useradd", "usermod", "systemd", "dnf", "su"]),
            start in proptest::sample::select(vec!["", "[", "Rejected ", "Activating ", "Operator of ", "Accepted ", "Failed x for ", "pam_x(", "pam_unix(su:auth): authentication failure", "add '", "user ", "Started "]),
            rest in "[\\PC '\"():=\\[\\]]{0,60}",
        ) {
            with(program, &format!("{start}{rest}"), |_| {});
        }
    }
}
