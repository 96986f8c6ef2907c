//! # IPC-ELEV-007: Elevated surrogate starts a child without consent
//!
//! ## What it detects
//! A COM surrogate with administrative rights, of any class, starts a program although no UAC prompt was answered in
//! its session (consent.exe did not run, or did not run long enough to be answered), and an untrusted program or script
//! host without administrative rights had just been started in the same session.
//!
//! ## Why it matters
//! New auto-elevating classes are found every year; in all of them a process without administrative rights obtains a
//! child process with them and no prompt.
//!
//! ## Telemetry
//! Sysmon 1 (and 5 for the end of consent.exe), Security 4688.
//!
//! ## False positives
//! Sessions in which every process is elevated (built-in Administrator, UAC off) are not evaluated: a process without
//! administrative rights is required.
//!
//! ## References
//! ATT&CK T1548.002, T1559.001; DET0224 (AN0628).

use std::time::Duration;

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::consent::{self, Consent};
use crate::text::{contains, guid};
use crate::vocabulary::elevation;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-ELEV-007",
    title: "Elevated surrogate starts a child without consent",
    family: Family::ComponentObjectModel,
    techniques: &["T1548.002", "T1559.001"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // The requesting process started at most this long before.
    window: Some(Duration::from_secs(30)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let surrogate = context.parent();
    if !surrogate.is(&["dllhost.exe"]) || !contains(surrogate.command_line, "/Processid:{") {
        return None;
    }
    let child = context.subject();
    let rights = surrogate.integrity.max(child.integrity);
    if rights != Integrity::High || child.is(&["werfault.exe", "consent.exe"]) {
        return None;
    }
    let class = guid(surrogate.command_line)?;
    // Classes whose every child process is abuse are covered by IPC-ELEV-001.
    if elevation::class(class).is_some() {
        return None;
    }
    let asking = asking(context, event, child)?;
    let consent = consent::before(context, child.session, event.time);
    if matches!(consent, Consent::Asked) {
        return None;
    }
    let text = format!(
        "COM class {class} started {} with administrative rights and nobody was asked; {} of the same session, which \
         has no such rights, had just been started.",
        child.name(),
        asking.name(),
    );
    let asking_note = asking.known.map(|known| &known.note);
    let mut evidence = Evidence::new(Severity::High, Confidence::Medium, text)
        .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION))
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(asking)
        .server(surrogate)
        .channel(Mechanism::Com, class.to_ascii_uppercase());
    if let Some(note) = asking_note {
        evidence = evidence.because(note, format!("{} ran with ordinary rights", asking.name()));
    }
    if let Consent::Automatic(note) = consent {
        evidence = evidence.because(note, "the prompt's program ran too shortly for an answer");
    }
    Some(evidence)
}

/// The untrusted program or script host without administrative rights that started in the child's session just before.
fn asking<'c>(context: &Context<'c>, event: &ProcessEvent<'_>, child: Actor<'_>) -> Option<Actor<'c>> {
    let processes = &context.host.processes;
    processes
        .latest_first()
        .take_while(|process| process.note.time.within(context.window() * 4, event.time))
        .filter(|process| {
            process.integrity == Integrity::Medium
                && process.start.is_some_and(|start| start <= event.time && start.within(context.window(), event.time))
                && (process.session.is_none() || child.session.is_none() || process.session == child.session)
        })
        .map(Actor::remembered)
        .find(|actor| predicates::is_untrusted(*actor) || predicates::is_script_host(*actor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const DLLHOST: &str = r"C:\Windows\System32\dllhost.exe";
    const NEW_CLASS: &str = "dllhost.exe /Processid:{11111111-2222-3333-4444-555555555555}";

    fn story(prompt_seconds: f64) -> [Event; 4] {
        [
            start(0, r"C:\Users\a\x.exe", "x.exe").pid(5).session(1).integrity(Integrity::Medium),
            start(1, r"C:\Windows\System32\consent.exe", "consent.exe 900").pid(6).session(1),
            start(1.0 + prompt_seconds, DLLHOST, NEW_CLASS).pid(7).session(1).integrity(Integrity::High),
            start(1.1 + prompt_seconds, r"C:\Windows\System32\cmd.exe", "cmd.exe")
                .by(DLLHOST, NEW_CLASS)
                .pid(8)
                .parent_pid(7)
                .session(1)
                .integrity(Integrity::High),
        ]
    }

    #[test]
    fn a_prompt_too_short_for_an_answer_fires() {
        let findings = check(&ANALYTIC, &story(0.5), Some((Severity::High, Confidence::Medium)));
        assert_eq!(findings[0].evidence.len(), 3);
    }

    #[test]
    fn no_prompt_at_all_fires() {
        let [asking, _, surrogate, child] = story(3.0);
        check(&ANALYTIC, &[asking, surrogate, child], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_answered_prompt_is_quiet() {
        check(&ANALYTIC, &story(4.0), None);
    }

    #[test]
    fn a_session_without_unelevated_processes_is_quiet() {
        let [asking, _, surrogate, child] = story(3.0);
        check(&ANALYTIC, &[asking.integrity(Integrity::High), surrogate, child], None);
    }

    #[test]
    fn an_unelevated_surrogate_is_quiet() {
        let [asking, _, surrogate, child] = story(3.0);
        let events = [asking, surrogate.integrity(Integrity::Medium), child.integrity(Integrity::Medium)];
        check(&ANALYTIC, &events, None);
    }
}
