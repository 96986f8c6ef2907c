//! # IPC-BASE-004: User process connects to a privileged process
//!
//! ## What it detects
//! A process of an ordinary user that opens a channel served by SYSTEM or root, where the baseline does not contain the
//! exchange and the channel is not a common one.
//!
//! ## Why it matters
//! It is the playbook's key indicator: a user process interacting with a high-privilege system process.
//!
//! ## Telemetry
//! Sysmon 17 and 18, auditd bind and connect, and a baseline; inactive without one.
//!
//! ## False positives
//! Newly installed software with its own service: explained by the installation.
//!
//! ## References
//! Playbook KI-3, Q2, Q4, E1; ATT&CK T1559, T1068; DET0493 (AN1357, AN1358).

use backchannel_events::{Activity, ActivityKind, Confidence, Indicators, ProcessEvent, Reasons, Severity, Source};

use crate::baseline::Standing;
use crate::context::explained;
use crate::vocabulary::hubs;
use crate::{Analytic, Context, Evidence, Family, UserKind, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-004",
    title: "User process connects to a privileged process",
    family: Family::Generic,
    techniques: &["T1559", "T1068"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Auditd],
    needs_baseline: true,
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (edge, standing) = context.exchange?;
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    if !matches!(standing, Standing::NeverSeen | Standing::Rare)
        || edge.user != UserKind::Person
        || hubs::is_shared(channel.name)
    {
        return None;
    }
    let created = context.channel(channel.name).and_then(|known| known.created.as_ref())?;
    let server = created.process.and_then(|id| context.remembered(id))?;
    let highest = predicates::is_local_system(server) || server.user.effective_id == "0" || server.counts_as_privileged;
    if !highest || explained::is_explained(context, event) {
        return None;
    }
    let client = context.subject();
    let untrusted = predicates::is_untrusted(client);
    let severity = if untrusted { Severity::High } else { Severity::Medium };
    let text = format!(
        "{} of {} opened {}, which {} serves with the highest rights; the baseline does not know them together.",
        client.name(),
        client.account(),
        channel.name,
        server.name(),
    );
    let evidence = Evidence::new(severity, Confidence::Medium, text)
        .reasons(
            Reasons::NONE
                .and_if(predicates::is_unknown_binary(client), Reasons::UNKNOWN_BINARY)
                .and_if(predicates::is_privileged(client), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(client)
        .server(server)
        .channel(channel.mechanism, channel.name)
        .because(&created.note, format!("{} created {}", server.name(), channel.name));
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn served(day: f64) -> Event {
        pipe_created(day * 86_400.0, r"\vendor\control")
            .of(r"C:\Program Files\V\svc.exe", 40)
            .user("NT AUTHORITY", "SYSTEM")
    }

    #[test]
    fn a_user_s_unknown_program_on_a_system_pipe_fires() {
        let odd = pipe_opened(6.0 * 86_400.0 + 9.0, r"\vendor\control").of(r"C:\Users\a\x.exe", 60).user("CORP", "a");
        check_learned(&ANALYTIC, &learned(served), &[served(6.0), odd], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn a_service_on_a_system_pipe_is_quiet() {
        let other = pipe_opened(6.0 * 86_400.0 + 9.0, r"\vendor\control")
            .of(r"C:\Program Files\W\w.exe", 60)
            .user("NT AUTHORITY", "LOCAL SERVICE");
        check_learned(&ANALYTIC, &learned(served), &[served(6.0), other], None);
    }
}
