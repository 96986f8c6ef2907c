//! Channels and traffic between machines: pipes, sockets, procedure calls, COM activations, network flows.

use backchannel_events::{Channel, ComActivation, Mechanism, NetworkFlow, Outcome, RpcCall, Text};

use super::Entry;
use crate::memory::channels::Part;
use crate::memory::pipes::{AnonymousPipe, RemoteOpen};
use crate::memory::recent::{Flow, Who};
use crate::memory::{Note, Tally, Use};
use crate::text;
use crate::vocabulary::{faults, hubs, pipes, rpc};

impl Entry<'_> {
    pub(super) fn channel_create(&mut self, channel: &Channel<'_>) {
        let who = self.who();
        // A failed creation means that the channel belongs to another process.
        if self.has_failed() {
            return;
        }
        let note = self.note();
        if channel.mechanism == Mechanism::AnonymousPipe
            && let Some(process) = who.process
        {
            let made = AnonymousPipe { process, note: note.clone() };
            self.evicted.other += self.host.anonymous_pipes.push(made);
        }
        self.channel_use(channel, Part::Create, who, note);
    }

    pub(super) fn channel_connect(&mut self, channel: &Channel<'_>) {
        let who = self.who();
        let note = self.note();
        if channel.mechanism == Mechanism::NamedPipe && !channel.peer.is_empty() {
            let user = &self.event.process.user;
            let open = RemoteOpen {
                name: self.names.lower(pipes::bare(channel.name)),
                peer: self.names.name(channel.peer),
                user_name: self.names.name(user.name),
                user_id: self.names.name(user.id),
                note: note.clone(),
            };
            self.evicted.other += self.host.remote_pipes.push(open);
        }
        self.count_opening(channel, &note);
        self.channel_use(channel, Part::Open, who, note);
    }

    pub(super) fn channel_accept(&mut self, channel: &Channel<'_>) {
        let who = self.who();
        let note = self.note();
        self.channel_use(channel, Part::Accept, who, note);
    }

    pub(super) fn rpc_call(&mut self, call: &RpcCall<'_>) {
        if let Some(interface) = rpc::interface(call.interface, call.operation) {
            self.evicted.other += self.host.rpc_calls.remember(interface, call, self.event, self.names);
        }
    }

    /// Counts an activation on or from another machine that was refused or failed.
    pub(super) fn com_activation(&mut self, com: &ComActivation<'_>) {
        if !com.remote {
            return;
        }
        let note = self.note();
        let (tally, actor, what) = if com.outbound {
            let requester = self.names.lower(self.event.process.image);
            (Tally::DcomTargetsByRequester, requester, self.names.lower(com.peer))
        } else {
            (Tally::DcomClassesByPeer, self.names.lower(com.peer), self.names.lower(com.clsid))
        };
        self.evicted.other += self.host.tallies.count(tally, &actor, what, note);
    }

    pub(super) fn network_flow(&mut self, flow: &NetworkFlow<'_>) {
        self.host.addresses.learn(flow.local.address, self.names);
        let flow = Flow {
            who: self.who(),
            local_port: flow.local.port,
            remote: self.names.name(flow.remote.address),
            remote_port: flow.remote.port,
            outbound: flow.outbound,
            note: self.note(),
        };
        self.evicted.other += self.host.flows.push(flow);
    }

    /// Counts a program that logged an error on a socket.
    pub(super) fn fault(&mut self, line: &Text<'_>) {
        if let Some(socket) = faults::socket(line.message) {
            let (socket, program) = (self.names.lower(socket), self.names.name(line.program));
            let note = self.note();
            self.evicted.other += self.host.tallies.count(Tally::FaultsByChannel, &socket, program, note);
        }
    }

    fn channel_use(&mut self, channel: &Channel<'_>, part: Part, who: Who, note: Note) {
        let one = Use {
            process: who.process,
            image: who.image,
            remote: channel.remote,
            peer: self.names.name(channel.peer),
            access: channel.access,
            user_id: self.names.name(self.event.process.user.acting_id()),
            note,
        };
        self.evicted.channels += self.host.channels.remember(channel, part, one, self.names);
    }

    fn has_failed(&self) -> bool {
        matches!(self.event.outcome, Outcome::Failure | Outcome::Denied)
    }

    /// Counts an opening for its process or, if it came from another machine, for that machine.
    fn count_opening(&mut self, channel: &Channel<'_>, note: &Note) {
        let (name, peer, process) = (channel.name, channel.peer, &self.event.process);
        let class = pipes::class_on(name, &self.host.key, process.user.name);
        if !hubs::is_shared(name) && !name.is_empty() && name != "<Anonymous Pipe>" {
            let refused = self.has_failed();
            self.evicted.other += self.host.rates.count(self.event, peer, &class, refused, note);
        }
        let class = self.names.name(&class);
        let mut text = String::new();
        let (tally, actor) = match (peer, process.entity, process.pid) {
            ("", "", Some(pid)) => {
                text = pid.to_string();
                (Tally::PipesByProcess, text.as_str())
            }
            ("", entity, Some(_)) => (Tally::PipesByProcess, entity),
            ("", _, None) => return,
            (peer, ..) => (Tally::PipesByPeer, text::lower(peer, &mut text)),
        };
        self.evicted.other += self.host.tallies.count(tally, actor, class, note.clone());
    }
}
