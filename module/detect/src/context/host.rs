//! The memory of one machine, and how an event enters it.

use std::time::Duration;

use backchannel_events::{
    Activity, ActivityKind, Channel, FileKind, FileOperation, Mechanism, Outcome, PrivilegeChangeKind, ProcessEvent,
    RegistryOperation, ServiceOperation, Source, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::activation::{self, Activation};
use super::addresses::Addresses;
use super::channels::{Channels, Part, Use};
use super::com_registry::{self, ComRegistry};
use super::documents::{self, Documents};
use super::far::{self, FarRegistration};
use super::injections::{How, Injection};
use super::logons::Logons;
use super::note::{Interner, Name, Note};
use super::pipes::{AnonymousPipe, RemoteOpen};
use super::processes::{ProcessId, Processes};
use super::rates::Rates;
use super::recent::{Change, ChangeKind, FileWritten, Flow, Recent, Registration, Service, Who};
use super::rpc_calls::RpcCalls;
use super::share::Share;
use super::tallies::{Tallies, Tally};
use super::{Actor, Context, account, socket_owner};
use crate::stats::Evicted;
use crate::vocabulary::{faults, modules};
use crate::watch::Watch;
use crate::wording::Wording;
use crate::{Tuning, predicates, text};

/// An event older than the newest of its host by more than this counts as late.
const LATENESS: Duration = Duration::from_secs(120);

/// Most flows, changes, registrations, files and remote openings remembered of one host.
const FLOWS: usize = 512;
const CHANGES: usize = 256;
const REGISTRATIONS: usize = 512;
const FILES: usize = 512;
const REMOTE_PIPES: usize = 256;

/// All that is remembered of one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Its key: the lower-case first label of its name.
    pub key: Name,
    /// Its processes.
    pub processes: Processes,
    /// Its logon sessions.
    pub logons: Logons,
    /// Its channels.
    pub channels: Channels,
    /// Its own addresses.
    pub addresses: Addresses,
    /// Its latest network flows.
    pub flows: Recent<Flow>,
    /// Services installed lately.
    pub services: Recent<Service>,
    /// Changes of software and rights.
    pub changes: Recent<Change>,
    /// COM servers registered lately.
    pub registrations: Recent<Registration>,
    /// What the registry says about COM: the catalogue of classes, doubtful registrations, bent handlers.
    pub com: ComRegistry,
    /// Documents that arrived, and signs of DDE.
    pub documents: Documents,
    /// Files of interest written lately: executables, libraries, add-ins.
    pub files: Recent<FileWritten>,
    /// Pipes opened through IPC$ lately, with the account that did it.
    pub remote_pipes: Recent<RemoteOpen>,
    /// Anonymous pipes made lately.
    pub anonymous_pipes: Recent<AnonymousPipe>,
    /// Procedure calls from and to other machines, lately.
    pub rpc_calls: RpcCalls,
    /// COM registrations written lately for another machine.
    pub far_registrations: Recent<FarRegistration>,
    /// Counters behind thresholds.
    pub tallies: Tallies,
    /// Processes that changed others lately.
    pub injections: Recent<Injection>,
    /// How much each actor communicates within a minute.
    pub rates: Rates,
    /// Time of the first event.
    pub first_seen: Timestamp,
    /// Time of the newest event.
    pub last_seen: Timestamp,
    /// What is under watch.
    pub watch: Watch,
    sources: u32,
}

impl Host {
    /// A machine of which nothing is known.
    pub fn new(key: Name, time: Timestamp) -> Self {
        Self {
            key,
            processes: Processes::default(),
            logons: Logons::default(),
            channels: Channels::default(),
            addresses: Addresses::default(),
            flows: Recent::new(FLOWS),
            services: Recent::new(128),
            changes: Recent::new(CHANGES),
            registrations: Recent::new(REGISTRATIONS),
            com: ComRegistry::default(),
            documents: Documents::default(),
            files: Recent::new(FILES),
            remote_pipes: Recent::new(REMOTE_PIPES),
            anonymous_pipes: Recent::new(128),
            rpc_calls: RpcCalls::default(),
            far_registrations: Recent::new(64),
            tallies: Tallies::default(),
            injections: Recent::new(128),
            rates: Rates::default(),
            first_seen: time,
            last_seen: time,
            watch: Watch::default(),
            sources: 0,
        }
    }

