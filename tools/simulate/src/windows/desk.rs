//! People at their Windows desktops: their logons and the programs they use.

use super::Scene;
use super::events::Flow;
use super::machine::{Integrity, Logon, Machine, Process, Session};
use super::programs::{self, Program};
use crate::clock::{DAY, HOUR, MILLI, MINUTE, SECOND, is_workday, midnight};
use crate::world::{ADMINS, Role};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names that browsers and agents look up, with addresses reserved for documentation.
const SITES: [(&str, &str); 8] = [
    ("intranet.corp.example", "10.20.0.80"),
    ("news.example.org", "198.51.100.14"),
    ("mail.example.net", "198.51.100.33"),
    ("maps.example.org", "203.0.113.21"),
    ("wiki.corp.example", "10.20.0.81"),
    ("video.example.com", "203.0.113.77"),
    ("update.example.net", "198.51.100.90"),
    ("login.example.com", "203.0.113.9"),
];

const DOCUMENTS: [&str; 6] =
    ["Budget 2026", "Offer Meridian", "Minutes", "Holiday plan", "Project plan", "Supplier list"];

/// Context for programs of a person: the logon, and the Explorer that starts them.
type Desk = (Arc<Logon>, Arc<Process>);

impl Machine {
    /// Plans the owner's logon and logoff of today.
    pub(crate) fn plan_day(&mut self, at: i64) {
        if !self.role().has_owner() || !(is_workday(at) || self.random.chance(4)) {
            return;
        }
        let midnight = midnight(at);
        let come = midnight + self.random.between(7 * HOUR, 9 * HOUR);
        let go = midnight + self.random.between(16 * HOUR + 15 * MINUTE, 18 * HOUR + 30 * MINUTE);
        // If the logs begin in the middle of the day, people log on as soon as the host has started.
        let come = come.max(at + self.random.between(2 * MINUTE, 5 * MINUTE));
        if come < go && at < midnight + DAY {
            self.plan(come, Scene::Arrive(go));
            self.plan(go, Scene::Leave);
        }
    }

    /// The owner logs on.
    pub(crate) fn arrive(&mut self, at: i64, until: i64) {
        if self.session.is_some() {
            return;
        }
        let owner = self.host().owner;
        let account = self.person(owner);
        let logon = self.new_logon(&account, 1, 2);
        self.log_on(at, &logon, None, false);
        let elevated = (owner < ADMINS).then(|| {
            let logon = self.new_logon(&account, 1, 2);
            self.log_on(at, &logon, None, true);
            logon
        });
        let winlogon = self.resident("winlogon");
        let medium = Integrity::Medium;
        let userinit = self.start(at + SECOND, &winlogon, &programs::USERINIT, r"{image}", &logon, medium);
        let explorer =
            self.start(at + 2 * SECOND, &userinit, &programs::EXPLORER, r"C:\Windows\Explorer.EXE", &logon, medium);
        self.end(at + 25 * SECOND, &userinit);
        let profile = self.resident("profsvc");
        let sihost = self.start(at + 3 * SECOND, &profile, &programs::SIHOST, "sihost.exe", &logon, medium);
        let mut session = Session { logon, elevated, explorer, apps: BTreeMap::new(), ends: until };
        session.apps.insert("sihost", sihost);
        let desk = (Arc::clone(&session.logon), Arc::clone(&session.explorer));
        let autostart: [(&str, &Program, &str, i64); 4] = [
            ("onedrive", &programs::ONEDRIVE, "\"{image}\" /background", 12),
            ("teams", &programs::TEAMS, "\"{image}\" --process-start-args \"--system-initiated\"", 15),
            ("tray", &programs::AGENT_TRAY, "\"{image}\"", 18),
            ("outlook", &programs::OUTLOOK, "\"{image}\"", 70),
        ];
        for (name, program, command, delay) in autostart {
            let when = at + delay * SECOND + self.random.between(0, 4 * SECOND);
            let process = self.start(when, &desk.1, program, command, &desk.0, medium);
            if name == "tray" {
                self.connect_pipe(when + 300 * MILLI, &process, r"\NorthwallAgentControl");
            }
            session.apps.insert(name, process);
        }
        let browser = if owner.is_multiple_of(2) { &programs::EDGE } else { &programs::CHROME };
        let process = self.start(at + 90 * SECOND, &desk.1, browser, "\"{image}\"", &desk.0, medium);
        self.connect_pipe(at + 91 * SECOND, &process, r"\wkssvc");
        session.apps.insert("browser", process);
        self.session = Some(session);
    }

