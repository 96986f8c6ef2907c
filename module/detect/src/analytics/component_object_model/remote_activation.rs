//! # IPC-DCOM-006: COM server started under a network logon
//!
//! ## What it detects
//! A COM server (mmc, Excel, dllhost, mshta ...) that DcomLaunch started for somebody on another machine: its token
//! belongs to a network logon with a foreign address, or it runs in session 0 under a user's account, where no user
//! ever sits.
//!
//! ## Why it matters
//! Activating a COM object on another machine runs code there with the caller's rights and needs no file on disk.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 (version 2, for the target identity); Security 4624 makes it certain and names the
//! source.
//!
//! ## False positives
//! WinRM shells (`wsmprovhost`, `WinrsHost`) are remote but not DCOM: medium. Management servers that automate Office
//! over DCOM: allow by host and account.
//!
//! ## References
//! ATT&CK T1021.003, T1559.001, DET0285 (AN0791), DET0224 (AN0628).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation::{self, Broker};
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family, Status};

/// IPC-DCOM-006.
pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-006",
    title: "COM server started for another machine",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    status: Status::Stable,
    on: &[ActivityKind::ProcessStart],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let activation = activation::of_start(context)?;
    if activation.broker != Broker::DcomLaunch || !activation.is_remote() {
        return None;
    }
    let started = context.subject();
    let winrm = started.is(&["wsmprovhost.exe", "winrshost.exe"]);
    let severity = if com::is_lateral_server(started) && !winrm { Severity::High } else { Severity::Medium };
    let confidence = if activation.is_proven() { Confidence::Certain } else { Confidence::High };
    let from = if activation.peer.is_empty() { "another machine" } else { &activation.peer };
    let text = format!(
        "{} was activated through DCOM for {} from {from}: it runs under that account outside any user's session.",
        started.name(),
        started.account(),
    );
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::E1.and(Reasons::E2).and(Reasons::E4))
        .indicators(Indicators::KI1.and(Indicators::KI3))
        .server(started)
        .channel(Mechanism::Dcom, com::class_of(started))
        .remote(&*activation.peer);
    if let Some(logon) = context.logon_of(started) {
        evidence =
            evidence.because(&logon.note, format!("{} logged on over the network from {from}", started.account()));
    }
    Some(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_com_server_under_a_network_logon_fires() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            start(1, r"C:\Windows\System32\mmc.exe", r"C:\Windows\System32\mmc.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
        ];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
    }

    #[test]
    fn a_user_s_com_server_in_session_zero_fires_without_a_logon_record() {
        let events = [start(0, r"C:\Windows\System32\mmc.exe", "mmc.exe -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch")
            .user("CORP", "alice")
            .session(0)];
        check(&ANALYTIC, &events, Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn a_user_s_own_com_server_is_quiet() {
        let events = [
            logon(0, 2, 0x1234, "alice", "127.0.0.1"),
            start(
                1,
                r"C:\Windows\System32\dllhost.exe",
                "dllhost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
            )
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "alice")
            .session(1)
            .logon_id(0x1234),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_service_s_com_server_is_quiet() {
        let events = [start(0, r"C:\Windows\System32\wbem\WmiPrvSE.exe", "wmiprvse.exe -Embedding")
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("NT AUTHORITY", "NETWORK SERVICE")
            .session(0)];
        check(&ANALYTIC, &events, None);
    }
}
