//! Local abuse of named pipes: getsystem, and a service account that impersonates the print spooler.

use super::super::machine::{Integrity, Machine, Process};
use super::super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::plan::Episode;
use std::sync::Arc;

impl Machine {
    /// A service running as SYSTEM writes to the attacker's pipe, whose server impersonates it.
    pub(crate) fn get_system(&mut self, at: i64, episode: &Episode) {
        let (logon, parent, _) = self.foothold();
        let high = Integrity::High;
        let implant = self.run(at, 6 * MINUTE, &parent, &programs::IMPLANT, "\"{image}\"", &logon, high);
        let name = episode.shared.word.to_lowercase();
        let name = &name[..6];
        let echo = format!(r"cmd.exe /c echo {name} > \\.\pipe\{name}");
        let begin = at + 40 * SECOND;
        self.create_pipe(begin, &implant, format!(r"\{name}"));
        let services = self.resident("services");
        let key = format!(r"HKLM\System\CurrentControlSet\Services\{name}\ImagePath");
        self.set_value(begin + 20 * MILLI, &services, key, echo.clone());
        self.install_service(begin + 25 * MILLI, name, &echo);
        let system = Arc::clone(&self.system);
        let level = Integrity::System;
        let shell = self.run(begin + 60 * MILLI, 200 * MILLI, &services, &programs::CMD, &echo, &system, level);
        self.connect_pipe(begin + 90 * MILLI, &shell, format!(r"\{name}"));
        let command = "\"{image}\"";
        let taken = self.run(begin + 3 * SECOND, 3 * MINUTE, &implant, &programs::CMD, command, &system, level);
        self.console(begin + 3 * SECOND, 3 * MINUTE, &taken);
        self.look_around(begin + 20 * SECOND, &taken);
    }

    /// The print spooler is coerced to connect to a pipe whose name resembles its own.
    pub(crate) fn potato(&mut self, at: i64, episode: &Episode) {
        let network = Arc::clone(&self.network_service);
        // On a database server the database runs the attacker's command, elsewhere a scheduled task does.
        let parent = self.residents.get("sql").map_or_else(|| self.resident("schedule"), Arc::clone);
        let level = Integrity::System;
        let shell = self.run(
            at,
            4 * MINUTE,
            &parent,
            &programs::CMD,
            "\"{image}\" /c C:\\Windows\\Temp\\prnchk.exe -i -c cmd",
            &network,
            level,
        );
        self.console(at, 4 * MINUTE, &shell);
        let command = "C:\\Windows\\Temp\\prnchk.exe  -i -c cmd";
        let tool = self.run(at + SECOND, 3 * MINUTE, &shell, &programs::POTATO_TOOL, command, &network, level);
        let name = guid_like(&episode.shared.word, episode.shared.seed);
        let pipe = format!(r"\{name}\pipe\spoolss");
        self.create_pipe(at + 1200 * MILLI, &tool, pipe.clone());
        let kernel: Arc<Process> = self.resident("kernel");
        self.connect_pipe(at + 1260 * MILLI, &kernel, pipe);
        let system = Arc::clone(&self.system);
        let taken = self.run(at + 1500 * MILLI, 3 * MINUTE, &tool, &programs::CMD, "cmd", &system, level);
        self.console(at + 1500 * MILLI, 3 * MINUTE, &taken);
        self.look_around(at + 9 * SECOND, &taken);
    }
}

fn guid_like(word: &str, seed: u64) -> String {
    let text = crate::random::digest(word, seed, 16).to_lowercase();
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