    /// The owner logs off.
    pub(crate) fn leave(&mut self, at: i64) {
        let Some(session) = self.session.take() else { return };
        // Programs that were just started end first.
        let mut time = at + 6 * MINUTE;
        for process in session.apps.values().chain([&session.explorer]) {
            time += self.random.between(100 * MILLI, 900 * MILLI);
            self.end(time, process);
        }
        self.log_off(time + SECOND, &session.logon);
        if let Some(elevated) = &session.elevated {
            self.log_off(time + SECOND, elevated);
        }
    }

    fn desk(&self) -> Option<Desk> {
        self.session.as_ref().map(|session| (Arc::clone(&session.logon), Arc::clone(&session.explorer)))
    }

    fn app(&self, name: &str) -> Option<Arc<Process>> {
        self.session.as_ref().and_then(|session| session.apps.get(name)).map(Arc::clone)
    }

    /// A random activity of a person.
    pub(crate) fn work(&mut self, at: i64) {
        let Some(desk) = self.desk() else { return };
        let left = self.session.as_ref().map_or(0, |session| session.ends - at);
        if left < 0 {
            return;
        }
        if self.role() == Role::Admin && self.random.chance(30) {
            return self.administer(at, &desk);
        }
        match self.random.below(100) {
            0..=39 => self.browse(at),
            40..=51 => self.open_document(at, &desk),
            52..=60 => self.preview(at, &desk),
            61..=70 => self.broker(at, &desk),
            71..=77 => self.chat(at),
            78..=84 => self.look_for_shares(at, &desk),
            85..=89 => self.print(at, &desk),
            90..=93 => self.search(at, &desk),
            94..=95 => self.update_onedrive(at, &desk),
            96 => self.automate_office(at, &desk),
            97 => self.command_line(at, &desk),
            _ => self.sync(at),
        }
    }

    fn browse(&mut self, at: i64) {
        let Some(browser) = self.app("browser") else { return };
        let program = if browser.image.ends_with("chrome.exe") { &programs::CHROME } else { &programs::EDGE };
        let logon = Arc::clone(&browser.logon);
        let (site, address) = *self.random.pick(&SITES);
        let count = self.random.between(1, 3);
        for number in 0..count {
            let when = at + number * self.random.between(SECOND, 8 * SECOND);
            let pipe = format!(r"\mojo.{}.{}.{}", browser.pid, 4 * self.random.between(800, 3000), self.random.next());
            self.create_pipe(when, &browser, pipe.clone());
            let id = self.random.between(5, 400);
            let command = format!(
                "\"{{image}}\" --type=renderer --lang=en-US --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id={id} --launch-time-ticks={} --mojo-platform-channel-handle={} /prefetch:1",
                self.random.between(1_000_000_000, 90_000_000_000),
                4 * self.random.between(800, 2000)
            );
            let lasts = self.random.between(20 * SECOND, 5 * MINUTE);
            let child = self.run(when + 40 * MILLI, lasts, &browser, program, &command, &logon, Integrity::Low);
            self.connect_pipe(when + 90 * MILLI, &child, pipe);
        }
        self.look_up(at + 200 * MILLI, &browser, site, address.to_owned());
        let flow = Flow {
            outbound: true,
            local_port: self.random.between(49_700, 65_000) as u32,
            remote: address,
            remote_name: "-",
            remote_port: 443,
            protocol: "tcp",
        };
        self.flow(at + 260 * MILLI, &browser, &flow);
    }

