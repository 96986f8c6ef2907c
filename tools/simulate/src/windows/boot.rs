//! The start of a Windows host: long-running processes and their pipes.

use super::machine::{Integrity, Machine, Process};
use super::programs::{self, Program};
use crate::clock::{MILLI, SECOND};
use crate::world::Role;
use std::sync::Arc;

/// A long-running service: its internal name, program, arguments, account and pipes.
type Resident = (&'static str, &'static Program, &'static str, Who, &'static [&'static str]);

#[derive(Clone, Copy)]
enum Who {
    System,
    Local,
    Network,
}

const SERVICES: &[Resident] = &[
    ("dcomlaunch", &programs::SVCHOST, "{image} -k DcomLaunch -p", Who::System, &[]),
    ("rpcss", &programs::SVCHOST, "{image} -k RPCSS -p", Who::Network, &[r"\epmapper"]),
    ("lsm", &programs::SVCHOST, "{image} -k DcomLaunch -p -s LSM", Who::System, &[r"\LSM_API_service"]),
    (
        "termsvc",
        &programs::SVCHOST,
        "{image} -k NetworkService -s TermService",
        Who::Network,
        &[r"\TermSrv_API_service"],
    ),
    (
        "eventlog",
        &programs::SVCHOST,
        "{image} -k LocalServiceNetworkRestricted -p -s EventLog",
        Who::Local,
        &[r"\eventlog"],
    ),
    ("schedule", &programs::SVCHOST, "{image} -k netsvcs -p -s Schedule", Who::System, &[r"\atsvc"]),
    ("profsvc", &programs::SVCHOST, "{image} -k netsvcs -p -s ProfSvc", Who::System, &[]),
    ("winmgmt", &programs::SVCHOST, "{image} -k netsvcs -p -s Winmgmt", Who::System, &[]),
    ("wkssvc", &programs::SVCHOST, "{image} -k NetworkService -p -s LanmanWorkstation", Who::Network, &[r"\wkssvc"]),
    ("srvsvc", &programs::SVCHOST, "{image} -k netsvcs -p -s LanmanServer", Who::System, &[r"\srvsvc"]),
    ("dnscache", &programs::SVCHOST, "{image} -k NetworkService -p -s Dnscache", Who::Network, &[]),
    ("bits", &programs::SVCHOST, "{image} -k netsvcs -p -s BITS", Who::System, &[]),
    ("w32time", &programs::SVCHOST, "{image} -k LocalService -s W32Time", Who::Local, &[r"\W32TIME_ALT"]),
    ("spooler", &programs::SPOOLSV, "{image}", Who::System, &[r"\spoolss"]),
    ("search", &programs::SEARCH_INDEXER, "{image} /Embedding", Who::System, &[r"\MsFteWds"]),
    ("defender", &programs::MSMPENG, "\"{image}\"", Who::System, &[]),
    ("agent", &programs::AGENT, "\"{image}\" --service", Who::System, &[r"\NorthwallAgentControl"]),
    ("ccm", &programs::CCMEXEC, "{image}", Who::System, &[]),
    ("click-to-run", &programs::CLICK_TO_RUN, "\"{image}\" /service", Who::System, &[r"\ClickToRun_Pipeline16"]),
];

const ON_SERVERS: &[Resident] =
    &[("backup", &programs::BACKUP, "\"{image}\" /svc", Who::System, &[r"\VaultlineBackupIpc"])];

const ON_DATABASES: &[Resident] = &[
    ("sql", &programs::SQLSERVR, "\"{image}\" -sMSSQLSERVER", Who::Network, &[r"\sql\query"]),
    ("sqlagent", &programs::SQLAGENT, "\"{image}\" -i MSSQLSERVER", Who::Network, &[]),
];

static SYSMON_SERVICE: Program = Program {
    image: r"C:\Windows\Sysmon64.exe",
    original: "-",
    description: "System activity monitor",
    product: "Sysinternals Sysmon",
    company: "Sysinternals - www.sysinternals.com",
    version: "15.14",
};

static KERNEL: Program =
    Program { image: "System", original: "-", description: "-", product: "-", company: "-", version: "-" };

impl Machine {
    /// Starts the host.
    pub(crate) fn boot(&mut self, at: i64) {
        let system = Arc::clone(&self.system);
        // The kernel has a fixed process id, and Sysmon logs no start of it.
        let made = self.create(at, &KERNEL, "", &system, Integrity::System);
        let kernel = Arc::new(Process {
            pid: 4,
            guid: made.guid,
            image: "System".into(),
            command: "".into(),
            logon: Arc::clone(&system),
            integrity: Integrity::System,
        });
        self.release(at, &made);
        self.residents.insert("kernel", Arc::clone(&kernel));
        // The service that writes the log starts first, because the log names its process.
        let sysmon = self.create(at, &SYSMON_SERVICE, "{image}", &system, Integrity::System);
        self.residents.insert("sysmon", sysmon);
        let lsass = self.create(at, &programs::LSASS, "{image}", &system, Integrity::System);
        self.residents.insert("lsass", lsass);

        let mut time = at;
        let mut random = self.world.random(self.index, 1);
        let mut next = || {
            time += random.between(40 * MILLI, 700 * MILLI);
            time
        };
        let level = Integrity::System;
        let smss = self.start(next(), &kernel, &programs::SMSS, r"\SystemRoot\System32\smss.exe", &system, level);
        let first = self.start(
            next(),
            &smss,
            &programs::SMSS,
            r"\SystemRoot\System32\smss.exe 000000b4 00000084 ",
            &system,
            level,
        );
        let arguments = r"%SystemRoot%\system32\csrss.exe ObjectDirectory=\Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows ServerDll=basesrv,1 ServerDll=winsrv:UserServerDllInitialization,3 ServerDll=sxssrv,4 ProfileControl=Off MaxRequestThreads=16";
        self.start(next(), &first, &programs::CSRSS, arguments, &system, level);
        let wininit = self.start(next(), &first, &programs::WININIT, "wininit.exe", &system, level);
        self.create_pipe(next(), &wininit, r"\InitShutdown");
        let second = self.start(
            next(),
            &smss,
            &programs::SMSS,
            r"\SystemRoot\System32\smss.exe 000000bc 00000084 ",
            &system,
            level,
        );
        self.start(next(), &second, &programs::CSRSS, arguments, &system, level);
        let winlogon = self.start(next(), &second, &programs::WINLOGON, "winlogon.exe", &system, level);
        self.end(next(), &second);
        self.end(next(), &first);
        let services =
            self.start(next(), &wininit, &programs::SERVICES_EXE, r"C:\Windows\system32\services.exe", &system, level);
        for pipe in [r"\ntsvcs", r"\scerpc"] {
            self.create_pipe(next(), &services, pipe);
        }
        let lsass = self.start(next(), &wininit, &programs::LSASS, r"C:\Windows\system32\lsass.exe", &system, level);
        for pipe in [r"\lsass", r"\protected_storage"] {
            self.create_pipe(next(), &lsass, pipe);
        }
        self.residents.insert("winlogon", Arc::clone(&winlogon));
        self.residents.insert("services", Arc::clone(&services));
        self.residents.insert("lsass", lsass);
        if self.host().sysmon {
            let sysmon = self.start(next(), &services, &SYSMON_SERVICE, "{image}", &system, level);
            self.residents.insert("sysmon", sysmon);
        }
        let more: &[Resident] = match self.role() {
            Role::Database => ON_DATABASES,
            _ => &[],
        };
        let servers = if self.role().has_owner() { &[] } else { ON_SERVERS };
        for (name, program, command, who, pipes) in SERVICES.iter().chain(servers).chain(more) {
            let logon = match who {
                Who::System => &self.system,
                Who::Local => &self.local_service,
                Who::Network => &self.network_service,
            };
            let logon = Arc::clone(logon);
            let process = self.start(next(), &services, program, command, &logon, level);
            for pipe in *pipes {
                self.create_pipe(next(), &process, *pipe);
            }
            if program.image == programs::SVCHOST.image && self.random.chance(50) {
                let pipe = format!(r"\Winsock2\CatalogChangeListener-{:x}-0", process.pid);
                self.create_pipe(next(), &process, pipe);
            }
            self.residents.insert(name, process);
        }
        let logon = Arc::clone(&self.system);
        let taskhost =
            self.start(next(), &self.resident("schedule"), &programs::TASKHOSTW, "taskhostw.exe", &logon, level);
        self.end(next() + 20 * SECOND, &taskhost);
    }
}
