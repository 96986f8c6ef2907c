//! Background activity of Windows: services that start and stop, COM surrogates, denied activations, installers,
//! agents.

use super::events::{Flow, Library};
use super::machine::{Integrity, Machine};
use super::programs;
use crate::clock::{MILLI, MINUTE, SECOND};
use crate::world::Role;
use std::sync::Arc;

impl Machine {
    /// A random background activity.
    pub(crate) fn noise(&mut self, at: i64) {
        match self.random.below(100) {
            0..=17 => self.service_host(at),
            18..=29 => self.provider_host(at),
            30..=37 => self.local_security(at),
            38..=45 => self.service_logon(at),
            46..=52 => self.refused(at),
            53..=60 => self.agent(at),
            61..=68 => self.task(at),
            69..=76 => self.registry(at),
            77..=84 => self.traffic(at),
            85..=88 => self.update_browser(at),
            89..=91 => self.inventory(at),
            92..=93 => self.install(at),
            94..=96 => self.policy(at),
            _ => self.servicing(at),
        }
    }

    fn service_host(&mut self, at: i64) {
        const SERVICES: [(&str, &str); 8] = [
            ("{image} -k netsvcs -p -s wuauserv", "Windows Update"),
            ("{image} -k wsappx -p -s AppXSvc", "AppX Deployment Service (AppXSVC)"),
            ("{image} -k wsappx -p -s ClipSVC", "Client License Service (ClipSVC)"),
            ("{image} -k LocalServiceNetworkRestricted -p -s WdiServiceHost", "Diagnostic Service Host"),
            ("{image} -k netsvcs -p -s DsmSvc", "Device Setup Manager"),
            ("{image} -k LocalSystemNetworkRestricted -p -s WdiSystemHost", "Diagnostic System Host"),
            ("{image} -k netsvcs -p -s Appinfo", "Application Information"),
            ("{image} -k smphost", "Microsoft Storage Spaces SMP"),
        ];
        let (command, name) = *self.random.pick(&SERVICES);
        let services = self.resident("services");
        let system = Arc::clone(&self.system);
        let lasts = self.random.between(40 * SECOND, 5 * MINUTE);
        let process = self.run(at, lasts, &services, &programs::SVCHOST, command, &system, Integrity::System);
        self.service_state(at + 200 * MILLI, name, "running");
        self.service_state(at + lasts, name, "stopped");
        if self.random.chance(40) {
            self.connect_pipe(at + 300 * MILLI, &process, r"\lsass");
        }
    }

    fn provider_host(&mut self, at: i64) {
        let launcher = self.resident("dcomlaunch");
        let (logon, command) = if self.random.chance(50) {
            (Arc::clone(&self.network_service), "{image} -secured -Embedding")
        } else {
            (Arc::clone(&self.system), "{image} -Embedding")
        };
        let lasts = self.random.between(80 * SECOND, 5 * MINUTE);
        let process = self.run(at, lasts, &launcher, &programs::WMIPRVSE, command, &logon, Integrity::System);
        let pipe = *self.random.pick(&[r"\lsass", r"\wkssvc"]);
        self.connect_pipe(at + 500 * MILLI, &process, pipe);
        if self.random.chance(40) {
            let library = Library {
                path: r"C:\Windows\System32\wbem\cimwin32.dll",
                original: "cimwin32.dll",
                description: "WMI Win32 Provider",
                company: "Microsoft Windows",
                signed: true,
            };
            self.load(at + 200 * MILLI, &process, &library);
        }
    }

    fn local_security(&mut self, at: i64) {
        let name = *self.random.pick(&["winmgmt", "schedule", "dnscache", "ccm", "agent"]);
        let process = self.resident(name);
        let pipe = *self.random.pick(&[r"\lsass", r"\lsass", r"\wkssvc", r"\srvsvc"]);
        self.connect_pipe(at, &process, pipe);
    }

    fn service_logon(&mut self, at: i64) {
        let system = Arc::clone(&self.system);
        let logon = super::machine::Logon {
            id: 0x3e7,
            guid: [0; 16],
            account: Arc::clone(&system.account),
            session: 0,
            kind: 5,
        };
        self.log_on(at, &Arc::new(logon), None, true);
    }

