//! # IPC-PIPE-027: Loopback authentication over SMB
//!
//! ## What it detects
//! Three variants, none of which needs the record of the pipe's creation: (a) a pipe with no well-known name opened for
//! reading and writing over IPC$ from this machine's own address; (b) the kernel opens a pipe whose creator is unknown
//! (medium if there is a loopback connection or logon at that time); (c) a process that runs in a network logon
//! originating from this machine and was not started by a broker of network logons.
//!
//! ## Why it matters
//! A privileged service that is made to open `\\localhost\pipe\x` connects over the network stack with a full token,
//! which the pipe server impersonates. Loopback logons also remove the UAC token filter of local administrators.
//!
//! ## Telemetry
//! Security 5145 and 4624; Sysmon 18 with the System process as client, Sysmon 3; Sysmon 1 or Security 4688 with logon
//! ids.
//!
//! ## False positives
//! Cluster and backup software that uses `\\localhost\pipe`: allow by pipe. Without another sign of a loopback
//! connection, (b) is low.
//!
//! ## References
//! ATT&CK T1559, T1134.001, T1550.002; DET0493 (AN1357).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, LogonOutcome, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::PipeUse;
use crate::context::pipes::label;
use crate::memory::KnownProcess;
use crate::vocabulary::pipes::{owners, tools};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates, text};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-027",
    title: "Loopback authentication over SMB",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1134.001", "T1550.002"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect, ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// Brokers that start processes in network logons by design.
const BROKERS: &[&str] = &["svchost.exe", "services.exe", "wmiprvse.exe", "lsass.exe", "taskeng.exe", "sshd.exe"];
/// Number of the latest processes that a late logon record is compared with.
const LATEST: usize = 256;

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ChannelConnect(_) => {
            let pipe = context.pipe()?;
            if !pipe.channel.remote || owners::of(pipe.name).is_some() || owners::is_universal(pipe.name) {
                return None;
            }
            // A name that identifies the tool is reported by another analytic.
            if tools::executor(pipe.name).is_some()
                || tools::c2(pipe.name).is_some()
                || tools::exploit(pipe.name).is_some()
            {
                return None;
            }
            if pipe.channel.peer.is_empty() { by_kernel(context, &pipe) } else { by_share(context, &pipe) }
        }
        Activity::ProcessStart => {
            let started = context.subject();
            let logon = context.logon_of(started)?;
            if logon.kind != 3 || logon.address.is_empty() || !context.host.addresses.is_own(&logon.address) {
                return None;
            }
            let evidence = in_loopback_logon(started, context.parent())?;
            Some(evidence.because(&logon.note, format!("{} logged on from {}", started.account(), logon.address)))
        }
        Activity::Logon(logon) => {
            let from = logon.source.address;
            let loopback = logon.outcome == LogonOutcome::Start
                && logon.kind == 3
                && !from.is_empty()
                && context.host.addresses.is_own(from);
            let id = logon.id.filter(|_| loopback)?;
            let mut latest = context.host.processes.latest_first().take(LATEST);
            let known = latest.find(|known| known.logon_id == Some(id))?;
            let started = Actor::remembered(known);
            let evidence = in_loopback_logon(started, parent_of(context, known))?;
            Some(evidence.because(&known.note, format!("{} was started", label(started))))
        }
        _ => None,
    }
}

/// (a) Security 5145 names the client's address: it is this machine's own.
fn by_share(context: &Context<'_>, pipe: &PipeUse<'_>) -> Option<Evidence> {
    let both_ways = pipe.channel.access.is_some_and(|access| access & 3 == 3);
    let user = context.subject().user;
    let anonymous = user.id == "S-1-5-7" || user.name.is_empty();
    if !both_ways || anonymous || !context.host.addresses.is_own(pipe.channel.peer) {
        return None;
    }
    let logon = context.logon_of(context.subject());
    let privileged = user.name.ends_with('$') || logon.is_some_and(|logon| logon.special);
    let text = format!(
        "{} opened pipe {} through this machine's own network address {}: its server can take that token.",
        context.subject().account(),
        pipe.channel.name,
        pipe.channel.peer
    );
    let (_, server) = context.pipe_ends(pipe);
    Some(
        Evidence::new(Severity::Medium, Confidence::Medium, text)
            .reasons(Reasons::NONE.and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::ABNORMAL_FLOW)
            .server(server)
            .channel(Mechanism::NamedPipe, pipe.channel.name)
            .involving(pipe.channel.peer),
    )
}

