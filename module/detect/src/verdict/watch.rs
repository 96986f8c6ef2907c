//! Under watch: what a finding names is watched for a quarter of an hour, before and after. What was remembered of it
//! is handed over at once, what follows as it happens. Timelines, user activity and connections are made of this.

use backchannel_events::{Activity, ActivityKind, Finding, Object, ProcessEvent, Timestamp, WatchedEvent};

use super::{describe, joins, object};
use crate::memory::recent::{Noted, Who};
use crate::memory::watch::{MOST_WATCHED, Span, WINDOW};
use crate::memory::{Host, Note, ProcessId};
use crate::text;

/// Most events handed over from memory when a watch begins.
const MOST_PAST: usize = 32;
/// Puts processes and a logon under watch, and hands over what is remembered of them.
pub fn begin(
    host: &mut Host,
    ids: &[ProcessId],
    logon: Option<u64>,
    time: Timestamp,
    sink: &mut dyn FnMut(WatchedEvent),
) {
    for &id in ids {
        if host.watch.processes.contains_key(&id) || host.watch.processes.len() >= MOST_WATCHED {
            continue;
        }
        host.watch.processes.insert(id, Span::new(time));
        for event in past(host, id, time) {
            sink(event);
        }
    }
    if let Some(id) = logon
        && !host.watch.logons.contains_key(&id)
        && host.watch.logons.len() < MOST_WATCHED
        && let Some(known) = host.logons.get(id)
    {
        let text = format!("{} logged on (type {}) from {}", known.user_name, known.kind, known.address);
        sink(WatchedEvent {
            host: host.key.to_string(),
            kind: ActivityKind::Logon,
            joins: vec![format!("l:{}/{id:#x}", host.key), format!("s:{}/{id:#x}", host.key)],
            peer: known.address.to_string(),
            object: Object::None,
            observation: known.note.observation(text),
        });
        host.watch.logons.insert(id, Span::new(time));
    }
}

/// Hands over an event that was just remembered, if it touches what is under watch.
pub fn follow(host: &mut Host, event: &ProcessEvent<'_>, sink: &mut dyn FnMut(WatchedEvent)) {
    let watch = &mut host.watch;
    if watch.processes.is_empty() && watch.logons.is_empty() {
        return;
    }
    watch.processes.retain(|_, span| span.until >= event.time);
    watch.logons.retain(|_, span| span.until >= event.time);
    if matches!(event.activity, Activity::ModuleLoad(_) | Activity::ProcessAccess(_) | Activity::Telemetry(_)) {
        return;
    }
    let process = &event.process;
    let subject = host.processes.find(process.entity, process.pid, event.time);
    let parent = subject.and_then(|known| known.parent);
    let ids: Vec<ProcessId> = subject.map(|known| known.id).into_iter().chain(parent).collect();
    let logon = match &event.activity {
        Activity::Logon(logon) => logon.id,
        _ => process.logon_id.or(subject.and_then(|known| known.logon_id)),
    };
    // That a process ended is handed over however much it did before.
    let ends = matches!(event.activity, Activity::ProcessEnd);
    let by_process =
        ids.iter().any(|id| host.watch.processes.get_mut(id).is_some_and(|span| span.takes(event.time) || ends));
    let by_logon = logon.and_then(|id| host.watch.logons.get_mut(&id)).is_some_and(|span| span.takes(event.time));
    if !by_process && !by_logon {
        return;
    }
    // The child of a watched process is watched with it.
    if let (ActivityKind::ProcessStart, Some(known)) = (event.activity.kind(), subject)
        && by_process
        && host.watch.processes.len() < MOST_WATCHED
    {
        host.watch.processes.entry(known.id).or_insert_with(|| Span::new(event.time));
    }
    let mut keys: Vec<String> = ids
        .iter()
        .filter_map(|&id| host.processes.get(id))
        .flat_map(|known| joins::of_known(&host.key, known))
        .collect();
    if by_logon && let Some(id) = logon {
        keys.push(format!("l:{}/{id:#x}", host.key));
    }
    let peer = match &event.activity {
        Activity::NetworkFlow(flow) => format!("{}:{}", flow.remote.address, flow.remote.port),
        Activity::Logon(logon) => logon.source.address.to_owned(),
        Activity::ChannelConnect(channel) => channel.peer.to_owned(),
        _ => String::new(),
    };
    sink(WatchedEvent {
        host: host.key.to_string(),
        kind: event.activity.kind(),
        joins: keys,
        peer,
        object: object::of_event(event),
        observation: describe::observation(event),
    });
}

