//! What to do, concretely and in order: cut off, secure what is lost otherwise, stop, take away, undo, repair. Each step
//! follows from what the records say of its target. The software only advises.

use backchannel_events::{
    Action, EscalationReason, Finding, HostParty, Mechanism, Object, Party, Reason, Severity, WatchedEvent, host_label,
};

use crate::identity::{bare, channel, is_person, is_public, is_same_process};
use crate::level2;
use crate::movements::{self, named};
use crate::roles::{is_helper, is_infrastructure_port, is_interpreter, is_of_the_system, is_protected, is_server};
use crate::scene::{Scene, called, cut, unique};

/// Most steps.
const MOST: usize = 60;
/// Most processes named in one step.
const MOST_NAMED: usize = 6;
/// Longest target, in characters.
const LONGEST: usize = 300;

/// The steps, in the order in which they should be taken.
pub fn of(scene: &Scene<'_>, reasons: &[EscalationReason], stopped: &[(HostParty, String)]) -> Vec<Action> {
    let escalated = !reasons.is_empty();
    let hosts = unique(scene.weighty.iter().map(|finding| finding.host.clone()));
    let mut steps = Steps(Vec::new());
    if escalated {
        isolate(scene, &hosts, &mut steps);
    }
    for host in &hosts {
        if escalated || stopped.iter().any(|(process, _)| process.host == *host) {
            let memory = level2::in_memory(scene, host);
            let more = memory.len().saturating_sub(MOST_NAMED);
            let named = memory.into_iter().take(MOST_NAMED).collect::<Vec<String>>().join(", ");
            let more = if more > 0 { format!(" and {more} further processes") } else { String::new() };
            let memory = (!named.is_empty()).then(|| format!("memory of {named}{more} (what of it still runs)"));
            let what = memory.into_iter().chain(level2::volatile(scene, host)).collect::<Vec<String>>().join("; ");
            steps.add(
                "collect",
                &format!("on {host}: {what}"),
                "it is lost once processes are stopped or the machine restarts",
                "nothing",
            );
        }
    }
    block(scene, stopped, &mut steps);
    for (process, why) in stopped {
        let path = if process.party.path.is_empty() { &process.party.name } else { &process.party.path };
        let pid = process.party.pid.map_or_else(String::new, |pid| format!(" ({pid})"));
        let breaks = format!("what {} does on {}", process.party.name, process.host);
        steps.add("kill", &format!("{path}{pid} on {}", process.host), why, &breaks);
    }
    disable(scene, &mut steps);
    quarantine(scene, stopped, &mut steps);
    undo(scene, &mut steps);
    for finding in &scene.weighty {
        if let Some((target, why, breaks)) = hardening(scene, finding) {
            steps.add("restrict", target, why, breaks);
        }
        if finding.reasons.contains(Reason::DcomExploitation)
            && let Some((target, why)) = update(finding)
        {
            steps.add("patch", &format!("{target} on {}", finding.host), why, "the service, until it has restarted");
        }
    }
    for finding in &scene.weighty {
        for seen in finding.evidence.iter().filter(|seen| seen.event_id == 1102 && !seen.provider.is_empty()) {
            let target = format!("on {}: the copies of the log that was cleared at {}", finding.host, seen.time);
            steps.add("collect", &target, "what was in it is missing here", "nothing");
        }
    }
    if escalated {
        for host in &hosts {
            let what = level2::lasting(scene, host).join(", ");
            steps.add(
                "collect",
                &format!("on {host}: forensic image, {what}"),
                "scope and impact are not known yet",
                "nothing",
            );
        }
    }
    for (at, step) in steps.0.iter_mut().enumerate() {
        step.order = u32::try_from(at + 1).unwrap_or(u32::MAX);
    }
    steps.0
}

/// The steps so far, none of them twice.
struct Steps(Vec<Action>);

impl Steps {
    fn add(&mut self, action: &str, target: &str, why: &str, breaks: &str) {
        let target = cut(target, LONGEST);
        let known = |step: &Action| step.action == action && step.target.eq_ignore_ascii_case(&target);
        if self.0.len() < MOST && !self.0.iter().any(known) {
            let (action, why, breaks) = (action.to_owned(), cut(why, LONGEST), breaks.to_owned());
            self.0.push(Action { order: 0, action, target, why, breaks });
        }
    }
}

