//! # IPC-UX-008: Abstract UNIX socket used by a program in an unusual location
//!
//! ## What it detects
//! A name in the abstract namespace of UNIX sockets that is bound or connected to by a program that runs from memory,
//! from a world-writable folder, or from a hidden one.
//!
//! ## Why it matters
//! An abstract socket leaves no file and has no permissions: implants use it to communicate with each other unnoticed.
//!
//! ## Telemetry
//! auditd bind and connect; the name is decoded from the raw address including its leading NUL (shown as `@`).
//!
//! ## False positives
//! Desktop programs started from a shared folder that connect to the display and the session bus: those names are
//! excluded.
//!
//! ## References
//! ATT&CK T1559, T1564; DET0493 (AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, Outcome, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::{sockets, unix_paths};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-UX-008",
    title: "Abstract UNIX socket used by a program in an unusual location",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1564"],
    attack_analytics: &["AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelCreate, ActivityKind::ChannelConnect],
    telemetry: &[Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (channel, serves) = match &event.activity {
        Activity::ChannelCreate(channel) => (channel, true),
        Activity::ChannelConnect(channel) => (channel, false),
        _ => return None,
    };
    if channel.mechanism != Mechanism::UnixAbstract
        || matches!(event.outcome, Outcome::Failure | Outcome::Denied)
        || sockets::is_desktop(channel.name)
    {
        return None;
    }
    let subject = context.subject();
    let odd = unix_paths::odd_place(subject.image)?;
    let does = if serves { "listens on" } else { "connects to" };
    let text = format!(
        "{} of {} {does} the abstract socket {}, and it runs {odd}.",
        subject.name(),
        subject.account(),
        channel.name
    );
    let evidence = Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::NONE.and_if(predicates::is_unknown_binary(subject), Reasons::UNKNOWN_BINARY))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::UnixAbstract, channel.name);
    if serves {
        return Some(evidence.server(subject));
    }
    let evidence = evidence.client(subject);
    let made = context.channel(channel.name).and_then(|known| known.created.as_ref());
    Some(match made {
        Some(made) => evidence
            .server(made.process.and_then(|id| context.remembered(id)).unwrap_or_default())
            .because(&made.note, format!("the socket {} was made", channel.name)),
        None => evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn both_ends_of_an_implant_fire() {
        let server = abstract_bound(0.0, "@upd").of("/var/tmp/.a/upd", 4).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[server], Some((Severity::Medium, Confidence::Medium)));
        let client = abstract_connected(1.0, "@upd").of("/memfd:x (deleted)", 5).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[server, client], Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn installed_programs_are_quiet() {
        let bus = abstract_bound(0.0, "@/tmp/dbus-aBcD").of("/usr/bin/dbus-daemon", 4).uids("1000", "1000", "1000");
        let shim = abstract_bound(0.0, "@/containerd-shim/1").of("/usr/bin/containerd-shim", 4).uids("0", "0", "");
        check(&ANALYTIC, &[bus, shim], None);
    }

    #[test]
    fn a_desktop_program_in_a_shared_folder_is_quiet() {
        let client = abstract_connected(0.0, "@/tmp/.X11-unix/X0").of("/tmp/game/run", 5).uids("1000", "1000", "1000");
        check(&ANALYTIC, &[client], None);
    }
}
