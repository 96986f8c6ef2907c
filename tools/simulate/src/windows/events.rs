//! The events of a Windows host, with the fields of Windows 10 and Sysmon 15.

use super::machine::{Integrity, Logon, Machine, Process};
use super::programs::Program;
use crate::clock::{self, MILLI, SECOND};
use crate::random::digest;
use crate::record::{
    DISTRIBUTED_COM, INSTALLER, POWERSHELL, Provider, SECURITY, SERVICES, SYSMON, Text, Value, WindowsEvent,
};
use std::sync::Arc;

type Fields = Vec<(&'static str, Value)>;

/// One end of a connection.
pub(crate) struct Flow<'a> {
    pub outbound: bool,
    pub local_port: u32,
    pub remote: &'a str,
    pub remote_name: &'a str,
    pub remote_port: u32,
    pub protocol: &'static str,
}

/// An access to a share from another host.
pub(crate) struct ShareAccess<'a> {
    pub address: &'a str,
    pub port: u32,
    /// `IPC$`, `ADMIN$`, `C$` or a name.
    pub share: &'a str,
    /// The share's folder as in the log; empty for `IPC$`.
    pub folder: &'a str,
    pub target: &'a str,
    pub mask: u64,
}

/// A library that is loaded.
pub(crate) struct Library<'a> {
    pub path: &'a str,
    pub original: &'static str,
    pub description: &'static str,
    pub company: &'static str,
    pub signed: bool,
}

impl Machine {
    fn event(&mut self, at: i64, provider: &'static Provider, event_id: u16, version: u8, fields: Fields) {
        let (process_id, thread_id) = match provider.index {
            0 => (self.resident("sysmon").pid, 4 * self.random.between(600, 1400) as u32),
            1 => (self.resident("lsass").pid, 4 * self.random.between(150, 260) as u32),
            2 if event_id == 10016 || event_id == 10028 => (self.resident("dcomlaunch").pid, 1044),
            2 => (self.resident("services").pid, 4 * self.random.between(180, 300) as u32),
            _ => (0, 0),
        };
        let event = WindowsEvent { provider, event_id, version, record_id: 0, process_id, thread_id, fields };
        self.write(at, event);
    }

    fn sysmon(&mut self, at: i64, event_id: u16, version: u8, fields: Fields) {
        // The time in Sysmon's data is slightly before that of the record.
        let late = self.random.between(MILLI / 2, 4 * MILLI);
        self.event(at + late, &SYSMON, event_id, version, fields);
    }