    fn refused(&mut self, at: i64) {
        const CLASSES: [(&str, &str); 5] = [
            ("{C2F03A33-21F5-47FA-B4BB-156362A2F239}", "{316CDED5-E4AE-4B15-9113-7055D84DCC97}"),
            ("{2593F8B9-4EAF-457C-B68A-50F6B8EA6B54}", "{15C20B67-12E7-4BB6-92BB-7AFF07997402}"),
            ("{D63B10C5-BB46-4990-A94F-E40B9D520160}", "{9CA88EE3-ACB7-47C8-AFC4-AB702511C276}"),
            ("Windows.SecurityCenter.WscDataProtection", "Unavailable"),
            ("Windows.SecurityCenter.SecurityAppBroker", "Unavailable"),
        ];
        let (class, app) = *self.random.pick(&CLASSES);
        let person = self.session.as_ref().map(|session| Arc::clone(&session.logon));
        let logon = match person {
            Some(person) if self.random.chance(60) => person,
            _ => Arc::clone(&self.local_service),
        };
        self.local_activation_refused(at, &logon, class, app);
    }

    fn agent(&mut self, at: i64) {
        let agent = self.resident("agent");
        let local_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: true,
            local_port,
            remote: "198.51.100.200",
            remote_name: "-",
            remote_port: 443,
            protocol: "tcp",
        };
        self.flow(at, &agent, &flow);
        if self.random.chance(30) {
            let system = Arc::clone(&self.system);
            let command = "\"{image}\" --scan quick --quiet";
            let child = self.run(at + SECOND, MINUTE, &agent, &programs::AGENT, command, &system, Integrity::System);
            self.connect_pipe(at + SECOND + 200 * MILLI, &child, r"\NorthwallAgentControl");
        }
    }

    fn task(&mut self, at: i64) {
        let schedule = self.resident("schedule");
        let system = Arc::clone(&self.system);
        let command = *self.random.pick(&[
            "taskhostw.exe",
            "taskhostw.exe KEYROAMING",
            "taskhostw.exe SYSTEM",
            "taskhostw.exe Install $(Arg0)",
        ]);
        let lasts = self.random.between(5 * SECOND, 2 * MINUTE);
        let process = self.run(at, lasts, &schedule, &programs::TASKHOSTW, command, &system, Integrity::System);
        if self.random.chance(30) {
            self.connect_pipe(at + 90 * MILLI, &process, r"\lsass");
        }
    }

    fn registry(&mut self, at: i64) {
        let (name, path, details) = *self.random.pick(&[
            ("w32time", r"HKLM\System\CurrentControlSet\Services\W32Time\SecureTimeLimits\SecureTimeEstimated", "QWORD (0x01da0000-0x5f3c2a10)"),
            ("services", r"HKLM\System\CurrentControlSet\Services\BITS\Start", "DWORD (0x00000003)"),
            ("bits", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\BITS\StateIndex", "DWORD (0x00000001)"),
            ("defender", r"HKLM\SOFTWARE\Microsoft\Windows Defender\Diagnostics\LastKnownGoodPlatformLocation", r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24050.7-0"),
            ("dnscache", r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{6c1f3d1e-0f5a-4c0e-9b69-1f8c2d0f4a11}\LeaseObtainedTime", "DWORD (0x6643a1f0)"),
        ]);
        let process = self.resident(name);
        self.set_value(at, &process, path.to_owned(), details);
    }

    fn traffic(&mut self, at: i64) {
        let controller = self.world.with_role(Role::DomainController).filter(|host| *host != self.index);
        let (address, name) = match controller {
            Some(host) => (Arc::clone(&self.world.hosts[host].address), Arc::clone(&self.world.hosts[host].name)),
            None => ("10.20.0.5".into(), "-".into()),
        };
        let (process, remote_port, protocol) = *self.random.pick(&[
            ("dnscache", 53, "udp"),
            ("lsass", 88, "tcp"),
            ("lsass", 389, "tcp"),
            ("w32time", 123, "udp"),
        ]);
        let process = self.resident(process);
        let local_port = self.random.between(49_700, 65_000) as u32;
        self.flow(
            at,
            &process,
            &Flow { outbound: true, local_port, remote: &address, remote_name: &name, remote_port, protocol },
        );
    }

    fn update_browser(&mut self, at: i64) {
        let schedule = self.resident("schedule");
        let system = Arc::clone(&self.system);
        let update = self.run(
            at,
            40 * SECOND,
            &schedule,
            &programs::EDGE_UPDATE,
            "\"{image}\" /ua /installsource scheduler",
            &system,
            Integrity::System,
        );
        let launcher = self.resident("services");
        self.run(
            at + SECOND,
            50 * SECOND,
            &launcher,
            &programs::EDGE_UPDATE,
            "\"{image}\" /svc",
            &system,
            Integrity::System,
        );
        let local_port = self.random.between(49_700, 65_000) as u32;
        let flow = Flow {
            outbound: true,
            local_port,
            remote: "198.51.100.90",
            remote_name: "-",
            remote_port: 443,
            protocol: "tcp",
        };
        self.flow(at + 2 * SECOND, &update, &flow);
    }

    /// Management software queries WMI, whose provider starts programs.
    fn inventory(&mut self, at: i64) {
        let launcher = self.resident("dcomlaunch");
        let system = Arc::clone(&self.system);
        let level = Integrity::System;
        let provider = self.run(at, 2 * MINUTE, &launcher, &programs::WMIPRVSE, "{image} -Embedding", &system, level);
        let child = self.run(
            at + 3 * SECOND,
            4 * SECOND,
            &provider,
            &programs::MOFCOMP,
            "\"{image}\" -N:root\\cimv2 C:\\Windows\\CCM\\inventory.mof",
            &system,
            level,
        );
        self.console(at + 3 * SECOND, 4 * SECOND, &child);
        let ccm = self.resident("ccm");
        self.create_file(at + 8 * SECOND, &ccm, r"C:\Windows\CCM\Inventory\Temp\delta.xml".to_owned());
        // A retired certification authority does not respond any more.
        if self.random.chance(5) {
            self.activation_failed(
                at + 9 * SECOND,
                "old-ca.corp.example",
                &ccm,
                "{D99E6E74-FC88-11D0-B498-00A0C90312F3}",
            );
        }
    }

    fn install(&mut self, at: i64) {
        const PRODUCTS: [(&str, &str, &str, &str, &str); 3] = [
            (
                "Northwall Endpoint Agent",
                "7.4.210.0",
                "Northwall Software AB",
                "{7A0B3C44-91D2-4E15-8F0B-2B6E0C5D9A71}",
                r"C:\Program Files\Northwall\Endpoint\nwshell.dll",
            ),
            (
                "Pagewright PDF Tools",
                "22.3.1",
                "Pagewright Ltd",
                "{C1D7E2F0-5B2A-4E0C-A3D4-0F9E8B7A6C51}",
                r"C:\Program Files\Pagewright\pwpreview.dll",
            ),
            (
                "Ledgerline Client",
                "9.0.4",
                "Ledgerline Inc",
                "{0E4B8D2A-6C3F-49B1-9D55-7A1B2C3D4E5F}",
                r"C:\Program Files\Ledgerline\llcom.dll",
            ),
        ];
        let (product, version, maker, class, library) = *self.random.pick(&PRODUCTS);
        let services = self.resident("services");
        let system = Arc::clone(&self.system);
        let installer =
            self.run(at, 3 * MINUTE, &services, &programs::MSIEXEC, "{image} /V", &system, Integrity::System);
        self.create_file(at + 20 * SECOND, &installer, library.to_owned());
        let path = format!(r"HKLM\SOFTWARE\Classes\CLSID\{class}\InprocServer32\(Default)");
        self.set_value(at + 25 * SECOND, &installer, path, library);
        self.installed(at + 40 * SECOND, product, version, maker);
    }

    fn policy(&mut self, at: i64) {
        let schedule = self.resident("schedule");
        let system = Arc::clone(&self.system);
        let update = self.run(
            at,
            8 * SECOND,
            &schedule,
            &programs::GPUPDATE,
            "{image} /target:computer",
            &system,
            Integrity::System,
        );
        self.console(at, 8 * SECOND, &update);
        self.connect_pipe(at + 300 * MILLI, &update, r"\wkssvc");
    }

    fn servicing(&mut self, at: i64) {
        let launcher = self.resident("dcomlaunch");
        let system = Arc::clone(&self.system);
        let worker =
            self.run(at, 4 * MINUTE, &launcher, &programs::TIWORKER, "{image} -Embedding", &system, Integrity::System);
        self.set_value(
            at + SECOND,
            &worker,
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\SessionIdHigh".to_owned(),
            "DWORD (0x01da9f3c)",
        );
    }
}
