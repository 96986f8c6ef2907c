//! The keys by which findings of one attack find each other: shared processes, logons, channels, visitors.
//!
//! Hubs never join: everything on a machine descends from `services.exe` or `systemd`, and every service shares one
//! account.

use backchannel_events::{Activity, Party, ProcessEvent};

use crate::actor::{Actor, account};
use crate::context::Context;
use crate::memory::{KnownProcess, ProcessId};
use crate::text::base_name;
use crate::vocabulary::hubs::{is_hub, is_shared};

/// Farthest ancestor looked at.
const FARTHEST: usize = 6;

/// The keys of a process that is remembered.
pub fn of_known(host: &str, known: &KnownProcess) -> Vec<String> {
    if is_hub(known.name(), "") {
        return Vec::new();
    }
    let start = known.start.map(|start| start.0 / backchannel_events::Timestamp::SECOND);
    keys(host, &known.entity, known.pid, start)
}

fn keys(host: &str, entity: &str, pid: Option<u32>, start: Option<i64>) -> Vec<String> {
    let mut keys = Vec::new();
    if !entity.is_empty() {
        keys.push(format!("p:{host}/{}", entity.to_ascii_lowercase()));
    }
    match (pid, start) {
        (Some(pid), Some(start)) => keys.push(format!("p:{host}/{pid}@{start}")),
        (Some(pid), None) if entity.is_empty() => keys.push(format!("p:{host}/{pid}")),
        _ => {}
    }
    keys
}

/// The keys of a process of the event at hand, of its remembered ancestors, and of its logon.
pub fn of_actor(context: &Context<'_>, actor: Actor<'_>, out: &mut Vec<String>) {
    let host = &*context.host.key;
    match actor.known {
        Some(known) => out.extend(of_known(host, known)),
        None if !is_hub(actor.name(), actor.original_name) => {
            let start = context.event().time.0 / backchannel_events::Timestamp::SECOND;
            out.extend(keys(host, actor.entity, actor.pid, Some(start)));
        }
        None => {}
    }
    let mut next = actor.known.and_then(|known| known.parent).or_else(|| {
        let started_now = matches!(context.event().activity, Activity::ProcessStart) && actor.known.is_none();
        started_now.then(|| context.parent().known.map(|known| known.id)).flatten()
    });
    for _ in 0..FARTHEST {
        let Some(known) = next.and_then(|id| context.host.processes.get(id)) else { break };
        if is_hub(known.name(), "") {
            break;
        }
        out.extend(of_known(host, known));
        next = known.parent;
    }
    if let Some(id) = actor.logon_id.filter(|id| !matches!(id, 0 | 0x3e4 | 0x3e5 | 0x3e7))
        && !context.tuning.is_service(actor.user)
    {
        let network = context.logon(id).is_some_and(|logon| matches!(logon.kind, 3 | 8 | 9));
        let kind = if network { 'l' } else { 's' };
        out.push(format!("{kind}:{host}/{id:#x}"));
    }
}

/// The key of a channel by its name, unless everybody uses it.
pub fn of_channel(host: &str, name: &str, out: &mut Vec<String>) {
    if !name.is_empty() && !is_shared(name) {
        out.push(format!("c:{host}/{}", name.to_ascii_lowercase()));
    }
}

/// The key by which a service's installation finds the process that it became: the program's name.
fn of_service(host: &str, program: &str, out: &mut Vec<String>) {
    let program = program.trim_start_matches('"');
    let program = program.split(['"', ' ']).next().unwrap_or(program);
    let name = base_name(program);
    if !name.is_empty() {
        out.push(format!("i:{host}/{}", name.to_ascii_lowercase()));
    }
}

/// The keys of the channel and of the visitor in an event.
pub fn of_event(context: &Context<'_>, event: &ProcessEvent<'_>, out: &mut Vec<String>) {
    let host = &*context.host.key;
    let (channel, peer) = match &event.activity {
        Activity::ChannelCreate(channel) | Activity::ChannelConnect(channel) | Activity::ChannelAccept(channel) => {
            (channel.name, channel.peer)
        }
        Activity::File(file) => ("", file.peer),
        Activity::ComActivation(com) if !com.outbound => ("", com.peer),
        Activity::Logon(logon) => ("", logon.source.address),
        Activity::RpcCall(call) => ("", call.client.address),
        _ => ("", ""),
    };
    of_channel(host, channel, out);
    if let Activity::ServiceChange(service) = &event.activity {
        of_service(host, service.command_line, out);
    }
    if let Activity::Registry(change) = &event.activity
        && change.path.to_ascii_lowercase().ends_with(r"\imagepath")
    {
        of_service(host, change.data, out);
    }
    if context.parent().is(&["services.exe"]) {
        of_service(host, context.subject().image, out);
    }
    if !peer.is_empty() && !context.host.addresses.is_own(peer) {
        let user = account(event.process.user).to_ascii_lowercase();
        out.push(format!("v:{host}/{peer}/{user}"));
    }
}

/// Fills in what the party's record could not say: who started it.
pub fn complete(party: &mut Party, known: Option<ProcessId>, context: &Context<'_>) {
    let mut next = match known.and_then(|id| context.host.processes.get(id)) {
        Some(known) => {
            if known.parent.is_none() && !known.parent_image.is_empty() {
                party.ancestors.push(named(base_name(&known.parent_image), known.parent_pid));
            }
            known.parent
        }
        None if matches!(context.event().activity, Activity::ProcessStart) && party.pid == context.subject().pid => {
            let parent = context.parent();
            if !parent.name().is_empty() {
                party.ancestors.push(named(parent.name(), parent.pid));
            }
            parent.known.and_then(|known| known.parent)
        }
        None => None,
    };
    while let Some(known) = next.and_then(|id| context.host.processes.get(id)) {
        if party.ancestors.len() >= FARTHEST {
            break;
        }
        party.ancestors.push(named(known.name(), known.pid));
        next = known.parent;
    }
}

fn named(name: &str, pid: Option<u32>) -> String {
    pid.map_or_else(|| name.to_owned(), |pid| format!("{name} ({pid})"))
}
