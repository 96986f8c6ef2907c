//! # IPC-BASE-005: Unknown binary is an endpoint of a channel
//!
//! ## What it detects
//! A program in a location that ordinary users can write to serves a channel that is opened by another machine, or by a
//! privileged process from another folder.
//!
//! ## Why it matters
//! Implants are often in user-writable locations and communicate with privileged services.
//!
//! ## Telemetry
//! Sysmon 17, 18; auditd bind, connect. A program with a trusted signature (Sysmon 7) is not reported.
//!
//! ## False positives
//! Software that installs itself per user. Channels that every process uses are excluded; allow by path or hash.
//!
//! ## References
//! Playbook Q1, E3; ATT&CK T1559; DET0493 (AN1357, AN1358).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::hubs;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-BASE-005",
    title: "Unknown binary is an endpoint of a channel",
    family: Family::Generic,
    techniques: &["T1559"],
    attack_analytics: &["AN1357", "AN1358"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Sysmon, Source::Auditd],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let Activity::ChannelConnect(channel) = &event.activity else { return None };
    if channel.mechanism == Mechanism::AnonymousPipe || channel.name.is_empty() || hubs::is_shared(channel.name) {
        return None;
    }
    let created = context.channel(channel.name).and_then(|known| known.created.as_ref())?;
    let server = created.process.and_then(|id| context.remembered(id))?;
    let client = context.subject();
    // Another machine, or a privileged client, connects to an unknown server.
    if !predicates::is_unknown_binary(server) || same_product(client, server) {
        return None;
    }
    let remote = channel.remote || client.is(&["system"]);
    let privileged = predicates::is_local_system(client) || client.user.effective_id == "0";
    let talks_down = privileged && !predicates::is_privileged(server);
    if !remote && !talks_down {
        return None;
    }
    let who = if remote { "another machine" } else { client.name() };
    let text = format!(
        "{} at {}, a place users can write to, serves {} {} and {who} talks to it.",
        server.name(),
        server.image,
        channel.mechanism.as_str(),
        channel.name,
    );
    let mut evidence = Evidence::new(Severity::Medium, Confidence::Medium, text)
        .reasons(Reasons::UNKNOWN_BINARY.and_if(remote && !channel.peer.is_empty(), Reasons::LATERAL_MOVEMENT))
        .indicators(if privileged {
            Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW)
        } else {
            Indicators::UNEXPECTED_USE
        })
        .client(client)
        .server(server)
        .channel(channel.mechanism, channel.name)
        .because(&created.note, format!("{} created {}", server.name(), channel.name));
    if remote {
        evidence = evidence.from_machine(channel.peer);
    }
    Some(evidence)
}

/// Whether both are in one folder and so parts of one product.
fn same_product(a: Actor<'_>, b: Actor<'_>) -> bool {
    let folder = crate::text::directory(a.image);
    !folder.is_empty() && folder.eq_ignore_ascii_case(crate::text::directory(b.image))
}

#[cfg(test)]
mod tests {
    use backchannel_events::Integrity;

    use super::*;
    use crate::testing::*;

    #[test]
    fn a_system_process_that_connects_to_a_user_s_program_fires() {
        let events = [
            start(0, r"C:\Users\a\AppData\Local\Temp\p.exe", "p.exe")
                .pid(50)
                .user("WS01", "a")
                .integrity(Integrity::Medium),
            pipe_created(1, r"\qwe").of(r"C:\Users\a\AppData\Local\Temp\p.exe", 50),
            pipe_opened(2, r"\qwe").of(r"C:\Windows\System32\spoolsv.exe", 60).user("NT AUTHORITY", "SYSTEM"),
        ];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn another_machine_that_connects_to_a_user_s_program_fires() {
        let mut remote = pipe_opened(2, r"\qwe").of("System", 4);
        if let Activity::ChannelConnect(channel) = &mut remote.0.activity {
            channel.remote = true;
        }
        let events = [pipe_created(1, r"\qwe").of(r"C:\Users\Public\p.exe", 50), remote];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    #[test]
    fn a_user_s_program_with_clients_of_its_folder_is_quiet() {
        let events = [
            pipe_created(1, r"\mojo.1.2.3").of(r"C:\Users\a\AppData\Local\App\app.exe", 50).user("WS01", "a"),
            pipe_opened(2, r"\mojo.1.2.3").of(r"C:\Users\a\AppData\Local\App\app.exe", 51).user("WS01", "a"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_user_s_program_that_connects_to_a_service_is_quiet() {
        let events = [
            pipe_created(1, r"\svcpipe").of(r"C:\Program Files\S\s.exe", 50).user("NT AUTHORITY", "SYSTEM"),
            pipe_opened(2, r"\svcpipe").of(r"C:\Users\a\AppData\Local\App\app.exe", 51).user("WS01", "a"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
