//! Server activity: network logons, shares, pipes, databases, backups, remote desktops.

use super::events::{Flow, ShareAccess};
use super::machine::{Account, Integrity, Logon, Machine};
use super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::world::{ADMINS, Role};
use std::sync::Arc;

/// A client: its account and address.
struct Visitor {
    account: Arc<Account>,
    workstation: Arc<str>,
    address: Arc<str>,
    port: u32,
}

impl Machine {
    /// A random client request to a server.
    pub(crate) fn serve(&mut self, at: i64) {
        let choice = self.random.below(100);
        match self.role() {
            Role::DomainController => match choice {
                0..=59 => self.policy_read(at),
                60..=89 => self.remote_pipes(at),
                _ => self.remote_desktop(at),
            },
            Role::FileServer => match choice {
                0..=64 => self.files(at),
                65..=84 => self.remote_pipes(at),
                85..=93 => self.back_up(at),
                _ => self.remote_desktop(at),
            },
            _ => match choice {
                0..=69 => self.queries(at),
                70..=84 => self.remote_pipes(at),
                85..=93 => self.back_up(at),
                _ => self.remote_desktop(at),
            },
        }
    }

    fn visitor(&mut self, machine_account: bool) -> Visitor {
        let desks: Vec<usize> =
            (0..self.world.hosts.len()).filter(|host| self.world.hosts[*host].role.has_owner()).collect();
        let port = self.random.between(49_700, 65_000) as u32;
        if desks.is_empty() {
            let account = self.person(ADMINS);
            return Visitor { account, workstation: "LT201".into(), address: "10.20.254.31".into(), port };
        }
        let host = *self.random.pick(&desks);
        let from = &self.world.hosts[host];
        let account = if machine_account {
            let sid = format!("{}-{}", self.world.domain_sid, 5000 + host);
            Account::new(self.world.domain, &format!("{}$", from.short), &sid)
        } else {
            self.person(from.owner)
        };
        Visitor { account, workstation: Arc::clone(&from.short), address: Arc::clone(&from.address), port }
    }

    /// A network logon that ends after `lasts`.
    fn visit(&mut self, at: i64, lasts: i64, visitor: &Visitor) -> Arc<Logon> {
        let logon = self.new_logon(&visitor.account, 0, 3);
        let kernel = self.resident("kernel");
        let (local_port, remote) = (445, &*visitor.address);
        let flow =
            Flow { outbound: false, local_port, remote, remote_name: "-", remote_port: visitor.port, protocol: "tcp" };
        self.flow(at - 20 * MILLI, &kernel, &flow);
        self.log_on(at, &logon, Some((&visitor.workstation, &visitor.address, visitor.port)), false);
        self.log_off(at + lasts, &logon);
        logon
    }

    fn policy_read(&mut self, at: i64) {
        let visitor = self.visitor(true);
        let lasts = self.random.between(4 * SECOND, 20 * SECOND);
        let logon = self.visit(at, lasts, &visitor);
        for (number, target) in [
            r"corp.example\Policies\{31B2F340-016D-11D2-945F-00C04FB984F9}\gpt.ini",
            r"corp.example\Policies\{31B2F340-016D-11D2-945F-00C04FB984F9}\Machine\Registry.pol",
        ]
        .into_iter()
        .enumerate()
        {
            let access = ShareAccess {
                address: &visitor.address,
                port: visitor.port,
                share: "SYSVOL",
                folder: r"\??\C:\Windows\SYSVOL\sysvol",
                target,
                mask: 0x12_0089,
            };
            self.share(at + SECOND + number as i64 * 40 * MILLI, &logon, &access);
        }
    }

    fn remote_pipes(&mut self, at: i64) {
        let visitor = self.visitor(false);
        let lasts = self.random.between(5 * SECOND, MINUTE);
        let logon = self.visit(at, lasts, &visitor);
        let pipes: &[&str] = match self.role() {
            Role::DomainController => &["lsarpc", "netlogon", "samr"],
            _ => &["srvsvc", "wkssvc"],
        };
        let kernel = self.resident("kernel");
        for (number, pipe) in pipes.iter().enumerate() {
            let when = at + SECOND + number as i64 * 120 * MILLI;
            let access = ShareAccess {
                address: &visitor.address,
                port: visitor.port,
                share: "IPC$",
                folder: "",
                target: pipe,
                mask: 0x12_019f,
            };
            self.share(when, &logon, &access);
            if matches!(*pipe, "srvsvc" | "wkssvc") {
                self.connect_pipe(when, &kernel, format!(r"\{pipe}"));
            }
        }
    }

