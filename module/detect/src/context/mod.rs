//! What has been seen, host by host: the memory that analytics question.
//!
//! [`Host`] holds the tables of one machine, each bounded and each in a file of its own. [`Context`] is the view an
//! analytic gets: the host's memory, the site's tuning, and the event's own processes completed from memory.

pub mod activation;
pub mod addresses;
pub mod channels;
pub mod com_handlers;
pub mod com_registry;
pub mod consent;
pub mod documents;
pub mod far;
mod host;
pub mod inbound;
pub mod injections;
pub mod logons;
pub mod note;
pub mod pipes;
pub mod processes;
pub mod rates;
pub mod recent;
pub mod rpc_calls;
pub mod share;
pub mod socket_owner;
pub mod tallies;

use std::time::Duration;

use backchannel_events::{Hashes, Integrity, Party, Process, ProcessEvent, SignatureStatus, User};

pub use activation::Activation;
pub use channels::{KnownChannel, Use};
pub use host::Host;
pub use logons::KnownLogon;
pub use note::{Interner, Name, Note};
pub use pipes::PipeUse;
pub use processes::{KnownProcess, ProcessId};
pub use tallies::Tally;

use crate::baseline::{Baseline, Edge, Standing};
use crate::wording::Wording;
use crate::{Threshold, Tuning, Window, predicates, text, tuning};

/// What an analytic may ask about: the memory of the event's host, the site's tuning, and the processes that the
/// event names, completed from memory.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The memory of the event's host. The event itself is not in it yet.
    pub host: &'c Host,
    /// The site's tuning.
    pub tuning: &'c Tuning,
    /// What was learned to be usual, where the site gave a baseline.
    pub baseline: Option<&'c Baseline>,
    /// The exchange that the event is, and what the baseline says about it; `None` without a baseline.
    pub exchange: Option<&'c (Edge, Standing)>,
    wording: Option<&'c Wording<'c>>,
    event: &'c ProcessEvent<'c>,
    subject: Actor<'c>,
    parent: Actor<'c>,
}

impl<'c> Context<'c> {
    /// The view for one event.
    pub fn new(
        host: &'c Host,
        tuning: &'c Tuning,
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
            wording: None,
            event,
            subject: subject.for_site(tuning),
            parent: parent.for_site(tuning),
        }
    }

    /// The time within which an analytic joins records at this site.
    pub fn window(&self, window: Window) -> Duration {
        self.tuning.window(window)
    }

    /// How much is too much at this site.
    pub fn threshold(&self, threshold: &Threshold) -> u32 {
        self.tuning.threshold(threshold)
    }

    /// Whether a name in a log means the event's own host: names of pipes and services carry the first label only.
    pub fn is_this_host(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.host.key)
            || tuning::label(name).eq_ignore_ascii_case(tuning::label(&self.host.key))
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
        Actor::of(process, self.host.processes.find(process.entity, process.pid, self.event.time)).for_site(self.tuning)
    }

    /// A remembered process.
    pub fn remembered(&self, id: ProcessId) -> Option<Actor<'c>> {
        self.host.processes.get(id).map(|known| Actor::remembered(known).for_site(self.tuning))
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

/// A process as far as the event at hand and the memory together describe it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actor<'c> {
    /// The source's stable identifier.
    pub entity: &'c str,
    /// Process id.
    pub pid: Option<u32>,
    /// Full path of its executable.
    pub image: &'c str,
    /// Name in the version resource, or auditd `comm`.
    pub original_name: &'c str,
    /// Command line.
    pub command_line: &'c str,
    /// Whom it runs as.
    pub user: User<'c>,
    /// Logon id.
    pub logon_id: Option<u64>,
    /// Session.
    pub session: Option<u32>,
    /// Integrity level.
    pub integrity: Integrity,
    /// Whether its token is elevated.
    pub elevated: Option<bool>,
    /// Controlling terminal.
    pub tty: &'c str,
    /// Hashes of its executable.
    pub hashes: Hashes<'c>,
    /// Verdict on its executable's signature.
    pub signature: SignatureStatus,
    /// The site counts it as privileged, whatever its token says.
    pub counts_as_privileged: bool,
    /// Who signed it; empty if unknown.
    pub signer: &'c str,
    /// What the memory holds of it.
    pub known: Option<&'c KnownProcess>,
}

