//! Linux hosts: their activity, as the audit daemon logs it.

mod attacks;
mod events;
mod machine;
mod work;

pub(crate) use machine::Machine;

use crate::options::Attack;
use crate::plan::Kind;

/// A scene: a unit of activity on a host.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scene {
    /// Auditing and the services start.
    Boot,
    /// Ordinary work.
    Ordinary,
    /// The host's part of an episode.
    Episode(usize),
}

impl Machine {
    pub(crate) fn play(&mut self, at: i64, scene: Scene) {
        match scene {
            Scene::Boot => {
                self.count_records(false);
                self.boot(at);
                self.count_records(true);
                let gap = self.gap(at);
                self.plan(at + gap, Scene::Ordinary);
            }
            Scene::Ordinary => {
                self.work(at);
                let gap = self.gap(at);
                self.plan(at + gap, Scene::Ordinary);
            }
            Scene::Episode(number) => {
                let episode = self.episodes[number].clone();
                self.playing = Some(number);
                self.count_records(false);
                let at = episode.start_ns;
                match episode.kind {
                    Kind::Attack(Attack::FifoShell) => self.fifo_shell(at, &episode),
                    Kind::Attack(Attack::DockerSocket) => self.docker_socket(at, &episode),
                    Kind::Attack(Attack::AgentHijack) => self.agent_hijack(at, &episode),
                    Kind::Attack(Attack::SystemdUnit) => self.systemd_unit(at, &episode),
                    Kind::Attack(Attack::FifoTasking) => self.fifo_tasking(at, &episode),
                    // Windows attacks are never planned for a Linux host.
                    _ => {}
                }
                self.count_records(true);
                self.playing = None;
            }
        }
    }
}