/// Hands over what a finding's own records are about: what has to be undone or looked for.
pub fn of_finding(host: &Host, finding: &Finding, event: &ProcessEvent<'_>, sink: &mut dyn FnMut(WatchedEvent)) {
    let mut add = |kind: ActivityKind, object: Object, observation: backchannel_events::Observation| {
        let mut joins = finding.joins.clone();
        joins.push(format!("f:{}", finding.id));
        sink(WatchedEvent { host: host.key.to_string(), kind, joins, peer: String::new(), object, observation });
    };
    let about = object::of_event(event);
    if about != Object::None {
        add(event.activity.kind(), about, describe::observation(event));
    }
    let cited = |note: &Note| finding.evidence.iter().find(|seen| note.observation(seen.text.clone()) == **seen);
    for service in host.services.latest_first() {
        if let Some(seen) = cited(service.note()) {
            let (name, command_line) = (service.name.to_string(), service.command_line.to_string());
            add(ActivityKind::ServiceChange, Object::Service { name, command_line }, seen.clone());
        }
    }
    for file in host.files.latest_first() {
        if let Some(seen) = cited(file.note()) {
            add(ActivityKind::File, Object::File(file.path.to_string()), seen.clone());
        }
    }
}

/// What is remembered of a process within the window before `time`, earliest first.
fn past(host: &Host, id: ProcessId, time: Timestamp) -> Vec<WatchedEvent> {
    let Some(known) = host.processes.get(id) else { return Vec::new() };
    let near = |note: &Note| note.time <= time && note.time.within(WINDOW, time);
    let joins = joins::of_known(&host.key, known);
    let mut events: Vec<WatchedEvent> = Vec::new();
    let mut add = |kind: ActivityKind, note: &Note, peer: String, object: Object, text: String| {
        if near(note) {
            let observation = note.observation(text);
            let (host, joins) = (host.key.to_string(), joins.clone());
            events.push(WatchedEvent { host, kind, joins, peer, object, observation });
        }
    };
    let whose = |who: &Who| who.process == Some(id);
    let name = known.name();
    if known.start.is_some() {
        let by = text::base_name(&known.parent_image);
        let text =
            format!("{name} was started by {by} as {}: {}", known.user_name, text::clip(&known.command_line, 300));
        add(ActivityKind::ProcessStart, &known.note, String::new(), object::of_known(known), text);
    }
    for child in host.processes.children(id) {
        let text = format!("{} was started by {name}: {}", child.name(), text::clip(&child.command_line, 300));
        add(ActivityKind::ProcessStart, &child.note, String::new(), object::of_known(child), text);
    }
    for (channel, known) in host.channels.iter() {
        if let Some(one) = known.created.as_ref().filter(|one| one.process == Some(id)) {
            let text = format!("{name} created {} {channel}", known.mechanism.as_str());
            add(ActivityKind::ChannelCreate, &one.note, String::new(), Object::None, text);
        }
        for one in known.opened.iter().filter(|one| one.process == Some(id)) {
            let text = format!("{name} opened {} {channel}", known.mechanism.as_str());
            add(ActivityKind::ChannelConnect, &one.note, one.peer.to_string(), Object::None, text);
        }
    }
    for flow in host.flows.latest_first().filter(|flow| whose(&flow.who) && !flow.remote.is_empty()) {
        let direction = if flow.outbound { "connected to" } else { "was reached from" };
        let peer = format!("{}:{}", flow.remote, flow.remote_port);
        let object = if flow.outbound { Object::OtherEnd(flow.remote.to_string()) } else { Object::None };
        add(ActivityKind::NetworkFlow, flow.note(), peer.clone(), object, format!("{name} {direction} {peer}"));
    }
    for written in host.registrations.latest_first().filter(|entry| whose(&entry.who)) {
        let text = format!("{name} registered {} of {}: {}", written.key, written.clsid, written.server);
        add(ActivityKind::Registry, written.note(), String::new(), Object::None, text);
    }
    for file in host.files.latest_first().filter(|file| whose(&file.who)) {
        let object = Object::File(file.path.to_string());
        add(ActivityKind::File, file.note(), file.peer.to_string(), object, format!("{name} wrote {}", file.path));
    }
    events.sort_by(|a, b| (a.observation.time, &a.observation.text).cmp(&(b.observation.time, &b.observation.text)));
    let surplus = events.len().saturating_sub(MOST_PAST);
    events.drain(..surplus);
    events
}
