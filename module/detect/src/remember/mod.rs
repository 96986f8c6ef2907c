//! Updates the memory of a host with an event, after it was evaluated: by kind of activity, one file a group of tables.

mod channels;
mod documents;
mod processes;
mod registry;
mod system;

use backchannel_events::{Activity, ProcessEvent};

use crate::context::Context;
use crate::context::wording::Wording;
use crate::memory::recent::{Change, ChangeKind, Who};
use crate::memory::{Evicted, Host, Interner, Note};
use crate::{Actor, Tunables};

/// Stores an event that was evaluated. Returns what was evicted.
pub fn remember(
    host: &mut Host,
    event: &ProcessEvent<'_>,
    wording: Option<&Wording<'_>>,
    tuning: &Tunables,
    names: &mut Interner,
) -> Evicted {
    host.note(event);
    let mut entry = Entry { host, event, tuning, names, evicted: Evicted::default() };
    entry.documents(wording);
    match &event.activity {
        Activity::ProcessStart => entry.process_start(),
        Activity::ProcessEnd => entry.host.processes.ended(&event.process, event.time),
        Activity::ProcessAccess(access) => entry.process_access(access),
        Activity::ModuleLoad(module) => entry.module_load(module),
        Activity::Logon(logon) => entry.logon(logon),
        Activity::ChannelCreate(channel) => entry.channel_create(channel),
        Activity::ChannelConnect(channel) => entry.channel_connect(channel),
        Activity::ChannelAccept(channel) => entry.channel_accept(channel),
        Activity::RpcCall(call) => entry.rpc_call(call),
        Activity::ComActivation(com) => entry.com_activation(com),
        Activity::NetworkFlow(flow) => entry.network_flow(flow),
        Activity::Text(line) => entry.fault(line),
        Activity::Registry(change) => entry.registry(change),
        Activity::File(file) => entry.file(file),
        Activity::ServiceChange(service) => entry.service_change(service),
        Activity::SoftwareChange(software) => {
            entry.change(ChangeKind::Software, software.name, software.publisher);
        }
        Activity::PrivilegeChange(change) => entry.privilege_change(change),
        Activity::Script(_) | Activity::Dns(_) | Activity::Telemetry(_) => {}
    }
    entry.evicted
}

/// The update of a host's memory with one event.
struct Entry<'r> {
    host: &'r mut Host,
    event: &'r ProcessEvent<'r>,
    tuning: &'r Tunables,
    names: &'r mut Interner,
    evicted: Evicted,
}

impl Entry<'_> {
    /// The view of the event as it was evaluated.
    fn context(&self) -> Context<'_> {
        Context::new(self.host, self.tuning, None, self.event)
    }

    /// The record of the event.
    fn note(&mut self) -> Note {
        Note::of(self.event, self.names)
    }

    /// The process of the event, stored in memory if it has a pid.
    fn who(&mut self) -> Who {
        let (id, forgotten) = self.host.processes.mentioned(&self.event.process, self.event, self.names);
        self.evicted.processes += forgotten;
        let known = id.and_then(|id| self.host.processes.get(id));
        let actor = Actor::of(&self.event.process, known);
        Who {
            process: id,
            pid: actor.pid,
            // Usually it is already stored with the same properties.
            image: match known {
                Some(known) if *known.image == *actor.image => known.image.clone(),
                _ => self.names.name(actor.image),
            },
            user: self.names.name(&actor.account()),
            logon_id: actor.logon_id,
            integrity: actor.integrity,
        }
    }

    /// Stores a change that may explain later activity.
    fn change(&mut self, kind: ChangeKind, object: &str, subject: &str) {
        let change = Change {
            kind,
            object: self.names.name(object),
            subject: self.names.name(subject),
            who: self.who(),
            note: self.note(),
        };
        self.evicted.other += self.host.changes.push(change);
    }
}
