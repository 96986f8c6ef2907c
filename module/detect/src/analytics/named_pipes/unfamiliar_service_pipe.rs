//! # IPC-PIPE-013: User process opens a service pipe for the first time
//!
//! ## What it detects
//! A process of an ordinary user opens a pipe known to belong to a service, and the baseline does not contain this
//! combination. If the pipe's creation was seen, IPC-BASE-004 reports it; this analytic derives the owner from the
//! name. Pipes that many programs open are reported only for unknown programs.
//!
//! ## Why it matters
//! Services process requests on their pipes with SYSTEM rights; a new client is a new program, or a known one that runs
//! new code.
//!
//! ## Telemetry
//! Sysmon 18, and a baseline; inactive without one.
//!
//! ## False positives
//! New software: a software installation within the preceding day explains the finding.
//!
//! ## References
//! Playbook KI-3, Q1, Q2, Q4, E1; ATT&CK T1559, T1068; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::context::explained;
use crate::context::pipes::label;
use crate::vocabulary::hubs;
use crate::vocabulary::pipes::owners;
use crate::{Analytic, Context, Evidence, Family, UserKind, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-013",
    title: "User process opens a service pipe for the first time",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1068"],
    attack_analytics: &["AN1357"],
    severity: Severity::Low,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    let pipe = context.pipe()?;
    if edge.user != UserKind::Person || pipe.creation || !matches!(standing, Standing::NeverSeen | Standing::Rare) {
        return None;
    }
    let shared = owners::is_universal(pipe.name) || hubs::is_shared(pipe.name);
    let made = context.pipe_maker(pipe.channel.name).is_some();
    if (!shared && (made || owners::of(pipe.name).is_none())) || explained::is_explained(context, event) {
        return None;
    }
    let client = context.subject();
    let untrusted = predicates::is_untrusted(client);
    if shared && !untrusted {
        return None;
    }
    let severity = if untrusted { Severity::High } else { Severity::Low };
    let text = format!(
        "{} of {} opened pipe {} of a service, which it was never seen to use.",
        label(client),
        client.account(),
        pipe.channel.name
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY)
                .and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(client)
        .channel(Mechanism::NamedPipe, pipe.channel.name);
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const NOW: f64 = 6.0 * 86_400.0;

    fn usual(day: f64) -> Event {
        pipe_opened(day * 86_400.0, r"\app\orders").of(r"C:\Program Files\App\app.exe", 50).user("CORP", "alice")
    }

    fn opened(pipe: &'static str, image: &'static str) -> Event {
        pipe_opened(NOW, pipe).of(image, 60).user("CORP", "alice")
    }

    #[test]
    fn an_unknown_program_on_a_service_s_pipe_fires() {
        let events = [opened(r"\eventlog", r"C:\Users\alice\x.exe")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_installed_program_on_a_service_s_pipe_is_low() {
        let events = [opened(r"\ROUTER", r"C:\Program Files\Tool\tool.exe")];
        check_learned(&ANALYTIC, &learned(usual), &events, Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn an_installed_program_on_a_common_pipe_and_a_service_are_quiet() {
        let events = [
            opened(r"\wkssvc", r"C:\Program Files\Tool\tool.exe"),
            opened(r"\ROUTER", r"C:\Program Files\Tool\tool.exe").user("NT AUTHORITY", "LOCAL SERVICE"),
            opened(r"\tool\own", r"C:\Users\alice\x.exe"),
        ];
        check_learned(&ANALYTIC, &learned(usual), &events, None);
    }

    #[test]
    fn without_a_baseline_it_is_inactive() {
        check(&ANALYTIC, &[opened(r"\eventlog", r"C:\Users\alice\x.exe")], None);
    }
}