    fn open_document(&mut self, at: i64, desk: &Desk) {
        let (program, extension) = *self.random.pick(&[(&programs::WORD, "docx"), (&programs::EXCEL, "xlsx")]);
        let document = *self.random.pick(&DOCUMENTS);
        let user = Arc::clone(&desk.0.account.name);
        let path = format!(r"C:\Users\{user}\Documents\{document}.{extension}");
        let option = if extension == "docx" { "/n" } else { "/dde" };
        let command = match extension {
            "docx" => format!("\"{{image}}\" {option} \"{path}\" /o \"\""),
            _ => format!("\"{{image}}\" \"{path}\""),
        };
        let lasts = self.random.between(MINUTE, 5 * MINUTE);
        let process = self.run(at, lasts, &desk.1, program, &command, &desk.0, Integrity::Medium);
        self.connect_pipe(at + 400 * MILLI, &process, r"\wkssvc");
        let name = format!(r"C:\Users\{user}\Documents\~${}.{extension}", &document[2..]);
        self.create_file(at + SECOND, &process, name);
        let key = if extension == "docx" { "Word" } else { "Excel" };
        let value = format!(r"HKU\{}\Software\Microsoft\Office\16.0\{key}\File MRU\Item 1", desk.0.account.sid);
        self.set_value(at + 2 * SECOND, &process, value, format!("[F00000000][T01DA][O00000000]*{path}"));
        if self.random.chance(25) {
            let address = "198.51.100.90";
            let local_port = self.random.between(49_700, 65_000) as u32;
            let flow = Flow {
                outbound: true,
                local_port,
                remote: address,
                remote_name: "-",
                remote_port: 443,
                protocol: "tcp",
            };
            self.flow(at + 3 * SECOND, &process, &flow);
        }
    }

    fn preview(&mut self, at: i64, desk: &Desk) {
        const SURROGATES: [&str; 4] = [
            "{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}",
            "{973D20D7-562D-44B9-B70B-5A0F49CCDF3F}",
            "{776DBC8D-7347-478C-8D71-791E12EF49D8}",
            "{53362C32-A296-4F2D-A2F8-FD984D08340B}",
        ];
        let class = *self.random.pick(&SURROGATES);
        let command = format!("C:\\Windows\\system32\\DllHost.exe /Processid:{class}");
        let launcher = self.resident("dcomlaunch");
        let lasts = self.random.between(4 * SECOND, 12 * SECOND);
        let process = self.run(at, lasts, &launcher, &programs::DLLHOST, &command, &desk.0, Integrity::Medium);
        if self.random.chance(30) {
            self.connect_pipe(at + 100 * MILLI, &process, r"\wkssvc");
        }
    }

    fn broker(&mut self, at: i64, desk: &Desk) {
        let launcher = self.resident("dcomlaunch");
        let (program, command) = *self.random.pick(&[
            (&programs::RUNTIME_BROKER, "{image} -Embedding"),
            (&programs::SMARTSCREEN, "{image} -Embedding"),
            (&programs::BACKGROUND_TASK, "\"{image}\" -ServerName:App.AppXmtcan0h2tfbfy7k9kn8hbxb6dmzz1zh0.mca"),
            (&programs::EXPLORER, "{image} /factory,{ceff45ee-c862-41de-aee2-a022c81eda92} -Embedding"),
        ]);
        let lasts = self.random.between(10 * SECOND, 4 * MINUTE);
        let process = self.run(at, lasts, &launcher, program, command, &desk.0, Integrity::Medium);
        if program.image == programs::RUNTIME_BROKER.image {
            self.connect_pipe(at + 60 * MILLI, &process, r"\srvsvc");
        }
    }