    /// Takes no more than a share of the memory from now on.
    pub fn fit(&mut self, share: Share) -> Evicted {
        Evicted {
            hosts: 0,
            processes: self.processes.fit(share),
            logons: self.logons.fit(share),
            channels: self.channels.fit(share),
            other: self.tallies.fit(share)
                + self.rates.fit(share)
                + self.flows.fit(share)
                + self.services.fit(share)
                + self.changes.fit(share)
                + self.registrations.fit(share)
                + self.com.fit(share)
                + self.documents.arrived.fit(share)
                + self.documents.traces.fit(share)
                + self.files.fit(share)
                + self.remote_pipes.fit(share)
                + self.anonymous_pipes.fit(share)
                + self.rpc_calls.fit(share)
                + self.far_registrations.fit(share)
                + self.injections.fit(share),
        }
    }

    /// Whether a record of that source was seen from this machine.
    pub fn has_source(&self, source: Source) -> bool {
        self.sources & (1 << source as u32) != 0
    }

    /// Whether an event of that time comes too late for joins to be sure of it.
    pub fn is_late(&self, time: Timestamp) -> bool {
        time + LATENESS < self.last_seen
    }

    /// Remembers an event that was evaluated.
    pub fn remember(
        &mut self,
        event: &ProcessEvent<'_>,
        wording: Option<&Wording<'_>>,
        tuning: &Tuning,
        names: &mut Interner,
    ) -> Evicted {
        let mut evicted = Evicted::default();
        self.first_seen = self.first_seen.min(event.time);
        self.last_seen = self.last_seen.max(event.time);
        self.sources |= 1 << event.provenance.source as u32;
        self.remember_documents(event, wording, names, &mut evicted);
        match &event.activity {
            Activity::ProcessStart => {
                let activation = activation::of_start(&Context::new(self, tuning, None, event));
                let (_, forgotten) = self.processes.started(event, activation, names);
                evicted.processes += forgotten;
            }
            Activity::ProcessEnd => self.processes.ended(&event.process, event.time),
            Activity::Logon(logon) => {
                evicted.logons += self.logons.remember(logon, event, names);
                if let Some(id) = logon.id {
                    self.prove_activations(id, names);
                }
            }
            Activity::ChannelCreate(channel) | Activity::ChannelConnect(channel) => {
                let creation = event.activity.kind() == ActivityKind::ChannelCreate;
                // What could not be made is somebody else's.
                if creation && matches!(event.outcome, Outcome::Failure | Outcome::Denied) {
                    let _ = self.who(event, names, &mut evicted);
                    return evicted;
                }
                let who = self.who(event, names, &mut evicted);
                let note = Note::of(event, names);
                evicted.other += self.remember_pipe(channel, creation, who.process, event, names);
                if !creation {
                    self.count_pipe(event, channel.name, channel.peer, &note, names, &mut evicted);
                }
                let part = if creation { Part::Create } else { Part::Open };
                let one = channel_use(channel, who, event, note, names);
                evicted.channels += self.channels.remember(channel, part, one, names);
            }
            Activity::ChannelAccept(channel) => {
                let who = self.who(event, names, &mut evicted);
                let one = channel_use(channel, who, event, Note::of(event, names), names);
                evicted.channels += self.channels.remember(channel, Part::Accept, one, names);
            }
            Activity::RpcCall(call) => evicted.other += self.rpc_calls.remember(call, event, names),
            Activity::NetworkFlow(flow) => {
                self.addresses.learn(flow.local.address, names);
                let flow = Flow {
                    who: self.who(event, names, &mut evicted),
                    local_port: flow.local.port,
                    remote: names.name(flow.remote.address),
                    remote_port: flow.remote.port,
                    outbound: flow.outbound,
                    note: Note::of(event, names),
                };
                evicted.other += self.flows.push(flow);
            }
            Activity::ModuleLoad(module) => {
                if modules::is_notable(module.path) {
                    let who = self.who(event, names, &mut evicted);
                    let note = Note::of(event, names);
                    if let Some(id) = who.process {
                        self.processes.loaded(id, module.path, &note, names);
                    }
                }
            }
            Activity::Registry(change) => {
                if far::may_be_from_afar(change)
                    && let Some(peer) = far::writer(&Context::new(self, tuning, None, event), event, change)
                {
                    let peer = names.name(peer);
                    let far = FarRegistration {
                        path: names.name(change.path),
                        server: names.lower(change.data),
                        peer,
                        note: Note::of(event, names),
                    };
                    evicted.other += self.far_registrations.push(far);
                }
                if com_registry::concerns(change.path)
                    && let Some(addition) = com_registry::addition(&Context::new(self, tuning, None, event), event)
                {
                    let who = self.who(event, names, &mut evicted);
                    evicted.other += self.com.remember(addition, who, Note::of(event, names), names);
                }
                if change.operation == RegistryOperation::SetValue
                    && let Some((clsid, key)) = predicates::com_registration(change.path)
                {
                    let registration = Registration {
                        clsid: names.name(&clsid.to_ascii_uppercase()),
                        key: names.name(key),
                        per_user: text::starts_with(change.path, "HKU\\"),
                        server: names.lower(change.data),
                        who: self.who(event, names, &mut evicted),
                        note: Note::of(event, names),
                    };
                    evicted.other += self.registrations.push(registration);
                }
            }
            Activity::File(file) => {
                // The memory of channels is asked only for what matters.
                let widened = file.kind == FileKind::Socket
                    && socket_owner::opens_anothers(&Context::new(self, tuning, None, event), event, file);
                if widened {
                    self.change(ChangeKind::Permission, file.path, "everybody", event, names, &mut evicted);
                }
                let written =
                    matches!(file.operation, FileOperation::Create | FileOperation::Write | FileOperation::Rename);
                if written && predicates::is_loadable(file.path) {
                    let file = FileWritten {
                        path: names.lower(file.path),
                        who: self.who(event, names, &mut evicted),
                        peer: names.name(file.peer),
                        note: Note::of(event, names),
                    };
                    evicted.other += self.files.push(file);
                }
            }
            Activity::ServiceChange(service) => match service.operation {
                ServiceOperation::Installed => {
                    let service = Service {
                        name: names.name(service.name),
                        command_line: names.name(service.command_line),
                        who: self.who(event, names, &mut evicted),
                        note: Note::of(event, names),
                    };
                    evicted.other += self.services.push(service);
                }
                ServiceOperation::TaskCreated => {
                    self.change(ChangeKind::Task, service.name, service.command_line, event, names, &mut evicted);
                }
                ServiceOperation::StateChanged | ServiceOperation::Removed => {}
            },
            Activity::SoftwareChange(software) => {
                self.change(ChangeKind::Software, software.name, software.publisher, event, names, &mut evicted);
            }
            Activity::PrivilegeChange(change) => {
                let kind = match change.kind {
                    PrivilegeChangeKind::TokenAdjusted => return evicted,
                    PrivilegeChangeKind::RightAssigned => ChangeKind::Right,
                    PrivilegeChangeKind::AccountCreated => ChangeKind::Account,
                    PrivilegeChangeKind::GroupMemberAdded => ChangeKind::Group,
                    PrivilegeChangeKind::PermissionWidened => ChangeKind::Permission,
                };
                let principal = account(change.principal);
                self.change(kind, change.object, &principal, event, names, &mut evicted);
            }
            Activity::ComActivation(com) if com.remote => {
                let note = Note::of(event, names);
                let (tally, actor, what) = if com.outbound {
                    (Tally::DcomTargetsByRequester, names.lower(event.process.image), names.lower(com.peer))
                } else {
                    (Tally::DcomClassesByPeer, names.lower(com.peer), names.lower(com.clsid))
                };
                evicted.other += self.tallies.count(tally, &actor, what, note);
            }
            Activity::ProcessAccess(access) => {
                let source = self.who(event, names, &mut evicted).process;
                let (target, forgotten) = self.processes.mentioned(&access.target, event, names);
                evicted.processes += forgotten;
                if let (Some(how), Some(target)) = (How::of(access), target) {
                    let source = source.filter(|source| *source != target);
                    let note = Note::of(event, names);
                    evicted.other += self.injections.push(Injection { source, target, how, note });
                }
            }
            Activity::Text(line) => {
                if let Some(socket) = faults::socket(line.message) {
                    let (socket, program) = (names.lower(socket), names.name(line.program));
                    let note = Note::of(event, names);
                    evicted.other += self.tallies.count(Tally::FaultsByChannel, &socket, program, note);
                }
            }
            Activity::ComActivation(_) | Activity::Script(_) | Activity::Dns(_) | Activity::Telemetry(_) => {}
        }
        evicted
    }

