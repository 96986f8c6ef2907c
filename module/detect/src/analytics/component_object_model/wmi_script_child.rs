//! # IPC-WMI-002: WMI provider host starts a script host
//!
//! ## What it detects
//! A child process of WmiPrvSE that runs commands or scripts, or is a LOLBin. Critical if requested from another
//! machine.
//!
//! ## Why it matters
//! A WMI provider does not need a shell; callers of `Win32_Process.Create` do.
//!
//! ## Telemetry
//! Sysmon 1 or Security 4688; Security 4624, also if it arrives late, gives the source machine.
//!
//! ## False positives
//! Management agents that run scripts through WMI on their own machine; inventory by PowerShell. Allow by image.
//!
//! ## References
//! ATT&CK T1559.001, T1047, T1059; DET0224 (AN0628), DET0285 (AN0791).

use backchannel_events::{ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source};

use crate::context::activation;
use crate::memory::Broker;
use crate::vocabulary::{scripts, wmi};
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-WMI-002",
    title: "WMI provider host starts a script host",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1047", "T1059"],
    attack_analytics: &["AN0628", "AN0791"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::Logon],
    telemetry: &[Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    if event.activity.kind() == ActivityKind::ProcessStart && !context.parent().is(&["wmiprvse.exe"]) {
        return None;
    }
    let told = activation::told(context).into_iter();
    let one = told.filter(|one| one.activation.broker == Broker::WmiProvider).find(|one| runs_commands(one.process))?;
    let (child, activation) = (one.process, &one.activation);
    let remote = activation.is_remote();
    let hidden = scripts::is_obfuscated(child.command_line);
    let (severity, confidence) = match (remote, hidden) {
        (true, _) => (Severity::Critical, Confidence::High),
        (false, true) => (Severity::High, Confidence::High),
        (false, false) => (Severity::High, Confidence::Medium),
    };
    let whose = if remote { format!(" for {} from {}", child.account(), activation.from()) } else { String::new() };
    let what = if hidden { ", with a command line that hides or fetches what it runs" } else { "" };
    let text = format!("WMI started {}{whose}{what}: a provider has no use for a shell.", child.name());
    let mut evidence = Evidence::new(severity, confidence, text)
        .reasons(Reasons::DCOM_EXPLOITATION.and_if(remote, Reasons::LATERAL_MOVEMENT))
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Wmi, "Win32_Process");
    // A site allows its own management by pair; remote calls are grouped into one finding about the provider.
    evidence = if remote { evidence.made_run(one.parent, child) } else { evidence.client(one.parent).server(child) };
    if remote {
        evidence = evidence.indicators(Indicators::ABNORMAL_FLOW).from_machine(&*activation.peer);
    }
    Some(one.prove(context, evidence))
}

fn runs_commands(child: Actor<'_>) -> bool {
    (predicates::is_script_host(child) || predicates::is_lolbin(child)) && !wmi::is_provider_helper(child)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn child(image: &'static str, command_line: &'static str) -> Event {
        start(1, image, command_line)
            .by(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "wmiprvse.exe -secured -Embedding")
            .user("CORP", "alice")
            .logon_id(0x5f00d)
    }

    const CMD: &str = r"C:\Windows\System32\cmd.exe";

    #[test]
    fn a_shell_for_another_machine_is_critical() {
        let events = [logon(0, 3, 0x5f00d, "alice", "10.0.0.9"), child(CMD, "cmd.exe /Q /c whoami")];
        check(&ANALYTIC, &events, Some((Severity::Critical, Confidence::High)));
        check(
            &ANALYTIC,
            &[child(CMD, "cmd.exe /Q /c whoami").session(0)],
            Some((Severity::Critical, Confidence::High)),
        );
    }

    #[test]
    fn a_local_shell_is_high_with_more_confidence_if_hidden() {
        let local = |line| child(CMD, line).user("NT AUTHORITY", "SYSTEM").session(0);
        check(&ANALYTIC, &[local("cmd.exe /c dir")], Some((Severity::High, Confidence::Medium)));
        let hidden = local("cmd.exe /c powershell -enc SQBFAFgAIAAoAE4AZQB3AA==");
        check(&ANALYTIC, &[hidden], Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn ordinary_programs_and_quiet_installations_are_quiet() {
        let events = [
            child(r"C:\Program Files\Tool\tool.exe", "tool.exe"),
            child(r"C:\Windows\System32\msiexec.exe", "msiexec.exe /i agent.msi REBOOT=ReallySuppress /qn"),
        ];
        check(&ANALYTIC, &events, None);
    }

    #[test]
    fn a_shell_of_another_parent_is_quiet() {
        let by_explorer = start(0, CMD, "cmd.exe").by(r"C:\Windows\explorer.exe", "").session(1);
        check(&ANALYTIC, &[by_explorer], None);
    }
}
