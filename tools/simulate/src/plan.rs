//! The plan: time, hosts and account of each attack, and of administrators' ordinary work that involves two hosts. It
//! is made before the simulation starts, so that both hosts of an episode can be simulated independently.

use crate::clock::{DAY, HOUR, MINUTE, SECOND, is_workday, midnight};
use crate::options::{Attack, Options};
use crate::random::Random;
use crate::world::{ADMINS, Role, World};

/// The kind of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An attack.
    Attack(Attack),
    /// An administrator runs a command on another host with PsExec.
    AdminExecutor,
}

impl Kind {
    /// Its name in `truth.json`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Attack(attack) => attack.name(),
            Kind::AdminExecutor => "admin-executor",
        }
    }
}

/// One attack, or one piece of work across hosts.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Kind of the episode.
    pub kind: Kind,
    /// Start: nanoseconds since 1970-01-01 UTC.
    pub start_ns: i64,
    /// Target host.
    pub target: usize,
    /// Source host, if it is another host of the fleet.
    pub source: Option<usize>,
    /// Index of the person whose account is used.
    pub(crate) actor: usize,
    /// Facts shared by both hosts: addresses, ports, names.
    pub(crate) shared: Shared,
}

/// Facts shared by both hosts of an episode.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    /// Source address, in the fleet or not.
    pub address: String,
    /// Name of the source machine.
    pub workstation: String,
    /// Client port, and the server's dynamic port.
    pub ports: [u32; 2],
    /// A random word for this episode.
    pub word: String,
    /// Process id of the client.
    pub pid: u32,
    /// Seed of this episode's random numbers.
    pub seed: u64,
}

/// Makes the plan.
pub(crate) fn plan(options: &Options, world: &World) -> Vec<Episode> {
    let mut random = Random::new(options.seed, &[1]);
    let mut episodes = Vec::new();
    let span = world.end - world.start;
    if span <= 0 {
        return episodes;
    }
    let attacks: Vec<Attack> = (0..options.repeat).flat_map(|_| options.attacks.0.iter().copied()).collect();
    for (number, attack) in attacks.iter().enumerate() {
        let Some((target, source, actor)) = parties(*attack, world, &mut random) else { continue };
        // Distributed over the whole time, in working hours if there are any.
        let slot = span / attacks.len() as i64;
        let start = working_time(world, world.start + slot * number as i64 + random.between(0, slot), &mut random);
        episodes.push(episode(Kind::Attack(*attack), start, target, source, actor, world, &mut random));
    }
    if let Some(admin) = world.with_role(Role::Admin) {
        let servers: Vec<usize> = (0..world.hosts.len())
            .filter(|host| matches!(world.hosts[*host].role, Role::FileServer | Role::Database | Role::Workstation))
            .filter(|host| world.hosts[*host].sysmon)
            .collect();
        let mut day = midnight(world.start);
        while day < world.end && !servers.is_empty() {
            // Once or twice a week.
            if is_workday(day) && random.chance(30) {
                let start = day + random.between(9 * HOUR, 17 * HOUR);
                let target = *random.pick(&servers);
                if (world.start + 10 * MINUTE..world.end - 10 * MINUTE).contains(&start) {
                    let owner = world.hosts[admin].owner;
                    episodes.push(episode(Kind::AdminExecutor, start, target, Some(admin), owner, world, &mut random));
                }
            }
            day += DAY;
        }
    }
    episodes.sort_by_key(|episode| episode.start_ns);
    episodes
}

fn episode(
    kind: Kind,
    start_ns: i64,
    target: usize,
    source: Option<usize>,
    actor: usize,
    world: &World,
    random: &mut Random,
) -> Episode {
    let (address, workstation) = match source {
        Some(source) => (world.hosts[source].address.to_string(), world.hosts[source].short.to_string()),
        // A machine that sends no logs.
        None => (format!("10.20.254.{}", random.between(20, 200)), format!("LT{:03}", random.between(100, 999))),
    };
    Episode {
        kind,
        start_ns,
        target,
        source,
        actor,
        shared: Shared {
            address,
            workstation,
            ports: [random.between(49_700, 61_000) as u32, random.between(49_664, 50_200) as u32],
            word: random.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 8),
            pid: 4 * random.between(500, 2400) as u32,
            seed: random.next(),
        },
    }
}

/// Target, source and account of an attack; `None` if the fleet has no suitable host.
fn parties(attack: Attack, world: &World, random: &mut Random) -> Option<(usize, Option<usize>, usize)> {
    let hosts = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..world.hosts.len()).filter(|host| wanted(*host)).collect()
    };
    let choose = |from: Vec<usize>, random: &mut Random| {
        if from.is_empty() { None } else { Some(*random.pick(&from)) }
    };
    let role = |host: usize| world.hosts[host].role;
    if attack.is_linux() {
        let target = choose(hosts(&|host| role(host) == Role::Web), random)?;
        return Some((target, None, ADMINS + random.below(2) as usize));
    }
    let with_sysmon = |host: usize| !role(host).is_linux() && world.hosts[host].sysmon;
    let on_a_desk = |host: usize| with_sysmon(host) && role(host) == Role::Workstation;
    match attack {
        Attack::ComHijack | Attack::CmstpLua | Attack::DdeOffice | Attack::GetSystem => {
            let target = choose(hosts(&on_a_desk), random)?;
            Some((target, None, world.hosts[target].owner))
        }
        Attack::Potato => {
            let target = world.with_role(Role::Database).or_else(|| choose(hosts(&on_a_desk), random))?;
            Some((target, None, world.hosts[target].owner))
        }
        _ => {
            let target = choose(hosts(&on_a_desk), random)?;
            let source = choose(hosts(&|host| on_a_desk(host) && host != target), random);
            // With the stolen account of an administrator.
            Some((target, source, random.below(ADMINS as u64) as usize))
        }
    }
}

/// A time near `wish` in working hours, if the simulated time contains any.
fn working_time(world: &World, wish: i64, random: &mut Random) -> i64 {
    let (first, last) = (world.start + 40 * MINUTE, world.end - 15 * MINUTE);
    if last <= first {
        return world.start + (world.end - world.start) / 2;
    }
    for day in 0..8 {
        for sign in [1, -1] {
            let midnight = midnight(wish) + sign * day * DAY;
            // Late enough that everybody has logged on, early enough that nobody has logged off.
            let (low, high) = ((midnight + 10 * HOUR).max(first), (midnight + 16 * HOUR).min(last));
            if is_workday(midnight) && low < high {
                return random.between(low / SECOND, high / SECOND) * SECOND + random.between(0, SECOND);
            }
        }
    }
    wish.clamp(first, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::civil;

    #[test]
    fn every_selected_attack_is_planned_in_working_hours() {
        let options = Options { days: 7, ..Options::default() };
        let world = World::new(&options);
        let plan = plan(&options, &world);
        for attack in Attack::ALL {
            let of_it: Vec<&Episode> = plan.iter().filter(|episode| episode.kind == Kind::Attack(*attack)).collect();
            assert_eq!(of_it.len(), 1, "{}", attack.name());
            assert!((10..=16).contains(&civil(of_it[0].start_ns).hour), "{}", attack.name());
            assert!(is_workday(of_it[0].start_ns));
            assert_ne!(of_it[0].source, Some(of_it[0].target));
        }
    }
}
