//! What to do, concretely and in order: what to cut off first, what to stop, what to take away, what to repair. The
//! software only advises.

use std::collections::BTreeSet;

use backchannel_events::{Action, EscalationReason, Finding, Mechanism, Party, Reason, Severity};

use crate::account::bare;

/// Most steps.
const MOST: usize = 40;

/// The steps, in the order in which they should be taken.
pub fn of(findings: &[&Finding], reasons: &[EscalationReason]) -> Vec<Action> {
    let weighty: Vec<&Finding> =
        findings.iter().copied().filter(|finding| finding.severity >= Severity::Medium).collect();
    let lateral = reasons.iter().any(|reason| reason.reason == Reason::LateralMovement);
    let mut steps = Vec::new();
    for finding in &weighty {
        if lateral && finding.reasons.contains(Reason::LateralMovement) || finding.severity == Severity::Critical {
            step(
                &mut steps,
                "isolate",
                &finding.host,
                &finding.title,
                "everything that this host serves; coordinate first if it is a domain controller or hypervisor",
            );
        }
    }
    // Sources write one path in two ways: a process is stopped once.
    let mut stopped = BTreeSet::new();
    for finding in &weighty {
        for party in finding.client.iter().chain(&finding.server).filter(|party| is_to_be_stopped(party, finding)) {
            if party.pid.is_some() && !stopped.insert((&finding.host, party.pid, party.name.to_ascii_lowercase())) {
                continue;
            }
            let pid = party.pid.map_or_else(String::new, |pid| format!(" ({pid})"));
            step(
                &mut steps,
                "kill",
                &format!("{}{pid} on {}", party.path, finding.host),
                &finding.title,
                "only what this process does",
            );
        }
    }
    for finding in &weighty {
        let remote = finding.channel.as_ref().is_some_and(|channel| channel.remote);
        if (remote || finding.reasons.contains(Reason::LateralMovement)) && is_person(&finding.user) {
            step(
                &mut steps,
                "disable",
                &format!("account {}", finding.user),
                "it was used from another machine; reset its password and end its sessions",
                "the user's work, and services that run under it",
            );
        }
        if let Some(channel) = finding.channel.as_ref().filter(|channel| channel.remote && !channel.peer.is_empty()) {
            step(
                &mut steps,
                "isolate",
                &format!("{} (where it came from)", channel.peer),
                &finding.title,
                "everything that machine serves",
            );
        }
    }
    for finding in &weighty {
        for observation in finding.evidence.iter().filter(|seen| matches!(seen.event_id, 7045 | 4697)) {
            step(
                &mut steps,
                "remove",
                &format!("on {}: {}", finding.host, observation.text),
                "it was installed by the attack",
                "nothing else, if the name belongs to no product",
            );
        }
        for observation in finding.evidence.iter().filter(|seen| is_class_registration(&seen.text)) {
            step(
                &mut steps,
                "unregister",
                &format!("on {}: {}", finding.host, observation.text),
                "the class loads the attacker's code",
                "programs that use this class, until it is registered as before",
            );
        }
    }
    for finding in &weighty {
        if let Some((target, why, breaks)) = hardening(finding) {
            step(&mut steps, "restrict", target, why, breaks);
        }
    }
    if lateral || !reasons.is_empty() {
        step(
            &mut steps,
            "patch",
            "the hosts involved: current updates for COM, RPC, print spooler and polkit",
            "exploited IPC mechanisms are closed by updates",
            "a restart",
        );
        step(
            &mut steps,
            "collect",
            "forensic images and logs of the hosts involved",
            "scope and impact are not known yet",
            "nothing",
        );
    }
    steps
}

fn step(steps: &mut Vec<Action>, action: &str, target: &str, why: &str, breaks: &str) {
    if steps.len() >= MOST
        || steps.iter().any(|known| known.action == action && known.target.eq_ignore_ascii_case(target))
    {
        return;
    }
    steps.push(Action {
        order: u32::try_from(steps.len() + 1).unwrap_or(u32::MAX),
        action: action.to_owned(),
        target: target.to_owned(),
        why: why.to_owned(),
        breaks: breaks.to_owned(),
    });
}

/// A process is stopped if it is not the system's own part in the matter.
fn is_to_be_stopped(party: &Party, finding: &Finding) -> bool {
    const KEPT: &[&str] = &[
        "system",
        "svchost.exe",
        "services.exe",
        "lsass.exe",
        "explorer.exe",
        "wmiprvse.exe",
        "spoolsv.exe",
        "winlogon.exe",
        "wininit.exe",
        "csrss.exe",
        "systemd",
        "init",
        "dockerd",
        "containerd",
        "dbus-daemon",
        "sshd",
    ];
    party.pid.is_some()
        && !KEPT.iter().any(|name| party.name.eq_ignore_ascii_case(name))
        && (party.untrusted || finding.severity >= Severity::High)
}

fn is_person(user: &str) -> bool {
    const BUILT_IN: [&str; 5] = ["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "ANONYMOUS LOGON", "root"];
    let name = bare(user);
    !name.is_empty()
        && !name.ends_with('$')
        && !BUILT_IN.iter().any(|known| name.eq_ignore_ascii_case(known))
        && name.parse::<u32>().map_or(true, |uid| uid >= 1_000)
        && !name.starts_with("S-1-5-1")
}

/// Whether a record is about a key below a class's registration.
fn is_class_registration(text: &str) -> bool {
    text.to_ascii_uppercase().contains(r"\CLSID\{")
}

/// The control that would have stopped it.
fn hardening(finding: &Finding) -> Option<(&'static str, &'static str, &'static str)> {
    let mechanism = finding.channel.as_ref().map(|channel| channel.mechanism)?;
    Some(match mechanism {
        Mechanism::Dcom | Mechanism::Com => (
            "DCOM: launch and activation permissions (dcomcnfg), and packet integrity for activation",
            "only administrators' machines need to activate classes remotely",
            "remote administration through MMC and Office automation from elsewhere",
        ),
        Mechanism::Wmi => (
            "WMI: remote enable for administrators only, Windows Firewall rules for WMI",
            "remote execution through WMI",
            "remote inventory that runs under ordinary accounts",
        ),
        Mechanism::NamedPipe | Mechanism::RpcNamedPipe | Mechanism::RpcTcp => (
            "SMB: port 445 between workstations closed, NullSessionPipes empty, SMB signing required",
            "pipes are reached through SMB",
            "file sharing between workstations",
        ),
        Mechanism::Dde => (
            "Office: DDE off (AllowDDE=0, DisableDDEServerLaunch=1), attack surface reduction rule for child processes",
            "documents start programs through DDE",
            "spreadsheets that use live DDE links",
        ),
        Mechanism::UnixSocket | Mechanism::UnixAbstract => (
            "the socket's mode, owner and group; membership of groups that may use it",
            "whoever can open it has the server's rights",
            "tools that rely on the wider permission",
        ),
        Mechanism::Fifo => (
            "mount /tmp, /var/tmp and /dev/shm with noexec,nosuid; fs.protected_fifos=2",
            "FIFOs in shared folders carry commands between users",
            "scripts that use FIFOs of other users",
        ),
        Mechanism::Dbus => (
            "polkit rules for the methods called",
            "the bus lets this account call them",
            "desktop tools that rely on it",
        ),
        Mechanism::ProcessMemory => (
            "kernel.yama.ptrace_scope=1 or higher",
            "processes of one user can take each other over",
            "debuggers that attach to running processes",
        ),
        _ => return None,
    })
}