/// The machines that were acted upon and those that acted, as far as they are the site's own.
fn isolate(scene: &Scene<'_>, hosts: &[String], steps: &mut Steps) {
    for host in hosts {
        let of_host = scene.worst_first().into_iter().find(|finding| finding.host == *host);
        let into = scene.movements.iter().find(|movement| movement.to.host == *host);
        let from = scene.movements.iter().find(|movement| movement.from.host == *host);
        let why = match (into, from) {
            (Some(movement), _) | (None, Some(movement)) => movements::sentence(movement),
            (None, None) => of_host.map_or_else(String::new, |finding| format!("found there: {}", finding.title)),
        };
        steps.add("isolate", host, &why, &serves(scene, host));
    }
    for movement in &scene.movements {
        let (from, to) = (&movement.from, &movement.to);
        if !from.host.is_empty() && !hosts.contains(&from.host) && !is_public(&from.host) {
            steps.add("isolate", &named(from), &movements::sentence(movement), "everything that this machine serves");
        }
        if !to.host.is_empty() && !hosts.contains(&to.host) {
            let target = format!("from {}: its logs from {} on", named(to), movement.time);
            let why =
                format!("{}; whether it succeeded is in the logs of {}", movements::sentence(movement), named(to));
            steps.add("collect", &target, &why, "nothing");
        }
    }
}

/// What a host serves, by the daemons that the records name there.
fn serves(scene: &Scene<'_>, host: &str) -> String {
    let daemons = scene.processes.iter().filter(|process| process.host == host && is_server(&process.party.name));
    let daemons: Vec<String> = unique(daemons.map(|process| process.party.name.clone()));
    if daemons.is_empty() {
        format!("everything that {host} serves")
    } else {
        format!("everything that {host} serves, {} among it", daemons.join(", "))
    }
}

/// The processes to stop, each with why: those that acted and those that they started, if they are not the system's own,
/// not over by themselves, and their end is not in the records.
pub fn to_stop(scene: &Scene<'_>, escalated: bool) -> Vec<(HostParty, String)> {
    let mut stopped: Vec<(HostParty, String)> = Vec::new();
    let may_be = |process: &HostParty, stopped: &[(HostParty, String)]| {
        let party = &process.party;
        party.pid.is_some_and(|pid| pid > 4)
            && !is_protected(&party.name)
            && !is_helper(&party.name)
            && scene.ended(&process.host, party).is_none()
            && !stopped.iter().any(|(other, _)| other.host == process.host && is_same_process(&other.party, party))
    };
    for finding in scene.worst_first() {
        let (client, server) = (finding.client.as_ref(), finding.server.as_ref());
        for party in client.into_iter().chain(server) {
            let Some(process) = scene.processes.find(&finding.host, party) else { continue };
            let known = &process.party;
            if !may_be(process, &stopped) {
                continue;
            }
            let is_client = client.is_some_and(|client| client == party);
            let started_by = client.filter(|client| {
                !is_client && known.ancestors.iter().any(|ancestor| ancestor.eq_ignore_ascii_case(&called(client)))
            });
            let acted = is_client || client.is_none() || started_by.is_some();
            let brought = !is_of_the_system(&known.path) || is_interpreter(&known.name);
            let matters = finding.severity >= Severity::High || escalated && brought;
            if !(known.untrusted || acted && matters) {
                continue;
            }
            let why = match started_by {
                Some(client) => format!("{} started it: {}", called(client), finding.title),
                None if acted => format!("it took part: {}", finding.title),
                None => format!("there is reason not to trust its file: {}", finding.title),
            };
            stopped.push((process.clone(), why));
        }
    }
    // What they started, and those in turn.
    let mut at = 0;
    while let Some((parent, _)) = stopped.get(at).cloned() {
        at += 1;
        for child in scene.children(&parent) {
            let brought = !is_of_the_system(&child.party.path) || is_interpreter(&child.party.name);
            if brought && !is_one_command(&child.party) && stopped.len() < MOST && may_be(&child, &stopped) {
                let why = format!("{} started it", called(&parent.party));
                stopped.push((child, why));
            }
        }
    }
    stopped
}

/// Whether a shell was given one command: it ends with that.
fn is_one_command(party: &Party) -> bool {
    let lower = party.command_line.to_ascii_lowercase();
    [" /c ", " -c ", " -lc "].iter().any(|switch| lower.contains(switch))
}

/// The other ends outside: of movements, and of connections of what is stopped or that a finding rests on.
fn block(scene: &Scene<'_>, stopped: &[(HostParty, String)], steps: &mut Steps) {
    let breaks = "whatever else goes there";
    for movement in &scene.movements {
        for machine in [&movement.from, &movement.to] {
            if is_public(&machine.host) {
                steps.add("block", &machine.host, &movements::sentence(movement), breaks);
            }
        }
    }
    for event in scene.watched {
        let Object::OtherEnd(end) = &event.object else { continue };
        let by = stopped.iter().find(|(process, _)| scene.is_by(event, process));
        if by.is_none() && !scene.is_evidence(event) {
            continue;
        }
        let machine = scene.names.machine(end, &event.host);
        let is_address = backchannel_events::parse_address(end).is_some();
        let outside = if is_address {
            is_public(end) || machine == *end && !is_infrastructure_port(port(event)) && machine != event.host
        } else {
            // A name without a dot is one of the site's own.
            end.contains('.') && machine != event.host && host_label(&machine) != host_label(&event.host)
        };
        if outside && machine != event.host && !is_loopback_name(end) {
            let target = if is_address { machine } else { end.clone() };
            steps.add("block", &target, &cut(&event.observation.text, LONGEST), breaks);
        }
    }
    for (process, _) in stopped {
        for name in addresses_in(&process.party.command_line) {
            let why = format!("it stands on the command line of {} on {}", called(&process.party), process.host);
            steps.add("block", &name, &why, breaks);
        }
    }
}

