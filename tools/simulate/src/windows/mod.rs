//! Windows hosts: the activity on them and its order.

mod attacks;
mod boot;
mod desk;
mod events;
mod machine;
mod noise;
mod programs;
mod servers;

pub(crate) use machine::Machine;

use crate::clock::DAY;
use crate::options::Attack;
use crate::plan::Kind;

/// A scene: a unit of activity on a host.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scene {
    /// The host starts.
    Boot,
    /// A day begins: its working hours are planned.
    Day,
    /// The owner logs on, and stays until the given time.
    Arrive(i64),
    /// The owner logs off.
    Leave,
    /// Ordinary work and noise.
    Ordinary,
    /// The target's part of an episode.
    Target(usize),
    /// The source's part of an episode.
    Source(usize),
}

impl Machine {
    pub(crate) fn play(&mut self, at: i64, scene: Scene) {
        match scene {
            Scene::Boot => {
                self.count_records(false);
                self.boot(at);
                self.count_records(true);
                self.plan(at, Scene::Day);
                let gap = self.gap(at);
                self.plan(at + gap, Scene::Ordinary);
            }
            Scene::Day => {
                self.plan_day(at);
                let next = crate::clock::midnight(at) + DAY;
                if next < self.world.end {
                    self.plan(next, Scene::Day);
                }
            }
            Scene::Arrive(until) => {
                self.count_records(false);
                self.arrive(at, until);
                self.count_records(true);
            }
            Scene::Leave => {
                self.count_records(false);
                self.leave(at);
                self.count_records(true);
            }
            Scene::Ordinary => {
                self.ordinary(at);
                let gap = self.gap(at);
                self.plan(at + gap, Scene::Ordinary);
            }
            Scene::Target(number) => self.play_episode(number, true),
            Scene::Source(number) => self.play_episode(number, false),
        }
    }

    fn ordinary(&mut self, at: i64) {
        if self.session.is_some() && self.random.chance(65) {
            self.work(at);
        } else if !self.role().has_owner() && self.random.chance(60) {
            self.serve(at);
        } else {
            self.noise(at);
        }
    }

    fn play_episode(&mut self, number: usize, target: bool) {
        let episode = self.episodes[number].clone();
        let at = episode.start_ns;
        self.count_records(false);
        self.playing = Some(number);
        match (episode.kind, target) {
            (Kind::AdminExecutor, true) => self.executor_target(at, &episode, true),
            (Kind::AdminExecutor, false) => self.executor_source(at, &episode, true),
            (Kind::Attack(attack), true) => match attack {
                Attack::Mmc20 => self.mmc20_target(at, &episode),
                Attack::ExcelAddIn => self.excel_target(at, &episode),
                Attack::ShellWindows => self.shell_windows_target(at, &episode),
                Attack::WmiExec => self.wmiexec_target(at, &episode),
                Attack::RenamedExecutor => self.executor_target(at, &episode, false),
                Attack::GetSystem => self.get_system(at, &episode),
                Attack::Potato => self.potato(at, &episode),
                Attack::ComHijack => self.com_hijack(at, &episode),
                Attack::CmstpLua => self.cmstplua(at),
                Attack::DdeOffice => self.dde(at, &episode),
                Attack::SmbBeacon => self.beacon_target(at, &episode),
                // Linux attacks are never planned for a Windows host.
                _ => {}
            },
            (Kind::Attack(attack), false) => match attack {
                Attack::Mmc20 | Attack::ExcelAddIn | Attack::ShellWindows => self.dcom_source(at, &episode, attack),
                Attack::RenamedExecutor => self.executor_source(at, &episode, false),
                Attack::WmiExec | Attack::SmbBeacon => self.tool_source(at, &episode, attack),
                _ => {}
            },
        }
        self.playing = None;
        self.count_records(true);
    }
}