impl<'c> Actor<'c> {
    /// From what a record says, completed by what is remembered.
    pub fn of(process: &Process<'c>, known: Option<&'c KnownProcess>) -> Self {
        let stated = Self::stated(process);
        let Some(known) = known else { return stated };
        // A start that names an executable starts a new life of the pid: never mix two executables into one.
        if !stated.image.is_empty() && !known.image.is_empty() && !text::same_base_name(stated.image, &known.image) {
            return stated;
        }
        let or = |stated: &'c str, known: &'c Name| if stated.is_empty() { &**known } else { stated };
        let [md5, sha1, sha256, imphash] = &known.hashes;
        Self {
            entity: or(stated.entity, &known.entity),
            pid: stated.pid.or(known.pid),
            image: or(stated.image, &known.image),
            original_name: or(stated.original_name, &known.original_name),
            command_line: or(stated.command_line, &known.command_line),
            user: User {
                id: or(stated.user.id, &known.user_id),
                name: or(stated.user.name, &known.user_name),
                domain: if stated.user.name.is_empty() { &known.user_domain } else { stated.user.domain },
                effective_id: or(stated.user.effective_id, &known.effective_id),
                audit_id: or(stated.user.audit_id, &known.audit_id),
            },
            logon_id: stated.logon_id.or(known.logon_id),
            session: stated.session.or(known.session),
            integrity: if stated.integrity == Integrity::Unknown { known.integrity } else { stated.integrity },
            elevated: stated.elevated.or(known.elevated),
            tty: or(stated.tty, &known.tty),
            hashes: Hashes {
                md5: or(stated.hashes.md5, md5),
                sha1: or(stated.hashes.sha1, sha1),
                sha256: or(stated.hashes.sha256, sha256),
                imphash: or(stated.hashes.imphash, imphash),
            },
            signature: if stated.signature == SignatureStatus::Unknown { known.signature } else { stated.signature },
            counts_as_privileged: false,
            signer: or(stated.signer, &known.signer),
            known: Some(known),
        }
    }

    /// From what a record says alone.
    fn stated(process: &Process<'c>) -> Self {
        Self {
            entity: process.entity,
            pid: process.pid,
            image: process.image,
            original_name: process.original_name,
            command_line: process.command_line,
            user: process.user,
            logon_id: process.logon_id,
            session: process.session,
            integrity: process.integrity,
            elevated: process.elevated,
            tty: process.tty,
            hashes: process.hashes,
            signature: process.signature.status,
            counts_as_privileged: false,
            signer: process.signature.signer,
            known: None,
        }
    }

    /// As the site sees it.
    fn for_site(mut self, tuning: &Tuning) -> Self {
        self.counts_as_privileged = tuning.is_privileged(self);
        self
    }

    /// From memory alone.
    pub fn remembered(known: &'c KnownProcess) -> Self {
        let [md5, sha1, sha256, imphash] = &known.hashes;
        Self {
            entity: &known.entity,
            pid: known.pid,
            image: &known.image,
            original_name: &known.original_name,
            command_line: &known.command_line,
            user: known.user(),
            logon_id: known.logon_id,
            session: known.session,
            integrity: known.integrity,
            elevated: known.elevated,
            tty: &known.tty,
            hashes: Hashes { md5, sha1, sha256, imphash },
            signature: known.signature,
            counts_as_privileged: false,
            signer: &known.signer,
            known: Some(known),
        }
    }

    /// Base name of its executable.
    pub fn name(&self) -> &'c str {
        text::base_name(self.image)
    }

    /// Whether its executable, or the name in its version resource, is one of `names`: renaming the file does not
    /// change the latter.
    pub fn is(&self, names: &[&str]) -> bool {
        text::is_any(self.name(), names) || (!self.original_name.is_empty() && text::is_any(self.original_name, names))
    }

    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        self.image.is_empty() && self.pid.is_none() && self.entity.is_empty()
    }

    /// `DOMAIN\name`, or as much of it as is known.
    pub fn account(&self) -> String {
        account(self.user)
    }

    /// As the end of a channel in a finding; `None` if nothing is known of it.
    pub fn party(&self) -> Option<Party> {
        if self.is_unknown() {
            return None;
        }
        let hashes = [
            ("MD5", self.hashes.md5),
            ("SHA1", self.hashes.sha1),
            ("SHA256", self.hashes.sha256),
            ("IMPHASH", self.hashes.imphash),
        ];
        Some(Party {
            name: self.name().to_owned(),
            path: self.image.to_owned(),
            pid: self.pid,
            entity: self.entity.to_owned(),
            command_line: self.command_line.to_owned(),
            user: self.account(),
            integrity: self.integrity,
            hashes: hashes
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(kind, value)| format!("{kind}={value}"))
                .collect(),
            ancestors: Vec::new(),
            untrusted: predicates::is_untrusted(*self),
            privileged: predicates::is_privileged(*self),
        })
    }
}

/// `DOMAIN\name`, or the name, or the id.
pub fn account(user: User<'_>) -> String {
    match (user.domain, user.name) {
        ("", "") => user.id.to_owned(),
        ("", name) => name.to_owned(),
        (domain, name) => format!("{domain}\\{name}"),
    }
}

fn first<'t>(texts: &[&'t str]) -> &'t str {
    texts.iter().find(|text| !text.is_empty()).copied().unwrap_or("")
}
