//! # IPC-LNX-003: polkit authorisation race with killed callers
//!
//! ## What it detects
//! Calls of the accounts service by an ordinary user whose calling process is killed right after its start, repeated
//! until one succeeds: the command that sleeps and kills, or several calls within a minute followed by a program that
//! kills, or by a new account.
//!
//! ## Why it matters
//! polkit treated a caller that had exited as root (CVE-2021-3560): the result is a new administrator account.
//!
//! ## Telemetry
//! auditd execve and ADD_USER; the new account also from auth.log.
//!
//! ## False positives
//! None known: regular clients wait for the reply.
//!
//! ## References
//! ATT&CK T1559, T1068, T1136.001; DET0493 (AN1358). CVE-2021-3560.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, PrivilegeChangeKind, ProcessEvent, Reasons, Severity,
    Source,
};

use crate::memory::KnownProcess;
use crate::text::{clip, contains, contains_any};
use crate::{Actor, Analytic, Context, Evidence, Family, Threshold};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-003",
    title: "polkit authorisation race with killed callers",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1068", "T1136.001"],
    attack_analytics: &["AN1358"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart, ActivityKind::PrivilegeChange],
    telemetry: &[Source::Auditd],
    // The attempts and their result lie within this time.
    window: Some(Duration::from_secs(60)),
    thresholds: &[TRIES],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Number of calls by one user that count as attempts.
const TRIES: Threshold = Threshold {
    name: "tries",
    default: 2,
    least: 1,
    most: 100,
    about: "calls of the accounts service by one user within the time of a join",
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart if event.provenance.source == Source::Auditd => {
            let started = context.subject();
            let command = started.command_line;
            if started.user.acting_id() == "0" {
                return None;
            }
            if calls_accounts(command) && contains(command, "sleep") && contains(command, "kill") {
                let text = format!(
                    "{} starts calls of the accounts service and kills the caller before it is answered: {}",
                    started.account(),
                    clip(command, 200),
                );
                return Some(conclude(started, text));
            }
            // The program that kills the caller, after a second attempt.
            if started.is(&["kill", "pkill", "killall", "timeout"]) {
                let tries = tries(context, event);
                let names_caller = started.is(&["kill"]) || contains_any(command, &["dbus-send", "gdbus", "busctl"]);
                if tries.len() >= context.threshold(&TRIES) as usize && names_caller {
                    let text = format!(
                        "{} called the accounts service {} times within a minute and kills the callers.",
                        started.account(),
                        tries.len(),
                    );
                    return Some(rest_on(conclude(started, text), &tries));
                }
            }
            None
        }
        Activity::PrivilegeChange(change) if change.kind == PrivilegeChangeKind::AccountCreated => {
            let tries = tries(context, event);
            if tries.len() < context.threshold(&TRIES) as usize {
                return None;
            }
            let caller = tries.first().map(|known| Actor::remembered(known)).unwrap_or_default();
            let text = format!(
                "An account ({}) was made after {} called the accounts service {} times within a minute.",
                change.principal.name,
                caller.account(),
                tries.len(),
            );
            Some(rest_on(conclude(caller, text), &tries))
        }
        _ => None,
    }
}

fn calls_accounts(command: &str) -> bool {
    contains_any(command, &["dbus-send", "gdbus", "busctl"])
        && contains(command, "org.freedesktop.Accounts")
        && contains_any(command, &["CreateUser", "SetPassword", "SetAccountType"])
}

/// The calls of ordinary users within the window, latest first.
fn tries<'c>(context: &Context<'c>, event: &ProcessEvent<'_>) -> Vec<&'c KnownProcess> {
    context
        .host
        .processes
        .latest_first()
        .take(512)
        .filter(|known| known.start.is_some_and(|start| start.within(context.window(), event.time)))
        .filter(|known| !crate::vocabulary::sockets::is_shell(known.name()))
        .filter(|known| known.user().acting_id() != "0" && calls_accounts(&known.command_line))
        .take(16)
        .collect()
}

fn conclude(caller: Actor<'_>, text: String) -> Evidence {
    Evidence::new(Severity::Critical, Confidence::High, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(caller)
        .channel(Mechanism::Dbus, "org.freedesktop.Accounts")
}

fn rest_on(evidence: Evidence, tries: &[&KnownProcess]) -> Evidence {
    tries.iter().fold(evidence, |evidence, known| {
        evidence.because(&known.note, format!("the accounts service was called: {}", clip(&known.command_line, 160)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::{PrivilegeChange, User};

    const CALL: &str = "dbus-send --system --dest=org.freedesktop.Accounts --type=method_call /org/freedesktop/Accounts \
                        org.freedesktop.Accounts.CreateUser string:a string:b int32:1";

    fn call(seconds: f64, pid: u32) -> Event {
        start(seconds, "/usr/bin/dbus-send", CALL).pid(pid).uids("1000", "1000", "1000")
    }

    fn account(seconds: f64) -> Event {
        let change = PrivilegeChange {
            kind: PrivilegeChangeKind::AccountCreated,
            principal: User { name: "a", ..User::default() },
            ..PrivilegeChange::default()
        };
        event(seconds, Activity::PrivilegeChange(change)).of("/usr/sbin/useradd", 90).uids("0", "0", "")
    }

    #[test]
    fn attempts_and_a_new_account_are_critical() {
        let events = [call(0.0, 1), call(1.0, 2), call(2.0, 3), account(3.0)];
        let findings = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert_eq!(findings[0].evidence.len(), 4);
    }

    #[test]
    fn the_command_that_sleeps_and_kills_is_critical() {
        let command = "bash -c dbus-send --system --dest=org.freedesktop.Accounts /org/freedesktop/Accounts \
                       org.freedesktop.Accounts.CreateUser string:a string:b int32:1 & sleep 0.008s; kill $!";
        let events = [start(0.0, "/usr/bin/bash", command).pid(4).uids("1000", "1000", "1000")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn one_call_and_an_account_are_quiet() {
        check(&ANALYTIC, &[call(0.0, 1), account(3.0)], None);
    }

    #[test]
    fn an_account_made_long_after_is_quiet() {
        check(&ANALYTIC, &[call(0.0, 1), call(1.0, 2), account(300.0)], None);
    }
}
