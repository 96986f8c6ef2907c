//! # IPC-WMI-004: Permanent WMI event subscription that runs commands
//!
//! ## What it detects
//! A permanent subscription whose consumer runs a command line or a script, as reported by WMI or as created by a
//! script or command line; and processes started by the host of script consumers.
//!
//! ## Why it matters
//! It survives restarts, runs as SYSTEM, and does not appear in the usual autostart locations.
//!
//! ## Telemetry
//! WMI-Activity 5861; PowerShell 4104; Sysmon 1 or Security 4688. Sysmon's own records of subscriptions are not read.
//!
//! ## False positives
//! Consumers of Windows and some vendors, recognised by name: low, because any consumer can have that name.
//!
//! ## References
//! ATT&CK T1559.001, T1546.003, T1047; DET0224 (AN0628).

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, Severity, Source,
};

use crate::text::contains_any;
use crate::vocabulary::wmi;
use crate::{Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-WMI-004",
    title: "Permanent WMI event subscription that runs commands",
    family: Family::ComponentObjectModel,
    techniques: &["T1559.001", "T1546.003", "T1047"],
    attack_analytics: &["AN0628"],
    severity: Severity::High,
    on: &[ActivityKind::RpcCall, ActivityKind::Script, ActivityKind::ProcessStart],
    telemetry: &[Source::WmiActivity, Source::PowerShell, Source::Sysmon, Source::Security],
    evaluate,
    ..Analytic::DEFAULTS
};

/// The consumers that run something.
const RUNNING: &[&str] = &["CommandLineEventConsumer", "ActiveScriptEventConsumer"];
/// How a script or command line creates an instance, without spaces and quotes.
const CREATING: &[&str] = &[
    "set-wmiinstance",
    "new-ciminstance",
    "createinstance(",
    ".put(",
    "consumercreate",
    "callcreate",
    "spawninstance_",
    "put_(",
];

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::RpcCall(call) => {
            if call.channel.mechanism != Mechanism::Wmi || call.operation != "PermanentSubscription" {
                return None;
            }
            let consumer = call.channel.name;
            if !contains_any(consumer, RUNNING) {
                return None;
            }
            let usual = wmi::is_usual_consumer(consumer) || wmi::is_usual_consumer(call.interface);
            let text =
                format!("A permanent WMI subscription was made whose consumer runs something: {}.", short(consumer));
            let evidence = conclude(usual, call.channel.remote, text);
            Some(if call.channel.remote { evidence.from_machine(call.channel.peer) } else { evidence })
        }
        Activity::ProcessStart if context.parent().is(&["scrcons.exe"]) => {
            let child = context.subject();
            if child.is(&["werfault.exe", "conhost.exe"]) {
                return None;
            }
            let text = format!(
                "The host of WMI script consumers started {}: a permanent subscription has run its script.",
                child.name(),
            );
            let unknown = predicates::is_unknown_binary(child);
            let evidence = Evidence::new(Severity::High, Confidence::High, text)
                .reasons(Reasons::ADMINISTRATIVE_PRIVILEGES.and_if(unknown, Reasons::UNKNOWN_BINARY))
                .indicators(Indicators::UNEXPECTED_USE)
                .client(context.parent())
                .server(child)
                .channel(Mechanism::Wmi, "ActiveScriptEventConsumer");
            Some(evidence)
        }
        Activity::Script(_) | Activity::ProcessStart => {
            let text = context.wording()?.squeezed(RUNNING)?;
            let consumer = contains_any(&text, RUNNING);
            if !consumer || !contains_any(&text, CREATING) || !contains_any(&text, &["subscription", "__eventfilter"]) {
                return None;
            }
            let who = context.subject();
            let by = if who.name().is_empty() { "A script" } else { who.name() };
            let text = format!("{by} creates a permanent WMI subscription whose consumer runs a command or script.");
            Some(conclude(false, false, text).client(who))
        }
        _ => None,
    }
}

fn conclude(usual: bool, remote: bool, text: String) -> Evidence {
    let (severity, confidence) =
        if usual { (Severity::Low, Confidence::Medium) } else { (Severity::High, Confidence::High) };
    Evidence::new(severity, confidence, text)
        // Only administrators can write there.
        .reasons(
            Reasons::NONE
                .and_if(!usual, Reasons::ADMINISTRATIVE_PRIVILEGES)
                .and_if(!usual && remote, Reasons::LATERAL_MOVEMENT),
        )
        .indicators(Indicators::UNEXPECTED_USE)
        .channel(Mechanism::Wmi, r"root\subscription")
}

/// The consumer's first line, which contains its name.
fn short(consumer: &str) -> &str {
    crate::text::clip(consumer.lines().next().unwrap_or(""), 300)
}

#[cfg(test)]
mod tests {
    use backchannel_events::{Channel, RpcCall};

    use super::*;
    use crate::testing::*;

    const FIRES: Option<(Severity, Confidence)> = Some((Severity::High, Confidence::High));

    fn subscribed(consumer: &'static str) -> Event {
        let channel = Channel { mechanism: Mechanism::Wmi, name: consumer, ..Channel::default() };
        event(0, Activity::RpcCall(RpcCall { channel, operation: "PermanentSubscription", ..RpcCall::default() }))
    }

    #[test]
    fn a_consumer_that_runs_something_fires() {
        check(&ANALYTIC, &[subscribed(r#"CommandLineEventConsumer="Updater""#)], FIRES);
        check(&ANALYTIC, &[subscribed(r#"ActiveScriptEventConsumer="x""#)], FIRES);
    }

    #[test]
    fn the_usual_consumers_are_low_or_quiet() {
        let usual = subscribed(r#"CommandLineEventConsumer="BVTConsumer""#);
        check(&ANALYTIC, &[usual], Some((Severity::Low, Confidence::Medium)));
        check(&ANALYTIC, &[subscribed(r#"NTEventLogEventConsumer="SCM Event Log Consumer""#)], None);
    }

    #[test]
    fn a_script_that_creates_one_fires_and_one_that_lists_them_does_not() {
        let text =
            r#"Set-WmiInstance -Namespace root\subscription -Class CommandLineEventConsumer -Arguments @{Name='a'}"#;
        check(&ANALYTIC, &[script(0, text)], FIRES);
        let line =
            r#"wmic /NAMESPACE:"\\root\subscription" PATH CommandLineEventConsumer CREATE Name="a",ExecutablePath="x""#;
        check(&ANALYTIC, &[start(0, r"C:\Windows\System32\wbem\WMIC.exe", line)], FIRES);
        let text = r"Get-WmiObject -Namespace root\subscription -Class CommandLineEventConsumer";
        check(&ANALYTIC, &[script(0, text)], None);
    }

    #[test]
    fn a_child_of_a_script_consumer_fires() {
        let child =
            start(0, r"C:\Windows\System32\cmd.exe", "cmd.exe /c x").by(r"C:\Windows\System32\wbem\scrcons.exe", "");
        check(&ANALYTIC, &[child], FIRES);
    }
}
