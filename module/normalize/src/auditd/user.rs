//! Self-contained records: those of user space (PAM, sudo, systemd, dbus-daemon, package managers, auditd itself) and
//! CONFIG_CHANGE.
//!
//! USER_LOGIN and USER_START begin a logon (one session often has both), USER_END and USER_LOGOUT end it; a failed
//! USER_AUTH, USER_ACCT, USER_LOGIN or USER_ERR is a failed logon. CRED_*, LOGIN and successful USER_AUTH are
//! redundant.

use backchannel_events::{
    Activity, Channel, Endpoint, Logon, LogonOutcome, Mechanism, Outcome, PrivilegeChange, PrivilegeChangeKind,
    Process, ProcessEvent, Provenance, RpcCall, ServiceChange, ServiceOperation, SoftwareChange, Source, Telemetry,
    TelemetryState, Text, Timestamp, User,
};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::event::{login, session};
use super::fields::{Field, fields, text};
use super::lines::Line;

/// Place and time of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    pub(crate) time: Timestamp,
    pub(crate) serial: &'a str,
    pub(crate) host: &'a str,
    pub(crate) input: &'a str,
    pub(crate) line: u64,
}

/// A record of user space: the kernel's fields about the sender, and the sender's own fields.
#[derive(Debug)]
pub(crate) struct UserRecord<'a> {
    kind: &'a str,
    /// The kernel's fields: pid, uid, auid, ses.
    sender: BumpVec<'a, Field<'a>>,
    /// The fields of `msg='...'`.
    message: BumpVec<'a, Field<'a>>,
    /// The message as text; the whole body where there is none.
    message_text: &'a str,
    arena: &'a Bump,
}

/// Passes on the event of a line, if there is one. Returns whether there was.
pub(crate) fn from_line<'a>(
    line: &Line<'a>,
    stamp: Stamp<'a>,
    arena: &'a Bump,
    sink: &mut dyn FnMut(&ProcessEvent<'_>),
) -> bool {
    if !is_used(line.kind) {
        return false;
    }
    let mut record = UserRecord::new(line.kind, arena);
    for field in fields(line.body) {
        record.add(field);
    }
    if record.message_text.is_empty() {
        record.message_text = line.body;
    }
    for field in fields(line.tail) {
        record.sender.push(field);
    }
    record.emit(stamp, sink)
}

/// Whether records of this type can give events.
pub(crate) fn is_used(kind: &str) -> bool {
    matches!(
        kind,
        "USER_LOGIN"
            | "USER_START"
            | "USER_END"
            | "USER_LOGOUT"
            | "USER_AUTH"
            | "USER_ACCT"
            | "USER_ERR"
            | "USER_CMD"
            | "USER_AVC"
            | "USER_MGMT"
            | "USER_CHAUTHTOK"
            | "GRP_MGMT"
            | "ADD_USER"
            | "ADD_GROUP"
            | "SOFTWARE_UPDATE"
            | "SERVICE_START"
            | "SERVICE_STOP"
            | "CONFIG_CHANGE"
            | "DAEMON_START"
            | "DAEMON_END"
            | "DAEMON_ABORT"
            | "DAEMON_CONFIG"
    )
}

impl<'a> UserRecord<'a> {
    /// A record without fields.
    pub(crate) fn new(kind: &'a str, arena: &'a Bump) -> Self {
        Self { kind, sender: BumpVec::new_in(arena), message: BumpVec::new_in(arena), message_text: "", arena }
    }

    /// Adds a field of the record; a nested message is parsed.
    pub(crate) fn add(&mut self, field: Field<'a>) {
        if field.name == "msg" && field.quote != ' ' {
            self.message_text = field.value;
            self.message.extend(fields(field.value));
        } else {
            self.sender.push(field);
        }
    }

