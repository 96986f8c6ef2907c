//! Attacks over SMB and WMI from another host: service executors, wmiexec, a beacon with a pipe. The administrator's
//! use of PsExec shares this code.

use super::super::events::ShareAccess;
use super::super::machine::{Integrity, Logon, Machine};
use super::super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::options::Attack;
use crate::plan::Episode;
use crate::random::Random;
use std::sync::Arc;

impl Machine {
    fn pipe_from_source(&mut self, at: i64, logon: &Arc<Logon>, pipe: &str, episode: &Episode) {
        let (address, port) = (episode.shared.address.clone(), episode.shared.ports[0]);
        let access = ShareAccess { address: &address, port, share: "IPC$", folder: "", target: pipe, mask: 0x12_019f };
        self.share(at, logon, &access);
        let kernel = self.resident("kernel");
        self.connect_pipe(at + 3 * MILLI, &kernel, format!(r"\{pipe}"));
    }

    /// A service is installed over the network, and communicates with its client through three pipes.
    pub(crate) fn executor_target(&mut self, at: i64, episode: &Episode, known: bool) {
        let (program, service, prefix) = match known {
            true => (&programs::PSEXESVC, "PSEXESVC", "PSEXESVC"),
            false => (&programs::EXECUTOR, "winmgrsvc", "winmgrsvc"),
        };
        let kernel = self.resident("kernel");
        self.receive(at, &kernel, 445, 0, episode);
        let logon = self.intrude(at + 40 * MILLI, episode);
        let address = episode.shared.address.clone();
        let file = format!("{prefix}.exe");
        let access = ShareAccess {
            address: &address,
            port: episode.shared.ports[0],
            share: "ADMIN$",
            folder: r"\??\C:\Windows",
            target: &file,
            mask: 0x12_019f,
        };
        self.share(at + 150 * MILLI, &logon, &access);
        self.create_file(at + 160 * MILLI, &kernel, program.image.to_owned());
        self.pipe_from_source(at + 400 * MILLI, &logon, "svcctl", episode);
        self.install_service(at + 600 * MILLI, service, &format!(r"%SystemRoot%\{file}"));
        let services = self.resident("services");
        let system = Arc::clone(&self.system);
        let level = Integrity::System;
        let key = format!(r"HKLM\System\CurrentControlSet\Services\{service}\ImagePath");
        self.set_value(at + 590 * MILLI, &services, key, format!(r"%%SystemRoot%%\{file}"));
        let server = self.run(at + 700 * MILLI, 2 * MINUTE, &services, program, "{image}", &system, level);
        self.create_pipe(at + 800 * MILLI, &server, format!(r"\{prefix}"));
        self.pipe_from_source(at + 900 * MILLI, &logon, prefix, episode);
        for (number, stream) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
            let name = format!("{prefix}-{}-{}-{stream}", episode.shared.workstation, episode.shared.pid);
            let when = at + SECOND + number as i64 * 10 * MILLI;
            self.create_pipe(when, &server, format!(r"\{name}"));
            self.pipe_from_source(when + 60 * MILLI, &logon, &name, episode);
        }
        let run_as = if known { &logon } else { &system };
        let run_as = Arc::clone(run_as);
        let integrity = if known { Integrity::High } else { level };
        let command = if known { "\"sc.exe\" query wuauserv" } else { "\"cmd.exe\"" };
        let program = if known { &programs::SC } else { &programs::CMD };
        let child = self.run(at + 1200 * MILLI, MINUTE, &server, program, command, &run_as, integrity);
        self.console(at + 1200 * MILLI, MINUTE, &child);
        if !known {
            self.look_around(at + 8 * SECOND, &child);
        }
    }

    /// The client of the executor.
    pub(crate) fn executor_source(&mut self, at: i64, episode: &Episode, known: bool) {
        let target = Arc::clone(&self.world.hosts[episode.target].name);
        let short = target.split('.').next().unwrap_or(&target).to_owned();
        let (logon, parent, integrity) = self.foothold();
        let kernel = self.resident("kernel");
        let (program, command) = match known {
            true => {
                (&programs::PSEXEC, format!("C:\\Tools\\PsExec64.exe  \\\\{short} -accepteula sc.exe query wuauserv"))
            }
            false => (&programs::IMPLANT_PUBLIC, format!("{{image}} \\\\{short} -r winmgrsvc -s cmd.exe")),
        };
        let shell = self.run(at - 4 * SECOND, 3 * MINUTE, &parent, &programs::CMD, "\"{image}\" ", &logon, integrity);
        self.console(at - 4 * SECOND, 3 * MINUTE, &shell);
        self.run(at - SECOND, 2 * MINUTE, &shell, program, &command, &logon, integrity);
        self.send(at, &kernel, 445, 0, episode);
    }

    /// A process is created through WMI; its output is written to a share.
    pub(crate) fn wmiexec_target(&mut self, at: i64, episode: &Episode) {
        let mut random = Random::new(episode.shared.seed, &[1]);
        let rpc = self.resident("rpcss");
        self.receive(at, &rpc, 135, 0, episode);
        let logon = self.intrude(at + 50 * MILLI, episode);
        let winmgmt = self.resident("winmgmt");
        self.receive(at + 200 * MILLI, &winmgmt, episode.shared.ports[1], 1, episode);
        let launcher = self.resident("dcomlaunch");
        let network = Arc::clone(&self.network_service);
        let provider = self.run(
            at + 300 * MILLI,
            3 * MINUTE,
            &launcher,
            &programs::WMIPRVSE,
            "{image} -secured -Embedding",
            &network,
            Integrity::System,
        );
        let output = format!("__{}", 1_700_000_000 + random.below(90_000_000));
        for (number, what) in ["cd \\", "whoami", "net user /domain"].into_iter().enumerate() {
            let when = at + SECOND + number as i64 * 7 * SECOND;
            let command = format!("cmd.exe /Q /c {what} 1> \\\\127.0.0.1\\ADMIN$\\{output} 2>&1");
            let shell = self.run(when, 600 * MILLI, &provider, &programs::CMD, &command, &logon, Integrity::High);
            self.console(when, 600 * MILLI, &shell);
            let address = episode.shared.address.clone();
            let access = ShareAccess {
                address: &address,
                port: episode.shared.ports[0] + 2,
                share: "ADMIN$",
                folder: r"\??\C:\Windows",
                target: &output,
                mask: 0x12_0089,
            };
            self.share(when + SECOND, &logon, &access);
        }
    }

    /// The client of WMI, or of the beacon.
    pub(crate) fn tool_source(&mut self, at: i64, episode: &Episode, attack: Attack) {
        let (logon, parent, integrity) = self.foothold();
        let tool = self.run(at - SECOND, 4 * MINUTE, &parent, &programs::IMPLANT, "\"{image}\"", &logon, integrity);
        if attack == Attack::WmiExec {
            self.send(at, &tool, 135, 0, episode);
            self.send(at + 200 * MILLI, &tool, episode.shared.ports[1], 1, episode);
        } else {
            let kernel = self.resident("kernel");
            self.send(at, &kernel, 445, 0, episode);
        }
    }

    /// An implant creates a pipe with a name that resembles a system pipe; another implant connects to it over SMB.
    pub(crate) fn beacon_target(&mut self, at: i64, episode: &Episode) {
        let mut random = Random::new(episode.shared.seed, &[1]);
        let kernel = self.resident("kernel");
        self.receive(at, &kernel, 445, 0, episode);
        let logon = self.intrude(at + 40 * MILLI, episode);
        let path = programs::IMPLANT_PUBLIC.image.to_owned();
        self.create_file(at + 200 * MILLI, &kernel, path);
        let schedule = self.resident("schedule");
        let system = Arc::clone(&self.system);
        let level = Integrity::System;
        let implant =
            self.run(at + 6 * SECOND, 20 * MINUTE, &schedule, &programs::IMPLANT_PUBLIC, "\"{image}\"", &system, level);
        let name = match random.below(3) {
            0 => format!("msagent_{:02x}", random.between(16, 255)),
            1 => format!("MSSE-{}-server", random.between(100, 9999)),
            _ => format!("postex_{:04x}", random.between(0x1000, 0xffff)),
        };
        self.create_pipe(at + 7 * SECOND, &implant, format!(r"\{name}"));
        for number in 0..5 {
            self.pipe_from_source(at + 9 * SECOND + number * 20 * SECOND, &logon, &name, episode);
        }
        let shell =
            self.run(at + 55 * SECOND, MINUTE, &implant, &programs::CMD, "{image} /C whoami /groups", &system, level);
        self.console(at + 55 * SECOND, MINUTE, &shell);
    }
}
