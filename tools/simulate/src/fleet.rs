//! The fleet: all hosts, merged into one stream of records ordered by time.

use crate::options::Options;
use crate::plan::{self, Episode};
use crate::record::Record;
use crate::world::World;
use crate::{linux, windows};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

enum Machine {
    Windows(Box<windows::Machine>),
    Linux(Box<linux::Machine>),
}

impl Machine {
    fn prepare(&mut self) -> Option<i64> {
        match self {
            Machine::Windows(machine) => machine.prepare(),
            Machine::Linux(machine) => machine.prepare(),
        }
    }

    fn take(&mut self) -> Option<Record> {
        match self {
            Machine::Windows(machine) => machine.take(),
            Machine::Linux(machine) => machine.take(),
        }
    }
}

/// A simulated fleet: an iterator over its records, ordered by time. Its memory holds the state of the hosts and the
/// pending records, independent of the length of the simulated time.
pub struct Fleet {
    world: Arc<World>,
    episodes: Arc<[Episode]>,
    machines: Vec<Machine>,
    /// When each host's next record is due.
    next: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Fleet {
    /// Creates the fleet of these options. The output formats in them are not used.
    pub fn new(options: &Options) -> Self {
        let world = Arc::new(World::new(options));
        let episodes: Arc<[Episode]> = plan::plan(options, &world).into();
        let mut machines: Vec<Machine> = (0..world.hosts.len())
            .map(|index| match world.hosts[index].role.is_linux() {
                true => Machine::Linux(Box::new(linux::Machine::new(&world, index, &episodes))),
                false => Machine::Windows(Box::new(windows::Machine::new(&world, index, &episodes))),
            })
            .collect();
        let next = machines
            .iter_mut()
            .enumerate()
            .filter_map(|(index, machine)| machine.prepare().map(|time| Reverse((time, index))))
            .collect();
        Fleet { world, episodes, machines, next }
    }

    /// The plan: attacks, and ordinary work across hosts. [`Record::episode`] is an index into it.
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    /// Number of hosts.
    pub fn hosts(&self) -> usize {
        self.machines.len()
    }

    /// The name of a host.
    pub fn host_name(&self, host: usize) -> &str {
        self.world.hosts.get(host).map_or("", |host| &host.name)
    }

    /// Whether a host runs Linux; otherwise it runs Windows.
    pub fn is_linux(&self, host: usize) -> bool {
        self.world.hosts.get(host).is_some_and(|host| host.role.is_linux())
    }

    /// The account that an episode uses.
    pub fn account(&self, episode: &Episode) -> &str {
        &self.world.people[episode.actor].name
    }
}

impl Iterator for Fleet {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let Reverse((_, index)) = self.next.pop()?;
        let machine = &mut self.machines[index];
        let record = machine.take();
        if let Some(time) = machine.prepare() {
            self.next.push(Reverse((time, index)));
        }
        record
    }
}