    /// A field whose text the sender encoded where needed.
    fn text(&self, name: &str) -> &'a str {
        self.find(name).map_or("", |field| match text(field, self.arena) {
            "?" => "",
            value => value,
        })
    }

    /// A field that is never encoded.
    fn plain(&self, name: &str) -> &'a str {
        self.find(name).map_or("", |field| match field.value {
            "?" | "(null)" | "(none)" => "",
            value => value,
        })
    }

    fn find(&self, name: &str) -> Option<Field<'a>> {
        self.message.iter().chain(&self.sender).find(|field| field.name == name).copied()
    }

    /// A field of the sender. The message may have a field with the same name.
    fn of_sender(&self, name: &str) -> &'a str {
        self.sender.iter().find(|field| field.name == name).map_or("", |field| field.value)
    }

    fn succeeded(&self) -> Option<bool> {
        match self.plain("res") {
            "success" | "1" | "yes" => Some(true),
            "failed" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// Passes on the event of the record, if there is one. Returns whether there was.
    pub(crate) fn emit(&self, stamp: Stamp<'a>, sink: &mut dyn FnMut(&ProcessEvent<'_>)) -> bool {
        let mut process = Process {
            pid: self.of_sender("pid").parse().ok(),
            image: self.text("exe"),
            original_name: self.text("comm"),
            user: User {
                id: self.of_sender("uid"),
                name: self.of_sender("UID"),
                audit_id: login(self.of_sender("auid")),
                ..User::default()
            },
            session: session(self.of_sender("ses")),
            tty: self.text("terminal"),
            ..Process::default()
        };
        let mut outcome = match self.succeeded() {
            Some(true) => Outcome::Success,
            Some(false) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        let Some(activity) = self.activity(&mut process, &mut outcome) else { return false };
        sink(&ProcessEvent {
            time: stamp.time,
            host: stamp.host,
            outcome,
            process,
            activity,
            provenance: Provenance {
                source: Source::Auditd,
                input: stamp.input,
                line: stamp.line,
                record: stamp.serial,
                provider: self.kind,
                event_id: 0,
            },
        });
        true
    }

    fn activity(&self, process: &mut Process<'a>, outcome: &mut Outcome) -> Option<Activity<'a>> {
        let failed = self.succeeded() == Some(false);
        match self.kind {
            "USER_LOGIN" | "USER_START" => {
                Some(self.logon(if failed { LogonOutcome::Failure } else { LogonOutcome::Start }))
            }
            "USER_END" | "USER_LOGOUT" => Some(self.logon(LogonOutcome::End)),
            "USER_AUTH" | "USER_ACCT" | "USER_ERR" => failed.then(|| self.logon(LogonOutcome::Failure)),
            "USER_CMD" => {
                process.working_directory = self.text("cwd");
                let program = base(process.image);
                Some(Activity::Text(Text {
                    program: if program.is_empty() { "sudo" } else { program },
                    message: self.text("cmd"),
                }))
            }
            "USER_AVC" => self.bus_message(process, outcome),
            "ADD_USER" | "ADD_GROUP" | "USER_MGMT" | "GRP_MGMT" | "USER_CHAUTHTOK" => Some(self.account_change()),
            "SOFTWARE_UPDATE" => Some(Activity::SoftwareChange(SoftwareChange {
                name: self.text("sw"),
                removed: matches!(self.plain("op"), "remove" | "erase"),
                ..SoftwareChange::default()
            })),
            "SERVICE_START" | "SERVICE_STOP" => Some(Activity::ServiceChange(ServiceChange {
                operation: ServiceOperation::StateChanged,
                name: self.text("unit"),
                state: if self.kind == "SERVICE_START" { "started" } else { "stopped" },
                ..ServiceChange::default()
            })),
            _ => Some(Activity::Telemetry(Telemetry { state: self.telemetry(), details: self.details() })),
        }
    }

    /// The fields that describe the change, in a fixed order.
    fn details(&self) -> &'a str {
        let mut details = bumpalo::collections::String::new_in(self.arena);
        for name in ["op", "audit_enabled", "audit_pid", "audit_backlog_limit", "path", "key", "list"] {
            let value = self.text(name);
            if !value.is_empty() {
                if !details.is_empty() {
                    details.push(' ');
                }
                details.push_str(name);
                details.push('=');
                details.push_str(value);
            }
        }
        // Before auditd 2.5, a daemon wrote free text.
        if details.is_empty() { self.message_text } else { details.into_bump_str() }
    }

    fn telemetry(&self) -> TelemetryState {
        match (self.kind, self.plain("audit_enabled")) {
            ("DAEMON_START", _) | ("CONFIG_CHANGE", "1" | "2") => TelemetryState::Started,
            ("DAEMON_END" | "DAEMON_ABORT", _) | ("CONFIG_CHANGE", "0") => TelemetryState::Stopped,
            // `auditctl -D` removes every rule separately; each is a change.
            _ => TelemetryState::Changed,
        }
    }

    fn logon(&self, outcome: LogonOutcome) -> Activity<'a> {
        let terminal = self.text("terminal");
        let program = base(self.text("exe"));
        let address = self.plain("addr");
        let host = self.plain("hostname");
        let id = match self.plain("id") {
            // The message has the account's uid, or only its name.
            "" if self.text("acct") == "root" => "0",
            id => id,
        };
        let kind = if program == "cron" || program == "crond" || terminal == "cron" {
            4
        } else if !address.is_empty() || !host.is_empty() || terminal == "ssh" {
            10
        } else if program == "login" || program.starts_with("gdm") {
            2
        } else {
            0
        };
        let name = match self.text("acct") {
            "" => self.sender.iter().find(|field| field.name == "ID").map_or("", |field| field.value),
            name => name,
        };
        Activity::Logon(Logon {
            outcome,
            id: session(self.of_sender("ses")).map(u64::from),
            kind,
            user: User { id: login(id), name, ..User::default() },
            source: Endpoint {
                address,
                port: self.plain("rport").parse().unwrap_or(0),
                name: if host == address { "" } else { host },
            },
            package: program,
            elevated: None,
            target: "",
        })
    }

    fn account_change(&self) -> Activity<'a> {
        let op = self.text("op");
        let joins = op.contains("group") && (op.contains("user") || op.contains("member") || op.contains("to-group"));
        let leaves = op.contains("delet") || op.contains("remov");
        let kind = match self.kind {
            "ADD_USER" => PrivilegeChangeKind::AccountCreated,
            _ if joins && !leaves => PrivilegeChangeKind::GroupMemberAdded,
            _ => PrivilegeChangeKind::RightAssigned,
        };
        let name = match self.text("acct") {
            "" => self.sender.iter().find(|field| field.name == "ID").map_or("", |field| field.value),
            name => name,
        };
        Activity::PrivilegeChange(PrivilegeChange {
            kind,
            principal: User { id: self.plain("id"), name, ..User::default() },
            object: self.text("grp"),
            details: op,
        })
    }

    /// A D-Bus message denied by SELinux or AppArmor, as reported by dbus-daemon.
    fn bus_message(&self, process: &mut Process<'a>, outcome: &mut Outcome) -> Option<Activity<'a>> {
        let selinux = self.plain("tclass") == "dbus";
        if !selinux && !self.text("operation").starts_with("dbus") {
            return None;
        }
        let (interface, member) = (self.text("interface"), self.text("member"));
        let destination = match (self.text("dest"), self.text("name")) {
            ("", name) => name,
            (dest, _) => dest,
        };
        let denied = if selinux { self.message_text.contains("denied") } else { self.text("apparmor") == "DENIED" };
        *outcome = if denied { Outcome::Denied } else { Outcome::Success };
        // The record's own pid is that of the bus daemon; the subject is the sender of the message.
        let sender = if selinux { self.plain("spid") } else { self.message_pid() };
        *process = Process { pid: sender.parse().ok(), ..Process::default() };
        Some(Activity::RpcCall(RpcCall {
            channel: Channel { mechanism: Mechanism::Dbus, name: destination, ..Channel::default() },
            interface,
            operation: member,
            object: bus_object(destination, self.text("path"), self.arena),
            ..RpcCall::default()
        }))
    }

    fn message_pid(&self) -> &'a str {
        self.message.iter().find(|field| field.name == "pid").map_or("", |field| field.value)
    }
}

/// Bus name and object path as one text.
pub(crate) fn bus_object<'a>(name: &'a str, path: &'a str, arena: &'a Bump) -> &'a str {
    match (name, path) {
        (name, "") => name,
        ("", path) => path,
        (name, path) => arena.alloc_str(&format!("{name} {path}")),
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