    /// A process starts; writes its records.
    pub(crate) fn start(
        &mut self,
        at: i64,
        parent: &Arc<Process>,
        program: &Program,
        command: &str,
        logon: &Arc<Logon>,
        integrity: Integrity,
    ) -> Arc<Process> {
        let process = self.create(at, program, command, logon, integrity);
        if self.host().sysmon {
            let hashes = format!(
                "MD5={},SHA256={},IMPHASH={}",
                digest(program.image, 1, 16),
                digest(program.image, 2, 32),
                digest(program.image, 3, 16)
            );
            let folder = match integrity {
                Integrity::System => r"C:\Windows\system32\".to_owned(),
                _ if logon.session == 0 => r"C:\Windows\system32\".to_owned(),
                _ => format!(r"C:\Users\{}\", logon.account.name),
            };
            let fields = vec![
                ("RuleName", "-".into()),
                ("UtcTime", clock::sysmon(at).into()),
                ("ProcessGuid", Value::Guid(process.guid)),
                ("ProcessId", process.pid.into()),
                ("Image", (&process.image).into()),
                ("FileVersion", program.version.into()),
                ("Description", program.description.into()),
                ("Product", program.product.into()),
                ("Company", program.company.into()),
                ("OriginalFileName", program.original.into()),
                ("CommandLine", (&process.command).into()),
                ("CurrentDirectory", folder.into()),
                ("User", (&logon.account.full).into()),
                ("LogonGuid", Value::Guid(logon.guid)),
                ("LogonId", Value::Hex(logon.id)),
                ("TerminalSessionId", logon.session.into()),
                ("IntegrityLevel", integrity.name().into()),
                ("Hashes", hashes.into()),
                ("ParentProcessGuid", Value::Guid(parent.guid)),
                ("ParentProcessId", parent.pid.into()),
                ("ParentImage", (&parent.image).into()),
                ("ParentCommandLine", (&parent.command).into()),
                ("ParentUser", (&parent.logon.account.full).into()),
            ];
            self.sysmon(at, 1, 5, fields);
        }
        if self.audits_processes() {
            let creator = Arc::clone(&parent.logon);
            let mut fields = self.subject(&creator);
            let same = creator.id == logon.id;
            fields.extend([
                ("NewProcessId", Value::Hex(process.pid.into())),
                ("NewProcessName", (&process.image).into()),
                ("TokenElevationType", if integrity == Integrity::Medium { "%%1938" } else { "%%1936" }.into()),
                ("ProcessId", Value::Hex(parent.pid.into())),
                ("CommandLine", (&process.command).into()),
                ("TargetUserSid", Value::Sid(if same { "S-1-0-0".into() } else { (&logon.account.sid).into() })),
                ("TargetUserName", if same { "-".into() } else { (&logon.account.name).into() }),
                ("TargetDomainName", if same { "-".into() } else { (&logon.account.domain).into() }),
                ("TargetLogonId", Value::Hex(if same { 0 } else { logon.id })),
                ("ParentProcessName", (&parent.image).into()),
                ("MandatoryLabel", Value::Sid(integrity.label().into())),
            ]);
            self.event(at + MILLI, &SECURITY, 4688, 2, fields);
        }
        process
    }

    /// A process ends; writes its record.
    pub(crate) fn end(&mut self, at: i64, process: &Arc<Process>) {
        if self.host().sysmon {
            let mut fields = vec![("RuleName", "-".into()), ("UtcTime", clock::sysmon(at).into())];
            fields.extend(of_process(process));
            fields.push(("User", (&process.logon.account.full).into()));
            self.sysmon(at, 5, 3, fields);
        }
        if self.audits_processes() {
            let mut fields = self.subject(&process.logon);
            fields.extend([
                ("Status", Value::Hex(0)),
                ("ProcessId", Value::Hex(process.pid.into())),
                ("ProcessName", (&process.image).into()),
            ]);
            self.event(at + MILLI, &SECURITY, 4689, 0, fields);
        }
        self.release(at, process);
    }

    /// A process that ends after a while.
    #[allow(clippy::too_many_arguments, reason = "what a process is, and how long it lives")]
    pub(crate) fn run(
        &mut self,
        at: i64,
        lasts: i64,
        parent: &Arc<Process>,
        program: &Program,
        command: &str,
        logon: &Arc<Logon>,
        integrity: Integrity,
    ) -> Arc<Process> {
        let process = self.start(at, parent, program, command, logon, integrity);
        self.end(at + lasts, &process);
        process
    }

    /// Servers, and workstations without Sysmon, audit process starts with command lines.
    pub(crate) fn audits_processes(&self) -> bool {
        !self.host().sysmon || !self.role().has_owner()
    }

    /// A pipe is created.
    pub(crate) fn create_pipe(&mut self, at: i64, process: &Arc<Process>, name: impl Into<Text>) {
        self.pipe(at, 17, process, name.into());
    }

    /// A pipe is connected to.
    pub(crate) fn connect_pipe(&mut self, at: i64, process: &Arc<Process>, name: impl Into<Text>) {
        self.pipe(at, 18, process, name.into());
    }

    fn pipe(&mut self, at: i64, event_id: u16, process: &Arc<Process>, name: Text) {
        if !self.host().sysmon {
            return;
        }
        let fields = vec![
            ("RuleName", "-".into()),
            ("EventType", if event_id == 17 { "CreatePipe" } else { "ConnectPipe" }.into()),
            ("UtcTime", clock::sysmon(at).into()),
            ("ProcessGuid", Value::Guid(process.guid)),
            ("ProcessId", process.pid.into()),
            ("PipeName", Value::Text(name)),
            ("Image", (&process.image).into()),
            ("User", (&process.logon.account.full).into()),
        ];
        self.sysmon(at, event_id, 1, fields);
    }

    /// A connection: Sysmon writes it some seconds late, the filtering platform at once.
    pub(crate) fn flow(&mut self, at: i64, process: &Arc<Process>, flow: &Flow<'_>) {
        let address = Arc::clone(&self.host().address);
        let name = Arc::clone(&self.host().name);
        let local = ((&address).into(), (&name).into(), flow.local_port.into());
        let remote = (flow.remote.to_owned().into(), flow.remote_name.to_owned().into(), flow.remote_port.into());
        let (source, destination): ((Value, Value, Value), (Value, Value, Value)) =
            if flow.outbound { (local, remote) } else { (remote, local) };
        if self.host().sysmon {
            let mut fields = vec![("RuleName", "-".into()), ("UtcTime", clock::sysmon(at).into())];
            fields.extend(of_process(process));
            fields.extend([
                ("User", (&process.logon.account.full).into()),
                ("Protocol", flow.protocol.into()),
                ("Initiated", Value::Bool(flow.outbound)),
                ("SourceIsIpv6", Value::Bool(false)),
                ("SourceIp", source.0.clone()),
                ("SourceHostname", source.1),
                ("SourcePort", source.2.clone()),
                ("SourcePortName", "-".into()),
                ("DestinationIsIpv6", Value::Bool(false)),
                ("DestinationIp", destination.0.clone()),
                ("DestinationHostname", destination.1),
                ("DestinationPort", destination.2.clone()),
                ("DestinationPortName", port_name(flow).into()),
            ]);
            let late = self.random.between(SECOND, 3 * SECOND);
            self.sysmon(at + late, 3, 5, fields);
        }
        if self.audits_processes() {
            let fields = vec![
                ("ProcessID", Value::Text(process.pid.to_string().into())),
                ("Application", Self::device_path(&process.image).into()),
                ("Direction", if flow.outbound { "%%14593" } else { "%%14592" }.into()),
                ("SourceAddress", source.0),
                ("SourcePort", source.2),
                ("DestAddress", destination.0),
                ("DestPort", destination.2),
                ("Protocol", if flow.protocol == "udp" { 17_u32 } else { 6 }.into()),
                ("FilterRTID", 68_341_u32.into()),
                ("LayerName", if flow.outbound { "%%14611" } else { "%%14610" }.into()),
                ("LayerRTID", if flow.outbound { 48_u32 } else { 44 }.into()),
                ("RemoteUserID", Value::Sid("S-1-0-0".into())),
                ("RemoteMachineID", Value::Sid("S-1-0-0".into())),
            ];
            self.event(at + MILLI, &SECURITY, 5156, 1, fields);
        }
    }

    /// A name is looked up.
    pub(crate) fn look_up(&mut self, at: i64, process: &Arc<Process>, name: &'static str, result: String) {
        if !self.host().sysmon {
            return;
        }
        let fields = vec![
            ("RuleName", "-".into()),
            ("UtcTime", clock::sysmon(at).into()),
            ("ProcessGuid", Value::Guid(process.guid)),
            ("ProcessId", process.pid.into()),
            ("QueryName", name.into()),
            ("QueryStatus", "0".into()),
            ("QueryResults", format!("::ffff:{result};").into()),
            ("Image", (&process.image).into()),
            ("User", (&process.logon.account.full).into()),
        ];
        self.sysmon(at + 30 * MILLI, 22, 5, fields);
    }

    /// A library is loaded.
    pub(crate) fn load(&mut self, at: i64, process: &Arc<Process>, library: &Library<'_>) {
        if !self.host().sysmon {
            return;
        }
        let mut fields = vec![("RuleName", "-".into()), ("UtcTime", clock::sysmon(at).into())];
        fields.extend(of_process(process));
        let hashes = format!("MD5={},SHA256={}", digest(library.path, 1, 16), digest(library.path, 2, 32));
        fields.extend([
            ("ImageLoaded", library.path.to_owned().into()),
            ("FileVersion", if library.signed { "10.0.19041.4522" } else { "-" }.into()),
            ("Description", library.description.into()),
            ("Product", library.description.into()),
            ("Company", library.company.into()),
            ("OriginalFileName", library.original.into()),
            ("Hashes", hashes.into()),
            ("Signed", if library.signed { "true" } else { "false" }.into()),
            ("Signature", if library.signed { library.company } else { "-" }.into()),
            ("SignatureStatus", if library.signed { "Valid" } else { "Unavailable" }.into()),
            ("User", (&process.logon.account.full).into()),
        ]);
        self.sysmon(at, 7, 3, fields);
    }

    /// A file is created.
    pub(crate) fn create_file(&mut self, at: i64, process: &Arc<Process>, path: String) {
        if !self.host().sysmon {
            return;
        }
        let mut fields = vec![("RuleName", "-".into()), ("UtcTime", clock::sysmon(at).into())];
        fields.extend(of_process(process));
        fields.extend([
            ("TargetFilename", path.into()),
            ("CreationUtcTime", clock::sysmon(at).into()),
            ("User", (&process.logon.account.full).into()),
        ]);
        self.sysmon(at, 11, 2, fields);
    }

    /// A registry value is set.
    pub(crate) fn set_value(&mut self, at: i64, process: &Arc<Process>, path: String, details: impl Into<Text>) {
        if !self.host().sysmon {
            return;
        }
        let mut fields =
            vec![("RuleName", "-".into()), ("EventType", "SetValue".into()), ("UtcTime", clock::sysmon(at).into())];
        fields.extend(of_process(process));
        fields.extend([
            ("TargetObject", path.into()),
            ("Details", Value::Text(details.into())),
            ("User", (&process.logon.account.full).into()),
        ]);
        self.sysmon(at, 13, 2, fields);
    }

    fn subject(&self, logon: &Logon) -> Fields {
        // SYSTEM is logged as the machine account.
        let account = if logon.id == 0x3e7 { &self.machine_account } else { &logon.account };
        vec![
            ("SubjectUserSid", Value::Sid((&account.sid).into())),
            ("SubjectUserName", (&account.name).into()),
            ("SubjectDomainName", (&account.domain).into()),
            ("SubjectLogonId", Value::Hex(logon.id)),
        ]
    }

    /// A logon begins (4624, and 4672 for administrators and services).
    pub(crate) fn log_on(&mut self, at: i64, logon: &Arc<Logon>, from: Option<(&str, &str, u32)>, elevated: bool) {
        let system = Arc::clone(&self.system);
        let remote = matches!(logon.kind, 3);
        let mut fields = if remote {
            vec![
                ("SubjectUserSid", Value::Sid("S-1-0-0".into())),
                ("SubjectUserName", "-".into()),
                ("SubjectDomainName", "-".into()),
                ("SubjectLogonId", Value::Hex(0)),
            ]
        } else {
            self.subject(&system)
        };
        let (package, process) = match logon.kind {
            3 if logon.account.name.ends_with('$') => ("Kerberos", "Kerberos"),
            3 => ("NTLM", "NtLmSsp "),
            5 => ("Negotiate", "Advapi  "),
            _ => ("Negotiate", "User32 "),
        };
        let caller = match logon.kind {
            5 => Some(self.resident("services")),
            3 => None,
            _ => Some(self.resident("termsvc")),
        };
        let (workstation, address, port) = match from {
            Some((workstation, address, port)) => {
                (workstation.to_owned().into(), address.to_owned().into(), port.to_string().into())
            }
            None if logon.kind == 5 => ("-".into(), "-".into(), "-".into()),
            None => {
                let short = Arc::clone(&self.host().short);
                ((&short).into(), "127.0.0.1".into(), "0".into())
            }
        };
        fields.extend([
            ("TargetUserSid", Value::Sid((&logon.account.sid).into())),
            ("TargetUserName", (&logon.account.name).into()),
            ("TargetDomainName", (&logon.account.domain).into()),
            ("TargetLogonId", Value::Hex(logon.id)),
            ("LogonType", logon.kind.into()),
            ("LogonProcessName", process.into()),
            ("AuthenticationPackageName", package.into()),
            ("WorkstationName", workstation),
            ("LogonGuid", Value::Guid(if package == "NTLM" { [0; 16] } else { logon.guid })),
            ("TransmittedServices", "-".into()),
            ("LmPackageName", if package == "NTLM" { "NTLM V2" } else { "-" }.into()),
            ("KeyLength", if package == "NTLM" { 128_u32 } else { 0 }.into()),
            ("ProcessId", Value::Hex(caller.as_ref().map_or(0, |process| process.pid.into()))),
            ("ProcessName", caller.as_ref().map_or("-".into(), |process| (&process.image).into())),
            ("IpAddress", address),
            ("IpPort", port),
            ("ImpersonationLevel", "%%1833".into()),
            ("RestrictedAdminMode", "-".into()),
            ("TargetOutboundUserName", "-".into()),
            ("TargetOutboundDomainName", "-".into()),
            ("VirtualAccount", "%%1843".into()),
            ("TargetLinkedLogonId", Value::Hex(0)),
            ("ElevatedToken", if elevated { "%%1842" } else { "%%1843" }.into()),
        ]);
        self.event(at, &SECURITY, 4624, 2, fields);
        if elevated {
            let mut fields = self.subject(logon);
            fields.push((
                "PrivilegeList",
                "SeSecurityPrivilege\r\n\t\t\tSeBackupPrivilege\r\n\t\t\tSeRestorePrivilege\r\n\t\t\tSeTakeOwnershipPrivilege\r\n\t\t\tSeDebugPrivilege\r\n\t\t\tSeImpersonatePrivilege".into(),
            ));
            self.event(at, &SECURITY, 4672, 0, fields);
        }
    }

    /// A logon ends (4634).
    pub(crate) fn log_off(&mut self, at: i64, logon: &Arc<Logon>) {
        let fields = vec![
            ("TargetUserSid", Value::Sid((&logon.account.sid).into())),
            ("TargetUserName", (&logon.account.name).into()),
            ("TargetDomainName", (&logon.account.domain).into()),
            ("TargetLogonId", Value::Hex(logon.id)),
            ("LogonType", logon.kind.into()),
        ];
        self.event(at, &SECURITY, 4634, 0, fields);
    }

    /// A share is used from another host (5145).
    pub(crate) fn share(&mut self, at: i64, logon: &Arc<Logon>, access: &ShareAccess<'_>) {
        let mut fields = self.subject(logon);
        let mut list = String::new();
        for (bit, code) in [
            (0x2_0000, "%%1538"),
            (0x10_0000, "%%1541"),
            (0x1, "%%4416"),
            (0x2, "%%4417"),
            (0x4, "%%4418"),
            (0x8, "%%4419"),
            (0x10, "%%4420"),
            (0x80, "%%4423"),
            (0x100, "%%4424"),
        ] {
            if access.mask & bit != 0 {
                list.push_str(code);
                list.push_str("\r\n\t\t\t\t");
            }
        }
        fields.extend([
            ("ObjectType", "File".into()),
            ("IpAddress", access.address.to_owned().into()),
            ("IpPort", access.port.to_string().into()),
            ("ShareName", format!(r"\\*\{}", access.share).into()),
            ("ShareLocalPath", access.folder.to_owned().into()),
            ("RelativeTargetName", access.target.to_owned().into()),
            ("AccessMask", Value::Hex(access.mask)),
            ("AccessList", list.into()),
            ("AccessReason", "-".into()),
        ]);
        self.event(at, &SECURITY, 5145, 0, fields);
    }

    /// A service is installed (7045).
    pub(crate) fn install_service(&mut self, at: i64, name: &str, path: &str) {
        let fields = vec![
            ("ServiceName", name.to_owned().into()),
            ("ImagePath", path.to_owned().into()),
            ("ServiceType", "user mode service".into()),
            ("StartType", "demand start".into()),
            ("AccountName", "LocalSystem".into()),
        ];
        self.event(at, &SERVICES, 7045, 0, fields);
    }

    /// A service enters a state (7036).
    pub(crate) fn service_state(&mut self, at: i64, name: &'static str, state: &'static str) {
        self.event(at, &SERVICES, 7036, 0, vec![("param1", name.into()), ("param2", state.into())]);
    }

    /// A local activation is denied, which is frequent on every Windows host (10016).
    pub(crate) fn local_activation_refused(
        &mut self,
        at: i64,
        logon: &Arc<Logon>,
        class: &'static str,
        app: &'static str,
    ) {
        let fields = vec![
            ("param1", "application-specific".into()),
            ("param2", "Local".into()),
            ("param3", "Activation".into()),
            ("param4", class.into()),
            ("param5", app.into()),
            ("param6", (&logon.account.domain).into()),
            ("param7", (&logon.account.name).into()),
            ("param8", Value::Sid((&logon.account.sid).into())),
            ("param9", "LocalHost (Using LRPC)".into()),
            ("param10", "Unavailable".into()),
            ("param11", "Unavailable".into()),
        ];
        self.event(at, &DISTRIBUTED_COM, 10016, 0, fields);
    }

    /// A host did not answer an activation (10028).
    pub(crate) fn activation_failed(&mut self, at: i64, target: &str, process: &Arc<Process>, class: &'static str) {
        let fields = vec![
            ("param1", target.to_owned().into()),
            ("param2", format!("{:>8x}", process.pid).into()),
            ("param3", (&process.image).into()),
            ("param4", class.into()),
        ];
        self.event(at, &DISTRIBUTED_COM, 10028, 0, fields);
    }

    /// A PowerShell script block runs (4104).
    pub(crate) fn script(&mut self, at: i64, process: &Arc<Process>, text: &str, path: &str) {
        let block = digest(text, self.random.next(), 16).to_lowercase();
        let id = format!("{}-{}-{}-{}-{}", &block[..8], &block[8..12], &block[12..16], &block[16..20], &block[20..]);
        let fields = vec![
            ("MessageNumber", 1_u32.into()),
            ("MessageTotal", 1_u32.into()),
            ("ScriptBlockText", text.to_owned().into()),
            ("ScriptBlockId", id.into()),
            ("Path", path.to_owned().into()),
        ];
        let event = WindowsEvent {
            provider: &POWERSHELL,
            event_id: 4104,
            version: 1,
            record_id: 0,
            process_id: process.pid,
            thread_id: 4 * self.random.between(500, 2000) as u32,
            fields,
        };
        self.write(at, event);
    }

    /// A product was installed (MsiInstaller 1033 and 11707).
    pub(crate) fn installed(&mut self, at: i64, product: &'static str, version: &'static str, maker: &'static str) {
        let fields = [product, version, "1033", "0", maker, "(NULL)", ""];
        self.event(at, &INSTALLER, 1033, 0, fields.map(|text| ("", text.into())).to_vec());
        let text = format!("Product: {product} -- Installation completed successfully.");
        let mut fields: Fields = vec![("", text.into())];
        fields.extend(["(NULL)"; 5].map(|text| ("", text.into())));
        self.event(at + SECOND, &INSTALLER, 11707, 0, fields);
    }
}

fn of_process(process: &Process) -> [(&'static str, Value); 3] {
    [("ProcessGuid", Value::Guid(process.guid)), ("ProcessId", process.pid.into()), ("Image", (&process.image).into())]
}

fn port_name(flow: &Flow<'_>) -> &'static str {
    match if flow.outbound { flow.remote_port } else { flow.local_port } {
        53 => "domain",
        88 => "kerberos",
        135 => "epmap",
        389 => "ldap",
        443 => "https",
        445 => "microsoft-ds",
        1433 => "ms-sql-s",
        3389 => "ms-wbt-server",
        _ => "-",
    }
}
