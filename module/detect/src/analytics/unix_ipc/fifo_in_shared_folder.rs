//! # IPC-UX-013: FIFO created in a world-writable folder
//!
//! ## What it detects
//! A FIFO created below /tmp, /var/tmp or /dev/shm: low by itself, medium if a service account creates it, high if a
//! process of another account opens it.
//!
//! ## Why it matters
//! A FIFO there passes commands or data between accounts without storing them in a file.
//!
//! ## Telemetry
//! auditd mknod/mknodat; opens of FIFOs if the audit rules record them.
//!
//! ## False positives
//! Package scripts and build tools create FIFOs for their own use: low; allow by path.
//!
//! ## References
//! ATT&CK T1559; DET0493 (AN1358, mutable element FIFOAccessPatterns).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::sockets;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-013",
    title: "FIFO created in a world-writable folder",
    family: Family::UnixIpc,
    techniques: &["T1559"],
    attack_analytics: &["AN1358"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelCreate(channel) if channel.mechanism == Mechanism::Fifo => {
            if !sockets::is_shared_folder(channel.name) {
                return None;
            }
            let maker = context.subject();
            let daemon = is_daemon(maker);
            let severity = if daemon { Severity::Medium } else { Severity::Low };
            let whose = if daemon { "the daemon account " } else { "" };
            let text = format!("{whose}{} made the FIFO {} where everybody can write.", maker.account(), channel.name);
            let evidence = Evidence::new(severity, Confidence::Medium, text)
                .indicators(Indicators::UNEXPECTED_USE)
                .client(maker)
                .channel(Mechanism::Fifo, channel.name);
            Some(evidence)
        }
        Activity::ChannelConnect(channel) if channel.mechanism == Mechanism::Fifo => {
            if !sockets::is_shared_folder(channel.name) {
                return None;
            }
            let opener = context.subject();
            let made = context.channel(channel.name).and_then(|known| known.created.as_ref())?;
            let other = !made.user_id.is_empty() && *made.user_id != *opener.user.acting_id();
            if !other || opener.user.acting_id().is_empty() {
                return None;
            }
            let maker = made.process.and_then(|id| context.remembered(id)).unwrap_or_default();
            let text = format!(
                "{} opened the FIFO {} that account {} made where everybody can write.",
                opener.account(),
                channel.name,
                made.user_id,
            );
            let evidence = Evidence::new(Severity::High, Confidence::Medium, text)
                .reasons(Reasons::NONE.and_if(
                    predicates::is_privileged(opener) || predicates::is_privileged(maker),
                    Reasons::ADMINISTRATIVE_PRIVILEGES,
                ))
                .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
                .client(opener)
                .server(maker)
                .channel(Mechanism::Fifo, channel.name)
                .because(&made.note, format!("the FIFO {} was made", channel.name));
            Some(evidence)
        }
        _ => None,
    }
}

/// A service account without a login session.
fn is_daemon(actor: Actor<'_>) -> bool {
    let uid = actor.user.acting_id().parse::<u32>();
    uid.is_ok_and(|uid| (1..1_000).contains(&uid)) && actor.user.audit_id.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn fifo(seconds: f64, name: &'static str, create: bool) -> Event {
        let channel = backchannel_events::Channel { mechanism: Mechanism::Fifo, name, ..Default::default() };
        event(seconds, if create { Activity::ChannelCreate(channel) } else { Activity::ChannelConnect(channel) })
    }

    #[test]
    fn a_daemon_s_fifo_is_medium_and_a_user_s_is_low() {
        let daemon = fifo(0.0, "/tmp/.x", true).of("/usr/bin/mkfifo", 9).uids("33", "33", "");
        check(&ANALYTIC, &[daemon], Some((Severity::Medium, Confidence::Medium)));
        let user = fifo(0.0, "/tmp/sort.pipe", true).of("/usr/bin/mkfifo", 9).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[user], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn an_opening_by_another_account_is_high() {
        let events = [
            fifo(0.0, "/tmp/.x", true).of("/usr/bin/mkfifo", 9).uids("33", "33", ""),
            fifo(1.0, "/tmp/.x", false).of("/usr/bin/bash", 10).uids("0", "0", ""),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_fifo_in_a_folder_of_its_own_is_quiet() {
        check(&ANALYTIC, &[fifo(0.0, "/var/spool/app/in", true).of("/usr/bin/mkfifo", 9).uids("33", "33", "")], None);
        check(&ANALYTIC, &[fifo(0.0, "/run/initctl", false).of("/usr/bin/x", 9).uids("33", "33", "")], None);
    }
}
