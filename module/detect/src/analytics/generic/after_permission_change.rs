//! # IPC-BASE-010: Newly granted permission used
//!
//! ## What it detects
//! A restricted channel opened within a day by an account that was just given access: a container engine's socket by a
//! new member of its group, a socket by an unexpected program after it was made world-writable, an administrative pipe
//! from another machine by a new administrator.
//!
//! ## Why it matters
//! The permission change alone may be onboarding, the use alone ordinary administration; both together, without an
//! explanation, are typical of an attacker who grants access and uses it.
//!
//! ## Telemetry
//! Security 4728 and 4732, auditd USER_MGMT, GRP_MGMT and chmod on sockets for the right; Security 5145, auditd
//! connect for its use.
//!
//! ## False positives
//! Manual onboarding. A change made by configuration management or a package explains the finding: info.
//!
//! ## References
//! Playbook Q3, L1b, E1; ATT&CK T1559, T1098; DET0493 (AN1357, AN1358).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::socket_owner;
use crate::memory::recent::{Change, ChangeKind};
use crate::text::{base_name, contains, is_any};
use crate::vocabulary::pipes::{self, remote};
use crate::vocabulary::sockets;
use crate::{Actor, Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-010",
    title: "Newly granted permission used",
    family: Family::Generic,
    techniques: &["T1559", "T1098"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Security, Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

/// A permission counts as new for this long.
const NEW: Duration = Duration::from_secs(24 * 3_600);

/// Groups whose members may administer Windows remotely, by name or by the end of their SID.
const WINDOWS_GROUPS: &[&str] = &[
    "Administrators",
    "Domain Admins",
    "Enterprise Admins",
    "Backup Operators",
    "Server Operators",
    "Distributed COM Users",
    "Remote Management Users",
    "S-1-5-32-544",
    "S-1-5-32-551",
    "S-1-5-32-549",
    "S-1-5-32-562",
    "S-1-5-32-580",
];

/// Programs that install software and configure machines.
const MANAGERS: &[&str] = &[
    "dpkg",
    "rpm",
    "apt",
    "apt-get",
    "dnf",
    "yum",
    "zypper",
    "pacman",
    "snapd",
    "packagekitd",
    "ansible",
    "puppet",
    "chef-client",
    "salt-minion",
    "cloud-init",
    "msiexec.exe",
    "trustedinstaller.exe",
    "ccmexec.exe",
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    let mut changes = context.host.changes.near(event.time, NEW).filter(|change| change.note.time <= event.time);
    // Most hosts have no such change and need no further checks.
    let client = context.subject();
    let change = changes.find(|change| lets_in(context, change, channel, client))?;
    let explained = is_managed(context, change);
    let severity = if explained { Severity::Info } else { Severity::High };
    let who = account(context, client);
    let how = match change.kind {
        ChangeKind::Permission => format!("{} was opened to everybody", change.object),
        _ => format!("{} was added to {}", change.subject, change.object),
    };
    let text = format!(
        "{who} opened {} {} soon after {how}{}.",
        channel.mechanism.as_str(),
        channel.name,
        if explained { " by software that sets machines up" } else { "; nothing explains the change" },
    );
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(if explained { Reasons::NONE } else { Reasons::ADMINISTRATIVE_PRIVILEGES })
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .channel(channel.mechanism, channel.name)
        .because(&change.note, how);
    if !channel.peer.is_empty() {
        evidence = evidence.exchange_with(event, channel.peer);
    }
    Some(evidence)
}

/// Whether the change gives this client access to this channel.
fn lets_in(context: &Context<'_>, change: &Change, channel: &Channel<'_>, client: Actor<'_>) -> bool {
    match (change.kind, channel.mechanism) {
        (ChangeKind::Permission, Mechanism::UnixSocket) => {
            *change.object == *channel.name && socket_owner::stranger(context, channel, client).is_some()
        }
        (ChangeKind::Group, Mechanism::UnixSocket) => {
            opens(&change.object, channel.name) && is_same(context, &change.subject, client)
        }
        (ChangeKind::Group, Mechanism::NamedPipe) => {
            !channel.peer.is_empty()
                && is_any(&change.object, WINDOWS_GROUPS)
                && remote::administers(pipes::bare(channel.name)).is_some()
                && is_same(context, &change.subject, client)
        }
        _ => false,
    }
}

/// Whether membership of a group gives access to a socket: both contain the engine's name.
fn opens(group: &str, socket: &str) -> bool {
    const OF: [(&str, &str); 6] = [
        ("docker", "/docker.sock"),
        ("podman", "/podman.sock"),
        ("lxd", "/lxd/unix.socket"),
        ("incus-admin", "/incus/unix.socket"),
        ("libvirt", "/libvirt-sock"),
        ("containerd", "/containerd.sock"),
    ];
    OF.iter().any(|(known, path)| group.eq_ignore_ascii_case(known) && socket.ends_with(path))
        && sockets::is_privileged(socket)
}

/// Whether the account of a change is the client's: by name, by id, or by the login name of the client's session.
fn is_same(context: &Context<'_>, subject: &str, client: Actor<'_>) -> bool {
    let session = client.session.and_then(|session| context.logon(u64::from(session)));
    let names = [client.user.name, client.user.id, client.user.audit_id, session.map_or("", |logon| &*logon.user_name)];
    !subject.is_empty() && names.iter().any(|name| !name.is_empty() && name.eq_ignore_ascii_case(base_name(subject)))
}

fn account(context: &Context<'_>, client: Actor<'_>) -> String {
    let session = client.session.and_then(|session| context.logon(u64::from(session)));
    match (client.user.name, session) {
        ("", Some(logon)) => logon.user_name.to_string(),
        _ => client.account(),
    }
}

/// Whether the process that made the change, or its parent, installs software or configures machines.
fn is_managed(context: &Context<'_>, change: &Change) -> bool {
    let mut next = change.who.process.and_then(|id| context.remembered(id));
    for _ in 0..6 {
        let Some(actor) = next else { return false };
        if actor.is(MANAGERS) || MANAGERS.iter().any(|name| contains(actor.command_line, &format!("/{name}"))) {
            return true;
        }
        next = context.parent_of(actor);
    }
    false
}

#[cfg(test)]
mod tests {
    use backchannel_events::{FileChange, FileKind, FileOperation, PrivilegeChange, PrivilegeChangeKind, User};

    use super::*;
    use crate::testing::*;

    fn added(seconds: f64, user: &'static str, group: &'static str) -> Event {
        let change = PrivilegeChange {
            kind: PrivilegeChangeKind::GroupMemberAdded,
            principal: User { name: user, ..User::default() },
            object: group,
            details: "",
        };
        let mut event = event(seconds, Activity::PrivilegeChange(change));
        event.0.provenance.source = Source::Auditd;
        event
    }

    fn uses_docker(seconds: f64, user: &'static str) -> Event {
        unix_connected(seconds, "/run/docker.sock", "0", 0o660)
            .of("/usr/bin/docker", 70)
            .uids("1001", "1001", "1001")
            .user("", user)
    }

    #[test]
    fn a_new_member_of_the_docker_group_that_uses_it_fires() {
        let events = [added(0.0, "kim", "docker").of("/usr/sbin/usermod", 60), uses_docker(600.0, "kim")];
        let found = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
        assert!(
            found
                .iter()
                .all(|finding| finding.reasons == Reasons::ADMINISTRATIVE_PRIVILEGES && finding.evidence.len() == 2)
        );
    }

    #[test]
    fn an_unexpected_program_on_a_socket_made_world_writable_fires() {
        let chmod = FileChange {
            operation: FileOperation::ChangeMode,
            kind: FileKind::Socket,
            path: "/run/app.sock",
            mode: Some(0o140_666),
            owner: "0",
            ..FileChange::default()
        };
        let chmod = event(0, Activity::File(chmod)).of("/usr/bin/chmod", 60).uids("0", "0", "1001");
        let used =
            unix_connected(60.0, "/run/app.sock", "0", 0o140_666).of("/usr/bin/nc", 70).uids("1002", "1002", "1002");
        check(&ANALYTIC, &[chmod, used], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_daemon_that_makes_its_own_socket_world_writable_is_quiet() {
        let chmod = FileChange {
            operation: FileOperation::ChangeMode,
            kind: FileKind::Socket,
            path: "/run/postgresql/.s.PGSQL.5432",
            mode: Some(0o140_777),
            owner: "26",
            ..FileChange::default()
        };
        let events = [
            unix_bound(0.0, "/run/postgresql/.s.PGSQL.5432").of("/usr/bin/postgres", 60).uids("26", "26", ""),
            event(1, Activity::File(chmod)).of("/usr/bin/postgres", 60).uids("26", "26", ""),
            unix_connected(60.0, "/run/postgresql/.s.PGSQL.5432", "26", 0o140_777)
                .of("/usr/bin/psql", 70)
                .uids("1002", "1002", "1002"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_new_administrator_on_the_service_pipe_fires() {
        let events = [
            added(0.0, "eve", "Administrators"),
            pipe_opened_from(600, r"\svcctl", "10.0.0.99", 0x12_019f).user("CORP", "eve"),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_package_that_adds_its_own_account_is_explained() {
        let events = [
            start(0, "/usr/bin/dpkg", "dpkg --configure docker").pid(59).uids("0", "0", "1000"),
            start(0, "/usr/sbin/usermod", "usermod").pid(60).parent_pid(59).uids("0", "0", "1000"),
            added(1.0, "kim", "docker").pid(60),
            uses_docker(600.0, "kim"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Info, Confidence::Medium)));
    }

    #[test]
    fn another_account_an_old_change_and_another_group_are_quiet() {
        check(&ANALYTIC, &[added(0.0, "kim", "docker"), uses_docker(600.0, "lee")], None);
        check(&ANALYTIC, &[added(0.0, "kim", "docker"), uses_docker(25.0 * 3_600.0, "kim")], None);
        check(&ANALYTIC, &[added(0.0, "kim", "lpadmin"), uses_docker(600.0, "kim")], None);
    }
}
