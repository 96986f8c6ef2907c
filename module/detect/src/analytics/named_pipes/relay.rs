//! # IPC-PIPE-018: Coerced authentication relayed
//!
//! ## What it detects
//! Within a minute of a pipe usable for authentication coercion being opened from another machine, this machine's own
//! account logs on here, or opens a pipe here, from an address that is not this machine's. Authentication relayed to
//! other hosts is detected by the correlator (IPC-CHAIN-004).
//!
//! ## Why it matters
//! A machine account is used only from its own machine. From another address it is relayed authentication, with the
//! rights of SYSTEM.
//!
//! ## Telemetry
//! Security 5145 and 4624 or 4625.
//!
//! ## False positives
//! Network address translation and cluster names. As long as no address of this machine is known, only a logon from the
//! address that opened the pipe is reported.
//!
//! ## References
//! ATT&CK T1557.001, T1187, T1550, T1559; DET0493 (AN1357).

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, LogonOutcome, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::vocabulary::pipes::remote;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-PIPE-018",
    title: "Coerced authentication relayed",
    family: Family::NamedPipes,
    techniques: &["T1557.001", "T1187", "T1550", "T1559"],
    attack_analytics: &["AN1357"],
    severity: Severity::Critical,
    on: &[ActivityKind::Logon, ActivityKind::ChannelConnect],
    telemetry: &[Source::Security],
    // From the coercion to the relayed logon.
    window: Some(Duration::from_secs(60)),
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    let (user, address, did) = match &event.activity {
        Activity::Logon(logon)
            if logon.kind == 3 && matches!(logon.outcome, LogonOutcome::Start | LogonOutcome::Failure) =>
        {
            (logon.user.name, logon.source.address, "logged on here")
        }
        Activity::ChannelConnect(channel) => (event.process.user.name, channel.peer, "opened a pipe here"),
        _ => return None,
    };
    let machine = user.strip_suffix('$').is_some_and(|name| context.is_this_host(name));
    if !machine || address.is_empty() || context.host.addresses.is_own(address) {
        return None;
    }
    let opens = context.host.remote_pipes.near(event.time, context.window());
    let coercion = opens
        .filter(|open| remote::is_known_for_coercion(&open.name) && !open.user_name.eq_ignore_ascii_case(user))
        // If this machine's addresses are unknown, only the caller's own address proves that it belongs to another machine.
        .filter(|open| context.host.addresses.is_known() || &*open.peer == address)
        .find(|open| !context.host.addresses.is_own(&open.peer))?;
    let text = format!(
        "{user}, this machine's own account, {did} from {address}, which is not its address, after {} had opened pipe {}.",
        coercion.peer, coercion.name
    );
    Some(
        Evidence::new(Severity::Critical, Confidence::High, text)
            // The relayed account is the machine account, which has SYSTEM rights here.
            .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and(Reasons::DCOM_EXPLOITATION).and(Reasons::LATERAL_MOVEMENT))
            .indicators(Indicators::ABNORMAL_FLOW)
            .channel(Mechanism::RpcNamedPipe, &*coercion.name)
            .from_machine(address)
            .because(&coercion.note, format!("{} opened pipe {}", coercion.peer, coercion.name)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn coerced() -> Event {
        pipe_opened_from(0, r"\spoolss", "10.0.0.9", 0x12019f).user("CORP", "alice")
    }

    #[test]
    fn the_machine_account_from_another_address_after_a_coercion_fires() {
        let events = [flow_in(0, 445, "10.0.0.9", 50000), coerced(), logon(20, 3, 0x99, "WS01$", "10.0.0.66")];
        let found = check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        assert_eq!(found[0].evidence.len(), 2);
    }

    #[test]
    fn a_pipe_opened_by_it_fires_too() {
        let relayed = pipe_opened_from(20, r"\svcctl", "10.0.0.66", 0x12019f).user("CORP", "WS01$");
        let known = flow_in(0, 445, "10.0.0.9", 50000);
        check(&ANALYTIC, &[known, coerced(), relayed], Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn where_no_own_address_is_known_only_the_caller_s_counts() {
        check(&ANALYTIC, &[coerced(), logon(20, 3, 0x99, "WS01$", "10.0.0.5")], None);
        let same = [coerced(), logon(20, 3, 0x99, "WS01$", "10.0.0.9")];
        check(&ANALYTIC, &same, Some((Severity::Critical, Confidence::High)));
    }

    #[test]
    fn another_machine_s_account_and_the_machine_itself_are_quiet() {
        let events = [
            coerced(),
            flow_in(1, 445, "10.0.0.9", 50000),
            logon(20, 3, 0x99, "WS07$", "10.0.0.66"),
            logon(21, 3, 0x9a, "WS01$", "10.0.0.5"),
            logon(22, 3, 0x9b, "WS01$", "127.0.0.1"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn without_a_coercion_or_long_after_it_it_is_quiet() {
        check(&ANALYTIC, &[logon(20, 3, 0x99, "WS01$", "10.0.0.66")], None);
        check(&ANALYTIC, &[coerced(), logon(200, 3, 0x99, "WS01$", "10.0.0.9")], None);
    }
}
