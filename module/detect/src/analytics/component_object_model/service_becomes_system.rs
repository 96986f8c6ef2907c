//! # IPC-DCOM-025: Service account escalates to SYSTEM
//!
//! ## What it detects
//! A program that runs as a service account (LOCAL SERVICE, NETWORK SERVICE, an application pool, a virtual service
//! account) and starts a child process that runs as SYSTEM. Critical if, in the preceding minute, it called the RPC
//! endpoint mapper, was called on a dynamic port, or served a pipe that the kernel or a SYSTEM process opened.
//!
//! ## Why it matters
//! Service accounts may impersonate their clients; making a privileged COM or RPC service connect gives them SYSTEM.
//! Windows itself starts no process this way, except through two brokers.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688; Sysmon 3, 17, 18 or Security 5156 raise the confidence.
//!
//! ## False positives
//! The task host and the WMI provider host start programs for others. A management agent under a service account that
//! starts an ordinary installed program as SYSTEM is not reported without the preceding calls.
//!
//! ## References
//! ATT&CK T1559.001, T1134.001, T1134.002, T1068; DET0224 (AN0628), DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source, User,
};

use crate::memory::{Note, ProcessId};
use crate::text::{is_any, starts_with};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-025",
    title: "Service account escalates to SYSTEM",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1134.001", "T1134.002", "T1068"],
    attack_analytics: &["AN0628", "AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    // Earlier actions of the service are considered for this long.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

/// Programs of Windows that run as a service account and start SYSTEM processes by design.
const BROKERS: &[&str] =
    &["taskhostw.exe", "taskhost.exe", "taskhostex.exe", "wmiprvse.exe", "svchost.exe", "wudfhost.exe"];

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (child, service) = (context.subject(), context.parent());
    if !predicates::is_local_system(child) || !is_weak_service(service.user) {
        return None;
    }
    let broker = service.is(BROKERS) && predicates::is_system_path(service.image);
    if broker || child.is(&["werfault.exe", "conhost.exe"]) {
        return None;
    }
    let call = service.known.and_then(|known| trick(context, known.id));
    let dangerous =
        predicates::is_script_host(child) || predicates::is_lolbin(child) || predicates::is_untrusted(child);
    let odd = dangerous || predicates::is_untrusted(service) || predicates::is_script_host(service);
    let (severity, confidence) = match (&call, odd) {
        (Some(_), _) => (Severity::Critical, Confidence::High),
        (None, true) => (Severity::High, Confidence::Medium),
        (None, false) => return None,
    };
    let how = call.as_ref().map_or("", |(how, _)| *how);
    let text = format!(
        "{}, running as {}, started {} as SYSTEM{how}: a service account has taken SYSTEM's rights.",
        service.name(),
        service.account(),
        child.name(),
    );
    let unknown = predicates::is_unknown_binary(service) || predicates::is_unknown_binary(child);
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(
            Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION).and_if(unknown, Reasons::UNKNOWN_BINARY),
        )
        .indicators(Indicators::ABNORMAL_FLOW)
        .client(service)
        .server(child)
        .channel(Mechanism::Com, "");
    Some(match call {
        Some((_, note)) => evidence.because(note, format!("{} took part in this just before", service.name())),
        None => evidence,
    })
}

/// Whether the account is a service account other than SYSTEM. The machine account stands for both SYSTEM and NETWORK
/// SERVICE, so only the SID decides in that case.
fn is_weak_service(user: User<'_>) -> bool {
    if !user.id.is_empty() {
        return matches!(user.id, "S-1-5-19" | "S-1-5-20")
            || starts_with(user.id, "S-1-5-80-")
            || starts_with(user.id, "S-1-5-82-");
    }
    is_any(user.name, &["LOCAL SERVICE", "NETWORK SERVICE"]) || is_any(user.domain, &["IIS APPPOOL", "NT SERVICE"])
}

/// What the service did just before to make a privileged client connect to it.
fn trick<'c>(context: &Context<'c>, service: ProcessId) -> Option<(&'static str, &'c Note)> {
    let time = context.event().time;
    let flows = context.host.flows.near(time, context.window()).filter(|flow| flow.who.process == Some(service));
    for flow in flows {
        if flow.outbound && flow.remote_port == 135 {
            return Some((" right after it called the RPC endpoint mapper", &flow.note));
        }
        if !flow.outbound && context.host.addresses.is_own(&flow.remote) {
            return Some((" right after this machine called it on a port of its own", &flow.note));
        }
    }
    context.host.channels.iter().find_map(|(name, channel)| {
        let created = channel.created.as_ref().filter(|one| one.process == Some(service))?;
        let recent = created.note.time.within(context.window(), time);
        let smuggled = name.trim_start_matches('\\').contains(r"\pipe\");
        let visited = channel.opened.iter().any(|one| {
            one.note.time.within(context.window(), time)
                && (is_any(&one.image, &["System"])
                    || one.process.and_then(|id| context.remembered(id)).is_some_and(predicates::is_local_system))
        });
        (recent && (smuggled || visited))
            .then_some((" right after a privileged caller came to a pipe of its own", &created.note))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const WORKER: &str = r"C:\Windows\System32\inetsrv\w3wp.exe";
    const TOOL: &str = r"C:\Users\Public\a.exe";

    fn service(image: &'static str) -> Event {
        start(0, image, image).pid(300).user("IIS APPPOOL", "DefaultAppPool")
    }

    fn child(image: &'static str) -> Event {
        start(10, image, image).pid(301).parent_pid(300).user("NT AUTHORITY", "SYSTEM").logon_id(0x3e7)
    }

    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    #[test]
    fn a_system_shell_of_a_service_account_fires() {
        check(&ANALYTIC, &[service(WORKER), child(CMD)], Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn an_endpoint_mapper_call_or_a_privileged_pipe_client_makes_it_critical() {
        let expected = Some((Severity::Critical, Confidence::High));
        let call = flow_out(5, "127.0.0.1", 135).of(TOOL, 300);
        check(&ANALYTIC, &[service(TOOL), call, child(CMD)], expected);
        let pipe = r"\0f3b7c1e-0000-4000-8000-000000000001\pipe\srvsvc";
        let events =
            [service(TOOL), pipe_created(4, pipe).of(TOOL, 300), pipe_opened(5, pipe).of("System", 4), child(CMD)];
        check(&ANALYTIC, &events, expected);
    }

    #[test]
    fn an_installed_agent_s_ordinary_child_is_quiet() {
        let agent = r"C:\Program Files\Agent\agent.exe";
        let events = [
            start(0, agent, agent).pid(300).user("NT AUTHORITY", "NETWORK SERVICE"),
            child(r"C:\Program Files\Agent\update.exe"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn brokers_and_system_s_own_children_are_quiet() {
        let provider = r"C:\Windows\System32\wbem\WmiPrvSE.exe";
        let events = [start(0, provider, provider).pid(300).user("NT AUTHORITY", "NETWORK SERVICE"), child(CMD)];
        check(&ANALYTIC, &events, None);
        let services = r"C:\Windows\System32\services.exe";
        check(&ANALYTIC, &[start(0, services, services).pid(300).user("NT AUTHORITY", "SYSTEM"), child(CMD)], None);
    }

    #[test]
    fn a_machine_account_as_creator_may_be_system_itself() {
        let mut event = child(CMD);
        event.0.process.parent.image = WORKER;
        event.0.process.parent.user.name = "WS01$";
        event.0.process.parent.user.domain = "CORP";
        check(&ANALYTIC, &[event], None);
    }
}
