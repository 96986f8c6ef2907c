//! # IPC-PIPE-014: Privileged client connects to a less privileged pipe server
//!
//! ## What it detects
//! A process of high or system integrity opens a pipe that a process of lower integrity created, or a process in one
//! user's session opens a pipe of another user's session.
//!
//! ## Why it matters
//! The server may impersonate the client and so gain its privileges.
//!
//! ## Telemetry
//! Sysmon 17 and 18, with integrity and session from Sysmon 1 or Security 4688.
//!
//! ## False positives
//! Services that talk to their own tray program: the same program or folder is not reported. Other installed products
//! are low, LOLBins medium, untrusted programs high.
//!
//! ## References
//! ATT&CK T1559, T1134.001; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Integrity, ProcessEvent, Reasons, Severity, Source};

use crate::context::pipes::label;
use crate::text::directory;
use crate::vocabulary::pipes::owners;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-014",
    title: "Privileged client connects to a less privileged pipe server",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    if pipe.channel.remote || owners::is_universal(pipe.name) {
        return None;
    }
    let (client, (server, created)) = (context.subject(), context.pipe_maker(pipe.channel.name)?);
    let ended = server.known.and_then(|known| known.end).is_some_and(|end| end < event.time);
    if ended || client.image.is_empty() || server.image.is_empty() || is_family(client, server) {
        return None;
    }
    let (upper, lower) = (level(client)?, level(server)?);
    let downward = upper >= Integrity::High && lower <= Integrity::Medium;
    let across = matches!((client.session, server.session), (Some(a), Some(b)) if a != b && a > 0 && b > 0);
    if !downward && !across {
        return None;
    }
    let untrusted = predicates::is_untrusted(server);
    let lolbin = is_lolbin(server);
    let (severity, confidence) = match (untrusted, lolbin) {
        (true, _) => (Severity::High, Confidence::Medium),
        (_, true) => (Severity::Medium, Confidence::Medium),
        _ => (Severity::Low, Confidence::Low),
    };
    let why = if downward {
        "which has fewer rights and can take its token"
    } else {
        "which belongs to another user's session"
    };
    let text = format!("{} opened pipe {} of {}, {why}.", label(client), pipe.channel.name, label(server));
    let reasons = Reasons::NONE
        .and_if(untrusted && predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES)
        .and_if(predicates::is_unknown_binary(server), Reasons::UNKNOWN_BINARY);
    Some(
        Evidence::new(severity, confidence, text)
            .reasons(reasons)
            .indicators(Indicators::ABNORMAL_FLOW)
            .pipe(context, &pipe)
            .because(&created.note, format!("{} made the pipe", label(server))),
    )
}

/// The privileges of a process; `None` if unknown, in which case nothing is reported.
fn level(actor: Actor<'_>) -> Option<Integrity> {
    if predicates::is_local_system(actor) {
        return Some(Integrity::System);
    }
    (actor.integrity != Integrity::Unknown).then_some(actor.integrity)
}

/// Whether both ends belong to one program or product: the same folder, except the folders of Windows, which also hold
/// the LOLBins.
fn is_family(client: Actor<'_>, server: Actor<'_>) -> bool {
    client.name().eq_ignore_ascii_case(server.name())
        || (directory(client.image).eq_ignore_ascii_case(directory(server.image))
            && predicates::is_system_path(server.image)
            && !is_lolbin(server))
}

fn is_lolbin(server: Actor<'_>) -> bool {
    predicates::is_script_host(server) || predicates::is_lolbin(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const TOOL: &str = r"C:\Users\bob\t.exe";
    const SERVICE: &str = r"C:\Windows\System32\rundll32.exe";

    fn server(image: &'static str) -> [Event; 2] {
        [
            start(0, image, "x").pid(30).user("CORP", "bob").integrity(Integrity::Medium).session(1),
            pipe_created(1, r"\feedback").of(image, 30),
        ]
    }

    fn opened_by_system() -> Event {
        pipe_opened(2, r"\feedback").of(SERVICE, 40).user("NT AUTHORITY", "SYSTEM")
    }

    #[test]
    fn system_at_an_untrusted_program_s_pipe_is_high() {
        let [a, b] = server(TOOL);
        let found = check(&ANALYTIC, &[a, b, opened_by_system()], Some((Severity::High, Confidence::Medium)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn a_lolbin_is_medium_and_a_product_low() {
        let [a, b] = server(r"C:\Windows\System32\mshta.exe");
        check(&ANALYTIC, &[a, b, opened_by_system()], Some((Severity::Medium, Confidence::Medium)));
        let [a, b] = server(r"C:\Program Files\A\tray.exe");
        check(&ANALYTIC, &[a, b, opened_by_system()], Some((Severity::Low, Confidence::Low)));
    }

    #[test]
    fn a_service_that_opens_its_tray_program_s_pipe_is_quiet() {
        let [a, b] = server(r"C:\Program Files\A\tray.exe");
        let own = pipe_opened(2, r"\feedback").of(r"C:\Program Files\A\service.exe", 41).user("NT AUTHORITY", "SYSTEM");
        check(&ANALYTIC, &[a, b, own], None);
    }

    #[test]
    fn equal_and_unknown_privileges_are_quiet() {
        let [a, b] = server(TOOL);
        let equal =
            pipe_opened(2, r"\feedback").of(r"C:\Users\bob\u.exe", 41).user("CORP", "bob").integrity(Integrity::Medium);
        check(&ANALYTIC, &[a, b, equal], None);
        let unknown = pipe_opened(2, r"\feedback").of(r"C:\Users\bob\u.exe", 41).user("CORP", "bob");
        check(&ANALYTIC, &[a, b, unknown], None);
        check(&ANALYTIC, &[b, opened_by_system()], None);
    }
}
