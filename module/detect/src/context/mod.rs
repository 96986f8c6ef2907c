//! What an analytic can question: [`Context`], the view of one event. It holds the memory of the event's host, the site's
//! tunables, and the event's own processes completed from memory. Everything else here derives facts from it; nothing
//! here is remembered.

pub mod activation;
pub mod com_handlers;
pub mod com_registry;
pub mod com_server;
pub mod command_line;
pub mod consent;
pub mod exchange;
pub mod explained;
pub mod far;
pub mod inbound;
pub mod pipes;
pub mod script_text;
pub mod socket_owner;
pub mod wording;

use std::time::Duration;

use backchannel_events::{Process, ProcessEvent, User};

pub use pipes::PipeUse;

use crate::baseline::{Baseline, Edge, Standing};
use crate::memory::{Activation, Host, KnownChannel, KnownLogon, ProcessId};
use crate::tunables::{Threshold, Tunables};
use crate::{Actor, text};
use wording::Wording;

/// What an analytic may ask about: the memory of the event's host, the site's tuning, and the processes that the
/// event names, completed from memory.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The memory of the event's host. The event itself is not in it yet.
    pub host: &'c Host,
    /// The site's tuning.
    pub tuning: &'c Tunables,
    /// What was learned to be usual, where the site gave a baseline.
    pub baseline: Option<&'c Baseline>,
    /// The exchange that the event is, and what the baseline says about it; `None` without a baseline.
    pub exchange: Option<&'c (Edge, Standing)>,
    /// The analytic that is evaluated: its id, and the time within which it joins records at this site.
    analytic: (&'static str, Duration),
    wording: Option<&'c Wording<'c>>,
    event: &'c ProcessEvent<'c>,
    subject: Actor<'c>,
    parent: Actor<'c>,
}

impl<'c> Context<'c> {
    /// The view for one event.
    pub fn new(
        host: &'c Host,
        tuning: &'c Tunables,
        baseline: Option<&'c Baseline>,
        event: &'c ProcessEvent<'c>,
    ) -> Self {
        let process = &event.process;
        let known = host.processes.find(process.entity, process.pid, event.time);
        let subject = Actor::of(process, known);
        let stated = &process.parent;
        let known_parent = if stated.pid.is_some() || !stated.entity.is_empty() {
            host.processes.find(stated.entity, stated.pid, event.time)
        } else {
            known.and_then(|known| known.parent).and_then(|id| host.processes.get(id))
        };
        let mut parent = known_parent.map(Actor::remembered).unwrap_or_default();
        let remembered_image = known.map_or("", |known| &*known.parent_image);
        let remembered_command = known.map_or("", |known| &*known.parent_command_line);
        parent.entity = first(&[stated.entity, parent.entity]);
        parent.pid = stated.pid.or(parent.pid).or(known.and_then(|known| known.parent_pid));
        parent.image = first(&[stated.image, parent.image, remembered_image]);
        parent.command_line = first(&[stated.command_line, parent.command_line, remembered_command]);
        if parent.user == User::default() {
            parent.user = stated.user;
        }
        Self {
            host,
            tuning,
            baseline,
            exchange: None,
            analytic: ("", Duration::ZERO),
            wording: None,
            event,
            subject: for_site(subject, tuning),
            parent: for_site(parent, tuning),
        }
    }

    /// Sets the analytic that is evaluated next, by its id, and the time within which it joins records at this site.
    pub(crate) fn set_analytic(&mut self, id: &'static str, window: Duration) {
        self.analytic = (id, window);
    }

    /// The time within which the analytic joins records at this site: zero for one that declares no window.
    pub fn window(&self) -> Duration {
        self.analytic.1
    }

    /// How much is too much at this site, for one of the analytic's thresholds.
    pub fn threshold(&self, threshold: &Threshold) -> u32 {
        self.tuning.threshold(self.analytic.0, threshold)
    }

    /// Whether a name in a log means the event's own host: names of pipes and services carry the first label only.
    pub fn is_this_host(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.host.key) || text::label(name).eq_ignore_ascii_case(text::label(&self.host.key))
    }

    /// The same view, with what the baseline says about the event's exchange.
    #[must_use]
    pub fn with_exchange(mut self, exchange: Option<&'c (Edge, Standing)>) -> Self {
        self.exchange = exchange;
        self
    }

    /// The same view, with the event's text.
    #[must_use]
    pub fn with_wording(mut self, wording: Option<&'c Wording<'c>>) -> Self {
        self.wording = wording;
        self
    }

    /// The text of the event at hand, ready to be searched: its script, command line or message.
    pub fn wording(&self) -> Option<&'c Wording<'c>> {
        self.wording
    }

    /// The process the event is about, completed from memory.
    pub fn subject(&self) -> Actor<'c> {
        self.subject
    }

    /// Its parent, completed from memory.
    pub fn parent(&self) -> Actor<'c> {
        self.parent
    }

    /// The event at hand.
    pub fn event(&self) -> &'c ProcessEvent<'c> {
        self.event
    }

    /// A process that the event names besides its subject, completed from memory.
    pub fn actor(&self, process: &Process<'c>) -> Actor<'c> {
        for_site(
            Actor::of(process, self.host.processes.find(process.entity, process.pid, self.event.time)),
            self.tuning,
        )
    }

    /// A remembered process.
    pub fn remembered(&self, id: ProcessId) -> Option<Actor<'c>> {
        self.host.processes.get(id).map(|known| for_site(Actor::remembered(known), self.tuning))
    }

    /// The remembered parent of a remembered process.
    pub fn parent_of(&self, actor: Actor<'c>) -> Option<Actor<'c>> {
        self.remembered(actor.known?.parent?)
    }

    /// The logon session with that id.
    pub fn logon(&self, id: u64) -> Option<&'c KnownLogon> {
        self.host.logons.get(id)
    }

    /// The logon session of a process.
    pub fn logon_of(&self, actor: Actor<'_>) -> Option<&'c KnownLogon> {
        actor.logon_id.and_then(|id| self.logon(id))
    }

    /// What is remembered of the channel of that name.
    pub fn channel(&self, name: &str) -> Option<&'c KnownChannel> {
        self.host.channels.get(name)
    }

    /// How the process came to be, if a broker started it: from memory, or, for the process that is starting in
    /// this very event, from the event.
    pub fn activation_of(&self, actor: Actor<'c>) -> Option<Activation> {
        actor.known.and_then(|known| known.activation.clone())
    }
}

fn first<'t>(texts: &[&'t str]) -> &'t str {
    texts.iter().find(|text| !text.is_empty()).copied().unwrap_or("")
}

/// A process as the site sees it.
fn for_site<'c>(mut actor: Actor<'c>, tuning: &Tunables) -> Actor<'c> {
    actor.counts_as_privileged = tuning.is_privileged(actor);
    actor
}
