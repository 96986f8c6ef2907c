//! One Linux host: its processes, logins, and allocation of ids.

use super::Scene;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::pace::Pace;
use crate::plan::Episode;
use crate::queue::{Next, Queue};
use crate::random::Random;
use crate::record::{AuditRecord, Body, Record};
use crate::world::{Host, Role, World};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// "No login": -1 as an unsigned number.
pub(crate) const UNSET: u32 = u32::MAX;

/// User and login session of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub uid: u32,
    pub auid: u32,
    pub session: u32,
    pub tty: &'static str,
}

impl Who {
    /// The account of a service, without a login.
    pub(crate) const fn service(uid: u32) -> Self {
        Who { uid, auid: UNSET, session: UNSET, tty: "(none)" }
    }
}

/// A process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub pid: u32,
    pub parent: u32,
    pub who: Who,
    pub comm: &'static str,
    pub exe: &'static str,
    pub folder: Arc<str>,
}

/// Accounts of services.
pub(crate) mod uid {
    pub(crate) const WWW: u32 = 33;
    pub(crate) const POSTGRES: u32 = 114;
    pub(crate) const APP: u32 = 990;
    pub(crate) const MAINTENANCE: u32 = 991;
    pub(crate) const RUNNER: u32 = 992;
}

/// One Linux host.
pub(crate) struct Machine {
    pub world: Arc<World>,
    pub index: usize,
    pub random: Random,
    /// Services, by name.
    pub residents: BTreeMap<&'static str, Process>,
    pub episodes: Arc<[Episode]>,
    pub playing: Option<usize>,
    queue: Queue<Scene, (Option<usize>, Vec<AuditRecord>)>,
    serial: u64,
    pace: Pace,
    free_pids: BinaryHeap<Reverse<(i64, u32)>>,
    next_pid: u32,
    next_session: u32,
    next_inode: i64,
    /// The inode of the maintenance helper's control FIFO.
    pub control: i64,
}

impl Machine {
    pub(crate) fn new(world: &Arc<World>, index: usize, episodes: &Arc<[Episode]>) -> Self {
        let mut random = world.random(index, 0);
        let mut machine = Machine {
            index,
            residents: BTreeMap::new(),
            episodes: Arc::clone(episodes),
            playing: None,
            queue: Queue::new(),
            serial: random.between(200, 90_000) as u64,
            pace: Pace::new(world.events_per_day, false),
            free_pids: BinaryHeap::new(),
            next_pid: random.between(400, 900) as u32,
            next_session: random.between(1, 40) as u32,
            next_inode: random.between(1000, 9000),
            control: 0,
            random,
            world: Arc::clone(world),
        };
        let boot = world.start + machine.random.between(0, MINUTE);
        machine.plan(boot, Scene::Boot);
        for (number, episode) in episodes.iter().enumerate() {
            if episode.target == index {
                machine.plan(episode.start_ns - 30 * SECOND, Scene::Episode(number));
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
        let (time_ns, (episode, records)) = self.queue.take()?;
        self.serial += 1;
        let host_name = Arc::clone(&self.host().name);
        let body = Body::Audit { serial: self.serial, records };
        Some(Record { time_ns, host: self.index, host_name, episode, body })
    }

    /// Writes the records of an event. The kernel's clock has steps of 4 ms.
    pub(crate) fn write(&mut self, time: i64, records: Vec<AuditRecord>) {
        self.pace.count();
        self.queue.write(time - time.rem_euclid(4 * MILLI), (self.playing, records));
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
    pub(crate) fn new_pid(&mut self, now: i64) -> u32 {
        if self.next_pid > 4_190_000
            && let Some(Reverse((since, pid))) = self.free_pids.peek().copied()
            && since + MINUTE < now
        {
            self.free_pids.pop();
            return pid;
        }
        self.next_pid += self.random.between(1, 4) as u32;
        self.next_pid
    }

    /// The process id is free from this time on.
    pub(crate) fn release(&mut self, at: i64, process: &Process) {
        // Only ids that may be needed again are kept.
        if self.free_pids.len() < 4096 {
            self.free_pids.push(Reverse((at, process.pid)));
        }
    }

    /// The id of a new login session.
    pub(crate) fn new_session(&mut self) -> u32 {
        self.next_session += 1;
        self.next_session
    }

    /// The inode of a new file.
    pub(crate) fn new_inode(&mut self) -> i64 {
        self.next_inode += self.random.between(1, 40);
        self.next_inode
    }

    /// A service. The boot scene starts all services that are used.
    pub(crate) fn resident(&self, name: &str) -> Process {
        match self.residents.get(name).or_else(|| self.residents.values().next()) {
            Some(process) => process.clone(),
            None => unreachable!("nothing happens before the host has booted"),
        }
    }
}
