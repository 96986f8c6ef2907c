//! The options: number of hosts, duration, activity, attacks and output formats.

use crate::clock;
use clap::ValueEnum;
use std::collections::BTreeSet;
use std::str::FromStr;

/// The options of a simulation; they are command line options too.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Seed of the random numbers: the same seed and options give the same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Start of the logs (UTC): 2026-03-02 or 2026-03-02T07:30:00Z
    #[arg(long = "start", value_name = "TIME", default_value = "2026-03-02", value_parser = clock::parse)]
    pub start_ns: i64,
    /// Duration of the logs in days
    #[arg(long, default_value_t = 1)]
    pub days: u32,
    /// Hours to add to the days
    #[arg(long, default_value_t = 0)]
    pub hours: u32,
    /// Number of Windows hosts; of four or more, the first three are a domain controller, a file server and a database
    /// server
    #[arg(long = "windows", value_name = "HOSTS", default_value_t = 8)]
    pub windows_hosts: u32,
    /// Number of Linux hosts
    #[arg(long = "linux", value_name = "HOSTS", default_value_t = 2)]
    pub linux_hosts: u32,
    /// Approximate number of records per host on a workday; there are fewer at weekends
    #[arg(long = "events", value_name = "RECORDS", default_value_t = 4000)]
    pub events_per_host_per_day: u32,
    /// Attacks to include: all, none, or names separated by commas
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub attacks: Attacks,
    /// Number of times each of these attacks happens
    #[arg(long, default_value_t = 1)]
    pub repeat: u32,
    /// Output format of Windows logs
    #[arg(long, value_enum, default_value_t = WindowsShape::Evtx)]
    pub windows_shape: WindowsShape,
    /// Output format of Linux logs
    #[arg(long, value_enum, default_value_t = LinuxShape::Auditd)]
    pub linux_shape: LinuxShape,
    /// Write one file for all Windows hosts and one for all Linux hosts, instead of one per host
    #[arg(long)]
    pub merged: bool,
}

impl Default for Options {
    /// Same as the defaults of the command line.
    fn default() -> Self {
        Options {
            seed: 1,
            start_ns: clock::from_date(2026, 3, 2),
            days: 1,
            hours: 0,
            windows_hosts: 8,
            linux_hosts: 2,
            events_per_host_per_day: 4000,
            attacks: Attacks::all(),
            repeat: 1,
            windows_shape: WindowsShape::Evtx,
            linux_shape: LinuxShape::Auditd,
            merged: false,
        }
    }
}

impl Options {
    /// End of the simulated time (exclusive): nanoseconds since 1970-01-01 UTC.
    pub fn end_ns(&self) -> i64 {
        self.start_ns + i64::from(self.days) * clock::DAY + i64::from(self.hours) * clock::HOUR
    }
}

/// Output format of Windows records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WindowsShape {
    /// EVTX files
    Evtx,
    /// JSON lines of the evtx crate and evtx_dump
    EvtxJson,
    /// JSON lines of Winlogbeat
    Winlogbeat,
    /// JSON lines of NXLog: flat, with local times
    Nxlog,
    /// JSON lines of Fluent Bit's winevtlog: values without names
    FluentBit,
    /// XML, one event per line
    Xml,
}

/// Output format of Linux records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LinuxShape {
    /// Raw lines of the audit daemon
    Auditd,
    /// JSON lines of laurel: one event per line
    Laurel,
}

macro_rules! attacks {
    ($($(#[$doc:meta])* $id:ident = $name:literal $system:ident $techniques:expr;)*) => {
        /// An attack that can be simulated.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Attack { $($(#[$doc])* $id,)* }

        impl Attack {
            /// All of them.
            pub const ALL: &'static [Attack] = &[$(Attack::$id,)*];

            /// Its name on the command line and in `truth.json`.
            pub fn name(self) -> &'static str {
                match self { $(Attack::$id => $name,)* }
            }

            /// The ATT&CK techniques it uses.
            pub fn techniques(self) -> &'static [&'static str] {
                match self { $(Attack::$id => &$techniques,)* }
            }

            /// Whether it happens on a Linux host.
            pub fn is_linux(self) -> bool {
                match self { $(Attack::$id => matches!(System::$system, System::Linux),)* }
            }
        }
    };
}

enum System {
    Windows,
    Linux,
}

