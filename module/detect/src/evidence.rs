//! [`Evidence`]: what an analytic answers, before the site's settings and the escalation rules are applied.

mod pipe;
pub mod rpc_call;
mod started;

use backchannel_events::{
    Activity, ChannelNote, Confidence, Indicators, Mechanism, Observation, Party, ProcessEvent, Reasons, Severity,
};

use crate::memory::{Note, ProcessId};
use crate::{Actor, predicates};

/// What an analytic concluded. Built with chained calls, so that it reads like the sentence it stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// How bad it is.
    pub severity: Severity,
    /// How sure we are.
    pub confidence: Confidence,
    /// One sentence for a reader.
    pub text: String,
    /// Reasons to escalate that hold here.
    pub reasons: Reasons,
    /// Key indicators that hold here.
    pub indicators: Indicators,
    /// The process that asked.
    pub client: Option<Party>,
    /// The process that was asked.
    pub server: Option<Party>,
    /// What they talked over.
    pub channel: Option<ChannelNote>,
    /// Earlier records it rests on, besides the event at hand.
    pub earlier: Vec<Observation>,
    pub(crate) client_known: Option<ProcessId>,
    pub(crate) server_known: Option<ProcessId>,
    /// Which machine acted on which.
    pub(crate) direction: Direction,
    /// The account used on the target, where it is not the acting one.
    pub(crate) target_account: String,
    /// The techniques that it bears out, where they are not all of the analytic's.
    pub(crate) techniques: Vec<&'static str>,
    /// Who acted, where that is not the client: whoever made a service or a broker act.
    pub(crate) acted: Option<Party>,
    pub(crate) joins: Vec<String>,
    /// A program at one end is unsigned, as far as is known.
    pub(crate) unsigned: bool,
}

/// Which machine acted on which, as the analytic knows it from its telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Everything happened on the machine that logged it.
    #[default]
    Local,
    /// The channel's peer acted on the machine that logged it.
    Inbound,
    /// The machine that logged it acted on the channel's peer.
    Outbound,
}

impl Evidence {
    /// A conclusion in one sentence.
    pub fn new(severity: Severity, confidence: Confidence, text: impl Into<String>) -> Self {
        Self { severity, confidence, text: text.into(), ..Self::default() }
    }

    /// Reasons to escalate.
    #[must_use]
    pub fn reasons(mut self, reasons: Reasons) -> Self {
        self.reasons = self.reasons.and(reasons);
        self
    }

    /// Key indicators.
    #[must_use]
    pub fn indicators(mut self, indicators: Indicators) -> Self {
        self.indicators = self.indicators.and(indicators);
        self
    }

    /// The process that asked, wrote or connected.
    #[must_use]
    pub fn client(mut self, actor: Actor<'_>) -> Self {
        self.client = party(actor);
        self.unsigned |= predicates::is_unsigned(actor);
        self.client_known = actor.known.map(|known| known.id);
        self
    }

    /// The process that was asked, or owns the channel.
    #[must_use]
    pub fn server(mut self, actor: Actor<'_>) -> Self {
        self.server = party(actor);
        self.unsigned |= predicates::is_unsigned(actor);
        self.server_known = actor.known.map(|known| known.id);
        self
    }

    /// A COM server or provider was made to start a program. Shells come by the dozen and differ in nothing but their
    /// number: they fold into one finding about the server. Any other program is an endpoint of its own.
    #[must_use]
    pub fn made_run(self, server: Actor<'_>, child: Actor<'_>) -> Self {
        let shell = predicates::is_script_host(child) || predicates::is_lolbin(child);
        if shell && !server.is_unknown() { self.server(server) } else { self.client(server).server(child) }
    }

    /// What they talked over.
    #[must_use]
    pub fn channel(mut self, mechanism: Mechanism, name: impl Into<String>) -> Self {
        let channel = self.channel.get_or_insert_default();
        channel.mechanism = mechanism;
        channel.name = name.into();
        self
    }

    /// Another machine acted on this one: it called, connected, logged on or wrote here. `peer` is its address or name,
    /// empty if no record says it.
    #[must_use]
    #[allow(clippy::wrong_self_convention, reason = "the direction of the action, not a conversion")]
    pub fn from_machine(mut self, peer: impl Into<String>) -> Self {
        self.direction = Direction::Inbound;
        self.involving(peer)
    }

    /// This machine acted on another one. `peer` is its address or name, empty if no record says it.
    #[must_use]
    #[allow(clippy::wrong_self_convention, reason = "the direction of the action, not a conversion")]
    pub fn to_machine(mut self, peer: impl Into<String>) -> Self {
        self.direction = Direction::Outbound;
        self.involving(peer)
    }

    /// The event's exchange crossed machines, in the direction that its activity says: what is accepted, logged on or
    /// called here came from the peer, what is connected to went there.
    #[must_use]
    pub fn exchange_with(self, event: &ProcessEvent<'_>, peer: impl Into<String>) -> Self {
        let outbound = match &event.activity {
            Activity::NetworkFlow(flow) => flow.outbound,
            Activity::ComActivation(activation) => activation.outbound,
            // Over SMB, the records are those of the machine that has the pipe.
            Activity::ChannelConnect(channel) => channel.mechanism != Mechanism::NamedPipe,
            _ => false,
        };
        if outbound { self.to_machine(peer) } else { self.from_machine(peer) }
    }

    /// Another machine plays a part, without acting and without being acted upon: a share that something is loaded from,
    /// this machine under an address of its own.
    #[must_use]
    pub fn involving(mut self, peer: impl Into<String>) -> Self {
        let channel = self.channel.get_or_insert_default();
        channel.remote = true;
        channel.peer = peer.into();
        self
    }

    /// The account that is used on the target, where a record or a command line names another than the acting one.
    #[must_use]
    pub fn target_account(mut self, account: impl Into<String>) -> Self {
        self.target_account = account.into();
        self
    }

    /// The process that acted, where a service or a broker did its bidding and wrote the record.
    #[must_use]
    pub(crate) fn acted(mut self, actor: Actor<'_>) -> Self {
        self.acted = party(actor);
        self
    }

    /// The techniques that it bears out, instead of the analytic's.
    #[must_use]
    pub(crate) fn techniques(mut self, techniques: &[&'static str]) -> Self {
        self.techniques = techniques.to_vec();
        self
    }

    /// An earlier record it rests on, and what that record says.
    #[must_use]
    pub fn because(mut self, note: &Note, text: impl Into<String>) -> Self {
        self.earlier.push(note.observation(text.into()));
        self
    }
}

/// The process as the end of a channel in a finding; `None` if nothing is known of it.
fn party(actor: Actor<'_>) -> Option<Party> {
    if actor.is_unknown() {
        return None;
    }
    let hashes = [
        ("MD5", actor.hashes.md5),
        ("SHA1", actor.hashes.sha1),
        ("SHA256", actor.hashes.sha256),
        ("IMPHASH", actor.hashes.imphash),
    ];
    Some(Party {
        name: actor.name().to_owned(),
        path: actor.image.to_owned(),
        pid: actor.pid,
        entity: actor.entity.to_owned(),
        command_line: actor.command_line.to_owned(),
        user: actor.account(),
        integrity: actor.integrity,
        hashes: hashes
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(kind, value)| format!("{kind}={value}"))
            .collect(),
        ancestors: Vec::new(),
        untrusted: predicates::is_untrusted(actor),
        privileged: predicates::is_privileged(actor),
    })
}
