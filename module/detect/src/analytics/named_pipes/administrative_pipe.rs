//! # IPC-PIPE-016: Administrative pipe opened from another machine
//!
//! ## What it detects
//! A pipe for services, tasks, the registry, event logs, backup keys or accounts of this machine, opened for writing
//! over IPC$ from an address that is neither this machine's own nor declared as an administrator's by the site.
//!
//! ## Why it matters
//! Remote administration through `svcctl`, `atsvc` and `winreg` runs programs on the target machine;
//! `protected_storage` on a domain controller hands out the domain's DPAPI backup keys.
//!
//! ## Telemetry
//! Security 5145 (the access mask is evaluated as a number, because raw records carry codes instead of words); Zeek
//! `smb_files`.
//!
//! ## False positives
//! Management and backup servers: declare them as admin hosts. Every domain member reads accounts and policies from
//! domain controllers (`samr`, `lsarpc`): these two pipes are low, and not reported for machine accounts or on hosts
//! declared critical.
//!
//! ## References
//! ATT&CK T1559, T1021.002, T1569.002, T1053, T1112; DET0493 (AN1357).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::vocabulary::pipes::remote::{self, Administers};
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-016",
    title: "Administrative pipe opened from another machine",
    family: Family::NamedPipes,
    techniques: &["T1559", "T1021.002", "T1569.002", "T1053", "T1112"],
    attack_analytics: &["AN1357"],
    severity: Severity::Medium,
    on: &[ActivityKind::ChannelConnect],
    telemetry: &[Source::Security, Source::Zeek],
    evaluate,
    ..Analytic::DEFAULTS
};

/// The access right to write into a pipe.
const WRITE: u32 = 0x2;

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let pipe = context.pipe()?;
    let (peer, access) = (pipe.channel.peer, pipe.channel.access);
    if peer.is_empty() || context.host.addresses.is_own(peer) {
        return None;
    }
    // Zeek does not log the access mask; opening such a pipe without writing is useless anyway.
    if access.map_or(event.provenance.source != Source::Zeek, |access| access & WRITE == 0) {
        return None;
    }
    let what = remote::administers(pipe.name)?;
    let tuning = context.tuning;
    let (user, account) = (event.process.user, context.subject().account());
    if tuning.may_call(peer) && (account.is_empty() || tuning.is_admin_account(&account)) {
        return None;
    }
    let declared = !tuning.admin_hosts.is_empty() || !tuning.admin_accounts.is_empty();
    let critical_host = tuning.is_critical_host(&context.host.key);
    let (severity, over) = match what {
        Administers::Execution(what) if declared => (Severity::High, what),
        Administers::Registry if declared => (Severity::High, "the registry"),
        Administers::Execution(what) | Administers::Other(what) => (Severity::Medium, what),
        Administers::Registry => (Severity::Medium, "the registry"),
        Administers::BackupKeys => (if critical_host { Severity::High } else { Severity::Medium }, "backup keys"),
        Administers::Directory if critical_host || user.name.ends_with('$') => return None,
        Administers::Directory => (Severity::Low, "accounts and policies"),
    };
    let who = if account.is_empty() { "somebody" } else { account.as_str() };
    let confidence = if access.is_some() { Confidence::Medium } else { Confidence::Low };
    let text =
        format!("{who} opened {} for writing from {peer}: it administers {over} of this machine.", pipe.channel.name);
    let logon = context.logon_of(context.subject());
    let privileged = predicates::is_privileged(context.subject())
        || logon.is_some_and(|logon| logon.special || logon.elevated == Some(true));
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::LATERAL_MOVEMENT.and_if(privileged, Reasons::ADMINISTRATIVE_PRIVILEGES))
        .indicators(Indicators::ABNORMAL_FLOW)
        .channel(Mechanism::NamedPipe, pipe.channel.name)
        .from_machine(peer);
    if let Some(logon) = logon {
        evidence = evidence.because(&logon.note, format!("{who} logged on over the network"));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tunables;
    use crate::testing::*;

    #[test]
    fn the_service_manager_opened_for_writing_fires() {
        let events = [pipe_opened_from(0, r"\svcctl", "10.0.0.9", 0x12019f).user("CORP", "alice")];
        let found = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Medium)));
        assert!(found[0].reasons.contains(backchannel_events::Reason::LateralMovement));
    }

    #[test]
    fn a_client_that_is_not_a_declared_administrator_is_high() {
        let tuning = Tunables { admin_hosts: vec!["10.0.0.77".into()], ..Tunables::default() };
        let events = [pipe_opened_from(0, r"\winreg", "10.0.0.9", 0x3).user("CORP", "alice")];
        check_tuned(&ANALYTIC, &events, tuning, Some((Severity::High, Confidence::Medium)));
    }

    #[test]
    fn reading_and_the_machine_itself_are_quiet() {
        let events = [
            pipe_opened_from(0, r"\svcctl", "10.0.0.9", 0x120089).user("CORP", "alice"),
            pipe_opened_from(1, r"\svcctl", "::1", 0x12019f).user("CORP", "alice"),
            pipe_opened_from(2, r"\MsFteWds", "10.0.0.9", 0x12019f).user("CORP", "alice"),
            pipe_remote(3, r"\svcctl"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_machine_account_at_a_domain_controller_is_quiet_and_a_user_low() {
        let machine = [pipe_opened_from(0, r"\samr", "10.0.0.9", 0x12019f).user("CORP", "WS07$")];
        check(&ANALYTIC, &machine, None);
        let user = [pipe_opened_from(0, r"\samr", "10.0.0.9", 0x12019f).user("CORP", "alice")];
        check(&ANALYTIC, &user, Some((Severity::Low, Confidence::Medium)));
    }
}
