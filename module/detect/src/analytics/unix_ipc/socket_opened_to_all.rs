//! # IPC-UX-004: Permissions of a privileged socket widened
//!
//! ## What it detects
//! World-write permission on a socket, set by another process than its creator; an access control list on a privileged
//! socket; an account added to a group whose members can become root (docker, lxd, libvirt, disk ...).
//!
//! ## Why it matters
//! After the change every account can talk to a daemon that trusts its few clients.
//!
//! ## Telemetry
//! auditd chmod family with PATH (the mode's type bits identify a socket), execve, USER_MGMT and GRP_MGMT; syslog of
//! usermod and gpasswd.
//!
//! ## False positives
//! Start scripts of badly packaged daemons; account provisioning by administrators: medium, explained by a change
//! record.
//!
//! ## References
//! ATT&CK T1559, T1222.002, T1098; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, FileChange, Indicators, Mechanism, PrivilegeChangeKind, ProcessEvent, Reasons,
    Severity, Source,
};

use crate::context::socket_owner;
use crate::text::{clip, contains, contains_any, is_any};
use crate::vocabulary::sockets;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-004",
    title: "Permissions of a privileged socket widened",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1222.002", "T1098"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::File, ActivityKind::ProcessStart, ActivityKind::PrivilegeChange],
    telemetry: &[Source::Auditd, Source::Syslog],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Groups whose members can become root through a socket, a device or `sudo`.
const GROUPS: &[&str] = &[
    "docker",
    "lxd",
    "incus-admin",
    "libvirt",
    "podman",
    "disk",
    "shadow",
    "sudo",
    "wheel",
    "admin",
    "kvm",
    "root",
    "systemd-journal",
    "wireshark",
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::File(file) => opened_to_all(context, event, file),
        Activity::ProcessStart if event.provenance.source == Source::Auditd => by_command(context),
        Activity::PrivilegeChange(change)
            if change.kind == PrivilegeChangeKind::GroupMemberAdded
                && matches!(event.provenance.source, Source::Auditd | Source::Syslog)
                && is_any(change.object, GROUPS) =>
        {
            Some(member(context.subject(), change.principal.name, change.object))
        }
        _ => None,
    }
}

