//! # IPC-LNX-002: Privileged bus method called by hand
//!
//! ## What it detects
//! A command-line tool or one-liner that calls a system bus method which changes the machine: creates accounts, sets
//! passwords, starts or links units, registers an authentication agent, takes the name of a privileged service. Also
//! such a call that the bus refused.
//!
//! ## Why it matters
//! The service acts as root for every caller that its policy allows: one call can create an administrator or run a
//! command.
//!
//! ## Telemetry
//! auditd execve with arguments; refusals by dbus-daemon in syslog or as USER_AVC.
//!
//! ## False positives
//! Installers and administrators' scripts: low when run as root.
//!
//! ## References
//! ATT&CK T1559, T1543.002, T1136.001; DET0493 (AN1358). CVE-2021-3560 for the accounts service.

use backchannel_events::{
    Activity, ActivityKind, Confidence, Indicators, Mechanism, ProcessEvent, Reasons, RpcCall, Severity, Source,
};

use crate::text::{clip, contains, contains_any};
use crate::vocabulary::dbus::{self, Method};
use crate::vocabulary::programs;
use crate::{Actor, Analytic, Context, Evidence, Family, predicates};

pub const ANALYTIC: Analytic = Analytic {
    id: "IPC-LNX-002",
    title: "Privileged bus method called by hand",
    family: Family::UnixIpc,
    techniques: &["T1559", "T1543.002", "T1136.001"],
    attack_analytics: &["AN1358"],
    severity: Severity::High,
    on: &[ActivityKind::ProcessStart, ActivityKind::RpcCall],
    telemetry: &[Source::Auditd, Source::Syslog],
    evaluate,
    ..Analytic::DEFAULTS
};

fn evaluate(context: &Context<'_>, event: &ProcessEvent<'_>) -> Option<Evidence> {
    match &event.activity {
        Activity::ProcessStart if event.provenance.source == Source::Auditd => {
            let started = context.subject();
            let method = by_command(started)?;
            let text = format!(
                "{} of {} calls {}.{} on the system's message bus by hand: {}",
                started.name(),
                started.account(),
                method.interface,
                method.member,
                clip(started.command_line, 200),
            );
            Some(conclude(started, method, false, text))
        }
        Activity::RpcCall(call) if call.channel.mechanism == Mechanism::Dbus => refused(context, call),
        _ => None,
    }
}

/// The privileged method that a command line calls on the system bus.
fn by_command(started: Actor<'_>) -> Option<Method> {
    let command = started.command_line;
    if dbus::is_client_tool(started) {
        return if dbus::is_system_bus(started) { dbus::called(command) } else { None };
    }
    // An interpreter one-liner has interface and member as separate words.
    if !programs::is_script_host(started.name()) || crate::vocabulary::sockets::is_shell(started.name()) {
        return None;
    }
    if !contains_any(command, &["SystemBus", "system_bus", "BusType.SYSTEM"]) || !contains_any(command, &[" -c", " -e"])
    {
        return None;
    }
    const METHODS: &[(&str, &str, &str)] = &[
        ("org.freedesktop.Accounts", "Accounts", "CreateUser"),
        ("org.freedesktop.Accounts", "Accounts.User", "SetPassword"),
        ("org.freedesktop.Accounts", "Accounts.User", "SetAccountType"),
        ("org.freedesktop.systemd1", "systemd1.Manager", "StartUnit"),
        ("org.freedesktop.systemd1", "systemd1.Manager", "StartTransientUnit"),
        ("org.freedesktop.systemd1", "systemd1.Manager", "EnableUnitFiles"),
        ("org.freedesktop.systemd1", "systemd1.Manager", "LinkUnitFiles"),
        ("org.freedesktop.machine1", "machine1.Manager", "OpenMachineShell"),
    ];
    METHODS
        .iter()
        .find(|(service, _, member)| contains(command, service) && command.contains(member))
        .and_then(|(_, interface, member)| dbus::method(interface, member))
}

fn refused(context: &Context<'_>, call: &RpcCall<'_>) -> Option<Evidence> {
    let method = dbus::method(call.interface, call.operation)?;
    let caller = context.subject();
    let text = format!(
        "The message bus refused {}.{} to {} of {}: {}",
        method.interface,
        method.member,
        if caller.name().is_empty() { "a process" } else { caller.name() },
        caller.account(),
        clip(caller.command_line, 160),
    );
    Some(conclude(caller, method, true, text))
}

