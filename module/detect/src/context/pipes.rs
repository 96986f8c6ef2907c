//! A use of a named pipe as analytics look at it: its name, and both its ends as far as they are known; and who came in
//! over SMB about the same time.

use std::time::Duration;

use backchannel_events::{Activity, Channel, Mechanism};

use super::Context;
use crate::Actor;
use crate::memory::{Note, Use};
use crate::text;
use crate::vocabulary::pipes;

/// How far apart a pipe's opening and the flow that carried it may be: Sysmon writes flows late.
const FLOW_SLACK: Duration = Duration::from_secs(10);
/// How far apart a pipe's opening and the logon that carried it may be.
const LOGON_SLACK: Duration = Duration::from_secs(5);
/// The port of SMB.
const SMB: u16 = 445;

/// The use of a named pipe that an event is about.
#[derive(Clone, Copy, Debug)]
pub struct PipeUse<'c> {
    /// The channel as the record has it.
    pub channel: &'c Channel<'c>,
    /// Its name without prefix, case as logged.
    pub name: &'c str,
    /// Whether the event is its creation rather than an opening.
    pub creation: bool,
}

impl PipeUse<'_> {
    /// The beginning of a sentence about it: which of its ends made or opened it.
    pub fn act(&self, client: Actor<'_>, server: Actor<'_>) -> String {
        match (self.creation, self.channel.remote) {
            (true, _) => format!("{} made", label(server)),
            (false, true) => "A client on the network opened".to_owned(),
            (false, false) => format!("{} opened", label(client)),
        }
    }
}

/// Who came in over SMB.
#[derive(Clone, Copy, Debug)]
pub struct SmbClient<'c> {
    /// Address.
    pub address: &'c str,
    /// The record that says so; `None` if it is the event at hand.
    pub note: Option<&'c Note>,
}

impl<'c> Context<'c> {
    /// The named pipe that the event creates or opens. Costs nothing but a comparison.
    pub fn pipe(&self) -> Option<PipeUse<'c>> {
        let (channel, creation) = match &self.event().activity {
            Activity::ChannelCreate(channel) => (channel, true),
            Activity::ChannelConnect(channel) => (channel, false),
            _ => return None,
        };
        let named = channel.mechanism == Mechanism::NamedPipe && !channel.name.is_empty();
        named.then(|| PipeUse { channel, name: pipes::bare(channel.name), creation })
    }

    /// The remembered creation of a pipe, and its maker.
    pub fn pipe_maker(&self, name: &str) -> Option<(Actor<'c>, &'c Use)> {
        let created = self.channel(name)?.created.as_ref()?;
        let maker = created.process.and_then(|id| self.remembered(id));
        Some((maker.unwrap_or(Actor { image: &created.image, ..Actor::default() }), created))
    }

    /// Both ends of the pipe at hand: client and server, each unknown where no record names it. Over SMB the client is
    /// no process of this machine.
    pub fn pipe_ends(&self, pipe: &PipeUse<'c>) -> (Actor<'c>, Actor<'c>) {
        if pipe.creation {
            return (Actor::default(), self.subject());
        }
        let client = if pipe.channel.remote { Actor::default() } else { self.subject() };
        (client, self.pipe_maker(pipe.channel.name).map(|(maker, _)| maker).unwrap_or_default())
    }

    /// Who came in over SMB with the opening at hand, from another machine: named by the record, by a flow to port 445
    /// or by a network logon about that time.
    pub fn smb_client(&self, channel: &Channel<'c>) -> Option<SmbClient<'c>> {
        let own = &self.host.addresses;
        if !channel.peer.is_empty() {
            return (!own.is_own(channel.peer)).then_some(SmbClient { address: channel.peer, note: None });
        }
        if !channel.remote {
            return None;
        }
        let time = self.event().time;
        let flow = self
            .host
            .flows
            .near(time, FLOW_SLACK)
            .find(|flow| {
                !flow.outbound && flow.local_port == SMB && !flow.remote.is_empty() && !own.is_own(&flow.remote)
            })
            .map(|flow| SmbClient { address: &flow.remote, note: Some(&flow.note) });
        flow.or_else(|| {
            let logons = self.host.logons.iter().map(|(_, logon)| logon);
            logons
                .filter(|logon| logon.kind == 3 && logon.is_remote(own) && logon.note.time.within(LOGON_SLACK, time))
                .max_by_key(|logon| logon.note.time)
                .map(|logon| SmbClient { address: &logon.address, note: Some(&logon.note) })
        })
    }

    /// The record that says somebody of this very machine came in over SMB about the time of the event: a loopback flow
    /// to port 445 within a minute, or a network logon from an own address within seconds.
    pub fn loopback_smb(&self) -> Option<&'c Note> {
        let (own, time) = (&self.host.addresses, self.event().time);
        let flows = self.host.flows.near(time, Duration::from_secs(60));
        let flow = flows
            .filter(|flow| (flow.local_port == SMB || flow.remote_port == SMB) && own.is_own(&flow.remote))
            .map(|flow| &flow.note)
            .next();
        flow.or_else(|| {
            let logons = self.host.logons.iter().map(|(_, logon)| logon);
            logons
                .filter(|logon| logon.kind == 3 && !logon.address.is_empty() && own.is_own(&logon.address))
                .map(|logon| &logon.note)
                .find(|note| note.time.within(LOGON_SLACK, time))
        })
    }

    /// Whether the opening at hand came, or very likely came, from another machine: over SMB, and neither the record nor
    /// anything near it says that it went through the loopback.
    pub fn is_from_elsewhere(&self, channel: &Channel<'c>) -> bool {
        channel.remote
            && if channel.peer.is_empty() {
                self.smb_client(channel).is_some() || self.loopback_smb().is_none()
            } else {
                !self.host.addresses.is_own(channel.peer)
            }
    }

    /// The record that says this executable was written over SMB, or by the kernel on a client's behalf, at most ten
    /// minutes ago.
    pub fn dropped_over_smb(&self, image: &str) -> Option<&'c Note> {
        if image.is_empty() {
            return None;
        }
        // Path of a share and path on disk differ in their beginning; the name is what they share.
        let name = text::base_name(image);
        self.host
            .files
            .near(self.event().time, Duration::from_secs(600))
            .find(|file| {
                text::base_name(&file.path).eq_ignore_ascii_case(name)
                    && (!file.peer.is_empty() || file.who.image.eq_ignore_ascii_case("System"))
            })
            .map(|file| &file.note)
    }
}

/// A process as sentences name it: base name and pid, as far as known.
pub fn label(actor: Actor<'_>) -> String {
    match (actor.name(), actor.pid) {
        ("", None) => "an unknown process".to_owned(),
        ("", Some(pid)) => format!("process {pid}"),
        (name, None) => name.to_owned(),
        (name, Some(pid)) => format!("{name} ({pid})"),
    }
}