fn opened_to_all(context: &Context<'_>, event: &ProcessEvent<'_>, file: &FileChange<'_>) -> Option<Evidence> {
    if !socket_owner::opens_anothers(context, event, file) {
        return None;
    }
    let actor = context.subject();
    let made = context.channel(file.path).and_then(|known| known.created.as_ref());
    let server = made.and_then(|made| made.process).and_then(|id| context.remembered(id)).unwrap_or_default();
    let owner = if file.owner.is_empty() { made.map_or("", |made| &*made.user_id) } else { file.owner };
    let by_root = owner == "0" || sockets::is_privileged(file.path);
    let by_login = !actor.user.audit_id.is_empty();
    let severity = match (by_root, by_login, actor.user.acting_id() == owner && !by_root) {
        (true, true, _) => Severity::High,
        (true, false, _) => Severity::Medium,
        // The owner changes the permissions of its own socket.
        (false, _, true) => Severity::Low,
        (false, _, false) => Severity::Medium,
    };
    let whose = if owner.is_empty() { "another account".to_owned() } else { format!("uid {owner}") };
    let text = format!(
        "{} of {} made the socket {} of {whose} writable for everybody (mode {:o}): any account can now talk to its \
         server.",
        actor.name(),
        actor.account(),
        file.path,
        file.mode.unwrap_or(0),
    );
    let mut evidence = Evidence::new(severity, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(actor), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(actor)
        .server(server)
        .channel(Mechanism::UnixSocket, file.path);
    if let Some(made) = made {
        evidence = evidence.because(&made.note, format!("the socket {} was made", file.path));
    }
    Some(evidence)
}

/// Detection by the tool's command line, for sites whose audit rules do not record the system calls.
fn by_command(context: &Context<'_>) -> Option<Evidence> {
    let started = context.subject();
    let command = started.command_line;
    if started.is(&["setfacl"]) && contains_any(command, &["-m", "--modify", "--set"]) {
        let path = command.split_whitespace().rev().find(|word| {
            let word = word.trim_matches(['\'', '"']);
            word.ends_with(".sock") || word.ends_with(".socket") || sockets::is_privileged(word)
        })?;
        let text = format!("{} granted access to the socket {path}: {}", started.account(), clip(command, 200));
        let evidence = Evidence::new(Severity::Medium, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::ABNORMAL_FLOW)
            .client(started)
            .channel(Mechanism::UnixSocket, path);
        return Some(evidence);
    }
    if started.is(&["usermod", "gpasswd", "adduser"]) {
        let adds = match started.name() {
            "usermod" => contains_any(command, &[" -aG", " -a -G", " -G", "--groups"]),
            "gpasswd" => contains_any(command, &[" -a", "--add"]),
            // `adduser NAME GROUP`; options create accounts.
            _ => !contains(command, " -") && command.split_whitespace().count() == 3,
        };
        let mut words = command.split([' ', ',', '=']).map(|word| word.trim_matches(['\'', '"']));
        let group = words.find(|word| is_any(word, GROUPS))?;
        return adds.then(|| member(started, "", group));
    }
    None
}

fn member(actor: Actor<'_>, who: &str, group: &str) -> Evidence {
    let by_login = !actor.user.audit_id.is_empty();
    let who = if who.is_empty() { "an account".to_owned() } else { who.to_owned() };
    let text = format!(
        "{} of {} added {who} to the group {group}, whose members are as good as root on this machine: {}",
        actor.name(),
        actor.account(),
        clip(actor.command_line, 200),
    );
    Evidence::new(if by_login { Severity::Medium } else { Severity::Low }, Confidence::High, text)
        .reasons(Reasons::NONE.and_if(predicates::is_privileged(actor), Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(actor)
}

#[cfg(test)]
mod tests {
    use backchannel_events::{FileKind, FileOperation};

    use super::*;
    use crate::testing::*;

    fn chmod(seconds: f64, path: &'static str, mode: u32, owner: &'static str) -> Event {
        let file = FileChange {
            operation: FileOperation::ChangeMode,
            kind: FileKind::Socket,
            path,
            mode: Some(mode),
            owner,
            ..FileChange::default()
        };
        event(seconds, Activity::File(file))
    }

    fn bound(path: &'static str, uid: &'static str) -> Event {
        unix_bound(0.0, path).of("/usr/sbin/helperd", 40).uids(uid, uid, "")
    }

    #[test]
    fn a_chmod_by_an_administrator_on_a_root_owned_socket_is_high() {
        let events = [
            bound("/run/helper.sock", "0"),
            chmod(60.0, "/run/helper.sock", 0o777, "0").of("/usr/bin/chmod", 50).uids("0", "0", "1000"),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_socket_without_a_logged_creation_is_graded_by_the_tool() {
        let events = [chmod(0.0, "/srv/queue/q.sock", 0o666, "990").of("/usr/bin/chmod", 50).uids("0", "0", "1000")];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn a_daemon_that_opens_its_own_socket_is_quiet() {
        let events = [
            bound("/run/helper.sock", "0"),
            chmod(0.1, "/run/helper.sock", 0o666, "0").of("/usr/sbin/helperd", 40).uids("0", "0", ""),
        ];
        check(&ANALYTIC, &events, None);
        let unseen = chmod(0.0, "/run/x.sock", 0o777, "101").of("/usr/lib/postgresql/15/bin/postgres", 9);
        check(&ANALYTIC, &[unseen.uids("101", "101", "")], None);
    }

    #[test]
    fn narrower_permissions_and_ordinary_files_are_quiet() {
        let events = [chmod(0.0, "/run/x.sock", 0o660, "0").of("/usr/bin/chmod", 50).uids("0", "0", "1000")];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_new_member_of_the_docker_group_fires_and_of_another_does_not() {
        let add = |command| [start(0.0, "/usr/sbin/usermod", command).pid(9).uids("0", "0", "1000")];
        check(&ANALYTIC, &add("usermod -aG docker eve"), Some((Severity::Medium, Confidence::High)));
        check(&ANALYTIC, &add("usermod -aG audio eve"), None);
        check(&ANALYTIC, &add("usermod -s /bin/sh docker"), None);
    }
}