/// What a method is for: a unit is made, an account is made, or neither.
fn techniques(method: Method) -> &'static [&'static str] {
    match method.member {
        "StartTransientUnit" | "EnableUnitFiles" | "LinkUnitFiles" => &["T1559", "T1543.002"],
        "CreateUser" => &["T1559", "T1136.001"],
        "SetPassword" | "SetAccountType" => &["T1559", "T1098"],
        _ => &["T1559"],
    }
}

fn conclude(caller: Actor<'_>, method: Method, refused: bool, text: String) -> Evidence {
    let root = caller.user.acting_id() == "0";
    let mut severity = match (root, method.gives_root) {
        (true, _) => Severity::Low,
        (false, true) => Severity::High,
        (false, false) if predicates::is_daemon_account(caller) => Severity::High,
        (false, false) => Severity::Medium,
    };
    if refused {
        severity = severity.lowered();
    }
    Evidence::new(severity, Confidence::High, text)
        .reasons(
            Reasons::NONE
                .and_if(!root, Reasons::DCOM_EXPLOITATION)
                .and_if(root && severity >= Severity::Medium, Reasons::ADMINISTRATIVE_PRIVILEGES),
        )
        .indicators(Indicators::UNEXPECTED_USE.and(Indicators::ABNORMAL_FLOW))
        .client(caller)
        .channel(Mechanism::Dbus, format!("{}.{}", method.interface, method.member))
        .techniques(techniques(method))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn run(image: &'static str, command: &'static str, uid: &'static str) -> [Event; 1] {
        [start(0, image, command).pid(7).uids(uid, uid, if uid == "33" { "" } else { "1002" })]
    }

    #[test]
    fn accounts_and_units_are_high_for_users_other_than_root() {
        let create = "gdbus call --system --dest org.freedesktop.Accounts --object-path /org/freedesktop/Accounts \
                      --method org.freedesktop.Accounts.CreateUser a b 1";
        check(&ANALYTIC, &run("/usr/bin/gdbus", create, "1002"), Some((Severity::High, Confidence::High)));
        let transient = "busctl --expect-reply=no call -- org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                         org.freedesktop.systemd1.Manager StartTransientUnit ssa(sv)a(sa(sv)) x.service fail 0";
        check(&ANALYTIC, &run("/usr/bin/busctl", transient, "33"), Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn an_interpreter_one_liner_fires_too() {
        let command = "python3 -c import dbus; b=dbus.SystemBus(); o=b.get_object('org.freedesktop.systemd1','/'); \
                       o.StartUnit('a.service','replace')";
        check(&ANALYTIC, &run("/usr/bin/python3.11", command, "33"), Some((Severity::High, Confidence::High)));
    }

    #[test]
    fn root_is_low() {
        let start = "dbus-send --system --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                     org.freedesktop.systemd1.Manager.StartUnit string:a.service string:replace";
        check(&ANALYTIC, &run("/usr/bin/dbus-send", start, "0"), Some((Severity::Low, Confidence::High)));
    }

    #[test]
    fn a_refused_call_is_one_level_lower() {
        let call = RpcCall {
            channel: backchannel_events::Channel { mechanism: Mechanism::Dbus, ..Default::default() },
            interface: "org.freedesktop.systemd1.Manager",
            operation: "SwitchRoot",
            ..RpcCall::default()
        };
        let call = event(0.0, Activity::RpcCall(call)).pid(7).uids("33", "", "");
        check(&ANALYTIC, &[call], Some((Severity::Medium, Confidence::High)));
    }

    #[test]
    fn reading_and_the_session_bus_are_quiet() {
        let reads = "dbus-send --system --print-reply --dest=org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                     org.freedesktop.systemd1.Manager.GetUnit string:a.service";
        check(&ANALYTIC, &run("/usr/bin/dbus-send", reads, "1002"), None);
        let session = "busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 \
                       org.freedesktop.systemd1.Manager StartUnit ss a.service replace";
        check(&ANALYTIC, &run("/usr/bin/busctl", session, "1002"), None);
    }
}
