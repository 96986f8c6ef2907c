//! The attacks on Windows hosts, one file per kind: their records in the logs of target and source.

mod com;
mod dcom;
mod pipes;
mod remote;

use super::events::Flow;
use super::machine::{Integrity, Logon, Machine, Process};
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::plan::Episode;
use std::sync::Arc;

impl Machine {
    /// A network logon of the episode's account from its source, with its connection.
    fn intrude(&mut self, at: i64, episode: &Episode) -> Arc<Logon> {
        let account = self.person(episode.actor);
        let logon = self.new_logon(&account, 0, 3);
        let shared = &episode.shared;
        self.log_on(at, &logon, Some((&shared.workstation, &shared.address, shared.ports[0])), true);
        self.log_off(at + 4 * MINUTE, &logon);
        logon
    }

    /// A connection from the episode's source.
    fn receive(&mut self, at: i64, process: &Arc<Process>, local_port: u32, offset: u32, episode: &Episode) {
        let flow = Flow {
            outbound: false,
            local_port,
            remote: &episode.shared.address,
            remote_name: "-",
            remote_port: episode.shared.ports[0] + offset,
            protocol: "tcp",
        };
        self.flow(at, process, &flow);
    }

    /// A connection to the episode's target.
    fn send(&mut self, at: i64, process: &Arc<Process>, remote_port: u32, offset: u32, episode: &Episode) {
        let target = &self.world.hosts[episode.target];
        let (address, name) = (Arc::clone(&target.address), Arc::clone(&target.name));
        let flow = Flow {
            outbound: true,
            local_port: episode.shared.ports[0] + offset,
            remote: &address,
            remote_name: &name,
            remote_port,
            protocol: "tcp",
        };
        self.flow(at, process, &flow);
    }

    /// The logon and parent process for interactive activity of an attacker: the owner's session, or SYSTEM's if nobody
    /// is logged on.
    fn foothold(&mut self) -> (Arc<Logon>, Arc<Process>, Integrity) {
        match &self.session {
            Some(session) => (Arc::clone(&session.logon), Arc::clone(&session.explorer), Integrity::Medium),
            None => (Arc::clone(&self.system), self.resident("schedule"), Integrity::System),
        }
    }

    /// Discovery by the attacker: a few shell commands.
    fn look_around(&mut self, at: i64, shell: &Arc<Process>) {
        let logon = Arc::clone(&shell.logon);
        let programs = [
            (&super::programs::WHOAMI, "whoami  /all"),
            (&super::programs::NET, "net  group \"Domain Admins\" /domain"),
        ];
        for (number, (program, command)) in programs.into_iter().enumerate() {
            let when = at + number as i64 * 6 * SECOND + self.random.between(0, 900 * MILLI);
            self.run(when, 400 * MILLI, shell, program, command, &logon, shell.integrity);
        }
    }
}