/// (b) Sysmon 18 contains only the kernel as client.
fn by_kernel(context: &Context<'_>, pipe: &PipeUse<'_>) -> Option<Evidence> {
    if context.pipe_maker(pipe.channel.name).is_some() || context.smb_client(pipe.channel).is_some() {
        return None;
    }
    let loopback = context.loopback_smb();
    let severity = if loopback.is_some() { Severity::Medium } else { Severity::Low };
    let how = if loopback.is_some() { "through the loopback" } else { "over SMB, without a record of a remote client" };
    let text = format!("Pipe {}, whose maker is unknown, was opened {how}.", pipe.channel.name);
    let mut evidence = Evidence::new(severity, Confidence::Medium, text)
        .indicators(Indicators::ABNORMAL_FLOW)
        .channel(Mechanism::NamedPipe, pipe.channel.name);
    if let Some(note) = loopback {
        evidence = evidence.because(note, "This machine came to its own port 445 or logged on to itself");
    }
    Some(evidence)
}

/// (c) A process inside a network logon that comes from this machine.
fn in_loopback_logon(started: Actor<'_>, parent: Actor<'_>) -> Option<Evidence> {
    if parent.image.is_empty() || text::is_any(parent.name(), BROKERS) || parent.logon_id == started.logon_id {
        return None;
    }
    let text = format!(
        "{} runs as {} in a network logon that this machine made to itself; {} started it.",
        label(started),
        started.account(),
        label(parent)
    );
    Some(
        Evidence::new(Severity::High, Confidence::High, text)
            .reasons(Reasons::NONE.and_if(predicates::is_privileged(started), Reasons::ADMINISTRATIVE_PRIVILEGES))
            .indicators(Indicators::ABNORMAL_FLOW)
            .client(parent)
            .server(started)
            .channel(Mechanism::NamedPipe, ""),
    )
}

fn parent_of<'c>(context: &Context<'c>, known: &'c KnownProcess) -> Actor<'c> {
    let remembered = known.parent.and_then(|id| context.remembered(id));
    remembered.unwrap_or(Actor { image: &known.parent_image, pid: known.parent_pid, ..Actor::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use backchannel_events::Integrity;

    #[test]
    fn a_pipe_opened_from_the_machine_s_own_address_is_medium() {
        let events = [pipe_opened_from(0, r"\qqxbr", "::1", 0x12019f).user("CORP", "WS01$")];
        let found = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::AdministrativePrivileges));
    }

    #[test]
    fn the_kernel_s_opening_is_low_alone_and_medium_with_a_loopback_logon() {
        check(&ANALYTIC, &[pipe_remote(0, r"\qqxbr")], Some((Severity::Low, Confidence::Medium)));
        let events = [logon(0, 3, 0x77, "WS01$", "127.0.0.1"), pipe_remote(1, r"\qqxbr")];
        check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
    }

    fn child(seconds: f64) -> Event {
        start(seconds, r"C:\Windows\System32\cmd.exe", "cmd.exe")
            .by(r"C:\Users\bob\x.exe", "x.exe")
            .user("NT AUTHORITY", "SYSTEM")
            .integrity(Integrity::System)
            .logon_id(0x77)
    }

    #[test]
    fn a_process_in_a_loopback_logon_is_high_in_either_order() {
        let logon = |at: f64| logon(at, 3, 0x77, "bob", "127.0.0.1");
        check(&ANALYTIC, &[logon(0.0), child(1.0)], Some((Severity::High, Confidence::High)));
        let mut early = child(0.0);
        early.0.process.pid = Some(9);
        check(&ANALYTIC, &[early, logon(0.5)], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_broker_s_child_and_a_foreign_logon_are_quiet() {
        let mut brokered = child(1.0);
        brokered.0.process.parent.image = r"C:\Windows\System32\svchost.exe";
        check(&ANALYTIC, &[logon(0, 3, 0x77, "bob", "127.0.0.1"), brokered], None);
        check(&ANALYTIC, &[logon(0, 3, 0x77, "bob", "10.0.0.9"), child(1.0)], None);
    }

    #[test]
    fn well_known_pipes_and_pipes_of_a_known_maker_are_quiet() {
        let events = [
            pipe_opened_from(0, r"\srvsvc", "::1", 0x12019f).user("CORP", "WS01$"),
            pipe_remote(1, r"\spoolss"),
            pipe_created(2, r"\backup").of(r"C:\Program Files\B\b.exe", 9),
            pipe_remote(3, r"\backup"),
            pipe_opened_from(4, r"\qqxbr", "10.0.0.9", 0x12019f).user("CORP", "alice"),
        ];
        check(&ANALYTIC, &events, None);
    }
}
