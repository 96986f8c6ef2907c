//! # IPC-BASE-013: Channel created by another program than before
//!
//! ## What it detects
//! A pipe, socket or FIFO created again under the same name by a program with another name and another folder, which is
//! less trusted than the earlier owner or runs with lower privileges. Well-known pipes are covered by IPC-PIPE-007.
//!
//! ## Why it matters
//! Clients find their server by name alone: a process that takes the name over receives their requests, and may gain
//! their privileges.
//!
//! ## Telemetry
//! Sysmon 17; auditd bind, mknod.
//!
//! ## False positives
//! A product replaced by another one with the same interface: an installation in between explains the finding. Sockets
//! that a service manager creates on a daemon's behalf are excluded.
//!
//! ## References
//! Playbook KI-1, Q1, Q4, E3; ATT&CK T1559, T1574; DET0493 (AN1357, AN1358).

use backchannel_events::{
    Activity, ActivityKind, Channel, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::memory::recent::ChangeKind;
use crate::memory::{KnownChannel, Use};
use crate::text::{base_name, directory};
use crate::vocabulary::pipes::{self, owners};
use crate::vocabulary::{hubs, sockets};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-013",
    title: "Channel created by another program than before",
    family: Family::Generic,
    techniques: &["T1559", "T1574"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelCreate],
    telemetry: &[Source::Sysmon, Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Programs that create sockets on behalf of others.
const ON_BEHALF: &[&str] = &[
    "systemd",
    "init",
    "launchd",
    "inetd",
    "xinetd",
    "s6-ipcserverd",
    "docker-proxy",
    "conmon",
    "sshd",
    "sshd-session",
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelCreate(channel) = &event.activity else { return None };
    if channel.mechanism == Mechanism::AnonymousPipe || matches!(event.outcome, Outcome::Failure | Outcome::Denied) {
        return None;
    }
    let known = context.channel(channel.name)?;
    let before = known.created.as_ref()?;
    let now = context.subject();
    if !is_other(&before.image, now.image) || now.is(ON_BEHALF) || is_covered_by_others(channel) {
        return None;
    }
    let earlier = before.process.and_then(|id| context.remembered(id)).unwrap_or_default();
    let earlier = Actor { image: &before.image, ..earlier };
    if earlier.is(ON_BEHALF) || is_replaced(context, before, event) {
        return None;
    }
    let untrusted = predicates::is_untrusted(now) && !predicates::is_untrusted(earlier);
    let lesser = is_privileged(earlier) && !is_privileged(now);
    if !untrusted && !lesser {
        return None;
    }
    let worse = sockets::is_privileged(channel.name) || has_privileged_clients(context, known);
    let severity = if worse { Severity::High } else { Severity::Medium };
    let text = format!(
        "{} at {} made {} {}, which {} made before: clients of the name now talk to another program.",
        now.name(),
        now.image,
        channel.mechanism.as_str(),
        channel.name,
        earlier.name(),
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(predicates::is_unknown_binary(now), Reasons::UNKNOWN_BINARY)
                .and_if(worse && lesser, Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .client(earlier)
        .server(now)
        .channel(channel.mechanism, channel.name)
        .because(&before.note, format!("{} made {} before", earlier.name(), channel.name));
    Some(evidence)
}

/// Whether two programs differ in name and in folder: versions of one product do not.
fn is_other(before: &str, now: &str) -> bool {
    !before.is_empty()
        && !now.is_empty()
        && !base_name(before).eq_ignore_ascii_case(base_name(now))
        && !directory(before).eq_ignore_ascii_case(directory(now))
}

/// Whether other analytics cover the name: common names, names with a fixed owner, or names that contain their creator.
fn is_covered_by_others(channel: &Channel<'_>) -> bool {
    if channel.mechanism != Mechanism::NamedPipe {
        return hubs::is_shared(channel.name) || sockets::is_desktop(channel.name);
    }
    let bare = pipes::bare(channel.name);
    hubs::is_shared(channel.name) || owners::of(bare).is_some() || pipes::claim(bare).is_some()
}

/// Whether software was installed or removed between the two.
fn is_replaced(context: &Context<'_>, before: &Use, event: &ProcessEvent<'_>) -> bool {
    context.host.changes.latest_first().any(|change| {
        change.kind == ChangeKind::Software && before.note.time <= change.note.time && change.note.time <= event.time
    })
}

fn is_privileged(actor: Actor<'_>) -> bool {
    predicates::is_local_system(actor) || actor.user.acting_id() == "0"
}

fn has_privileged_clients(context: &Context<'_>, known: &KnownChannel) -> bool {
    known.opened.iter().filter_map(|one| context.remembered(one.process?)).any(is_privileged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn served(seconds: f64) -> Event {
        pipe_created(seconds, r"\vendor\control").of(r"C:\Program Files\V\svc.exe", 40).user("NT AUTHORITY", "SYSTEM")
    }

    #[test]
    fn a_user_s_program_that_takes_over_a_service_s_name_fires() {
        let taken = pipe_created(60, r"\vendor\control").of(r"C:\Users\a\x.exe", 60).user("CORP", "a");
        let found = check(&ANALYTIC, &[served(0.0), taken], Some((Severity::Medium, Confidence::Medium)));
        assert!(found.iter().all(|finding| finding.reasons == Reasons::UNKNOWN_BINARY));
    }

    #[test]
    fn with_privileged_clients_it_is_high() {
        let client =
            pipe_opened(10, r"\vendor\control").of(r"C:\Program Files\V\job.exe", 50).user("NT AUTHORITY", "SYSTEM");
        let taken = pipe_created(60, r"\vendor\control").of(r"C:\Users\a\x.exe", 60).user("CORP", "a");
        check(&ANALYTIC, &[served(0.0), client, taken], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_root_socket_taken_over_by_another_account_fires() {
        let events = [
            unix_bound(0.0, "/run/app/app.sock").of("/usr/sbin/appd", 40).uids("0", "0", ""),
            unix_bound(60.0, "/run/app/app.sock").of("/usr/bin/python3", 60).uids("1001", "1001", "1001"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_new_version_and_a_restart_are_quiet() {
        let renamed = served(60.0).of(r"C:\Program Files\V\svc2.exe", 60);
        check(&ANALYTIC, &[served(0.0), served(30.0), renamed], None);
    }

    #[test]
    fn a_service_manager_that_creates_the_socket_is_quiet() {
        let events = [
            unix_bound(0.0, "/run/docker.sock").of("/usr/bin/dockerd", 40).uids("0", "0", ""),
            unix_bound(60.0, "/run/docker.sock").of("/usr/lib/systemd/systemd", 1).uids("0", "0", ""),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn two_programs_of_one_user_that_share_a_name_are_quiet() {
        let made = |seconds, image, pid| pipe_created(seconds, r"\discord-ipc-0").of(image, pid).user("CORP", "a");
        let events = [
            made(0, r"C:\Users\a\AppData\Local\Discord\Discord.exe", 40),
            made(60, r"C:\Users\a\AppData\Local\vesktop\vesktop.exe", 60),
        ];
        check(&ANALYTIC, &events, None);
    }
}