attacks! {
    /// A script on one host activates MMC20.Application on another, which starts a shell.
    Mmc20 = "dcom-mmc20" Windows ["T1021.003", "T1559.001"];
    /// A script on one host makes Excel on another host load an add-in.
    ExcelAddIn = "dcom-excel-registerxll" Windows ["T1021.003", "T1559.001", "T1137.006"];
    /// A script on one host starts a shell through the Explorer of another host.
    ShellWindows = "dcom-shellwindows" Windows ["T1021.003", "T1559.001"];
    /// A process is created through WMI from another host, its output fetched from a share.
    WmiExec = "wmiexec" Windows ["T1047", "T1021.003", "T1559.001"];
    /// A service executor under another name, with its three pipes.
    RenamedExecutor = "psexec-renamed-pipes" Windows ["T1569.002", "T1021.002", "T1559"];
    /// A service writes to a pipe whose server impersonates its token.
    GetSystem = "getsystem-pipe" Windows ["T1134.001", "T1559"];
    /// A service account makes the print spooler connect to its pipe, and starts a shell as SYSTEM.
    Potato = "potato-spooler-pipe" Windows ["T1134.001", "T1559"];
    /// A registration in a user's registry makes programs load a library in place of a COM server.
    ComHijack = "com-hijack-hkcu" Windows ["T1546.015", "T1559.001"];
    /// The elevated COM class of CMSTP starts a shell.
    CmstpLua = "cmstplua-elevation" Windows ["T1548.002", "T1559.001"];
    /// A document's DDE field starts a shell from Word.
    DdeOffice = "dde-office-child" Windows ["T1559.002", "T1204.002"];
    /// Two implants communicate through a named pipe over SMB.
    SmbBeacon = "smb-beacon-pipe" Windows ["T1071", "T1021.002", "T1559"];
    /// A web application's shell reads its commands from a FIFO that a network tool writes.
    FifoShell = "fifo-reverse-shell" Linux ["T1059.004", "T1559"];
    /// A web application's account starts a privileged container through the engine's socket.
    DockerSocket = "docker-socket-takeover" Linux ["T1611", "T1559"];
    /// Root uses another user's SSH agent to log on to another host.
    AgentHijack = "ssh-agent-hijack" Linux ["T1563.001", "T1559"];
    /// A service account starts a unit through systemd over D-Bus.
    SystemdUnit = "dbus-transient-unit" Linux ["T1543.002", "T1559"];
    /// A web account writes commands to a FIFO from which a helper of another account runs them.
    FifoTasking = "fifo-tasking" Linux ["T1059.004", "T1559"];
}

/// Attacks by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attacks(pub BTreeSet<Attack>);

impl Attacks {
    /// All attacks.
    pub fn all() -> Self {
        Attacks(Attack::ALL.iter().copied().collect())
    }

    /// No attacks.
    pub fn none() -> Self {
        Attacks(BTreeSet::new())
    }
}

impl FromStr for Attacks {
    type Err = String;

    /// Reads `all`, `none`, or names separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let find = |name: &str| Attack::ALL.iter().copied().find(|attack| attack.name() == name.trim());
        text.split(',')
            .map(|name| {
                find(name).ok_or_else(|| {
                    let known: Vec<&str> = Attack::ALL.iter().map(|attack| attack.name()).collect();
                    format!("{name:?} is no attack: expected all, none, or some of {}", known.join(", "))
                })
            })
            .collect::<Result<_, _>>()
            .map(Attacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_are_read_by_name() {
        assert_eq!("none".parse(), Ok(Attacks::none()));
        assert_eq!("all".parse::<Attacks>().unwrap().0.len(), Attack::ALL.len());
        let two = "dcom-mmc20, wmiexec".parse::<Attacks>().unwrap();
        assert_eq!(two.0.into_iter().collect::<Vec<_>>(), [Attack::Mmc20, Attack::WmiExec]);
        assert!("dcom-mmc21".parse::<Attacks>().unwrap_err().contains("dcom-mmc20"));
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = Attack::ALL.iter().map(|attack| attack.name()).collect();
        assert_eq!(names.len(), Attack::ALL.len());
    }

    #[test]
    fn the_defaults_are_those_of_the_command_line() {
        use clap::Parser;
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            options: Options,
        }
        let read = Cli::parse_from(["simulate"]).options;
        assert_eq!(format!("{read:?}"), format!("{:?}", Options::default()));
    }
}
