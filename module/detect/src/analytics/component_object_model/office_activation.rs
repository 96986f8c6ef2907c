//! # IPC-DCOM-011: Office application activated through COM
//!
//! ## What it detects
//! Excel, Word, Outlook or another Office application started by svchost with `/automation` or `-Embedding`: high if
//! requested from another machine, medium if a script host started in the same session within the preceding thirty
//! seconds, otherwise low.
//!
//! ## Why it matters
//! Office objects run macros, load add-ins and start DDE servers for their local or remote caller.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688; Security 4624 proves the remote origin.
//!
//! ## False positives
//! Document viewers, mail merge and business software that automates Office for its user. Automation servers: allow by
//! host and account.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use std::time::Duration;

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation::{self, Started};
use crate::memory::Broker;
use crate::vocabulary::com;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-011",
    title: "Office application activated through COM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    // A script host that started at most this long before may be the client.
    window: Some(Duration::from_secs(30)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity.kind() == ActivityKind::ProcessStart && !is_automation(context.subject()) {
        return None;
    }
    let told = activation::told(context).into_iter();
    let one = told.filter(|one| one.activation.broker == Broker::DcomLaunch).find(|one| is_automation(one.process))?;
    if one.activation.is_remote() { Some(remote(context, &one)) } else { Some(local(context, &one)) }
}

fn remote(context: &Context<'_>, one: &Started<'_>) -> Evidence {
    let office = one.process;
    let text = format!(
        "{} was activated through DCOM for {} from {}: Office is not used like that, and runs macros and add-ins for \
         its caller.",
        office.name(),
        office.account(),
        one.activation.from(),
    );
    let confidence = if one.activation.is_proven() { Confidence::Certain } else { Confidence::High };
    let evidence = Evidence::new(Severity::High, confidence, text)
        .reasons(
            Reasons::DCOM_EXPLOITATION
                .and(Reasons::LATERAL_MOVEMENT)
                .and_if(one.is_privileged(context), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .server(office)
        .channel(Mechanism::Dcom, com::class_of(office))
        .from_machine(&*one.activation.peer);
    one.prove(context, evidence)
}

fn local(context: &Context<'_>, one: &Started<'_>) -> Evidence {
    let office = one.process;
    let time = context.event().time;
    let client = context.host.processes.latest_first().find(|known| {
        known.session.is_some()
            && known.session == office.session
            && known.end.is_none()
            && known.start.is_some_and(|start| start <= time && start.within(context.window(), time))
            && is_scripted(Actor::remembered(known))
    });
    let Some(client) = client else {
        let text = format!("{} was activated through COM by some program of {}.", office.name(), office.account());
        return Evidence::new(Severity::Low, Confidence::Medium, text)
            .indicators(Indicators::UNEXPECTED_USE)
            .server(office)
            .channel(Mechanism::Com, com::class_of(office));
    };
    let script = Actor::remembered(client);
    let text = format!(
        "{} was activated through COM shortly after {} started in the same session: a script drives Office.",
        office.name(),
        script.name(),
    );
    Evidence::new(Severity::Medium, Confidence::Medium, text)
        .indicators(Indicators::UNEXPECTED_USE)
        .client(script)
        .server(office)
        .channel(Mechanism::Com, com::class_of(office))
        .because(&client.note, format!("{} was started: {}", script.name(), script.command_line))
}

fn is_automation(process: Actor<'_>) -> bool {
    predicates::is_office(process) && predicates::is_com_server_command(process.command_line)
}

/// Whether the program runs scripts that can hold COM objects; cmd cannot.
fn is_scripted(process: Actor<'_>) -> bool {
    predicates::is_script_host(process) && !process.is(&["cmd.exe"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const EXCEL: &str = r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE";

    fn excel() -> Event {
        start(10, EXCEL, r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /automation -Embedding"#)
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .logon_id(0x5f00d)
    }

    #[test]
    fn a_remote_activation_fires_high() {
        let remote = [logon(9, 3, 0x5f00d, "alice", "10.0.0.9"), excel()];
        check(&ANALYTIC, &remote, Some((Severity::High, Confidence::Certain)));
        check(&ANALYTIC, &[excel().session(0)], Some((Severity::High, Confidence::High)));
        let late = [excel(), logon(10.5, 3, 0x5f00d, "alice", "10.0.0.9")];
        check(&ANALYTIC, &late, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn a_script_in_the_same_session_makes_it_medium() {
        let script =
            |session| start(0, r"C:\Windows\System32\wscript.exe", "wscript.exe report.vbs").pid(44).session(session);
        let findings = check(&ANALYTIC, &[script(1), excel().session(1)], Some((Severity::Medium, Confidence::Medium)));
        assert!(findings[0].reasons.is_empty());
        check(&ANALYTIC, &[script(2), excel().session(1)], Some((Severity::Low, Confidence::Medium)));
    }

    #[test]
    fn an_opened_workbook_is_quiet() {
        let opened = start(0, EXCEL, r"EXCEL.EXE C:\Users\alice\report.xlsx").by(r"C:\Windows\explorer.exe", "");
        check(&ANALYTIC, &[opened], None);
    }

    #[test]
    fn any_other_com_server_is_quiet() {
        let other = start(0, r"C:\Windows\System32\dllhost.exe", "dllhost.exe -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .session(0);
        check(&ANALYTIC, &[other], None);
    }
}
