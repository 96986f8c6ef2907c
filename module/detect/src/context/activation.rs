//! How a process came to be: started by a COM or WMI broker, on behalf of whom.
//!
//! A derived fact, remembered with the process, so that an analytic can ask "was this process activated from
//! another host?" without knowing the analytic that found it.

use backchannel_events::{Activity, Logon, LogonOutcome};

use super::Context;
use crate::memory::KnownProcess;
use crate::memory::activation::{Activation, Broker, Origin};
use crate::{Actor, predicates, text};

/// A late logon record is compared with this many of the latest processes.
const LATEST: usize = 512;

/// A process of which the event at hand tells how it came to be: it starts in this event, or the event is the
/// logon record that explains it and came late.
#[derive(Clone, Debug)]
pub struct Started<'c> {
    /// The process.
    pub process: Actor<'c>,
    /// Its parent.
    pub parent: Actor<'c>,
    /// How it came to be.
    pub activation: Activation,
}

impl Started<'_> {
    /// Whether its token has administrative rights, as the process or its logon tells.
    pub fn is_privileged(&self, context: &Context<'_>) -> bool {
        let by_logon =
            context.logon_of(self.process).is_some_and(|logon| logon.special || logon.elevated == Some(true));
        let by_event = match &context.event().activity {
            Activity::Logon(logon) => logon.elevated == Some(true),
            _ => false,
        };
        predicates::is_privileged(self.process) || by_logon || by_event
    }
}

/// The broker-started processes that the event at hand tells about: the one that starts in it, or those that its
/// logon record proves to be another machine's.
pub fn told<'c>(context: &Context<'c>) -> Vec<Started<'c>> {
    match &context.event().activity {
        Activity::ProcessStart => of_start(context)
            .map(|activation| Started { process: context.subject(), parent: context.parent(), activation })
            .into_iter()
            .collect(),
        Activity::Logon(logon) => explained(context, logon)
            .map(|(known, activation)| {
                let process = Actor::remembered(known);
                let parent = context.parent_of(process).unwrap_or_else(|| stated_parent(known));
                Started { process, parent, activation }
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The processes that a logon record proves to be another machine's, and that were not known to be.
pub fn explained<'c>(
    context: &Context<'c>,
    logon: &'c Logon<'c>,
) -> impl Iterator<Item = (&'c KnownProcess, Activation)> {
    let from_elsewhere = logon.outcome == LogonOutcome::Start
        && matches!(logon.kind, 3 | 8)
        && !logon.source.address.is_empty()
        && !context.host.addresses.is_own(logon.source.address);
    let id = if from_elsewhere { logon.id } else { None };
    let latest = if id.is_some() { LATEST } else { 0 };
    let processes = context.host.processes.latest_first().take(latest);
    processes.filter(move |known| known.logon_id == id).filter_map(move |known| {
        let activation = known.activation.as_ref()?;
        if activation.is_proven() || predicates::is_service_principal(known.user()) {
            return None;
        }
        let peer = logon.source.address.into();
        Some((known, Activation { broker: activation.broker, origin: Origin::NetworkLogon, peer }))
    })
}

/// A parent that is known only from its child's record.
fn stated_parent(known: &KnownProcess) -> Actor<'_> {
    Actor {
        pid: known.parent_pid,
        image: &known.parent_image,
        command_line: &known.parent_command_line,
        ..Actor::default()
    }
}

/// How the process that starts in `context`'s event came to be, if a broker started it.
pub fn of_start(context: &Context<'_>) -> Option<Activation> {
    let (started, parent) = (context.subject(), context.parent());
    let broker = broker(started, parent)?;
    let (origin, peer) = origin(context, started);
    Some(Activation { broker, origin, peer: peer.into() })
}

fn broker(started: Actor<'_>, parent: Actor<'_>) -> Option<Broker> {
    if parent.is(&["wmiprvse.exe"]) && !started.is(&["wmiprvse.exe"]) {
        Some(Broker::WmiProvider)
    } else if predicates::started_by_dcom_launch(started, parent) {
        Some(Broker::DcomLaunch)
    } else {
        None
    }
}

/// On whose behalf `started` runs, and from which address.
pub fn origin<'c>(context: &Context<'c>, started: Actor<'c>) -> (Origin, &'c str) {
    if predicates::is_service_principal(started.user) {
        return (Origin::Local, "");
    }
    if let Some(logon) = started.logon_id.and_then(|id| context.logon(id)) {
        if logon.is_remote(&context.host.addresses) && logon.kind != 10 {
            return (Origin::NetworkLogon, &logon.address);
        }
        if logon.kind != 0 && logon.kind != 3 {
            return (Origin::Local, "");
        }
    }
    let known_user = !started.user.name.is_empty() || text::starts_with(started.user.id, "S-1-5-21-");
    if started.session == Some(0) && known_user && !has_local_session(context, started) {
        return (Origin::SessionZero, "");
    }
    (Origin::Local, "")
}

/// Whether the logon of `started` also holds a process that the service manager, the scheduler or a desktop
/// started: then it was opened on this machine, not by a remote caller.
fn has_local_session(context: &Context<'_>, started: Actor<'_>) -> bool {
    const OPENERS: [&str; 6] =
        ["services.exe", "svchost.exe", "taskeng.exe", "winlogon.exe", "userinit.exe", "explorer.exe"];
    let Some(id) = started.logon_id else { return false };
    context.host.processes.latest_first().any(|known| {
        known.logon_id == Some(id)
            && known.activation.is_none()
            && text::is_any(text::base_name(&known.parent_image), &OPENERS)
    })
}
