//! What level 2 looks at first: processes, hashes, other machines, connections, and what to collect.

use backchannel_events::{ActivityKind, Dossier, Finding, HostParty, Level2, Mechanism};

use crate::identity::is_same_process;
use crate::movements;
use crate::roles::is_helper;
use crate::scene::{Scene, called};

/// Most entries of each list.
const MOST: usize = 50;

/// The material for level 2.
pub fn of(scene: &Scene<'_>, hosts: &[String]) -> Level2 {
    let mut level2 = Level2::default();
    for finding in &scene.weighty {
        for party in finding.client.iter().chain(&finding.server) {
            let Some(process) = scene.processes.find(&finding.host, party) else { continue };
            let party = &process.party;
            let known = level2.processes.iter().any(|dossier| dossier.host == process.host && dossier.party == *party);
            if !known && level2.processes.len() < MOST {
                let why = if party.untrusted {
                    format!("there is reason not to trust its file; {}", finding.title)
                } else {
                    finding.title.clone()
                };
                level2.processes.push(Dossier { host: process.host.clone(), party: party.clone(), why });
            }
            for hash in &party.hashes {
                add(&mut level2.hashes, format!("{hash} {}", party.path));
            }
        }
        for matched in &finding.ioc_matches {
            add(&mut level2.ioc_matches, matched.clone());
        }
    }
    let known = scene.movements.iter().filter(|one| !one.from.host.is_empty() && !one.to.host.is_empty());
    for movement in known {
        if let [from, to] = [&movement.from, &movement.to].map(movements::named).as_slice() {
            let over = movements::over(movement.mechanism);
            let account = if movement.account.is_empty() { String::new() } else { format!(" as {}", movement.account) };
            let how = format!("{over}{account}");
            let how = if how.is_empty() { how } else { format!(":{how}") };
            add(&mut level2.related_hosts, format!("{from} -> {to}{how}"));
        }
    }
    for event in scene.watched.iter().filter(|event| !event.peer.is_empty() && !event.peer.starts_with(':')) {
        match event.kind {
            ActivityKind::NetworkFlow => {
                add(&mut level2.connections, format!("{}: {}", event.host, event.observation.text));
            }
            ActivityKind::Logon => {
                let peer = scene.names.with_address(&event.peer, &event.host);
                if !peer.host.is_empty() && peer.host != event.host {
                    let peer = movements::named(&peer);
                    add(&mut level2.related_hosts, format!("{peer} -> {}: logon", event.host));
                }
            }
            _ => {}
        }
    }
    for host in hosts {
        let memory = in_memory(scene, host).into_iter().map(|process| format!("memory of {process}, if it still runs"));
        for line in memory.chain(volatile(scene, host)).chain(lasting(scene, host)) {
            add(&mut level2.collect, format!("{host}: {line}"));
        }
    }
    level2
}

fn add(list: &mut Vec<String>, entry: String) {
    if list.len() < MOST && !list.iter().any(|known| known.eq_ignore_ascii_case(&entry)) {
        list.push(entry);
    }
}

/// The mechanisms of a host's findings.
fn uses(scene: &Scene<'_>, host: &str, wanted: &[Mechanism]) -> bool {
    let of = |finding: &&&Finding| finding.host == host;
    scene
        .findings
        .iter()
        .filter(of)
        .filter_map(|finding| finding.channel.as_ref())
        .any(|channel| wanted.contains(&channel.mechanism))
}

/// The processes of a host whose memory may tell something, if they still run.
pub fn in_memory(scene: &Scene<'_>, host: &str) -> Vec<String> {
    let alive = |process: &&HostParty| {
        process.host == host
            && process.party.pid.is_some_and(|pid| pid > 4)
            && !is_helper(&process.party.name)
            && scene.ended(host, &process.party).is_none()
            && scene.weighty.iter().any(|finding| {
                let mut parties = finding.client.iter().chain(&finding.server);
                finding.host == host && parties.any(|party| is_same_process(party, &process.party))
            })
    };
    scene.processes.iter().filter(alive).map(|process| called(&process.party)).collect()
}

/// What else of a host is lost when processes are stopped or it is restarted.
pub fn volatile(scene: &Scene<'_>, host: &str) -> Vec<String> {
    let mut list = Vec::new();
    if uses(scene, host, &[Mechanism::NamedPipe, Mechanism::RpcNamedPipe]) {
        list.push("list of open pipes and handles".to_owned());
    }
    if uses(scene, host, &[Mechanism::UnixSocket, Mechanism::UnixAbstract, Mechanism::Fifo]) {
        list.push("open sockets and FIFOs with their processes (ss -xp, lsof -U)".to_owned());
    }
    list.push("network connections and logged-on users".to_owned());
    list
}

/// What of a host stays for a while.
pub fn lasting(scene: &Scene<'_>, host: &str) -> Vec<String> {
    let mut list = Vec::new();
    if uses(scene, host, &[Mechanism::Com, Mechanism::Dcom]) {
        list.push("registry keys HKCR\\CLSID and AppID of the classes involved, per user and machine".to_owned());
    }
    if uses(scene, host, &[Mechanism::Wmi]) {
        list.push("WMI repository (subscriptions)".to_owned());
    }
    let logs = match scene.is_windows(host) {
        Some(true) => "Sysmon, Security, System and PowerShell logs",
        Some(false) => "audit log, auth.log and shell histories",
        None => "logs",
    };
    list.push(format!("{logs} of the day"));
    list
}
