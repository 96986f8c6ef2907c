//! # IPC-DCOM-006: COM server activated from another machine
//!
//! ## What it detects
//! A COM server (mmc, Excel, dllhost, mshta ...) that DcomLaunch started for a caller on another machine: its token
//! belongs to a network logon from another address, or it runs in session 0 under a user account, where no interactive
//! user works.
//!
//! ## Why it matters
//! Activating a COM object on another machine runs code there with the caller's rights and needs no file on disk.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688 (version two contains the target's identity); Security 4624 raises the confidence and
//! gives the source, also if its record comes after the process start's.
//!
//! ## False positives
//! WinRM shells (`wsmprovhost`, `WinrsHost`) are remote but not DCOM: medium, and not counted as DCOM exploitation.
//! Services and tasks under a user account also run in session 0: a logon that contains a process started by the
//! service manager or the scheduler is local. Management servers that automate Office over DCOM: allow by host and
//! account.
//!
//! ## References
//! ATT&CK T1559.001, T1021.003; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{
    ActivityKind, Confidence, Indicators, Integrity, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::context::activation;
use crate::memory::Broker;
use crate::vocabulary::com;
use crate::{Analytic, Context, Evidence, Family};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-DCOM-006",
    title: "COM server activated from another machine",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1021.003"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, _event: &ProcessEvent<'_>) -> Option<Evidence> {
    let told = activation::told(context);
    let remote = told.iter().filter(|one| one.activation.broker == Broker::DcomLaunch && one.activation.is_remote());
    // One event gives one finding: of the servers that a late logon record matches, the most commonly abused one.
    let one = remote.max_by_key(|one| com::is_lateral_server(one.process))?;
    let (started, activation) = (one.process, &one.activation);
    let winrm = com::is_remote_shell(started);
    let severity = if com::is_lateral_server(started) && !winrm { Severity::High } else { Severity::Medium };
    let confidence = if activation.is_proven() {
        Confidence::Certain
    } else if matches!(started.integrity, Integrity::Low | Integrity::Medium) {
        // An administrator's remote token is unfiltered; a filtered token may be local.
        Confidence::Medium
    } else {
        Confidence::High
    };
    let text = format!(
        "{} was activated through {} for {} from {}: it runs under that account outside any user's session.",
        started.name(),
        if winrm { "WinRM" } else { "DCOM" },
        started.account(),
        activation.from(),
    );
    let evidence = Evidence::new(severity, confidence, text)
        .reasons(
            Reasons::LATERAL_MOVEMENT
                .and_if(!winrm, Reasons::DCOM_EXPLOITATION)
                .and_if(one.is_privileged(context), Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .server(started)
        .channel(Mechanism::Dcom, com::class_of(started))
        .from_machine(&*activation.peer);
    Some(one.prove(context, evidence))
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

    #[test]
    fn a_late_logon_record_raises_the_confidence() {
        let mut late = logon(1, 3, 0x5f00d, "alice", "10.0.0.9");
        late.0.provenance.record = "77";
        let events = [
            start(0, r"C:\Windows\System32\mmc.exe", r"C:\Windows\System32\mmc.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
            late,
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::High, Confidence::Certain)));
        let channel = findings[0].channel.as_ref().unwrap();
        assert_eq!((channel.remote, channel.peer.as_str(), findings[0].evidence.len()), (true, "10.0.0.9", 2));
    }

    #[test]
    fn a_late_logon_from_this_machine_is_quiet() {
        let events = [
            start(0, r"C:\Windows\System32\mmc.exe", r"C:\Windows\System32\mmc.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
            logon(1, 3, 0x5f00d, "alice", "127.0.0.1"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_remote_shell_is_medium_and_no_dcom_exploitation() {
        let events = [
            logon(0, 3, 0x5f00d, "alice", "10.0.0.9"),
            start(1, r"C:\Windows\System32\wsmprovhost.exe", r"C:\Windows\system32\wsmprovhost.exe -Embedding")
                .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
                .user("CORP", "alice")
                .logon_id(0x5f00d),
        ];
        let findings = check(&ANALYTIC, &events, Some((Severity::Medium, Confidence::Certain)));
        assert!(!findings[0].reasons.contains(backchannel_events::Reason::DcomExploitation));
    }

    #[test]
    fn a_server_of_a_service_s_account_is_quiet() {
        let events = [
            start(0, r"C:\Program Files\Sql\sqlservr.exe", "sqlservr.exe")
                .by(r"C:\Windows\System32\services.exe", "services.exe")
                .user("CORP", "svc-sql")
                .session(0)
                .logon_id(0x777),
            start(
                9,
                r"C:\Windows\System32\dllhost.exe",
                "dllhost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
            )
            .by(r"C:\Windows\System32\svchost.exe", "svchost.exe -k DcomLaunch -p")
            .user("CORP", "svc-sql")
            .session(0)
            .logon_id(0x777),
        ];
        check(&ANALYTIC, &events, None);
    }
}