    fn remember_documents(
        &mut self,
        event: &ProcessEvent<'_>,
        wording: Option<&Wording<'_>>,
        names: &mut Interner,
        evicted: &mut Evicted,
    ) {
        if let Some(what) = documents::trace(event, wording) {
            evicted.other += self.documents.remember_trace(what, Note::of(event, names), names);
        }
        if let Some(path) = documents::arrived(event) {
            let who = self.who(event, names, evicted);
            evicted.other += self.documents.remember_arrival(path, who, Note::of(event, names), names);
        }
    }

    /// Who the event is about, remembered as a process where it has a pid.
    fn who(&mut self, event: &ProcessEvent<'_>, names: &mut Interner, evicted: &mut Evicted) -> Who {
        let (id, forgotten) = self.processes.mentioned(&event.process, event, names);
        evicted.processes += forgotten;
        let known = id.and_then(|id| self.processes.get(id));
        let actor = Actor::of(&event.process, known);
        Who {
            process: id,
            pid: actor.pid,
            // Mostly it is remembered already as it stands there.
            image: match known {
                Some(known) if *known.image == *actor.image => known.image.clone(),
                _ => names.name(actor.image),
            },
            user: names.name(&actor.account()),
            logon_id: actor.logon_id,
            integrity: actor.integrity,
        }
    }