    fn files(&mut self, at: i64) {
        const FILES: [&str; 6] = [
            r"Finance\Budget 2026.xlsx",
            r"Sales\Offer Meridian.docx",
            r"Projects\North\plan.mpp",
            r"Templates\Letter.dotx",
            r"HR\Holiday plan.xlsx",
            r"Projects\South\minutes.docx",
        ];
        let visitor = self.visitor(false);
        let lasts = self.random.between(20 * SECOND, 5 * MINUTE);
        let logon = self.visit(at, lasts, &visitor);
        for number in 0..self.random.between(1, 5) {
            let mask = *self.random.pick(&[0x12_0089, 0x12_0089, 0x12_019f, 0x10_0080, 0x10_0081]);
            let target = *self.random.pick(&FILES);
            let access = ShareAccess {
                address: &visitor.address,
                port: visitor.port,
                share: "Common",
                folder: r"\??\D:\Common",
                target,
                mask,
            };
            self.share(at + SECOND + number * 700 * MILLI, &logon, &access);
        }
    }

    fn queries(&mut self, at: i64) {
        let visitor = self.visitor(false);
        let sql = self.resident("sql");
        let flow = Flow {
            outbound: false,
            local_port: 1433,
            remote: &visitor.address,
            remote_name: "-",
            remote_port: visitor.port,
            protocol: "tcp",
        };
        self.flow(at, &sql, &flow);
        let logon = self.new_logon(&visitor.account, 0, 3);
        self.log_on(at + 30 * MILLI, &logon, Some((&visitor.workstation, &visitor.address, visitor.port)), false);
        let lasts = self.random.between(SECOND, 5 * MINUTE);
        self.log_off(at + lasts, &logon);
        if self.random.chance(20) {
            let agent = self.resident("sqlagent");
            self.connect_pipe(at + SECOND, &agent, r"\sql\query");
        }
    }

    fn back_up(&mut self, at: i64) {
        let backup = self.resident("backup");
        let system = Arc::clone(&self.system);
        let command = "\"{image}\" --job nightly --stream";
        let lasts = self.random.between(MINUTE, 5 * MINUTE);
        let worker = self.run(at, lasts, &backup, &programs::BACKUP, command, &system, Integrity::System);
        self.connect_pipe(at + 100 * MILLI, &worker, r"\VaultlineBackupIpc");
        let services = self.resident("services");
        self.run(at + SECOND, lasts, &services, &programs::VSSVC, "{image}", &system, Integrity::System);
        self.service_state(at + SECOND, "Volume Shadow Copy", "running");
        let flow = Flow {
            outbound: true,
            local_port: self.random.between(49_700, 65_000) as u32,
            remote: "10.20.0.60",
            remote_name: "vault.corp.example",
            remote_port: 9392,
            protocol: "tcp",
        };
        self.flow(at + 2 * SECOND, &worker, &flow);
    }

    fn remote_desktop(&mut self, at: i64) {
        let admin = self.random.below(ADMINS as u64) as usize;
        let account = self.person(admin);
        let (workstation, address): (Arc<str>, Arc<str>) = match self.world.with_role(Role::Admin) {
            Some(host) => (Arc::clone(&self.world.hosts[host].short), Arc::clone(&self.world.hosts[host].address)),
            None => ("ADM99".into(), "10.20.0.99".into()),
        };
        let session = self.random.between(2, 6) as u32;
        let logon = self.new_logon(&account, session, 10);
        let terminal = self.resident("termsvc");
        let remote_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: false,
            local_port: 3389,
            remote: &address,
            remote_name: "-",
            remote_port,
            protocol: "tcp",
        };
        self.flow(at - SECOND, &terminal, &flow);
        self.log_on(at, &logon, Some((&workstation, &address, 0)), true);
        let winlogon = self.resident("winlogon");
        let lasts = self.random.between(8 * MINUTE, 25 * MINUTE);
        let userinit =
            self.run(at + SECOND, 20 * SECOND, &winlogon, &programs::USERINIT, "{image}", &logon, Integrity::High);
        let shell = r"C:\Windows\Explorer.EXE";
        let explorer = self.run(at + 2 * SECOND, lasts, &userinit, &programs::EXPLORER, shell, &logon, Integrity::High);
        let clip = self.run(at + 2 * SECOND, lasts, &terminal, &programs::RDPCLIP, "rdpclip", &logon, Integrity::High);
        let pipe = format!(r"\TSVCPIPE-{}", self.pipe_guid());
        self.create_pipe(at + 3 * SECOND, &terminal, pipe);
        self.connect_pipe(at + 4 * SECOND, &clip, r"\wkssvc");
        let command = "\"{image}\" \"C:\\Windows\\system32\\services.msc\" ";
        self.run(at + MINUTE, lasts / 2, &explorer, &programs::MMC, command, &logon, Integrity::High);
        self.log_off(at + lasts + 3 * SECOND, &logon);
    }

    fn pipe_guid(&mut self) -> String {
        let (a, b) = (self.random.next(), self.random.next());
        format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a as u32, (a >> 32) as u16, (a >> 48) as u16, b as u16, b >> 16)
    }
}
