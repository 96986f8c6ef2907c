//! The processes of a host: their parents, accounts, and other properties.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use backchannel_events::{Integrity, Process, ProcessEvent, SignatureStatus, Timestamp, User};
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::note::{self, Interner, Name, Note};
use super::share::Share;
use crate::text;

/// Maximum number of processes stored for a host.
const MOST: usize = 4_096;
/// Tolerance between a process's start and records that contain it.
const SLACK: Duration = Duration::from_secs(10);
/// Maximum number of modules stored for a process.
const MOST_MODULES: usize = 16;

/// Number of a process within its host's memory; later processes have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessId(u64);

/// The stored state of one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownProcess {
    /// Its number in this memory.
    pub id: ProcessId,
    /// The source's stable identifier; empty if it has none.
    pub entity: Name,
    /// Process id.
    pub pid: Option<u32>,
    /// Start time, if the start was logged.
    pub start: Option<Timestamp>,
    /// End time, if the end was logged.
    pub end: Option<Timestamp>,
    /// Full path of its executable.
    pub image: Name,
    /// Name in the version resource, or auditd `comm`.
    pub original_name: Name,
    /// Command line, cut to 2 KiB.
    pub command_line: Name,
    /// SID or uid.
    pub user_id: Name,
    /// Account name.
    pub user_name: Name,
    /// Domain.
    pub user_domain: Name,
    /// Effective uid.
    pub effective_id: Name,
    /// Login uid.
    pub audit_id: Name,
    /// Logon id.
    pub logon_id: Option<u64>,
    /// Session.
    pub session: Option<u32>,
    /// Integrity level.
    pub integrity: Integrity,
    /// Whether its token is elevated.
    pub elevated: Option<bool>,
    /// Controlling terminal.
    pub tty: Name,
    /// Hashes: MD5, SHA-1, SHA-256, IMPHASH; empty where unknown.
    pub hashes: [Name; 4],
    /// Status of its executable's signature.
    pub signature: SignatureStatus,
    /// The signer (macOS: the team id, `Apple` for the system's own programs); empty if unknown.
    pub signer: Name,
    /// Its parent, if that is in memory.
    pub parent: Option<ProcessId>,
    /// Parent's pid as logged.
    pub parent_pid: Option<u32>,
    /// Parent's executable.
    pub parent_image: Name,
    /// Parent's command line.
    pub parent_command_line: Name,
    /// The record of its start, or the first that contains it.
    pub note: Note,
    /// Set if a COM or WMI broker started it for a client: local or from another machine.
    pub activation: Option<Activation>,
    /// Notable modules it loaded (script engines, .NET, XLL), by lower-case path.
    pub modules: Vec<(Name, Note)>,
}

impl KnownProcess {
    /// Base name of its executable.
    pub fn name(&self) -> &str {
        text::base_name(&self.image)
    }

    /// Whether it may be the process of that pid at `time`.
    fn alive_at(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time + SLACK) && self.end.is_none_or(|end| end + SLACK >= time)
    }

    /// Its account.
    pub fn user(&self) -> User<'_> {
        User {
            id: &self.user_id,
            name: &self.user_name,
            domain: &self.user_domain,
            effective_id: &self.effective_id,
            audit_id: &self.audit_id,
        }
    }
}

/// The process table of one host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Processes {
    next: u64,
    known: BTreeMap<ProcessId, KnownProcess>,
    /// By the [`number`](note::number) of the identifier.
    by_entity: BTreeMap<u64, ProcessId>,
    by_pid: BTreeMap<u32, Vec<ProcessId>>,
    share: Share,
    #[serde(skip)]
    latest: Latest,
}

/// Cache of recent look-ups: records about one process often follow each other, and each needs several look-ups. Not part
/// of the stored state.
#[derive(Clone, Debug, Default)]
struct Latest([Cell<Option<ProcessId>>; 32]);

impl Latest {
    /// The slot of a process identifier. A collision only costs a search.
    fn of(&self, entity: &str) -> Option<&Cell<Option<ProcessId>>> {
        self.0.get(note::place(entity, self.0.len()))
    }
}

impl PartialEq for Latest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Processes {
    /// The process with that number, if it is still in memory.
    pub fn get(&self, id: ProcessId) -> Option<&KnownProcess> {
        self.known.get(&id)
    }

    /// The process to which a record at `time` with this entity and pid refers.
    pub fn find(&self, entity: &str, pid: Option<u32>, time: Timestamp) -> Option<&KnownProcess> {
        if !entity.is_empty()
            && let Some(process) = self.of_entity(entity)
        {
            return Some(process);
        }
        let candidates = self.by_pid.get(&pid?)?;
        candidates
            .iter()
            .rev()
            .filter_map(|id| self.known.get(id))
            .filter(|process| entity.is_empty() || process.entity.is_empty())
            .find(|process| process.alive_at(time))
    }