    fn change(
        &mut self,
        kind: ChangeKind,
        object: &str,
        subject: &str,
        event: &ProcessEvent<'_>,
        names: &mut Interner,
        evicted: &mut Evicted,
    ) {
        let change = Change {
            kind,
            object: names.name(object),
            subject: names.name(subject),
            who: self.who(event, names, evicted),
            note: Note::of(event, names),
        };
        evicted.other += self.changes.push(change);
    }

    /// What is remembered of a pipe besides its ends: who opened it through IPC$, who made an anonymous one.
    fn remember_pipe(
        &mut self,
        channel: &Channel<'_>,
        creation: bool,
        process: Option<ProcessId>,
        event: &ProcessEvent<'_>,
        names: &mut Interner,
    ) -> u64 {
        if channel.mechanism == Mechanism::AnonymousPipe
            && creation
            && let Some(process) = process
        {
            let note = Note::of(event, names);
            return self.anonymous_pipes.push(AnonymousPipe { process, note });
        }
        if channel.mechanism == Mechanism::NamedPipe && !creation && !channel.peer.is_empty() {
            let open = RemoteOpen {
                name: names.lower(crate::vocabulary::pipes::bare(channel.name)),
                peer: names.name(channel.peer),
                user_name: names.name(event.process.user.name),
                user_id: names.name(event.process.user.id),
                note: Note::of(event, names),
            };
            return self.remote_pipes.push(open);
        }
        0
    }

    fn count_pipe(
        &mut self,
        event: &ProcessEvent<'_>,
        name: &str,
        peer: &str,
        note: &Note,
        names: &mut Interner,
        evicted: &mut Evicted,
    ) {
        let class = crate::vocabulary::pipes::class_on(name, &self.key, event.process.user.name);
        if !crate::joins::is_shared(name) && !name.is_empty() && name != "<Anonymous Pipe>" {
            let refused = matches!(event.outcome, Outcome::Failure | Outcome::Denied);
            evicted.other += self.rates.count(event, peer, &class, refused, note);
        }
        let class = names.name(&class);
        let mut text = String::new();
        let (tally, actor) = match (peer, event.process.entity, event.process.pid) {
            ("", "", Some(pid)) => {
                text = pid.to_string();
                (Tally::PipesByProcess, text.as_str())
            }
            ("", entity, Some(_)) => (Tally::PipesByProcess, entity),
            ("", _, None) => return,
            (peer, ..) => (Tally::PipesByPeer, text::lower(peer, &mut text)),
        };
        evicted.other += self.tallies.count(tally, actor, class, note.clone());
    }

    /// A logon record that comes after the processes it explains: they were activated from another machine.
    fn prove_activations(&mut self, logon_id: u64, names: &mut Interner) {
        let Some(logon) = self.logons.get(logon_id) else { return };
        if !logon.is_remote(&self.addresses) || logon.kind == 10 {
            return;
        }
        let peer = names.name(&logon.address);
        let affected: Vec<(ProcessId, activation::Broker)> = self
            .processes
            .latest_first()
            .filter(|process| process.logon_id == Some(logon_id) && !predicates::is_service_principal(process.user()))
            .filter_map(|process| process.activation.as_ref().map(|activation| (process.id, activation.broker)))
            .collect();
        for (id, broker) in affected {
            let activation = Activation { broker, origin: activation::Origin::NetworkLogon, peer: peer.clone() };
            self.processes.set_activation(id, activation);
        }
    }
}

/// What is remembered of one use of a channel.
fn channel_use(channel: &Channel<'_>, who: Who, event: &ProcessEvent<'_>, note: Note, names: &mut Interner) -> Use {
    Use {
        process: who.process,
        image: who.image,
        remote: channel.remote,
        peer: names.name(channel.peer),
        access: channel.access,
        user_id: names.name(event.process.user.acting_id()),
        note,
    }
}