fn port(event: &WatchedEvent) -> u16 {
    event.peer.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0)
}

fn is_loopback_name(end: &str) -> bool {
    end.eq_ignore_ascii_case("localhost")
        || backchannel_events::parse_address(end)
            .is_some_and(|address| address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

/// Names and addresses in the URLs of a command line.
fn addresses_in(command_line: &str) -> Vec<String> {
    let ends = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect()
    };
    let urls = ["http://", "https://", "ftp://"];
    let found = urls.iter().flat_map(|scheme| command_line.split(scheme).skip(1)).map(ends);
    unique(found.filter(|name| name.contains('.') && !is_loopback_name(name)))
}

/// The accounts of people that were used.
fn disable(scene: &Scene<'_>, steps: &mut Steps) {
    let breaks = "the work of whoever uses it, and services that run under it";
    for movement in &scene.movements {
        if is_person(&movement.account) {
            let why = format!("{}; reset its password and end its sessions", movements::sentence(movement));
            steps.add("disable", &format!("account {}", movement.account), &why, breaks);
        }
    }
    for finding in &scene.weighty {
        let account = scene.account(&finding.origin.account, &finding.host);
        let acted_here =
            finding.severity >= Severity::High || finding.reasons.contains(Reason::AdministrativePrivileges);
        // What another machine did here was told above, under the account that was used.
        if !acted_here || !is_person(&account) || movements::ends(finding, scene.names).is_some() {
            continue;
        }
        let by = match &finding.origin.process {
            Some(process) if !process.name.is_empty() => {
                let pid = process.pid.map_or_else(String::new, |pid| format!(" ({pid})"));
                format!("{}{pid}", process.name)
            }
            _ => "what was found".to_owned(),
        };
        let why = format!("{by} on {} ran under it; reset its password and end its sessions", finding.host);
        let target = if is_local(&account) { format!("{account} on {}", finding.host) } else { account };
        steps.add("disable", &format!("account {target}"), &why, breaks);
    }
}

/// Whether an account is named without its domain, so that it is one of its host.
fn is_local(account: &str) -> bool {
    bare(account) == account
}

/// The files that the attack brought: what stopped processes wrote, what findings rest on, and the programs that are not
/// trusted.
fn quarantine(scene: &Scene<'_>, stopped: &[(HostParty, String)], steps: &mut Steps) {
    let breaks = "programs that need this file";
    for process in scene.processes.iter().filter(|process| process.party.untrusted) {
        let party = &process.party;
        let weighty = scene.weighty.iter().any(|finding| {
            let mut parties = finding.client.iter().chain(&finding.server);
            finding.host == process.host && parties.any(|other| is_same_process(other, party))
        });
        if weighty && party.path.contains(['\\', '/']) && !is_of_the_system(&party.path) {
            let hash = party.hashes.iter().find(|hash| hash.starts_with("SHA256")).or(party.hashes.first());
            let hash = hash.map_or_else(String::new, |hash| format!(" ({hash})"));
            let why = format!("{} ran from it", called(party));
            steps.add("quarantine", &format!("{}{hash} on {}", party.path, process.host), &why, breaks);
        }
    }
    for event in scene.watched {
        let Object::File(path) = &event.object else { continue };
        let by = stopped.iter().any(|(process, _)| process.party.untrusted && scene.is_by(event, process));
        let brought = by && is_program(path) || scene.is_evidence(event) && !is_of_the_system(path);
        if path.contains(['\\', '/']) && brought {
            let target = format!("{path} on {}", event.host);
            if !steps
                .0
                .iter()
                .any(|step| step.action == "quarantine" && step.target.to_lowercase().starts_with(&path.to_lowercase()))
            {
                steps.add("quarantine", &target, &cut(&event.observation.text, LONGEST), breaks);
            }
        }
    }
}

/// Whether a file's name is one of a program, library or script.
fn is_program(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "exe", "dll", "ocx", "cpl", "scr", "sys", "xll", "ps1", "vbs", "vbe", "js", "jse", "wsf", "hta", "sct", "bat",
        "cmd", "sh", "py", "pl", "so", "elf", "service", "timer", "desktop", "plist",
    ];
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// What stays after a restart, by name: services, tasks, registry values that findings rest on.
fn undo(scene: &Scene<'_>, steps: &mut Steps) {
    for event in scene.watched {
        let host = &event.host;
        match &event.object {
            Object::Service { name, command_line } => {
                let target = format!("service {name} on {host}: {command_line}");
                let why = format!("it was installed at {}", event.observation.time);
                steps.add("remove", &target, &why, "nothing else, if the name belongs to no product");
            }
            Object::Mode(path) if scene.is_evidence(event) => {
                let target = format!(
                    "mode and owner of {path} on {host}: back to what they were before {}",
                    event.observation.time
                );
                let why = cut(&event.observation.text, LONGEST);
                steps.add("restrict", &target, &why, "whoever relies on the wider permission");
            }
            Object::Task(name) => {
                let why = format!("it was registered at {}", event.observation.time);
                let breaks = "nothing else, if the name belongs to no product";
                steps.add("remove", &format!("scheduled task {name} on {host}"), &why, breaks);
            }
            Object::RegistryValue(path) if scene.is_evidence(event) && service_of(path).is_some() => {
                let target = format!("service {} on {host}", service_of(path).unwrap_or_default());
                let why = cut(&event.observation.text, LONGEST);
                steps.add("remove", &target, &why, "nothing else, if the name belongs to no product");
            }
            Object::RegistryValue(path) if scene.is_evidence(event) => {
                let class = path.to_ascii_uppercase().contains(r"\CLSID\{");
                let (action, breaks) = if class {
                    ("unregister", "programs that use this class, until it is registered as before")
                } else {
                    ("remove", "what reads this value, until it is as before")
                };
                let why = cut(&event.observation.text, LONGEST);
                steps.add(action, &format!("registry value {path} on {host}"), &why, breaks);
            }
            _ => {}
        }
    }
}

/// The service whose program a registry value names.
fn service_of(path: &str) -> Option<&str> {
    const KEY: &str = r"\services\";
    let start = path.to_ascii_lowercase().find(KEY)? + KEY.len();
    let (name, value) = path.get(start..)?.split_once('\\')?;
    value.eq_ignore_ascii_case("ImagePath").then_some(name)
}

/// The update that closes what was exploited, where the records say which service that is.
fn update(finding: &Finding) -> Option<(&'static str, &'static str)> {
    let used = finding.channel.as_ref()?;
    let name = channel(&used.name);
    match used.mechanism {
        Mechanism::NamedPipe | Mechanism::RpcNamedPipe | Mechanism::RpcTcp if name.contains("spoolss") => {
            Some(("current updates of the print spooler", "it was made to act for somebody else"))
        }
        Mechanism::Dbus if name.to_ascii_lowercase().contains("policykit") => {
            Some(("current updates of polkit", "it was made to act for somebody else"))
        }
        _ => None,
    }
}

/// The control that would have stopped it, if it fits the system and what was used.
fn hardening(scene: &Scene<'_>, finding: &Finding) -> Option<(&'static str, &'static str, &'static str)> {
    let mechanism = finding.channel.as_ref().map(|channel| channel.mechanism)?;
    let between = movements::ends(finding, scene.names).is_some();
    let windows = scene.is_windows(&finding.host);
    Some(match mechanism {
        Mechanism::Dcom if between => (
            "DCOM: launch and activation permissions (dcomcnfg), and packet integrity for activation",
            "only administrators' machines need to activate classes remotely",
            "remote administration through MMC and Office automation from elsewhere",
        ),
        Mechanism::Wmi if between => (
            "WMI: remote enable for administrators only, Windows Firewall rules for WMI",
            "remote execution through WMI",
            "remote inventory that runs under ordinary accounts",
        ),
        Mechanism::NamedPipe | Mechanism::RpcNamedPipe if between && windows != Some(false) => (
            "SMB: port 445 between workstations closed, NullSessionPipes empty, SMB signing required",
            "pipes are reached through SMB",
            "file sharing between workstations",
        ),
        Mechanism::Dde => (
            "Office: DDE off (AllowDDE=0, DisableDDEServerLaunch=1), attack surface reduction rule for child processes",
            "documents start programs through DDE",
            "spreadsheets that use live DDE links",
        ),
        Mechanism::UnixSocket | Mechanism::UnixAbstract if windows != Some(true) => (
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
        Mechanism::ProcessMemory if windows == Some(false) => (
            "kernel.yama.ptrace_scope=1 or higher",
            "processes of one user can take each other over",
            "debuggers that attach to running processes",
        ),
        _ => return None,
    })
}