    fn of_entity(&self, entity: &str) -> Option<&KnownProcess> {
        let place = self.latest.of(entity)?;
        let latest = place.get().and_then(|id| self.known.get(&id));
        if let Some(latest) = latest.filter(|latest| *latest.entity == *entity) {
            return Some(latest);
        }
        let known = self.known.get(self.by_entity.get(&note::number(entity))?)?;
        place.set(Some(known.id));
        (*known.entity == *entity).then_some(known)
    }

    /// The children of a process that are still in memory, earliest first.
    pub fn children(&self, parent: ProcessId) -> impl Iterator<Item = &KnownProcess> {
        self.known.range(parent..).map(|(_, process)| process).filter(move |process| process.parent == Some(parent))
    }

    /// All processes in memory, latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = &KnownProcess> {
        self.known.values().rev()
    }

    /// Number of processes in memory.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Stores a start. A start reported by two sources is one process.
    pub fn started(
        &mut self,
        event: &ProcessEvent<'_>,
        activation: Option<Activation>,
        names: &mut Interner,
    ) -> (ProcessId, u64) {
        let process = &event.process;
        let start = process.start.unwrap_or(event.time);
        let same = self.same_start(process, start);
        let parent = self.find(process.parent.entity, process.parent.pid, event.time).map(|parent| parent.id);
        let (id, evicted) = match same {
            Some(id) => (id, 0),
            None => self.insert(process, event, names),
        };
        if let Some(known) = self.known.get_mut(&id) {
            known.start.get_or_insert(start);
            known.activation = activation.or(known.activation.take());
            known.parent = parent.or(known.parent);
            known.parent_pid = process.parent.pid.or(known.parent_pid);
            fill(&mut known.parent_image, process.parent.image, names);
            fill(&mut known.parent_command_line, process.parent.command_line, names);
            learn(known, process, names);
        }
        self.index(id);
        (id, evicted)
    }

    /// Stores the properties of a process in a record.
    pub fn mentioned(
        &mut self,
        process: &Process<'_>,
        event: &ProcessEvent<'_>,
        names: &mut Interner,
    ) -> (Option<ProcessId>, u64) {
        if process.entity.is_empty() && process.pid.is_none() {
            return (None, 0);
        }
        let found = self.find(process.entity, process.pid, event.time);
        // A pid whose image differs is another process: its start was not logged.
        let found = found
            .filter(|known| {
                process.image.is_empty() || known.image.is_empty() || text::same_base_name(process.image, &known.image)
            })
            .map(|known| known.id);
        let (id, evicted) = match found {
            Some(id) => (id, 0),
            None => self.insert(process, event, names),
        };
        if let Some(known) = self.known.get_mut(&id) {
            learn(known, process, names);
        }
        if found.is_none() {
            self.index(id);
        }
        (Some(id), evicted)
    }

    /// Stores an end.
    pub fn ended(&mut self, process: &Process<'_>, time: Timestamp) {
        if let Some(id) = self.find(process.entity, process.pid, time).map(|known| known.id)
            && let Some(known) = self.known.get_mut(&id)
        {
            known.end = Some(time);
        }
    }

    /// Stores a notable module of a process.
    pub fn loaded(&mut self, id: ProcessId, module: &str, note: &Note, names: &mut Interner) {
        if let Some(known) = self.known.get_mut(&id)
            && known.modules.len() < MOST_MODULES
        {
            known.modules.push((names.lower(module), note.clone()));
        }
    }

    /// Corrects the activation of a process.
    pub fn set_activation(&mut self, id: ProcessId, activation: Activation) {
        if let Some(known) = self.known.get_mut(&id) {
            known.activation = Some(activation);
        }
    }

    fn same_start(&self, process: &Process<'_>, start: Timestamp) -> Option<ProcessId> {
        if !process.entity.is_empty()
            && let Some(known) = self.of_entity(process.entity)
        {
            return Some(known.id);
        }
        self.by_pid
            .get(&process.pid?)?
            .iter()
            .rev()
            .filter_map(|id| self.known.get(id))
            .find(|known| {
                (process.entity.is_empty() || known.entity.is_empty() || *known.entity == *process.entity)
                    && known.start.is_none_or(|other| other.within(Duration::from_secs(2), start))
                    && (known.image.is_empty() || text::same_base_name(process.image, &known.image))
                    && known.end.is_none_or(|end| end >= start)
            })
            .map(|known| known.id)
    }

    fn insert(&mut self, process: &Process<'_>, event: &ProcessEvent<'_>, names: &mut Interner) -> (ProcessId, u64) {
        let most = self.share.of(MOST);
        let evicted = if self.known.len() >= most { self.evict(most / 8) } else { 0 };
        let id = ProcessId(self.next);
        self.next += 1;
        let empty = names.name("");
        self.known.insert(
            id,
            KnownProcess {
                id,
                entity: names.name(process.entity),
                pid: process.pid,
                start: process.start,
                end: None,
                image: empty.clone(),
                original_name: empty.clone(),
                command_line: empty.clone(),
                user_id: empty.clone(),
                user_name: empty.clone(),
                user_domain: empty.clone(),
                effective_id: empty.clone(),
                audit_id: empty.clone(),
                logon_id: None,
                session: None,
                integrity: Integrity::Unknown,
                elevated: None,
                tty: empty.clone(),
                hashes: [empty.clone(), empty.clone(), empty.clone(), empty.clone()],
                signature: SignatureStatus::Unknown,
                signer: empty.clone(),
                parent: None,
                parent_pid: None,
                parent_image: empty.clone(),
                parent_command_line: empty,
                note: Note::of(event, names),
                activation: None,
                modules: Vec::new(),
            },
        );
        (id, evicted)
    }

    fn index(&mut self, id: ProcessId) {
        let Some(known) = self.known.get(&id) else { return };
        if !known.entity.is_empty() {
            self.by_entity.insert(note::number(&known.entity), id);
            if let Some(place) = self.latest.of(&known.entity) {
                place.set(Some(id));
            }
        }
        if let Some(pid) = known.pid {
            let ids = self.by_pid.entry(pid).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    /// Limits the table to a share from now on. Returns how many entries were evicted.
    pub fn fit(&mut self, share: Share) -> u64 {
        self.share = share;
        let surplus = self.known.len().saturating_sub(share.of(MOST));
        if surplus > 0 { self.evict(surplus) } else { 0 }
    }

    /// Evicts down to `target` entries: ended processes first, then the oldest.
    fn evict(&mut self, target: usize) -> u64 {
        let mut victims: Vec<ProcessId> =
            self.known.values().filter(|known| known.end.is_some()).map(|known| known.id).take(target).collect();
        if victims.len() < target {
            let missing = target - victims.len();
            victims.extend(self.known.values().filter(|known| known.end.is_none()).map(|known| known.id).take(missing));
        }
        for id in &victims {
            let Some(known) = self.known.remove(id) else { continue };
            let number = note::number(&known.entity);
            if self.by_entity.get(&number) == Some(id) {
                self.by_entity.remove(&number);
            }
            if let Some(pid) = known.pid
                && let Some(ids) = self.by_pid.get_mut(&pid)
            {
                ids.retain(|other| other != id);
                if ids.is_empty() {
                    self.by_pid.remove(&pid);
                }
            }
        }
        victims.len() as u64
    }
}

fn fill(slot: &mut Name, text: &str, names: &mut Interner) {
    if slot.is_empty() && !text.is_empty() {
        *slot = names.name(text);
    }
}

/// Fills properties that were unknown from a record.
fn learn(known: &mut KnownProcess, process: &Process<'_>, names: &mut Interner) {
    fill(&mut known.entity, process.entity, names);
    fill(&mut known.image, process.image, names);
    fill(&mut known.original_name, process.original_name, names);
    fill(&mut known.command_line, process.command_line, names);
    if known.user_id.is_empty() && known.user_name.is_empty() {
        fill(&mut known.user_name, process.user.name, names);
        fill(&mut known.user_domain, process.user.domain, names);
    }
    fill(&mut known.user_id, process.user.id, names);
    fill(&mut known.effective_id, process.user.effective_id, names);
    fill(&mut known.audit_id, process.user.audit_id, names);
    fill(&mut known.tty, process.tty, names);
    fill(&mut known.signer, process.signature.signer, names);
    let hashes = [process.hashes.md5, process.hashes.sha1, process.hashes.sha256, process.hashes.imphash];
    for (slot, hash) in known.hashes.iter_mut().zip(hashes) {
        fill(slot, hash, names);
    }
    known.pid = known.pid.or(process.pid);
    known.logon_id = known.logon_id.or(process.logon_id);
    known.session = known.session.or(process.session);
    known.elevated = known.elevated.or(process.elevated);
    if known.integrity == Integrity::Unknown {
        known.integrity = process.integrity;
    }
    if known.signature == SignatureStatus::Unknown {
        known.signature = process.signature.status;
    }
}