    fn chat(&mut self, at: i64) {
        let Some(teams) = self.app("teams") else { return };
        let logon = Arc::clone(&teams.logon);
        let pipe = format!(r"\mojo.{}.{}.{}", teams.pid, 4 * self.random.between(800, 3000), self.random.next());
        self.create_pipe(at, &teams, pipe.clone());
        let lasts = self.random.between(30 * SECOND, 5 * MINUTE);
        let command = "\"{image}\" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none";
        let child = self.run(at + 30 * MILLI, lasts, &teams, &programs::TEAMS, command, &logon, Integrity::Medium);
        self.connect_pipe(at + 80 * MILLI, &child, pipe);
        let local_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: true,
            local_port,
            remote: "203.0.113.40",
            remote_name: "-",
            remote_port: 443,
            protocol: "tcp",
        };
        self.flow(at + 200 * MILLI, &child, &flow);
    }

    fn look_for_shares(&mut self, at: i64, desk: &Desk) {
        for (number, pipe) in [r"\srvsvc", r"\wkssvc"].into_iter().enumerate() {
            self.connect_pipe(at + number as i64 * 20 * MILLI, &desk.1, pipe);
        }
        let Some(server) = self.world.with_role(Role::FileServer) else { return };
        let (address, name) = {
            let server = &self.world.hosts[server];
            (Arc::clone(&server.address), Arc::clone(&server.name))
        };
        let kernel = self.resident("kernel");
        let local_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: true,
            local_port,
            remote: &address,
            remote_name: &name,
            remote_port: 445,
            protocol: "tcp",
        };
        self.flow(at + 50 * MILLI, &kernel, &flow);
    }

    fn print(&mut self, at: i64, desk: &Desk) {
        let lasts = self.random.between(MINUTE, 4 * MINUTE);
        let word = self.run(at, lasts, &desk.1, &programs::WORD, "\"{image}\" /n", &desk.0, Integrity::Medium);
        self.connect_pipe(at + 20 * SECOND, &word, r"\spoolss");
        self.run(
            at + 21 * SECOND,
            25 * SECOND,
            &word,
            &programs::SPLWOW64,
            "{image} 12288",
            &desk.0,
            Integrity::Medium,
        );
        let spooler = self.resident("spooler");
        let job = self.random.between(2, 900);
        self.create_file(at + 22 * SECOND, &spooler, format!(r"C:\Windows\System32\spool\PRINTERS\{job:05}.SPL"));
    }

    fn search(&mut self, at: i64, desk: &Desk) {
        let indexer = self.resident("search");
        let number = self.random.between(1, 60);
        let sid = &desk.0.account.sid;
        let command = format!(
            "\"{{image}}\" Global\\UsGthrFltPipeMssGthrPipe_{sid}{number}_ Global\\UsGthrCtrlFltPipeMssGthrPipe_{sid}{number} 1 -2147483646 \"Software\\Microsoft\\Windows Search\" \"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT; MS Search 4.0 Robot)\" \"C:\\ProgramData\\Microsoft\\Search\\Data\\Temp\\usgthrsvc\" \"DownLevelDaemon\"  \"1\""
        );
        let process =
            self.run(at, 70 * SECOND, &indexer, &programs::SEARCH_PROTOCOL, &command, &desk.0, Integrity::Medium);
        self.connect_pipe(at + 50 * MILLI, &process, r"\srvsvc");
        let system = Arc::clone(&self.system);
        self.run(
            at + 100 * MILLI,
            70 * SECOND,
            &indexer,
            &programs::SEARCH_FILTER,
            "\"{image}\" 0 808 812 820 8192 816 ",
            &system,
            Integrity::Medium,
        );
    }

    /// A program that installs itself for one user registers COM classes in that user's registry, as a hijack does.
    fn update_onedrive(&mut self, at: i64, desk: &Desk) {
        const CLASSES: [&str; 3] = [
            "{2e7c0a19-0438-41e9-81e3-3ad3d64f55ba}",
            "{389510b7-9e58-40d7-98bf-60b911cb0ea9}",
            "{5999E1EE-711E-48D2-9884-851A709F543D}",
        ];
        let Some(onedrive) = self.app("onedrive") else { return };
        let setup = self.run(
            at,
            90 * SECOND,
            &onedrive,
            &programs::ONEDRIVE_SETUP,
            "\"{image}\" /update /restart",
            &desk.0,
            Integrity::Medium,
        );
        let account = Arc::clone(&desk.0.account);
        let library =
            format!(r"C:\Users\{}\AppData\Local\Microsoft\OneDrive\24.121.0616.0001\FileSyncShell64.dll", account.name);
        self.create_file(at + 5 * SECOND, &setup, library.clone());
        for (number, class) in CLASSES.into_iter().enumerate() {
            let path = format!(r"HKU\{}_Classes\CLSID\{class}\InprocServer32\(Default)", account.sid);
            self.set_value(at + 6 * SECOND + number as i64 * 15 * MILLI, &setup, path, library.clone());
        }
    }

    /// One Office program automates another: a mail merge.
    fn automate_office(&mut self, at: i64, desk: &Desk) {
        if self.app("outlook").is_none() {
            return;
        }
        let launcher = self.resident("dcomlaunch");
        let lasts = self.random.between(MINUTE, 4 * MINUTE);
        let word =
            self.run(at, lasts, &launcher, &programs::WORD, "\"{image}\" -Embedding", &desk.0, Integrity::Medium);
        self.connect_pipe(at + SECOND, &word, r"\wkssvc");
    }

    fn command_line(&mut self, at: i64, desk: &Desk) {
        let shell = self.run(at, 2 * MINUTE, &desk.1, &programs::CMD, "\"{image}\" ", &desk.0, Integrity::Medium);
        self.console(at, 2 * MINUTE, &shell);
        self.run(at + 30 * SECOND, SECOND, &shell, &programs::IPCONFIG, "ipconfig  /all", &desk.0, Integrity::Medium);
    }

    fn sync(&mut self, at: i64) {
        let Some(onedrive) = self.app("onedrive") else { return };
        self.connect_pipe(at, &onedrive, r"\wkssvc");
        let local_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: true,
            local_port,
            remote: "203.0.113.61",
            remote_name: "-",
            remote_port: 443,
            protocol: "tcp",
        };
        self.flow(at + 80 * MILLI, &onedrive, &flow);
    }

    /// The console window of a program without a window.
    pub(crate) fn console(&mut self, at: i64, lasts: i64, parent: &Arc<Process>) {
        let logon = Arc::clone(&parent.logon);
        let command = r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1";
        self.run(at + 12 * MILLI, lasts, parent, &programs::CONHOST, command, &logon, parent.integrity);
    }

    /// A PowerShell process with its console and its own pipe.
    pub(crate) fn powershell(
        &mut self,
        at: i64,
        lasts: i64,
        parent: &Arc<Process>,
        command: &str,
        logon: &Arc<Logon>,
        integrity: Integrity,
    ) -> Arc<Process> {
        let shell = self.run(at, lasts, parent, &programs::POWERSHELL_EXE, command, logon, integrity);
        self.console(at, lasts, &shell);
        // Ticks of 100 ns since 1601, as the name of the pipe has them.
        let ticks = at / 100 + 116_444_736_000_000_000;
        let pipe = format!(r"\PSHost.{ticks}.{}.DefaultAppDomain.powershell", shell.pid);
        self.create_pipe(at + 400 * MILLI, &shell, pipe);
        shell
    }

    /// Work of administrators on their own hosts.
    fn administer(&mut self, at: i64, desk: &Desk) {
        let elevated = self.session.as_ref().and_then(|session| session.elevated.clone());
        let logon = elevated.unwrap_or_else(|| Arc::clone(&desk.0));
        match self.random.below(4) {
            0 => {
                let snap_in = *self.random.pick(&["compmgmt.msc", "dsa.msc", "services.msc", "gpmc.msc"]);
                let command = format!("\"{{image}}\" \"C:\\Windows\\system32\\{snap_in}\" ");
                let mmc = self.run(at, 5 * MINUTE, &desk.1, &programs::MMC, &command, &logon, Integrity::High);
                self.connect_pipe(at + SECOND, &mmc, r"\wkssvc");
            }
            1 => {
                let command = "\"{image}\" -ExecutionPolicy RemoteSigned -File C:\\Tools\\Get-DiskReport.ps1";
                let shell = self.powershell(at, MINUTE, &desk.1, command, &logon, Integrity::High);
                let text = "$hosts = Get-Content C:\\Tools\\servers.txt\nforeach ($name in $hosts) {\n  Get-CimInstance -ComputerName $name -ClassName Win32_LogicalDisk -Filter 'DriveType=3' | Select-Object SystemName, DeviceID, FreeSpace\n}";
                self.script(at + SECOND, &shell, text, r"C:\Tools\Get-DiskReport.ps1");
            }
            2 => {
                let command = "\"{image}\" -NoProfile";
                let shell = self.powershell(at, 3 * MINUTE, &desk.1, command, &logon, Integrity::High);
                self.script(
                    at + 20 * SECOND,
                    &shell,
                    "Get-Service -ComputerName fs01 | Where-Object Status -eq 'Stopped'",
                    "",
                );
            }
            _ => {
                let client =
                    self.run(at, 5 * MINUTE, &desk.1, &programs::MSTSC, "\"{image}\" ", &desk.0, Integrity::Medium);
                let target = self.world.with_role(Role::DomainController);
                let address =
                    target.map_or_else(|| "10.20.0.9".into(), |host| Arc::clone(&self.world.hosts[host].address));
                let local_port = self.random.between(49_700, 65_000) as u32;
                let flow = Flow {
                    outbound: true,
                    local_port,
                    remote: &address,
                    remote_name: "-",
                    remote_port: 3389,
                    protocol: "tcp",
                };
                self.flow(at + 3 * SECOND, &client, &flow);
            }
        }
    }
}
