//! One Windows host: its processes, logons, allocation of ids, and its log.

use super::Scene;
use super::programs::Program;
use crate::clock::{MINUTE, SECOND};
use crate::pace::Pace;
use crate::plan::Episode;
use crate::queue::{Next, Queue};
use crate::random::Random;
use crate::record::{Body, CHANNELS, Record, WindowsEvent};
use crate::world::{Host, Role, World};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// An episode's scene runs this long before its start, so that it can write preceding records.
const LEAD: i64 = 30 * SECOND;

/// An account.
#[derive(Debug)]
pub(crate) struct Account {
    pub name: Arc<str>,
    pub domain: Arc<str>,
    pub sid: Arc<str>,
    /// `DOMAIN\name`.
    pub full: Arc<str>,
}

impl Account {
    pub(crate) fn new(domain: &str, name: &str, sid: &str) -> Arc<Self> {
        Arc::new(Account {
            name: name.into(),
            domain: domain.into(),
            sid: sid.into(),
            full: format!(r"{domain}\{name}").into(),
        })
    }
}

/// A logon session.
#[derive(Debug)]
pub(crate) struct Logon {
    pub id: u64,
    pub guid: [u8; 16],
    pub account: Arc<Account>,
    /// The terminal session.
    pub session: u32,
    /// `LogonType`.
    pub kind: u32,
}

/// Integrity level of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    Low,
    Medium,
    High,
    System,
}

impl Integrity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Integrity::Low => "Low",
            Integrity::Medium => "Medium",
            Integrity::High => "High",
            Integrity::System => "System",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Integrity::Low => "S-1-16-4096",
            Integrity::Medium => "S-1-16-8192",
            Integrity::High => "S-1-16-12288",
            Integrity::System => "S-1-16-16384",
        }
    }
}

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    pub pid: u32,
    pub guid: [u8; 16],
    pub image: Arc<str>,
    pub command: Arc<str>,
    pub logon: Arc<Logon>,
    pub integrity: Integrity,
}

/// A person logged on at this host, or connected to its desktop.
pub(crate) struct Session {
    pub logon: Arc<Logon>,
    /// The same person's elevated token, where the person is an administrator.
    pub elevated: Option<Arc<Logon>>,
    pub explorer: Arc<Process>,
    /// Programs that run until logoff.
    pub apps: BTreeMap<&'static str, Arc<Process>>,
    pub ends: i64,
}

/// One Windows host.
pub(crate) struct Machine {
    pub world: Arc<World>,
    pub index: usize,
    pub random: Random,
    /// Long-running processes, by name.
    pub residents: BTreeMap<&'static str, Arc<Process>>,
    /// The built-in logons: SYSTEM, LOCAL SERVICE, NETWORK SERVICE.
    pub system: Arc<Logon>,
    pub local_service: Arc<Logon>,
    pub network_service: Arc<Logon>,
    pub machine_account: Arc<Account>,
    pub session: Option<Session>,
    pub episodes: Arc<[Episode]>,
    /// The running episode, with which records are labelled.
    pub playing: Option<usize>,
    queue: Queue<Scene, (Option<usize>, WindowsEvent)>,
    record_ids: [u64; CHANNELS],
    /// Released process ids, with the time of release.
    free_pids: BinaryHeap<Reverse<(i64, u32)>>,
    next_pid: u32,
    next_logon: u64,
    machine_id: u32,
    processes: u64,
    pace: Pace,
}

impl Machine {
    pub(crate) fn new(world: &Arc<World>, index: usize, episodes: &Arc<[Episode]>) -> Self {
        let mut random = world.random(index, 0);
        let host = &world.hosts[index];
        let logon = |id, name: &str, sid: &str| {
            let account = Account::new("NT AUTHORITY", name, sid);
            Arc::new(Logon { id, guid: [0; 16], account, session: 0, kind: if id == 0x3e7 { 0 } else { 5 } })
        };
        let machine_name = format!("{}$", host.short);
        let machine_account = Account::new(world.domain, &machine_name, "S-1-5-18");
        let mut machine = Machine {
            index,
            residents: BTreeMap::new(),
            system: logon(0x3e7, "SYSTEM", "S-1-5-18"),
            local_service: logon(0x3e5, "LOCAL SERVICE", "S-1-5-19"),
            network_service: logon(0x3e4, "NETWORK SERVICE", "S-1-5-20"),
            machine_account,
            session: None,
            episodes: Arc::clone(episodes),
            playing: None,
            queue: Queue::new(),
            record_ids: std::array::from_fn(|_| random.between(10_000, 900_000) as u64),
            free_pids: BinaryHeap::new(),
            next_pid: 4,
            next_logon: 0x1_0000,
            machine_id: random.next() as u32,
            processes: 0,
            pace: Pace::new(world.events_per_day, host.role.has_owner()),
            random,
            world: Arc::clone(world),
        };
        let boot = world.start + machine.random.between(0, 2 * MINUTE);
        machine.plan(boot, Scene::Boot);
        for (number, episode) in episodes.iter().enumerate() {
            if episode.target == index {
                machine.plan(episode.start_ns - LEAD, Scene::Target(number));
            } else if episode.source == Some(index) {
                machine.plan(episode.start_ns - LEAD, Scene::Source(number));
            }
        }
        machine
    }

