//! What level 2 looks at first: processes, hashes, other machines, connections, and what to collect.

use std::collections::BTreeMap;

use backchannel_events::{ActivityKind, Dossier, Finding, Level2, Mechanism, Severity, WatchedEvent};

/// Most entries of each list.
const MOST: usize = 50;

/// The material for level 2.
pub fn of(
    findings: &[&Finding],
    hosts: &[String],
    watched: &[&WatchedEvent],
    addresses: &BTreeMap<String, String>,
) -> Level2 {
    let mut level2 = Level2::default();
    for finding in findings.iter().filter(|finding| finding.severity >= Severity::Medium) {
        for party in finding.client.iter().chain(&finding.server) {
            let known = level2.processes.iter().any(|dossier| {
                dossier.host == finding.host
                    && dossier.party.pid == party.pid
                    && dossier.party.path.eq_ignore_ascii_case(&party.path)
            });
            if !known && level2.processes.len() < MOST {
                let why = if party.untrusted {
                    format!("runs from a place users can write to; {}", finding.title)
                } else {
                    finding.title.clone()
                };
                level2.processes.push(Dossier { host: finding.host.clone(), party: party.clone(), why });
            }
            for hash in &party.hashes {
                add(&mut level2.hashes, format!("{hash} {}", party.path));
            }
        }
        for matched in &finding.ioc_matches {
            add(&mut level2.ioc_matches, matched.clone());
        }
        if let Some(channel) = finding.channel.as_ref().filter(|channel| !channel.peer.is_empty()) {
            let name = addresses.get(&channel.peer).map(|host| format!(" ({host})")).unwrap_or_default();
            add(&mut level2.related_hosts, format!("{}{name} -> {}: {}", channel.peer, finding.host, finding.title));
        }
    }
    for event in watched.iter().filter(|event| !event.peer.is_empty()) {
        match event.kind {
            ActivityKind::NetworkFlow => {
                add(&mut level2.connections, format!("{}: {}", event.host, event.observation.text))
            }
            ActivityKind::Logon => add(&mut level2.related_hosts, format!("{} -> {}: logon", event.peer, event.host)),
            _ => {}
        }
    }
    level2.collect = collect(findings, hosts);
    level2
}

fn add(list: &mut Vec<String>, entry: String) {
    if list.len() < MOST && !list.iter().any(|known| known.eq_ignore_ascii_case(&entry)) {
        list.push(entry);
    }
}

/// What to collect, most volatile first.
fn collect(findings: &[&Finding], hosts: &[String]) -> Vec<String> {
    let mut list = Vec::new();
    let mechanisms = || findings.iter().filter_map(|finding| finding.channel.as_ref()).map(|channel| channel.mechanism);
    let windows =
        findings.iter().any(|finding| finding.client.iter().chain(&finding.server).any(|p| p.path.contains('\\')));
    for finding in findings.iter().filter(|finding| finding.severity >= Severity::Medium) {
        for party in finding.client.iter().chain(&finding.server) {
            if let Some(pid) = party.pid.filter(|pid| *pid > 4) {
                add(&mut list, format!("{}: memory of {} ({pid}), if it still runs", finding.host, party.name));
            }
        }
    }
    for host in hosts {
        if mechanisms().any(|m| matches!(m, Mechanism::NamedPipe | Mechanism::RpcNamedPipe)) {
            add(&mut list, format!("{host}: list of open pipes and handles"));
        }
        if mechanisms().any(|m| matches!(m, Mechanism::UnixSocket | Mechanism::UnixAbstract | Mechanism::Fifo)) {
            add(&mut list, format!("{host}: open sockets and FIFOs with their processes (ss -xp, lsof -U)"));
        }
        if mechanisms().any(|m| matches!(m, Mechanism::Com | Mechanism::Dcom)) {
            add(
                &mut list,
                format!("{host}: registry keys HKCR\\CLSID and AppID of the classes involved, per user and machine"),
            );
        }
        if mechanisms().any(|m| m == Mechanism::Wmi) {
            add(&mut list, format!("{host}: WMI repository (subscriptions)"));
        }
        let logs = if windows {
            "Sysmon, Security, System and PowerShell logs"
        } else {
            "audit log, auth.log and shell histories"
        };
        add(&mut list, format!("{host}: network connections and logged-on users"));
        add(&mut list, format!("{host}: {logs} of the day"));
    }
    list
}