    pub(crate) fn host(&self) -> &Host {
        &self.world.hosts[self.index]
    }

    pub(crate) fn role(&self) -> Role {
        self.host().role
    }

    /// Plans a scene.
    pub(crate) fn plan(&mut self, time: i64, scene: Scene) {
        self.queue.plan(time, scene);
    }

    /// Runs the scenes that are due; returns the time of the next record. `None`: there are no more.
    pub(crate) fn prepare(&mut self) -> Option<i64> {
        loop {
            match self.queue.next()? {
                Next::Scene(time, _) if time >= self.world.end => {}
                Next::Scene(time, scene) => self.play(time, scene),
                Next::Record(time) if time < self.world.end => return Some(time),
                Next::Record(_) => return None,
            }
        }
    }

    /// The record whose time [`Machine::prepare`] returned.
    pub(crate) fn take(&mut self) -> Option<Record> {
        let (time_ns, (episode, mut event)) = self.queue.take()?;
        let id = &mut self.record_ids[event.provider.index];
        *id += 1;
        event.record_id = *id;
        let host_name = Arc::clone(&self.host().name);
        Some(Record { time_ns, host: self.index, host_name, episode, body: Body::Windows(event) })
    }

    /// Writes an event.
    pub(crate) fn write(&mut self, time: i64, event: WindowsEvent) {
        self.pace.count();
        self.queue.write(time, (self.playing, event));
    }

    /// The time to wait until the next ordinary scene.
    pub(crate) fn gap(&mut self, now: i64) -> i64 {
        self.pace.gap(now, &mut self.random)
    }

    /// Sets whether the records written now count as ordinary work.
    pub(crate) fn count_records(&mut self, counting: bool) {
        self.pace.set_counting(counting);
    }

    /// A process id that is unused from `now` on.
    fn new_pid(&mut self, now: i64) -> u32 {
        if let Some(Reverse((since, pid))) = self.free_pids.peek().copied()
            && since + 5 * MINUTE < now
            && (self.next_pid > 14_000 || self.random.chance(40))
        {
            self.free_pids.pop();
            return pid;
        }
        self.next_pid += 4 * self.random.between(1, 14) as u32;
        self.next_pid
    }

    /// A new process, without a record of its start.
    pub(crate) fn create(
        &mut self,
        at: i64,
        program: &Program,
        command: &str,
        logon: &Arc<Logon>,
        integrity: Integrity,
    ) -> Arc<Process> {
        let image: Arc<str> = program.image.replace("{user}", &logon.account.name).into();
        let pid = self.new_pid(at);
        self.processes += 1;
        let mut guid = [0; 16];
        guid[..4].copy_from_slice(&self.machine_id.to_le_bytes());
        let seconds = at.div_euclid(1_000_000_000) as u32;
        guid[4..6].copy_from_slice(&(seconds as u16).to_le_bytes());
        guid[6..8].copy_from_slice(&((seconds >> 16) as u16).to_le_bytes());
        guid[8..10].copy_from_slice(&(self.processes as u16).to_le_bytes());
        guid[10..14].copy_from_slice(&((self.processes >> 16) as u32).to_le_bytes());
        guid[15] = 0x10;
        let command = command.replace("{image}", &image).into();
        Arc::new(Process { pid, guid, image, command, logon: Arc::clone(logon), integrity })
    }

    /// The process id is free from this time on.
    pub(crate) fn release(&mut self, at: i64, process: &Process) {
        self.free_pids.push(Reverse((at, process.pid)));
    }

    /// A new logon session.
    pub(crate) fn new_logon(&mut self, account: &Arc<Account>, session: u32, kind: u32) -> Arc<Logon> {
        self.next_logon += self.random.between(0x200, 0x3_0000) as u64;
        let mut guid = [0; 16];
        guid[..4].copy_from_slice(&self.machine_id.to_le_bytes());
        guid[8..].copy_from_slice(&self.next_logon.to_be_bytes());
        Arc::new(Logon { id: self.next_logon, guid, account: Arc::clone(account), session, kind })
    }

    /// The account of a person.
    pub(crate) fn person(&self, number: usize) -> Arc<Account> {
        let person = &self.world.people[number];
        Account::new(self.world.domain, &person.name, &person.sid)
    }

    /// A long-running process.
    ///
    /// The boot scene, which is the first scene, starts all processes that are used.
    pub(crate) fn resident(&self, name: &str) -> Arc<Process> {
        match self.residents.get(name).or_else(|| self.residents.values().next()) {
            Some(process) => Arc::clone(process),
            None => unreachable!("nothing happens before the host has booted"),
        }
    }

    /// Programs of `\Device\HarddiskVolume…`, as the filtering platform writes paths.
    pub(crate) fn device_path(image: &str) -> String {
        format!(r"\device\harddiskvolume3{}", image.get(2..).unwrap_or(image).to_lowercase())
    }
}
